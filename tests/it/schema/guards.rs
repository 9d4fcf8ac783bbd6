//! Rows that nobody changes or deletes, not even the owner of the tables.

use sqlx::error::DatabaseError;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::postgres;

const REFUSED: &str = "42501";

/// A row of each table that has none yet.
const WRITTEN: &str = "
    insert into holds (id, account_id, amount, captured, status, expires_at, version, created_at)
        values (gen_random_uuid(), 1, 5, 0, 'active', now(), 2, now());
    insert into transaction_details (transaction_id, reference, salt)
        values (gen_random_uuid(), 'r', sha256('salt'));
    insert into account_details (account_id, version, metadata, salt) values (1, 2, '{}', sha256('salt'));
    insert into external_ids (book_id, external_id, account_id) values (1, 'a', 1);
    insert into api_keys (id, principal_id, digest, prefix, scope, created_at, expires_at, revoked_at)
        values (gen_random_uuid(), 1, sha256('key'), 'pbk_Ab9z', 'read', '2026-01-02', '2026-03-01', '2026-02-01');
    insert into principal_books (principal_id, place, name) values (1, 1, 'main');
    insert into audit_events (actor_kind, action, outcome) values ('command_line', 'key_made', 'done');";

const EDITS: [&str; 42] = [
    "update principals set name = 'other'",
    "delete from principals where id = 1",
    "truncate principals cascade",
    "update callers set book_id = 2",
    "delete from callers",
    "truncate callers",
    "update transaction_details set reference = 'other'",
    "delete from transaction_details",
    "truncate transaction_details",
    "update account_details set metadata = null, salt = null, erased_at = now()",
    "delete from account_details",
    "truncate account_details",
    "update external_ids set account_id = 2",
    "delete from external_ids",
    "truncate external_ids",
    "update holds set id = gen_random_uuid()",
    "update holds set account_id = 2, captured = 1",
    "update holds set created_at = now()",
    "delete from holds",
    "truncate holds",
    "update api_keys set id = gen_random_uuid()",
    "update api_keys set principal_id = 2",
    "update api_keys set digest = sha256('another')",
    "update api_keys set prefix = 'pbk_Ab9y', revoked_at = '2026-01-03'",
    "update api_keys set scope = 'admin'",
    "update api_keys set created_at = '2026-01-01'",
    "update api_keys set expires_at = null",
    "update api_keys set revoked_at = null",
    "update api_keys set revoked_at = '2026-02-02'",
    "delete from api_keys",
    "truncate api_keys",
    "update principal_books set name = 'events'",
    "delete from principal_books",
    "truncate principal_books",
    "update access_changes set count = count",
    "update access_changes set count = count - 1",
    "update access_changes set count = count + 2",
    "delete from access_changes",
    "truncate access_changes",
    "update audit_events set outcome = 'refused'",
    "delete from audit_events",
    "truncate audit_events",
];

#[tokio::test]
async fn what_was_written_down_is_neither_changed_nor_deleted_in_any_role_of_a_session() {
    let url = postgres::create_database().await;
    postgres::execute(&url, WRITTEN).await;
    let mut intruder = PgConnection::connect(&url).await.expect("a connection");
    for role in ["origin", "replica", "local"] {
        let set = format!("set session_replication_role = {role}");
        run(&mut intruder, &set).await.expect("set");
        for sql in EDITS {
            let error = run(&mut intruder, sql).await.expect_err(sql);
            let code = error.as_database_error().and_then(DatabaseError::code);
            assert_eq!(code.as_deref(), Some(REFUSED), "{role}: {sql}: {error}");
        }
    }
    intruder.close().await.expect("closed");
    postgres::drop_database(&url).await;
}

#[tokio::test]
async fn the_service_changes_what_a_hold_is_and_not_whose() {
    let url = postgres::create_database().await;
    postgres::execute(&url, WRITTEN).await;
    let runtime = postgres::as_runtime(&url);
    let changed = "update holds set amount = 6, captured = 6, status = 'captured', expires_at = now(), version = 3";
    postgres::execute(&runtime, changed).await;
    postgres::execute(
        &url,
        "select 1 / (count(*) = 1)::int from holds where captured = 6",
    )
    .await;
    postgres::drop_database(&url).await;
}

#[tokio::test]
async fn the_service_ends_a_key_sooner_and_never_later() {
    let url = postgres::create_database().await;
    postgres::execute(&url, WRITTEN).await;
    let runtime = postgres::as_runtime(&url);
    for sooner in ["2026-02-01", "2026-01-31", "2026-01-02"] {
        let sql = format!("update api_keys set revoked_at = '{sooner}'");
        postgres::execute(&runtime, &sql).await;
    }
    let counted = "update access_changes set count = count + 1";
    postgres::execute(&runtime, counted).await;
    postgres::drop_database(&url).await;
}

/// It moves the version alone, as it knows of nothing else.
#[tokio::test]
async fn a_program_of_before_is_refused_by_an_account_that_is_more_than_plain() {
    let url = postgres::create_database().await;
    let opened = "insert into accounts (id, book_id, currency, version, opened_at, last_entry_at, balance, seal, state_version)
        select id, 1, 'USD', 2, now(), now(), 5, sha256('seal'), nullif(id - 1, 0) * 2 from generate_series(1, 2) as id";
    postgres::execute(&url, opened).await;
    let mut runtime = PgConnection::connect(&postgres::as_runtime(&url))
        .await
        .expect("a connection");
    let moved = |id: u8| {
        format!("update accounts set version = version + 1, balance = balance + 1 where id = {id}")
    };
    run(&mut runtime, &moved(1)).await.expect("a plain account");
    let error = run(&mut runtime, &moved(2)).await.expect_err("refused");
    let constraint = error
        .as_database_error()
        .and_then(|error| error.constraint());
    assert_eq!(constraint, Some("accounts_state_is_of_version"), "{error}");
    let with_state = "update accounts set version = version + 1, state_version = version + 1, balance = balance + 1";
    run(&mut runtime, with_state)
        .await
        .expect("one that knows of it");
    runtime.close().await.expect("closed");
    postgres::drop_database(&url).await;
}

async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    let ran = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection);
    ran.await.map(drop)
}
