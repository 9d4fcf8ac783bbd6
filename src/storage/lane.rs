//! Connections for the writes of lanes: how they are set, and what is found out on the way.

use std::time::Duration;

use super::clock::Skew;
use super::connection::{close, fetch_server_version, in_time};
use super::settings::{LANE_SETTINGS, SETTINGS};
use super::{Connection, Database, StorageError};

/// A connection for the writes of one lane.
pub struct LaneConnection {
    pub connection: Connection,
    pub commits: Commits,
    /// Whoever writes has to [check](Skew::check) it first.
    pub skew: Skew,
}

/// What ends a transaction of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commits {
    /// Its statement, in autocommit.
    WithStatement,
    /// A message of its own, which is sent once the statement has its answer.
    ///
    /// `PostgreSQL` commits a statement in autocommit when `Sync` comes, which follows the statement, and `statement_timeout`
    /// does not run meanwhile. So if a network may hold that message back, and the server has no
    /// `transaction_timeout`, a transaction could stand open for any time and then be committed. A commit of its own comes
    /// within `idle_in_transaction_session_timeout`, or never.
    Explicitly,
}

/// The oldest server that has `transaction_timeout`.
const TRANSACTION_TIMEOUT_VERSION: i32 = 170_000;

/// How long a transaction of a lane may stay open with nothing to do, and with newer servers how long at all. Longer than a
/// statement may take, and no longer than a lane waits for two.
pub const TRANSACTION_MAX: Duration = Duration::from_secs(5);

/// A lost compare-and-swap is an error, and the server's log would have the whole statement of each. A role needs the
/// privilege to say so.
const QUIET: (&str, &str) = ("log_min_error_statement", "panic");

/// How a lane's connection is set if the server can end a transaction itself: as [`TRANSACTION_MAX`] says.
const TRANSACTION_TIMEOUT: (&str, &str) = ("transaction_timeout", "5s");

/// What a server says of itself before a lane connects for good.
struct Capabilities {
    synchronous_commit: String,
    may_be_quiet: bool,
    has_transaction_timeout: bool,
}

impl Database {
    /// A connection for the writes of one lane, asserted to be set as the lane needs it.
    ///
    /// # Errors
    /// If the server cannot be reached, or is not fit for money.
    pub async fn connect_lane(&self) -> Result<LaneConnection, StorageError> {
        let mut required: Vec<(&str, &str)> = SETTINGS.into_iter().chain(LANE_SETTINGS).collect();
        let options = self.options.clone().options(LANE_SETTINGS);
        let first = self.connect_with(options, &required).await?;
        let found = in_time(look(first)).await?;
        // A reload does not change what a connection said when it was made.
        if !self.unsafe_durability {
            required.push(("synchronous_commit", &found.synchronous_commit));
        }
        if found.has_transaction_timeout {
            required.push(TRANSACTION_TIMEOUT);
        }
        let mut given = required[SETTINGS.len()..].to_vec();
        if found.may_be_quiet {
            // Asked for only: without it the log is longer, and no money is at risk.
            given.push(QUIET);
        }
        let options = self.options.clone().options(given);
        let mut connection = self.connect_with(options, &required).await?;
        in_time(async {
            let is_near =
                self.options.get_socket().is_some() && is_on_socket(&mut connection).await?;
            let skew = Skew::measure(&mut connection).await?;
            Ok(LaneConnection {
                connection,
                commits: if found.has_transaction_timeout || is_near {
                    Commits::WithStatement
                } else {
                    Commits::Explicitly
                },
                skew,
            })
        })
        .await
    }
}

async fn look(mut connection: Connection) -> Result<Capabilities, StorageError> {
    let found = Capabilities {
        synchronous_commit: fetch_synchronous_commit(&mut connection).await?,
        may_be_quiet: may_set(&mut connection, QUIET.0).await?,
        has_transaction_timeout: TRANSACTION_TIMEOUT_VERSION
            <= fetch_server_version(&mut connection).await?,
    };
    close(connection).await;
    Ok(found)
}

async fn fetch_synchronous_commit(connection: &mut Connection) -> Result<String, StorageError> {
    const SQL: &str = "select current_setting('synchronous_commit')";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

/// Whether the role may set what superusers may. Before `PostgreSQL` 15 nobody else can be allowed to.
async fn may_set(connection: &mut Connection, setting: &str) -> Result<bool, StorageError> {
    const ALLOWED: &str = "select has_parameter_privilege($1, 'set')";
    const SUPERUSER: &str =
        "select current_setting('is_superuser')::boolean and $1::text is not null";
    let sql = if fetch_server_version(connection).await? < 150_000 {
        SUPERUSER
    } else {
        ALLOWED
    };
    let answer = sqlx::query_scalar(sql).bind(setting);
    Ok(answer.fetch_one(connection).await?)
}

/// Whether the server's end of the connection is a socket of its machine.
async fn is_on_socket(connection: &mut Connection) -> Result<bool, StorageError> {
    const SQL: &str = "select inet_client_addr() is null";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_transaction_ends_as_is_documented() {
        let seconds = format!("{}s", TRANSACTION_MAX.as_secs());
        let idle = ("idle_in_transaction_session_timeout", seconds.as_str());
        assert!(SETTINGS.contains(&idle));
        assert_eq!(
            TRANSACTION_TIMEOUT,
            ("transaction_timeout", seconds.as_str())
        );
    }
}
