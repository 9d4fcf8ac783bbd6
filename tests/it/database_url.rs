//! The URL of the database: all that it asks for is obeyed, or it is refused before anything begins.

use std::process::Command;

use tempfile::TempDir;

use crate::support::process::{Ended, Passbook, command, run};
use crate::support::{Bank, postgres};

const COMMANDS: [&[&str]; 5] = [
    &["serve", "--listen", "127.0.0.1:0"],
    &["migrate"],
    &["verify"],
    &["currencies"],
    &["dump", "/nowhere/dump"],
];

fn end(command: &mut Command) -> Ended {
    Ended::of(&command.output().expect("the program runs"))
}

#[test]
fn what_would_be_half_obeyed_is_refused_by_every_command() {
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join("dump");
    let file = file.to_str().expect("a path of text");
    for (url, words) in [
        ("postgres://ann:hush@h1,h2/books", "several hosts"),
        ("postgres://ann:hush@h1:5432,h2:5432/books", "several hosts"),
        (
            "postgres://ann:hush@h1/books?target_session_attrs=read-write",
            "target_session_attrs",
        ),
        (
            "postgres://ann:hush@h1/books?channel_binding=require",
            "channel_binding",
        ),
    ] {
        for args in COMMANDS {
            let args = args.iter().map(|arg| arg.replace("/nowhere/dump", file));
            let ended = end(command().args(args).env("DATABASE_URL", url));
            let complaint = ended.complaint();
            assert!(complaint.contains(words), "{words} in {complaint}");
            assert!(complaint.contains("DATABASE_URL"), "{complaint}");
            assert!(!ended.stderr.contains("hush"), "{}", ended.stderr);
        }
    }
}

#[test]
fn the_owners_url_is_looked_at_before_anything_is_migrated_and_the_environment_too() {
    let right = "postgres://ann@127.0.0.1:1/books";
    let wrong = "postgres://ann:hush@127.0.0.1:1/books?load_balance_hosts=random";
    for args in [COMMANDS[0], COMMANDS[1]] {
        let urls = [("DATABASE_URL", right), ("PASSBOOK_OWNER_URL", wrong)];
        let ended = end(command().args(args).envs(urls));
        let complaint = ended.complaint();
        for words in ["PASSBOOK_OWNER_URL", "load_balance_hosts"] {
            assert!(complaint.contains(words), "{words} in {complaint}");
        }
        assert!(!ended.stderr.contains("hush"), "{}", ended.stderr);
    }
    // The other way round: the owner's could be migrated, but not served.
    let urls = [("DATABASE_URL", wrong), ("PASSBOOK_OWNER_URL", right)];
    let ended = end(command().args(COMMANDS[0]).envs(urls));
    assert!(ended.complaint().contains("load_balance_hosts"));
    let lists = [("DATABASE_URL", "postgres:///books"), ("PGHOST", "h1,h2")];
    let ended = end(command().args(COMMANDS[2]).envs(lists));
    assert!(ended.complaint().contains("several hosts"));
}

#[tokio::test]
async fn what_nobody_knows_is_told_once_and_left_out() {
    let bank = Bank::open().await;
    // What sqlx alone knows must not be in the way of pg_dump.
    let url = format!(
        "{}&foo=hush&statement-cache-capacity=50&ssl-mode=disable&password=hush",
        bank.database_url
    );
    let passbook = Passbook::serve(&["--database-url", &url]);
    passbook.signal("TERM");
    let ended = passbook.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let told = ended.stderr.lines().filter(|line| line.contains("foo"));
    assert_eq!(told.count(), 1, "{}", ended.stderr);
    assert!(!ended.stderr.contains("hush"), "{}", ended.stderr);

    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join("dump");
    let file = file.to_str().expect("a path of text");
    let dumped = run(&["dump", file, "--database-url", &url]);
    assert!(dumped.status.success(), "{dumped:?}");
    let told = Ended::of(&dumped).stderr;
    assert!(told.contains("foo") && !told.contains("hush"), "{told}");
    bank.close().await;
}

#[tokio::test]
async fn what_the_database_says_ends_without_a_line_of_its_source() {
    let url = postgres::as_runtime(&postgres::create_empty_database().await);
    let nowhere = url.replace("/test_", "/nowhere_");
    let ended = Ended::of(&run(&["migrate", "--database-url", &nowhere]));
    let complaint = ended.complaint();
    assert!(complaint.ends_with("does not exist"), "{complaint}");
    postgres::drop_database(&url).await;
}
