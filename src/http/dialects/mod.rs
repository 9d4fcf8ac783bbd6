//! The interfaces: a folder for each dialect, and paths and words that belong to more than one of them.

pub(super) mod accounts;
pub(super) mod events;
pub(super) mod ledger;
pub(super) mod microfin;
pub(super) mod users;

pub(super) mod balance;
pub(super) mod docs;
pub(super) mod failure;
pub(super) mod landing;

#[cfg(test)]
mod every;
