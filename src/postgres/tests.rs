//! The supervisor against real PostgreSQL, one data directory a test.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use super::programs::Programs;
use super::settings::{POLL_INTERVAL, users_data_dir};
use super::{Address, Error, Server, Settings, programs, system};
use super::{attach_or_start, pidfile, start};

/// For what takes milliseconds unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// A directory under /tmp that also the user `postgres` can enter.
fn room() -> TempDir {
    let room = TempDir::new_in("/tmp").expect("a directory");
    fs::set_permissions(room.path(), Permissions::from_mode(0o755)).expect("opened to all");
    room
}

fn settings(data_dir: PathBuf) -> Settings {
    Settings {
        data_dir,
        bin_dir: None,
    }
}

async fn started(settings: &Settings) -> Server {
    start(settings).await.expect("PostgreSQL starts")
}

fn found() -> Programs {
    programs::choose(None, None, Path::new("")).expect("PostgreSQL is installed")
}

fn query(address: &Address, statement: &str) -> String {
    let said = Command::new(found().postgres().with_file_name("psql"))
        .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement])
        .arg(address.url())
        .output()
        .expect("psql runs");
    let error = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{statement}: {error}");
    String::from_utf8_lossy(&said.stdout).trim().to_owned()
}

fn postmaster_pid(data_dir: &Path) -> u32 {
    let file = pidfile::read(&data_dir.join("postgres"));
    file.expect("a running server").pid
}

#[tokio::test]
async fn a_server_keeps_its_data_from_one_start_to_the_next() {
    let room = room();
    let settings = settings(room.path().join("data"));
    let server = started(&settings).await;
    assert_eq!(server.address().data_dir(), settings.data_dir);
    assert_eq!(server.address().version(), found().version());
    query(server.address(), "create table kept (amount int)");
    query(server.address(), "insert into kept values (42)");
    let pid = postmaster_pid(&settings.data_dir);
    server.stop().await.expect("stops");
    assert!(!system::is_alive(pid));

    let began = Instant::now();
    let server = started(&settings).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(2), "took {took:?}");
    assert_eq!(query(server.address(), "select amount from kept"), "42");
    server.stop().await.expect("stops");
}

#[tokio::test]
async fn the_promises_beat_the_owners_file_and_his_other_settings_hold() {
    let room = room();
    let settings = settings(room.path().join("data"));
    started(&settings).await.stop().await.expect("stops");
    let conf = settings.data_dir.join("postgres/postgresql.conf");
    let edits = "\nfsync = off\nwork_mem = 7MB\nlisten_addresses = '*'\n";
    let text = fs::read_to_string(&conf).expect("a file") + edits;
    fs::write(&conf, text).expect("written");

    let server = started(&settings).await;
    let expected = [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("listen_addresses", ""),
        ("timezone", "UTC"),
        ("log_statement", "none"),
        ("logging_collector", "on"),
        ("cluster_name", "passbook"),
        ("max_wal_size", "8GB"),
        ("checkpoint_timeout", "15min"),
        ("max_connections", "100"),
        ("work_mem", "7MB"),
    ];
    for (name, value) in expected {
        assert_eq!(
            query(server.address(), &format!("show {name}")),
            value,
            "{name}"
        );
    }
    server.stop().await.expect("stops");
}

#[tokio::test]
async fn a_second_start_is_refused_and_a_command_attaches() {
    let room = room();
    let settings = settings(room.path().join("data"));
    let server = started(&settings).await;
    let refusal = start(&settings).await.expect_err("the directory is taken");
    assert!(matches!(refusal, Error::InUse { pid: Some(pid), .. } if pid == std::process::id()));
    assert!(
        refusal
            .to_string()
            .contains(&*settings.data_dir.to_string_lossy())
    );

    let attached = attach_or_start(&settings, "verify")
        .await
        .expect("attaches");
    assert_eq!(attached.address(), server.address());
    attached.stop().await.expect("leaves the server alone");
    assert_eq!(query(server.address(), "select 1"), "1");
    server.stop().await.expect("stops");
}

#[tokio::test]
async fn a_command_alone_starts_and_stops_its_own() {
    let room = room();
    let settings = settings(room.path().join("data"));
    let attached = attach_or_start(&settings, "verify").await.expect("starts");
    assert_eq!(query(attached.address(), "select 1"), "1");
    let pid = postmaster_pid(&settings.data_dir);
    attached.stop().await.expect("stops");
    assert!(!system::is_alive(pid));
}

#[tokio::test]
async fn a_command_waits_for_a_server_that_is_still_starting() {
    let room = room();
    let settings = settings(room.path().join("data"));
    // Whoever comes first has the server.
    let command = async {
        let attached = attach_or_start(&settings, "verify").await;
        let attached = attached.expect("attaches or starts");
        assert_eq!(query(attached.address(), "select 1"), "1");
        attached.stop().await.expect("stops");
    };
    let (server, ()) = tokio::join!(start(&settings), command);
    server.expect("starts").stop().await.expect("stops");
}

#[tokio::test]
async fn a_killed_server_is_started_again_each_time_and_recovers() {
    let room = room();
    let settings = settings(room.path().join("data"));
    let mut server = started(&settings).await;
    let address = server.address().clone();
    query(&address, "create table kept as select 42 as amount");
    for signal in [libc::SIGKILL, libc::SIGQUIT] {
        let killed = postmaster_pid(&settings.data_dir);
        system::signal(killed, signal).expect("signalled");
        let ready_again = async {
            let cluster = settings.data_dir.join("postgres");
            while pidfile::read(&cluster).is_none_or(|file| file.pid == killed || !file.is_ready) {
                sleep(POLL_INTERVAL).await;
            }
        };
        tokio::select! {
            () = server.supervise() => panic!("it goes on for as long as it is polled"),
            waited = timeout(PATIENCE, ready_again) => waited.expect("ready again"),
        }
        assert_eq!(query(&address, "select amount from kept"), "42");
    }
    server.stop().await.expect("stops");
}

#[tokio::test]
async fn a_dropped_server_stops_by_itself() {
    let room = room();
    let settings = settings(room.path().join("data"));
    let server = started(&settings).await;
    let pid = postmaster_pid(&settings.data_dir);
    drop(server);
    // Waits until the lock is free, which it is when the server is gone.
    let attached = attach_or_start(&settings, "verify").await.expect("starts");
    assert_ne!(postmaster_pid(&settings.data_dir), pid);
    attached.stop().await.expect("stops");
}

#[tokio::test]
async fn the_server_is_not_in_our_process_group() {
    let room = room();
    let settings = settings(room.path().join("data"));
    let server = started(&settings).await;
    let pid = postmaster_pid(&settings.data_dir);
    let said = Command::new("ps")
        .args(["-o", "pgid=", "-p", &pid.to_string()])
        .output()
        .expect("ps runs");
    assert_eq!(
        String::from_utf8_lossy(&said.stdout).trim(),
        pid.to_string()
    );
    server.stop().await.expect("stops");
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_works() {
    let room = room();
    let settings = settings(
        room.path()
            .join("a, b \"c\"/".to_owned() + &"long/".repeat(20)),
    );
    let server = started(&settings).await;
    let socket_dir = server.address().socket_dir().to_owned();
    assert!(socket_dir.starts_with("/tmp"));
    let mode = fs::metadata(&socket_dir)
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(query(server.address(), "select 1"), "1");
    server.stop().await.expect("stops");
    fs::remove_dir(socket_dir).expect("empty");
}

#[tokio::test]
async fn an_odd_path_works() {
    let room = room();
    let settings = settings(room.path().join("a \"b\" é%"));
    let server = started(&settings).await;
    assert!(
        server
            .address()
            .socket_dir()
            .starts_with(&settings.data_dir)
    );
    assert_eq!(query(server.address(), "select 1"), "1");
    server.stop().await.expect("stops");
}

#[tokio::test]
async fn what_a_broken_off_creation_left_is_removed() {
    let room = room();
    let settings = settings(room.path().join("data"));
    let staging = settings.data_dir.join("postgres.new");
    fs::create_dir_all(staging.join("base")).expect("created");
    fs::write(staging.join("PG_VERSION"), "15\n").expect("written");
    let server = started(&settings).await;
    assert!(!staging.exists());
    server.stop().await.expect("stops");
}

#[tokio::test]
async fn files_with_a_pid_that_is_now_anothers_do_not_matter() {
    let room = room();
    let settings = settings(room.path().join("data"));
    started(&settings).await.stop().await.expect("stops");
    // After a power cut: the pid is now that of some other process of the same user.
    let home = super::home::open(&settings.data_dir).expect("a home");
    let run_as = super::run_as::choose(&home.cluster());
    let mut sleep = run_as
        .expect("a user")
        .command(Path::new("sleep"), Path::new("/"));
    let mut other = sleep.arg("600").spawn().expect("sleeps");
    let path = settings.data_dir.join("postgres/postmaster.pid");
    let text = format!("{}\n/x\n1\n5432\n/x\n\n1 999999999\nready\n", other.id());
    fs::write(path, &text).expect("written");
    let socket_lock = settings.data_dir.join("run/.s.PGSQL.5432.lock");
    fs::write(socket_lock, text).expect("written");
    let server = start(&settings).await;
    let others_exit = other.try_wait().expect("asked");
    other.kill().expect("killed");
    other.wait().expect("reaped");
    assert!(others_exit.is_none(), "the other process was left alone");
    server.expect("starts").stop().await.expect("stops");
}

#[tokio::test]
async fn a_file_with_a_segment_that_is_now_another_servers_does_not_matter() {
    let room = room();
    let settings = ["here", "there"].map(|name| settings(room.path().join(name)));
    let path = settings[0].data_dir.join("postgres/postmaster.pid");
    let server = started(&settings[0]).await;
    let text = fs::read_to_string(&path).expect("a running server");
    server.stop().await.expect("stops");
    let other = started(&settings[1]).await;
    let theirs = pidfile::read(&settings[1].data_dir.join("postgres"));
    let theirs = theirs.and_then(|file| file.memory).expect("a segment");
    // After a power cut: the kernel has given its id to another server, and nobody has the pid.
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let key = lines[6].split_whitespace().next().expect("a key");
    lines[6] = format!("{key:>9} {:>9}", theirs.id);
    lines[0] = "999999999".to_owned();
    fs::write(path, lines.join("\n") + "\n").expect("written");
    let server = start(&settings[0]).await;
    server.expect("starts").stop().await.expect("stops");
    assert_eq!(query(other.address(), "select 1"), "1");
    other.stop().await.expect("stops");
}

#[tokio::test]
async fn data_of_another_version_is_named() {
    let room = room();
    let settings = settings(room.path().join("data"));
    let cluster = settings.data_dir.join("postgres");
    fs::create_dir_all(&cluster).expect("created");
    fs::write(cluster.join("PG_VERSION"), "12\n").expect("written");
    let error = start(&settings).await.expect_err("other data");
    let Error::OtherVersion {
        data_version: 12, ..
    } = error
    else {
        panic!("{error}");
    };
    assert!(error.to_string().contains(found().version()), "{error}");
}

#[tokio::test]
async fn a_directory_that_is_no_cluster_is_left_alone() {
    let room = room();
    let settings = settings(room.path().join("data"));
    fs::create_dir_all(settings.data_dir.join("postgres")).expect("created");
    let error = start(&settings).await.expect_err("no cluster");
    assert!(matches!(error, Error::NotACluster { .. }), "{error}");
}

#[tokio::test]
async fn a_wrong_directory_of_programs_is_named() {
    let room = room();
    let settings = Settings {
        data_dir: room.path().join("data"),
        bin_dir: Some(room.path().to_owned()),
    };
    let error = start(&settings).await.expect_err("no programs");
    assert!(matches!(error, Error::NotPrograms { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let room = room();
    let settings = settings(room.path().join("data"));
    started(&settings).await.stop().await.expect("stops");
    let conf = settings.data_dir.join("postgres/postgresql.conf");
    let text = fs::read_to_string(&conf).expect("a file") + "\nshared_buffers = 'much'\n";
    fs::write(&conf, text).expect("written");
    let error = start(&settings).await.expect_err("a mistake");
    assert!(matches!(error, Error::NotStarted { .. }), "{error}");
    assert_eq!(error.to_string().lines().count(), 1);
    assert!(error.to_string().contains("configuration file"), "{error}");
}

#[tokio::test]
async fn a_closed_parent_is_named_for_root() {
    if system::effective_uid() != 0 {
        return;
    }
    let room = room();
    fs::set_permissions(room.path(), Permissions::from_mode(0o700)).expect("closed");
    let settings = settings(room.path().join("data"));
    let error = start(&settings).await.expect_err("out of reach");
    assert!(matches!(&error, Error::Unreachable { directory, .. } if directory == room.path()));
}

#[test]
fn an_ordinary_users_data_directory_follows_the_xdg_rules() {
    let home = || Some(PathBuf::from("/home/ann"));
    let data = users_data_dir(Some("/data".into()), home());
    assert_eq!(data, Path::new("/data/passbook"));
    let data = users_data_dir(Some("relative".into()), home());
    assert_eq!(data, Path::new("/home/ann/.local/share/passbook"));
}
