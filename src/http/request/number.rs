//! JSON numbers, read from their literal text and written digit by digit, never through a float.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::openapi::schema::{Schema, Type};
use utoipa::openapi::{ObjectBuilder, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::ledger::money::AmountError;
use crate::ledger::{Amount, Currency};

/// An amount on its way out: a JSON number with all the decimals of its currency.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(in crate::http) struct Number(Box<RawValue>);

impl Number {
    pub(in crate::http) fn new(amount: Amount, currency: Currency) -> Self {
        let digits = RawValue::from_string(amount.to_text(currency.scale));
        Self(digits.expect("the digits of an amount are a JSON number"))
    }

    /// Without trailing zeros: `20`, not `20.00`; `0.25` stays.
    pub(in crate::http) fn shortest(amount: Amount, currency: Currency) -> Self {
        let text = amount.to_text(currency.scale);
        let shortest = match text.split_once('.') {
            Some(_) => text.trim_end_matches('0').trim_end_matches('.'),
            None => &text,
        };
        let digits = RawValue::from_string(shortest.to_owned());
        Self(digits.expect("the digits of an amount are a JSON number"))
    }
}

impl PartialSchema for Number {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .description(Some(
                "Exact: to be read from its digits, not through a float",
            ))
            .into()
    }
}

impl ToSchema for Number {}

/// A positive integer, as an id or a version is written: digits alone.
pub(in crate::http) fn parse_positive(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && 0 < *number)
}

/// A positive integer in JSON: a whole number, or a string of its digits.
pub(in crate::http) fn parse_id(value: &RawValue) -> Option<i64> {
    let text = value.get();
    let digits = if text.starts_with('"') {
        serde_json::from_str(text).ok()?
    } else {
        digits(text)?
    };
    parse_positive(&digits)
}

/// The digits of a whole JSON number, and its sign: serializers of some languages make 2 into `2.0`, and 10000000 into
/// `1.0E7`.
pub(in crate::http) fn digits(literal: &str) -> Option<String> {
    let unsigned = literal.strip_prefix('-').unwrap_or(literal);
    if unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(literal.to_owned());
    }
    let whole = Amount::parse_number(literal, 0).ok()?;
    Some(whole.minor().to_string())
}

/// What is wrong with an amount, in a sentence about its field.
pub(in crate::http) fn complaint(field: &str, error: AmountError, currency: Currency) -> String {
    match error {
        AmountError::NotANumber => format!("{field} must be a number"),
        AmountError::TooPrecise => format!("{field} must have at most {} decimals", currency.scale),
        AmountError::TooLarge => format!("{field} is too large"),
    }
}

/// Reads an amount from a JSON number, or from a JSON string that holds one: serializers of decimals write `"1E+2"`.
///
/// # Errors
/// Where the value is neither, or no amount of the currency.
pub(in crate::http) fn parse(value: &RawValue, currency: Currency) -> Result<Amount, AmountError> {
    let text = value.get();
    if text.starts_with('"') {
        let number: String = serde_json::from_str(text).map_err(|_| AmountError::NotANumber)?;
        Amount::parse_number(&number, currency.scale)
    } else {
        Amount::parse_number(text, currency.scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::CurrencyCode;

    #[test]
    fn the_shortest_number_has_no_zero_at_its_end() {
        for (minor, scale, text) in [
            (0, 2, "0"),
            (2000, 2, "20"),
            (25, 2, "0.25"),
            (2050, 2, "20.5"),
            (-100, 2, "-1"),
            (100, 0, "100"),
            (1, 18, "0.000000000000000001"),
        ] {
            let code = CurrencyCode::parse("TST").expect("a code");
            let amount = Amount::from_minor(minor).expect("an amount");
            let number = Number::shortest(amount, Currency { code, scale });
            assert_eq!(serde_json::to_string(&number).expect("JSON"), text);
        }
    }
}
