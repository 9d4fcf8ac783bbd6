//! A real PgBouncer between the service and PostgreSQL. Where none is installed, the tests say so and look no further.

use std::fs::{self, Permissions};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::support::process::{self, Ended, Passbook, path_of, run};
use crate::support::{eventually, postgres};

const IGNORE: &str = "ignore_startup_parameters = extra_float_digits, options";

/// Killed when it is dropped.
struct PgBouncer {
    child: Child,
    url: String,
}

impl PgBouncer {
    /// Where its program is, if it is installed.
    #[expect(
        clippy::print_stderr,
        reason = "who reads the test's output learns what was left out"
    )]
    fn program() -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let directories = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
        let mut programs = directories.map(|directory| directory.join("pgbouncer"));
        let program = programs.find(|program| program.is_file());
        if program.is_none() {
            eprintln!("skipped: there is no pgbouncer on this machine");
        }
        program
    }

    /// Whether it can turn prepared statements off, which before 1.21 they always are.
    fn has_prepared_statements(program: &Path) -> bool {
        let said = Command::new(program).arg("--version").output();
        let said = String::from_utf8_lossy(&said.expect("pgbouncer runs").stdout).into_owned();
        let version = said.split_whitespace().nth(1).expect("a version");
        let mut numbers = version.split('.').map(str::parse::<u32>);
        let [major, minor] = [(); 2].map(|()| numbers.next().and_then(Result::ok).unwrap_or(0));
        (1, 21) <= (major, minor)
    }

    async fn start(program: &Path, data_dir: &TempDir, settings: &[&str]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let run_dir = data_dir.path().join("run");
        let users = data_dir.path().join("pgbouncer-users.txt");
        fs::write(&users, "\"passbook\" \"\"\n\"passbook_runtime\" \"\"\n").expect("a file");
        let mut text = format!(
            "[databases]\n* = host={} port=5432\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = transaction\n",
            run_dir.display(),
            users.display()
        );
        let owner = fs::metadata(&run_dir).expect("a directory").uid();
        if owner != fs::metadata("/proc/self").expect("a process").uid() {
            // Neither of the two runs as root.
            text.push_str("user = postgres\n");
        }
        for setting in settings {
            text.push_str(&format!("{setting}\n"));
        }
        let file = data_dir.path().join(format!("pgbouncer-{port}.ini"));
        fs::write(&file, text).expect("a file");
        for path in [&users, &file] {
            fs::set_permissions(path, Permissions::from_mode(0o644)).expect("a readable file");
        }
        let child = Command::new(program)
            .args(["-q".as_ref(), file.as_os_str()])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pgbouncer runs");
        eventually("PgBouncer listens", async || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
        .await;
        let url = format!("postgres://passbook_runtime@127.0.0.1:{port}/passbook?sslmode=disable");
        Self { child, url }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn refused(url: &str) -> String {
    let args = ["serve", "--listen", "127.0.0.1:0", "--database-url", url];
    let ended = Ended::of(&run(&args));
    ended.complaint();
    ended.stderr
}

#[tokio::test]
async fn all_that_a_pooler_drops_is_named_at_once_and_ready_to_paste() {
    let Some(program) = PgBouncer::program() else {
        return;
    };
    let data_dir = process::migrated_data_dir();
    let direct = Passbook::serve(&["--data-dir", path_of(&data_dir)]);
    let url = process::database_url(&data_dir);
    let bare = PgBouncer::start(&program, &data_dir, &[]).await;
    let said = refused(&bare.url);
    assert!(said.lines().any(|line| line == IGNORE), "{said}");
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("alter role \"passbook_runtime\" set "))
        .collect();
    assert_eq!(lines.len(), 9, "{said}");
    // The other line alone is not enough, and the answer is the same.
    let session = [IGNORE, "pool_mode = session"];
    let deaf = PgBouncer::start(&program, &data_dir, &session).await;
    let told = refused(&deaf.url);
    assert!(lines.iter().all(|line| told.contains(line)), "{told}");

    postgres::execute(&url, &lines.concat()).await;
    let passing = PgBouncer::start(&program, &data_dir, &session).await;
    let service = Passbook::serve(&["--database-url", &passing.url]);
    let listen = service.url.trim_start_matches("http://");
    let health = Ended::of(&run(&["health", "--listen", listen]));
    assert_eq!(health.code, Some(0), "{health:?}");
    service.stop();
    direct.stop();
}

#[tokio::test]
async fn a_pooler_that_hands_prepared_statements_to_other_servers_is_refused() {
    let Some(program) = PgBouncer::program() else {
        return;
    };
    let data_dir = process::migrated_data_dir();
    let direct = Passbook::serve(&["--data-dir", path_of(&data_dir)]);
    let url = process::database_url(&data_dir);
    let reason = "hands prepared statements to other servers";
    let bare = PgBouncer::start(&program, &data_dir, &[]).await;
    let lines: Vec<String> = refused(&bare.url)
        .lines()
        .filter(|line| line.starts_with("alter role"))
        .map(str::to_owned)
        .collect();
    postgres::execute(&url, &lines.concat()).await;
    let off: &[&str] = if PgBouncer::has_prepared_statements(&program) {
        &[IGNORE, "max_prepared_statements = 0"]
    } else {
        &[IGNORE]
    };
    let handing = PgBouncer::start(&program, &data_dir, off).await;
    let said = refused(&handing.url);
    assert!(said.contains(reason), "{said}");
    if PgBouncer::has_prepared_statements(&program) {
        let on = [IGNORE, "max_prepared_statements = 200"];
        let keeping = PgBouncer::start(&program, &data_dir, &on).await;
        Passbook::serve(&["--database-url", &keeping.url]).stop();
    }
    direct.stop();
}
