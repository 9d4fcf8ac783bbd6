//! The composition root: builds the service from its settings, runs it, drains it.

pub mod backup;
mod demo;
mod error;
mod opened;
mod schema;
mod settings;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinHandle;

pub use self::error::{AppError, unusable};
pub use self::opened::Opened;
pub use self::schema::migrate;

use self::settings::{Defaults, OWNER_URL, RUNTIME_URL, parse, set};
use crate::config::ServeArgs;
use crate::http::server::{self, Server, Tls};
use crate::http::settings::Mode;
use crate::postgres::{self, Address};
use crate::service::Service;
use crate::storage::Database;
use crate::telemetry::traces::Traces;

/// A service that runs.
pub struct App {
    server: Server,
    /// What goes on beside requests.
    tasks: [JoinHandle<()>; 2],
    service: Arc<Service>,
    embedded: Option<postgres::Server>,
    database: Database,
    demo: bool,
    mode: Mode,
    has_tls: bool,
    traces: Option<Traces>,
}

/// What is begun before the database is.
struct Begun {
    tls: Option<Arc<Tls>>,
    traces: Option<Traces>,
}

/// One database as two roles: the one that serves, and the one that owns the tables.
#[derive(Clone, Copy)]
struct Roles<'a> {
    runtime: &'a str,
    owner: &'a str,
}

impl App {
    /// Starts everything, in order: the database, its schema, the service, the demo data, the server.
    ///
    /// # Errors
    /// Where a part cannot start; what was started before is stopped again.
    pub async fn start(args: &ServeArgs) -> Result<Self, AppError> {
        // Before a cluster is created, or anything else is begun.
        let listen = args.listen.address()?;
        let url = set(args.database.database_url.as_ref());
        let defaults = if url.is_some() {
            Defaults::ELSEWHERE
        } else {
            Defaults::EMBEDDED
        };
        settings::check_open(&args.access, listen, defaults)?;
        server::check_free(listen).map_err(|error| AppError::Listen { listen, error })?;
        let tls = settings::tls(&args.tls).map(Tls::load).transpose()?;
        let begun = Begun {
            tls: tls.map(Arc::new),
            traces: Traces::start(&settings::traces(&args.traces))?,
        };
        let Some(url) = url else {
            let embedded = postgres::start(&settings::embedded(&args.database)).await?;
            let roles = Roles {
                runtime: embedded.address().runtime_url(),
                owner: embedded.address().url(),
            };
            return match Self::start_on(args, roles, defaults, begun).await {
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
        Self::start_on(args, roles, defaults, begun).await
    }

    async fn start_on(
        args: &ServeArgs,
        roles: Roles<'_>,
        defaults: Defaults,
        begun: Begun,
    ) -> Result<Self, AppError> {
        let Begun { tls, traces } = begun;
        let has_tls = tls.is_some();
        let demo = args.demo.unwrap_or(defaults.demo);
        let database = parse(roles.runtime, RUNTIME_URL, &args.database)?;
        let owner = if roles.owner == roles.runtime {
            database.clone()
        } else {
            parse(roles.owner, OWNER_URL, &args.database)?
        };
        migrate(&owner).await?;
        schema::check(&database).await?;
        let service = Service::start(database.clone(), settings::service(args)).await;
        let service = service.map_err(|error| unusable(&database, &error))?;
        let service = Arc::new(service);
        let started = async {
            if demo {
                demo::open_user(&service).await?;
            }
            let listen = args.listen.address()?;
            let settings = settings::http(args, listen, defaults, traces.as_ref());
            Server::start(Arc::clone(&service), settings, tls)
                .map_err(|error| AppError::Listen { listen, error })
        };
        match started.await {
            Ok(server) => Ok(Self {
                server,
                tasks: [
                    tokio::spawn(Arc::clone(&service).sweep()),
                    tokio::spawn(Arc::clone(&service).watch_access()),
                ],
                service,
                embedded: None,
                database,
                demo,
                mode: settings::access(&args.access, defaults).mode,
                has_tls,
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

    /// Where clients find it.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.has_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.listen())
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

    /// Whether nobody has to say who they are.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.mode == Mode::Open
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
        for task in self.tasks {
            task.abort();
        }
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
