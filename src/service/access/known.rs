//! What a node knows of keys, and since when.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::ledger::BookName;
use crate::ledger::access::{ApiKey, Digest, KeyId, PrincipalId, Scope, ServiceName};
use crate::storage::{Connection, StorageError, Unreadable, api_keys};

/// How long a node that cannot ask goes on with what it knows.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// What is known is read anew after this time, whatever the count says: a restored database may count the same again.
const AGE_MAX: Duration = Duration::from_secs(10);
/// Keys in memory: all that live, and those that ended within a day as far as there is room.
const KNOWN_MAX: i64 = 20_000;

/// What a key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    pub key: KeyId,
    pub principal: PrincipalId,
    pub name: ServiceName,
    pub scope: Scope,
    /// In which it may be used, the default first.
    pub books: Vec<BookName>,
}

/// Why a key lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such key, or it ended more than a day ago.
    Unknown,
    Expired,
    Revoked,
    /// This node has not been able to ask for too long.
    CannotAsk,
}

/// Keys by their digests, and the moment of which they are.
#[derive(Clone)]
pub(super) struct Known {
    keys: Arc<HashMap<Digest, Key>>,
    /// How often keys had changed.
    count: i64,
    read_at: Instant,
    /// Before it was asked, by the clock of this node that only goes forward. None if what is known may be wrong.
    asked_at: Option<Instant>,
    /// After it was asked, by the database's clock. So time here is never behind the database's.
    told_at: DateTime<Utc>,
}

struct Key {
    granted: Arc<Granted>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

impl Known {
    pub(super) async fn ask(connection: &mut Connection) -> Result<Self, StorageError> {
        let asked_at = Instant::now();
        // First the count: what is read after it may be younger, and is then read once more.
        let changes = api_keys::fetch_changes(connection).await?;
        let rows = api_keys::list_known(connection, KNOWN_MAX).await?;
        Ok(Self {
            keys: Arc::new(rows.into_iter().filter_map(readable).collect()),
            count: changes.count,
            read_at: asked_at,
            asked_at: Some(asked_at),
            told_at: changes.at,
        })
    }

    /// The same, and nothing is read if nothing has changed.
    pub(super) async fn ask_again(
        &self,
        connection: &mut Connection,
    ) -> Result<Self, StorageError> {
        let asked_at = Instant::now();
        let changes = api_keys::fetch_changes(connection).await?;
        let is_young = asked_at.duration_since(self.read_at) < AGE_MAX;
        if changes.count != self.count || self.asked_at.is_none() || !is_young {
            return Self::ask(connection).await;
        }
        Ok(Self {
            asked_at: Some(asked_at),
            told_at: changes.at,
            ..self.clone()
        })
    }

    /// What lets nobody in.
    pub(super) fn forgotten(&self) -> Self {
        Self {
            asked_at: None,
            ..self.clone()
        }
    }

    pub(super) fn check(&self, key: &ApiKey, now: Instant) -> Result<Arc<Granted>, Refused> {
        let asked_at = self.asked_at.ok_or(Refused::CannotAsk)?;
        let since = now.saturating_duration_since(asked_at);
        if SILENCE_MAX <= since {
            return Err(Refused::CannotAsk);
        }
        let key = self.keys.get(&key.digest()).ok_or(Refused::Unknown)?;
        let time = self.told_at + since;
        let is_over = |end: Option<DateTime<Utc>>| end.is_some_and(|end| end <= time);
        if is_over(key.revoked_at) {
            Err(Refused::Revoked)
        } else if is_over(key.expires_at) {
            Err(Refused::Expired)
        } else {
            Ok(Arc::clone(&key.granted))
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// A key that only a newer program can read lets nobody in here, and keeps nobody out.
fn readable(row: Result<api_keys::Known, Unreadable>) -> Option<(Digest, Key)> {
    let known = row
        .inspect_err(|error| tracing::error!(%error, "a key is left out"))
        .ok()?;
    let view = known.view;
    let granted = Granted {
        key: view.id,
        principal: known.principal,
        name: view.name,
        scope: view.scope,
        books: view.books,
    };
    let key = Key {
        granted: Arc::new(granted),
        expires_at: view.expires_at,
        revoked_at: view.revoked_at,
    };
    Some((known.digest, key))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn known(expires: Option<i64>, revoked: Option<i64>, asked_at: Instant) -> (Known, ApiKey) {
        let key = ApiKey::from_random([7; 32]);
        let told_at = DateTime::UNIX_EPOCH;
        let end = |seconds: Option<i64>| seconds.map(|end| told_at + TimeDelta::seconds(end));
        let granted = Granted {
            key: KeyId(Uuid::nil()),
            principal: PrincipalId(2),
            name: ServiceName::parse("shop").expect("a name"),
            scope: Scope::Write,
            books: vec![BookName::MAIN],
        };
        let row = Key {
            granted: Arc::new(granted),
            expires_at: end(expires),
            revoked_at: end(revoked),
        };
        let known = Known {
            keys: Arc::new(HashMap::from([(key.digest(), row)])),
            count: 1,
            read_at: asked_at,
            asked_at: Some(asked_at),
            told_at,
        };
        (known, key)
    }

    #[test]
    fn a_key_ends_by_the_clock_of_the_database_as_it_goes_on_here() {
        let asked_at = Instant::now();
        let table = [
            (None, None, 9, Ok(Scope::Write)),
            (Some(5), None, 4, Ok(Scope::Write)),
            (Some(5), None, 5, Err(Refused::Expired)),
            (None, Some(5), 4, Ok(Scope::Write)),
            (None, Some(5), 5, Err(Refused::Revoked)),
            (Some(1), Some(2), 1, Err(Refused::Expired)),
            (Some(1), Some(2), 2, Err(Refused::Revoked)),
            (Some(-1), None, 0, Err(Refused::Expired)),
            (None, None, 10, Err(Refused::CannotAsk)),
            (Some(-1), Some(-1), 10, Err(Refused::CannotAsk)),
        ];
        for (expires, revoked, seconds, expected) in table {
            let (known, key) = known(expires, revoked, asked_at);
            let checked = known.check(&key, asked_at + SECOND * seconds);
            let scope = checked.map(|granted| granted.scope);
            assert_eq!(scope, expected, "{expires:?} {revoked:?} {seconds}");
        }
    }

    #[test]
    fn what_is_forgotten_lets_nobody_in_and_what_is_unknown_neither() {
        let now = Instant::now();
        let (known, key) = known(None, None, now);
        let other = ApiKey::from_random([8; 32]);
        assert_eq!(known.check(&other, now), Err(Refused::Unknown));
        let forgotten = known.forgotten();
        assert_eq!(forgotten.check(&key, now), Err(Refused::CannotAsk));
        assert!(known.check(&key, now).is_ok());
    }
}
