//! All SQL: one function, one statement. Nothing else speaks to the database.

pub mod accounts;
pub mod api_keys;
pub mod audit;
pub mod audit_events;
pub mod batch;
pub mod books;
pub mod callers;
pub mod clock;
pub mod connection;
pub mod currencies;
pub mod details;
pub mod entries;
pub mod heads;
pub mod holds;
pub mod ids;
pub mod lane;
pub mod leases;
pub mod migrations;
pub mod originals;
pub mod outcomes;
pub mod paging;
pub mod pooler;
pub mod restore;
pub mod schema;
pub mod sessions;
pub mod statistics;
pub mod transactions;
pub mod users;

mod columns;
mod embedded;
mod error;
mod pool;
mod pooler_setup;
mod refusals;
mod rows;
mod settings;
mod url;

pub use connection::{Connection, Database};
pub use error::{CommitError, StorageError, Unreadable};
pub use pool::Pool;
