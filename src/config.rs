//! Every setting, read once: from flags, the environment and `.env`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::builder::{BoolishValueParser, Resettable};
use clap::{Arg, Args, Command, ValueEnum, value_parser};
use thiserror::Error;

use crate::engine;
use crate::http::settings::{Host, Mode, Origin};
use crate::ledger::CurrencyCode;

/// Where the service listens if nobody says so, on 127.0.0.1.
const PORT: u16 = 3000;

/// The command without those of its variables that are empty: such a setting is not set.
#[must_use]
pub fn without_empty(command: Command) -> Command {
    let set = |arg: Arg| match arg.get_env().map(std::env::var_os) {
        Some(Some(value)) if value.is_empty() => arg.env(Resettable::Reset),
        _ => arg,
    };
    command.mut_args(set).mut_subcommands(without_empty)
}

/// Which database, and how much it is trusted.
#[derive(Args, Clone, Debug)]
pub struct DatabaseArgs {
    /// PostgreSQL to keep the ledger in [default: an embedded, private one]
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "URL",
        hide_env_values = true,
        help_heading = "Database"
    )]
    pub database_url: Option<String>,

    /// The same database as the role that owns its tables, which migrates it; the service runs as the role of
    /// --database-url [default: DATABASE_URL]
    #[arg(
        long,
        env = "PASSBOOK_OWNER_URL",
        value_name = "URL",
        hide_env_values = true,
        requires = "database_url",
        help_heading = "Database"
    )]
    pub owner_url: Option<String>,

    /// Directory of the embedded PostgreSQL's data [default: /var/lib/passbook for root, else ~/.local/share/passbook]
    #[arg(
        long,
        env = "PASSBOOK_DATA_DIR",
        value_name = "DIR",
        help_heading = "Database"
    )]
    pub data_dir: Option<PathBuf>,

    /// Directory of PostgreSQL's programs [default: searched for in the usual places]
    #[arg(
        long,
        env = "PASSBOOK_PG_BIN_DIR",
        value_name = "DIR",
        help_heading = "Database"
    )]
    pub pg_bin_dir: Option<PathBuf>,

    /// Accept a PostgreSQL that may lose money it acknowledged (fsync off and the like); for experiments only
    #[arg(
        long, env = "PASSBOOK_ALLOW_UNSAFE_DURABILITY", value_name = "BOOL", help_heading = "Database",
        default_value = "false", default_missing_value = "true", num_args = 0..=1, value_parser = BoolishValueParser::new()
    )]
    pub allow_unsafe_durability: bool,
}

/// Where traces go: OpenTelemetry's own settings under its own names. Of the others, the SDK reads what it knows by itself.
#[derive(Args, Clone, Debug)]
pub struct TraceArgs {
    /// Collector to send traces to by OTLP over HTTP; /v1/traces is added to it [default: none, and no traces]
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        value_name = "URL",
        hide_env_values = true,
        help_heading = "Traces"
    )]
    pub otlp_endpoint: Option<String>,

    /// The same for traces alone, as a whole URL to which nothing is added
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        value_name = "URL",
        hide_env_values = true,
        help_heading = "Traces"
    )]
    pub otlp_traces_endpoint: Option<String>,

    /// Headers for the collector, as name=value,name=value
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_HEADERS",
        value_name = "LIST",
        hide_env_values = true,
        help_heading = "Traces"
    )]
    pub otlp_headers: Option<String>,

    /// How to speak to the collector; only http/protobuf is known [default: http/protobuf]
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_PROTOCOL",
        value_name = "PROTOCOL",
        help_heading = "Traces"
    )]
    pub otlp_protocol: Option<String>,

    /// otlp, or none to send no traces [default: otlp]
    #[arg(
        long,
        env = "OTEL_TRACES_EXPORTER",
        value_name = "EXPORTER",
        help_heading = "Traces"
    )]
    pub traces_exporter: Option<String>,

    /// Which requests are traced, by OpenTelemetry's name of a sampler [default: all, but those whose caller does not trace them]
    #[arg(
        long,
        env = "OTEL_TRACES_SAMPLER",
        value_name = "SAMPLER",
        help_heading = "Traces"
    )]
    pub traces_sampler: Option<String>,

    /// Share of requests that traceidratio takes, 0 to 1 [default: 1]
    #[arg(
        long,
        env = "OTEL_TRACES_SAMPLER_ARG",
        value_name = "RATIO",
        help_heading = "Traces"
    )]
    pub traces_sampler_arg: Option<String>,

    /// Name of the service in traces [default: passbook]
    #[arg(
        long,
        env = "OTEL_SERVICE_NAME",
        value_name = "NAME",
        help_heading = "Traces"
    )]
    pub service_name: Option<String>,

    /// true: no traces, whatever else is set
    #[arg(
        long,
        env = "OTEL_SDK_DISABLED",
        value_name = "BOOL",
        help_heading = "Traces"
    )]
    pub otel_sdk_disabled: Option<String>,
}

/// Where the service is.
#[derive(Args, Clone, Debug)]
pub struct ListenArgs {
    /// Address and port of the service, or a port of this machine alone; serve takes any free one for port 0 [default:
    /// 127.0.0.1:3000]
    #[arg(long, env = "PASSBOOK_LISTEN", value_name = "ADDRESS", value_parser = parse_listen, help_heading = "HTTP")]
    pub listen: Option<SocketAddr>,

    /// The port on 127.0.0.1, if no address is given [default: 3000]
    // A text, as many a machine has a PORT that is meant for others: what it says counts only if it is asked for.
    #[arg(long, env = "PORT", value_name = "PORT", help_heading = "HTTP")]
    pub port: Option<String>,
}

/// The files of TLS.
#[derive(Args, Clone, Debug)]
pub struct TlsArgs {
    /// Certificate of the service, and those behind it, in PEM; with it, the service speaks TLS alone
    #[arg(
        long,
        env = "PASSBOOK_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key",
        help_heading = "HTTP"
    )]
    pub tls_cert: Option<PathBuf>,

    /// Key of the certificate, in PEM, without a passphrase
    #[arg(
        long,
        env = "PASSBOOK_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert",
        help_heading = "HTTP"
    )]
    pub tls_key: Option<PathBuf>,

    /// Certificates of those who vouch for clients, in PEM; with it, every client needs a certificate
    #[arg(
        long,
        env = "PASSBOOK_TLS_CLIENT_CA",
        value_name = "FILE",
        requires = "tls_cert",
        help_heading = "HTTP"
    )]
    pub tls_client_ca: Option<PathBuf>,
}

/// What is said of the port is none.
#[derive(Debug, Error)]
#[error("PORT is {0}, which is no port: a number from 0 to 65535")]
pub struct NotPort(String);

impl ListenArgs {
    /// Where the service is to listen.
    ///
    /// # Errors
    /// If there is no address and the port is none.
    pub fn address(&self) -> Result<SocketAddr, NotPort> {
        if let Some(listen) = self.listen {
            return Ok(listen);
        }
        let port = self.port.as_ref().map_or(Ok(PORT), |port| {
            port.trim().parse().map_err(|_| NotPort(port.clone()))
        })?;
        Ok((Ipv4Addr::LOCALHOST, port).into())
    }
}

/// How the service listens and commits.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    #[command(flatten)]
    pub database: DatabaseArgs,

    #[command(flatten)]
    pub listen: ListenArgs,

    #[command(flatten)]
    pub tls: TlsArgs,

    /// Threads that speak HTTP [default: one for each core]
    #[arg(long, env = "PASSBOOK_HTTP_WORKERS", value_name = "COUNT", value_parser = value_parser!(u16).range(1..=256), help_heading = "HTTP")]
    pub http_workers: Option<u16>,

    /// Names to answer to, beside localhost and the addresses of this machine's loopback; others get a 421 [default:
    /// none on a loopback address, else any]
    #[arg(long, env = "PASSBOOK_HOSTS", value_name = "NAMES", value_delimiter = ',', value_parser = parse_host, help_heading = "HTTP")]
    pub hosts: Vec<Host>,

    /// Whose pages may ask and read the answers, as scheme://host:port [default: nobody's but the service's own]
    #[arg(long, env = "PASSBOOK_CORS_ORIGINS", value_name = "ORIGINS", value_delimiter = ',', value_parser = parse_origin, help_heading = "HTTP")]
    pub cors_origins: Vec<Origin>,

    /// Connections that write, each committing a batch at a time
    #[arg(long, env = "PASSBOOK_LANES", value_name = "COUNT", default_value_t = 2, value_parser = within(1, engine::LANES_MAX), help_heading = "Engine")]
    pub lanes: usize,

    /// Requests that are committed together at most; 1 turns grouping off
    #[arg(long, env = "PASSBOOK_BATCH_SIZE_MAX", value_name = "COUNT", default_value_t = 500, value_parser = within(1, engine::BATCH_SIZE_MAX), help_heading = "Engine")]
    pub batch_size_max: usize,

    /// Requests that may wait, half of them for one account; if the queue is full, they are answered 503
    #[arg(long, env = "PASSBOOK_QUEUE_MAX", value_name = "COUNT", default_value_t = 20_000, value_parser = within(1, engine::QUEUE_MAX), help_heading = "Engine")]
    pub queue_max: usize,

    /// Bytes of requests that may wait
    #[arg(long, env = "PASSBOOK_QUEUE_BYTES_MAX", value_name = "BYTES", default_value_t = 64 * 1024 * 1024, value_parser = within(65_536, 1 << 34), help_heading = "Engine")]
    pub queue_bytes_max: usize,

    /// Accounts whose state is remembered from one write to the next, with some 400 bytes for each
    #[arg(long, env = "PASSBOOK_HEADS_MAX", value_name = "COUNT", default_value_t = 1_000_000, value_parser = within(1_000, engine::HEADS_MAX), help_heading = "Engine")]
    pub heads_max: usize,

    /// Connections that read
    #[arg(long, env = "PASSBOOK_POOL_SIZE_MAX", value_name = "COUNT", default_value_t = 8, value_parser = value_parser!(u32).range(1..=1000), help_heading = "Engine")]
    pub pool_size_max: u32,

    /// Balance reads that are one statement at most; 1 makes each a statement of its own
    #[arg(long, env = "PASSBOOK_READ_BATCH_SIZE_MAX", value_name = "COUNT", default_value_t = 500, value_parser = within(1, engine::BATCH_SIZE_MAX), help_heading = "Engine")]
    pub read_batch_size_max: usize,

    #[command(flatten)]
    pub access: AccessArgs,

    /// Refuse what changes something by /v1 without an Idempotency-Key
    #[arg(
        long, env = "PASSBOOK_REQUIRE_KEYS", value_name = "BOOL", help_heading = "Ledger", default_value = "true",
        default_missing_value = "true", num_args = 0..=1, value_parser = BoolishValueParser::new()
    )]
    pub require_keys: bool,

    /// Open user 1 with 10000 on an empty ledger [default: true on the embedded PostgreSQL, else false]
    #[arg(
        long, env = "PASSBOOK_DEMO", value_name = "BOOL", help_heading = "Ledger",
        default_missing_value = "true", num_args = 0..=1, value_parser = BoolishValueParser::new()
    )]
    pub demo: Option<bool>,

    /// Let clients start the book of the events interface afresh; nothing is deleted [default: true on the embedded
    /// PostgreSQL if it listens on a loopback address, else false]
    #[arg(
        long, env = "PASSBOOK_ALLOW_RESET", value_name = "BOOL", help_heading = "Ledger",
        default_missing_value = "true", num_args = 0..=1, value_parser = BoolishValueParser::new()
    )]
    pub allow_reset: Option<bool>,

    /// Code of the currency of accounts, if the request does not say
    #[arg(long, env = "PASSBOOK_DEFAULT_CURRENCY", value_name = "CODE", default_value = "USD", value_parser = parse_currency, help_heading = "Ledger")]
    pub default_currency: CurrencyCode,

    #[command(flatten)]
    pub traces: TraceArgs,

    /// Log a line for each request, at level info
    #[arg(
        long, env = "PASSBOOK_LOG_REQUESTS", value_name = "BOOL", help_heading = "Logging",
        default_value = "false", default_missing_value = "true", num_args = 0..=1, value_parser = BoolishValueParser::new()
    )]
    pub log_requests: bool,
}

/// Who may come in.
#[derive(Args, Clone, Debug)]
pub struct AccessArgs {
    /// Whether whoever asks has to say who they are [default: open on the embedded PostgreSQL, else required]
    #[arg(
        long = "auth",
        env = "PASSBOOK_AUTH",
        value_name = "MODE",
        value_enum,
        help_heading = "Access"
    )]
    pub mode: Option<Mode>,

    /// Let everybody on the network do everything, if --auth is open and others reach --listen
    #[arg(long, help_heading = "Access")]
    pub i_know_this_is_open: bool,

    /// Let people make themselves users, and put money into their own accounts, by the microfin interface [default: true
    /// if --auth is open, else false]
    #[arg(
        long, env = "PASSBOOK_SELF_SERVICE", value_name = "BOOL", help_heading = "Access",
        default_missing_value = "true", num_args = 0..=1, value_parser = BoolishValueParser::new()
    )]
    pub self_service: Option<bool>,

    /// Show /metrics to everybody [default: true if --auth is open, else false]
    #[arg(
        long, env = "PASSBOOK_OPEN_METRICS", value_name = "BOOL", help_heading = "Access",
        default_missing_value = "true", num_args = 0..=1, value_parser = BoolishValueParser::new()
    )]
    pub open_metrics: Option<bool>,

    /// Show /docs and /openapi.json to everybody [default: true if --auth is open, else false]
    #[arg(
        long, env = "PASSBOOK_OPEN_DOCS", value_name = "BOOL", help_heading = "Access",
        default_missing_value = "true", num_args = 0..=1, value_parser = BoolishValueParser::new()
    )]
    pub open_docs: Option<bool>,
}

/// As whom a service is asked.
#[derive(Args, Clone, Debug)]
pub struct ClientArgs {
    /// An API key, if the service asks for one: better in the environment, as others can read a command line
    #[arg(
        long,
        env = "PASSBOOK_API_KEY",
        value_name = "KEY",
        hide_env_values = true,
        help_heading = "Target"
    )]
    pub api_key: Option<String>,
}

/// Which service to ask.
#[derive(Args, Clone, Debug)]
pub struct HealthArgs {
    #[command(flatten)]
    pub listen: ListenArgs,

    /// Certificate of the service, in PEM: it is asked by TLS, and has to show this one
    #[arg(
        long,
        env = "PASSBOOK_TLS_CERT",
        value_name = "FILE",
        help_heading = "HTTP"
    )]
    pub tls_cert: Option<PathBuf>,

    /// Certificate to show to a service that asks for one, in PEM
    #[arg(
        long,
        env = "PASSBOOK_HEALTH_TLS_CERT",
        value_name = "FILE",
        requires_all = ["client_key", "tls_cert"],
        help_heading = "HTTP"
    )]
    pub client_cert: Option<PathBuf>,

    /// Its key, in PEM, without a passphrase
    #[arg(
        long,
        env = "PASSBOOK_HEALTH_TLS_KEY",
        value_name = "FILE",
        requires = "client_cert",
        help_heading = "HTTP"
    )]
    pub client_key: Option<PathBuf>,
}

/// How the program talks to whoever runs it.
#[derive(Args, Clone, Debug)]
pub struct LogArgs {
    /// What to log: a level, or levels by module, such as info,sqlx=warn
    #[arg(
        long = "log",
        env = "RUST_LOG",
        value_name = "FILTER",
        default_value = "info,actix_http=off,actix_server=warn,refinery_core=warn,sqlx=warn",
        global = true,
        help_heading = "Logging"
    )]
    pub filter: String,

    /// How to log
    #[arg(long, env = "PASSBOOK_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text, global = true, help_heading = "Logging")]
    pub log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One line an event, for people
    Text,
    /// One JSON object an event, for collectors
    Json,
}

pub(crate) fn parse_currency(code: &str) -> Result<CurrencyCode, String> {
    CurrencyCode::parse(code).ok_or_else(|| {
        "not a currency code: 3 to 12 upper-case letters and digits, starting with a letter"
            .to_owned()
    })
}

/// An address with a port; or a port of this machine, with or without `localhost:` before it.
fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let port = text.strip_prefix("localhost:").unwrap_or(text);
    if let Ok(port) = port.parse::<u16>() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    text.parse().map_err(|_| {
        "neither a port nor an address with one, such as 3000, 127.0.0.1:3000, [::1]:3000 or 0.0.0.0:3000 for everybody"
            .to_owned()
    })
}

fn parse_host(name: &str) -> Result<Host, String> {
    Host::parse(name.trim())
        .ok_or_else(|| "not the name or the address of a host, without a port".to_owned())
}

fn parse_origin(text: &str) -> Result<Origin, String> {
    Origin::parse(text.trim()).ok_or_else(|| {
        "not an origin: a scheme, a host and a port if it is not the usual one, such as https://shop.example".to_owned()
    })
}

/// A number between two limits, both included.
pub(crate) fn within(least: usize, most: usize) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |text| match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        Ok(_) | Err(_) => Err(format!("not a whole number from {least} to {most}")),
    }
}
