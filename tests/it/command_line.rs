//! The command line: what it says, where its settings come from, and how it refuses.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use reqwest::Client;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

use crate::support::bank::{Reply, audit_of};
use crate::support::process::{self, Ended, Passbook, command, path_of, run};
use crate::support::{eventually, postgres};

fn stdout(args: &[&str]) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// How the program ends with settings in its environment.
fn end_with(args: &[&str], environment: &[(&str, &str)]) -> Ended {
    let mut command = command();
    command.args(args).envs(environment.iter().copied());
    Passbook::spawn(&mut command).end()
}

/// The environment variables of all settings, as the source declares them.
fn settings() -> BTreeSet<&'static str> {
    let source = include_str!("../../src/config.rs");
    let declared = source.split("env = \"").skip(1);
    let settings: BTreeSet<&str> = declared.filter_map(|rest| rest.split('"').next()).collect();
    assert!(settings.contains("DATABASE_URL"), "{settings:?}");
    settings
}

#[test]
fn help_names_every_subcommand_and_version_the_version() {
    let help = stdout(&["--help"]);
    for word in [
        "serve",
        "migrate",
        "verify",
        "dump",
        "restore",
        "currencies",
        "bench",
        "health",
        "--log",
        ".env",
    ] {
        assert!(help.contains(word), "{word} in {help}");
    }
    let version = stdout(&["--version"]);
    assert_eq!(version, format!("passbook {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn help_names_every_setting_and_shows_no_password() {
    let url = (
        "DATABASE_URL",
        "postgres://passbook:secret@localhost/passbook",
    );
    // What a health check or a client alone needs is no setting of the service.
    let help = ["serve", "health", "bench"].map(|part| {
        let output = command().args([part, "--help"]).envs([url]).output();
        let output = output.expect("the program runs");
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8_lossy(&output.stdout).into_owned()
    });
    let help = help.concat();
    for setting in settings() {
        let is_named = ["]", "="].map(|end| help.contains(&format!("[env: {setting}{end}")));
        assert!(is_named.contains(&true), "{setting} in {help}");
    }
    assert!(!help.contains("secret"), "{help}");
}

#[test]
fn what_cannot_be_read_is_refused_in_one_line_that_names_it() {
    for (args, environment, words) in [
        (&["serve", "--unknown"][..], None, "--unknown"),
        (&["audit"], None, "audit"),
        (&["serve"], Some(("PASSBOOK_LANES", "0")), "--lanes"),
        (&["serve"], Some(("PASSBOOK_LANES", "65")), "from 1 to 64"),
        (&["serve"], Some(("PASSBOOK_LANES", "two")), "'two'"),
        (
            &["serve", "--batch-size-max", "0"],
            None,
            "--batch-size-max",
        ),
        (
            &["serve"],
            Some(("PASSBOOK_QUEUE_MAX", "-1")),
            "--queue-max",
        ),
        (
            &["serve"],
            Some(("PASSBOOK_DEFAULT_CURRENCY", "usd")),
            "'usd'",
        ),
        (
            &["serve"],
            Some(("PASSBOOK_LISTEN", "nowhere")),
            "'nowhere'",
        ),
        (&["serve"], Some(("PASSBOOK_DEMO", "perhaps")), "'perhaps'"),
        (&["verify"], Some(("PASSBOOK_LOG_FORMAT", "xml")), "'xml'"),
        (&["verify"], Some(("RUST_LOG", "[[[")), "RUST_LOG"),
    ] {
        let ended = end_with(args, environment.as_slice());
        let complaint = ended.complaint();
        assert!(complaint.contains(words), "{words} in {complaint}");
    }
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_env_file() {
    let directory = TempDir::new().expect("a directory");
    let asked = |flags: &[&str], environment: &[(&str, &str)]| {
        let mut command = command();
        command.arg("health").args(flags).current_dir(&directory);
        let output = command.envs(environment.iter().copied()).output();
        let output = output.expect("the program runs");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let environment = [("PASSBOOK_LISTEN", "127.0.0.1:3")];
    let default = asked(&["--listen", "127.0.0.1:1"], &[]);
    assert!(default.contains(" 127.0.0.1:1 "), "{default}");
    fs::write(
        directory.path().join(".env"),
        "PASSBOOK_LISTEN=127.0.0.1:2\n",
    )
    .expect("written");
    let from_file = asked(&[], &[]);
    assert!(from_file.contains(" 127.0.0.1:2 "), "{from_file}");
    let from_environment = asked(&[], &environment);
    assert!(
        from_environment.contains(" 127.0.0.1:3 "),
        "{from_environment}"
    );
    let from_flag = asked(&["--listen", "127.0.0.1:4"], &environment);
    assert!(from_flag.contains(" 127.0.0.1:4 "), "{from_flag}");
}

#[test]
fn only_the_working_directory_is_searched_for_an_env_file() {
    let directory = TempDir::new().expect("a directory");
    fs::write(
        directory.path().join(".env"),
        "PASSBOOK_LISTEN=127.0.0.1:2\n",
    )
    .expect("written");
    let inner = directory.path().join("inner");
    fs::create_dir(&inner).expect("a directory");
    let output = command().arg("health").current_dir(inner).output();
    let output = output.expect("the program runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        !said.contains("127.0.0.1:2"),
        "it listened to a parent's .env: {said}"
    );
}

#[test]
fn a_malformed_env_file_is_refused_in_one_line_without_its_secrets() {
    let directory = TempDir::new().expect("a directory");
    let text = "DATABASE_URL=postgres://passbook:hush@localhost/passbook and more\n";
    fs::write(directory.path().join(".env"), text).expect("written");
    let output = command().arg("health").current_dir(&directory).output();
    let ended = Ended::of(&output.expect("the program runs"));
    assert!(ended.complaint().contains(".env"), "{ended:?}");
    assert!(!ended.stderr.contains("hush"), "{}", ended.stderr);
}

/// As `make setup` copies it.
#[test]
fn the_example_of_an_env_file_can_be_used_as_it_is() {
    let directory = TempDir::new().expect("a directory");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/.env.example");
    fs::copy(example, directory.path().join(".env")).expect("an example");
    let nowhere = directory.path().to_str().expect("a path of text");
    let mut command = command();
    command.args(["serve", "--pg-bin-dir", nowhere, "--data-dir", nowhere]);
    let output = command.current_dir(&directory).output();
    let ended = Ended::of(&output.expect("the program runs"));
    assert!(ended.complaint().contains("initdb"), "{ended:?}");
}

async fn show_user(passbook: &Passbook, id: i64) -> Reply {
    let url = format!("{}/api/users/{id}", passbook.url);
    Reply::of(Client::new().get(url).send().await.expect("an answer")).await
}

#[tokio::test]
async fn the_first_start_says_where_it_is_and_the_second_finds_the_data() {
    let data_dir = process::data_dir();
    let passbook = Passbook::serve(&["--data-dir", path_of(&data_dir)]);
    let banner = passbook.banner.join("\n");
    let version = process::postgres_program(&data_dir);
    let version = Command::new(version)
        .arg("--version")
        .output()
        .expect("postgres runs");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let version = version.split_whitespace().nth(2).expect("a version");
    for words in [
        &format!("{} (open to this machine only)", passbook.url),
        path_of(&data_dir),
        &format!("PostgreSQL {version}"),
        &format!("curl {}/api/users/1", passbook.url),
    ] {
        assert!(banner.contains(words), "{words} in {banner}");
    }
    let demo = show_user(&passbook, 1).await;
    assert!(demo.text.contains(r#""balance":10000.00"#), "{demo:?}");

    let url = format!("{}/api/users/1/balance", passbook.url);
    let change = Client::new()
        .put(url)
        .header("Content-Type", "application/json");
    let changed = change
        .body(r#"{"amount":-1.5}"#)
        .send()
        .await
        .expect("an answer");
    assert_eq!(changed.status(), 200);
    passbook.stop();
    assert_eq!(process::cluster_state(&data_dir), "shut down");

    let passbook = Passbook::serve(&["--data-dir", path_of(&data_dir)]);
    let demo = show_user(&passbook, 1).await;
    assert!(demo.text.contains(r#""balance":9998.50"#), "{demo:?}");
    assert_eq!(show_user(&passbook, 2).await.status, 404, "one demo user");
    let report = audit_of(&process::database_url(&data_dir)).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.accounts, report.entries), (1, 2));
    passbook.stop();
}

#[tokio::test]
async fn settings_of_serve_are_read_from_the_env_file_and_the_demo_can_be_left_out() {
    let data_dir = process::migrated_data_dir();
    let directory = TempDir::new().expect("a directory");
    let text = format!(
        "PASSBOOK_DEMO=false\nPASSBOOK_LISTEN=127.0.0.2:0\nPASSBOOK_DATA_DIR={}\nDATABASE_URL=\n",
        path_of(&data_dir)
    );
    fs::write(directory.path().join(".env"), text).expect("written");
    let mut command = command();
    command.arg("serve").current_dir(&directory);
    let passbook = Passbook::start(&mut command);
    let banner = passbook.banner.join("\n");
    assert!(banner.contains("http://127.0.0.2:"), "{banner}");
    assert!(banner.contains("open to this machine only"), "{banner}");
    assert_eq!(show_user(&passbook, 1).await.status, 404);

    let listen = passbook.url.strip_prefix("http://").expect("a URL");
    assert_eq!(stdout(&["health", "--listen", listen]), "healthy\n");
    let gone = run(&["health", "--listen", "127.0.0.1:1"]);
    assert_eq!(gone.status.code(), Some(1));
    let said = String::from_utf8_lossy(&gone.stdout);
    assert!(said.starts_with("not healthy: 127.0.0.1:1 "), "{said}");
    passbook.stop();
}

#[test]
fn programs_that_are_not_there_are_named() {
    let data_dir = process::data_dir();
    let empty = TempDir::new().expect("a directory");
    let bin_dir = empty.path().to_str().expect("a path of text");
    let args = ["serve", "--data-dir", path_of(&data_dir)];
    let ended = end_with(&args, &[("PASSBOOK_PG_BIN_DIR", bin_dir)]);
    for words in [bin_dir, "initdb", "PASSBOOK_PG_BIN_DIR"] {
        assert!(ended.complaint().contains(words), "{ended:?}");
    }
}

#[test]
fn a_taken_port_is_named_and_the_database_is_stopped_again() {
    let data_dir = process::migrated_data_dir();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = taken.local_addr().expect("an address").to_string();
    let data = path_of(&data_dir);
    let ended = end_with(&["serve", "--data-dir", data, "--listen", &listen], &[]);
    let complaint = ended.complaint();
    assert!(complaint.contains(&listen), "{complaint}");
    assert!(
        complaint.contains("another program listens there"),
        "{complaint}"
    );
    assert_eq!(process::cluster_state(&data_dir), "shut down");
    let pid_file = data_dir.path().join("postgres/postmaster.pid");
    assert!(!pid_file.exists(), "no server is left behind");
}

#[test]
fn data_of_another_version_is_named_and_left_alone() {
    let data_dir = process::migrated_data_dir();
    let file = data_dir.path().join("postgres/PG_VERSION");
    fs::write(&file, "12\n").expect("written");
    for command in ["serve", "verify", "migrate"] {
        let ended = end_with(&[command, "--data-dir", path_of(&data_dir)], &[]);
        assert!(
            ended.complaint().contains("data of PostgreSQL 12"),
            "{ended:?}"
        );
    }
    assert_eq!(fs::read_to_string(file).expect("there"), "12\n");
}

#[tokio::test]
async fn a_wrong_database_url_is_refused_in_one_line_without_its_password() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("an address").port();
    drop(nobody);
    let nobody = format!("postgres://passbook:hush@127.0.0.1:{port}/passbook");
    let nameless = postgres::server().replace("/passbook?", "/missing?");
    for (url, words) in [
        ("mysql://passbook:hush@localhost/passbook", "postgres://"),
        ("passbook", "postgres://"),
        ("postgres://passbook:hush@localhost:port/passbook", "port"),
        (&nobody, &format!("127.0.0.1:{port}")),
        (&nameless, "\"missing\" does not exist"),
    ] {
        for command in ["serve", "migrate", "verify"] {
            let ended = end_with(&[command], &[("DATABASE_URL", url)]);
            assert!(ended.complaint().contains(words), "{words}: {ended:?}");
            assert!(!ended.stderr.contains("hush"), "{}", ended.stderr);
        }
    }
}

#[tokio::test]
async fn a_currency_that_is_not_in_the_registry_is_named() {
    let url = postgres::create_database().await;
    let args = ["serve", "--listen", "127.0.0.1:0", "--database-url", &url];
    let ended = end_with(&args, &[("PASSBOOK_DEFAULT_CURRENCY", "XYZ")]);
    assert!(ended.complaint().contains("XYZ"), "{ended:?}");
    postgres::drop_database(&url).await;
}

#[test]
fn a_second_serve_on_the_same_directory_names_the_first() {
    let data_dir = process::migrated_data_dir();
    let first = Passbook::serve(&["--data-dir", path_of(&data_dir)]);
    let ended = end_with(&["serve", "--data-dir", path_of(&data_dir)], &[]);
    let complaint = ended.complaint();
    assert!(complaint.contains(path_of(&data_dir)), "{complaint}");
    assert!(complaint.contains(&first.pid().to_string()), "{complaint}");
    first.stop();
}

#[tokio::test]
async fn migrating_twice_applies_once() {
    let url = postgres::create_empty_database().await;
    let first = stdout(&["migrate", "--database-url", &url]);
    let migrations = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"));
    let migrations = migrations.expect("a directory").count();
    let applied = first.lines().filter(|line| line.starts_with("applied V"));
    assert_eq!(applied.count(), migrations, "{first}");
    let second = stdout(&["migrate", "--database-url", &url]);
    assert_eq!(second, "the schema is up to date\n");
    postgres::drop_database(&url).await;
}

#[tokio::test]
async fn processes_that_migrate_at_once_apply_once() {
    let url = postgres::create_empty_database().await;
    let migrate = |_| {
        let mut command = command();
        command.args(["migrate", "--database-url", &url]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program starts")
    };
    let started: Vec<Child> = (0..6).map(migrate).collect();
    let mut up_to_date = 0;
    for child in started {
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        up_to_date += usize::from(output.stdout == b"the schema is up to date\n");
    }
    assert_eq!(up_to_date, 5, "one of them did the work");
    postgres::drop_database(&url).await;
}

#[tokio::test]
async fn verify_says_that_there_is_no_schema() {
    let url = postgres::create_empty_database().await;
    let ended = end_with(&["verify", "--database-url", &url], &[]);
    let complaint = ended.complaint();
    assert!(complaint.contains("cannot use the database"), "{ended:?}");
    assert!(complaint.contains("run passbook migrate"), "{ended:?}");
    postgres::drop_database(&url).await;
}

/// A PostgreSQL that passbook did not start, and so may be set up badly. It stops when it is dropped.
struct Foreign {
    child: Child,
    url: String,
}

impl Foreign {
    async fn start(data_dir: &TempDir) -> Self {
        let cluster = data_dir.path().join("postgres");
        let owner = fs::metadata(&cluster).expect("a cluster");
        let run = data_dir.path().join("run");
        let mut command = Command::new(process::postgres_program(data_dir));
        command.arg("-D").arg(&cluster);
        command.args(["-c", "listen_addresses=", "-c", "shared_buffers=16MB"]);
        command
            .arg("-c")
            .arg(format!("unix_socket_directories={}", run.display()));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
            .current_dir(&cluster)
            .uid(owner.uid())
            .gid(owner.gid());
        let foreign = Self {
            child: command.spawn().expect("postgres runs"),
            url: process::database_url(data_dir),
        };
        let socket = run.join(".s.PGSQL.5432");
        eventually("PostgreSQL listens", async || {
            is_ready(&cluster) && socket.exists()
        })
        .await;
        foreign
    }

    /// Changes a setting for every connection from now on.
    async fn set(&self, name: &str, value: &str) {
        postgres::execute(&self.url, &format!("alter system set {name} = {value}")).await;
        postgres::execute(&self.url, "select pg_reload_conf()").await;
        let check = format!("select 1 / (current_setting('{name}') = '{value}')::int");
        eventually("the setting has changed", async || {
            let opened = PgConnection::connect(&self.url).await;
            let mut opened = opened.expect("PostgreSQL answers");
            let checked = sqlx::raw_sql(AssertSqlSafe(check.clone()));
            checked.execute(&mut opened).await.is_ok()
        })
        .await;
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        process::signal("INT", &self.child.id().to_string());
        drop(self.child.wait());
    }
}

fn is_ready(cluster: &Path) -> bool {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).unwrap_or_default();
    text.lines().any(|line| line.trim() == "ready")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_may_lose_money_is_refused_unless_told() {
    let data_dir = process::migrated_data_dir();
    let foreign = Foreign::start(&data_dir).await;
    let args = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--database-url",
        &foreign.url,
    ];
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        foreign.set(setting, "off").await;
        for command in [&args[..], &["verify", "--database-url", &foreign.url]] {
            let ended = end_with(command, &[]);
            let complaint = ended.complaint();
            assert!(complaint.contains(&format!("{setting} off")), "{complaint}");
        }
        let told = Passbook::serve(&["--database-url", &foreign.url, "--allow-unsafe-durability"]);
        assert_eq!(
            show_user(&told, 1).await.status,
            404,
            "no demo unless asked for"
        );
        told.stop();
        foreign.set(setting, "on").await;
    }
    let alter = "alter database passbook set synchronous_commit = off";
    postgres::execute(&foreign.url, alter).await;
    let ended = end_with(&args, &[]);
    assert!(
        ended.complaint().contains("synchronous_commit off"),
        "{ended:?}"
    );
}
