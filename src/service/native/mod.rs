//! What callers of the native interface can do, each within one book.

mod reads;
mod running;

use std::time::Duration;

use tokio::time::timeout;

pub use self::reads::Looked;
pub(super) use self::running::Running;
use super::{Service, new_transaction, read};
use crate::ledger::{
    Action, Answered, BookId, BookName, Caller, CallerId, Command, Condition, Fault, Key, Note,
    Sight, Target, UserId,
};
use crate::storage::{self, Connection};

pub use crate::storage::accounts::{AccountFilter, AccountView};
pub use crate::storage::books::Book;
pub use crate::storage::callers::{Principal, Reach};
pub use crate::storage::holds::{HoldFilter, HoldView};
pub use crate::storage::paging::Paging;
pub use crate::storage::transactions::{Said, TransactionFilter, TransactionView};
pub use crate::storage::users::Person;

/// How long a request waits for another under its key.
const RUNNING_MAX: Duration = Duration::from_secs(2);
/// Callers that are remembered.
const CALLERS_MAX: usize = 10_000;

/// A caller with what it may see: in all books of that name, the first opened first.
#[derive(Clone, Debug)]
pub struct Who {
    pub id: CallerId,
    pub book: BookName,
    pub reach: Reach,
}

/// What a caller asks for.
pub struct Asked {
    pub caller: Caller,
    pub key: Option<Key>,
    pub target: Option<Target>,
    pub conditions: Vec<Condition>,
    pub action: Action,
    pub note: Option<Note>,
    pub is_dry: bool,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// Another request under the key is still running.
    KeyInUse,
    Fault(Fault),
}

pub(super) type Callers = quick_cache::sync::Cache<(Principal, BookName), CallerId>;

pub(super) fn callers() -> Callers {
    Callers::new(CALLERS_MAX)
}

impl From<Fault> for NoAnswer {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Service {
    /// Who asks in a book. None if there is no book of that name.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn who(&self, principal: Principal, book: BookName) -> Result<Option<Who>, Fault> {
        let books = if book == BookName::MAIN {
            vec![BookId::MAIN]
        } else {
            read(&self.reads, async |connection| {
                storage::callers::list_books(connection, book).await
            })
            .await?
        };
        let Some(first) = books.first().copied() else {
            return Ok(None);
        };
        let id = self.caller_id(principal, book, first).await?;
        let owner = match principal {
            Principal::Person(user) => Some(user),
            Principal::Anyone | Principal::Service(_) => None,
        };
        let reach = Reach { books, owner };
        Ok(Some(Who { id, book, reach }))
    }

    /// A caller is the same in every book of a name, so that a reset frees no key.
    async fn caller_id(
        &self,
        principal: Principal,
        book: BookName,
        first: BookId,
    ) -> Result<CallerId, Fault> {
        if principal == Principal::Anyone && book == BookName::MAIN {
            return Ok(CallerId::ANYONE);
        }
        if let Some(id) = self.callers.get(&(principal, book)) {
            return Ok(id);
        }
        let find = async |connection: &mut Connection| {
            storage::callers::find_or_make(connection, principal, first).await
        };
        let id = read(&self.reads, find).await?;
        self.callers.insert((principal, book), id);
        Ok(id)
    }

    /// Carries out what a caller asks for. Of two requests under one key the second waits for the first, for a while.
    ///
    /// # Errors
    /// If the first takes longer, or there is no answer to be had.
    pub async fn ask(&self, asked: Asked) -> Result<Answered, NoAnswer> {
        let key = asked.key.as_ref().map(|key| key.text.clone());
        let _turn = match key {
            None => None,
            Some(key) => {
                let turn = self.running.enter(asked.caller.id, key);
                let turn = timeout(RUNNING_MAX, turn).await;
                Some(turn.map_err(|_| NoAnswer::KeyInUse)?)
            }
        };
        let (person, has_parts) = (asked.caller.person, asked.target.is_none());
        let answered = self.engine.submit(Command {
            key: asked.key,
            caller: Some(asked.caller),
            target: asked.target,
            conditions: asked.conditions,
            note: asked.note,
            is_dry: asked.is_dry,
            ..Command::new(new_transaction(), asked.action)
        });
        let mut answered = answered.await?;
        if let Some(sight) = answered.sight.as_deref_mut() {
            // Programs of before kept a part of what has none, too.
            sight.part = sight.part.filter(|_| has_parts);
            self.hide(person, sight).await?;
        }
        Ok(answered)
    }

    /// To a person, nothing is said of an account that belongs to somebody else.
    async fn hide(&self, person: Option<UserId>, sight: &mut Sight) -> Result<(), Fault> {
        if let (Some(person), Some(seen)) = (person, &sight.account) {
            let head = self.recall_account(seen.account).await?;
            if head.is_none_or(|head| head.owner != Some(person)) {
                sight.account = None;
            }
        }
        Ok(())
    }

    /// Whether what changes something by the native interface has to have a key.
    #[must_use]
    pub fn requires_keys(&self) -> bool {
        self.requires_keys
    }

    /// Whether this node is busy with a request under the key.
    #[must_use]
    pub fn is_running(&self, caller: CallerId, key: &str) -> bool {
        self.running.is_running(caller, key)
    }
}
