//! The demo user: somebody to try the service with, on a ledger that has nobody yet.

use super::error::AppError;
use crate::ledger::{Amount, FirstAccount, OpenUser, UserId, key};
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
    let earlier = service.is_used(&key::own(EARLIER_KEY)).await;
    if earlier.map_err(|error| failed(&error))? {
        return Ok(());
    }
    let user = OpenUser {
        name: Some("Demo".to_owned()),
        email: None,
        password_hash: None,
        session: None,
        account: Some(FirstAccount {
            currency,
            opening_balance: Amount::parse_plain(BALANCE, currency.scale)
                .map_err(|error| failed(&error))?
                .magnitude(),
        }),
    };
    let answered = service.open_user(user, Some(key::own(KEY))).await;
    let answered = answered.map_err(|error| failed(&error))?;
    answered.outcome.map_err(|error| failed(&error))?;
    Ok(())
}
