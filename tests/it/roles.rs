//! The two roles of the database: the one that the service runs as owns nothing and cannot touch the history.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::Bank;
use crate::support::postgres;
use crate::support::process::{self, Passbook, path_of, run};

/// What the role may do, one privilege a line, in every way that PostgreSQL knows to get one.
const PRIVILEGES: &str = include_str!("roles/passbook_runtime.txt");

/// Everything that the role may do to anything of the schema, by whatever way it got to it, and what it is.
const ASK: &str = "
    with role as (select * from pg_roles where rolname = 'passbook_runtime'),
    relation as (select oid, relname, relkind from pg_class where relnamespace = current_schema()::regnamespace),
    told (line) as (
        select format('table %s: %s', relname, string_agg(privilege, ', ' order by privilege))
        from relation, unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) as privilege
        where relkind in ('r', 'p', 'v', 'm', 'f') and has_table_privilege('passbook_runtime', relation.oid, privilege)
        group by relname
    union all
        select format('table %s: %s (%s)', relname, privilege, string_agg(attname, ', ' order by attname))
        from relation join pg_attribute on attrelid = relation.oid and attnum > 0 and not attisdropped,
            unnest(array['select', 'insert', 'update', 'references']) as privilege
        where relkind in ('r', 'p', 'v', 'm', 'f') and has_column_privilege('passbook_runtime', relation.oid, attname, privilege)
            and not has_table_privilege('passbook_runtime', relation.oid, privilege)
        group by relname, privilege
    union all
        select format('sequence %s: %s', relname, string_agg(privilege, ', ' order by privilege))
        from relation, unnest(array['select', 'usage', 'update']) as privilege
        where relkind = 'S' and has_sequence_privilege('passbook_runtime', relation.oid, privilege)
        group by relname
    union all
        select format('schema: %s', privilege) from unnest(array['usage', 'create']) as privilege
        where has_schema_privilege('passbook_runtime', current_schema(), privilege)
    union all
        select format('role: %s', power) from role, lateral (values
            ('superuser', rolsuper), ('createrole', rolcreaterole), ('createdb', rolcreatedb),
            ('replication', rolreplication), ('bypassrls', rolbypassrls), ('login', rolcanlogin)) as powers (power, has)
        where has
    union all
        select format('member of %s', roleid::regrole) from pg_auth_members join role on member = role.oid
    union all
        select format('owns %s', relname) from pg_class join role on relowner = role.oid
    )
    select line from told order by line";

async fn tell(url: &str, ask: &str) -> String {
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    let lines: Vec<String> = sqlx::query_scalar(AssertSqlSafe(ask.to_owned()))
        .fetch_all(&mut connection)
        .await
        .expect("rows");
    connection.close().await.expect("closed");
    lines.join("\n") + "\n"
}

#[tokio::test]
async fn the_role_of_the_service_may_do_what_is_written_down_and_no_more() {
    let bank = Bank::open().await;
    assert_eq!(tell(&bank.database_url, ASK).await, PRIVILEGES);
    // The connections of the service are its own.
    let user = bank.user("5").await;
    assert_eq!(user.balance().await, "5.00");
    let roles = "select distinct usename::text from pg_stat_activity
        where application_name = 'passbook' and datname = current_database()";
    assert_eq!(tell(&bank.database_url, roles).await, "passbook_runtime\n");
    bank.close().await;
}

const REFUSED: &str = "42501";

/// What would edit the history or take away what guards it.
const FORBIDDEN: [&str; 72] = [
    "update entries set amount = amount + 1",
    "update entries set seal = seal where version = 2",
    "delete from entries",
    "truncate entries",
    "truncate entries, transactions cascade",
    "insert into entries select * from entries on conflict (account_id, version) do update set amount = 5",
    "update transactions set idempotency_key = 'other'",
    "delete from transactions",
    "truncate transactions",
    "set session_replication_role = replica",
    "set local session_replication_role = replica",
    "alter table entries disable trigger all",
    "alter table entries disable trigger entries_append_only",
    "drop trigger entries_append_only on entries",
    "create trigger mine before insert on entries for each row execute function history_is_append_only()",
    "create or replace function history_is_append_only() returns trigger language plpgsql as 'begin return new; end'",
    "alter function history_is_append_only() rename to other",
    "drop function history_is_append_only() cascade",
    "alter table entries rename to old_entries",
    "alter table entries add column note text",
    "alter table entries owner to passbook_runtime",
    "alter table accounts drop constraint accounts_available_not_negative",
    "drop index transactions_idempotency_key",
    "drop table entries",
    "drop schema public cascade",
    "create table mine (id int)",
    "update accounts set book_id = 2",
    "update accounts set opened_at = now()",
    "delete from accounts",
    "truncate accounts cascade",
    "update account_names set account_id = 1",
    "delete from account_names",
    "update users set password_hash = null",
    "delete from users",
    "update currencies set scale = 0",
    "delete from currencies",
    "update books set name = 'other'",
    "delete from books",
    "update principals set name = 'other'",
    "delete from principals",
    "update callers set book_id = 2",
    "delete from callers",
    "update holds set account_id = 1",
    "update holds set created_at = now()",
    "delete from holds",
    "update transaction_details set metadata = null",
    "delete from transaction_details",
    "update account_details set metadata = null",
    "delete from account_details",
    "update external_ids set account_id = 1",
    "delete from external_ids",
    "update api_keys set scope = 'admin'",
    "update api_keys set expires_at = null",
    "delete from api_keys",
    "update principal_books set name = 'main'",
    "update access_changes set id = default",
    "insert into access_changes (count) values (5)",
    "update audit_events set outcome = 'done'",
    "delete from audit_events",
    "update leases set name = 'other'",
    "delete from leases",
    "truncate principals, callers, holds, transaction_details, account_details, external_ids, leases cascade",
    "select setval('accounts_id_seq', 1)",
    "alter sequence accounts_id_seq restart",
    "update refinery_schema_history set checksum = '1'",
    "delete from refinery_schema_history",
    "set role passbook",
    "set session authorization passbook",
    "alter role passbook_runtime superuser",
    "create role another",
    "alter system set fsync = off",
    "copy entries to program 'true'",
];

#[tokio::test]
async fn the_role_of_the_service_can_neither_edit_the_history_nor_take_away_what_guards_it() {
    let bank = Bank::open().await;
    let user = bank.user("1000").await;
    assert_eq!(user.change_once("key", "-1").await.status, 200);
    let mut runtime = PgConnection::connect(&postgres::as_runtime(&bank.database_url))
        .await
        .expect("a connection");
    for sql in FORBIDDEN {
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut runtime)
            .await;
        let error = done.expect_err(sql);
        let error = error.as_database_error().expect(sql);
        assert_eq!(error.code().as_deref(), Some(REFUSED), "{sql}: {error}");
    }
    runtime.close().await.expect("closed");
    assert_eq!(user.balance().await, "999.00");
    bank.close().await;
}

#[tokio::test]
async fn a_service_that_may_not_migrate_says_what_is_missing_and_who_can() {
    let url = postgres::create_database().await;
    let runtime = postgres::as_runtime(&url);
    let serve = |flags: &[&str]| Passbook::serve(&[&["--database-url", &runtime], flags].concat());
    // An up-to-date schema needs no owner.
    let passbook = serve(&[]);
    passbook.stop();

    let forget = "delete from refinery_schema_history where version = 10";
    postgres::execute(&url, forget).await;
    let refused = run(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--database-url",
        &runtime,
    ]);
    let ended = process::Ended::of(&refused);
    let complaint = ended.complaint();
    assert!(complaint.contains("lacks V10__runtime_role"), "{complaint}");
    assert!(complaint.contains("PASSBOOK_OWNER_URL"), "{complaint}");

    let passbook = serve(&["--owner-url", &url]);
    passbook.stop();
    postgres::drop_database(&url).await;
}

#[tokio::test]
async fn who_serves_as_the_owner_is_warned() {
    let url = postgres::create_database().await;
    for (flags, warnings) in [
        (&["--database-url", &url][..], 1),
        (&["--database-url", &postgres::as_runtime(&url)], 0),
    ] {
        let passbook = Passbook::serve(flags);
        passbook.signal("TERM");
        let ended = passbook.end();
        assert_eq!(
            ended.stderr.matches("can edit the history").count(),
            warnings,
            "{}",
            ended.stderr
        );
    }
    postgres::drop_database(&url).await;
}

#[tokio::test]
async fn an_owner_who_may_not_create_roles_migrates_and_the_role_is_made_by_hand() {
    // A server of its own: roles are the whole server's.
    let data_dir = process::migrated_data_dir();
    let passbook = Passbook::serve(&["--data-dir", path_of(&data_dir)]);
    let superuser = process::database_url(&data_dir);
    for sql in [
        "drop owned by passbook_runtime",
        "drop role passbook_runtime",
        "create role modest login",
        "create database other owner modest",
    ] {
        postgres::execute(&superuser, sql).await;
    }
    let other = superuser.replace("/passbook?", "/other?");
    let modest = other.replace("://passbook@", "://modest@");
    let migrated = run(&["migrate", "--database-url", &modest]);
    assert_eq!(migrated.status.code(), Some(0), "{migrated:?}");
    let told = "select format('%s', count(*)) from pg_roles where rolname = 'passbook_runtime'";
    assert_eq!(tell(&other, told).await, "0\n");

    // As docs/operations.md says it.
    for _ in 0..2 {
        for by_hand in [
            include_str!("../../migrations/V10__runtime_role.sql"),
            include_str!("../../migrations/V27__runtime_grants.sql"),
            include_str!("../../migrations/V29__access_grants.sql"),
        ] {
            postgres::execute(&other, by_hand).await;
        }
    }
    assert_eq!(tell(&other, ASK).await, PRIVILEGES);
    let served = Passbook::serve(&["--database-url", &postgres::as_runtime(&other)]);
    served.stop();
    passbook.stop();
}
