//! Ledgers that earlier programs made: each is restored, migrated, audited and served, and answers its keys as before.

mod asked;
mod fixture;
mod story;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::task::spawn_blocking;

use self::asked::Teller;
use self::fixture::Fixture;
use crate::support::process::run;
use crate::support::{Bank, Locked, postgres};

/// Nobody has used a session since the dump. Here no time has passed since then.
const JUST_NOW: &str = "
    update sessions set created_at = now(), used_at = now(), expires_at = now() + (expires_at - created_at)";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder for each schema that a ledger is kept of, as `v17`.
fn folders() -> Vec<PathBuf> {
    let folders = fs::read_dir(root().join("tests/it/fixtures")).expect("fixtures");
    folders
        .map(|folder| folder.expect("a folder").path())
        .collect()
}

/// Where the ledger of the newest schema is kept.
fn newest() -> PathBuf {
    let files = fs::read_dir(root().join("migrations")).expect("migrations");
    let versions = files.filter_map(|file| {
        let name = file.expect("a file").file_name();
        let (version, _) = name.to_str()?.strip_prefix('V')?.split_once("__")?;
        version.parse::<u32>().ok()
    });
    let version = versions.max().expect("a migration");
    root().join(format!("tests/it/fixtures/v{version}"))
}

#[test]
fn the_newest_schema_has_a_ledger() {
    let (folders, newest) = (folders(), newest());
    assert!(
        folders.contains(&newest),
        "`make fixture` writes {}",
        newest.display()
    );
}

#[tokio::test]
async fn a_ledger_of_an_earlier_program_goes_on() {
    for folder in folders() {
        goes_on(&Fixture::read(&folder)).await;
    }
}

/// A batch of the program before has locked its accounts, and goes on to what else it reads and writes.
#[tokio::test]
async fn a_migration_waits_for_the_batch_that_is_under_way() {
    let url = postgres::create_empty_database().await;
    let before = Fixture::read(&root().join("tests/it/fixtures/v17"));
    postgres::execute(&url, &before.dump).await;
    let mut batch = Locked::accounts(&url).await;
    let migrated = spawn_blocking({
        let url = url.clone();
        move || run(&["migrate", "--database-url", &url])
    });
    batch.is_waited_for().await;
    for next in [
        "select from books for share",
        "update accounts set version = version",
        "insert into users (id, created_at, updated_at) values (nextval('users_id_seq'), now(), now())",
        "insert into transactions select * from transactions where false",
        "insert into entries select * from entries where false",
    ] {
        batch.goes_on(next).await;
    }
    batch.release().await;
    let migrated = migrated.await.expect("it ran");
    assert_eq!(migrated.status.code(), Some(0), "{migrated:?}");
    postgres::drop_database(&url).await;
}

/// With `FIXTURE=write`, it is kept for the programs that come after this one.
#[tokio::test]
async fn a_ledger_of_this_program_goes_on() {
    let fixture = Fixture::make().await;
    let elsewhere = TempDir::new().expect("a directory");
    let folder = if std::env::var("FIXTURE").is_ok_and(|wish| wish == "write") {
        let folder = newest();
        fs::create_dir(&folder).expect("a schema has one ledger, which is never made again");
        folder
    } else {
        elsewhere.path().to_owned()
    };
    fixture.write(&folder);
    goes_on(&Fixture::read(&folder)).await;
}

async fn goes_on(fixture: &Fixture) {
    let url = postgres::create_empty_database().await;
    postgres::execute(&url, &fixture.dump).await;
    for command in ["migrate", "verify"] {
        let ended = run(&[command, "--database-url", &url]);
        assert_eq!(ended.status.code(), Some(0), "{}: {ended:?}", fixture.name);
    }
    postgres::execute(&url, JUST_NOW).await;
    let bank = Bank::open_on(&url, &["--allow-reset"]).await;
    let journal = "select (select count(*) from entries) + (select count(*) from transactions)";
    let before = bank.number(journal).await;
    let teller = Teller::new(&bank.url(""));
    for told in &fixture.told {
        let again = teller.ask(&told.asked).await;
        assert_eq!(again, told.again, "{}: {:?}", fixture.name, told.asked);
    }
    assert_eq!(bank.number(journal).await, before, "{}", fixture.name);
    bank.close().await;
}
