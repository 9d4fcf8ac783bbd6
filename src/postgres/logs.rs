//! The server's log files: keeps their number within bounds, and finds in them why the server ended.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// PostgreSQL begins a new file every day and whenever one reaches this size, but never removes one.
pub(super) const FILE_SIZE_MAX: &str = "10MB";
const FILES_MAX: usize = 20;
const PRUNE_INTERVAL: Duration = Duration::from_mins(1);

/// How much of the end of a file is searched for a reason.
const TAIL_BYTES_MAX: u64 = 64 * 1024;

/// Marks of the lines that tell why something ended, the gravest first; a request to stop is one too.
const COMPLAINTS: [&str; 4] = ["PANIC:", "FATAL:", "error:", "LOG:  received"];

/// What the server says before its log collector runs.
pub(super) const STARTUP_FILE: &str = "startup.log";

/// Keeps removing the oldest files, for as long as it is polled.
pub(super) async fn keep_pruned(log_dir: PathBuf) {
    let mut interval = tokio::time::interval(PRUNE_INTERVAL);
    loop {
        interval.tick().await;
        for old in newest_first(&log_dir).into_iter().skip(FILES_MAX) {
            if let Err(error) = fs::remove_file(&old) {
                tracing::warn!(%error, "could not remove the old log file {}", old.display());
            }
        }
    }
}

/// What the server gave as its reason to end, of what it wrote since `start`.
pub(super) fn reason_since(start: SystemTime, log_dir: &Path) -> String {
    let files = newest_first(log_dir).into_iter().take(1);
    files
        .chain([log_dir.join(STARTUP_FILE)])
        .filter(|file| {
            let changed = fs::metadata(file).and_then(|file| file.modified());
            changed.is_ok_and(|changed| start <= changed)
        })
        .find_map(|file| last_complaint(&tail(&file)?))
        .unwrap_or_else(|| String::from("it gave no reason"))
}

/// What a program that ran to its end gave as its reason to fail: what came first brought on the rest.
pub(super) fn first_complaint(said: &str) -> Option<String> {
    let is_complaint = |line: &&str| COMPLAINTS.iter().any(|mark| line.contains(mark));
    let mut lines = said.lines().filter(|line| !line.trim().is_empty());
    let line = lines.clone().find(is_complaint).or_else(|| lines.next());
    line.map(|line| without_prefix(line).to_owned())
}

/// What a server gave as its reason to end: the gravest that came last, as before it sessions have ended with theirs.
fn last_complaint(log: &str) -> Option<String> {
    let lines = || log.lines().filter(|line| !line.trim().is_empty());
    let line = COMPLAINTS
        .iter()
        .find_map(|mark| lines().rfind(|line| line.contains(mark)))
        // A line without a level is not the server's own, but perhaps the linker's.
        .or_else(|| lines().rfind(|line| !line.contains("LOG:  ") && !line.contains("HINT:  ")));
    line.map(|line| without_prefix(line).to_owned())
}

fn without_prefix(line: &str) -> &str {
    let message = COMPLAINTS.iter().find_map(|mark| line.split_once(mark));
    message.map_or(line, |(_, message)| message).trim()
}

fn newest_first(log_dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(log_dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("postgres-"))
        })
        .collect();
    // The names are dates.
    files.sort();
    files.reverse();
    files
}

fn tail(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(TAIL_BYTES_MAX)))
        .ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_and_latest_line_of_a_log_tells() {
        let log =
            "t FATAL:  role is unknown\nt PANIC:  disk full\nt FATAL:  ended\nt LOG:  shut down\n";
        assert_eq!(last_complaint(log).as_deref(), Some("disk full"));
        let asked = "t LOG:  ready\nt LOG:  received fast shutdown request\nt LOG:  shut down\n";
        let asked = last_complaint(asked);
        assert_eq!(asked.as_deref(), Some("fast shutdown request"));
        let linker = "postgres: cannot open libpq.so\n\n";
        let linker = last_complaint(linker);
        assert_eq!(linker.as_deref(), Some("postgres: cannot open libpq.so"));
        assert_eq!(last_complaint("t LOG:  shut down\n"), None);
    }

    #[test]
    fn the_first_complaint_of_a_program_tells() {
        let said =
            "t [1] FATAL:  disk full\nt [1] PANIC:  cannot abort\ninitdb: removing contents\n";
        assert_eq!(first_complaint(said).as_deref(), Some("disk full"));
        let said = "a warning\ninitdb: error: no such directory\n";
        assert_eq!(first_complaint(said).as_deref(), Some("no such directory"));
        assert_eq!(first_complaint("Aborted\n").as_deref(), Some("Aborted"));
        assert_eq!(first_complaint("\n"), None);
    }

    #[tokio::test]
    async fn only_the_newest_files_are_kept() {
        let directory = tempfile::tempdir().expect("a directory");
        for number in 10..40 {
            let name = format!("postgres-{number}.log");
            fs::write(directory.path().join(name), "").expect("written");
        }
        let pruning = keep_pruned(directory.path().to_owned());
        let _ = tokio::time::timeout(Duration::from_millis(50), pruning).await;
        let kept = newest_first(directory.path());
        assert_eq!(kept.len(), FILES_MAX);
        assert!(
            kept.iter()
                .all(|file| directory.path().join("postgres-19.log") < *file)
        );
    }
}
