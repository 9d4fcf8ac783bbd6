//! Backups: a dump taken beside live traffic, restored elsewhere, has all that was acknowledged before it; or nothing is done.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Client;
use tempfile::TempDir;

use crate::support::bank::{Reply, at_once, audit_of};
use crate::support::process::{self, Ended, Passbook, command, path_of, run};
use crate::support::{Bank, postgres};

/// Withdraws 1 from the demo user.
async fn withdraw(url: &str, key: &str) -> Reply {
    let request = Client::new().put(format!("{url}/api/users/1/balance"));
    let request = request.header("Content-Type", "application/json");
    let request = request.header("Idempotency-Key", key);
    let response = request.body(r#"{"amount":-1}"#).send().await;
    Reply::of(response.expect("an answer")).await
}

/// Asks for the first keys only once.
async fn acknowledged(url: &str) -> Vec<(String, Reply)> {
    at_once((0..40).map(async |number| {
        let key = format!("before-{number}");
        let reply = withdraw(url, &key).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        (key, reply)
    }))
    .await
}

fn end(args: &[&str]) -> Ended {
    Ended::of(&run(args))
}

fn succeed(args: &[&str]) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs the program elsewhere than on the test's thread, beside which something else is to go on.
async fn succeed_beside(args: &[&str]) -> String {
    let args: Vec<String> = args.iter().map(ToString::to_string).collect();
    let ran = tokio::task::spawn_blocking(move || {
        succeed(&args.iter().map(String::as_str).collect::<Vec<_>>())
    });
    ran.await.expect("it runs")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

/// A place for dumps.
struct Shelf(TempDir);

impl Shelf {
    fn new() -> Self {
        Self(TempDir::new().expect("a directory"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Everything that is there, whatever its name.
    fn files(&self) -> Vec<String> {
        let files = fs::read_dir(self.0.path()).expect("a directory").flatten();
        let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_before_a_dump_is_there_after_its_restore() {
    let (here, there, shelf) = (process::data_dir(), process::data_dir(), Shelf::new());
    let dump = shelf.path("ledger.dump");
    let passbook = Passbook::serve(&["--data-dir", path_of(&here)]);
    let before = acknowledged(&passbook.url).await;
    let enough = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..8)
        .map(|number| {
            let (url, enough) = (passbook.url.clone(), Arc::clone(&enough));
            tokio::spawn(async move {
                let mut answers = 0;
                while !enough.load(Ordering::Relaxed) {
                    let reply = withdraw(&url, &format!("beside-{number}-{answers}")).await;
                    assert_eq!(reply.status, 200, "{reply:?}");
                    answers += 1;
                }
                answers
            })
        })
        .collect();
    let said = succeed_beside(&["dump", text(&dump), "--data-dir", path_of(&here)]).await;
    let bytes = fs::metadata(&dump).expect("a dump").len();
    let expected = format!("dumped the ledger to {}, {bytes} bytes\n", dump.display());
    assert_eq!(said, expected);
    enough.store(true, Ordering::Relaxed);
    for client in clients {
        assert!(0 < client.await.expect("a client does not panic"));
    }
    passbook.stop();
    assert_eq!(shelf.files(), ["ledger.dump"]);

    let said = succeed(&["restore", text(&dump), "--data-dir", path_of(&there)]);
    let expected = format!(
        "restored the ledger from {}\nnow run: passbook verify\n",
        dump.display()
    );
    assert_eq!(said, expected);
    assert_eq!(process::cluster_state(&there), "shut down");
    let restored = succeed(&["verify", "--data-dir", path_of(&there)]);
    assert!(restored.contains("in balance"), "{restored}");

    let passbook = Passbook::serve(&["--data-dir", path_of(&there)]);
    for (key, told) in &before {
        let again = withdraw(&passbook.url, key).await;
        assert!(again.is_replayed(), "{key}: {again:?}");
        assert_eq!(again.text, told.text);
    }
    let after = withdraw(&passbook.url, "after").await;
    assert_eq!(after.status, 200, "{after:?}");
    assert!(!after.is_replayed());
    let report = audit_of(&process::database_url(&there)).await;
    assert!(report.is_clean(), "{:#?}", report.findings);
    passbook.stop();
}

#[tokio::test]
async fn a_dump_is_restored_on_a_server_of_ones_own_with_the_privileges_of_the_service() {
    let (bank, shelf) = (Bank::open().await, Shelf::new());
    let dump = shelf.path("ledger.dump");
    let user = bank.user("100").await;
    let id = user.id;
    let told = user.change_once("key", "-1").await;
    assert_eq!(told.status, 200, "{told:?}");
    succeed(&["dump", text(&dump), "--database-url", &bank.database_url]);
    let (empty, migrated) = (
        postgres::create_empty_database().await,
        postgres::create_database().await,
    );
    for target in [empty, migrated] {
        succeed(&["restore", text(&dump), "--database-url", &target]);
        // It runs as the role that owns nothing.
        let restored = Bank::open_on(&target, &[]).await;
        let user = restored.known_user(id);
        let again = user.change_once("key", "-1").await;
        assert!(again.is_replayed(), "{again:?}");
        assert_eq!(again.text, told.text);
        assert_eq!(user.change("-1").await.status, 200);
        assert_eq!(user.balance().await, "98.00");
        let guarded = "select count(*) from pg_trigger where tgenabled = 'A'";
        let guards = 2 * postgres::GUARDED.len() + postgres::GUARDS.len();
        let found = restored.number(guarded).await;
        assert_eq!(usize::try_from(found), Ok(guards), "the history is guarded");
        restored.close().await;
    }
    bank.close().await;
}

#[tokio::test]
async fn a_dump_replaces_no_file_unless_told() {
    let (bank, shelf) = (Bank::open().await, Shelf::new());
    let dump = shelf.path("ledger.dump");
    fs::write(&dump, "precious").expect("written");
    let args = ["dump", text(&dump), "--database-url", &bank.database_url];
    let ended = end(&args);
    assert!(ended.complaint().contains("--force"), "{ended:?}");
    assert_eq!(fs::read(&dump).expect("a file"), b"precious");
    let [subcommand, file, flag, url] = args;
    succeed(&[subcommand, file, "--force", flag, url]);
    assert!(fs::read(&dump).expect("a file").starts_with(b"PGDMP"));
    assert_eq!(shelf.files(), ["ledger.dump"]);
    bank.close().await;
}

#[tokio::test]
async fn a_dump_that_fails_or_is_interrupted_leaves_nothing_behind() {
    let (bank, shelf) = (Bank::open().await, Shelf::new());
    let dump = shelf.path("ledger.dump");
    let args = ["dump", text(&dump), "--database-url", &bank.database_url];
    let empty = TempDir::new().expect("a directory");
    let ended = end(&[&args[..], &["--pg-bin-dir", text(empty.path())]].concat());
    assert!(ended.complaint().contains("`pg_restore`"), "{ended:?}");
    let bare = postgres::create_empty_database().await;
    let ended = end(&["dump", text(&dump), "--database-url", &bare]);
    assert!(ended.complaint().contains("no ledger"), "{ended:?}");
    postgres::drop_database(&bare).await;
    let nowhere = shelf.path("missing/ledger.dump");
    let ended = end(&["dump", text(&nowhere), "--database-url", &bank.database_url]);
    assert!(ended.complaint().contains("cannot be written"), "{ended:?}");

    // While this is locked, a dump waits.
    let mut sessions = bank.lock_table("sessions").await;
    let mut command = command();
    let passbook = Passbook::spawn(command.args(args));
    sessions.is_waited_for().await;
    passbook.signal("TERM");
    let ended = passbook.end();
    assert!(ended.complaint().contains("interrupted"), "{ended:?}");
    sessions.release().await;
    assert_eq!(shelf.files(), Vec::<String>::new());
    bank.close().await;
}

#[tokio::test]
async fn a_restore_never_goes_over_a_ledger_or_under_a_service() {
    let (bank, shelf) = (Bank::open().await, Shelf::new());
    let dump = shelf.path("ledger.dump");
    bank.user("100").await;
    succeed(&["dump", text(&dump), "--database-url", &bank.database_url]);
    bank.user("7").await;

    let ended = end(&["restore", text(&dump), "--database-url", &bank.database_url]);
    assert!(ended.complaint().contains("stop that one"), "{ended:?}");
    let url = bank.stop().await;
    let ended = end(&["restore", text(&dump), "--database-url", &url]);
    let complaint = ended.complaint();
    assert!(complaint.contains("holds a ledger already"), "{complaint}");
    let report = audit_of(&url).await;
    assert!(report.is_clean(), "{:#?}", report.findings);
    assert_eq!(report.accounts, 2, "nothing was done");
    postgres::drop_database(&url).await;

    let data_dir = process::migrated_data_dir();
    let args = ["restore", text(&dump), "--data-dir", path_of(&data_dir)];
    let passbook = Passbook::serve(&["--demo", "false", "--data-dir", path_of(&data_dir)]);
    let ended = end(&args);
    let complaint = ended.complaint();
    assert!(
        complaint.contains(&passbook.pid().to_string()),
        "{complaint}"
    );
    assert!(complaint.contains("stop that one first"), "{complaint}");
    passbook.stop();
    succeed(&args);
    let ended = end(&args);
    assert!(ended.complaint().contains("--data-dir"), "{ended:?}");
}

#[tokio::test]
async fn what_cannot_be_restored_leaves_the_database_as_it_was() {
    let (bank, shelf) = (Bank::open().await, Shelf::new());
    let dump = shelf.path("ledger.dump");
    for _ in 0..20 {
        bank.user("100").await;
    }
    succeed(&["dump", text(&dump), "--database-url", &bank.database_url]);
    let whole = fs::read(&dump).expect("a dump");
    let target = postgres::create_empty_database().await;
    let restore = |file: &Path| end(&["restore", text(file), "--database-url", &target]);

    let ended = restore(&shelf.path("missing.dump"));
    assert!(ended.complaint().contains("missing.dump"), "{ended:?}");
    for (name, bytes) in [
        ("text", b"what is this?" as &[u8]),
        ("empty", b""),
        ("half", &whole[..whole.len() / 2]),
        ("cut", &whole[..whole.len() - 100]),
    ] {
        let file = shelf.path(name);
        fs::write(&file, bytes).expect("written");
        let ended = restore(&file);
        let complaint = ended.complaint();
        assert!(complaint.contains("restore"), "{name}: {complaint}");
    }
    let (others, file) = (postgres::create_empty_database().await, shelf.path("other"));
    let pg_dump = postgres_program("pg_dump");
    let dumped = std::process::Command::new(pg_dump)
        .args([
            "--format=custom",
            "--file",
            text(&file),
            "--dbname",
            &others,
        ])
        .status();
    assert!(dumped.expect("pg_dump runs").success());
    postgres::drop_database(&others).await;
    let ended = restore(&file);
    assert!(ended.complaint().contains("not a dump of"), "{ended:?}");

    let newer = postgres::create_database().await;
    let migration = "insert into refinery_schema_history (version, name) values (9999, 'later')";
    postgres::execute(&newer, migration).await;
    let ended = end(&["restore", text(&dump), "--database-url", &newer]);
    assert!(ended.complaint().contains("schema is newer"), "{ended:?}");
    postgres::drop_database(&newer).await;

    let untouched =
        "select 1 / (count(*) = 0)::int from pg_class where relnamespace = 'public'::regnamespace";
    postgres::execute(&target, untouched).await;
    succeed(&["restore", text(&dump), "--database-url", &target]);
    let report = audit_of(&target).await;
    assert_eq!((report.accounts, report.is_clean()), (20, true));
    postgres::drop_database(&target).await;
    bank.close().await;
}

/// A program of the PostgreSQL that the tests run on.
fn postgres_program(name: &str) -> PathBuf {
    let data_dir = process::migrated_data_dir();
    process::postgres_program(&data_dir).with_file_name(name)
}
