//! One data directory, many commands: `serve` waits for those that pass, and is refused by another `serve`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, thread};

use tempfile::TempDir;

use crate::support::process::{self, Passbook, command, path_of};
use crate::support::{bank::audit_of, eventually};

/// A command that has the data directory until it is let go.
struct Visitor {
    passbook: Passbook,
    gate: PathBuf,
}

impl Visitor {
    /// Dumps the ledger by programs of PostgreSQL of which `pg_dump` waits at a gate.
    async fn start(data_dir: &TempDir, room: &Path) -> Self {
        let programs = process::postgres_program(data_dir);
        let programs = programs.parent().expect("a directory").to_owned();
        let (bin_dir, gate) = (room.join("bin"), room.join("gate"));
        fs::create_dir(&bin_dir).expect("a directory");
        for program in fs::read_dir(&programs).expect("programs").flatten() {
            let link = bin_dir.join(program.file_name());
            std::os::unix::fs::symlink(program.path(), link).expect("a link");
        }
        let pg_dump = bin_dir.join("pg_dump");
        fs::remove_file(&pg_dump).expect("removed");
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" != --version ]; then touch {gate}.here; until [ -e {gate} ]; do sleep 0.02; done; fi\n\
             exec {programs}/pg_dump \"$@\"\n",
            gate = gate.display(),
            programs = programs.display()
        );
        fs::write(&pg_dump, script).expect("written");
        fs::set_permissions(&pg_dump, fs::Permissions::from_mode(0o755)).expect("a program");
        let mut dump = command();
        dump.arg("dump").arg(room.join("dump"));
        dump.args(["--data-dir", path_of(data_dir)]);
        dump.arg("--pg-bin-dir").arg(&bin_dir);
        let passbook = Passbook::spawn(&mut dump);
        let here = gate.with_extension("here");
        eventually("the dump is at work", async || here.exists()).await;
        Self { passbook, gate }
    }

    fn let_go(self) {
        fs::write(&self.gate, "").expect("written");
        let ended = self.passbook.end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
}

/// `serve` on the data directory, which may have to wait.
fn serve(data_dir: &TempDir) -> Command {
    let mut serve = command();
    serve.args(["serve", "--listen", "127.0.0.1:0"]);
    serve.args(["--data-dir", path_of(data_dir)]);
    serve
}

fn room() -> TempDir {
    let room = TempDir::new_in("/tmp").expect("a directory");
    fs::set_permissions(room.path(), fs::Permissions::from_mode(0o755)).expect("opened to all");
    room
}

async fn waits(serve: &Passbook, visitor: &Visitor) {
    let pid = format!("pid={}", visitor.passbook.pid());
    eventually("serve says for whom it waits", async || {
        serve.has_logged("waiting for passbook dump") && serve.has_logged(&pid)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serve_waits_for_a_command_and_goes_on_when_it_has_ended() {
    let (data_dir, room) = (process::migrated_data_dir(), room());
    // So that the links lead to the programs that the data is of.
    let visitor = Visitor::start(&data_dir, room.path()).await;
    let waiting = Passbook::spawn(&mut serve(&data_dir));
    waits(&waiting, &visitor).await;
    assert!(!waiting.has_said("listening"));
    visitor.let_go();
    eventually("it serves", async || waiting.has_said("stop with")).await;
    // One that serves is not waited for.
    let refused = Passbook::spawn(&mut serve(&data_dir)).end();
    let holder = format!("passbook serve (process {})", waiting.pid());
    assert!(refused.complaint().contains(&holder), "{refused:?}");
    let report = audit_of(&process::database_url(&data_dir)).await;
    assert!(report.is_clean(), "{report:?}");
    waiting.signal("TERM");
    let ended = waiting.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let told = ended
        .stderr
        .lines()
        .filter(|line| line.contains("waiting for passbook"));
    assert_eq!(told.count(), 1, "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_can_be_told_to_stop() {
    let (data_dir, room) = (process::migrated_data_dir(), room());
    let visitor = Visitor::start(&data_dir, room.path()).await;
    for signal in ["INT", "TERM"] {
        let waiting = Passbook::spawn(&mut serve(&data_dir));
        waits(&waiting, &visitor).await;
        waiting.signal(signal);
        let ended = waiting.end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    visitor.let_go();
    assert_eq!(process::cluster_state(&data_dir), "shut down");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_wait_one_serves_and_the_other_is_refused() {
    let (data_dir, room) = (process::migrated_data_dir(), room());
    let visitor = Visitor::start(&data_dir, room.path()).await;
    let mut waiting = [0, 1].map(|_| Passbook::spawn(&mut serve(&data_dir)));
    for serve in &waiting {
        waits(serve, &visitor).await;
    }
    visitor.let_go();
    let mut winner = None;
    eventually("one serves", async || {
        winner = waiting.iter().position(|serve| serve.has_said("stop with"));
        winner.is_some()
    })
    .await;
    if winner == Some(1) {
        waiting.swap(0, 1);
    }
    let [winner, loser] = waiting;
    let refused = loser.end();
    let holder = format!("passbook serve (process {})", winner.pid());
    assert!(refused.complaint().contains(&holder), "{refused:?}");
    winner.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_starts_again_and_again_gets_along_with_a_verify_that_comes_again_and_again()
{
    let data_dir = process::migrated_data_dir();
    let path = path_of(&data_dir).to_owned();
    let verifying = thread::spawn(move || {
        (0..6)
            .map(|_| process::run(&["verify", "--data-dir", &path]))
            .collect::<Vec<_>>()
    });
    for _ in 0..6 {
        let mut serve = Passbook::spawn(&mut serve(&data_dir));
        eventually("it serves", async || {
            assert!(!serve.has_logged("is in use"));
            serve.has_said("stop with")
        })
        .await;
        serve.signal("TERM");
        assert!(serve.wait().success());
    }
    // One that shared the service's PostgreSQL may have been left without; none was told that the books are off.
    for verified in verifying.join().expect("verified") {
        assert_ne!(verified.status.code(), Some(1), "{verified:?}");
    }
}
