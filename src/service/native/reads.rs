//! What callers of the native interface can look at.

use super::{
    AccountFilter, AccountView, Book, HoldFilter, HoldView, Paging, Person, Service,
    TransactionFilter, TransactionView, Who,
};
use crate::ledger::plan::Recorded;
use crate::ledger::{
    AccountId, BookId, BookName, Email, Fault, HoldId, Scope, TransactionId, UserId, Version,
};
use crate::service::read;
use crate::storage;

/// What is known of a key.
#[derive(Debug)]
pub enum Looked {
    /// A request under it is being carried out here.
    Running,
    Done(Box<Recorded>),
}

impl Service {
    /// An account as it is, or as it was at a version. None also if it is of another book.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn view_account(
        &self,
        who: &Who,
        account: AccountId,
        at: Option<Version>,
    ) -> Result<Option<AccountView>, Fault> {
        let view = read(&self.reads, async |connection| {
            storage::accounts::find(connection, account, at).await
        });
        let view = view.await?;
        Ok(view.filter(|view| who.reach.includes(view.head.book, view.head.owner)))
    }

    /// # Errors
    /// If the database does not answer.
    pub async fn view_accounts(
        &self,
        who: &Who,
        filter: AccountFilter,
        paging: Paging<AccountId>,
    ) -> Result<Vec<AccountView>, Fault> {
        let reach = who.reach.clone();
        let filter = AccountFilter { reach, ..filter };
        read(&self.reads, async |connection| {
            storage::accounts::list(connection, &filter, paging).await
        })
        .await
    }

    /// A hold as it is, or as it was at a version of its account. None also if it is of another book.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn view_hold(
        &self,
        who: &Who,
        hold: HoldId,
        at: Option<Version>,
    ) -> Result<Option<HoldView>, Fault> {
        let view = read(&self.reads, async |connection| match at {
            None => storage::holds::find(connection, hold).await,
            Some(version) => storage::holds::find_at(connection, hold, version).await,
        });
        let view = view.await?;
        Ok(view.filter(|view| who.reach.includes(view.book, view.owner)))
    }

    /// # Errors
    /// If the database does not answer.
    pub async fn view_holds(
        &self,
        who: &Who,
        filter: HoldFilter,
        paging: Paging<HoldId>,
    ) -> Result<Vec<HoldView>, Fault> {
        let reach = who.reach.clone();
        let filter = HoldFilter { reach, ..filter };
        read(&self.reads, async |connection| {
            storage::holds::list(connection, &filter, paging).await
        })
        .await
    }

    /// An accepted transaction. None also if it is about accounts of other books alone.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn view_transaction(
        &self,
        who: &Who,
        id: TransactionId,
    ) -> Result<Option<TransactionView>, Fault> {
        let found = read(&self.reads, async |connection| {
            let touched = storage::transactions::list_touched(connection, id).await?;
            let mut views = storage::transactions::list_by_ids(connection, &[id]).await?;
            Ok((touched, views.pop()))
        });
        let (touched, view) = found.await?;
        let mut each = touched.iter();
        let is_theirs = each.any(|(book, owner)| who.reach.includes(*book, *owner));
        // What is about no account is no person's.
        let is_seen = is_theirs || touched.is_empty() && who.reach.owner.is_none();
        Ok(view.filter(|_| is_seen))
    }

    /// # Errors
    /// If the database does not answer.
    pub async fn view_transactions(
        &self,
        who: &Who,
        filter: TransactionFilter,
        paging: Paging<TransactionId>,
    ) -> Result<Vec<TransactionView>, Fault> {
        let reach = who.reach.clone();
        let filter = TransactionFilter { reach, ..filter };
        read(&self.reads, async |connection| {
            let ids = storage::transactions::list_ids(connection, &filter, paging).await?;
            storage::transactions::list_by_ids(connection, &ids).await
        })
        .await
    }

    /// What is known of a key of a caller.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn look_up(&self, who: &Who, key: &str) -> Result<Option<Looked>, Fault> {
        let keys = [(Scope::Caller(who.id), key.to_owned())];
        let found = read(&self.reads, async |connection| {
            let ids = storage::outcomes::list_ids_by_keys(connection, &keys).await?;
            let Some((_, id)) = ids.first() else {
                return Ok(None);
            };
            let mut outcomes = storage::outcomes::list(connection, &[*id]).await?;
            Ok(outcomes.remove(id).transpose()?)
        });
        let found = found.await?;
        if let Some(mut recorded) = found {
            if let Some(sight) = recorded.sight.as_deref_mut() {
                self.hide(who.reach.owner, sight).await?;
            }
            return Ok(Some(Looked::Done(Box::new(recorded))));
        }
        let is_running = self.is_running(who.id, key);
        Ok(is_running.then_some(Looked::Running))
    }

    /// # Errors
    /// If the database does not answer.
    pub async fn view_user(&self, user: UserId) -> Result<Option<Person>, Fault> {
        read(&self.reads, async |connection| {
            storage::users::find_person(connection, user).await
        })
        .await
    }

    /// # Errors
    /// If the database does not answer.
    pub async fn view_users(
        &self,
        email: Option<Email>,
        paging: Paging<UserId>,
    ) -> Result<Vec<Person>, Fault> {
        read(&self.reads, async |connection| {
            storage::users::list_persons(connection, email.as_ref(), paging).await
        })
        .await
    }

    /// # Errors
    /// If the database does not answer.
    pub async fn view_book(&self, book: BookId) -> Result<Option<Book>, Fault> {
        read(&self.reads, async |connection| {
            storage::books::find(connection, book).await
        })
        .await
    }

    /// # Errors
    /// If the database does not answer.
    pub async fn view_books(&self, paging: Paging<BookName>) -> Result<Vec<Book>, Fault> {
        read(&self.reads, async |connection| {
            storage::books::list_open(connection, paging).await
        })
        .await
    }
}
