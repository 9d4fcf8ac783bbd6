//! Who did what, by which request, and what came of it: written down for good.

use serde_json::Value;
use uuid::Uuid;

use super::{Connection, StorageError};
use crate::ledger::UserId;
use crate::ledger::access::ServiceName;

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Somebody, while nobody has to say who they are.
    Anyone,
    Service(ServiceName),
    Person(UserId),
    /// Somebody who has the database's password.
    CommandLine,
}

/// Who did it, by which request over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    pub actor: Actor,
    pub request_id: Option<Uuid>,
}

/// What was done. Names are lower-case words with `_` between them.
#[derive(Clone, Debug)]
pub struct Event {
    pub by: By,
    pub action: &'static str,
    /// What it was done to, such as an account's number.
    pub object: Option<String>,
    pub outcome: &'static str,
    /// An object, without secrets.
    pub details: Option<Value>,
}

/// Writes an event down by itself. Keys write theirs with the change.
///
/// # Errors
/// If the database does not answer, or takes no writes.
pub async fn insert(connection: &mut Connection, event: &Event) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into audit_events (actor_kind, actor, request_id, action, object, outcome, details)
        values ($1, $2, $3, $4, $5, $6, $7)";
    sqlx::query(SQL)
        .bind(event.by.kind())
        .bind(event.by.name())
        .bind(event.by.request())
        .bind(event.action)
        .bind(event.object.as_deref())
        .bind(event.outcome)
        .bind(event.details.as_ref())
        .execute(connection)
        .await?;
    Ok(())
}

impl By {
    #[must_use]
    pub fn command_line() -> Self {
        Self {
            actor: Actor::CommandLine,
            request_id: None,
        }
    }

    /// As the column `actor_kind` has it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.actor {
            Actor::Anyone => "anyone",
            Actor::Service(_) => "service",
            Actor::Person(_) => "person",
            Actor::CommandLine => "command_line",
        }
    }

    /// What a service is called, or the number of a user.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        match &self.actor {
            Actor::Anyone | Actor::CommandLine => None,
            Actor::Service(name) => Some(name.to_string()),
            Actor::Person(user) => Some(user.to_string()),
        }
    }

    pub(super) fn request(&self) -> Option<String> {
        self.request_id.map(|id| id.to_string())
    }
}
