//! The net under what callers ask: the planner on random commands, beside the most obvious ledger, and on examples.

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
