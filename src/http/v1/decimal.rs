//! Amounts as they are written: decimals in strings, whose currency says how many decimals they may have.

use super::problem::Flaw;
use crate::ledger::{Currency, Figure, Magnitude};

/// An amount greater than zero.
pub(in crate::http) fn positive(text: &str) -> Result<Figure, String> {
    let figure = limit(text)?;
    let is_zero = text.bytes().all(|byte| byte == b'0' || byte == b'.');
    if is_zero {
        return Err("must be greater than zero".to_owned());
    }
    Ok(figure)
}

/// An amount that may be zero, as a limit may.
pub(in crate::http) fn limit(text: &str) -> Result<Figure, String> {
    let figure = Figure::parse(text).filter(|_| !text.starts_with('-'));
    figure.ok_or_else(|| "must be an amount as in \"12.50\"".to_owned())
}

/// An amount that may be less than zero, as a bound may.
pub(in crate::http) fn bound(text: &str) -> Result<Figure, String> {
    Figure::parse(text).ok_or_else(|| "must be an amount as in \"-12.50\"".to_owned())
}

/// What a field without a sign is in a currency.
///
/// # Errors
/// If it is no amount of that, which the flaw says of the field.
pub(in crate::http) fn at(
    figure: &Figure,
    currency: Currency,
    pointer: impl Into<String>,
) -> Result<Magnitude, Flaw> {
    let amount = figure.at(currency);
    let amount = amount.map_err(|error| Flaw::new(pointer, format!("is {error}")))?;
    Ok(amount.magnitude())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::money::AmountError;
    use crate::ledger::{Amount, CurrencyCode};

    fn currency(scale: u8) -> Currency {
        let code = CurrencyCode::parse("TST").expect("a code");
        Currency { code, scale }
    }

    #[test]
    fn an_amount_is_a_plain_decimal() {
        for text in [
            "1",
            "12.50",
            "0.01",
            "0.000000000000000001",
            &"9".repeat(28),
        ] {
            assert!(positive(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "-1",
            "+1",
            "01",
            "00",
            ".5",
            "5.",
            "1e2",
            "1_000",
            "1,000",
            " 1",
            "1 ",
            "0x10",
            "NaN",
            "Infinity",
            "\u{ff11}",
            "1.1.1",
            "-0.01",
            "1.0000000000000000000",
            &"9".repeat(29),
        ] {
            assert!(limit(text).is_err(), "{text}");
            assert!(positive(text).is_err(), "{text}");
        }
        for zero in ["0", "0.0", "0.00"] {
            assert!(positive(zero).is_err() && limit(zero).is_ok(), "{zero}");
        }
        for text in ["-1", "-0", "-0.50", "7"] {
            assert!(bound(text).is_ok(), "{text}");
        }
        for text in ["--1", "-", "+1", "-01", "1-"] {
            assert!(bound(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_currency_says_how_many_decimals_there_are() {
        let minor = |text: &str, scale| {
            let read = limit(text).expect(text).at(currency(scale));
            read.map(Amount::minor)
        };
        assert_eq!(minor("12.5", 2), Ok(1250));
        assert_eq!(minor("1000", 0), Ok(1000));
        assert_eq!(minor("0.000000000000000001", 18), Ok(1));
        // Zeros are decimals too.
        for (text, scale) in [("1.0", 0), ("1.000", 2), ("0.001", 2)] {
            assert_eq!(minor(text, scale), Err(AmountError::TooPrecise), "{text}");
        }
        assert_eq!(minor(&"9".repeat(28), 0), Err(AmountError::TooLarge));
        let bound = bound("-0.05").expect("a bound").at(currency(2));
        assert_eq!(bound.map(Amount::minor), Ok(-5));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(minor in 0..=10_i128.pow(27), scale in 0..=18_u8) {
            let amount = Amount::from_minor(minor).expect("an amount");
            let read = limit(&amount.to_text(scale)).map(|figure| figure.at(currency(scale)));
            prop_assert_eq!(read, Ok(Ok(amount)));
        }

        #[test]
        fn what_is_taken_has_the_contracts_form(text in "-?[0-9.eE+]{0,6}") {
            let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let is_plain = digits(whole) && digits(fraction) && (whole.len() == 1 || !whole.starts_with('0'));
            prop_assert_eq!(limit(&text).is_ok(), is_plain);
        }
    }
}
