//! One side of a benchmark: a service, what was opened on it, and what was counted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::case::{Case, Load, Scenario};
use super::error::Error;
use super::load::{self, Length};
use super::outcome::{Books, Figure, Measurement};
use super::plan::Plan;
use super::popularity::Popularity;
use super::processes::{self, MachineTime, stolen_percent};
use super::progress::{Progress, Watch};
use super::requests::{Requests, What};
use super::scenario::{
    ACCEPTANCE_AMOUNT, ACCEPTANCE_BALANCE, ACCEPTANCE_REQUESTS, ACCEPTANCE_SUCCESSES, Accounts,
    Opening,
};
use super::summary::{Usage, costs, summarise};
use super::target::{Size, Target};
use super::writes::{self, Promises, Runs};
use crate::service::audit;
use crate::storage::statistics::{self, DiskUsage};
use crate::storage::{Connection, connection};

/// How often the watcher is told.
const TELL_INTERVAL: Duration = Duration::from_millis(200);
/// Users whose accounts are looked up at once.
const LOOK_UP_MAX: usize = 100_000;
/// What goes to the write-ahead log at most, in bytes: in a second under load, and with an account that is opened.
const LOG_BYTES_PER_S: u64 = 32 << 20;
const LOG_BYTES_PER_ACCOUNT: u64 = 2_000;
/// How much of the log is made beforehand at most, in bytes.
const LOG_BYTES_MAX: u64 = 1 << 30;
/// Connections of the audit at the end.
const AUDIT_JOBS: usize = 2;

/// A service under measurement.
pub(super) struct Side<'p> {
    plan: &'p Plan,
    pub(super) target: &'p Target,
    database: Option<Connection>,
    pub(super) accounts: Accounts,
    /// What was sent so far.
    runs: Runs,
    /// What is going on, for who watches.
    pub(super) step: String,
}

impl<'p> Side<'p> {
    /// Opens all accounts; before, makes the log of a new database as long as the measurements need it.
    ///
    /// # Errors
    /// Where that is not possible.
    pub(super) async fn prepare(
        plan: &'p Plan,
        target: &'p Target,
        watch: &Watch<'_>,
    ) -> Result<Self, Error> {
        let database = target.connect().await?;
        let Size { accounts, .. } = target.size;
        let popularity = if plan.zipf {
            Popularity::zipf(accounts)
        } else {
            Popularity::Uniform { accounts }
        };
        let nothing = Accounts {
            users: Arc::new([]),
            first: Arc::new([]),
            ids: Arc::new([]),
            prefix: fastrand::u64(..),
            popularity: Arc::new(popularity),
        };
        let mut side = Self {
            plan,
            target,
            database,
            accounts: nothing,
            runs: Runs::new(),
            step: "opening accounts".to_owned(),
        };
        side.lay_in_log(watch).await?;
        side.open_accounts(watch).await?;
        Ok(side)
    }

    pub(super) fn name(&self) -> &str {
        &self.target.name
    }

    /// One round of one case; the second is what was not as it has to be.
    ///
    /// # Errors
    /// Where the service or its database went away.
    pub(super) async fn measure(
        &mut self,
        case: Case,
        step: &str,
        watch: &Watch<'_>,
    ) -> Result<(Measurement, Option<String>), Error> {
        step.clone_into(&mut self.step);
        let Case { scenario, load } = case;
        let what = scenario.requests(&self.accounts);
        // Nothing of the warm-up is under way any more when the figures begin, so all of them are about the same requests.
        let warm_up = Length::Time(self.plan.warm_up);
        self.run(what.clone(), load, warm_up, watch).await?;
        if scenario == Scenario::Withdraw10k {
            return self.accept(load, watch).await;
        }
        let length = Length::Time(self.plan.duration);
        let (measurement, _) = self.run(what, load, length, watch).await?;
        Ok((measurement, None))
    }

    /// The audit, and whether each write is there as often as its answers promised.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub(super) async fn audit(mut self, watch: &Watch<'_>) -> Result<Option<Books>, Error> {
        let (Some(database), Some(mut connection)) =
            (self.target.database()?, self.database.take())
        else {
            return Ok(None);
        };
        let settings = audit::Settings {
            jobs: AUDIT_JOBS,
            pages: audit::Pages::default(),
            extent: audit::Extent::Everything(None),
        };
        let side = &self.target.name;
        let began = Instant::now();
        let tell = |step, completed| {
            watch(Progress {
                side,
                step,
                completed,
                elapsed: began.elapsed(),
            });
        };
        let audited = audit::run(&database, settings, |report, _| {
            tell("auditing the entries", report.entries);
        });
        let report = audited.await?.report;
        let tell = |keys| tell("auditing the keys", keys);
        writes::look_up(&mut connection, &mut self.runs, tell).await?;
        connection::close(connection).await;
        let mut promises = Promises::default();
        for writes in self.runs.values() {
            promises.add(writes.compare());
        }
        Ok(Some(Books {
            name: self.target.name.clone(),
            accounts: report.accounts,
            entries: report.entries,
            in_balance: report.is_clean(),
            promises,
        }))
    }

    /// Of a database of our own alone. It would make each segment of its log while everyone waits, and one that has run for a
    /// while uses those again that it has.
    async fn lay_in_log(&mut self, watch: &Watch<'_>) -> Result<(), Error> {
        if let (Some(database), Some(_)) = (&mut self.database, self.target.process) {
            watch(Progress {
                side: &self.target.name,
                step: "laying in write-ahead log",
                completed: 0,
                elapsed: Duration::ZERO,
            });
            let bytes = log_bytes(self.plan, self.target.size);
            statistics::lay_in_log(database, bytes).await?;
        }
        Ok(())
    }

    /// All that the scenarios need: they are of one kind, so the largest of their openings is enough for each.
    async fn open_accounts(&mut self, watch: &Watch<'_>) -> Result<(), Error> {
        let (plan, size, prefix) = (self.plan, self.target.size, self.accounts.prefix);
        let scenarios = || plan.cases.iter().map(|case| case.scenario);
        let openings = scenarios().map(|scenario| scenario.opening(size, prefix));
        if let Some(opening) = openings.max_by_key(|opening| opening.count) {
            let users = self.open(opening, watch).await?;
            self.accounts.first = users.first().copied().into_iter().collect();
            self.accounts.users = users.into();
        }
        if scenarios().any(Scenario::is_over_ids) {
            self.accounts.ids = self.look_up_accounts().await?.into();
        }
        Ok(())
    }

    /// Ten thousand withdrawals of 2 from 10000, at once.
    async fn accept(
        &mut self,
        load: Load,
        watch: &Watch<'_>,
    ) -> Result<(Measurement, Option<String>), Error> {
        let one = Load {
            connections: 1,
            per_s: None,
        };
        let opening = Opening {
            what: What::OpenUser {
                balance: ACCEPTANCE_BALANCE,
            },
            count: 1,
            load: one,
        };
        let users: Arc<[i64]> = self.open(opening, watch).await?.into();
        let what = What::Withdraw {
            users,
            amount: ACCEPTANCE_AMOUNT,
            copies: 1,
        };
        let length = Length::Requests(ACCEPTANCE_REQUESTS);
        let (measurement, _) = self.run(what, load, length, watch).await?;
        let refused = ACCEPTANCE_REQUESTS.saturating_sub(ACCEPTANCE_SUCCESSES);
        let is_exact = measurement.successes == ACCEPTANCE_SUCCESSES
            && measurement.refusals == BTreeMap::from([(400, refused)])
            && measurement.errors.is_empty();
        let violation = (!is_exact).then(|| {
            format!(
                "{}: {} withdrawals accepted, refused {:?}, failed {:?}, instead of {ACCEPTANCE_SUCCESSES} accepted and \
                 {refused} refused",
                self.name(),
                measurement.successes,
                measurement.refusals,
                measurement.errors
            )
        });
        Ok((measurement, violation))
    }

    /// Opens so many, all of which must succeed; their ids, where they are users.
    async fn open(&mut self, opening: Opening, watch: &Watch<'_>) -> Result<Vec<i64>, Error> {
        let Opening { what, count, load } = opening;
        let length = Length::Requests(count);
        let (measurement, opened) = self.run(what, load, length, watch).await?;
        if measurement.successes == count {
            return Ok(opened);
        }
        let Measurement {
            refusals, errors, ..
        } = measurement;
        Err(Error::Preparation(format!(
            "{} of {count} were opened; refused {refusals:?}, failed {errors:?}",
            measurement.successes
        )))
    }

    /// The accounts of all users.
    async fn look_up_accounts(&mut self) -> Result<Vec<i64>, Error> {
        let no_database = || Error::Preparation("history needs the database".to_owned());
        let database = self.database.as_mut().ok_or_else(no_database)?;
        let users = &self.accounts.users;
        let mut ids = Vec::with_capacity(users.len());
        for users in users.chunks(LOOK_UP_MAX) {
            ids.extend(statistics::list_accounts_of(database, users).await?);
        }
        if ids.len() == users.len() {
            return Ok(ids);
        }
        let (found, count) = (ids.len(), users.len());
        Err(Error::Preparation(format!(
            "{found} of {count} were found; is this the database of the service?"
        )))
    }

    /// Puts on a load, and measures what it costs; the second are the ids of users that it opened.
    pub(super) async fn run(
        &mut self,
        what: What,
        load: Load,
        length: Length,
        watch: &Watch<'_>,
    ) -> Result<(Measurement, Vec<i64>), Error> {
        let requests = Requests::new(&self.target.authority, self.target.secret.as_ref(), what);
        let run = requests.run();
        let before = self.usage().await?;
        let machine_before = MachineTime::now();
        let mut running = load::start(self.target, requests, load, length).await?;
        loop {
            match timeout(TELL_INTERVAL, running.ended()).await {
                Ok(ended) => break ended?,
                Err(_) => watch(Progress {
                    side: self.name(),
                    step: &self.step,
                    completed: running.completed(),
                    elapsed: running.elapsed(),
                }),
            }
        }
        let machine_after = MachineTime::now();
        let after = self.usage().await?;
        let began = running.began();
        let tally = running.into_tally();
        let mut measurement = summarise(&tally, began);
        measurement.stolen_percent = stolen_percent(machine_before, machine_after);
        measurement.figures.extend(costs(before, after, &tally));
        let memory_peak = self.target.process.and_then(processes::memory_peak_kib);
        if let Some(peak_kib) = memory_peak {
            let peak_mib = peak_kib as f64 / 1_024.0;
            measurement.figures.insert(Figure::Memory, peak_mib);
        }
        self.runs.insert(run, tally.writes);
        Ok((measurement, tally.opened))
    }

    pub(super) async fn disk_usage(&mut self) -> Result<Option<DiskUsage>, Error> {
        Ok(match &mut self.database {
            Some(database) => Some(statistics::fetch_disk_usage(database).await?),
            None => None,
        })
    }

    async fn usage(&mut self) -> Result<Usage, Error> {
        let counters = match &mut self.database {
            Some(database) => Some(statistics::fetch_counters(database).await?),
            None => None,
        };
        Ok(Usage {
            processor: self.target.process.and_then(processes::processor_time),
            counters,
        })
    }
}

/// What a side writes to the log while it is measured, as far as it is made beforehand.
fn log_bytes(plan: &Plan, size: Size) -> i64 {
    let turn = plan.warm_up.saturating_add(plan.duration);
    let turns = u64::from(plan.rounds).saturating_mul(plan.cases.len() as u64);
    let seconds = turn.as_secs_f64().ceil() as u64;
    let load = seconds
        .saturating_mul(turns)
        .saturating_mul(LOG_BYTES_PER_S);
    let opening = size.accounts.saturating_mul(LOG_BYTES_PER_ACCOUNT);
    load.saturating_add(opening)
        .min(LOG_BYTES_MAX)
        .cast_signed()
}
