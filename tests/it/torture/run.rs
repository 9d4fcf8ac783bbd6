//! One run of a scenario: its seed and length, what it counted, and where it keeps what is wanted after a failure.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde::Serialize;

/// How often a scenario says how far it is.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);

/// What a scenario is given, and what it counts.
pub(super) struct Run {
    scenario: &'static str,
    seed: u64,
    /// How many times as much as in the shortest run.
    length: u64,
    pub(super) rng: Rng,
    tally: BTreeMap<String, u64>,
    began: Instant,
    said: Instant,
}

/// What a run leaves in `report.jsonl`.
#[derive(Serialize)]
struct Report<'r> {
    scenario: &'r str,
    seed: u64,
    length: u64,
    seconds: u64,
    tally: &'r BTreeMap<String, u64>,
}

impl Run {
    /// As the environment says it; without, short and with a seed that nobody chose.
    pub(super) fn of(scenario: &'static str) -> Self {
        let number = |name: &str| {
            let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
            Some(
                text.parse()
                    .unwrap_or_else(|error| panic!("{name}={text}: {error}")),
            )
        };
        let seed = number("TORTURE_SEED").unwrap_or_else(|| fastrand::u64(1..1_000_000));
        let run = Self {
            scenario,
            seed,
            length: number("TORTURE_LENGTH").unwrap_or(1),
            rng: Rng::with_seed(seed),
            tally: BTreeMap::new(),
            began: Instant::now(),
            said: Instant::now(),
        };
        run.say(&format!("begins, {} times the shortest", run.length));
        run
    }

    /// How many of something that the shortest run does so many of.
    pub(super) fn times(&self, shortest: u64) -> u64 {
        shortest * self.length
    }

    /// The same of what is counted otherwise.
    pub(super) fn number(&self, shortest: u64) -> usize {
        usize::try_from(self.times(shortest)).expect("small")
    }

    pub(super) fn count(&mut self, what: impl Into<String>, number: u64) {
        *self.tally.entry(what.into()).or_default() += number;
    }

    /// Keeps the largest.
    pub(super) fn raise(&mut self, what: impl Into<String>, number: u64) {
        let largest = self.tally.entry(what.into()).or_default();
        *largest = number.max(*largest);
    }

    /// Says now and then how far the run is.
    pub(super) fn progress(&mut self, done: u64, all: u64) {
        if PROGRESS_INTERVAL <= self.said.elapsed() {
            self.said = Instant::now();
            let operations = self.tally.get("operations checked").unwrap_or(&0);
            self.say(&format!(
                "{done} of {all} rounds, {operations} operations checked"
            ));
        }
    }

    /// Fails with the history on disk, if anything is not as it was told.
    pub(super) fn judge(&self, findings: &[String], history: &str) {
        if findings.is_empty() {
            return;
        }
        let kept = self.keep();
        fs::write(kept.join("history.jsonl"), history).expect("written");
        fs::write(kept.join("findings.txt"), findings.join("\n")).expect("written");
        panic!(
            "{} violations; the history and all of them are in {}; again: {}\n{}",
            findings.len(),
            kept.display(),
            self.replay(),
            findings[..findings.len().min(10)].join("\n")
        );
    }

    /// Where to keep what a failure leaves behind.
    fn keep(&self) -> PathBuf {
        let directory = self.keep_at("");
        fs::create_dir_all(&directory).expect("a directory");
        directory
    }

    /// A place there, for what may be wanted.
    pub(super) fn keep_at(&self, name: &str) -> PathBuf {
        home()
            .join(format!(
                "{}-seed-{}",
                self.scenario.replace("::", "-"),
                self.seed
            ))
            .join(name)
    }

    /// How to see the same again, as far as the choices go: the interleaving is the machine's.
    pub(super) fn replay(&self) -> String {
        format!(
            "make torture FAULT={} SEED={} LENGTH={}",
            self.scenario, self.seed, self.length
        )
    }

    /// Says what was done, and writes it down.
    pub(super) fn end(self) {
        let counted = self
            .tally
            .iter()
            .map(|(what, number)| format!("{number} {what}"));
        self.say(&counted.collect::<Vec<_>>().join(", "));
        let report = Report {
            scenario: self.scenario,
            seed: self.seed,
            length: self.length,
            seconds: self.began.elapsed().as_secs(),
            tally: &self.tally,
        };
        let line = serde_json::to_string(&report).expect("plain values") + "\n";
        fs::create_dir_all(home()).expect("a directory");
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(home().join("report.jsonl"))
            .expect("a report");
        file.write_all(line.as_bytes()).expect("written");
    }

    #[expect(
        clippy::print_stderr,
        reason = "the test runner shows it on demand, and `make torture` demands it"
    )]
    fn say(&self, what: &str) {
        let seconds = self.began.elapsed().as_secs();
        eprintln!(
            "torture: {} (seed {}) {seconds} s: {what}",
            self.scenario, self.seed
        );
    }
}

fn home() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target"),
        PathBuf::from,
    );
    target.join("torture")
}
