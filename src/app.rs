//! The composition root: builds the service from its settings, runs it, drains it.

pub mod backup;
mod demo;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;

use thiserror::Error;

use crate::bench;
use crate::config::{DatabaseArgs, ServeArgs, TraceArgs};
use crate::http::server::{self, Server};
use crate::http::settings::{self, Resets};
use crate::postgres::{self, Address, Attached};
use crate::service::{self, EngineSettings, Service};
use crate::storage::schema::{self, Age};
use crate::storage::{Database, StorageError, connection, migrations};
use crate::telemetry::traces::{self, Traces};

/// The settings that say where the database is.
const RUNTIME_URL: &str = "DATABASE_URL";
const OWNER_URL: &str = "PASSBOOK_OWNER_URL";

/// Why the program could not do what it was asked. One clear line each.
#[derive(Debug, Error)]
pub enum AppError {
    #[error(transparent)]
    Postgres(#[from] postgres::Error),
    #[error("cannot use the database {database}: {reason}")]
    Database { database: String, reason: String },
    #[error("there is a currency {0} already: passbook currencies lists them")]
    CurrencyTaken(String),
    #[error("interrupted: nothing was done")]
    Interrupted,
    #[error("{} {reason}", path.display())]
    File { path: PathBuf, reason: String },
    #[error("cannot listen on {listen}: {error}{}", hint(error))]
    Listen {
        listen: SocketAddr,
        error: io::Error,
    },
    #[error(transparent)]
    Traces(#[from] traces::Error),
    #[error(transparent)]
    Bench(#[from] bench::Error),
    #[error("{0}")]
    Contradiction(String),
    #[error("the demo data could not be written: {0}")]
    Demo(String),
}

/// A service that runs.
pub struct App {
    server: Server,
    service: Arc<Service>,
    embedded: Option<postgres::Server>,
    database: Database,
    demo: bool,
    traces: Option<Traces>,
}

/// One database as two roles: the one that serves, and the one that owns the tables.
#[derive(Clone, Copy)]
struct Roles<'a> {
    runtime: &'a str,
    owner: &'a str,
}

/// What a setting is that is not set, by whose database it is.
#[derive(Clone, Copy)]
struct Defaults {
    demo: bool,
    /// Only as long as nobody else can reach the service.
    allow_reset: bool,
}

impl Defaults {
    /// Private, and made for trying out.
    const EMBEDDED: Self = Self {
        demo: true,
        allow_reset: true,
    };
    const ELSEWHERE: Self = Self {
        demo: false,
        allow_reset: false,
    };
}

/// The database that a command works on, for as long as it does.
pub struct Opened {
    pub database: Database,
    attached: Option<Attached>,
}

impl App {
    /// Starts everything, in order: the database, its schema, the service, the demo data, the server.
    ///
    /// # Errors
    /// Where a part cannot start; what was started before is stopped again.
    pub async fn start(args: &ServeArgs) -> Result<Self, AppError> {
        // Before a cluster is created, or anything else is begun.
        server::check_free(args.listen.address()).map_err(|error| AppError::Listen {
            listen: args.listen.address(),
            error,
        })?;
        let traces = Traces::start(&trace_settings(&args.traces))?;
        let Some(url) = set(args.database.database_url.as_ref()) else {
            let embedded = postgres::start(&embedded_settings(&args.database)).await?;
            let roles = Roles {
                runtime: embedded.address().runtime_url(),
                owner: embedded.address().url(),
            };
            return match Self::start_on(args, roles, Defaults::EMBEDDED, traces).await {
                Ok(app) => Ok(Self {
                    embedded: Some(embedded),
                    ..app
                }),
                Err(error) => {
                    if let Err(stopping) = embedded.stop().await {
                        tracing::warn!(error = %stopping, "the embedded PostgreSQL did not stop cleanly");
                    }
                    Err(error)
                }
            };
        };
        let roles = Roles {
            runtime: url,
            owner: set(args.database.owner_url.as_ref()).unwrap_or(url),
        };
        Self::start_on(args, roles, Defaults::ELSEWHERE, traces).await
    }

    async fn start_on(
        args: &ServeArgs,
        roles: Roles<'_>,
        defaults: Defaults,
        traces: Option<Traces>,
    ) -> Result<Self, AppError> {
        let demo = args.demo.unwrap_or(defaults.demo);
        let database = parse(roles.runtime, RUNTIME_URL, &args.database)?;
        let owner = if roles.owner == roles.runtime {
            database.clone()
        } else {
            parse(roles.owner, OWNER_URL, &args.database)?
        };
        migrate(&owner).await?;
        check_schema(&database).await?;
        let service = start_service(&database, args).await?;
        let workers = args.http_workers.map_or_else(
            || available_parallelism().map_or(2, usize::from),
            usize::from,
        );
        let started = async {
            if demo {
                demo::open_user(&service).await?;
            }
            let settings = settings::Settings {
                listen: args.listen.address(),
                workers,
                hosts: args.hosts.clone(),
                cors_origins: args.cors_origins.clone(),
                resets: resets(args, defaults),
                logs_requests: args.log_requests,
                tracer: traces.as_ref().map(Traces::tracer),
            };
            Server::start(Arc::clone(&service), settings).map_err(|error| AppError::Listen {
                listen: args.listen.address(),
                error,
            })
        };
        match started.await {
            Ok(server) => Ok(Self {
                server,
                service,
                embedded: None,
                database,
                demo,
                traces,
            }),
            Err(error) => {
                service.close().await;
                Err(error)
            }
        }
    }

    /// The address that is listened on, with the port that was taken.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.server.listen()
    }

    /// Where the embedded PostgreSQL is, if it is the database.
    #[must_use]
    pub fn embedded(&self) -> Option<&Address> {
        self.embedded.as_ref().map(postgres::Server::address)
    }

    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    #[must_use]
    pub fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// Whether demo data was asked for.
    #[must_use]
    pub fn has_demo(&self) -> bool {
        self.demo
    }

    /// Starts the embedded PostgreSQL again whenever it ends. Does not return; where there is none, there is nothing to do.
    pub async fn supervise(&mut self) {
        if let Some(embedded) = &mut self.embedded {
            embedded.supervise().await;
        }
        std::future::pending::<()>().await;
    }

    /// Accepts no more, answers what is in flight, flushes the lanes and the traces, and stops the embedded PostgreSQL.
    ///
    /// # Errors
    /// Where the embedded PostgreSQL does not stop cleanly; it recovers at the next start.
    pub async fn stop(self) -> Result<(), AppError> {
        self.server.drain().await;
        self.service.close().await;
        self.server.stop().await;
        let stopped = match self.embedded {
            Some(embedded) => embedded.stop().await,
            None => Ok(()),
        };
        // Last: a collector that hangs must hold up nothing else.
        if let Some(traces) = self.traces {
            traces.stop().await;
        }
        Ok(stopped?)
    }
}

impl Opened {
    /// Finds the database of a command, which is called by its name on the command line: the given one, the one that a running
    /// service has, or the embedded one, started for the command's own duration.
    ///
    /// # Errors
    /// Where there is none to be had.
    pub async fn open(args: &DatabaseArgs, command: &'static str) -> Result<Self, AppError> {
        if let Some(url) = set(args.database_url.as_ref()) {
            return Self::at(url, RUNTIME_URL, args);
        }
        let settings = embedded_settings(args);
        let attached = postgres::attach_or_start(&settings, command).await?;
        Self::attached(attached, args)
    }

    /// The same as the role that owns the tables.
    ///
    /// # Errors
    /// Where there is none to be had.
    pub async fn open_as_owner(
        args: &DatabaseArgs,
        command: &'static str,
    ) -> Result<Self, AppError> {
        match set(args.owner_url.as_ref()) {
            Some(owner) => Self::at(owner, OWNER_URL, args),
            None => Self::open(args, command).await,
        }
    }

    /// As the role that owns the tables, with an embedded PostgreSQL that nobody else uses.
    ///
    /// # Errors
    /// Where there is none to be had.
    pub async fn open_alone(args: &DatabaseArgs, command: &'static str) -> Result<Self, AppError> {
        if set(args.database_url.as_ref()).is_some() {
            return Self::open_as_owner(args, command).await;
        }
        let settings = embedded_settings(args);
        let attached = postgres::start_alone(&settings, command).await?;
        Self::attached(attached, args)
    }

    fn at(url: &str, setting: &str, args: &DatabaseArgs) -> Result<Self, AppError> {
        Ok(Self {
            database: parse(url, setting, args)?,
            attached: None,
        })
    }

    fn attached(attached: Attached, args: &DatabaseArgs) -> Result<Self, AppError> {
        let url = attached.address().url();
        Ok(Self {
            database: parse(url, RUNTIME_URL, args)?,
            attached: Some(attached),
        })
    }

    /// # Errors
    /// Where an embedded PostgreSQL that was started for the command does not stop cleanly.
    pub async fn close(self) -> Result<(), AppError> {
        match self.attached {
            Some(attached) => Ok(attached.stop().await?),
            None => Ok(()),
        }
    }
}

/// Brings the schema up to date; says what was applied.
///
/// # Errors
/// Where the database cannot be used.
pub async fn migrate(database: &Database) -> Result<Vec<String>, AppError> {
    let migrated = async {
        let mut connection = database.connect_patient().await?;
        let applied = migrations::run(&mut connection).await;
        connection::close(connection).await;
        applied
    };
    migrated.await.map_err(|error| unusable(database, &error))
}

/// Whether everything is there that guards the ledger. Who runs the service as the owner of the tables, who can take it away, is told.
async fn check_schema(database: &Database) -> Result<(), AppError> {
    let asked = async {
        let mut connection = database.connect_patient().await?;
        let age = schema::fetch_age(&mut connection).await?;
        let flaws = schema::list_flaws(&mut connection).await?;
        let owns = migrations::is_owner(&mut connection).await?;
        connection::close(connection).await;
        Ok((age, flaws, owns))
    };
    let (age, flaws, owns) = asked.await.map_err(|error| unusable(database, &error))?;
    match (age, flaws.as_slice()) {
        (Age::Newer { has }, flaws) => tracing::warn!(
            schema = has,
            differences = flaws.len(),
            "the schema is newer than this program, which cannot tell whether it is whole"
        ),
        (Age::Same | Age::Older { .. }, []) => {}
        (Age::Same | Age::Older { .. }, [flaw, others @ ..]) => {
            let others = match others.len() {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            return Err(AppError::Database {
                database: database.describe(),
                reason: format!(
                    "its schema is not what guards the ledger: {} {flaw}{others}; passbook verify lists everything",
                    flaw.part
                ),
            });
        }
    }
    if owns {
        tracing::warn!(
            "the role of DATABASE_URL owns the tables, so whoever has its password can edit the history: let the service run \
             as passbook_runtime (docs/operations.md, \"Two roles\")"
        );
    }
    Ok(())
}

/// What is wrong with a database, in one line.
#[must_use]
pub fn unusable(database: &Database, error: &StorageError) -> AppError {
    AppError::Database {
        database: database.describe(),
        reason: if error.lacks_schema() {
            "it has no schema yet: run passbook migrate".to_owned()
        } else {
            error.to_string()
        },
    }
}

async fn start_service(database: &Database, args: &ServeArgs) -> Result<Arc<Service>, AppError> {
    let settings = service::Settings {
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
    };
    let service = Service::start(database.clone(), settings).await;
    service
        .map(Arc::new)
        .map_err(|error| unusable(database, &error))
}

fn resets(args: &ServeArgs, defaults: Defaults) -> Resets {
    let is_private = args.listen.address().ip().to_canonical().is_loopback();
    if args
        .allow_reset
        .unwrap_or(defaults.allow_reset && is_private)
    {
        Resets::Allowed
    } else {
        Resets::Refused
    }
}

fn trace_settings(args: &TraceArgs) -> traces::Settings {
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

fn embedded_settings(args: &DatabaseArgs) -> postgres::Settings {
    let directory = |path: Option<&std::path::PathBuf>| {
        path.filter(|path| !path.as_os_str().is_empty()).cloned()
    };
    postgres::Settings {
        data_dir: directory(args.data_dir.as_ref()).unwrap_or_else(postgres::default_data_dir),
        bin_dir: directory(args.pg_bin_dir.as_ref()),
    }
}

fn parse(url: &str, setting: &str, args: &DatabaseArgs) -> Result<Database, AppError> {
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
fn set(value: Option<&String>) -> Option<&str> {
    value
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            " (another program listens there; choose another with PASSBOOK_LISTEN)"
        }
        io::ErrorKind::PermissionDenied => {
            " (a port below 1024 needs privileges; choose another with PASSBOOK_LISTEN)"
        }
        _ => "",
    }
}
