//! The one statement that writes: it swaps heads and adds all that a batch leaves behind, or does nothing.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::AssertSqlSafe;

use super::{CommitError, Connection, StorageError, columns};
use crate::ledger::plan::{Entry, Expected, NewAccount, NewTransaction, NewUser, Plan, Swap};
use crate::ledger::{BookId, NewSession};

/// Compare-and-swap first. The heads come sorted by id and are joined by an index nested loop in that order, which the lanes'
/// settings make the only plan there is.
///
/// Arrays become rows in the list of a `select`, where `PostgreSQL` takes one element of each at a time. In a `from` it would
/// first write each array into a table of its own.
const SWAP: &str = "
with head as (
    select unnest($1::bigint[]) as id, unnest($2::bigint[]) as version, unnest($3::bytea[]) as seal, unnest($4::text[]) as status,
        unnest($5::numeric[]) as floor, unnest($6::bigint[]) as new_version, unnest($7::bytea[]) as new_seal,
        unnest($8::numeric[]) as balance, unnest($9::timestamptz[]) as last_entry_at
), swapped as (
    update accounts
    set version = head.new_version, seal = head.new_seal, balance = head.balance, last_entry_at = head.last_entry_at
    from head
    where accounts.id = head.id and accounts.version = head.version and accounts.seal = head.seal
        and accounts.status = head.status::account_status and accounts.floor = head.floor
    returning 1
)";

/// Every insert waits for `sure`, which divides by zero where a head was not the expected one. A division is the one way to
/// raise in plain SQL; the error undoes the statement, and with it the whole batch.
const SURE: &str = ", sure as (
    select 1 / ((select count(*) from swapped) = cardinality($1))::int as one
)";

/// What every batch leaves behind.
const RECORD: &str = ", new_transactions as (
    insert into transactions (id, kind, scope_kind, scope_id, created_at, account_id, account_version, idempotency_key,
        key_hash, request_digest, refusal)
    select unnest($10::uuid[]), unnest($11::text[])::transaction_kind, unnest($12::text[])::scope_kind,
        unnest($13::bigint[]), unnest($14::timestamptz[]), unnest($15::bigint[]), unnest($16::bigint[]),
        unnest($17::text[]), unnest($18::uuid[]), unnest($19::bytea[]), unnest($20::text[])::jsonb
    where (select one from sure) = 1
), new_entries as (
    insert into entries (account_id, version, counterparty_id, created_at, transaction_id, amount, balance, seal)
    select unnest($21::bigint[]), unnest($22::bigint[]), unnest($23::bigint[]), unnest($24::timestamptz[]),
        unnest($25::uuid[]), unnest($26::numeric[]), unnest($27::numeric[]), unnest($28::bytea[])
    where (select one from sure) = 1
)";

/// Heads that stay as they are, and that answers were given from.
const CONFIRMED: &str = ", confirmed as (
    select 1 from (
        select unnest($29::bigint[]) as id, unnest($30::bigint[]) as version, unnest($31::bytea[]) as seal,
            unnest($32::text[]) as status, unnest($33::numeric[]) as floor
    ) as head
    join accounts on accounts.id = head.id and accounts.version = head.version and accounts.seal = head.seal
        and accounts.status = head.status::account_status and accounts.floor = head.floor
)";

/// As [`SURE`], of heads that stay as they are too.
const SURE_OF_HEADS: &str = ", sure as (
    select 1 / (
        (select count(*) from swapped) = cardinality($1) and (select count(*) from confirmed) = cardinality($29)
    )::int as one
)";

/// What is opened.
const OPEN: &str = ", new_users as (
    insert into users (id, name, email, created_at, updated_at, password_hash)
    select unnest($34::bigint[]), unnest($35::text[]), unnest($36::text[]), unnest($37::timestamptz[]),
        unnest($37::timestamptz[]), unnest($38::text[])
    where (select one from sure) = 1
), new_accounts as (
    insert into accounts (id, book_id, owner_id, currency, opened_at, balance, floor, version, seal, status, last_entry_at)
    select unnest($39::bigint[]), unnest($40::bigint[]), unnest($41::bigint[]), unnest($42::text[]),
        unnest($43::timestamptz[]), unnest($44::numeric[]), unnest($45::numeric[]), unnest($46::bigint[]),
        unnest($47::bytea[]), unnest($48::text[])::account_status, unnest($49::timestamptz[])
    where (select one from sure) = 1
), new_names as (
    insert into account_names (book_id, name, account_id)
    select book_id, name, account_id from (
        select unnest($40::bigint[]) as book_id, unnest($50::text[]) as name, unnest($39::bigint[]) as account_id
    ) as new
    where name is not null and (select one from sure) = 1
), new_sessions as (
    insert into sessions (token_hash, user_id, expires_at)
    select unnest($51::bytea[]), unnest($52::bigint[]), now() + make_interval(secs => unnest($53::float8[]))
    where (select one from sure) = 1
)";

/// As [`SURE_OF_HEADS`], where an account is called by its name in a book that can be reset, or where one is. The book is locked
/// against that until the commit.
const SURE_OF_BOOKS: &str = ", open_books as (
    select 1 from books where id = any($54::bigint[]) and sealed_at is null order by id for share
), sealed_books as (
    update books set sealed_at = sealed.at
    from (select unnest($55::bigint[]) as id, unnest($56::timestamptz[]) as at) as sealed
    where books.id = sealed.id and books.sealed_at is null
    returning 1
), sure as (
    select 1 / (
        (select count(*) from swapped) = cardinality($1) and (select count(*) from confirmed) = cardinality($29)
        and (select count(*) from open_books) = cardinality($54)
        and (select count(*) from sealed_books) = cardinality($55)
    )::int as one
), new_books as (
    insert into books (id, name, opened_at, sealed_at)
    select unnest($57::bigint[]), unnest($58::text[]), unnest($59::timestamptz[]), unnest($60::timestamptz[])
    where (select one from sure) = 1
)";

const DONE: &str = "
select one from sure";

/// What a plan asks of the one statement. `PostgreSQL` makes each part ready whether it has rows or not, which is dear for a
/// batch of one; so there are three variants. Each has the parameters of the one before, in the order in which they are bound,
/// and some more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// Heads are swapped, transactions and entries recorded, and nothing else.
    Money,
    /// Heads are confirmed as well, or users or accounts opened.
    Openings,
    /// Books that can be reset are named as well.
    Books,
}

// The order of the parts is that in which rows are locked, so it is one for all.
static MONEY: LazyLock<String> = LazyLock::new(|| [SWAP, SURE, RECORD, DONE].concat());
static OPENINGS: LazyLock<String> =
    LazyLock::new(|| [SWAP, CONFIRMED, SURE_OF_HEADS, OPEN, RECORD, DONE].concat());
static BOOKS: LazyLock<String> =
    LazyLock::new(|| [SWAP, CONFIRMED, SURE_OF_BOOKS, OPEN, RECORD, DONE].concat());

impl Extent {
    pub const ALL: [Self; 3] = [Self::Money, Self::Openings, Self::Books];

    fn of(plan: &Plan<'_>) -> Self {
        // Whole, so that whatever is added to a plan is thought of here.
        let Plan {
            books,
            sealed_books,
            new_books,
            confirms,
            users,
            accounts,
            answers: _,
            swaps: _,
            transactions: _,
            entries: _,
        } = plan;
        if !(books.is_empty() && sealed_books.is_empty() && new_books.is_empty()) {
            Self::Books
        } else if !(confirms.is_empty() && users.is_empty() && accounts.is_empty()) {
            Self::Openings
        } else {
            Self::Money
        }
    }

    #[must_use]
    pub fn statement(self) -> &'static str {
        match self {
            Self::Money => &MONEY,
            Self::Openings => &OPENINGS,
            Self::Books => &BOOKS,
        }
    }
}

/// Confirms heads that answers were given from, where there is nothing to write. It raises as [`SURE`] does.
const CONFIRM: &str = "
select 1 / (
    (
        select count(*) from (
            select unnest($1::bigint[]) as id, unnest($2::bigint[]) as version, unnest($3::bytea[]) as seal,
                unnest($4::text[]) as status, unnest($5::numeric[]) as floor
        ) as head
        join accounts on accounts.id = head.id and accounts.version = head.version and accounts.seal = head.seal
            and accounts.status = head.status::account_status and accounts.floor = head.floor
    ) = cardinality($1)
    and (select count(*) from books where id = any($6::bigint[]) and sealed_at is null) = cardinality($6)
)::int";

/// Makes a plan true, whole or not at all. In autocommit, the answer comes after the commit.
///
/// # Errors
/// Where nothing happened, or nobody knows; see [`CommitError`].
pub async fn write(connection: &mut Connection, plan: &Plan<'_>) -> Result<(), CommitError> {
    if plan.swaps.is_empty() && plan.transactions.is_empty() {
        return confirm(connection, plan).await;
    }
    let extent = Extent::of(plan);
    // Nothing but the constants above is in it.
    let mut query = sqlx::query(AssertSqlSafe(extent.statement()));
    query = bind_swaps(query, &plan.swaps);
    query = bind_transactions(query, &plan.transactions)?;
    query = bind_entries(query, &plan.entries);
    if Extent::Openings <= extent {
        query = bind_expected(query, &plan.confirms);
        query = bind_users(query, &plan.users);
        query = bind_accounts(query, &plan.accounts);
        query = bind_sessions(query, &plan.users);
    }
    if Extent::Books <= extent {
        query = bind_books(query, plan);
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

async fn confirm(connection: &mut Connection, plan: &Plan<'_>) -> Result<(), CommitError> {
    if plan.confirms.is_empty() && plan.books.is_empty() {
        return Ok(());
    }
    let query = bind_expected(sqlx::query(CONFIRM), &plan.confirms).bind(ids(&plan.books));
    query
        .execute(connection)
        .await
        .map_err(|error| StorageError::from(error).into_commit_error())?;
    Ok(())
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

fn bind_swaps<'q>(query: Query<'q>, swaps: &[Swap]) -> Query<'q> {
    let expected: Vec<Expected> = swaps.iter().map(|swap| swap.expected).collect();
    let heads = || swaps.iter().map(|swap| &swap.head);
    bind_expected(query, &expected)
        .bind(heads().map(|head| head.version.0).collect::<Vec<i64>>())
        .bind(heads().map(|head| head.seal.0).collect::<Vec<[u8; 32]>>())
        .bind(
            heads()
                .map(|head| columns::decimal(head.balance, head.currency.scale))
                .collect::<Vec<Decimal>>(),
        )
        .bind(
            heads()
                .map(|head| head.last_entry_at)
                .collect::<Vec<DateTime<Utc>>>(),
        )
}

fn bind_expected<'q>(query: Query<'q>, expected: &[Expected]) -> Query<'q> {
    let floor = |head: &Expected| columns::decimal(head.floor, head.currency.scale);
    query
        .bind(expected.iter().map(|head| head.id.0).collect::<Vec<i64>>())
        .bind(
            expected
                .iter()
                .map(|head| head.version.0)
                .collect::<Vec<i64>>(),
        )
        .bind(
            expected
                .iter()
                .map(|head| head.seal.0)
                .collect::<Vec<[u8; 32]>>(),
        )
        .bind(
            expected
                .iter()
                .map(|head| columns::status(head.status))
                .collect::<Vec<&str>>(),
        )
        .bind(expected.iter().map(floor).collect::<Vec<Decimal>>())
}

fn bind_books<'q>(query: Query<'q>, plan: &Plan<'_>) -> Query<'q> {
    let sealed = || plan.sealed_books.iter();
    let new = || plan.new_books.iter();
    query
        .bind(ids(&plan.books))
        .bind(sealed().map(|(book, _)| book.0).collect::<Vec<i64>>())
        .bind(sealed().map(|(_, at)| *at).collect::<Vec<DateTime<Utc>>>())
        .bind(new().map(|book| book.id.0).collect::<Vec<i64>>())
        .bind(new().map(|book| book.name.as_str()).collect::<Vec<&str>>())
        .bind(
            new()
                .map(|book| book.opened_at)
                .collect::<Vec<DateTime<Utc>>>(),
        )
        .bind(
            new()
                .map(|book| book.sealed_at)
                .collect::<Vec<Option<DateTime<Utc>>>>(),
        )
}

fn ids(books: &[BookId]) -> Vec<i64> {
    books.iter().map(|book| book.0).collect()
}

fn bind_users<'q>(query: Query<'q>, users: &[NewUser<'_>]) -> Query<'q> {
    query
        .bind(users.iter().map(|user| user.id.0).collect::<Vec<i64>>())
        .bind(
            users
                .iter()
                .map(|user| user.name.map(str::to_owned))
                .collect::<Vec<Option<String>>>(),
        )
        .bind(
            users
                .iter()
                .map(|user| user.email.map(str::to_owned))
                .collect::<Vec<Option<String>>>(),
        )
        .bind(
            users
                .iter()
                .map(|user| user.created_at)
                .collect::<Vec<DateTime<Utc>>>(),
        )
        .bind(
            users
                .iter()
                .map(|user| user.password_hash.map(|hash| hash.0.clone()))
                .collect::<Vec<Option<String>>>(),
        )
}

fn bind_accounts<'q>(query: Query<'q>, accounts: &[NewAccount]) -> Query<'q> {
    let heads = || accounts.iter().map(|account| &account.head);
    query
        .bind(heads().map(|head| head.id.0).collect::<Vec<i64>>())
        .bind(heads().map(|head| head.book.0).collect::<Vec<i64>>())
        .bind(
            heads()
                .map(|head| head.owner.map(|owner| owner.0))
                .collect::<Vec<Option<i64>>>(),
        )
        .bind(
            heads()
                .map(|head| head.currency.code.to_string())
                .collect::<Vec<String>>(),
        )
        .bind(
            heads()
                .map(|head| head.opened_at)
                .collect::<Vec<DateTime<Utc>>>(),
        )
        .bind(
            heads()
                .map(|head| columns::decimal(head.balance, head.currency.scale))
                .collect::<Vec<Decimal>>(),
        )
        .bind(
            heads()
                .map(|head| columns::decimal(head.floor, head.currency.scale))
                .collect::<Vec<Decimal>>(),
        )
        .bind(heads().map(|head| head.version.0).collect::<Vec<i64>>())
        .bind(heads().map(|head| head.seal.0).collect::<Vec<[u8; 32]>>())
        .bind(
            heads()
                .map(|head| columns::status(head.status))
                .collect::<Vec<&str>>(),
        )
        .bind(
            heads()
                .map(|head| head.last_entry_at)
                .collect::<Vec<DateTime<Utc>>>(),
        )
        .bind(
            accounts
                .iter()
                .map(|account| {
                    account
                        .name
                        .as_ref()
                        .map(|name| name.name.as_str().to_owned())
                })
                .collect::<Vec<Option<String>>>(),
        )
}

fn bind_sessions<'q>(query: Query<'q>, users: &[NewUser<'_>]) -> Query<'q> {
    let begun = users
        .iter()
        .filter_map(|user| Some((user.id.0, user.session?)));
    let (ids, sessions): (Vec<i64>, Vec<&NewSession>) = begun.unzip();
    let hashes = sessions.iter().map(|session| session.token_hash);
    let seconds = sessions
        .iter()
        .map(|session| session.lifetime.as_secs_f64());
    query
        .bind(hashes.collect::<Vec<[u8; 32]>>())
        .bind(ids)
        .bind(seconds.collect::<Vec<f64>>())
}

fn bind_transactions<'q>(
    query: Query<'q>,
    transactions: &[NewTransaction<'_>],
) -> Result<Query<'q>, CommitError> {
    let rows = || transactions.iter();
    let refusals: Vec<Option<String>> = rows()
        .map(|row| row.refusal.as_ref().map(serde_json::to_string).transpose())
        .collect::<Result<_, _>>()
        .map_err(|error| CommitError::BadData(error.to_string()))?;
    let key = |row: &NewTransaction<'_>| row.key.map(|key| key.text.clone());
    let key_hash = |row: &NewTransaction<'_>| {
        let key = row.key?;
        Some(columns::key_hash(row.scope, &key.text))
    };
    Ok(query
        .bind(rows().map(|row| row.id.0).collect::<Vec<uuid::Uuid>>())
        .bind(
            rows()
                .map(|row| columns::kind(row.kind))
                .collect::<Vec<&str>>(),
        )
        .bind(
            rows()
                .map(|row| columns::scope(row.scope).0)
                .collect::<Vec<&str>>(),
        )
        .bind(
            rows()
                .map(|row| columns::scope(row.scope).1)
                .collect::<Vec<i64>>(),
        )
        .bind(
            rows()
                .map(|row| row.created_at)
                .collect::<Vec<DateTime<Utc>>>(),
        )
        .bind(
            rows()
                .map(|row| row.account.map(|(account, _)| account.0))
                .collect::<Vec<Option<i64>>>(),
        )
        .bind(
            rows()
                .map(|row| row.account.map(|(_, version)| version.0))
                .collect::<Vec<Option<i64>>>(),
        )
        .bind(rows().map(key).collect::<Vec<Option<String>>>())
        .bind(rows().map(key_hash).collect::<Vec<Option<uuid::Uuid>>>())
        .bind(
            rows()
                .map(|row| row.key.map(|key| key.digest))
                .collect::<Vec<Option<[u8; 32]>>>(),
        )
        .bind(refusals))
}

fn bind_entries<'q>(query: Query<'q>, entries: &[Entry]) -> Query<'q> {
    let rows = || entries.iter().map(|entry| &entry.sealed);
    let decimals =
        |amount: fn(&Entry) -> Decimal| entries.iter().map(amount).collect::<Vec<Decimal>>();
    query
        .bind(rows().map(|row| row.account.0).collect::<Vec<i64>>())
        .bind(rows().map(|row| row.version.0).collect::<Vec<i64>>())
        .bind(
            rows()
                .map(|row| row.counterparty.map(|account| account.0))
                .collect::<Vec<Option<i64>>>(),
        )
        .bind(
            rows()
                .map(|row| row.created_at)
                .collect::<Vec<DateTime<Utc>>>(),
        )
        .bind(
            rows()
                .map(|row| row.transaction.0)
                .collect::<Vec<uuid::Uuid>>(),
        )
        .bind(decimals(|entry| {
            columns::decimal(entry.sealed.amount, entry.currency.scale)
        }))
        .bind(decimals(|entry| {
            columns::decimal(entry.sealed.balance, entry.currency.scale)
        }))
        .bind(
            entries
                .iter()
                .map(|entry| entry.seal.0)
                .collect::<Vec<[u8; 32]>>(),
        )
}
