//! How HTTP is set up.

use std::net::SocketAddr;

/// How the server is set up.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Port 0 takes any free port.
    pub listen: SocketAddr,
    /// Threads that speak HTTP.
    pub workers: usize,
    pub resets: Resets,
}

/// Whether clients may reset the book of the `events` dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resets {
    Allowed,
    Refused,
}
