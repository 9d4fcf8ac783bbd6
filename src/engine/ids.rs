//! Ids that a lane took from their sequences and has not used yet.

use super::batch::Batch;
use super::settle::Written;
use crate::ledger::{AccountId, Action, BookId, UserId};

/// Account ids taken from the sequence at a time. Gaps are normal.
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

/// Ids that commands may use up.
#[derive(Debug, Default, PartialEq, Eq)]
struct Needed {
    accounts: usize,
    users: usize,
    books: usize,
}

impl Ids {
    /// What it takes to plan a batch that names `missing` accounts that there are not.
    pub(super) fn lacking(&self, batch: &Batch, missing: usize) -> Lacking {
        let actions = batch.commands().map(|command| &command.action);
        let needed = needed(actions, missing);
        Lacking {
            accounts: lack(needed.accounts, self.accounts.len())
                .map(|count| count.max(ACCOUNTS_MIN)),
            users: lack(needed.users, self.users.len()),
            books: lack(needed.books, self.books.len()),
        }
    }

    pub(super) fn use_up(&mut self, written: &Written) {
        self.accounts.retain(|id| !written.accounts.contains(id));
        self.users.retain(|id| !written.users.contains(id));
        self.books
            .retain(|id| written.books.iter().all(|(_, used)| used != id));
    }
}

fn lack(needed: usize, at_hand: usize) -> Option<i32> {
    let lacking = needed.checked_sub(at_hand).filter(|count| *count != 0)?;
    Some(i32::try_from(lacking).unwrap_or(i32::MAX))
}

/// Every name without an account may get one; after a reset in the same batch, every name at all.
fn needed<'a>(actions: impl Iterator<Item = &'a Action>, missing: usize) -> Needed {
    let mut needed = Needed {
        accounts: missing,
        ..Needed::default()
    };
    let mut named = 0;
    for action in actions {
        match action {
            Action::Move(_) => {}
            Action::OpenUser(_) => {
                needed.users += 1;
                needed.accounts += 1;
            }
            Action::OpenAccount(_) => needed.accounts += 1,
            Action::ResetBook(_) => needed.books += 1,
        }
        named += action.accounts().count();
    }
    if needed.books != 0 {
        needed.accounts += named;
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::super::desk::{Desk, on, open_account, open_user};
    use super::*;
    use crate::ledger::BookName;

    fn needed_by(actions: &[Action], missing: usize) -> [usize; 3] {
        let needed = needed(actions.iter(), missing);
        [needed.accounts, needed.users, needed.books]
    }

    #[test]
    fn what_is_opened_needs_ids() {
        let [money, user, account] = [on(&[1, 2]), open_user(None), open_account()];
        assert_eq!(needed_by(&[], 0), [0, 0, 0]);
        assert_eq!(needed_by(&[money.clone(), money.clone()], 0), [0, 0, 0]);
        assert_eq!(needed_by(&[money.clone(), money], 2), [2, 0, 0]);
        assert_eq!(needed_by(&[user.clone(), user.clone()], 0), [2, 2, 0]);
        assert_eq!(needed_by(&[account.clone(), account, user], 3), [6, 1, 0]);
    }

    #[test]
    fn a_reset_may_leave_every_name_without_an_account() {
        let [reset, one, two] = [on(&[]), on(&[1]), on(&[1, 2])];
        assert_eq!(needed_by(&[reset.clone(), reset.clone()], 0), [0, 0, 2]);
        assert_eq!(needed_by(&[one, reset, two], 1), [1 + 3, 0, 1]);
    }

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
    fn ids_of_accounts_are_taken_by_the_dozen() {
        let batch = Desk::roomy().batch_of([open_user(None), open_account()]);
        let mut ids = Ids::default();
        let users = Some(1);
        assert_eq!(
            ids.lacking(&batch, 0),
            Lacking {
                accounts: Some(32),
                users,
                books: None
            }
        );
        assert_eq!(ids.lacking(&batch, 40).accounts, Some(42));
        ids.accounts = vec![AccountId(1), AccountId(2)];
        ids.users = vec![UserId(1)];
        assert_eq!(ids.lacking(&batch, 0), Lacking::default());
        assert_eq!(ids.lacking(&batch, 1).accounts, Some(32));
    }

    #[test]
    fn what_was_written_is_not_used_again() {
        let mut ids = Ids {
            accounts: [1, 2, 3].map(AccountId).into(),
            users: [4, 5, 6].map(UserId).into(),
            books: [7, 8, 9].map(BookId).into(),
        };
        ids.use_up(&Written {
            accounts: [1, 3].map(AccountId).into(),
            users: [4, 5].map(UserId).into(),
            books: [8, 9].map(|book| (BookName::EVENTS, BookId(book))).into(),
            ..Written::default()
        });
        assert_eq!(ids.accounts, [AccountId(2)]);
        assert_eq!(ids.users, [UserId(6)]);
        assert_eq!(ids.books, [BookId(7)]);
    }
}
