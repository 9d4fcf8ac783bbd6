//! How it is said: one folder a dialect over what they share.

mod routing;
pub mod server;
pub mod settings;

mod accounts;
mod events;
mod ledger;
mod microfin;
mod users;

mod admin;
mod authority;
mod balance;
mod body;
mod connection;
mod drain;
mod failure;
mod fault;
mod fields;
mod head;
mod idempotency;
mod landing;
mod metrics;
mod number;
mod observe;
mod operation;
mod origin;
mod text;
mod trace;
mod traceparent;

#[cfg(test)]
mod every;

pub use self::routing::{operations, writes};
