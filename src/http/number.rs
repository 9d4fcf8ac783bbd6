//! JSON numbers, read from their literal text and written digit by digit, never through a float.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::ledger::money::AmountError;
use crate::ledger::{Amount, Currency};

/// An amount on its way out: a JSON number with all the decimals of its currency.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Number(Box<RawValue>);

impl Number {
    pub(super) fn new(amount: Amount, currency: Currency) -> Self {
        let digits = RawValue::from_string(amount.to_text(currency.scale));
        Self(digits.expect("the digits of an amount are a JSON number"))
    }
}

/// Reads an amount from a JSON number, or from a JSON string that holds a plain decimal.
///
/// # Errors
/// Where the value is neither, or no amount of the currency.
pub(super) fn parse(value: &RawValue, currency: Currency) -> Result<Amount, AmountError> {
    let text = value.get();
    if text.starts_with('"') {
        let plain: String = serde_json::from_str(text).map_err(|_| AmountError::NotANumber)?;
        Amount::parse_plain(&plain, currency.scale)
    } else {
        Amount::parse_number(text, currency.scale)
    }
}
