//! The real program, started as a process, to be signalled and killed.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running `passbook serve`. Killed when it is dropped.
pub(crate) struct Passbook {
    child: Child,
    pub(crate) url: String,
    /// What it said before it listened.
    pub(crate) banner: Vec<String>,
}

/// A directory that any user can enter, for an embedded PostgreSQL.
pub(crate) fn data_dir() -> TempDir {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::Builder::new()
        .prefix("passbook-it-data-")
        .tempdir_in("/tmp")
        .expect("a directory");
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755))
        .expect("a readable directory");
    directory
}

/// The program with nothing of the environment that could be a setting, in a directory without `.env`.
pub(crate) fn command() -> Command {
    let mut command = Command::new(PathBuf::from(env!("CARGO_BIN_EXE_passbook")));
    for (name, _) in std::env::vars() {
        if name.starts_with("PASSBOOK_") || name == "DATABASE_URL" || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command.current_dir("/").stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    command().args(args).output().expect("the program runs")
}

impl Passbook {
    /// Starts `passbook serve` on any free port, and waits until it says where it listens.
    pub(crate) fn serve(args: &[&str]) -> Self {
        let mut child = command()
            .arg("serve")
            .args(["--listen", "127.0.0.1:0"])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = BufReader::new(child.stdout.take().expect("its output"));
        let mut banner = Vec::new();
        let mut url = None;
        let mut lines = stdout.lines();
        for line in lines.by_ref() {
            let line = line.expect("a line of text");
            url = url.or_else(|| {
                line.split_whitespace()
                    .find(|word| word.starts_with("http://"))
                    .map(str::to_owned)
            });
            let last = line.contains("stop with");
            banner.push(line);
            if last {
                break;
            }
        }
        // What it says later is nobody's to read, but must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        let url = url.unwrap_or_else(|| panic!("it did not start: {:?}", child.wait()));
        Self { child, url, banner }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name: `KILL`, `TERM`, `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.pid().to_string()])
            .status();
        assert!(sent.expect("kill runs").success(), "signal {name} sent");
    }

    /// Waits until it ends.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }
}

impl Drop for Passbook {
    fn drop(&mut self) {
        // Ended already where the test went well.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
