//! The one statement that writes: it swaps heads and adds all that a batch leaves behind, or does nothing.

mod bind;

use std::sync::LazyLock;

use sqlx::AssertSqlSafe;

use super::clock::SURE;
use super::{CommitError, Connection, StorageError};
use crate::ledger::plan::Plan;

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

/// Divides by zero where a head was not the expected one, which is the way to raise in plain SQL; the error undoes the statement,
/// and with it the whole batch.
const EXPECTED: &str = ", expected as (
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
        select unnest($30::bigint[]) as id, unnest($31::bigint[]) as version, unnest($32::bytea[]) as seal,
            unnest($33::text[]) as status, unnest($34::numeric[]) as floor
    ) as head
    join accounts on accounts.id = head.id and accounts.version = head.version and accounts.seal = head.seal
        and accounts.status = head.status::account_status and accounts.floor = head.floor
)";

/// As [`EXPECTED`], of heads that stay as they are too.
const EXPECTED_HEADS: &str = ", expected as (
    select 1 / (
        (select count(*) from swapped) = cardinality($1) and (select count(*) from confirmed) = cardinality($30)
    )::int as one
)";

/// What is opened.
const OPEN: &str = ", new_users as (
    insert into users (id, name, email, email_typed, created_at, updated_at, password_hash)
    select unnest($35::bigint[]), unnest($36::text[]), unnest($37::text[]), unnest($38::text[]),
        unnest($39::timestamptz[]), unnest($39::timestamptz[]), unnest($40::text[])
    where (select one from sure) = 1
), new_accounts as (
    insert into accounts (id, book_id, owner_id, currency, opened_at, balance, floor, version, seal, status, last_entry_at)
    select unnest($41::bigint[]), unnest($42::bigint[]), unnest($43::bigint[]), unnest($44::text[]),
        unnest($45::timestamptz[]), unnest($46::numeric[]), unnest($47::numeric[]), unnest($48::bigint[]),
        unnest($49::bytea[]), unnest($50::text[])::account_status, unnest($51::timestamptz[])
    where (select one from sure) = 1
), new_names as (
    insert into account_names (book_id, name, account_id)
    select book_id, name, account_id from (
        select unnest($42::bigint[]) as book_id, unnest($52::text[]) as name, unnest($41::bigint[]) as account_id
    ) as new
    where name is not null and (select one from sure) = 1
), new_sessions as (
    insert into sessions (token_hash, user_id, expires_at)
    select unnest($53::bytea[]), unnest($54::bigint[]), now() + make_interval(secs => unnest($55::float8[]))
    where (select one from sure) = 1
)";

/// As [`EXPECTED_HEADS`], where an account is called by its name in a book that can be reset, or where one is. The book is locked
/// against that until the commit.
const EXPECTED_BOOKS: &str = ", open_books as (
    select 1 from books where id = any($56::bigint[]) and sealed_at is null order by id for share
), sealed_books as (
    update books set sealed_at = sealed.at
    from (select unnest($57::bigint[]) as id, unnest($58::timestamptz[]) as at) as sealed
    where books.id = sealed.id and books.sealed_at is null
    returning 1
), expected as (
    select 1 / (
        (select count(*) from swapped) = cardinality($1) and (select count(*) from confirmed) = cardinality($30)
        and (select count(*) from open_books) = cardinality($56)
        and (select count(*) from sealed_books) = cardinality($57)
    )::int as one
)";

const OPEN_BOOKS: &str = ", new_books as (
    insert into books (id, name, opened_at, sealed_at)
    select unnest($59::bigint[]), unnest($60::text[]), unnest($61::timestamptz[]), unnest($62::timestamptz[])
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
static MONEY: LazyLock<String> = LazyLock::new(|| [SWAP, EXPECTED, SURE, RECORD, DONE].concat());
static OPENINGS: LazyLock<String> =
    LazyLock::new(|| [SWAP, CONFIRMED, EXPECTED_HEADS, SURE, OPEN, RECORD, DONE].concat());
static BOOKS: LazyLock<String> = LazyLock::new(|| {
    let parts = [
        SWAP,
        CONFIRMED,
        EXPECTED_BOOKS,
        SURE,
        OPEN_BOOKS,
        OPEN,
        RECORD,
        DONE,
    ];
    parts.concat()
});

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
            at: _,
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

/// Confirms heads that answers were given from, where there is nothing to write. It raises as [`EXPECTED`] does.
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
    query = bind::swaps(query, &plan.swaps);
    query = bind::transactions(query, &plan.transactions)?;
    query = bind::entries(query, &plan.entries).bind(plan.at);
    if Extent::Openings <= extent {
        query = bind::expected(query, &plan.confirms);
        query = bind::users(query, &plan.users);
        query = bind::accounts(query, &plan.accounts);
        query = bind::sessions(query, &plan.users);
    }
    if Extent::Books <= extent {
        query = bind::books(query, plan);
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
    let query = bind::expected(sqlx::query(CONFIRM), &plan.confirms).bind(bind::ids(&plan.books));
    query
        .execute(connection)
        .await
        .map_err(|error| StorageError::from(error).into_commit_error())?;
    Ok(())
}
