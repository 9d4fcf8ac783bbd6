//! What each part is told, of the settings of the program.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread::available_parallelism;

use super::error::AppError;
use crate::config::{AccessArgs, DatabaseArgs, ServeArgs, TlsArgs, TraceArgs};
use crate::http::settings::{Access, Mode, Resets, TlsFiles};
use crate::service::{self, EngineSettings};
use crate::storage::Database;
use crate::telemetry::traces::{self, Traces};
use crate::{http, postgres};

/// The settings that say where the database is.
pub(super) const RUNTIME_URL: &str = "DATABASE_URL";
pub(super) const OWNER_URL: &str = "PASSBOOK_OWNER_URL";

/// What a setting is that is not set, by whose database it is.
#[derive(Clone, Copy)]
pub(super) struct Defaults {
    pub(super) demo: bool,
    mode: Mode,
    /// Only as long as nobody else can reach the service.
    allow_reset: bool,
}

impl Defaults {
    /// Private, and made for trying out.
    pub(super) const EMBEDDED: Self = Self {
        demo: true,
        mode: Mode::Open,
        allow_reset: true,
    };
    pub(super) const ELSEWHERE: Self = Self {
        demo: false,
        mode: Mode::Required,
        allow_reset: false,
    };
}

pub(super) fn service(args: &ServeArgs) -> service::Settings {
    service::Settings {
        engine: EngineSettings {
            lanes: args.lanes,
            batch_size_max: args.batch_size_max,
            queue_max: args.queue_max,
            queue_bytes_max: args.queue_bytes_max,
            heads_max: args.heads_max,
        },
        pool_size_max: args.pool_size_max,
        read_batch_size_max: args.read_batch_size_max,
        currency: args.default_currency,
        requires_keys: args.require_keys,
    }
}

pub(super) fn http(
    args: &ServeArgs,
    listen: SocketAddr,
    defaults: Defaults,
    traces: Option<&Traces>,
) -> http::settings::Settings {
    let workers = args.http_workers.map_or_else(
        || available_parallelism().map_or(2, usize::from),
        usize::from,
    );
    http::settings::Settings {
        listen,
        workers,
        hosts: args.hosts.clone(),
        cors_origins: args.cors_origins.clone(),
        resets: resets(args, listen, defaults),
        access: access(&args.access, defaults),
        logs_requests: args.log_requests,
        tracer: traces.map(Traces::tracer),
    }
}

/// Who may come in.
pub(super) fn access(args: &AccessArgs, defaults: Defaults) -> Access {
    let mode = args.mode.unwrap_or(defaults.mode);
    let is_open = mode == Mode::Open;
    Access {
        mode,
        self_service: args.self_service.unwrap_or(is_open),
        open_metrics: args.open_metrics.unwrap_or(is_open),
        open_docs: args.open_docs.unwrap_or(is_open),
    }
}

/// # Errors
/// If everybody who reaches the address may do everything, and nobody has said that this is meant.
pub(super) fn check_open(
    args: &AccessArgs,
    listen: SocketAddr,
    defaults: Defaults,
) -> Result<(), AppError> {
    let is_private = listen.ip().to_canonical().is_loopback();
    let is_open = access(args, defaults).mode == Mode::Open;
    if is_open && !is_private && !args.i_know_this_is_open {
        return Err(AppError::Open(listen));
    }
    Ok(())
}

/// None if TLS is not asked for.
pub(super) fn tls(args: &TlsArgs) -> Option<TlsFiles> {
    let (certificate, key) = args.tls_cert.clone().zip(args.tls_key.clone())?;
    Some(TlsFiles {
        certificate,
        key,
        client_ca: args.tls_client_ca.clone(),
    })
}

fn resets(args: &ServeArgs, listen: SocketAddr, defaults: Defaults) -> Resets {
    let is_private = listen.ip().to_canonical().is_loopback();
    if args
        .allow_reset
        .unwrap_or(defaults.allow_reset && is_private)
    {
        Resets::Allowed
    } else {
        Resets::Refused
    }
}

pub(super) fn traces(args: &TraceArgs) -> traces::Settings {
    traces::Settings {
        sdk_disabled: args.otel_sdk_disabled.clone(),
        exporter: args.traces_exporter.clone(),
        endpoint: args.otlp_endpoint.clone(),
        traces_endpoint: args.otlp_traces_endpoint.clone(),
        headers: args.otlp_headers.clone(),
        protocol: args.otlp_protocol.clone(),
        sampler: args.traces_sampler.clone(),
        sampler_arg: args.traces_sampler_arg.clone(),
        service_name: args.service_name.clone(),
    }
}

pub(super) fn embedded(args: &DatabaseArgs) -> postgres::Settings {
    let directory =
        |path: Option<&PathBuf>| path.filter(|path| !path.as_os_str().is_empty()).cloned();
    postgres::Settings {
        data_dir: directory(args.data_dir.as_ref()).unwrap_or_else(postgres::default_data_dir),
        bin_dir: directory(args.pg_bin_dir.as_ref()),
    }
}

/// The database behind a URL, which stands in the setting of this name.
///
/// # Errors
/// Where it is no such URL.
pub(super) fn parse(url: &str, setting: &str, args: &DatabaseArgs) -> Result<Database, AppError> {
    let parsed = Database::parse(url, args.allow_unsafe_durability);
    let database = parsed.map_err(|error| AppError::Database {
        database: format!("of {setting}"),
        reason: error.to_string(),
    })?;
    for parameter in database.left_out() {
        tracing::warn!(
            parameter,
            "{setting} has a parameter that is not used: it is left out"
        );
    }
    Ok(database)
}

/// A setting that is there but empty, as in `DATABASE_URL=`, is not set.
pub(super) fn set(value: Option<&String>) -> Option<&str> {
    value
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
}
