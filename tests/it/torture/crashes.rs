//! Kills and stops of everything that can be killed, under load, on the embedded PostgreSQL.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::time::sleep;

use super::check::check;
use super::clients::{Clients, World};
use super::run::Run;
use crate::support::eventually;
use crate::support::process::{self, Passbook, path_of, run};

const CLIENTS: u64 = 24;
/// Moves between two faults.
const MOVES: u64 = 150;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    KillService,
    StopService,
    /// SIGQUIT: PostgreSQL's immediate shutdown.
    StopPostgres,
    KillPostgres,
    KillBackend,
}

/// One turn. Then the history is checked.
const FAULTS: [Fault; 6] = [
    Fault::KillService,
    Fault::StopPostgres,
    Fault::KillBackend,
    Fault::KillService,
    Fault::KillPostgres,
    Fault::StopService,
];

/// The service on its data directory, with everything that a failure leaves behind.
struct Site {
    data_dir: TempDir,
    passbook: Option<Passbook>,
    /// Where PostgreSQL's logs go when the test fails.
    keep: PathBuf,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crashes() {
    let mut run = Run::of("crashes");
    let mut site = Site::new(&run);
    let world = World::new(vec![site.url()]);
    world.endow().await;
    let turns = run.times(1);
    for turn in 0..turns {
        let clients = Clients::start(&world, CLIENTS, &mut run.rng, World::wish);
        for fault in FAULTS {
            world.goes_on(MOVES).await;
            sleep(Duration::from_millis(run.rng.u64(0..30))).await;
            site.inject(fault, &world, &mut run).await;
            run.count(format!("{fault:?}"), 1);
        }
        world.goes_on(MOVES).await;
        let history = clients.stop().await;
        check(
            &mut run,
            &world,
            history,
            &process::database_url(&site.data_dir),
        )
        .await;
        run.progress(turn + 1, turns);
    }
    let verified = run_verify(&site.data_dir);
    assert_eq!(verified, Some(0), "the books are in balance");
    site.passbook.take().expect("it runs").stop();
    run.end();
}

fn run_verify(data_dir: &TempDir) -> Option<i32> {
    run(&["verify", "--data-dir", path_of(data_dir)])
        .status
        .code()
}

impl Site {
    fn new(run: &Run) -> Self {
        let data_dir = process::migrated_data_dir();
        let passbook = Some(serve(&data_dir));
        Self {
            data_dir,
            passbook,
            keep: run.keep_at("postgres-log"),
        }
    }

    fn url(&self) -> String {
        self.passbook.as_ref().expect("it runs").url.clone()
    }

    /// Does it, waits until money moves again, and notes how long that took from when the database was ready.
    async fn inject(&mut self, fault: Fault, world: &Arc<World>, run: &mut Run) {
        let postmaster = process::postmaster_pid(&self.data_dir);
        match fault {
            Fault::KillService | Fault::StopService => {
                let name = if fault == Fault::KillService {
                    "KILL"
                } else {
                    "TERM"
                };
                let passbook = self.passbook.take().expect("it runs");
                passbook.signal(name);
                let ended = tokio::task::spawn_blocking(|| passbook.end())
                    .await
                    .expect("it ends");
                let expected = (fault == Fault::StopService).then_some(0);
                assert_eq!(ended.code, expected, "{}", ended.stderr);
                let data_dir = path_of(&self.data_dir).to_owned();
                let served = tokio::task::spawn_blocking(move || {
                    Passbook::serve(&["--data-dir", &data_dir])
                });
                self.passbook = Some(served.await.expect("it starts"));
                world.move_to(vec![self.url()]);
            }
            Fault::StopPostgres => process::signal("QUIT", &postmaster.to_string()),
            Fault::KillPostgres => process::signal("KILL", &postmaster.to_string()),
            Fault::KillBackend => self.kill_a_backend().await,
        }
        if matches!(fault, Fault::StopPostgres | Fault::KillPostgres) {
            eventually("another PostgreSQL is ready", async || {
                process::ready_postmaster_pid(&self.data_dir).is_some_and(|pid| pid != postmaster)
            })
            .await;
        }
        let ready = Instant::now();
        world.goes_on(1).await;
        let waited = u64::try_from(ready.elapsed().as_millis()).unwrap_or(u64::MAX);
        run.raise(
            format!("ms at most until money moved after {fault:?}"),
            waited,
        );
    }

    /// PostgreSQL takes it for damage to the shared memory, ends every session and recovers.
    async fn kill_a_backend(&self) {
        const SQL: &str = "select pid::text from pg_stat_activity
            where application_name = 'passbook' and state = 'active' and pid <> pg_backend_pid() limit 1";
        let url = process::database_url(&self.data_dir);
        let mut killed = None;
        eventually("a backend is at work", async || {
            let mut connection = PgConnection::connect(&url).await.expect("a connection");
            let pid: Option<String> = sqlx::query_scalar(SQL)
                .fetch_optional(&mut connection)
                .await
                .expect("rows");
            connection.close().await.expect("closed");
            killed = pid;
            killed.is_some()
        })
        .await;
        process::signal("KILL", &killed.expect("a process"));
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if thread::panicking() {
            copy(&self.data_dir.path().join("log"), &self.keep);
        }
    }
}

fn serve(data_dir: &TempDir) -> Passbook {
    Passbook::serve(&["--data-dir", path_of(data_dir)])
}

/// As much as can be had: something went wrong before.
fn copy(from: &Path, to: &Path) {
    drop(fs::create_dir_all(to));
    for file in fs::read_dir(from).into_iter().flatten().flatten() {
        drop(fs::copy(file.path(), to.join(file.file_name())));
    }
}
