//! Passbook: a synchronous, exact, fast, verifiable banking ledger on plain `PostgreSQL`.
//!
//! Modules are layers, read from the top down; imports go down only (`docs/ARCHITECTURE.md`).

pub mod cli;
pub mod config;

pub mod app;

pub mod bench;

pub mod http;

pub mod service;

pub mod engine;

pub mod storage;

pub mod ledger;

pub mod telemetry;

pub mod postgres;
