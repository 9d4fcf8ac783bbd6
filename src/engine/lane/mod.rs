//! What commits batches, one after the other: each lane is a thread with a connection of its own.

mod aside;
mod batch;
mod connect;
mod error;
mod expiry;
mod fill;
mod ids;
mod learn;
mod link;
mod lock;
mod recover;
mod rounds;
mod state;
mod thread;
mod write;

#[cfg(test)]
mod tests;

pub(super) use self::thread::start;
