//! The integration tests: one binary, real PostgreSQL, real HTTP, real processes.

mod support;

mod acceptance;
mod accounts;
mod backup;
mod bad_input;
mod bench;
mod command_line;
mod crash;
mod currencies;
mod database_url;
mod demo;
mod departures;
mod dialects;
mod durability;
mod engine;
mod events;
mod idempotency;
mod ledger;
mod lost_connections;
mod metrics;
mod microfin;
mod newer;
mod peers;
mod reads;
mod roles;
mod schema;
mod shutdown;
mod tidy;
mod torture;
mod traces;
mod turns;
mod two_services;
mod users;
mod verify;
mod whole_numbers;
