//! Connections to the database: where it is, and what must hold of it before money goes there.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection as _, PgConnection};
use tracing::log::LevelFilter;

use super::settings::{LANE_SETTINGS, SETTINGS};
use super::url::{self, Understood};
use super::{StorageError, pooler_setup};

/// One connection of a lane, a migration or an audit. Whoever owns the work owns the connection.
pub type Connection = PgConnection;

/// How long a new connection may take, until it is known to be fit.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The oldest server on which the statements were tried.
const SERVER_VERSION_MIN: i32 = 140_000;

/// Statements that a connection keeps prepared: all that a lane has, and fewer than PgBouncer is set to keep.
const STATEMENTS_MAX: usize = 150;

/// How a connection for reads is set besides: reads are look-ups by index, which no value changes.
const READ_SETTINGS: [(&str, &str); 1] = [("plan_cache_mode", "force_generic_plan")];

/// How a connection is set that may take its time.
const PATIENT_SETTINGS: [(&str, &str); 3] = [
    ("lock_timeout", "0"),
    ("statement_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
];

/// How an audit's connection is set besides. Its pages follow indexes, each in some milliseconds; any other plan would read whole
/// tables for each page, and statistics that are old or missing must not lead to one.
const AUDIT_SETTINGS: [(&str, &str); 4] = [
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_seqscan", "off"),
];

/// What money needs of the server: a commit that is answered has to survive a power cut.
const DURABILITY: [&str; 3] = ["fsync", "full_page_writes", "synchronous_commit"];

/// A database that can be connected to.
#[derive(Clone, Debug)]
pub struct Database {
    pub(super) options: PgConnectOptions,
    /// In the words of libpq.
    url: String,
    left_out: Vec<String>,
    /// Accept a server that may lose what it acknowledged. For experiments.
    pub(super) unsafe_durability: bool,
}

impl Database {
    /// # Errors
    /// If the text is no PostgreSQL URL, or one that asks for what is not obeyed.
    pub fn parse(url: &str, unsafe_durability: bool) -> Result<Self, StorageError> {
        let Understood {
            url,
            statement_cache_capacity,
            left_out,
        } = url::parse(url)?;
        let options = PgConnectOptions::from_str(&url)?
            .application_name("passbook")
            .options(SETTINGS)
            .log_statements(LevelFilter::Trace)
            .log_slow_statements(LevelFilter::Debug, Duration::from_secs(1))
            .statement_cache_capacity(statement_cache_capacity.unwrap_or(STATEMENTS_MAX));
        // It may come from the environment (PGHOST).
        url::check_host(options.get_host())?;
        Ok(Self {
            options,
            url,
            left_out,
            unsafe_durability,
        })
    }

    /// Its URL for PostgreSQL's own programs; a password may be in it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The names of what its URL asked for and does not get.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Host and database, for a person to read; no password.
    #[must_use]
    pub fn describe(&self) -> String {
        let database = self
            .options
            .get_database()
            .unwrap_or_else(|| self.options.get_username());
        match self.options.get_socket() {
            Some(socket) => format!("{database} at {}", socket.display()),
            None => format!(
                "{database} at {}:{}",
                self.options.get_host(),
                self.options.get_port()
            ),
        }
    }

    /// How the connections of a pool for reads are made.
    pub(super) fn read_options(&self) -> PgConnectOptions {
        self.options.clone().options(READ_SETTINGS)
    }

    /// Whether the server keeps what it acknowledges: a commit that is answered has to survive a power cut.
    ///
    /// # Errors
    /// If it does not, or does not answer.
    pub async fn check_durability(&self, connection: &mut Connection) -> Result<(), StorageError> {
        if self.unsafe_durability {
            return Ok(());
        }
        let settings = list_settings(connection, &DURABILITY).await?;
        match settings.iter().find(|(_, actual)| actual == "off") {
            None => Ok(()),
            Some((name, _)) => Err(StorageError::Unfit(format!(
                "the database has {name} off and may lose money that it acknowledged: set {name} = on (or pass \
                 --allow-unsafe-durability for an experiment)"
            ))),
        }
    }

    /// A connection as every other is made.
    pub(super) async fn connect(&self) -> Result<Connection, StorageError> {
        self.connect_with(self.options.clone(), &[]).await
    }

    /// A connection for work that may take its time: migrations, and what is asked on the command line.
    ///
    /// # Errors
    /// If the server cannot be reached, or is not fit for money.
    pub async fn connect_patient(&self) -> Result<Connection, StorageError> {
        self.connect_with(self.options.clone().options(PATIENT_SETTINGS), &[])
            .await
    }

    /// A connection for an audit, which may take its time.
    ///
    /// # Errors
    /// If the server cannot be reached, or is not fit for money.
    pub async fn connect_audit(&self) -> Result<Connection, StorageError> {
        let options = self.options.clone().options(PATIENT_SETTINGS);
        self.connect_with(options.options(AUDIT_SETTINGS), &[])
            .await
    }

    pub(super) async fn connect_with(
        &self,
        options: PgConnectOptions,
        required: &[(&str, &str)],
    ) -> Result<Connection, StorageError> {
        let checked = async {
            let mut connection = PgConnection::connect_with(&options).await?;
            self.check(&mut connection, required).await?;
            Ok(connection)
        };
        let role = self.options.get_username();
        let lane_settings = || SETTINGS.into_iter().chain(LANE_SETTINGS).collect();
        let checked = in_time(checked).await;
        checked.map_err(|error| pooler_setup::explain(error, role, lane_settings))
    }

    async fn check(
        &self,
        connection: &mut Connection,
        required: &[(&str, &str)],
    ) -> Result<(), StorageError> {
        let names: Vec<&str> = required
            .iter()
            .map(|(name, _)| *name)
            .chain(["server_encoding"])
            .collect();
        let version = fetch_server_version(connection).await?;
        if version < SERVER_VERSION_MIN {
            return Err(StorageError::Unfit(format!(
                "PostgreSQL {} is too old: passbook needs {} or newer",
                version / 10_000,
                SERVER_VERSION_MIN / 10_000
            )));
        }
        if is_in_recovery(connection).await? {
            return Err(StorageError::Unfit(
                "the server is a standby, which takes no writes".to_owned(),
            ));
        }
        self.check_durability(connection).await?;
        let settings = list_settings(connection, &names).await?;
        for (name, actual) in &settings {
            if name == "server_encoding" && actual != "UTF8" {
                return Err(StorageError::Unfit(format!(
                    "the database is encoded in {actual}: passbook needs UTF8"
                )));
            }
        }
        let is_missing = |(name, expected): &(&str, &str)| {
            let mut settings = settings.iter();
            settings.any(|(found, actual)| found == name && actual != expected)
        };
        if required.iter().any(is_missing) {
            // All of them, as one may be right by chance today.
            return Err(pooler_setup::dropped(self.options.get_username(), required));
        }
        Ok(())
    }
}

/// What a new connection is asked, in bounded time also where the network swallows the answer.
pub(super) fn in_time<T>(
    exchange: impl Future<Output = Result<T, StorageError>>,
) -> impl Future<Output = Result<T, StorageError>> {
    // Whoever connects would be as large as that, three times over.
    let exchange = Box::pin(exchange);
    async {
        let silent = |_| Err(StorageError::Unfit("no answer in time".to_owned()));
        let answer = tokio::time::timeout(CONNECT_TIMEOUT, exchange).await;
        answer.unwrap_or_else(silent)
    }
}

/// Ends a connection politely.
pub async fn close(connection: Connection) {
    // The server notices a closed socket as well; there is nobody to tell.
    drop(connection.close().await);
}

/// Such as `150018`.
pub async fn fetch_server_version(connection: &mut Connection) -> Result<i32, StorageError> {
    const SQL: &str = "select current_setting('server_version_num')::int";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

pub(super) async fn is_in_recovery(connection: &mut Connection) -> Result<bool, StorageError> {
    const SQL: &str = "select pg_is_in_recovery()";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

/// How many commits of this role's lanes have waited for a synchronous standby since longer than a lane waits for them. Each is
/// a backend that a lane has left behind.
pub async fn count_stuck_commits(connection: &mut Connection) -> Result<i64, StorageError> {
    const SQL: &str = "
        select count(*) from pg_stat_activity
        where usename = current_user and application_name = current_setting('application_name')
            and datname = current_database() and wait_event = 'SyncRep'
            and query_start < clock_timestamp() - interval '3 seconds'";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

async fn list_settings(
    connection: &mut Connection,
    names: &[&str],
) -> Result<Vec<(String, String)>, StorageError> {
    const SQL: &str =
        "select name, current_setting(name) from unnest($1::text[]) as setting (name)";
    Ok(sqlx::query_as(SQL)
        .bind(names)
        .fetch_all(connection)
        .await?)
}

/// Begins a transaction. Only lanes and migrations do, which nobody cancels: a future dropped in the middle would leave the
/// transaction open for the next user of the connection.
pub async fn begin(connection: &mut Connection) -> Result<(), StorageError> {
    sqlx::raw_sql("begin").execute(connection).await?;
    Ok(())
}

/// # Errors
/// If the database does not answer: the transaction may be committed or not.
pub async fn commit(connection: &mut Connection) -> Result<(), StorageError> {
    sqlx::raw_sql("commit").execute(connection).await?;
    Ok(())
}

/// # Errors
/// If the database does not answer: the transaction is rolled back with the connection.
pub async fn rollback(connection: &mut Connection) -> Result<(), StorageError> {
    sqlx::raw_sql("rollback").execute(connection).await?;
    Ok(())
}
