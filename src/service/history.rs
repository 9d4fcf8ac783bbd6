//! The history of an account: its entries in pages, or as the chain that seals them.

use super::{Service, read};
use crate::ledger::{
    AccountId, AccountRef, Action, Answer, BookName, Fault, Head, Key, Seal, Version,
};
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
        let Some(head) = self.find_account(AccountRef::Id(account)).await? else {
            return Ok(None);
        };
        let asked = i64::from(limit).saturating_add(1);
        let entries = storage::entries::list_before(&self.reads, &head, before, asked);
        let entries = read(entries).await?;
        Ok(Some(Page::cut(head, entries, limit)))
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
        let Some(head) = self.find_account(account).await? else {
            return Ok(None);
        };
        let genesis = Seal::genesis(
            head.id,
            head.book,
            head.owner,
            head.currency,
            head.opened_at,
        );
        let begins = after < Version::OPENING;
        let limit = limit.saturating_sub(u8::from(begins));
        let after = after.max(Version::OPENING);
        let asked = i64::from(limit).saturating_add(1);
        let entries = storage::entries::list_after(&self.reads, &head, after, asked);
        let entries = read(entries).await?;
        let page = Page::cut(head, entries, limit);
        Ok(Some(Chain {
            genesis: begins.then_some(genesis),
            is_valid: is_valid(&page, genesis),
            page,
        }))
    }

    /// Seals the open book of that name, and opens a new, empty one.
    ///
    /// # Errors
    /// Where there is no answer; see [`Fault`].
    pub async fn reset_book(&self, book: BookName, key: Option<Key>) -> Answer {
        self.submit(Action::ResetBook(book), key).await
    }
}

impl Page {
    /// One entry more than the limit says that there is a next page. Where the limit leaves room for the genesis alone, that
    /// begins right after it.
    fn cut(head: Head, mut entries: Vec<JournalEntry>, limit: u8) -> Self {
        let limit = usize::from(limit);
        let is_last = entries.len() <= limit;
        entries.truncate(limit);
        let last = entries.last().map(|entry| entry.sealed.version);
        let next = if is_last {
            None
        } else {
            last.or(Some(Version::OPENING))
        };
        Self {
            head,
            entries,
            next,
        }
    }
}

fn is_valid(page: &Page, genesis: Seal) -> bool {
    let each = page.entries.iter().all(|entry| {
        let before = entry.seal_before.unwrap_or(genesis);
        let first = entry.sealed.version.0 == Version::OPENING.0.saturating_add(1);
        first == entry.seal_before.is_none() && before.next(&entry.sealed) == entry.seal
    });
    let versions = page.entries.windows(2).all(|pair| match pair {
        [one, next] => one.sealed.version.0.saturating_add(1) == next.sealed.version.0,
        _ => true,
    });
    let last = page.entries.last();
    let ends = last
        .is_none_or(|last| last.sealed.version != page.head.version || last.seal == page.head.seal);
    let untouched = page.head.version != Version::OPENING || page.head.seal == genesis;
    each && versions && ends && untouched
}
