//! The history of an account: its entries in pages, or as the chain that seals them.

use super::{Service, read};
use crate::ledger::{AccountId, AccountRef, Fault, Head, Seal, Sealed, Version};
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
    /// The genesis, if the page begins with it.
    pub genesis: Option<Seal>,
    /// What the first entry of the page is sealed to.
    pub seal_before: Seal,
    pub page: Page,
    /// Whether each seal of the page follows from the one before and from its entry.
    pub is_valid: bool,
}

impl Service {
    /// The entries of an account before a version, newest first.
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
            next: (!is_first).then(|| after.next()),
        }))
    }

    /// The blocks of an account's chain after a version, oldest first. Version 1 is the genesis.
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
        // With the entry that the page follows on.
        let from = Version(after.0.saturating_sub(1));
        let found = self
            .find_range(&account, |head| (from, last_of(head)))
            .await?;
        let Some((head, mut entries)) = found else {
            return Ok(None);
        };
        let last = last_of(&head);
        let before = take_before(&head, &mut entries, after);
        let seal_before = before.as_ref().map(|before| before.seal);
        Ok(Some(Chain {
            genesis: begins.then(|| head.opening().seal),
            seal_before: seal_before.unwrap_or_else(|| head.opening().seal),
            // Beyond the end there is nothing to be wrong.
            is_valid: last < after || before.is_some_and(|it| is_valid(&head, it, &entries, last)),
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

/// The account as it was at a version, whose entry is taken out of the front.
fn take_before(head: &Head, entries: &mut Vec<JournalEntry>, at: Version) -> Option<Head> {
    let opening = head.opening();
    if at == Version::OPENING {
        return Some(opening);
    }
    entries
        .first()
        .filter(|entry| entry.sealed.entry.version == at)?;
    let Sealed { entry, seal } = entries.remove(0).sealed;
    Some(Head {
        state: entry.after,
        version: entry.version,
        seal,
        last_entry_at: entry.created_at,
        ..opening
    })
}

/// Whether each entry follows on the one before and is sealed to it, up to a version.
fn is_valid(head: &Head, before: Head, entries: &[JournalEntry], last: Version) -> bool {
    // Of the entry before these the transaction is not known, and does not matter: only a later time can follow then.
    let end = entries
        .iter()
        .try_fold((before, None), |(before, last), entry| {
            let Sealed { entry, seal } = entry.sealed;
            let after = before.follow(&entry, last).ok()?;
            (after.seal == seal).then_some((after, Some(entry.transaction)))
        });
    end.is_some_and(|(end, _)| {
        let is_head = end.version == head.version;
        end.version == last && (!is_head || end.seal == head.seal)
    })
}
