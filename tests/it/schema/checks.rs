//! Rows that one check of the schema alone refuses, for each check, beside rows that all of them take.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::rows::{ROWS, Rows};
use crate::support::postgres;

/// Every check of the tables that have rows here.
const CHECKS: &str = "
    select conname::text from pg_constraint where contype = 'c' and conrelid = any($1::text[]::regclass[])";

/// Whom a principal can be.
const USER: &str = "insert into users (id, created_at, updated_at) values (9, now(), now())";

#[tokio::test]
async fn each_check_refuses_a_row_that_all_others_take() {
    let url = postgres::create_database().await;
    postgres::execute(&url, USER).await;
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    let mut tried = BTreeSet::new();
    for rows in ROWS {
        for change in ["{}"].iter().chain(rows.taken) {
            let done = undone(&mut connection, &insert(&rows, change)).await;
            assert_eq!(done, None, "{}: {change}", rows.table);
        }
        for (check, change) in rows.refused {
            let insert = insert(&rows, change);
            let refused = undone(&mut connection, &insert).await;
            assert_eq!(refused.as_deref(), Some(*check), "{}: {change}", rows.table);
            let unchecked = format!(
                "alter table {} drop constraint {check}; {insert}",
                rows.table
            );
            let done = undone(&mut connection, &unchecked).await;
            assert_eq!(done, None, "{}: {change} without {check}", rows.table);
            tried.insert((*check).to_owned());
        }
    }
    let tables: Vec<&str> = ROWS.iter().map(|rows| rows.table).collect();
    let checks: Vec<String> = sqlx::query_scalar(CHECKS)
        .bind(tables)
        .fetch_all(&mut connection)
        .await
        .expect("names");
    assert_eq!(tried, BTreeSet::from_iter(checks));
    connection.close().await.expect("closed");
    postgres::drop_database(&url).await;
}

fn insert(rows: &Rows, change: &str) -> String {
    let Rows { table, row, .. } = rows;
    let insert = format!(
        "insert into {table} select (jsonb_populate_record(null::{table}, '{row}'::jsonb || '{change}')).*"
    );
    let seal = format!(r"\\x{}", "5e".repeat(32));
    let long = "a".repeat(256);
    insert
        .replace("SEAL", &seal)
        .replace("UUID", "01a00000-0000-7000-8000-000000000009")
        .replace("LONG", &long)
}

/// The constraint that refuses the statements, of which nothing is left.
async fn undone(connection: &mut PgConnection, sql: &str) -> Option<String> {
    let done = run(connection, &format!("begin; {sql}")).await;
    run(connection, "rollback").await.expect("undone");
    let error = done.err()?;
    let constraint = error
        .as_database_error()
        .and_then(|error| error.constraint());
    Some(constraint.map_or_else(|| error.to_string(), ToOwned::to_owned))
}

async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    let ran = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection);
    ran.await.map(drop)
}
