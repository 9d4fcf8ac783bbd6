//! Reads `postmaster.pid`, in which PostgreSQL says which process runs a cluster.

use std::fs;
use std::path::{Path, PathBuf};

/// What we use of the file.
#[derive(Debug)]
pub(super) struct PidFile {
    pub(super) pid: u32,
    /// The System V shared memory segment that all processes of the server hold on to.
    pub(super) memory: Option<Memory>,
    /// PostgreSQL writes `ready` when it accepts connections.
    pub(super) is_ready: bool,
}

/// A segment by its key, which PostgreSQL takes from the cluster's inode, and by the id that the kernel gave it. An id alone may be
/// another server's after the machine was started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) key: i32,
    pub(super) id: u32,
}

pub(super) fn path(cluster: &Path) -> PathBuf {
    cluster.join("postmaster.pid")
}

/// `None` also for a file that PostgreSQL has only just begun to write.
pub(super) fn read(cluster: &Path) -> Option<PidFile> {
    parse(&fs::read_to_string(path(cluster)).ok()?)
}

/// One value a line: pid, cluster, start time, port, socket directory, listening address, shared memory, status.
fn parse(text: &str) -> Option<PidFile> {
    let mut lines = text.lines();
    let pid = lines.next()?.trim().parse().ok()?;
    let memory = lines.nth(5).unwrap_or_default();
    Some(PidFile {
        pid,
        memory: parse_memory(memory),
        is_ready: lines.next().is_some_and(|status| status.trim() == "ready"),
    })
}

/// `key id`. A key below zero is written as 64 bits without a sign.
fn parse_memory(line: &str) -> Option<Memory> {
    let (key, id) = line.trim().split_once(' ')?;
    let key: u64 = key.parse().ok()?;
    let key = u32::try_from(key & u64::from(u32::MAX)).ok()?;
    Some(Memory {
        key: key.cast_signed(),
        id: id.trim().parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str =
        "812\n/d/postgres\n1700000000\n5432\n/d/run\n\n  1234567        32\nready   \n";

    #[test]
    fn pid_memory_and_status_are_read_from_their_lines() {
        let file = parse(WHOLE).expect("whole");
        assert_eq!(
            (file.pid, file.memory, file.is_ready),
            (
                812,
                Some(Memory {
                    key: 1_234_567,
                    id: 32
                }),
                true
            )
        );
        let high = WHOLE.replace("  1234567 ", "18446744073709551615 ");
        let key = parse(&high).expect("whole").memory.map(|memory| memory.key);
        assert_eq!(key, Some(-1));
        let stopping = parse(&WHOLE.replace("ready   ", "stopping")).expect("whole");
        assert!(!stopping.is_ready);
    }

    #[test]
    fn a_half_written_file_and_that_of_a_single_user_server_name_no_server() {
        assert!(parse("").is_none());
        assert!(parse("-812\n/d/postgres\n").is_none());
        assert!(!parse("812\n/d/postgres\n").expect("a pid").is_ready);
    }
}
