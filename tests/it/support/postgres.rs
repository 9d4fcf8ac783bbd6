//! The one PostgreSQL of a test run, started by the embedded supervisor, with a database of its own for each test.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, process, thread};

use passbook::postgres::{Settings, start};
use passbook::storage::{Database, connection, migrations};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

const DIRECTORY: &str = "/tmp";
const PREFIX: &str = "passbook-it-";
const TEMPLATE: &str = "template_passbook";

/// A connection URL of a new database with an up-to-date schema.
pub(crate) async fn create_database() -> String {
    create_from(TEMPLATE).await
}

/// A connection URL of a new database with what another one holds, to which nobody is connected.
pub(crate) async fn copy_database(url: &str) -> String {
    create_from(name_of(url)).await
}

/// A copy of another database, which takes some 30 ms.
async fn create_from(template: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    // Two copies of one template at a time would disturb each other.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let _copying = ONE_AT_A_TIME.lock().await;
    execute(
        server(),
        &format!("create database {name} template {template}"),
    )
    .await;
    url_of(&name)
}

fn name_of(url: &str) -> &str {
    url.split(['/', '?']).nth(3).expect("a database in the URL")
}

pub(crate) async fn drop_database(url: &str) {
    let name = name_of(url);
    execute(server(), &format!("drop database {name} with (force)")).await;
}

/// A new database without a schema.
pub(crate) async fn create_empty_database() -> String {
    let url = create_database().await;
    let name = name_of(&url);
    execute(server(), &format!("drop database {name}")).await;
    execute(server(), &format!("create database {name}")).await;
    url
}

/// Statements on any database, as the superuser behind the service's back.
pub(crate) async fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url)
        .await
        .expect("the test PostgreSQL answers");
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    connection.close().await.expect("the connection closes");
}

/// Does what only the superuser may: edits what is guarded, and puts the guards back.
pub(crate) async fn tamper(url: &str, sql: &str) {
    let (mut unguard, mut guard) = (String::new(), String::new());
    for table in GUARDED {
        unguard += &format!("alter table {table} disable trigger all;");
        guard += &format!(
            "alter table {table} enable trigger all;
             alter table {table} enable always trigger {table}_append_only;
             alter table {table} enable always trigger {table}_no_truncate;"
        );
    }
    for (table, trigger) in GUARDS {
        guard += &format!("alter table {table} enable always trigger {trigger};");
    }
    execute(url, &format!("begin; {unguard} {sql}; {guard} commit")).await;
}

/// The tables whose rows nobody changes or deletes, and holds, of which some columns may be changed.
pub(crate) const GUARDED: [&str; 13] = [
    "entries",
    "transactions",
    "currencies",
    "principals",
    "callers",
    "holds",
    "transaction_details",
    "account_details",
    "external_ids",
    "api_keys",
    "principal_books",
    "access_changes",
    "audit_events",
];

/// What guards some of them besides.
pub(crate) const GUARDS: [(&str, &str); 2] = [
    ("api_keys", "api_keys_end_no_later"),
    ("access_changes", "access_changes_count_on"),
];

/// The same database as the role that the service runs as.
pub(crate) fn as_runtime(url: &str) -> String {
    url.replace("://passbook@", "://passbook_runtime@")
}

/// The URL of another database on the same server.
fn url_of(database: &str) -> String {
    server().replace("/passbook?", &format!("/{database}?"))
}

/// The URL of the server's own database. The server ends with the process that runs the tests.
pub(crate) fn server() -> &'static str {
    static SERVER: OnceLock<String> = OnceLock::new();
    SERVER.get_or_init(|| {
        let (sender, receiver) = std::sync::mpsc::channel();
        // A runtime of its own, which lives longer than that of any test.
        thread::spawn(move || {
            Runtime::new().expect("a runtime").block_on(async {
                sender
                    .send(start_server().await)
                    .expect("a test waits for the server");
                std::future::pending::<()>().await;
            });
        });
        receiver.recv().expect("the test PostgreSQL starts")
    })
}

async fn start_server() -> String {
    remove_leftovers(Path::new(DIRECTORY));
    let data_dir = PathBuf::from(DIRECTORY).join(format!("{PREFIX}{}", process::id()));
    fs::create_dir_all(&data_dir).expect("a directory for the test PostgreSQL");
    // PostgreSQL runs as another user where the tests run as root.
    fs::set_permissions(&data_dir, fs::Permissions::from_mode(0o755))
        .expect("a readable directory");
    let server = start(&Settings {
        data_dir,
        bin_dir: None,
    })
    .await
    .expect("a PostgreSQL to test on");
    let url = server.address().url().to_owned();
    // Never dropped: it ends with the process.
    std::mem::forget(server);
    execute(&url, &format!("create database {TEMPLATE}")).await;
    let template = url.replace("/passbook?", &format!("/{TEMPLATE}?"));
    let database = Database::parse(&template, false).expect("a URL");
    let mut connection = database
        .connect_patient()
        .await
        .expect("the test PostgreSQL answers");
    migrations::run(&mut connection)
        .await
        .expect("the migrations apply");
    connection::close(connection).await;
    url
}

/// Directories of test runs that have ended.
fn remove_leftovers(directory: &Path) {
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(pid) = name.strip_prefix(PREFIX) else {
            continue;
        };
        if !Path::new("/proc").join(pid).exists() {
            // Another test run may be at it as well.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}
