//! The state of an account after an entry, as it is stored.

use serde::Deserialize;
use sqlx::FromRow;

use super::super::{columns, rows};
use super::bytes::Bytes;
use crate::ledger::{Amount, Currency, State, Status};

/// All but the balance; null where there is nothing but money.
#[derive(Clone, Debug, Default, Deserialize, FromRow)]
pub(super) struct StoredState {
    held: Option<String>,
    floor: Option<String>,
    status: Option<String>,
    details_digest: Option<Bytes>,
}

impl StoredState {
    /// None if a column holds what cannot be.
    pub(super) fn state(&self, balance: &str, currency: Currency) -> Option<State> {
        let amount = |text: &str| Amount::parse_plain(text, currency.scale).ok();
        let optional = |text: &Option<String>| text.as_deref().map_or(Some(Amount::ZERO), amount);
        let status = self.status.as_deref();
        let status = status.map_or(Ok(Status::Open), columns::parse_status);
        let digest = self.details_digest.as_ref();
        let digest = digest.map(|digest| digest.0.as_slice());
        Some(State {
            balance: amount(balance)?,
            held: optional(&self.held)?,
            floor: optional(&self.floor)?,
            status: status.ok()?,
            details: rows::digest(digest).ok()?,
        })
    }

    /// Whether it says what there is besides the balance.
    pub(super) fn is_whole(&self) -> bool {
        self.held.is_some() && self.floor.is_some() && self.status.is_some()
    }

    /// Whether it says nothing besides the balance.
    pub(super) fn is_plain(&self) -> bool {
        self.held.is_none()
            && self.floor.is_none()
            && self.status.is_none()
            && self.details_digest.is_none()
    }
}

#[cfg(test)]
impl StoredState {
    pub(super) fn of(state: &State, currency: Currency, is_whole: bool) -> Self {
        let text = |amount: Amount| amount.to_text(currency.scale);
        Self {
            held: is_whole.then(|| text(state.held)),
            floor: is_whole.then(|| text(state.floor)),
            status: is_whole.then(|| state.status.name().to_owned()),
            details_digest: state.details.map(|digest| Bytes(digest.0.to_vec())),
        }
    }
}
