//! How it is said: dialects over what they share, and the server that speaks them.

mod routing;
pub mod server;
pub mod settings;

mod dialects;
mod fault;
mod observe;
mod operation;
mod request;

pub use self::routing::{operations, writes};
