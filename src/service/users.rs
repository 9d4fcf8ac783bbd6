//! What can be done for a user: open one, look at their balances.

use super::{Service, UserBalance, read};
use crate::ledger::{
    Action, Amount, Answer, BookId, Currency, Fault, Key, OpenUser, Scope, UserId,
};
use crate::storage::{self, StorageError, outcomes};

impl Service {
    /// A user beside their account in a currency; the balance is zero while there is no account.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_user(
        &self,
        user: UserId,
        currency: Currency,
    ) -> Result<Option<UserBalance>, Fault> {
        self.balances.find(user, currency).await
    }

    /// A user's balance in each of the currencies, in their order; none where there is no such user.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_balances(
        &self,
        user: UserId,
        currencies: &[Currency],
    ) -> Result<Option<Vec<Amount>>, Fault> {
        read(&self.reads, async |connection| {
            storage::users::find_balances(connection, user, currencies).await
        })
        .await
    }

    /// Whether something was opened under that key, and by the same request.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn is_used(&self, key: &Key) -> Result<bool, Fault> {
        let scope = Scope::Book(BookId::MAIN);
        read(async {
            let mut connection = self.reads.acquire().await.map_err(StorageError::from)?;
            let ids = outcomes::list_ids_by_keys(&mut connection, &[(scope, &key.text)]).await?;
            let outcomes = outcomes::list(&mut connection, &ids).await?;
            let mut digests = outcomes.iter().map(|outcome| outcome.recorded.digest);
            Ok(digests.any(|digest| digest == key.digest))
        })
        .await
    }

    /// Opens a user with an account, and deposits the opening balance there.
    ///
    /// # Errors
    /// Where there is no answer; see [`Fault`].
    pub fn open_user(&self, user: OpenUser, key: Option<Key>) -> impl Future<Output = Answer> {
        self.submit(Action::OpenUser(user), key)
    }
}
