//! The migrations that this program brings along.

use refinery_core::{Migration, Runner};

refinery::embed_migrations!("migrations");

pub(super) fn runner() -> Runner {
    migrations::runner()
}

/// The first migration of this program that is not among those that were applied.
pub(super) fn first_missing(applied: &[i32]) -> Option<String> {
    let runner = runner();
    let mut migrations = runner.get_migrations().iter();
    let missing = migrations.find(|migration| !applied.contains(&migration.version()));
    missing.map(ToString::to_string)
}

/// The version of the last migration of this program.
pub(super) fn last() -> i32 {
    let runner = runner();
    let versions = runner.get_migrations().iter().map(Migration::version);
    versions.max().unwrap_or_default()
}
