//! What the planner does about an account itself: its status, its limit, and what is said of it.

use super::plan::NewDetails;
use super::{Done, Planner};
use crate::ledger::{
    AccountDetails, AccountId, AccountRef, Amendment, Change, Command, DetailsChange, Kind,
    Metadata, Native, Rejection, Status, Step,
};

impl Planner<'_, '_> {
    pub(super) fn amend(
        &mut self,
        command: &Command,
        account: &AccountRef,
        amendment: &Amendment,
    ) -> Result<Done, Rejection> {
        let account = self.find(account)?;
        self.check_book(account)?;
        match amendment {
            Amendment::Status(status) => self.set_status(command, account, *status),
            Amendment::Details(change) => self.set_details(command, account, change),
        }
    }

    fn set_status(
        &mut self,
        command: &Command,
        account: AccountId,
        status: Status,
    ) -> Result<Done, Rejection> {
        let head = self.drafts.head(account);
        if head.state.status == status {
            return Ok(self.unamended(account));
        }
        head.is_not_closed()?;
        let kind = Kind::of_status(status);
        self.change_account(command, account, Change::Status(status), kind)
    }

    fn set_details(
        &mut self,
        command: &Command,
        account: AccountId,
        change: &DetailsChange,
    ) -> Result<Done, Rejection> {
        let head = self.drafts.head(account);
        head.is_not_closed()?;
        let before = head.state;
        let floor = match &change.overdraft_limit {
            None => before.floor,
            Some(figure) => figure
                .in_currency(head.currency)?
                .magnitude()
                .amount()
                .negated(),
        };
        let metadata = match &change.metadata {
            None => None,
            Some(patch) => {
                let metadata = self.metadata(account);
                let patched = metadata.patched(patch);
                if !patched.fits() {
                    return Err(Native::MetadataTooLarge.into());
                }
                (patched != metadata).then_some(patched)
            }
        };
        let Some(metadata) = metadata else {
            if floor == before.floor {
                return Ok(self.unamended(account));
            }
            return self.change_account(command, account, Change::Limit(floor), Kind::Amended);
        };
        let salt = change.salt;
        let details = AccountDetails { metadata, salt };
        let digest = Some(details.digest());
        let changed = Change::Details {
            floor,
            details: digest,
        };
        let done = self.change_account(command, account, changed, Kind::Amended)?;
        self.write_details(account, details);
        Ok(done)
    }

    /// What is said of an account after the commands so far.
    fn metadata(&self, account: AccountId) -> Metadata {
        let written = self.plan.account_details.iter().rev();
        let mut written = written.filter(|new| new.account == account);
        let last = written.next().map(|new| &new.details.metadata);
        last.or_else(|| self.view.details.get(&account))
            .cloned()
            .unwrap_or_default()
    }

    /// The text of the details that were sealed last.
    pub(super) fn write_details(&mut self, account: AccountId, details: AccountDetails) {
        let version = self.drafts.head(account).version;
        self.plan.account_details.push(NewDetails {
            account,
            version,
            details,
        });
    }

    fn change_account(
        &mut self,
        command: &Command,
        account: AccountId,
        change: Change,
        kind: Kind,
    ) -> Result<Done, Rejection> {
        let at = self.entry_time(account);
        let stamp = Self::stamp(command, at);
        self.drafts.step(account, Step::of(change), &stamp)?;
        Ok(Done {
            kind,
            standings: vec![self.standing(account)],
            ..Done::nothing(at, Vec::new())
        })
    }

    fn unamended(&self, account: AccountId) -> Done {
        let at = self.drafts.time(self.now, [account]);
        Done::nothing(at, vec![self.standing(account)])
    }
}
