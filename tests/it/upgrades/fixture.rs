//! A small ledger as two files: a dump, and what was asked with the answers that were given.

use std::path::Path;
use std::process::Command;
use std::{fs, str};

use serde::{Deserialize, Serialize};
use sqlx::{Connection, PgConnection};

use super::asked::{Answer, Asked};
use super::story;
use crate::support::postgres;
use crate::support::process::{Passbook, run};

pub(super) struct Fixture {
    pub(super) name: String,
    /// Statements without any of `psql`'s own commands.
    pub(super) dump: String,
    pub(super) told: Vec<Told>,
}

/// What is asked again, and how it was answered.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Told {
    pub(super) asked: Asked,
    /// None if it only reads.
    pub(super) first: Option<Answer>,
    /// When everything else had been asked.
    pub(super) again: Answer,
}

impl Fixture {
    pub(super) fn read(folder: &Path) -> Self {
        let text = |name: &str| fs::read_to_string(folder.join(name)).expect("a file of a fixture");
        let told: Vec<Told> = serde_json::from_str(&text("answers.json")).expect("answers");
        assert!(!told.is_empty());
        Self {
            name: folder.display().to_string(),
            dump: text("dump.sql"),
            told,
        }
    }

    pub(super) fn write(&self, folder: &Path) {
        let answers = serde_json::to_string_pretty(&self.told).expect("JSON");
        fs::write(folder.join("answers.json"), answers + "\n").expect("written");
        fs::write(folder.join("dump.sql"), &self.dump).expect("written");
    }

    /// By the program as it is now, in processes of its own.
    pub(super) async fn make() -> Self {
        let url = postgres::create_empty_database().await;
        let runtime_url = postgres::as_runtime(&url);
        let roles = ["--database-url", &runtime_url, "--owner-url", &url];
        let passbook = Passbook::serve(&[&roles[..], &["--allow-reset", "--demo"]].concat());
        let added = ["currencies", "add", "DOGE", "dogecoin", "8", "--crypto"];
        let added = run(&[&added[..], &["--database-url", &url]].concat());
        assert!(added.status.success(), "{added:?}");
        let told = story::tell(&passbook.url).await;
        passbook.stop();
        let dump = dump(&url).await;
        postgres::drop_database(&url).await;
        Self {
            name: "now".to_owned(),
            dump,
            told,
        }
    }
}

async fn dump(url: &str) -> String {
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    let programs: String =
        sqlx::query_scalar("select setting from pg_config where name = 'BINDIR'")
            .fetch_one(&mut connection)
            .await
            .expect("a directory");
    connection.close().await.expect("the connection closes");
    let dumped = Command::new(Path::new(&programs).join("pg_dump"))
        .args(["--no-owner", "--rows-per-insert=100", "--dbname", url])
        .output()
        .expect("pg_dump runs");
    assert!(dumped.status.success(), "{dumped:?}");
    let text = str::from_utf8(&dumped.stdout).expect("text");
    // The head sets what the other end may be too old to know, and psql alone knows the end.
    let start = text.find("\nCREATE ").expect("a ledger");
    let text = &text[start + 1..];
    let end = text.find("\n\\unrestrict ").unwrap_or(text.len());
    text[..end].trim_end().to_owned() + "\n"
}
