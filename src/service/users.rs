//! What can be done for a user: open one, look at their balances.

use super::{Service, UserBalance, read};
use crate::ledger::{
    Action, Amount, Answer, BookId, Currency, Fault, Key, OpenUser, Scope, TransactionId, UserId,
};
use crate::storage::{self, outcomes};

impl Service {
    /// A user beside their account in a currency; the balance is zero while there is no account.
    pub async fn find_user(
        &self,
        user: UserId,
        currency: Currency,
    ) -> Result<Option<UserBalance>, Fault> {
        self.balances.find(user, currency).await
    }

    /// The email of a user as they typed it.
    pub async fn find_email(&self, user: UserId) -> Result<Option<String>, Fault> {
        read(&self.reads, async |connection| {
            storage::users::find_email(connection, user).await
        })
        .await
    }

    /// A user's balance in each of the currencies, in their order; none where there is no such user.
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
    pub async fn is_used(&self, key: &Key) -> Result<bool, Fault> {
        let asked = [(Scope::Book(BookId::MAIN), key.text.clone())];
        let outcomes = read(&self.reads, async |connection| {
            let ids = outcomes::list_ids_by_keys(connection, &asked).await?;
            let ids: Vec<TransactionId> = ids.into_iter().map(|(_, id)| id).collect();
            outcomes::list(connection, &ids).await
        });
        let outcomes = outcomes.await?;
        let mut recorded = outcomes.into_values().flatten();
        Ok(recorded.any(|recorded| recorded.digest == key.digest))
    }

    /// Opens a user with an account, and deposits the opening balance there.
    pub fn open_user(&self, user: OpenUser, key: Option<Key>) -> impl Future<Output = Answer> {
        self.submit(Action::OpenUser(user), key)
    }
}
