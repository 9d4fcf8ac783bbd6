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
mod details;
mod entries;
mod heads;
mod holds;
mod part;
mod sessions;
mod swaps;
mod text;
mod transactions;
mod users;

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use sqlx::AssertSqlSafe;

use self::part::Part;
use super::{CommitError, Connection, StorageError};
use crate::ledger::plan::Plan;

/// All of them, in the order in which they lock rows, which is one for all statements.
static PARTS: [Part; 18] = [
    swaps::PLAIN,
    swaps::WHOLE,
    confirms::PART,
    holds::SWAPS,
    books::OPEN,
    books::SEALED,
    books::NEW,
    users::PART,
    accounts::PART,
    details::EXTERNAL_IDS,
    sessions::PART,
    transactions::PLAIN,
    transactions::WHOLE,
    entries::PLAIN,
    entries::WHOLE,
    holds::NEW,
    details::NOTES,
    details::OF_ACCOUNTS,
];

/// The parts of a plan that writes nothing.
static LOOKS: [Part; 2] = [confirms::PART, books::SEEN_OPEN];

/// Which of some parts, a bit for each.
type Combination = usize;

/// The text of each combination that was asked for, for as long as the program runs: there are some dozens. The same text is the
/// same prepared statement of a connection.
static TEXTS: RwLock<BTreeMap<(Purpose, Combination), &'static str>> = RwLock::new(BTreeMap::new());

/// What a statement is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Purpose {
    Write,
    Look,
}

/// Makes a plan true, whole or not at all. In autocommit, the answer comes after the commit.
///
/// # Errors
/// Where nothing happened, or nobody knows; see [`CommitError`].
pub async fn write(connection: &mut Connection, plan: &Plan<'_>) -> Result<(), CommitError> {
    if !plan.writes() {
        return look(connection, plan).await;
    }
    let combination = combination(&PARTS, plan);
    let mut query = sqlx::query(AssertSqlSafe(text(Purpose::Write, combination))).bind(plan.at);
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
    let text = text(Purpose::Look, combination);
    let mut query = sqlx::query(AssertSqlSafe(text));
    for part in chosen(&LOOKS, combination) {
        query = (part.bind)(query, plan);
    }
    query
        .execute(connection)
        .await
        .map_err(|error| StorageError::from(error).into_commit_error())?;
    Ok(())
}

/// Texts that the statement that writes can have: with no part, with each alone, with each pair, and with all. A part stands
/// in a text by itself, so if these can be prepared, every other can.
pub fn statements() -> impl Iterator<Item = &'static str> {
    let parts = 0..PARTS.len();
    let pairs = parts.flat_map(|one| (0..=one).map(move |other| 1 << one | 1 << other));
    let whole = (1 << PARTS.len()) - 1;
    let all = [0].into_iter().chain(pairs).chain([whole]);
    all.map(|combination| text(Purpose::Write, combination))
}

fn text(purpose: Purpose, combination: Combination) -> &'static str {
    let known = TEXTS.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(text) = known.get(&(purpose, combination)) {
        return text;
    }
    drop(known);
    let made = match purpose {
        Purpose::Write => text::write(chosen(&PARTS, combination)),
        Purpose::Look => text::look(chosen(&LOOKS, combination)),
    };
    let mut texts = TEXTS.write().unwrap_or_else(PoisonError::into_inner);
    let text = texts.entry((purpose, combination));
    text.or_insert_with(|| Box::leak(made.into_boxed_str()))
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
    use std::sync::LazyLock;
    use std::time::Duration;

    use chrono::DateTime;
    use sqlx::{Arguments as _, Execute as _};

    use super::text::count_parameters;
    use super::*;
    use crate::ledger::plan::{
        Expected, HoldSwap, NewAccount, NewBook, NewDetails, NewEntry, NewExternalId, NewNote,
        NewTransaction, NewUser, Swap,
    };
    use crate::ledger::{
        AccountDetails, AccountId, Amount, BookId, BookName, Change, Currency, CurrencyCode, Entry,
        ExternalId, Head, Hold, HoldId, HoldStatus, Kind, Magnitude, Metadata, NewSession, Note,
        Salt, Scope, Sealed, State, Status, TransactionId, UserId, Version,
    };

    const SESSION: NewSession = NewSession {
        token_hash: [7; 32],
        lifetime: Duration::from_mins(1),
    };

    /// A plan with a row of everything. Whole, so that whatever is added to a plan is thought of here.
    #[expect(clippy::too_many_lines, reason = "it has a row of everything")]
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
            posting: 0,
            after: State::default(),
            note: None,
            effective_at: None,
        };
        let frozen = Entry {
            change: Change::Status(Status::Frozen),
            ..entry
        };
        let seal = head.seal;
        let account = head.id;
        let scope = Scope::Account(account);
        let hold = Hold {
            id: HoldId(transaction.0),
            account,
            currency,
            amount: Magnitude::ZERO,
            captured: Magnitude::ZERO,
            status: HoldStatus::Active,
            expires_at: at,
            version: Version(2),
            created_at: at,
        };
        Plan {
            at,
            answers: Vec::new(),
            needs_outcomes: false,
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
            entries: [entry, frozen]
                .map(|entry| NewEntry {
                    sealed: Sealed { entry, seal },
                    currency,
                })
                .into(),
            accounts: vec![NewAccount { head, name: None }],
            transactions: vec![
                NewTransaction {
                    user: Some(UserId(1)),
                    ..NewTransaction::new(transaction, Kind::UserOpened, scope, at)
                },
                NewTransaction::new(transaction, Kind::Empty, scope, at),
            ],
            hold_swaps: vec![HoldSwap {
                expected: Version(2),
                hold: hold.clone(),
            }],
            new_holds: vec![hold],
            notes: vec![NewNote {
                transaction,
                note: note(),
            }],
            account_details: vec![NewDetails {
                account,
                version: Version(2),
                details: AccountDetails {
                    metadata: Metadata::default(),
                    salt: Salt([7; 16]),
                },
            }],
            external_ids: vec![NewExternalId {
                book: BookId::MAIN,
                external_id: external_id(),
                account,
            }],
        }
    }

    fn note() -> &'static Note {
        static NOTE: LazyLock<Note> = LazyLock::new(|| Note {
            reference: None,
            metadata: Metadata::default(),
            salt: Salt([7; 16]),
        });
        &NOTE
    }

    fn external_id() -> &'static ExternalId {
        static ID: LazyLock<ExternalId> =
            LazyLock::new(|| ExternalId::parse("a").expect("an external id"));
        &ID
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
        // All heads of a statement are swapped in one way.
        let mut whole_heads = self::whole();
        whole_heads.swaps[0].head.active_holds = 1;
        let all = combination(&PARTS, &whole) | combination(&PARTS, &whole_heads);
        assert_eq!(all, (1 << PARTS.len()) - 1);
        assert_eq!(combination(&LOOKS, &whole), (1 << LOOKS.len()) - 1);
        let money = Plan {
            swaps: whole.swaps.clone(),
            transactions: whole.transactions[1..].to_vec(),
            entries: whole.entries[..1].to_vec(),
            ..Plan::default()
        };
        let parts = chosen(&PARTS, combination(&PARTS, &money));
        let parts: Vec<&str> = parts.map(|part| part.sql).collect();
        assert_eq!(
            parts,
            [
                swaps::PLAIN.sql,
                transactions::PLAIN.sql,
                entries::PLAIN.sql
            ]
        );
        let text = text(Purpose::Write, combination(&PARTS, &money));
        assert_eq!(count_parameters(text), 1 + 7 + 11 + 8);
    }
}
