//! The net under what callers ask: the planner on random commands, beside the most obvious ledger, and on examples.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "small numbers, and a panic would be a failed test"
)]

mod actions;
mod asks;
mod dice;
mod examples;
mod naive;
mod postings;
mod properties;
mod refusals;
mod sound;
mod store;
