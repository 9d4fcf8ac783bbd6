//! The registry of currencies, as rows that somebody may add to at any time.

use super::{Service, read, unreadable_row};
use crate::ledger::{Currency, CurrencyCode, Fault};
use crate::storage::{self, currencies::Registered};

/// The longest name in the registry, in bytes. PostgreSQL is not asked for what it cannot hold.
const NAME_LENGTH_MAX: usize = 64;
/// How many currencies are remembered. More are looked up each time.
const KNOWN_MAX: usize = 1_000;

impl Service {
    /// A currency by its name. What is once in the registry never changes, so it is remembered; what is not may be there next
    /// time.
    pub async fn find_currency(&self, name: &str) -> Result<Option<Registered>, Fault> {
        if NAME_LENGTH_MAX < name.len() || name.contains('\0') {
            return Ok(None);
        }
        if let Some(known) = self.currencies.get(name) {
            return Ok(Some(known));
        }
        let found = read(&self.reads, async |connection| {
            storage::currencies::find_by_name(connection, name).await
        })
        .await?;
        if let Some(registered) = &found {
            self.currencies.insert(name.to_owned(), registered.clone());
        }
        Ok(found)
    }

    /// A currency by its code, remembered in the same way.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn find_currency_by_code(
        &self,
        code: CurrencyCode,
    ) -> Result<Option<Currency>, Fault> {
        if let Some(known) = self.codes.get(&code) {
            return Ok(Some(known));
        }
        let found = read(&self.reads, async |connection| {
            storage::currencies::find(connection, code).await
        });
        let found = found.await?;
        if let Some(currency) = found {
            self.codes.insert(code, currency);
        }
        Ok(found)
    }

    /// The whole registry, but for currencies that this program cannot read: nobody can have one of those here.
    pub async fn list_currencies(&self) -> Result<Vec<Registered>, Fault> {
        let listed = read(&self.reads, async |connection| {
            storage::currencies::list(connection).await
        });
        let (readable, unreadable): (Vec<_>, Vec<_>) =
            listed.await?.into_iter().partition(Result::is_ok);
        for error in unreadable.into_iter().filter_map(Result::err) {
            unreadable_row(&error);
        }
        Ok(readable.into_iter().flatten().collect())
    }
}

pub(super) fn known_codes() -> quick_cache::sync::Cache<CurrencyCode, Currency> {
    quick_cache::sync::Cache::new(KNOWN_MAX)
}

pub(super) fn known() -> quick_cache::sync::Cache<String, Registered> {
    quick_cache::sync::Cache::new(KNOWN_MAX)
}
