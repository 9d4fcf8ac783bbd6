//! The history of an account: its entries in pages, or as the chain that seals them.

use super::{Service, read};
use crate::ledger::{AccountId, AccountRef, Fault, Head, Seal, Version};
use crate::storage::{self, entries::JournalEntry};

/// Some entries of an account.
#[derive(Clone, Debug)]
pub struct Page {
    pub head: Head,
    pub entries: Vec<JournalEntry>,
    /// Where the next page begins; none where this is the last.
    pub next: Option<Version>,
}

/// Some blocks of an account's chain, oldest first. The first block of all is the genesis, the opening of the account.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The genesis, where the page begins with it.
    pub genesis: Option<Seal>,
    pub page: Page,
    /// Whether each seal of the page follows from the one before and from its entry.
    pub is_valid: bool,
}

impl Service {
    /// The entries of an account before a version, newest first.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_entries(
        &self,
        account: AccountId,
        before: Version,
        limit: u8,
    ) -> Result<Option<Page>, Fault> {
        // Versions have no gaps, so a page is a range of them.
        let range = |head: &Head| {
            let last = Version(before.0.saturating_sub(1)).min(head.version);
            let after = Version(last.0.saturating_sub(i64::from(limit))).max(Version::OPENING);
            (after, last)
        };
        let found = self.find_range(&AccountRef::Id(account), range).await?;
        let Some((head, mut entries)) = found else {
            return Ok(None);
        };
        let (after, _) = range(&head);
        entries.reverse();
        let is_first = after == Version::OPENING;
        Ok(Some(Page {
            head,
            entries,
            next: (!is_first).then_some(following(after)),
        }))
    }

    /// The blocks of an account's chain after a version, oldest first. Version 1 is the genesis.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_chain(
        &self,
        account: AccountRef,
        after: Version,
        limit: u8,
    ) -> Result<Option<Chain>, Fault> {
        let begins = after < Version::OPENING;
        let limit = i64::from(limit).saturating_sub(i64::from(begins));
        let after = after.max(Version::OPENING);
        let last_of = |head: &Head| Version(after.0.saturating_add(limit)).min(head.version);
        let found = self
            .find_range(&account, |head| (after, last_of(head)))
            .await?;
        let Some((head, entries)) = found else {
            return Ok(None);
        };
        let last = last_of(&head);
        Ok(Some(Chain {
            genesis: begins.then(|| head.genesis()),
            is_valid: is_valid(&head, &entries, after, last),
            page: Page {
                next: (last < head.version).then_some(last),
                head,
                entries,
            },
        }))
    }
}

impl Service {
    /// An account with its entries after a version, up to and including another: both over one connection, so that they are of
    /// one server.
    async fn find_range(
        &self,
        account: &AccountRef,
        range: impl Fn(&Head) -> (Version, Version),
    ) -> Result<Option<(Head, Vec<JournalEntry>)>, Fault> {
        read(&self.reads, async |connection| {
            let Some(head) = storage::heads::find(connection, account).await? else {
                return Ok(None);
            };
            let (after, last) = range(&head);
            let entries = storage::entries::list(connection, &head, after, last).await?;
            Ok(Some((head, entries)))
        })
        .await
    }
}

/// Whether the entries are all from one version to another, and each is sealed to the one before.
fn is_valid(head: &Head, entries: &[JournalEntry], after: Version, last: Version) -> bool {
    let versions = entries.iter().map(|entry| entry.sealed.version.0);
    let is_whole = versions.eq(following(after).0..=last.0);
    let is_sealed = entries.iter().all(|entry| {
        let first = entry.sealed.version == following(Version::OPENING);
        let before = entry.seal_before.unwrap_or_else(|| head.genesis());
        first == entry.seal_before.is_none() && before.next(&entry.sealed) == entry.seal
    });
    let end = match entries.last() {
        Some(entry) if entry.sealed.version == head.version => Some(entry.seal),
        None if head.version == Version::OPENING => Some(head.genesis()),
        Some(_) | None => None,
    };
    is_whole && is_sealed && end.is_none_or(|seal| seal == head.seal)
}

fn following(version: Version) -> Version {
    Version(version.0.saturating_add(1))
}
