//! Where keys are not: in no log, no table, no list of processes.

use std::fs;
use std::process::Command;

use serde_json::json;

use super::{id, keys_json};
use crate::support::postgres;
use crate::support::process::{
    Passbook, database_url, migrated_data_dir, path_of, postgres_program, run,
};

#[tokio::test]
async fn a_key_is_nowhere_but_with_whoever_it_was_made_for() {
    let data_dir = migrated_data_dir();
    let flags = [
        "--data-dir",
        path_of(&data_dir),
        "--log",
        "trace",
        "--log-requests",
    ];
    let passbook = Passbook::serve(&flags);
    let url = database_url(&data_dir);
    // Every statement with its values, in PostgreSQL's own log.
    for role in ["passbook", "passbook_runtime"] {
        let logs = format!("alter role {role} set log_min_duration_statement = 0");
        postgres::execute(&url, &logs).await;
    }
    passbook.stop();
    let passbook = Passbook::serve(&flags);
    let client = reqwest::Client::new();
    let post = async |path: &str, body: serde_json::Value| {
        let asked = client.post(format!("{}{path}", passbook.url));
        let reply = asked.json(&body).send().await.expect("an answer");
        assert_eq!(reply.status(), 201);
        reply.json::<serde_json::Value>().await.expect("JSON")
    };
    let made = post("/v1/keys", json!({"name": "canary"})).await;
    let rotated = post(&format!("/v1/keys/{}/rotate", id(&made)), json!({})).await;
    let by_hand = keys_json(&url, &["create", "canary", "--log", "trace"]);
    let secrets: Vec<String> = [made, rotated, by_hand]
        .iter()
        .map(|made| made["key"].as_str().expect("a key")[8..].to_owned())
        .collect();
    for process in fs::read_dir("/proc").expect("processes").flatten() {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        assert_hides(&secrets, &line, "a process");
    }
    let mut dump = Command::new(postgres_program(&data_dir).with_file_name("pg_dump"));
    let dumped = dump.arg(&url).output().expect("pg_dump runs");
    assert!(dumped.status.success(), "{dumped:?}");
    assert!(String::from_utf8_lossy(&dumped.stdout).contains("canary"));
    assert_hides(&secrets, &dumped.stdout, "a table");
    let metrics = client.get(format!("{}/metrics", passbook.url)).send().await;
    let metrics = metrics.expect("an answer").bytes().await.expect("a body");
    assert_hides(&secrets, &metrics, "metrics");
    passbook.signal("TERM");
    let ended = passbook.end();
    assert!(
        ended.stderr.contains("a key was made"),
        "it logs what it does"
    );
    assert!(
        ended.stderr.contains("a key was rotated"),
        "it logs what it does"
    );
    assert_hides(&secrets, ended.stderr.as_bytes(), "the log");
    let mut seen = 0;
    for file in fs::read_dir(data_dir.path().join("log"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let log = fs::read(file.path()).expect("a log");
        seen += usize::from(String::from_utf8_lossy(&log).contains("insert into api_keys"));
        assert_hides(&secrets, &log, "PostgreSQL's log");
    }
    assert!(0 < seen, "its statements were logged");
    let verified = run(&["verify", "--data-dir", path_of(&data_dir)]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
}

#[track_caller]
fn assert_hides(secrets: &[String], text: &[u8], what: &str) {
    for secret in secrets {
        let found = text
            .windows(secret.len())
            .any(|part| part == secret.as_bytes());
        assert!(!found, "{what} has a key");
    }
}
