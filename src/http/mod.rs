//! How it is said: dialects and the native API over what they share, and the server that speaks them.

mod routing;
pub mod server;
pub mod settings;

mod access;
mod description;
mod dialects;
mod document;
mod fault;
mod observe;
mod operation;
mod request;
mod v1;

pub use self::routing::{operations, writes};
