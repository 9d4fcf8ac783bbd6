//! Who asks, and in which book.

use super::asked::Asked;
use super::codes::Code;
use super::problem::Problem;
use crate::http::access::Identity;
use crate::ledger::access::Scope;
use crate::ledger::{AccountId, AccountRef, BookName, Condition, Figure, Party, Posting};
use crate::service::Service;
use crate::service::access::Actor;
use crate::service::native::{Principal, Who};

/// The field that names a book.
const BOOK: &str = "Passbook-Book";

/// # Errors
/// If the request names a book that is not there, or that is not for whoever asks.
pub(super) async fn asks(service: &Service, asked: &Asked) -> Result<Who, Problem> {
    let identity = asked.identity();
    let (principal, books) = match &identity {
        Identity::Anyone => (Principal::Anyone, None),
        Identity::Service(key) => (Principal::Service(key.principal), Some(&key.books[..])),
        Identity::Person(user) => (Principal::Person(*user), Some(&[BookName::MAIN][..])),
    };
    let mut lines = asked.headers().get_all(BOOK);
    let name = match lines.next() {
        // Of several books, the first is the one that is meant.
        None => books.map_or(Some(BookName::MAIN), |books| books.first().copied()),
        Some(line) => {
            let name = line.to_str().ok().and_then(BookName::parse);
            name.filter(|_| lines.next().is_none())
        }
    };
    let is_theirs = |name: &BookName| books.is_none_or(|books| books.contains(name));
    let name = name.filter(is_theirs).ok_or_else(forbidden)?;
    service.who(principal, name).await?.ok_or_else(forbidden)
}

/// Who asks for what only those may who administer the ledger, of whatever book a request speaks.
///
/// # Errors
/// As [`asks`].
pub(super) async fn administers(service: &Service, asked: &Asked) -> Result<Actor, Problem> {
    asks(service, asked).await?;
    Ok(asked.identity().actor())
}

/// Limits are for keys with the scope `admin`.
///
/// # Errors
/// If a limit is set by somebody else.
pub(super) fn may_limit(asked: &Asked, limit: Option<&Figure>) -> Result<(), Problem> {
    if limit.is_none() || asked.identity().has(Scope::Admin) {
        return Ok(());
    }
    let detail = "An overdraft limit needs a key with the scope admin";
    Err(Problem::new(Code::Forbidden, detail))
}

/// The account that a request speaks of. To a person, one of others is not there.
pub(super) fn account(who: &Who, id: AccountId) -> AccountRef {
    match who.reach.owner {
        None => AccountRef::Id(id),
        Some(person) => AccountRef::Owned(id, person),
    }
}

/// What postings and conditions are to a person: only own accounts give and are compared, and there is no world.
///
/// # Errors
/// If a person moves money to the world, or from it.
pub(super) fn keep_to_own(
    who: &Who,
    postings: &mut [Posting],
    conditions: &mut [Condition],
) -> Result<(), Problem> {
    if who.reach.owner.is_none() {
        return Ok(());
    }
    for posting in postings {
        check_side(who, &posting.from)?;
        check_side(who, &posting.to)?;
        if let Party::Account(AccountRef::Id(id)) = posting.from {
            posting.from = Party::Account(account(who, id));
        }
    }
    for condition in conditions {
        if let AccountRef::Id(id) = condition.account {
            condition.account = account(who, id);
        }
    }
    Ok(())
}

/// # Errors
/// If a person speaks of the world.
pub(super) fn check_side(who: &Who, side: &Party) -> Result<(), Problem> {
    if who.reach.owner.is_some() && *side == Party::World {
        let detail = "A session moves money between accounts, not to the world or from it";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    Ok(())
}

fn forbidden() -> Problem {
    Problem::new(Code::Forbidden, "There is no such book that you may use")
}
