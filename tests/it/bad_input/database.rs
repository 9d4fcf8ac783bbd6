//! The last line: what PostgreSQL itself refuses, whoever asks.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{assert_unharmed, state};
use crate::support::Bank;

#[tokio::test]
async fn the_database_itself_refuses_what_is_no_balance_and_no_amount() {
    const CHECK: &str = "23514";
    const NOT_NULL: &str = "23502";
    let bank = Bank::open().await;
    bank.user("1000").await;
    let before = state(&bank).await;
    let mut intruder = bank.intruder().await;
    let beyond = [
        "'NaN'",
        "'Infinity'",
        "'-Infinity'",
        "1e28",
        "-1e28",
        "1e400",
    ];
    for role in ["origin", "replica"] {
        let set = format!("set session_replication_role = {role}");
        sqlx::raw_sql(AssertSqlSafe(set))
            .execute(&mut intruder)
            .await
            .expect("set");
        for value in beyond.into_iter().chain(["-0.01", "null"]) {
            let sql = format!("update accounts set balance = {value}");
            let state = if value == "null" { NOT_NULL } else { CHECK };
            assert_eq!(sqlstate(&mut intruder, &sql).await, state, "{sql}");
        }
        for value in beyond.into_iter().chain(["1000.01"]) {
            let sql = format!("update accounts set floor = {value}");
            assert_eq!(sqlstate(&mut intruder, &sql).await, CHECK, "{sql}");
        }
        for value in beyond.into_iter().chain(["0", "0.00", "null"]) {
            let sql = format!(
                "insert into entries (account_id, version, created_at, transaction_id, amount, balance, seal)
                 select account_id, 3, created_at, transaction_id, {value}, balance, seal from entries"
            );
            let state = if value == "null" { NOT_NULL } else { CHECK };
            assert_eq!(sqlstate(&mut intruder, &sql).await, state, "{sql}");
        }
        for value in beyond.into_iter().chain(["null"]) {
            let sql = format!(
                "insert into entries (account_id, version, created_at, transaction_id, amount, balance, seal)
                 select account_id, 3, created_at, transaction_id, 1, {value}, seal from entries"
            );
            let state = if value == "null" { NOT_NULL } else { CHECK };
            assert_eq!(sqlstate(&mut intruder, &sql).await, state, "{sql}");
        }
    }
    intruder.close().await.expect("closed");
    assert_unharmed(bank, &before).await;
}

#[tokio::test]
async fn history_is_neither_changed_nor_deleted_in_any_role_of_a_session() {
    let bank = Bank::open().await;
    let user = bank.user("1000").await;
    assert_eq!(user.change_once("key", "-1").await.status, 200);
    let before = state(&bank).await;
    let history = "select (select json_agg(entries order by version) from entries)::text
        || (select json_agg(transactions order by id) from transactions)::text";
    let written: Vec<(String,)> = bank.rows(history).await;
    let mut intruder = bank.intruder().await;
    let edits = [
        "update entries set amount = amount + 1",
        "update entries set seal = seal where version = 2",
        "delete from entries where version = 3",
        "delete from entries using accounts where accounts.id = entries.account_id",
        "truncate entries",
        "truncate entries, transactions cascade",
        "with gone as (delete from entries returning 1) select count(*) from gone",
        "insert into entries select * from entries on conflict (account_id, version) do update set amount = 5",
        "update transactions set idempotency_key = 'other' where idempotency_key is not null",
        "update transactions set created_at = created_at",
        "delete from transactions",
        "truncate transactions",
        "insert into transactions select * from transactions on conflict (id) do update set kind = 'empty'",
    ];
    for role in ["origin", "replica", "local"] {
        let set = format!("set session_replication_role = {role}");
        sqlx::raw_sql(AssertSqlSafe(set))
            .execute(&mut intruder)
            .await
            .expect("set");
        for sql in edits {
            assert_eq!(sqlstate(&mut intruder, sql).await, "42501", "{role}: {sql}");
        }
    }
    intruder.close().await.expect("closed");
    assert_eq!(bank.rows::<(String,)>(history).await, written);
    assert_unharmed(bank, &before).await;
}

/// The SQLSTATE with which the database refuses a statement.
async fn sqlstate(connection: &mut PgConnection, sql: &str) -> String {
    let refused = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await;
    match refused {
        Ok(done) => panic!("{sql}: {done:?}"),
        Err(error) => error
            .as_database_error()
            .and_then(|error| error.code().map(std::borrow::Cow::into_owned))
            .unwrap_or_else(|| panic!("{sql}: {error}")),
    }
}
