//! Whether the head of an account is what its entries made of it.

use std::fmt::Display;

use super::chain::Chain;
use crate::ledger::{Amount, DetailsDigest, Head};
use crate::storage::audit::StoredHead;

/// What is off with a head by itself, whatever its entries say.
pub(super) fn differences_alone(stored: &StoredHead) -> Vec<String> {
    let mut found = Vec::new();
    let free = stored.balance.zip(stored.held);
    let free = free.and_then(|(balance, held)| balance.checked_sub(held));
    if free
        .zip(stored.floor)
        .is_none_or(|(free, floor)| free < floor)
    {
        found.push("has a balance below its floor".to_owned());
    }
    let holds = &stored.holds;
    if i64::from(stored.active_holds) != holds.count {
        found.push(format!(
            "says {} active holds, of which {} are stored",
            stored.active_holds, holds.count
        ));
    }
    if stored.held != holds.remaining {
        let scale = stored.currency.scale;
        let [said, is] = [stored.held, holds.remaining].map(|amount| text(amount, scale));
        found.push(format!(
            "says held {said}, of its active holds remains {is}"
        ));
    }
    let is_late = |first| stored.due_at.is_none_or(|due_at| first < due_at);
    if holds.first_expiry.is_some_and(is_late) {
        found.push("is due later than the first of its holds".to_owned());
    }
    found
}

/// What a head says otherwise than its entries, once all of them were followed.
pub(super) fn differences(chain: &Chain) -> Vec<String> {
    let (stored, made) = (&chain.stored, &chain.made);
    let scale = stored.currency.scale;
    let state = &made.state;
    let mut found = Vec::new();
    let mut hold = |rule: bool, otherwise: &dyn Display| {
        if !rule {
            found.push(otherwise.to_string());
        }
    };
    hold(
        stored.version == made.version,
        &format_args!(
            "says version {}, its entries end at {}",
            stored.version.0, made.version.0
        ),
    );
    hold(
        stored.balance == Some(state.balance),
        &format_args!(
            "says balance {}, its entries add up to {}",
            text(stored.balance, scale),
            state.balance.to_text(scale)
        ),
    );
    for (name, said, is) in [
        ("held", stored.held, state.held),
        ("floor", stored.floor, state.floor),
    ] {
        hold(
            said == Some(is),
            &format_args!(
                "says {name} {}, its entries make it {}",
                text(said, scale),
                is.to_text(scale)
            ),
        );
    }
    hold(
        stored.status == Some(state.status),
        &"says another status than its entries",
    );
    let digest = state.details.map(|DetailsDigest(digest)| digest.to_vec());
    hold(
        stored.details_digest == digest,
        &"says another digest of its details than its entries",
    );
    hold(
        stored.seal == Some(made.seal),
        &format_args!("says another seal than its entries: {}", made.seal),
    );
    hold(
        stored.last_entry_at == made.last_entry_at,
        &"says another time than its last entry",
    );
    if let Some(count) = chain.active_holds() {
        hold(
            usize::try_from(stored.active_holds) == Ok(count),
            &format_args!(
                "says {} active holds, its entries left {count}",
                stored.active_holds
            ),
        );
    }
    let state_version = (!is_plain(chain)).then_some(stored.version.0);
    hold(
        stored.state_version == state_version,
        &"does not keep programs of before there was more than money from it, or keeps them from money alone",
    );
    found
}

/// Whether programs of before there was more than money may go on with it.
fn is_plain(chain: &Chain) -> bool {
    let head = Head {
        active_holds: u16::try_from(chain.stored.active_holds).unwrap_or(u16::MAX),
        due_at: chain.stored.due_at,
        ..chain.made.clone()
    };
    head.is_plain()
}

fn text(amount: Option<Amount>, scale: u8) -> String {
    amount.map_or("no amount".to_owned(), |amount| amount.to_text(scale))
}
