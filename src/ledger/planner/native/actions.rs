//! What the most obvious ledger does about holds, accounts and books.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::super::posting_tests::cents;
use super::naive::{Account, Book, Naive, Time, left, said};
use crate::ledger::{
    AccountDetails, AccountId, AccountRef, BookId, BookName, Command, DetailsChange, Hold,
    HoldChange, HoldId, HoldStatus, Kind, Magnitude, Metadata, More, Native, NewHold, OpenAccount,
    Receipt, Rejection, Side, Status, Version,
};

impl Naive {
    pub(super) fn place(&mut self, command: &Command, new: &NewHold) -> Result<Receipt, Rejection> {
        let account = self.find(&new.account, Side::Target)?;
        self.check_book(account)?;
        self.check_giving(account, new.currency)?;
        let at = self.entry_time([account]);
        let expires_at = new.expires_at.unwrap_or(at + TimeDelta::days(7));
        check_expiry(at, expires_at)?;
        let (balance, before) = (self.accounts[&account].balance, self.held(account));
        self.check_funds(account, balance, before + new.amount.amount().minor())?;
        let hold = Hold {
            id: HoldId(command.id.0),
            account,
            currency: new.currency,
            amount: new.amount,
            captured: Magnitude::ZERO,
            status: HoldStatus::Active,
            expires_at,
            version: Version(0),
            created_at: at,
        };
        Ok(self.say_hold(command, Kind::HoldPlaced, hold, at))
    }

    pub(super) fn change_hold(
        &mut self,
        command: &Command,
        id: HoldId,
        change: &HoldChange,
    ) -> Result<Receipt, Rejection> {
        let mut hold = self.active(id)?;
        let (account, before) = (hold.account, hold.clone());
        self.check_book(account)?;
        if let Some(figure) = &change.amount {
            hold.amount = figure.in_currency(hold.currency)?.magnitude();
        }
        if let Some(expires_at) = change.expires_at {
            hold.expires_at = expires_at;
        }
        if hold.amount < hold.captured {
            return Err(Native::HoldAmountExceeded { account }.into());
        }
        if before.amount < hold.amount && self.accounts[&account].status == Status::Frozen {
            return Err(Rejection::AccountFrozen { account });
        }
        if hold == before {
            return Ok(self.say_unchanged(command, account, Some(hold)));
        }
        let at = self.entry_time([account]);
        check_expiry(at, hold.expires_at)?;
        if hold.amount == hold.captured {
            hold.status = HoldStatus::Captured;
        }
        if before.amount < hold.amount {
            let after = self.held(account) - left(&before) + left(&hold);
            self.check_funds(account, self.accounts[&account].balance, after)?;
        }
        Ok(self.say_hold(command, Kind::HoldChanged, hold, at))
    }

    pub(super) fn void(&mut self, command: &Command, id: HoldId) -> Result<Receipt, Rejection> {
        let mut hold = self.active(id)?;
        self.check_book(hold.account)?;
        hold.status = HoldStatus::Voided;
        let at = self.entry_time([hold.account]);
        Ok(self.say_hold(command, Kind::HoldVoided, hold, at))
    }

    fn say_hold(&mut self, command: &Command, kind: Kind, hold: Hold, at: Time) -> Receipt {
        let hold = self.write_hold(hold, at);
        let standings = vec![self.standing(hold.account, 0)];
        let hold = Some(hold);
        let more = More {
            hold,
            ..More::default()
        };
        said(command, kind, at, standings, more)
    }

    fn say_unchanged(&self, command: &Command, account: AccountId, hold: Option<Hold>) -> Receipt {
        let at = self.accounts[&account].last_entry_at.max(self.now);
        let more = More {
            hold,
            ..More::default()
        };
        let standings = vec![self.standing(account, 0)];
        said(command, Kind::Empty, at, standings, more)
    }

    pub(super) fn set_status(
        &mut self,
        command: &Command,
        account: &AccountRef,
        status: Status,
    ) -> Result<Receipt, Rejection> {
        let account = self.find(account, Side::Target)?;
        self.check_book(account)?;
        let Account {
            status: before,
            balance,
            ..
        } = self.accounts[&account];
        if before == status {
            return Ok(self.say_unchanged(command, account, None));
        }
        let kind = match status {
            Status::Open => Kind::Unfrozen,
            Status::Frozen => Kind::Frozen,
            Status::Closed => Kind::Closed,
        };
        if before == Status::Closed {
            return Err(Rejection::AccountClosed { account });
        }
        if status == Status::Closed && self.held(account) != 0 {
            return Err(Native::HasActiveHolds { account }.into());
        }
        if status == Status::Closed && balance != 0 {
            return Err(Native::BalanceNotZero { account }.into());
        }
        self.accounts.get_mut(&account).expect("an account").status = status;
        Ok(self.say_amended(command, account, kind))
    }

    pub(super) fn set_details(
        &mut self,
        command: &Command,
        account: &AccountRef,
        change: &DetailsChange,
    ) -> Result<Receipt, Rejection> {
        let account = self.find(account, Side::Target)?;
        self.check_book(account)?;
        let before = self.accounts[&account].clone();
        let mut after = before.clone();
        if before.status == Status::Closed {
            return Err(Rejection::AccountClosed { account });
        }
        if let Some(limit) = &change.overdraft_limit {
            after.floor = -limit.in_currency(before.currency)?.minor();
        }
        if let Some(patch) = &change.metadata {
            let said = before.details.clone().map(|details| details.metadata);
            let said = said.unwrap_or_default();
            let mut members: BTreeMap<String, String> = if patch.clears {
                BTreeMap::new()
            } else {
                said.0.clone()
            };
            for (name, value) in &patch.members {
                members.remove(name);
                members.extend(value.iter().map(|value| (name.clone(), value.clone())));
            }
            if Metadata::MEMBERS_MAX < members.len() {
                return Err(Native::MetadataTooLarge.into());
            }
            if members != said.0 {
                let (metadata, salt) = (Metadata(members), change.salt);
                after.details = Some(AccountDetails { metadata, salt });
            }
        }
        if after == before {
            return Ok(self.say_unchanged(command, account, None));
        }
        if before.floor < after.floor && before.balance - self.held(account) < after.floor {
            return Err(Rejection::InsufficientFunds {
                account: Some(account),
                available: cents(self.available(account)),
            });
        }
        self.accounts.insert(account, after);
        Ok(self.say_amended(command, account, Kind::Amended))
    }

    fn say_amended(&mut self, command: &Command, account: AccountId, kind: Kind) -> Receipt {
        let at = self.entry_time([account]);
        self.write(account, at);
        let standings = vec![self.standing(account, 0)];
        said(command, kind, at, standings, More::default())
    }

    pub(super) fn open_account(
        &mut self,
        command: &Command,
        open: &OpenAccount,
    ) -> Result<Receipt, Rejection> {
        let (book, at) = self.open_of(self.within.expect("a caller"));
        if open.owner.is_some_and(|owner| !self.users.contains(&owner)) {
            return Err(Native::OwnerNotFound.into());
        }
        let account = AccountId(self.take(0));
        if let Some(external_id) = &open.external_id {
            let external_id = (book, external_id.clone());
            if self.external_ids.insert(external_id, account).is_some() {
                return Err(Native::ExternalIdTaken.into());
            }
        }
        let floor = -open.overdraft_limit.amount().minor();
        let opened = Account {
            book,
            owner: open.owner,
            currency: open.currency,
            balance: 0,
            floor,
            status: Status::Open,
            details: open.details.clone(),
            version: 1 + i64::from(floor != 0 || open.details.is_some()),
            last_entry_at: at,
        };
        self.accounts.insert(account, opened);
        let standings = vec![self.standing(account, 0)];
        Ok(said(command, Kind::Opening, at, standings, More::default()))
    }

    /// The open book of a name, and the time of what happens in it.
    pub(super) fn open_of(&self, name: BookName) -> (BookId, Time) {
        let mut books = self.books.iter();
        let open = books.find(|(_, book)| book.is_open && book.name == name);
        let (id, book) = open.expect("an open book");
        (*id, book.opened_at.max(self.now))
    }

    pub(super) fn new_book(&mut self, name: BookName, opened_at: Time) -> BookId {
        let id = BookId(self.take(2));
        let is_open = true;
        let book = Book {
            name,
            opened_at,
            is_open,
        };
        self.books.insert(id, book);
        id
    }

    pub(super) fn open_book(
        &mut self,
        command: &Command,
        name: BookName,
    ) -> Result<Receipt, Rejection> {
        let mut books = self.books.values();
        if books.any(|book| book.is_open && book.name == name) {
            return Err(Native::BookTaken.into());
        }
        let book = Some(self.new_book(name, self.now));
        let more = More {
            book,
            ..More::default()
        };
        Ok(said(command, Kind::BookOpened, self.now, vec![], more))
    }
}

/// A hold ends after it was placed or changed, and 90 days after at most.
fn check_expiry(at: Time, expires_at: Time) -> Result<(), Rejection> {
    if at < expires_at && expires_at <= at + TimeDelta::days(90) {
        Ok(())
    } else {
        Err(Native::TimeOutOfRange.into())
    }
}
