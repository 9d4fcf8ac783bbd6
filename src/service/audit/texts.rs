//! Texts beside transactions and accounts: each is one that an entry or a transaction has a digest of.

use super::place::Place;
use super::report::Report;
use super::state::Audit;
use crate::ledger::{AccountId, Version};
use crate::storage::audit::{self, Unsealed};
use crate::storage::{Connection, StorageError};

pub(super) async fn check_notes(
    connection: &mut Connection,
    audit: &Audit,
) -> Result<(), StorageError> {
    let mut after = audit.first;
    loop {
        let page = audit::list_notes(connection, after, audit.pages.registry_max).await?;
        audit.add(tell(audit.part(), page.unsealed));
        let Some(last) = page.last else {
            return Ok(());
        };
        after = last;
    }
}

pub(super) async fn check_account_details(
    connection: &mut Connection,
    audit: &Audit,
) -> Result<(), StorageError> {
    let mut after = (AccountId(i64::MIN), Version(i64::MIN));
    loop {
        let limit = audit.pages.registry_max;
        let page = audit::list_account_details(connection, after, limit).await?;
        audit.add(tell(audit.part(), page.unsealed));
        let Some(last) = page.last else {
            return Ok(());
        };
        after = last;
    }
}

fn tell(mut report: Report, unsealed: Vec<Unsealed>) -> Report {
    for text in unsealed {
        let (place, what) = match text {
            Unsealed::Transaction(id) => {
                let what = "has details without a digest, or there is no such transaction";
                (Place::Transaction(id), what)
            }
            Unsealed::Account(account, version) => {
                let what = "has details that it does not seal, or there is no such entry";
                (Place::Entry(account, version), what)
            }
        };
        report.find(place, what.to_owned());
    }
    report
}
