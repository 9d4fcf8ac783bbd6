//! Backups: a dump beside live traffic, restored elsewhere, where every acknowledged request is known.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use reqwest::{Client, Method};
use tempfile::TempDir;

use crate::support::bank::{Reply, at_once};
use crate::support::process::{self, Ended, Passbook, path_of, run};
use crate::support::{Bank, postgres};

fn said(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn complaint(args: &[&str]) -> String {
    Ended::of(&run(args)).complaint().to_owned()
}

async fn withdraw(url: &str, key: &str) -> Reply {
    let request = Client::new()
        .request(Method::PUT, format!("{url}/api/users/1/balance"))
        .header("Content-Type", "application/json")
        .header("Idempotency-Key", key);
    let response = request.body(r#"{"amount":-1}"#).send().await;
    Reply::of(response.expect("an answer")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_beside_live_traffic_is_restored_with_every_key_of_before() {
    let [there, here] = [process::migrated_data_dir(), process::data_dir()];
    let kept = TempDir::new().expect("a directory");
    let file = kept.path().join("ledger.dump");
    let file = file.to_str().expect("a path of text");
    let passbook = Passbook::serve(&["--data-dir", path_of(&there)]);
    let mut before = Vec::new();
    for number in 0..20 {
        let key = format!("before-{number}");
        before.push((key.clone(), withdraw(&passbook.url, &key).await));
    }
    let data_dir = path_of(&there).to_owned();
    let path = file.to_owned();
    let dump = tokio::task::spawn_blocking(move || run(&["dump", &path, "--data-dir", &data_dir]));
    let beside = async {
        let mut number = 0;
        while !dump.is_finished() {
            let some = (0..8).map(|copy| {
                let url = passbook.url.clone();
                async move { withdraw(&url, &format!("beside-{number}-{copy}")).await }
            });
            at_once(some).await;
            number += 1;
        }
        dump.await.expect("it runs")
    };
    let dumped = said(&beside.await);
    assert!(
        dumped.starts_with("dumped ") && dumped.contains(file),
        "{dumped}"
    );
    passbook.stop();

    let restored = said(&run(&["restore", file, "--data-dir", path_of(&here)]));
    assert!(
        restored.ends_with("check it with: passbook verify\n"),
        "{restored}"
    );
    let verified = said(&run(&["verify", "--data-dir", path_of(&here)]));
    assert!(verified.contains("the books are in balance"), "{verified}");
    let passbook = Passbook::serve(&["--data-dir", path_of(&here)]);
    for (key, reply) in before {
        let again = withdraw(&passbook.url, &key).await;
        assert_eq!(
            (again.is_replayed(), &again.text),
            (true, &reply.text),
            "{key}"
        );
    }
    assert_eq!(withdraw(&passbook.url, "after").await.status, 200);
    passbook.stop();
    let verified = said(&run(&["verify", "--data-dir", path_of(&here)]));
    assert!(verified.contains("the books are in balance"), "{verified}");
}

#[tokio::test]
async fn a_database_elsewhere_is_dumped_and_restored_as_well() {
    let bank = Bank::open().await;
    let user = bank.user("100").await;
    assert_eq!(user.change_once("key", "-1").await.status, 200);
    let id = user.id;
    let kept = TempDir::new().expect("a directory");
    let file = kept.path().join("ledger.dump");
    let file = file.to_str().expect("a path of text");
    said(&run(&["dump", file, "--database-url", &bank.database_url]));
    let empty = postgres::create_empty_database().await;
    said(&run(&["restore", file, "--database-url", &empty]));
    // As the role that owns nothing: what it may do has been restored as well.
    let restored = Bank::open_on(&empty, &[]).await;
    let user = restored.known_user(id);
    assert!(user.change_once("key", "-1").await.is_replayed());
    assert_eq!(user.change("-1").await.status, 200);
    assert_eq!(user.balance().await, "98.00");
    restored.close().await;
    bank.close().await;
}

#[tokio::test]
async fn nothing_that_is_there_is_written_over() {
    let bank = Bank::open().await;
    let kept = TempDir::new().expect("a directory");
    let file = kept.path().join("ledger.dump");
    fs::write(&file, "precious").expect("written");
    let path = file.to_str().expect("a path of text");
    let url = bank.database_url.as_str();
    let taken = complaint(&["dump", path, "--database-url", url]);
    assert!(taken.contains("is there already"), "{taken}");
    assert_eq!(fs::read_to_string(&file).expect("there"), "precious");
    said(&run(&["dump", path, "--force", "--database-url", url]));
    let full = complaint(&["restore", path, "--database-url", url]);
    assert!(full.contains("has a schema already"), "{full}");

    // Nor is anything half done.
    let empty = postgres::create_empty_database().await;
    let bytes = fs::read(&file).expect("a dump");
    for broken in [&b"no dump"[..], &bytes[..bytes.len() / 2]] {
        fs::write(&file, broken).expect("written");
        let failed = complaint(&["restore", path, "--database-url", &empty]);
        assert!(failed.contains("pg_restore failed"), "{failed}");
    }
    let missing = complaint(&["restore", "/nowhere/ledger.dump", "--database-url", &empty]);
    assert!(missing.contains("/nowhere/ledger.dump"), "{missing}");
    let missing = complaint(&["dump", "/nowhere/ledger.dump", "--database-url", url]);
    assert!(missing.contains("pg_dump failed"), "{missing}");
    fs::remove_file(&file).expect("removed");
    let programs = ["--pg-bin-dir", path_of(&kept)];
    let programs = complaint(&[&["dump", path, "--database-url", url], &programs[..]].concat());
    assert!(programs.contains("pg_dump was not found"), "{programs}");
    assert_eq!(
        fs::read_dir(kept.path()).expect("there").count(),
        0,
        "nothing is left behind"
    );
    postgres::drop_database(&empty).await;
    bank.close().await;
}

#[tokio::test]
async fn no_process_shows_the_password() {
    let kept = TempDir::new().expect("a directory");
    // A pg_dump that tells what it was given.
    let program = kept.path().join("pg_dump");
    fs::write(
        &program,
        "#!/bin/sh\necho \"error: $* and $PGPASSWORD\" >&2; exit 1\n",
    )
    .expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("executable");
    let file = kept.path().join("ledger.dump");
    let file = file.to_str().expect("a path of text");
    let url = postgres::create_database().await;
    let with_password = url.replace("passbook@", "passbook:hu%40sh@");
    let args = [
        "dump",
        file,
        "--database-url",
        &with_password,
        "--pg-bin-dir",
        path_of(&kept),
    ];
    let told = complaint(&args);
    assert!(
        told.ends_with("and hu@sh") && !told.contains("hu%40sh"),
        "{told}"
    );
    postgres::drop_database(&url).await;
}
