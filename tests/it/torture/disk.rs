//! A full disk under PostgreSQL: clients are told, and everything goes on when there is room.

use std::fs;
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::check::check;
use super::clients::{Clients, World};
use super::history::Told;
use super::run::Run;
use crate::support::eventually;
use crate::support::faults::Faults;
use crate::support::process::{self, Passbook, path_of};

const CLIENTS: u64 = 16;
const MOVES: u64 = 100;

/// What fills up: the tables, and then the write-ahead log, without which PostgreSQL cannot even stay up.
#[derive(Clone, Copy, Debug)]
enum Full {
    Tables,
    Log,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_as_such_and_ends_by_itself() {
    let mut run = Run::of("disk");
    let data_dir = process::migrated_data_dir();
    let faults = Faults::new();
    let bin_dir = faults.bin_dir(&process::postgres_program(&data_dir));
    let bin_dir = bin_dir.to_str().expect("a path of text");
    let began = Instant::now();
    let passbook = Passbook::serve(&["--data-dir", path_of(&data_dir), "--pg-bin-dir", bin_dir]);
    let world = World::new(vec![passbook.url.clone()]);
    world.endow().await;
    let turns = run.times(1);
    for turn in 0..turns {
        for full in [Full::Tables, Full::Log] {
            let clients = Clients::start(&world, CLIENTS, &mut run.rng, World::wish);
            world.goes_on(MOVES).await;
            faults.fill_disk(true);
            if matches!(full, Full::Log) {
                use_up_log(&data_dir).await;
            }
            eventually("clients are told", async || {
                world.has_been_told(|told| !matches!(told, Told::Done(_) | Told::Refused(_)))
            })
            .await;
            sleep(Duration::from_millis(run.rng.u64(0..500))).await;
            faults.fill_disk(false);
            let room = Instant::now();
            world.goes_on(MOVES).await;
            let waited = u64::try_from(room.elapsed().as_millis()).expect("short");
            run.raise(
                format!("ms at most until {MOVES} moves after {full:?} had room"),
                waited,
            );
            let history = clients.stop().await;
            check(&mut run, &world, history, &process::database_url(&data_dir)).await;
            run.count(format!("disks full, {full:?}"), 1);
        }
        run.progress(turn + 1, turns);
    }
    let said = logs(&data_dir);
    for words in [
        "ERROR:  could not extend file",
        "PANIC:  could not write to file",
    ] {
        assert!(said.contains(words), "{words} not in PostgreSQL's log");
    }
    let verified = process::run(&["verify", "--data-dir", path_of(&data_dir)]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    assert_brief(passbook, began.elapsed());
    run.end();
}

/// Stops the service, which has said each thing once a second at most, however many heard of it.
fn assert_brief(passbook: Passbook, lived: Duration) {
    passbook.signal("TERM");
    let ended = passbook.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for words in ["the database refuses to write", "a request failed"] {
        let lines = ended.stderr.matches(words).count();
        let seconds = usize::try_from(lived.as_secs()).expect("short");
        assert!((1..=seconds + 2).contains(&lines), "{lines} times: {words}");
    }
}

/// What PostgreSQL said.
fn logs(data_dir: &TempDir) -> String {
    let files = fs::read_dir(data_dir.path().join("log"))
        .expect("logs")
        .flatten();
    files
        .map(|file| fs::read_to_string(file.path()).expect("text"))
        .collect()
}

/// Begins new files of the log until there are no more. PostgreSQL panics, and cannot recover while there is no room.
async fn use_up_log(data_dir: &TempDir) {
    let url = process::database_url(data_dir);
    eventually("the log needs a new file", async || {
        let Ok(mut connection) = PgConnection::connect(&url).await else {
            return true;
        };
        let sql = "select pg_switch_wal(), txid_current()";
        sqlx::raw_sql(sql).execute(&mut connection).await.is_err()
    })
    .await;
}
