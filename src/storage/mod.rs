//! All SQL: one function, one statement. Nothing else speaks to the database.

pub mod audit;
pub mod batch;
pub mod books;
pub mod clock;
pub mod connection;
pub mod currencies;
pub mod entries;
pub mod heads;
pub mod ids;
pub mod lane;
pub mod migrations;
pub mod outcomes;
pub mod pooler;
pub mod restore;
pub mod schema;
pub mod sessions;
pub mod statistics;
pub mod users;

mod columns;
mod embedded;
mod error;
mod pool;
mod pooler_setup;
mod settings;
mod url;

pub use connection::{Connection, Database};
pub use error::{CommitError, StorageError, Unreadable};
pub use pool::Pool;
