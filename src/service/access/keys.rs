//! Keys are made, rotated, revoked and listed, each with an audit event in the same statement and a line in the log.

use thiserror::Error;
use uuid::Uuid;

use super::{By, Draft, KeyView, Revoked};
use crate::ledger::access::{ApiKey, KeyId, ServiceName, Span};
use crate::ledger::{BookName, Fault};
use crate::service::native::Paging;
use crate::service::{Service, read};
use crate::storage::api_keys::{self, NewKey};
use crate::storage::{Connection, StorageError};

/// Keys that live at a time. All of them are in the memory of each node.
const LIVING_MAX: i64 = 10_000;
/// Books of a service.
const BOOKS_MAX: usize = 100;
/// How often a change is tried again because another one came before it.
const TRIES_MAX: usize = 20;

/// A key that was made. Nobody can show it again.
#[derive(Debug)]
pub struct Made {
    pub key: ApiKey,
    pub view: KeyView,
}

/// Why no key was made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotMade {
    #[error("there are {LIVING_MAX} keys that live, which is as many as there can be: revoke some")]
    TooMany,
    #[error("there is no book {0}")]
    NoBook(String),
    #[error("a service can have {BOOKS_MAX} books at most")]
    TooManyBooks,
    /// There is none, or it has ended.
    #[error("there is no such key that lives")]
    NoKey,
    /// Others change keys all the time. Nothing was done.
    #[error("too many changes at a time: try again")]
    Busy,
}

/// Which key another is made like.
#[derive(Clone, Debug)]
pub enum Like {
    Key(KeyId),
    /// The youngest of a service.
    Of(ServiceName),
}

impl Service {
    /// Makes a key, and its service if there is none of the name.
    ///
    /// # Errors
    /// If there is no answer to be had. A key that was made all the same is one that nobody has.
    pub async fn make_key(&self, draft: &Draft, by: &By) -> Result<Result<Made, NotMade>, Fault> {
        let (id, key) = (new_id(), random_key()?);
        let view = read(&self.reads, async |connection| {
            make(connection, id, &key, draft, by).await
        });
        let view = view.await;
        self.access.changed().await;
        Ok(view?.map(|view| Made { key, view }))
    }

    /// Makes a key like another, whose service's other keys end after the overlap.
    ///
    /// # Errors
    /// As [`Service::make_key`].
    pub async fn rotate_key(
        &self,
        like: &Like,
        overlap: Span,
        by: &By,
    ) -> Result<Result<Made, NotMade>, Fault> {
        let (id, key) = (new_id(), random_key()?);
        let view = read(&self.reads, async |connection| {
            rotate(connection, id, &key, like, overlap, by).await
        });
        let view = view.await;
        self.access.changed().await;
        Ok(view?.map(|view| Made { key, view }))
    }

    /// Ends a key. Here it is dead when this returns.
    ///
    /// # Errors
    /// If there is no answer to be had. Then nobody comes in here until the node has asked again.
    pub async fn revoke_key(&self, id: KeyId, by: &By) -> Result<Revoked, Fault> {
        let revoked = read(&self.reads, async |connection| {
            revoke(connection, id, by).await
        });
        let revoked = revoked.await;
        self.access.changed().await;
        revoked
    }

    /// # Errors
    /// If the database does not answer.
    pub async fn list_keys(&self, paging: Paging<Uuid>) -> Result<Vec<KeyView>, Fault> {
        let listed = read(&self.reads, async |connection| {
            api_keys::list(connection, paging).await
        });
        listed.await
    }
}

/// An id that no key has.
#[must_use]
pub fn new_id() -> KeyId {
    KeyId(Uuid::now_v7())
}

/// # Errors
/// If the system gives no random bytes.
pub fn random_key() -> Result<ApiKey, Fault> {
    let mut bits = [0; 32];
    getrandom::fill(&mut bits).map_err(|error| {
        tracing::error!(%error, "the system gives no random bytes");
        Fault::Bug
    })?;
    Ok(ApiKey::from_random(bits))
}

/// Makes a key under an id. It may be asked again if the connection was lost, and finds what it did.
pub async fn make(
    connection: &mut Connection,
    id: KeyId,
    key: &ApiKey,
    draft: &Draft,
    by: &By,
) -> Result<Result<KeyView, NotMade>, StorageError> {
    for _ in 0..TRIES_MAX {
        let count = api_keys::fetch_changes(connection).await?.count;
        if let Some(view) = api_keys::find(connection, id).await? {
            return Ok(Ok(view));
        }
        let draft = match complete(connection, draft).await? {
            Ok(draft) => draft,
            Err(not_made) => return Ok(Err(not_made)),
        };
        let new = NewKey { id, key };
        if api_keys::insert(connection, count, &new, &draft, by).await? {
            log("a key was made", id, by);
            break;
        }
    }
    let made = api_keys::find(connection, id).await?;
    Ok(made.ok_or(NotMade::Busy))
}

/// The draft with the books that its service does not have yet, if a key may be made by it.
async fn complete(
    connection: &mut Connection,
    draft: &Draft,
) -> Result<Result<Draft, NotMade>, StorageError> {
    if LIVING_MAX <= api_keys::count_living(connection).await? {
        return Ok(Err(NotMade::TooMany));
    }
    if let Some(missing) = api_keys::find_missing_book(connection, &draft.books).await? {
        return Ok(Err(NotMade::NoBook(missing)));
    }
    let had = api_keys::list_books(connection, &draft.name).await?;
    let mut books: Vec<BookName> = Vec::new();
    for book in &draft.books {
        if !had.contains(book) && !books.contains(book) {
            books.push(*book);
        }
    }
    if had.is_empty() && books.is_empty() {
        books.push(BookName::MAIN);
    }
    if BOOKS_MAX < had.len() + books.len() {
        return Ok(Err(NotMade::TooManyBooks));
    }
    Ok(Ok(Draft {
        books,
        ..draft.clone()
    }))
}

/// Makes a key like another, under an id. It may be asked again as [`make`].
pub async fn rotate(
    connection: &mut Connection,
    id: KeyId,
    key: &ApiKey,
    like: &Like,
    overlap: Span,
    by: &By,
) -> Result<Result<KeyView, NotMade>, StorageError> {
    for _ in 0..TRIES_MAX {
        let count = api_keys::fetch_changes(connection).await?.count;
        if let Some(view) = api_keys::find(connection, id).await? {
            return Ok(Ok(view));
        }
        let pattern = match like {
            Like::Key(like) => api_keys::lives(connection, *like).await?.then_some(*like),
            Like::Of(name) => api_keys::find_newest(connection, name).await?,
        };
        let Some(pattern) = pattern else {
            return Ok(Err(NotMade::NoKey));
        };
        if LIVING_MAX <= api_keys::count_living(connection).await? {
            return Ok(Err(NotMade::TooMany));
        }
        let new = NewKey { id, key };
        if api_keys::rotate(connection, count, &new, pattern, overlap, by).await? {
            log("a key was rotated", id, by);
            break;
        }
    }
    let made = api_keys::find(connection, id).await?;
    Ok(made.ok_or(NotMade::Busy))
}

/// Ends a key.
pub async fn revoke(
    connection: &mut Connection,
    id: KeyId,
    by: &By,
) -> Result<Revoked, StorageError> {
    let revoked = api_keys::revoke(connection, id, by).await?;
    if revoked == Revoked::Now {
        log("a key was revoked", id, by);
    }
    Ok(revoked)
}

/// The line of what was written down with the change.
fn log(what: &'static str, id: KeyId, by: &By) {
    let request_id = by.request_id.map(tracing::field::display);
    tracing::info!(key = %id, by = by.kind(), actor = by.name(), request_id, "{what}");
}
