//! Accounts, some at a time: their chains, followed page by page, and their heads.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, Utc};

use super::chain::Chain;
use super::holds::{self, MadeHold};
use super::identity;
use super::place::Place;
use super::report::Report;
use super::state::{Audit, Chunk, Pages};
use crate::ledger::{AccountId, Version};
use crate::storage::audit::{self, HoldAt, Span, StoredEntry, StoredHead, Unregistered};
use crate::storage::{Connection, StorageError};

/// The accounts that are being followed, and what is left to read of them.
#[derive(Default)]
struct Following {
    chains: HashMap<AccountId, Chain>,
    spans: VecDeque<Span>,
    /// Holds that are to be compared with what is stored of them.
    holds: Vec<MadeHold>,
}

/// Checks all accounts of the chunk, or those that have changed. What was read is added to the audit's report after each page.
pub(super) async fn check(
    connection: &mut Connection,
    audit: &Audit,
    chunk: Chunk,
) -> Result<(), StorageError> {
    let Chunk { after, last } = chunk;
    let mut report = audit.part();
    let heads = audit::list_heads(connection, after, last, audit.since).await?;
    let heads = registered(&mut report, heads, audit);
    for head in &heads {
        identity::check(&mut report, head);
    }
    let mut following = match audit.since {
        None => Following::whole(&heads, chunk, &audit.moments()),
        Some(since) => {
            let starts = audit::list_starts(connection, &heads, since).await?;
            let mut following = Following::default();
            for (head, start) in heads.iter().zip(starts) {
                let chain = match start {
                    Some(start) => Chain::resume(head, &start, &mut report),
                    None => Chain::new(head, &[]),
                };
                following.follow(chain);
            }
            following
        }
    };
    loop {
        let page = following.next_page(audit.pages.entries_max);
        if page.is_empty() {
            break;
        }
        let limit = audit.pages.entries_max;
        let entries = audit::list_entries(connection, &page, limit).await?;
        following.go_on(&page, &entries, audit.pages);
        following.recall(connection, &entries).await?;
        for entry in &entries {
            following.check(connection, &mut report, entry).await?;
        }
        let ended = std::mem::take(&mut following.holds);
        holds::check_rows(connection, &mut report, &ended, limit).await?;
        audit.add(std::mem::replace(&mut report, audit.part()));
    }
    for head in &heads {
        if let Some(chain) = following.chains.remove(&head.id) {
            chain.check_head(&mut report);
            following.holds.extend(chain.into_active());
        }
    }
    let limit = audit.pages.entries_max;
    holds::check_rows(connection, &mut report, &following.holds, limit).await?;
    audit.add(report);
    Ok(())
}

/// The heads of which something can be told.
fn registered(
    report: &mut Report,
    heads: Vec<Result<StoredHead, Unregistered>>,
    audit: &Audit,
) -> Vec<StoredHead> {
    let heads = heads.into_iter().filter_map(|head| match head {
        Ok(head) => Some(head),
        Err(Unregistered { id, currency }) => {
            let what = format!("holds {currency}, which is no currency of the registry");
            report.find(Place::Account(id), what);
            None
        }
    });
    heads
        .map(|head| StoredHead {
            // Before that, somebody who knew the id of an account could still write to it.
            book_sealed_at: head
                .book_sealed_at
                .map(|at| at.max(audit.sealed_books_since)),
            ..head
        })
        .collect()
}

impl Following {
    /// Whole accounts. All entries of the chunk are read, also those that belong to no account.
    fn whole(heads: &[StoredHead], chunk: Chunk, moments: &[DateTime<Utc>]) -> Self {
        Self {
            chains: heads
                .iter()
                .map(|head| (head.id, Chain::new(head, moments)))
                .collect(),
            spans: VecDeque::from([Span {
                after: (chunk.after, Version(i64::MAX)),
                last: (chunk.last, Version(i64::MAX)),
            }]),
            holds: Vec::new(),
        }
    }

    /// One more account, from where its chain stands. One entry beyond its head is looked for as well.
    fn follow(&mut self, chain: Chain) {
        let (id, version) = (chain.stored.id, chain.stored.version);
        self.spans.push_back(Span {
            after: (id, chain.version()),
            last: (id, Version(version.0.saturating_add(1))),
        });
        self.chains.insert(id, chain);
    }

    /// Spans that are small enough to be read together; or one of any size, which is read as far as the limit.
    fn next_page(&mut self, entries_max: i64) -> Vec<Span> {
        let mut page = Vec::new();
        let mut size: i64 = 0;
        while let Some(span) = self.spans.front() {
            size = size.saturating_add(span.size_max());
            if !page.is_empty() && entries_max < size {
                break;
            }
            page.extend(self.spans.pop_front());
        }
        page
    }

    /// Where a span did not fit, what is left of it comes next.
    fn go_on(&mut self, page: &[Span], entries: &[StoredEntry], pages: Pages) {
        let (&[span], Some(end)) = (page, entries.last()) else {
            return;
        };
        let is_full = i64::try_from(entries.len()).is_ok_and(|count| count == pages.entries_max);
        if !is_full {
            return;
        }
        let chain = self.chains.get(&end.account);
        let version = if chain.is_some_and(|chain| chain.stored.version < end.version) {
            // Written since the head was read; what is newer still is not for this audit.
            Version(i64::MAX)
        } else {
            end.version
        };
        let after = (end.account, version);
        self.spans.push_front(Span { after, ..span });
    }

    /// Reads how holds stood that began before the entries that are read.
    async fn recall(
        &mut self,
        connection: &mut Connection,
        entries: &[StoredEntry],
    ) -> Result<(), StorageError> {
        let mut asked: Vec<HoldAt> = Vec::new();
        for entry in entries {
            let Some(chain) = self.chains.get(&entry.account) else {
                continue;
            };
            let unknown = chain.unknown_hold(entry).map(|id| HoldAt {
                id,
                account: entry.account,
                version: chain.version(),
                currency: chain.stored.currency,
            });
            asked.extend(unknown);
        }
        asked.dedup_by_key(|hold| hold.id);
        if asked.is_empty() {
            return Ok(());
        }
        for hold in audit::list_holds_at(connection, &asked).await? {
            if let Some(chain) = self.chains.get_mut(&hold.account) {
                chain.recall(hold);
            }
        }
        Ok(())
    }

    async fn check(
        &mut self,
        connection: &mut Connection,
        report: &mut Report,
        entry: &StoredEntry,
    ) -> Result<(), StorageError> {
        match self.chains.get_mut(&entry.account) {
            Some(chain) if entry.version <= chain.stored.version => {
                chain.check_entry(report, entry);
                self.holds.extend(chain.take_ended());
            }
            Some(chain) if !chain.is_passed => {
                chain.is_passed = true;
                check_beyond(connection, report, entry).await?;
            }
            Some(_) => {}
            None => check_stray(connection, report, entry).await?,
        }
        Ok(())
    }
}

/// An entry that is newer than the head was: written since, or the head does not know of it.
async fn check_beyond(
    connection: &mut Connection,
    report: &mut Report,
    entry: &StoredEntry,
) -> Result<(), StorageError> {
    if audit::find_version(connection, entry.account)
        .await?
        .is_some_and(|version| version < entry.version)
    {
        let what = "is beyond the version that its account has".to_owned();
        report.find(Place::Entry(entry.account, entry.version), what);
    }
    Ok(())
}

/// An entry of an account that was not there when the heads were read: opened since, or no account at all.
async fn check_stray(
    connection: &mut Connection,
    report: &mut Report,
    entry: &StoredEntry,
) -> Result<(), StorageError> {
    if audit::find_version(connection, entry.account)
        .await?
        .is_none()
    {
        let what = "has no account".to_owned();
        report.find(Place::Entry(entry.account, entry.version), what);
    }
    Ok(())
}
