//! Peers that are slow or rude: refused or closed in bounded time, nothing applied, and nobody else disturbed.

mod ahead;
pub(crate) mod malformed;
mod offers;
mod shapes;
pub(crate) mod slow;
mod unread;

use crate::support::Bank;

/// How many transactions there are.
async fn transactions(bank: &Bank) -> i64 {
    bank.number("select count(*) from transactions").await
}
