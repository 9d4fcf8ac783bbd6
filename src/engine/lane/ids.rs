//! Ids that a lane took from their sequences and has not used yet.

use uuid::Uuid;

use crate::ledger::{AccountId, BookId, Openings, TransactionId, UserId, View};

/// Account ids taken from the sequence at a time, at least. Gaps are normal.
const ACCOUNTS_MIN: i32 = 32;

#[derive(Default)]
pub(super) struct Ids {
    pub accounts: Vec<AccountId>,
    pub users: Vec<UserId>,
    pub books: Vec<BookId>,
}

/// How many more ids to take.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lacking {
    pub accounts: Option<i32>,
    pub users: Option<i32>,
    pub books: Option<i32>,
}

impl Ids {
    pub(super) fn lacking(&self, needed: &Openings) -> Lacking {
        Lacking {
            accounts: lack(needed.accounts, self.accounts.len())
                .map(|count| count.max(ACCOUNTS_MIN)),
            users: lack(needed.users, self.users.len()),
            books: lack(needed.books, self.books.len()),
        }
    }

    /// Lets a view have what its batch may use up.
    pub(super) fn lend(&self, needed: &Openings, view: &mut View) {
        view.unused_accounts = first(&self.accounts, needed.accounts);
        view.unused_users = first(&self.users, needed.users);
        view.unused_books = first(&self.books, needed.books);
        // These are of no sequence.
        let transactions = (0..needed.transactions).map(|_| TransactionId(Uuid::now_v7()));
        view.unused_transactions = transactions.collect();
    }

    /// A plan takes ids from the front, and all that it took is written.
    pub(super) fn use_up(&mut self, openings: &Openings) {
        drop_first(&mut self.accounts, openings.accounts);
        drop_first(&mut self.users, openings.users);
        drop_first(&mut self.books, openings.books);
    }
}

fn first<T: Copy>(ids: &[T], count: usize) -> Vec<T> {
    ids.iter().take(count).copied().collect()
}

fn drop_first<T>(ids: &mut Vec<T>, count: usize) {
    ids.drain(..count.min(ids.len()));
}

fn lack(needed: usize, at_hand: usize) -> Option<i32> {
    let lacking = needed.checked_sub(at_hand).filter(|count| *count != 0)?;
    Some(i32::try_from(lacking).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_taken_than_is_lacking() {
        assert_eq!(lack(0, 0), None);
        assert_eq!(lack(2, 3), None);
        assert_eq!(lack(3, 3), None);
        assert_eq!(lack(4, 3), Some(1));
        assert_eq!(lack(5, 0), Some(5));
        assert_eq!(lack(usize::MAX, 0), Some(i32::MAX));
    }

    #[test]
    fn ids_of_accounts_are_taken_in_blocks() {
        let mut needed = Openings {
            accounts: 2,
            users: 1,
            ..Openings::default()
        };
        let mut ids = Ids::default();
        let lacking = Lacking {
            accounts: Some(32),
            users: Some(1),
            books: None,
        };
        assert_eq!(ids.lacking(&needed), lacking);
        ids.accounts = [1, 2].map(AccountId).into();
        ids.users = vec![UserId(1)];
        assert_eq!(ids.lacking(&needed), Lacking::default());
        needed.accounts = 3;
        assert_eq!(ids.lacking(&needed).accounts, Some(32));
        needed.accounts = 42;
        assert_eq!(ids.lacking(&needed).accounts, Some(40));
    }

    #[test]
    fn what_was_written_is_not_used_again() {
        let mut ids = Ids {
            accounts: [1, 2, 3].map(AccountId).into(),
            users: [4, 5, 6].map(UserId).into(),
            books: [7, 8, 9].map(BookId).into(),
        };
        let needed = Openings {
            accounts: 2,
            users: 2,
            books: 1,
            transactions: 3,
        };
        let mut view = View::default();
        ids.lend(&needed, &mut view);
        assert_eq!(view.unused_accounts, [1, 2].map(AccountId));
        assert_eq!(view.unused_users, [4, 5].map(UserId));
        assert_eq!(view.unused_books, [BookId(7)]);
        assert_eq!(view.unused_transactions.len(), 3);
        ids.use_up(&Openings {
            accounts: 2,
            users: 1,
            books: 1,
            transactions: 0,
        });
        ids.lend(&needed, &mut view);
        assert_eq!(view.unused_accounts, [AccountId(3)]);
        assert_eq!(view.unused_users, [5, 6].map(UserId));
        assert_eq!(view.unused_books, [BookId(8)]);
    }
}
