//! The real program, started as a process on a data directory of its own, to be signalled and killed.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// For what takes a moment unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running `passbook serve`. Killed when it is dropped.
pub(crate) struct Passbook {
    child: Child,
    pub(crate) url: String,
    /// What it said before it listened.
    pub(crate) banner: Vec<String>,
    stdout: Lines,
    stderr: Lines,
}

/// How a program ended, and what it had said on standard error.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
}

/// What a process has said so far, gathered by a thread so that a full pipe never blocks it.
struct Lines {
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

/// A directory that any user can enter, for an embedded PostgreSQL.
pub(crate) fn data_dir() -> TempDir {
    let directory = tempfile::Builder::new()
        .prefix("data-")
        .tempdir_in(home())
        .expect("a directory");
    open_to_all(directory.path());
    directory
}

/// A data directory with an up-to-date schema and nothing in it: a copy, which takes a tenth of the time of a first start.
pub(crate) fn migrated_data_dir() -> TempDir {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    let template = TEMPLATE.get_or_init(|| {
        let template = home().join("template");
        let path = template.to_str().expect("a path of text");
        let migrated = run(&["migrate", "--data-dir", path]);
        assert!(migrated.status.success(), "{migrated:?}");
        template
    });
    let directory = data_dir();
    let copied = Command::new("cp")
        .arg("-a")
        .arg(template.join("."))
        .arg(directory.path())
        .status();
    assert!(copied.expect("cp runs").success(), "copied");
    directory
}

/// The path as a value for `--data-dir`.
pub(crate) fn path_of(data_dir: &TempDir) -> &str {
    data_dir.path().to_str().expect("a path of text")
}

/// The URL of the embedded PostgreSQL that runs on the data directory.
pub(crate) fn database_url(data_dir: &TempDir) -> String {
    let socket_dir = path_of(data_dir).replace('/', "%2F") + "%2Frun";
    format!("postgres://passbook@localhost:5432/passbook?host={socket_dir}&sslmode=disable")
}

/// The main process of the embedded PostgreSQL that runs on the data directory.
pub(crate) fn postmaster_pid(data_dir: &TempDir) -> u32 {
    let file = data_dir.path().join("postgres/postmaster.pid");
    let text = fs::read_to_string(file).expect("a PostgreSQL that runs");
    let pid = text
        .lines()
        .next()
        .and_then(|line| line.trim().parse().ok());
    pid.expect("a process id")
}

/// The same where it runs and lets anybody in.
pub(crate) fn ready_postmaster_pid(data_dir: &TempDir) -> Option<u32> {
    let file = data_dir.path().join("postgres/postmaster.pid");
    let text = fs::read_to_string(file).ok()?;
    let mut lines = text.lines();
    let pid = lines.next()?.trim().parse().ok()?;
    // The eighth line says how far it is (`LOCK_FILE_LINE_PM_STATUS` in PostgreSQL's source).
    let is_ready = lines.nth(6)?.trim() == "ready";
    (is_ready && is_alive(pid)).then_some(pid)
}

/// What PostgreSQL noted about the cluster when it last ended: `shut down`, or not.
pub(crate) fn cluster_state(data_dir: &TempDir) -> String {
    let cluster = data_dir.path().join("postgres");
    let said = Command::new(postgres_program(data_dir).with_file_name("pg_controldata"))
        .env("LC_ALL", "C")
        .arg(&cluster)
        .output()
        .expect("pg_controldata runs");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let state = said
        .lines()
        .find_map(|line| line.strip_prefix("Database cluster state:"));
    state.expect("a state").trim().to_owned()
}

/// The `postgres` that last ran on the data directory.
pub(crate) fn postgres_program(data_dir: &TempDir) -> PathBuf {
    let file = data_dir.path().join("postgres/postmaster.opts");
    let text = fs::read_to_string(file).expect("a cluster that has run");
    PathBuf::from(text.split_whitespace().next().expect("a program"))
}

/// Sends a signal by name (`KILL`, `TERM`, `INT`) to a process, or with a minus before the id to its group.
pub(crate) fn signal(name: &str, process: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), "--", process])
        .status();
    assert!(sent.expect("kill runs").success(), "signal {name} sent");
}

/// Whether there is such a process.
pub(crate) fn is_alive(pid: u32) -> bool {
    let state = look_up("stat=", pid);
    // What is dead and not yet buried does nothing any more.
    !state.is_empty() && !state.starts_with('Z')
}

/// The group of a process, to all of which a terminal sends its Ctrl-C.
pub(crate) fn group_of(pid: u32) -> String {
    look_up("pgid=", pid)
}

fn look_up(what: &str, pid: u32) -> String {
    let looked = Command::new("ps")
        .args(["-o", what, "-p", &pid.to_string()])
        .output()
        .expect("ps runs");
    String::from_utf8_lossy(&looked.stdout).trim().to_owned()
}

/// The program with nothing of the environment that could be a setting, in a directory without `.env`.
pub(crate) fn command() -> Command {
    let mut command = Command::new(PathBuf::from(env!("CARGO_BIN_EXE_passbook")));
    for (name, _) in std::env::vars() {
        if ["PASSBOOK_", "OTEL_"]
            .iter()
            .any(|start| name.starts_with(start))
            || ["DATABASE_URL", "PORT", "RUST_LOG"].contains(&&*name)
        {
            command.env_remove(name);
        }
    }
    // Who may come in is not what most tests are about.
    command.env("PASSBOOK_AUTH", "open");
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
        let mut command = command();
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(args);
        Self::start(&mut command)
    }

    /// The same of a command that was put together elsewhere.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut passbook = Self::spawn(command);
        let deadline = Instant::now() + PATIENCE;
        while !passbook.has_said("stop with") {
            let ended = passbook.child.try_wait().expect("a child");
            let waiting = ended.is_none() && Instant::now() < deadline;
            assert!(
                waiting,
                "it did not start: {}",
                passbook.stderr.so_far().join("\n")
            );
            thread::park_timeout(Duration::from_millis(5));
        }
        passbook.banner = passbook.stdout.so_far();
        let mut words = passbook
            .banner
            .iter()
            .flat_map(|line| line.split_whitespace());
        let url = words.find(|word| word.starts_with("http"));
        passbook.url = url.expect("it says where it listens").to_owned();
        passbook
    }

    /// Starts a command, and does not wait.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = Lines::gather(child.stdout.take().expect("its output"));
        let stderr = Lines::gather(child.stderr.take().expect("its errors"));
        Self {
            child,
            url: String::new(),
            banner: Vec::new(),
            stdout,
            stderr,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has said such a line on standard output.
    pub(crate) fn has_said(&self, words: &str) -> bool {
        self.stdout.so_far().iter().any(|line| line.contains(words))
    }

    /// Whether it has said such a line on standard error.
    pub(crate) fn has_logged(&self, words: &str) -> bool {
        self.stderr.so_far().iter().any(|line| line.contains(words))
    }

    /// How many such lines it has said on standard error.
    pub(crate) fn logged(&self, words: &str) -> usize {
        let lines = self.stderr.so_far();
        lines.iter().filter(|line| line.contains(words)).count()
    }

    /// Sends a signal by name: `KILL`, `TERM`, `INT`.
    pub(crate) fn signal(&self, name: &str) {
        signal(name, &self.pid().to_string());
    }

    /// Waits until it ends.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "it does not end: {}",
                self.stderr.so_far().join("\n")
            );
            thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Waits until it ends, and tells how.
    pub(crate) fn end(mut self) -> Ended {
        let code = self.wait().code();
        Ended {
            code,
            stderr: self.stderr.whole(),
        }
    }

    /// Asks it to stop, and sees that it does so in good order.
    pub(crate) fn stop(self) {
        self.signal("TERM");
        let ended = self.end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
}

impl Drop for Passbook {
    fn drop(&mut self) {
        // Ended already where the test went well.
        drop(self.child.kill());
        drop(self.child.wait());
        if thread::panicking() {
            let said = self.stderr.whole();
            drop(writeln!(std::io::stderr(), "the service had said:\n{said}"));
        }
    }
}

impl Ended {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The one line in which the program said why it failed; whatever else is there are logs.
    pub(crate) fn complaint(&self) -> &str {
        assert_eq!(self.code, Some(2), "it failed: {}", self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        let is_complaint =
            |line: &&str| line.starts_with("passbook: ") || line.starts_with("error: ");
        let mut lines = self.stderr.lines().filter(is_complaint);
        let line = lines.next();
        assert_eq!(lines.next(), None, "one line: {}", self.stderr);
        line.unwrap_or_else(|| panic!("it says why: {}", self.stderr))
    }
}

impl Lines {
    fn gather(pipe: impl Read + Send + 'static) -> Self {
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let gathered = Arc::clone(&lines);
        let reader = thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                gathered.lock().expect("nobody panics with it").push(line);
            }
        });
        Self {
            lines,
            reader: Some(reader),
        }
    }

    fn so_far(&self) -> Vec<String> {
        self.lines.lock().expect("nobody panics with it").clone()
    }

    /// Everything, once the process has ended.
    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader does not panic");
        }
        self.so_far().join("\n")
    }
}

/// The directory of this test run, which the next run removes.
fn home() -> PathBuf {
    let home = PathBuf::from(format!("/tmp/passbook-it-{}", process::id()));
    fs::create_dir_all(&home).expect("a directory for the test run");
    open_to_all(&home);
    home
}

/// PostgreSQL runs as another user where the tests run as root.
fn open_to_all(directory: &Path) {
    fs::set_permissions(directory, Permissions::from_mode(0o755)).expect("a readable directory");
}
