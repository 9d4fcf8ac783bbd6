//! What can be done with accounts: open one, look at it, move money, start their names afresh.

use super::{Service, read};
use crate::ledger::{
    AccountId, AccountRef, Action, Answer, BookName, Condition, Fault, Head, Key, OpenAccount,
    Posting, UserId,
};
use crate::storage::{self, Connection};

impl Service {
    /// Opens an account without a name, and deposits the opening balance there.
    pub fn open_account(
        &self,
        account: OpenAccount,
        key: Option<Key>,
    ) -> impl Future<Output = Answer> {
        self.submit(Action::OpenAccount(account), key)
    }

    /// Moves money, both sides at once, if the conditions hold. An amount of zero moves nothing, and its key is remembered.
    pub fn post(
        &self,
        posting: Posting,
        conditions: Vec<Condition>,
        key: Option<Key>,
    ) -> impl Future<Output = Answer> {
        self.submit_if(conditions, Action::post(posting), key)
    }

    /// Seals the open book of that name, and opens a new, empty one.
    pub fn reset_book(&self, book: BookName, key: Option<Key>) -> impl Future<Output = Answer> {
        self.submit(Action::ResetBook(book), key)
    }

    /// An account as it is now.
    pub async fn find_account(&self, account: AccountRef) -> Result<Option<Head>, Fault> {
        let find =
            async |connection: &mut Connection| storage::heads::find(connection, &account).await;
        read(&self.reads, find).await
    }

    /// An account as it was a moment ago: good for what never changes of it, its currency and its owner. It costs no query
    /// where the account was in use lately.
    pub async fn recall_account(&self, account: AccountId) -> Result<Option<Head>, Fault> {
        match self.engine.recall(account) {
            Some(head) => Ok(Some(head)),
            None => self.find_account(AccountRef::Id(account)).await,
        }
    }

    /// The accounts of a user, by id, after one of them.
    pub async fn list_accounts(
        &self,
        owner: UserId,
        after: AccountId,
        limit: u8,
    ) -> Result<Vec<Head>, Fault> {
        let limit = i64::from(limit);
        read(&self.reads, async |connection| {
            storage::heads::list_by_owner(connection, owner, after, limit).await
        })
        .await
    }
}
