//! The native API under every fault at once: two services are killed, PostgreSQL is stopped, and commits are cut off.

mod callers;
mod holds;
mod judge;

use std::time::Duration;

use passbook::postgres::{Settings, start};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;

use self::callers::{Callers, World};
use super::run::Run;
use crate::support::proxy::{Cut, Proxy};
use crate::support::{eventually, postgres, process, process::Passbook};

const CALLERS: u64 = 16;
/// Answers between two faults.
const ANSWERS: u64 = 60;

#[derive(Clone, Copy, Debug)]
enum Fault {
    KillService,
    /// SIGQUIT: PostgreSQL's immediate shutdown.
    StopPostgres,
    CutRequest,
    CutAnswer,
    CutOrphan,
}

/// One turn. Then everything is checked.
const FAULTS: [Fault; 8] = [
    Fault::CutAnswer,
    Fault::KillService,
    Fault::CutRequest,
    Fault::StopPostgres,
    Fault::CutOrphan,
    Fault::KillService,
    Fault::CutAnswer,
    Fault::CutOrphan,
];

/// Two services, and what stands between them and PostgreSQL.
struct Site {
    data_dir: TempDir,
    /// The database without anything in between.
    direct: String,
    proxy: Proxy,
    services: Vec<Passbook>,
    stop: oneshot::Sender<()>,
    postgres: JoinHandle<()>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_has_one_outcome_and_holds_add_up() {
    let mut run = Run::of("native");
    let mut site = Site::open().await;
    let turns = run.times(1);
    for turn in 0..turns {
        let world = World::open(turn, site.urls(), &mut run.rng).await;
        let callers = Callers::start(&world, CALLERS, &mut run.rng);
        for fault in FAULTS {
            world.goes_on(ANSWERS).await;
            sleep(Duration::from_millis(run.rng.u64(0..30))).await;
            site.inject(fault, &world, &mut run).await;
            run.count(format!("{fault:?}"), 1);
        }
        world.goes_on(ANSWERS).await;
        callers.stop().await;
        judge::judge(&mut run, &world, &site.direct).await;
        run.progress(turn + 1, turns);
    }
    site.close().await;
    run.end();
}

impl Site {
    async fn open() -> Self {
        let data_dir = process::migrated_data_dir();
        let settings = Settings {
            data_dir: data_dir.path().to_owned(),
            bin_dir: None,
        };
        let mut server = start(&settings).await.expect("a PostgreSQL");
        let (stop, stopped) = oneshot::channel::<()>();
        let postgres = tokio::spawn(async move {
            tokio::select! {
                () = server.supervise() => {}
                _ = stopped => {}
            }
            server.stop().await.expect("PostgreSQL stops");
        });
        let direct = process::database_url(&data_dir);
        let proxy = Proxy::to(&direct);
        let mut site = Self {
            data_dir,
            direct,
            proxy,
            services: Vec::new(),
            stop,
            postgres,
        };
        for _ in 0..2 {
            let service = site.serve().await;
            site.services.push(service);
        }
        site
    }

    async fn serve(&self) -> Passbook {
        let runtime_url = postgres::as_runtime(&self.proxy.database_url);
        let owner_url = self.direct.clone();
        let served = spawn_blocking(move || {
            Passbook::serve(&["--database-url", &runtime_url, "--owner-url", &owner_url])
        });
        served.await.expect("it starts")
    }

    fn urls(&self) -> Vec<String> {
        let urls = self.services.iter().map(|service| service.url.clone());
        urls.collect()
    }

    async fn inject(&mut self, fault: Fault, world: &World, run: &mut Run) {
        let cut = match fault {
            Fault::KillService => {
                let place = run.rng.usize(0..self.services.len());
                self.services[place].signal("KILL");
                let next = self.serve().await;
                drop(std::mem::replace(&mut self.services[place], next));
                world.move_to(self.urls());
                return;
            }
            Fault::StopPostgres => {
                let postmaster = process::postmaster_pid(&self.data_dir);
                process::signal("QUIT", &postmaster.to_string());
                eventually("another PostgreSQL is ready", async || {
                    process::ready_postmaster_pid(&self.data_dir)
                        .is_some_and(|pid| pid != postmaster)
                })
                .await;
                return;
            }
            Fault::CutRequest => Cut::Request,
            Fault::CutAnswer => Cut::Answer,
            Fault::CutOrphan => Cut::Orphan,
        };
        let before = self.proxy.cuts();
        self.proxy.cut_next(cut);
        eventually("a commit is cut off", async || before < self.proxy.cuts()).await;
    }

    /// Both services stop, and the books are in balance.
    async fn close(self) {
        for service in self.services {
            service.stop();
        }
        let direct = self.direct;
        let verified =
            spawn_blocking(move || process::run(&["verify", "--database-url", &direct])).await;
        let verified = verified.expect("it runs");
        assert_eq!(verified.status.code(), Some(0), "{verified:?}");
        drop(self.stop);
        self.postgres.await.expect("it stops");
    }
}
