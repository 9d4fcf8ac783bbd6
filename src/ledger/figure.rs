//! A number as somebody wrote it, before it is known in which currency it is.

use std::fmt;

use super::error::Rejection;
use super::money::{Amount, AmountError, Currency, SCALE_MAX};
use super::native::Native;

/// A plain decimal with at most as many decimals as any currency has.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Figure(Box<str>);

impl Figure {
    /// # Errors
    /// If the text is no such number, or beyond every amount.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let (whole, decimals) = match text.split_once('.') {
            Some((whole, decimals)) => (whole, Some(decimals)),
            None => (text, None),
        };
        // The largest amounts are those without decimals.
        Amount::parse_plain(whole, 0)?;
        let is_digit = |byte: u8| byte.is_ascii_digit();
        match decimals {
            Some(digits) if digits.is_empty() || !digits.bytes().all(is_digit) => {
                Err(AmountError::NotANumber)
            }
            Some(digits) if usize::from(SCALE_MAX) < digits.len() => Err(AmountError::TooPrecise),
            Some(_) | None => Ok(Self(text.into())),
        }
    }

    /// The amount in a currency.
    ///
    /// # Errors
    /// If it has more decimals than the currency, or is beyond the largest amount.
    pub fn in_currency(&self, currency: Currency) -> Result<Amount, Rejection> {
        let amount = Amount::parse_plain(&self.0, currency.scale);
        Ok(amount.map_err(|_| Native::NotInCurrency {
            currency: currency.code.as_str().to_owned(),
        })?)
    }
}

impl fmt::Debug for Figure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::CurrencyCode;

    #[test]
    fn a_figure_is_an_amount_once_its_currency_is_known() {
        let jpy = Currency {
            code: CurrencyCode::parse("JPY").expect("a code"),
            scale: 0,
        };
        let usd = Currency { scale: 2, ..jpy };
        for (text, in_yen, in_dollars) in [
            ("5", Some(5), Some(500)),
            ("-5", Some(-5), Some(-500)),
            ("5.10", None, Some(510)),
            ("5.00", Some(5), Some(500)),
            ("0.123", None, None),
        ] {
            let figure = Figure::parse(text).expect("a figure");
            let minor = |currency| figure.in_currency(currency).ok().map(Amount::minor);
            assert_eq!((minor(jpy), minor(usd)), (in_yen, in_dollars), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_of_any_currency_is_no_figure() {
        let long = "9".repeat(40);
        for text in [
            "",
            "1e2",
            "+1",
            " 1",
            "1.",
            ".5",
            "1.a",
            "--1",
            "01",
            &long,
            "0.1234567890123456789",
        ] {
            assert!(Figure::parse(text).is_err(), "{text}");
        }
    }
}
