//! Waits out a server that a killed passbook has left behind.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::address::SOCKET_LOCK_FILE;
use super::error::{Error, disk};
use super::home::Home;
use super::pidfile::{self, Memory, PidFile};
use super::settings::POLL_INTERVAL;
use super::system;

/// Waits until no process works on the cluster; the caller holds the lock, so none is another passbook's.
pub(super) async fn wait_out(home: &Home) -> Result<(), Error> {
    let cluster = home.cluster();
    if has_ended(&cluster).await {
        return clear_away(home);
    }
    Err(Error::Predecessor {
        pid: pidfile::read(&cluster).map_or(0, |file| file.pid),
        cluster,
    })
}

/// The kernel has told the server to stop when its passbook died (see [`system::end_with_parent`]); it is given time
/// before it is told again, and told more sternly.
async fn has_ended(cluster: &Path) -> bool {
    if ends_within(Duration::from_secs(1), cluster).await {
        return true;
    }
    tracing::info!(
        "an earlier PostgreSQL is still stopping in {}: waiting",
        cluster.display()
    );
    if ends_within(Duration::from_secs(4), cluster).await {
        return true;
    }
    signal(libc::SIGINT, cluster);
    if ends_within(Duration::from_secs(25), cluster).await {
        return true;
    }
    signal(libc::SIGQUIT, cluster);
    ends_within(Duration::from_secs(30), cluster).await
}

async fn ends_within(wait: Duration, cluster: &Path) -> bool {
    let deadline = Instant::now() + wait;
    while pidfile::read(cluster).is_some_and(|file| is_at_work(&file, cluster)) {
        if deadline <= Instant::now() {
            return false;
        }
        sleep(POLL_INTERVAL).await;
    }
    true
}

fn is_at_work(file: &PidFile, cluster: &Path) -> bool {
    // Sessions may outlive their killed postmaster for a moment.
    is_postmaster(file.pid, cluster) || file.memory.is_some_and(is_in_use)
}

/// PostgreSQL copes with the files of a dead process, but not when the pid has meanwhile gone to another process, as
/// happens after a power cut, or to a zombie that nobody reaps, as in a container without an init. Neither is a server
/// on this cluster: we have just looked.
fn clear_away(home: &Home) -> Result<(), Error> {
    let cluster = home.cluster();
    if pidfile::read(&cluster).is_some_and(|file| system::is_alive(file.pid)) {
        remove_if_there(&pidfile::path(&cluster))?;
    }
    // Names the same pid.
    remove_if_there(&Path::new(&home.socket_dir()).join(SOCKET_LOCK_FILE))
}

fn remove_if_there(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(disk("remove", path)(error)),
        _ => Ok(()),
    }
}

fn signal(signal: i32, cluster: &Path) {
    let Some(file) = pidfile::read(cluster) else {
        return;
    };
    if !is_postmaster(file.pid, cluster) {
        return;
    }
    tracing::warn!(
        pid = file.pid,
        signal,
        "telling an earlier PostgreSQL to stop"
    );
    if let Err(error) = system::signal(file.pid, signal) {
        tracing::warn!(pid = file.pid, %error, "could not signal an earlier PostgreSQL");
    }
}

/// Whether the process was started as `postgres -D <cluster>`: a pid alone may be anybody's by now.
#[cfg(target_os = "linux")]
fn is_postmaster(pid: u32, cluster: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt;

    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let arguments: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
    arguments
        .windows(2)
        .any(|pair| pair == [b"-D", cluster.as_os_str().as_bytes()])
}

#[cfg(not(target_os = "linux"))]
fn is_postmaster(pid: u32, cluster: &Path) -> bool {
    let said = std::process::Command::new("ps")
        .args(["-ww", "-o", "args=", "-p", &pid.to_string()])
        .output();
    let line = said.map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
    line.is_ok_and(|line| line.contains(&format!(" -D {} ", cluster.display())))
}

/// Whether a process holds on to the segment. Where there is no such list, PostgreSQL's own check has to do.
fn is_in_use(memory: Memory) -> bool {
    let list = fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    // key shmid perms size cpid lpid nattch …
    list.lines().skip(1).any(|line| {
        let mut columns = line.split_whitespace();
        let key = columns.next().and_then(|key| key.parse().ok());
        let id = columns.next().and_then(|id| id.parse().ok());
        let holders = columns.nth(4).unwrap_or("0");
        key.zip(id) == Some((memory.key, memory.id)) && holders != "0"
    })
}
