//! The one statement that writes: it swaps heads and adds all that a batch leaves behind, or does nothing.
//!
//! `PostgreSQL` makes each part of a statement ready whether it has rows or not, which is dear for a batch of one. So a statement
//! has the parts that its plan has rows for, each with its parameters, its guard and its values in a file.
//!
//! Arrays become rows in the list of a `select`, where `PostgreSQL` takes one element of each at a time. In a `from` it would
//! first write each array into a table of its own.

mod accounts;
mod books;
mod confirms;
mod entries;
mod heads;
mod part;
mod sessions;
mod swaps;
mod text;
mod transactions;
mod users;

use std::sync::OnceLock;

use sqlx::AssertSqlSafe;

use self::part::Part;
use super::{CommitError, Connection, StorageError};
use crate::ledger::plan::Plan;

/// All of them, in the order in which they lock rows, which is one for all statements.
static PARTS: [Part; 10] = [
    swaps::PART,
    confirms::PART,
    books::OPEN,
    books::SEALED,
    books::NEW,
    users::PART,
    accounts::PART,
    sessions::PART,
    transactions::PART,
    entries::PART,
];

/// The parts of a plan that writes nothing.
static LOOKS: [Part; 2] = [confirms::PART, books::SEEN_OPEN];

/// Which of some parts, a bit for each.
type Combination = usize;

/// The text of each combination that was asked for. The same text is the same prepared statement of a connection.
static WRITE_TEXTS: [OnceLock<String>; 1 << PARTS.len()] = [const { OnceLock::new() }; _];
static LOOK_TEXTS: [OnceLock<String>; 1 << LOOKS.len()] = [const { OnceLock::new() }; _];

/// Makes a plan true, whole or not at all. In autocommit, the answer comes after the commit.
///
/// # Errors
/// Where nothing happened, or nobody knows; see [`CommitError`].
pub async fn write(connection: &mut Connection, plan: &Plan<'_>) -> Result<(), CommitError> {
    if !plan.writes() {
        return look(connection, plan).await;
    }
    let combination = combination(&PARTS, plan);
    let mut query = sqlx::query(AssertSqlSafe(statement(combination))).bind(plan.at);
    for part in chosen(&PARTS, combination) {
        query = (part.bind)(query, plan);
    }
    match query.execute(connection).await {
        Ok(_) => Ok(()),
        Err(error) => Err(match StorageError::from(error).into_commit_error() {
            CommitError::IdTaken if !plan.has_new_ids() => CommitError::BadData(
                "an account has entries that its head does not know of".to_owned(),
            ),
            error => error,
        }),
    }
}

/// Confirms heads that answers were given from, where there is nothing to write.
async fn look(connection: &mut Connection, plan: &Plan<'_>) -> Result<(), CommitError> {
    let combination = combination(&LOOKS, plan);
    if combination == 0 {
        return Ok(());
    }
    let text = LOOK_TEXTS[combination].get_or_init(|| text::look(chosen(&LOOKS, combination)));
    let mut query = sqlx::query(AssertSqlSafe(text.as_str()));
    for part in chosen(&LOOKS, combination) {
        query = (part.bind)(query, plan);
    }
    query
        .execute(connection)
        .await
        .map_err(|error| StorageError::from(error).into_commit_error())?;
    Ok(())
}

/// Every text that the statement that writes can have. The first has no part, the last all.
pub fn statements() -> impl Iterator<Item = &'static str> {
    (0..WRITE_TEXTS.len()).map(statement)
}

fn statement(combination: Combination) -> &'static str {
    WRITE_TEXTS[combination].get_or_init(|| text::write(chosen(&PARTS, combination)))
}

fn combination(parts: &[Part], plan: &Plan<'_>) -> Combination {
    let bits = parts.iter().enumerate();
    bits.map(|(place, part)| usize::from((part.has_rows)(plan)) << place)
        .sum()
}

fn chosen(parts: &[Part], combination: Combination) -> impl Iterator<Item = &Part> {
    let bits = parts.iter().enumerate();
    bits.filter(move |(place, _)| combination >> place & 1 == 1)
        .map(|(_, part)| part)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::DateTime;
    use sqlx::{Arguments as _, Execute as _};

    use super::text::count_parameters;
    use super::*;
    use crate::ledger::plan::{
        Expected, NewAccount, NewBook, NewEntry, NewTransaction, NewUser, Swap,
    };
    use crate::ledger::{
        AccountId, Amount, BookId, BookName, Change, Currency, CurrencyCode, Entry, Head, Kind,
        NewSession, Scope, Sealed, TransactionId, UserId, Version,
    };

    const SESSION: NewSession = NewSession {
        token_hash: [7; 32],
        lifetime: Duration::from_mins(1),
    };

    /// A plan with a row of everything. Whole, so that whatever is added to a plan is thought of here.
    fn whole() -> Plan<'static> {
        let at = DateTime::UNIX_EPOCH;
        let currency = Currency {
            code: CurrencyCode::parse("EUR").expect("a code"),
            scale: 2,
        };
        let head = Head::open(AccountId(1), BookId::MAIN, None, currency, at);
        let expected = Expected::of(&head);
        let transaction = TransactionId(uuid::Uuid::nil());
        let entry = Entry {
            account: head.id,
            version: Version(2),
            transaction,
            created_at: at,
            change: Change::Money {
                amount: Amount::ZERO,
                counterparty: None,
            },
            balance: Amount::ZERO,
        };
        let seal = head.seal;
        Plan {
            at,
            answers: Vec::new(),
            swaps: vec![Swap {
                expected,
                head: head.clone(),
            }],
            confirms: vec![expected],
            books: vec![BookId(2)],
            sealed_books: vec![(BookId(3), at)],
            new_books: vec![NewBook {
                id: BookId(4),
                name: BookName::EVENTS,
                opened_at: at,
                sealed_at: None,
            }],
            users: vec![NewUser {
                id: UserId(1),
                name: None,
                email: None,
                password_hash: None,
                session: Some(&SESSION),
                created_at: at,
            }],
            entries: vec![NewEntry {
                sealed: Sealed { entry, seal },
                currency,
            }],
            accounts: vec![NewAccount { head, name: None }],
            transactions: vec![NewTransaction {
                id: transaction,
                kind: Kind::Empty,
                scope: Scope::Account(AccountId(1)),
                created_at: at,
                account: None,
                key: None,
                refusal: None,
            }],
        }
    }

    fn count_binds(part: &Part, plan: &Plan<'_>) -> usize {
        let mut query = (part.bind)(sqlx::query(""), plan);
        let arguments = query.take_arguments().expect("values that can be encoded");
        arguments.map_or(0, |arguments| arguments.len())
    }

    #[test]
    fn a_part_binds_a_value_for_each_of_its_parameters() {
        let plan = whole();
        for part in PARTS.iter().chain(&LOOKS) {
            let count = count_parameters(part.sql);
            assert_eq!(count_binds(part, &plan), count, "{}", part.sql);
            assert!(count_parameters(part.guard.unwrap_or_default()) <= count);
            for number in 1..=count {
                let has = part.sql.contains(&format!("${number}::"));
                assert!(has, "${number} of {}", part.sql);
            }
        }
    }

    #[test]
    fn a_statement_has_the_parts_that_its_plan_has_rows_for() {
        assert_eq!(combination(&PARTS, &Plan::default()), 0);
        let whole = whole();
        assert_eq!(combination(&PARTS, &whole), (1 << PARTS.len()) - 1);
        assert_eq!(combination(&LOOKS, &whole), (1 << LOOKS.len()) - 1);
        let money = Plan {
            swaps: whole.swaps.clone(),
            transactions: whole.transactions.clone(),
            entries: whole.entries.clone(),
            ..Plan::default()
        };
        let parts = chosen(&PARTS, combination(&PARTS, &money));
        let parts: Vec<&str> = parts.map(|part| part.sql).collect();
        assert_eq!(
            parts,
            [swaps::PART.sql, transactions::PART.sql, entries::PART.sql]
        );
        let text = statement(combination(&PARTS, &money));
        assert_eq!(count_parameters(text), 1 + 9 + 11 + 8);
    }
}
