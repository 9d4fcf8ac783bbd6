//! What `passbook bench` is asked for.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum, value_parser};

use super::values::{
    Authority, Settings, parse_connections, parse_duration, parse_secret, parse_settings,
    parse_some_duration, parse_url,
};
use crate::app::AppError;
use crate::bench::{Baseline, Case, Load, Plan, Scenario, Size, Target};
use crate::config::ClientArgs;

/// Connections of an open loop, of which each carries one request at a time.
const OPEN_LOOP_CONNECTIONS: usize = 256;
/// Rounds where there are sides to compare.
const COMPARISON_ROUNDS: u32 = 5;
/// Accounts of an almost empty ledger, at most.
const EMPTY_ACCOUNTS_MAX: u64 = 100_000;
/// What it is called in the results.
const EMPTY: &str = "empty";
/// What the default settings are called in the results.
const DEFAULT: &str = "passbook";

const AFTER_HELP: &str = "\
A closed loop (--concurrency) sends the next request on a connection when the answer is there. An open loop (--rate) \
sends when a request is due, whatever the answers take, and measures from that moment. So a stall counts for all who \
came meanwhile. Every write has an Idempotency-Key of its own. Accounts are opened over HTTP first.

Units:
  - latencies: milliseconds
  - processor time of service and PostgreSQL: microseconds for each answer; - if unknown
  - write-ahead log: bytes for each answer; - if unknown
  - per commit: how many writes shared a transaction
  - peak MiB: the most memory that the service has had since it started
  - Bytes per entry (--grow): growth of tables and indexes, for each entry written since
  - database bytes: all of the database, without the write-ahead log

Throughput and costs are of the answers below 500, refusals among them. Failed requests stand beside them, and are in \
the latencies. They are those answered 5xx, 'disconnected' ones without an answer, and 'unsent' ones. An open loop \
gives the latter up 30 s after its end. Their latencies are the time that they had waited, which is a lower bound.

Last comes the audit. It is that of 'passbook verify', and it holds each write against its answer, key by key. A write \
is there once if it was acknowledged, and not at all if it was refused or never sent. A failed one may be there or \
not. What others write meanwhile does not matter.

Exit code 1 means that the books are not in balance, that a write is not there as promised, or that withdraw-10k was \
not answered exactly as it has to be. Failed requests alone do not change it. PASSBOOK_PG_BIN_DIR is passed on. \
pgbench has a load of its own: 16 connections for spread, 2 for hot with 500 withdrawals a statement, 1 for one.

  passbook bench withdraw-10k
  passbook bench spread --concurrency 256 --compare batch_size_max=1,lanes=16
  passbook bench one --against pgbench
  passbook bench spread,hot,reads,history --accounts 1000000 --grow 20000000 --concurrency 256 --against empty
  passbook bench transfers --zipf --rate 1000,5000,10000 --plot transfers.svg";

/// What to measure, on what.
#[derive(Args, Clone, Debug)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct BenchArgs {
    /// What the clients do; several as a list with commas, but not withdraw-10k, transfers and signin
    #[arg(value_enum, value_name = "SCENARIO", required = true, action = ArgAction::Set, num_args = 1, value_delimiter = ',')]
    scenarios: Vec<Scenario>,

    /// A service that runs already [default: one of its own, on a new embedded database that is removed at the end]
    #[arg(long, value_name = "URL", value_parser = parse_url, conflicts_with_all = ["compare", "against", "temp_dir"], help_heading = "Target")]
    url: Option<Authority>,

    #[command(flatten)]
    client: ClientArgs,

    /// Its database, to audit the books and to count what is written
    #[arg(long, value_name = "URL", requires = "url", help_heading = "Target")]
    database_url: Option<String>,

    /// The directory for the new database, with 4 GiB free for each side, and 1 GiB for each million of `--grow`
    /// [default: that of temporary files]
    #[arg(long, value_name = "DIR", help_heading = "Target")]
    pub(super) temp_dir: Option<PathBuf>,

    /// Keep-alive connections, one number after the other [default: 1,16,64,256; signin 1,4; with --rate 256]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = parse_connections, help_heading = "Load")]
    concurrency: Vec<usize>,

    /// Requests that arrive in a second, one number after the other: an open loop
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = value_parser!(u32).range(1..=1_000_000), help_heading = "Load")]
    rate: Vec<u32>,

    /// Accounts to choose from, 2 to 10000000
    #[arg(long, value_name = "COUNT", default_value_t = 100_000, value_parser = value_parser!(u64).range(2..=10_000_000), help_heading = "Load")]
    accounts: u64,

    /// Withdrawals to write over all accounts before the first measurement, at most 1000000000; says the speed and the disk used
    #[arg(long, value_name = "COUNT", default_value_t = 0, value_parser = value_parser!(u64).range(..=1_000_000_000), help_heading = "Load")]
    grow: u64,

    /// Choose some accounts far more often than others (transfers)
    #[arg(long, help_heading = "Load")]
    zipf: bool,

    /// Time under load before each measurement: 500ms, 2s, 1m
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_duration, help_heading = "Load")]
    warm_up: Duration,

    /// Time of each measurement: 500ms, 10s, 1m; at most 1h
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_some_duration, help_heading = "Load")]
    duration: Duration,

    /// How often everything is measured, all sides in turns [default: 1; with --compare or --against 5]
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u32).range(1..=1000), help_heading = "Comparison")]
    rounds: Option<u32>,

    /// A second service with other settings of serve, such as batch-size-max=1,lanes=16
    #[arg(long, value_name = "SETTINGS", value_parser = parse_settings, help_heading = "Comparison")]
    compare: Option<Settings>,

    /// Something else than a service of the same size
    #[arg(long, value_enum, value_name = "OTHER", help_heading = "Comparison")]
    against: Option<Against>,

    /// Print one JSON object instead of a table
    #[arg(long, help_heading = "Output")]
    pub(super) json: bool,

    /// Write latency and throughput against load to a file, as SVG
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) plot: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Against {
    /// PostgreSQL alone, under its own load generator, found beside the server's other programs (spread, hot or one)
    Pgbench,
    /// A service with as many accounts, but 100000 at most, that did not grow
    Empty,
}

/// A service to start: what it is called, and its flags.
pub(super) struct Starting {
    pub name: String,
    pub flags: Vec<String>,
    pub size: Size,
}

impl BenchArgs {
    /// # Errors
    /// Where what is asked does not go together.
    pub(super) fn plan(&self) -> Result<Plan, AppError> {
        self.check_scenarios()?;
        let cases = self.scenarios.iter().map(|scenario| self.cases(*scenario));
        let cases = cases.collect::<Result<Vec<_>, _>>()?.concat();
        let has_sides = self.compare.is_some() || self.against.is_some();
        Ok(Plan {
            cases,
            zipf: self.zipf,
            warm_up: self.warm_up,
            duration: self.duration,
            rounds: self
                .rounds
                .unwrap_or(if has_sides { COMPARISON_ROUNDS } else { 1 }),
            baseline: match self.against {
                Some(Against::Pgbench) => Some(self.baseline()?),
                Some(Against::Empty) | None => None,
            },
        })
    }

    /// The service that runs already, if one was named.
    ///
    /// # Errors
    /// Where it cannot be reached.
    pub(super) async fn target(&self) -> Result<Option<Target>, AppError> {
        let Some(Authority(authority)) = &self.url else {
            return Ok(None);
        };
        let secret = self.client.api_key.as_deref().map(parse_secret).transpose();
        let secret = secret.map_err(AppError::Contradiction)?;
        let database_url = self.database_url.clone();
        let target = Target::reach(DEFAULT, authority, secret, database_url, self.size()).await?;
        Ok(Some(target))
    }

    /// The services to start, where none was named.
    pub(super) fn starting(&self) -> Vec<Starting> {
        let size = self.size();
        let default = Starting {
            name: DEFAULT.to_owned(),
            flags: Vec::new(),
            size,
        };
        let changed = self.compare.iter().map(|settings| Starting {
            name: settings.text.clone(),
            flags: settings.flags.clone(),
            size,
        });
        let empty = match self.against {
            Some(Against::Empty) => Some(Starting {
                name: EMPTY.to_owned(),
                flags: Vec::new(),
                size: Size {
                    accounts: self.accounts.min(EMPTY_ACCOUNTS_MAX),
                    grow: 0,
                },
            }),
            Some(Against::Pgbench) | None => None,
        };
        [default].into_iter().chain(changed).chain(empty).collect()
    }

    fn size(&self) -> Size {
        Size {
            accounts: self.accounts,
            grow: self.grow,
        }
    }

    /// Whether they go together, and with what is asked besides.
    fn check_scenarios(&self) -> Result<(), AppError> {
        let alone = self
            .scenarios
            .iter()
            .find(|scenario| !scenario.is_over_users());
        let has = |scenario| self.scenarios.contains(&scenario);
        if let (Some(alone), [_, _, ..]) = (alone, &self.scenarios[..]) {
            let name = alone.name();
            return Err(contradiction(&format!(
                "{name} has accounts of its own: measure it alone"
            )));
        }
        if let (Some(alone), 1..) = (alone, self.grow) {
            let name = alone.name();
            return Err(contradiction(&format!(
                "--grow is for scenarios over users, not for {name}"
            )));
        }
        if self.zipf && !has(Scenario::Transfers) {
            return Err(contradiction("--zipf is for transfers"));
        }
        let over_ids = self
            .scenarios
            .iter()
            .find(|scenario| scenario.is_over_ids());
        if let Some(scenario) = over_ids
            && self.url.is_some()
            && self.database_url.is_none()
        {
            let name = scenario.name();
            return Err(contradiction(&format!(
                "{name} looks the accounts up: with --url it needs --database-url"
            )));
        }
        Ok(())
    }

    /// A scenario under each of its loads.
    fn cases(&self, scenario: Scenario) -> Result<Vec<Case>, AppError> {
        let loads = self.loads(scenario)?.into_iter();
        Ok(loads.map(|load| Case { scenario, load }).collect())
    }

    fn loads(&self, scenario: Scenario) -> Result<Vec<Load>, AppError> {
        if scenario.is_fixed() && !(self.concurrency.is_empty() && self.rate.is_empty()) {
            let name = scenario.name();
            return Err(contradiction(&format!(
                "{name} has a load of its own: no --concurrency, no --rate"
            )));
        }
        if self.rate.is_empty() {
            let connections = match &self.concurrency[..] {
                [] => scenario.connections(),
                given => given,
            };
            let closed = |connections: &usize| Load {
                connections: *connections,
                per_s: None,
            };
            return Ok(connections.iter().map(closed).collect());
        }
        let connections = match self.concurrency[..] {
            [] => OPEN_LOOP_CONNECTIONS,
            [connections] => connections,
            [_, _, ..] => return Err(contradiction("with --rate, --concurrency is one number")),
        };
        let open = |per_s: &u32| Load {
            connections,
            per_s: Some(*per_s),
        };
        Ok(self.rate.iter().map(open).collect())
    }

    fn baseline(&self) -> Result<Baseline, AppError> {
        let refused = || contradiction("--against pgbench is for one of spread, hot and one");
        let [scenario] = self.scenarios[..] else {
            return Err(refused());
        };
        match scenario {
            Scenario::Spread => Ok(Baseline::Spread),
            Scenario::Hot => Ok(Baseline::Hot),
            Scenario::One => Ok(Baseline::One),
            Scenario::Withdraw10k
            | Scenario::Transfers
            | Scenario::Mixed
            | Scenario::RetryStorm
            | Scenario::Reads
            | Scenario::History
            | Scenario::Transactions
            | Scenario::Postings
            | Scenario::Holds
            | Scenario::SignIn => Err(refused()),
        }
    }
}

fn contradiction(what: &str) -> AppError {
    AppError::Contradiction(what.to_owned())
}
