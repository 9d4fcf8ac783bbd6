//! What the native API is asked and answers, for the document of all operations.

pub(super) mod accounts;
pub(super) mod api_keys;
pub(super) mod books;
pub(super) mod currencies;
pub(super) mod holds;
pub(super) mod keys;
pub(super) mod problems;
pub(super) mod transactions;
pub(super) mod users;

mod answers;
mod questions;
mod shapes;

use utoipa::openapi::Ref;

use crate::http::description::Shapes;

/// The shape of what is refused.
pub(in crate::http) fn refusal(shapes: &mut Shapes) -> Ref {
    shapes::problem(shapes)
}

/// The ids of the examples.
const ACCOUNT: &str = "000000000777";
const OTHER: &str = "000000000874";
const TRANSACTION: &str = "019b7600-0000-7000-8000-00000000000a";
const HOLD: &str = "019b7600-0000-7000-8000-00000000000b";
const API_KEY: &str = "019b7600-0000-7000-8000-00000000000c";
const TIME: &str = "2026-11-28T09:00:00.000000Z";
