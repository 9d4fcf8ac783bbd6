//! A number as somebody wrote it, before it is known in which currency it is.

use std::fmt;

use super::error::Rejection;
use super::money::{Amount, AmountError, Currency};
use super::native::Native;

/// A plain decimal: `12.50`, with a sign if it is below zero, in a form that is an amount of some currency.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Figure(Box<str>);

impl Figure {
    /// The most digits before the point, and after it.
    pub const WHOLE_LENGTH_MAX: usize = 28;
    pub const FRACTION_LENGTH_MAX: usize = 18;

    /// None if the text has another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let is_digits = |text: &str, length_max: usize| {
            (1..=length_max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        let is_figure = is_digits(whole, Self::WHOLE_LENGTH_MAX)
            && (whole == "0" || !whole.starts_with('0'))
            && is_digits(fraction, Self::FRACTION_LENGTH_MAX);
        is_figure.then(|| Self(text.into()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The amount in a currency.
    ///
    /// # Errors
    /// If it has more decimals than the currency, zeros too, or is beyond the largest amount.
    pub fn at(&self, currency: Currency) -> Result<Amount, AmountError> {
        let fraction = self.0.split_once('.').map_or("", |(_, fraction)| fraction);
        if usize::from(currency.scale) < fraction.len() {
            return Err(AmountError::TooPrecise);
        }
        Amount::parse_plain(&self.0, currency.scale)
    }

    /// The same of a command whose currency its object fixes.
    ///
    /// # Errors
    /// As [`Figure::at`].
    pub fn in_currency(&self, currency: Currency) -> Result<Amount, Rejection> {
        Ok(self.at(currency).map_err(|_| Native::NotInCurrency {
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
            ("5.00", None, Some(500)),
            ("5.0", None, Some(500)),
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
            assert_eq!(Figure::parse(text), None, "{text}");
        }
    }
}
