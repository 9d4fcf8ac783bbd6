//! The integration tests: one binary, real PostgreSQL, real HTTP, real processes.

mod support;

mod acceptance;
mod accounts;
mod bad_input;
mod bench;
mod command_line;
mod crash;
mod currencies;
mod dialects;
mod engine;
mod events;
mod idempotency;
mod ledger;
mod lost_connections;
mod microfin;
mod tidy;
mod two_services;
mod users;
mod verify;
