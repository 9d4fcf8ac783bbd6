//! Leases: whose turn it is to do a job that any node can do, by the clock of the database.

use std::time::Duration;

use uuid::Uuid;

use super::{Connection, StorageError};

/// Takes a lease, or keeps it, if nobody else has it. Whoever does not keep it in time loses it.
///
/// # Errors
/// If the database does not answer, or takes no writes.
pub async fn take(
    connection: &mut Connection,
    name: &str,
    holder: Uuid,
    lifetime: Duration,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        insert into leases (name, holder, expires_at) values ($1, $2, clock_timestamp() + make_interval(secs => $3))
        on conflict (name) do update set holder = excluded.holder, expires_at = excluded.expires_at
        where leases.holder = excluded.holder or leases.expires_at < clock_timestamp()
        returning true";
    let taken: Option<bool> = sqlx::query_scalar(SQL)
        .bind(name)
        .bind(holder)
        .bind(lifetime.as_secs_f64())
        .fetch_optional(connection)
        .await?;
    Ok(taken.is_some())
}
