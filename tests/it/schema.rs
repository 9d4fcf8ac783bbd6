//! What the schema promises whatever database it is put into.

use std::fmt::Write as _;

use passbook::storage::{Database, connection, schema};
use sqlx::AssertSqlSafe;

use crate::support::process::{Ended, Passbook, run};
use crate::support::{Bank, postgres};

/// The collations of what the unique indexes are ordered by, where that is text.
const ORDERS: &str = "
    select format('%s: %s', indexrelid::regclass, collname)
    from pg_index, unnest(indcollation) as used (id), pg_collation
    where indisunique and pg_collation.oid = used.id
        and indrelid in ('transactions'::regclass, 'account_names'::regclass, 'books'::regclass, 'users'::regclass)
    order by 1";

#[tokio::test]
async fn names_and_emails_are_in_the_order_of_their_bytes_whatever_the_locale() {
    let bank = Bank::open().await;
    let orders: Vec<(String,)> = bank.rows(ORDERS).await;
    let orders: Vec<&str> = orders.iter().map(|(order,)| order.as_str()).collect();
    let expected = [
        "account_names_pkey: C",
        "books_open_name: C",
        "users_email: C",
    ];
    assert_eq!(orders, expected);
    bank.close().await;
}

/// What migrations after V14 made, taken away again.
const BEFORE_V15: &str = "
    alter table users drop column email_typed;
    drop index transactions_account_id;
    drop trigger currencies_append_only on currencies;
    drop trigger currencies_no_truncate on currencies;
    delete from refinery_schema_history where 15 <= version;";

/// The schema before migration V13, with whatever is in it.
const BEFORE_KEY_HASH: &str = "
    alter table transactions drop column key_hash;
    create unique index transactions_idempotency_key
        on transactions (scope_kind, scope_id, idempotency_key) where idempotency_key is not null;
    delete from refinery_schema_history where version >= 13";

#[tokio::test]
async fn keys_from_before_they_had_hashes_are_known() {
    let bank = Bank::open().await;
    let user = bank.user("100").await;
    let keys = [
        "plain",
        "back\\slash",
        "100%s",
        "';--",
        "01a1ffa1-b74a-7385-9e0e-ae87eb9d1cf6",
    ];
    let mut firsts = Vec::new();
    for key in keys {
        firsts.push(user.change_once(key, "-1").await);
    }
    assert_eq!(user.change("-1").await.status, 200);
    let url = bank.database_url.clone();
    bank.plant(BEFORE_V15).await;
    bank.plant(BEFORE_KEY_HASH).await;
    let id = user.id;
    bank.stop().await;

    let bank = Bank::open_on(&url, &[]).await;
    let user = bank.user_again(id);
    for (key, first) in keys.into_iter().zip(firsts) {
        let again = user.change_once(key, "-1").await;
        assert_eq!(
            (again.text.as_str(), again.is_replayed()),
            (first.text.as_str(), true),
            "{key}"
        );
    }
    assert_eq!(user.balance().await, "94.00");
    bank.close().await;
}

/// What the audit and `serve` hold a schema against.
#[tokio::test]
async fn what_is_relied_on_is_what_the_migrations_make() {
    let bank = Bank::open().await;
    let database = Database::parse(&bank.database_url, false).expect("a URL");
    let mut connection = database.connect_patient().await.expect("a connection");
    let parts = schema::list_parts(&mut connection).await.expect("parts");
    connection::close(connection).await;
    let mut text = String::new();
    for (part, found) in parts {
        writeln!(text, "{part}: {found}").expect("written");
    }
    let relied_on = include_str!("../../src/storage/schema/relied_on.txt");
    assert_eq!(
        relied_on, text,
        "src/storage/schema/relied_on.txt should be:\n{text}"
    );
    bank.close().await;
}

const DEFECT: &str = "alter table entries disable trigger entries_append_only";

#[tokio::test]
async fn serve_refuses_a_schema_that_lacks_what_guards_the_ledger() {
    for (defect, named) in [
        (DEFECT, "trigger entries_append_only of entries is "),
        (
            "drop index transactions_idempotency_key",
            "index transactions_idempotency_key is missing",
        ),
        (
            "alter table accounts drop constraint accounts_balance_not_below_floor, drop constraint accounts_owner",
            ", and 1 more; passbook verify lists everything",
        ),
    ] {
        let url = postgres::create_database().await;
        postgres::execute(&url, defect).await;
        let refused = run(&["serve", "--listen", "127.0.0.1:0", "--database-url", &url]);
        let ended = Ended::of(&refused);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.complaint().contains(named), "{named}: {ended:?}");
        postgres::drop_database(&url).await;
    }
}

/// During a roll-out an older program runs beside a newer one, which may have changed what the older one relies on.
#[tokio::test]
async fn a_schema_of_a_newer_program_is_a_warning() {
    let url = postgres::create_database().await;
    let later = format!(
        "insert into refinery_schema_history (version, name, applied_on, checksum)
         values (9999, 'later', '2030-01-01T00:00:00Z', '0'); {DEFECT}"
    );
    postgres::execute(&url, &later).await;
    let passbook = Passbook::serve(&["--database-url", &url]);
    passbook.signal("TERM");
    let ended = passbook.end();
    assert!(
        ended
            .stderr
            .contains("the schema is newer than this program"),
        "{ended:?}"
    );
    let verified = run(&["verify", "--database-url", &url]);
    let ended = Ended::of(&verified);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("the schema is newer than this program"),
        "{ended:?}"
    );
    postgres::drop_database(&url).await;
}

#[tokio::test]
async fn verify_of_an_older_schema_says_to_migrate() {
    let url = postgres::create_database().await;
    let older = "delete from refinery_schema_history where version = (select max(version) from refinery_schema_history)";
    postgres::execute(&url, older).await;
    let ended = Ended::of(&run(&["verify", "--database-url", &url]));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.complaint().ends_with("run passbook migrate"),
        "{ended:?}"
    );
    postgres::drop_database(&url).await;
}

/// The schema before migration V14, with whatever is in it.
const BEFORE_EMAIL_ORDER: &str = "
    alter table users alter column email type text collate \"default\";
    delete from refinery_schema_history where 14 <= version";

#[tokio::test]
async fn emails_from_before_they_had_an_order_of_their_own_are_known() {
    let bank = Bank::open().await;
    let emails = [
        "z@example.org",
        "\u{e4}@example.org",
        "a_b@example.org",
        "a-b@example.org",
    ];
    let body = |email: &str| format!(r#"{{"name":"a","email":"{email}"}}"#);
    for email in emails {
        assert_eq!(bank.post("/api/users", &body(email)).await.status, 201);
    }
    let url = bank.database_url.clone();
    bank.plant(BEFORE_V15).await;
    bank.plant(BEFORE_EMAIL_ORDER).await;
    bank.stop().await;

    let bank = Bank::open_on(&url, &[]).await;
    let orders: Vec<(String,)> = bank.rows(ORDERS).await;
    assert!(
        orders.contains(&("users_email: C".to_owned(),)),
        "{orders:?}"
    );
    for email in emails {
        let reply = bank.post("/api/users", &body(email)).await;
        assert_eq!(
            (reply.status, reply.message().as_str()),
            (409, "Email already in use")
        );
    }
    // The check means the letters that it meant before.
    let mut intruder = bank.intruder().await;
    for (letter, is_taken) in [("A", false), ("M", false), ("Z", false), ("\u{c9}", true)] {
        let sql = format!(
            "insert into users (id, email, created_at, updated_at)
            values (nextval('users_id_seq'), '{letter}@example.org', now(), now())"
        );
        let inserted = sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut intruder)
            .await;
        assert_eq!(inserted.is_ok(), is_taken, "{letter}: {inserted:?}");
    }
    // Nobody opened an account with them.
    bank.plant("delete from users where email like '%É@%'")
        .await;
    bank.close().await;
}
