//! The demo user: somebody to try the service with, on a ledger that has nobody yet.

use super::AppError;
use crate::ledger::{Amount, Key, OpenUser, UserId};
use crate::service::Service;

/// What the demo user holds at first, in units of the default currency.
const BALANCE: &str = "10000";
/// The key under which the demo user is opened: by whichever service comes first, once. No client can send a blank in a key.
const KEY: &str = "passbook demo";
/// The key of earlier programs, which a client could send as well.
const EARLIER_KEY: &str = "passbook-demo";

/// Opens the demo user, unless there is one or a first user already.
pub(super) async fn open_user(service: &Service) -> Result<(), AppError> {
    let currency = service.default_currency();
    let failed = |error: &dyn std::fmt::Display| AppError::Demo(error.to_string());
    let first = service.find_user(UserId(1), currency).await;
    if first.map_err(|error| failed(&error))?.is_some() {
        return Ok(());
    }
    let earlier = service.is_used(&key(EARLIER_KEY)).await;
    if earlier.map_err(|error| failed(&error))? {
        return Ok(());
    }
    let user = OpenUser {
        name: Some("Demo".to_owned()),
        email: None,
        password_hash: None,
        session: None,
        currency,
        opening_balance: Amount::parse_plain(BALANCE, currency.scale)
            .map_err(|error| failed(&error))?,
    };
    let answered = service.open_user(user, Some(key(KEY))).await;
    let answered = answered.map_err(|error| failed(&error))?;
    answered.outcome.map_err(|error| failed(&error))?;
    Ok(())
}

/// The digest is the same at every start: what is asked is that there be a demo user, whatever it held first. No client's request
/// has it, as theirs are hashes.
fn key(text: &str) -> Key {
    Key {
        text: text.to_owned(),
        digest: [0; 32],
    }
}
