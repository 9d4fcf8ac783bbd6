//! Sessions of users who signed in, found by the hash of their token.

use std::time::Duration;

use super::{Connection, StorageError};
use crate::ledger::UserId;

/// SHA-256 of a session's token. The token itself is never stored.
pub type TokenHash = [u8; 32];

/// How long a session lives: without use, and in all.
#[derive(Clone, Copy, Debug)]
pub struct Lifetime {
    pub idle: Duration,
    pub absolute: Duration,
}

/// Removes a few sessions that are past their time. Done before each one that begins: more go than come, while there are any.
pub async fn sweep(connection: &mut Connection, lifetime: Lifetime) -> Result<(), StorageError> {
    const SQL: &str = "
        delete from sessions where token_hash in (
            select token_hash from sessions where used_at < now() - make_interval(secs => $1)
            order by used_at limit 10 for update skip locked
        )";
    sqlx::query(SQL)
        .bind(lifetime.idle.as_secs_f64())
        .execute(connection)
        .await?;
    Ok(())
}

/// Adds a session of a user who is there. One that begins with its user is part of the batch statement. A session that is there
/// is this one: it may be added twice where the connection is lost.
pub async fn insert(
    connection: &mut Connection,
    token: &TokenHash,
    user: UserId,
    lifetime: Lifetime,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into sessions (token_hash, user_id, expires_at) values ($1, $2, now() + make_interval(secs => $3))
        on conflict (token_hash) do nothing";
    sqlx::query(SQL)
        .bind(token)
        .bind(user.0)
        .bind(lifetime.absolute.as_secs_f64())
        .execute(connection)
        .await?;
    Ok(())
}

/// Whose session it is, while it lives. The use is noted at most once a minute, so that most requests write nothing.
pub async fn find_user(
    connection: &mut Connection,
    token: &TokenHash,
    lifetime: Lifetime,
) -> Result<Option<UserId>, StorageError> {
    const SQL: &str = "
        with session as (
            select user_id, used_at from sessions
            where token_hash = $1 and now() < expires_at and now() - make_interval(secs => $2) < used_at
        ), used as (
            update sessions set used_at = now()
            where token_hash = $1 and exists (select from session where used_at < now() - interval '1 minute')
        )
        select user_id from session";
    let user: Option<i64> = sqlx::query_scalar(SQL)
        .bind(token)
        .bind(lifetime.idle.as_secs_f64())
        .fetch_optional(connection)
        .await?;
    Ok(user.map(UserId))
}

/// Ends a session, everywhere at once.
pub async fn delete(connection: &mut Connection, token: &TokenHash) -> Result<(), StorageError> {
    const SQL: &str = "delete from sessions where token_hash = $1";
    sqlx::query(SQL).bind(token).execute(connection).await?;
    Ok(())
}
