//! The registry of currencies, as rows that somebody may add to at any time.

use super::{Service, read};
use crate::ledger::Fault;
use crate::storage::{self, StorageError, currencies::Registered};

/// The longest name in the registry, in bytes. PostgreSQL is not asked for what it cannot hold.
const NAME_LENGTH_MAX: usize = 64;
/// How many currencies are remembered. More are looked up each time.
const KNOWN_MAX: usize = 1_000;

impl Service {
    /// A currency by its name. What is once in the registry never changes, so it is remembered; what is not may be there next
    /// time.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_currency(&self, name: &str) -> Result<Option<Registered>, Fault> {
        if NAME_LENGTH_MAX < name.len() || name.contains('\0') {
            return Ok(None);
        }
        if let Some(known) = self.currencies.get(name) {
            return Ok(Some(known));
        }
        let found = read(storage::currencies::find_by_name(&self.reads, name)).await?;
        if let Some(registered) = &found {
            self.currencies.insert(name.to_owned(), registered.clone());
        }
        Ok(found)
    }

    /// The whole registry.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_currencies(&self) -> Result<Vec<Registered>, Fault> {
        read(async {
            let mut connection = self.reads.acquire().await.map_err(StorageError::from)?;
            storage::currencies::list(&mut connection).await
        })
        .await
    }
}

pub(super) fn known() -> quick_cache::sync::Cache<String, Registered> {
    quick_cache::sync::Cache::new(KNOWN_MAX)
}
