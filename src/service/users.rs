//! What can be done for a user: open one, look at their balance, change it.

use super::{Service, UserBalance, new_transaction, read};
use crate::ledger::{
    AccountRef, Action, Amount, Answer, Command, Currency, Fault, Key, Move, NamedAccount,
    OpenUser, Parties, UserId,
};
use crate::storage;

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
        read(storage::users::find_balance(&self.reads, user, currency)).await
    }

    /// Opens a user with an account, and deposits the opening balance there.
    ///
    /// # Errors
    /// Where there is no answer; see [`Fault`].
    pub async fn open_user(&self, user: OpenUser, key: Option<Key>) -> Answer {
        let action = Action::OpenUser(user);
        self.submit(action, key).await
    }

    /// Deposits what is positive and withdraws what is negative. Zero changes nothing, and its key is remembered.
    ///
    /// # Errors
    /// Where there is no answer; see [`Fault`].
    pub async fn change_balance(
        &self,
        user: UserId,
        change: Amount,
        currency: Currency,
        key: Option<Key>,
    ) -> Answer {
        let account = AccountRef::Named(NamedAccount::of_user(user, currency));
        let (parties, amount) = if change.is_negative() {
            (Parties::Withdrawal { from: account }, change.negated())
        } else {
            (Parties::Deposit { to: account }, change)
        };
        let money = Move::new(parties, amount, currency).ok_or(Fault::Bug)?;
        let action = Action::Move(money);
        self.submit(action, key).await
    }

    /// Moves money between two accounts, both sides at once.
    ///
    /// # Errors
    /// Where there is no answer; see [`Fault`]. A negative amount is a bug of the caller.
    pub async fn transfer(
        &self,
        from: AccountRef,
        to: AccountRef,
        amount: Amount,
        currency: Currency,
        key: Option<Key>,
    ) -> Answer {
        let money =
            Move::new(Parties::Transfer { from, to }, amount, currency).ok_or(Fault::Bug)?;
        let action = Action::Move(money);
        self.submit(action, key).await
    }

    async fn submit(&self, action: Action, key: Option<Key>) -> Answer {
        let id = new_transaction();
        self.engine
            .submit(Command {
                id,
                action,
                key,
                expected_version: None,
            })
            .await
    }
}
