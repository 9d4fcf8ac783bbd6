//! The rules of an account besides its chain: its book, its owner, its name, and how it came to be opened.

use super::place::Place;
use super::report::Report;
use crate::ledger::{AccountName, BookId};
use crate::storage::audit::StoredHead;

/// Checks what is stored of one account and follows from no entry.
pub(super) fn check(report: &mut Report, head: &StoredHead) {
    let mut find = |what: String| report.find(Place::Account(head.id), what);
    if !head.has_book {
        find(format!("is in book {}, which does not exist", head.book.0));
    }
    if let (Some(owner), None) = (head.owner, head.owner_created_at) {
        find(format!("belongs to user {owner}, who does not exist"));
    }
    if let Err(what) = check_names(head) {
        find(what);
    }
    // All others were opened by the money that reached their names first.
    let openings = i64::from(head.names == 0 || is_first_of_owner(head));
    if head.openings != openings {
        let found = head.openings;
        find(format!("has {found} openings instead of {openings}"));
    }
}

fn check_names(head: &StoredHead) -> Result<(), String> {
    if 1 < head.names {
        return Err(format!("has {} names instead of one", head.names));
    }
    let Some(name) = &head.name else {
        // Outside the main book, an account is opened by its name, or by a command that says so.
        let is_named = head.book != BookId::MAIN && head.openings == 0;
        return if is_first_of_owner(head) || is_named {
            Err("has no name".to_owned())
        } else {
            Ok(())
        };
    };
    if name.book != head.book {
        return Err(format!("is called by a name of book {}", name.book.0));
    }
    if head.book != BookId::MAIN {
        return Ok(());
    }
    let fits = head
        .owner
        .is_some_and(|owner| name.name == AccountName::of_user(owner, head.currency.code).as_str());
    if fits {
        Ok(())
    } else {
        Err(format!(
            "is called {}, which fits another owner or currency",
            name.name
        ))
    }
}

/// The account that was opened together with its owner.
fn is_first_of_owner(head: &StoredHead) -> bool {
    head.owner_created_at == Some(head.opened_at)
}
