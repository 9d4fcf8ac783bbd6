//! The integration tests: one binary, real PostgreSQL, real HTTP, real processes.

mod support;

mod acceptance;
mod users;
