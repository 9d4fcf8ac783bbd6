//! Reads `postmaster.pid`, in which PostgreSQL says which process runs a cluster.

use std::fs;
use std::path::{Path, PathBuf};

/// What we use of the file.
#[derive(Debug)]
pub(super) struct PidFile {
    pub(super) pid: u32,
    /// The id of the System V shared memory segment that all processes of the server hold on to.
    pub(super) memory_id: Option<u64>,
    /// PostgreSQL writes `ready` when it accepts connections.
    pub(super) is_ready: bool,
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
        memory_id: memory
            .split_whitespace()
            .nth(1)
            .and_then(|id| id.parse().ok()),
        is_ready: lines.next().is_some_and(|status| status.trim() == "ready"),
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
            (file.pid, file.memory_id, file.is_ready),
            (812, Some(32), true)
        );
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
