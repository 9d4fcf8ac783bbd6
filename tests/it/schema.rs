//! What the schema promises whatever database it is put into.

mod checks;
mod guards;
mod rows;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use passbook::storage::{Database, connection, schema};
use sqlx::AssertSqlSafe;

use crate::support::process::{Ended, Passbook, run};
use crate::support::{Bank, postgres};

/// The collations of what the unique indexes are ordered by, where that is text.
const ORDERS: &str = "
    select format('%s: %s', indexrelid::regclass, collname)
    from pg_index, unnest(indcollation) as used (id), pg_collation
    where indisunique and pg_collation.oid = used.id
        and indrelid in (
            'transactions'::regclass, 'account_names'::regclass, 'books'::regclass, 'users'::regclass,
            'principals'::regclass, 'external_ids'::regclass, 'leases'::regclass, 'principal_books'::regclass
        )
    order by 1";

#[tokio::test]
async fn names_and_emails_are_in_the_order_of_their_bytes_whatever_the_locale() {
    let bank = Bank::open().await;
    let orders: Vec<(String,)> = bank.rows(ORDERS).await;
    let orders: Vec<&str> = orders.iter().map(|(order,)| order.as_str()).collect();
    let expected = [
        "account_names_pkey: C",
        "books_open_name: C",
        "external_ids_pkey: C",
        "leases_pkey: C",
        "principal_books_name: C",
        "principals_name: C",
        "users_email: C",
    ];
    assert_eq!(orders, expected);
    bank.close().await;
}

/// What migrations after V17 made, taken away again.
const BEFORE_V18: &str = "
    drop table api_keys, principal_books, access_changes, audit_events;
    drop table principals, callers, holds, transaction_details, account_details, external_ids, leases;
    alter table books drop column closed_through, drop column closed_at;
    alter table accounts drop constraint accounts_available_not_negative, drop column held, drop column active_holds,
        drop column due_at, drop column details_digest, drop column state_version,
        add constraint accounts_balance_not_below_floor check (balance >= floor);
    alter table entries drop column kind, drop column posting, drop column hold_id, drop column hold_remaining,
        drop column hold_expires_at, drop column held, drop column floor, drop column status, drop column details_digest,
        drop column effective_at, add constraint entries_amount_check check (amount <> 0 and abs(amount) < 1e28);
    alter table transactions drop column reverses, drop column part_of, drop column place, drop column details_digest,
        drop column effective_at, drop column user_id, drop column book_id, drop column key_salt;
    drop type entry_kind, hold_status;
    delete from pg_enum where enumtypid = 'transaction_kind'::regtype
        and enumlabel not in ('deposit', 'withdrawal', 'transfer', 'opening', 'empty', 'reset');
    delete from refinery_schema_history where 18 <= version;";

/// What migrations from V15 to V17 made, taken away again.
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
    bank.plant(BEFORE_V18).await;
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
    let url = postgres::create_database().await;
    let parts = parts_of(&url).await;
    let relied_on = include_str!("../../src/storage/schema/relied_on.txt");
    assert_eq!(
        relied_on, parts,
        "src/storage/schema/relied_on.txt should be:\n{parts}"
    );
    postgres::drop_database(&url).await;
}

/// A ledger that lives long gets each migration in a transaction of its own, a new one gets all of them in one.
#[tokio::test]
async fn a_schema_that_was_migrated_version_by_version_is_the_same() {
    let (step_by_step, at_once) = (
        postgres::create_empty_database().await,
        postgres::create_database().await,
    );
    let history = "create table refinery_schema_history
        (version int4 primary key, name varchar(255), applied_on varchar(255), checksum varchar(255))";
    postgres::execute(&step_by_step, history).await;
    for file in migrations() {
        let sql = fs::read_to_string(&file).expect("a migration");
        postgres::execute(&step_by_step, &sql).await;
    }
    assert_eq!(parts_of(&step_by_step).await, parts_of(&at_once).await);
    for url in [step_by_step, at_once] {
        postgres::drop_database(&url).await;
    }
}

/// In the order of their versions.
fn migrations() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let files = fs::read_dir(folder).expect("migrations");
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.sort_by_key(|file| {
        let name = file.file_name().and_then(|name| name.to_str());
        let version = name.and_then(|name| name.strip_prefix('V')?.split_once("__"));
        version.and_then(|(version, _)| version.parse::<u32>().ok())
    });
    files
}

/// A line for each part of the schema.
async fn parts_of(url: &str) -> String {
    let database = Database::parse(url, false).expect("a URL");
    let mut connection = database.connect_patient().await.expect("a connection");
    let parts = schema::list_parts(&mut connection).await.expect("parts");
    connection::close(connection).await;
    let mut text = String::new();
    for (part, found) in parts {
        writeln!(text, "{part}: {found}").expect("written");
    }
    text
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
            "alter table accounts drop constraint accounts_available_not_negative, drop constraint accounts_owner",
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
    bank.plant(BEFORE_V18).await;
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
