//! PostgreSQL alone, under its own `pgbench`: what there would be without the service.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::fs;
use tokio::process::Command;

use super::error::Error;
use super::outcome::{Figure, Measurement};
use super::processes::{MachineTime, stolen_percent};
use super::target::Target;
use crate::storage::connection;
use crate::storage::statistics;

const SETUP: &str = include_str!("pgbench/setup.sql");
const SINGLE: &str = include_str!("pgbench/single.sql");
const GROUPED: &str = include_str!("pgbench/grouped.sql");

/// How the same work is put to PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// A statement for each withdrawal, from any account, over 16 connections.
    Spread,
    /// A statement for 500 withdrawals, all from one account, over 2 connections.
    Hot,
    /// A statement for each withdrawal, over one connection.
    One,
}

/// pgbench with tables of its own beside those of the service.
pub(super) struct Pgbench {
    baseline: Baseline,
    program: String,
    url: String,
    accounts: u64,
    directory: tempfile::TempDir,
}

impl Baseline {
    /// What it is called in the results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Spread => "pgbench -c 16",
            Self::Hot => "pgbench -c 2, 500 in a statement",
            Self::One => "pgbench -c 1",
        }
    }

    fn connections(self) -> u32 {
        match self {
            Self::Spread => 16,
            Self::Hot => 2,
            Self::One => 1,
        }
    }

    fn script(self) -> &'static str {
        match self {
            Self::Spread | Self::One => SINGLE,
            Self::Hot => GROUPED,
        }
    }

    fn withdrawals(self) -> u64 {
        match self {
            Self::Spread | Self::One => 1,
            Self::Hot => 500,
        }
    }
}

impl Pgbench {
    /// Makes and fills the tables.
    ///
    /// # Errors
    /// Where the target's database is not to be asked, or pgbench cannot be run.
    pub(super) async fn prepare(
        baseline: Baseline,
        target: &Target,
        accounts: u64,
    ) -> Result<Self, Error> {
        let no_database = || failed("it needs the database of the service");
        let database = target.database()?.ok_or_else(no_database)?;
        let mut asking = target.connect().await?.ok_or_else(no_database)?;
        let bin_dir = statistics::fetch_bin_dir(&mut asking).await?;
        connection::close(asking).await;
        let directory = tempfile::tempdir().map_err(|error| failed(&error))?;
        let pgbench = Self {
            baseline,
            program: format!("{bin_dir}/pgbench"),
            url: database.url().to_owned(),
            accounts,
            directory,
        };
        let setup = ["-M", "simple", "-c", "1", "-t", "1"];
        pgbench.run(SETUP, &setup.map(str::to_owned)).await?;
        Ok(pgbench)
    }

    /// One run, of whole seconds, warmed up like the services.
    ///
    /// # Errors
    /// Where pgbench fails.
    pub(super) async fn measure(
        &self,
        warm_up: Duration,
        duration: Duration,
    ) -> Result<Measurement, Error> {
        if 0 < warm_up.as_secs() {
            let flags = self.flags(warm_up);
            self.run(self.baseline.script(), &flags).await?;
        }
        let prefix = self.directory.path().join("latencies");
        let mut flags = self.flags(duration);
        flags.extend([
            "-l".to_owned(),
            format!("--log-prefix={}", prefix.display()),
        ]);
        let machine_before = MachineTime::now();
        let said = self.run(self.baseline.script(), &flags).await?;
        let machine_after = MachineTime::now();
        let latencies_us = take_latencies(self.directory.path()).await;
        let latencies_us = latencies_us.map_err(|error| failed(&error))?;
        let statements_per_s = said.lines().find_map(|line| {
            let rate = line.strip_prefix("tps = ")?;
            rate.split_whitespace().next()?.parse::<f64>().ok()
        });
        let statements_per_s =
            statements_per_s.ok_or_else(|| failed("it does not say how many it did"))?;
        let withdrawals = self.baseline.withdrawals();
        let statements = latencies_us.len() as u64;
        let mut measurement = Measurement {
            requests: statements.saturating_mul(withdrawals),
            successes: statements.saturating_mul(withdrawals),
            stolen_percent: stolen_percent(machine_before, machine_after),
            ..Measurement::default()
        };
        let per_s = statements_per_s * withdrawals as f64;
        measurement.figures.insert(Figure::RequestsPerS, per_s);
        if 1 < withdrawals {
            // How long a statement takes that does so many says nothing of one.
            return Ok(measurement);
        }
        for (figure, quantile) in Figure::QUANTILES {
            let index = (quantile * statements as f64) as usize;
            let last = latencies_us.len().saturating_sub(1);
            if let Some(latency_us) = latencies_us.get(index.min(last)) {
                measurement
                    .figures
                    .insert(figure, *latency_us as f64 / 1_000.0);
            }
        }
        Ok(measurement)
    }

    fn flags(&self, time: Duration) -> Vec<String> {
        let connections = self.baseline.connections();
        let (threads, seconds) = (connections.min(2), time.as_secs().max(1));
        let flags = format!("-M prepared -c {connections} -j {threads} -T {seconds}");
        flags.split(' ').map(str::to_owned).collect()
    }

    async fn run(&self, script: &str, flags: &[String]) -> Result<String, Error> {
        let file = self.directory.path().join("script.sql");
        let written = fs::write(&file, script).await;
        written.map_err(|error| failed(&error))?;
        let output = Command::new(&self.program)
            .arg("-n")
            .args(flags)
            .arg("-D")
            .arg(format!("accounts={}", self.accounts))
            .arg("-f")
            .arg(&file)
            .arg(&self.url)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| failed(&format!("{}: {error}", self.program)))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let complaint = said.lines().find(|line| line.contains("error"));
        Err(failed(complaint.unwrap_or(said.trim())))
    }
}

/// All latencies in pgbench's logs, sorted, which are removed.
async fn take_latencies(directory: &Path) -> std::io::Result<Vec<u64>> {
    let mut latencies_us = Vec::new();
    let mut files = fs::read_dir(directory).await?;
    while let Some(file) = files.next_entry().await? {
        if !file.file_name().to_string_lossy().starts_with("latencies.") {
            continue;
        }
        let text = fs::read_to_string(file.path()).await?;
        // client, transaction number, latency in microseconds, …
        let third = |line: &str| line.split_whitespace().nth(2)?.parse::<u64>().ok();
        latencies_us.extend(text.lines().filter_map(third));
        fs::remove_file(file.path()).await?;
    }
    latencies_us.sort_unstable();
    Ok(latencies_us)
}

fn failed(reason: &(impl std::fmt::Display + ?Sized)) -> Error {
    Error::Pgbench(reason.to_string())
}
