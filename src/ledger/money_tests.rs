//! Amounts in and out of text, exactly.

use proptest::prelude::*;

use super::money::*;

fn cents(literal: &str) -> Result<i128, AmountError> {
    Amount::parse_number(literal, 2).map(Amount::minor)
}

#[test]
fn the_value_of_a_literal_counts_not_its_writing() {
    for (literal, minor) in [
        ("0", 0),
        ("-0", 0),
        ("-0.0", 0),
        ("0e400", 0),
        ("1", 100),
        ("-1", -100),
        ("1.0", 100),
        ("1.10", 110),
        ("1.100", 110),
        ("0.1", 10),
        ("1e2", 10_000),
        ("1E+2", 10_000),
        ("150e-1", 1_500),
        ("0.00", 0),
        ("1e-2", 1),
        ("9007199254740993", 900_719_925_474_099_300),
        ("100e-2", 100),
        ("0.0000000001e10", 100),
    ] {
        assert_eq!(cents(literal), Ok(minor), "{literal}");
    }
}

#[test]
fn what_is_no_amount_says_why() {
    for literal in [
        "", "-", "+1", ".5", "5.", "00", "01", "1_000", "1,000", "0x10", "NaN", "Infinity", " 1",
        "1 ", "１２", "1e", "1e+", "--1", "1.-5", "e5",
    ] {
        assert_eq!(cents(literal), Err(AmountError::NotANumber), "{literal}");
    }
    for literal in [
        "1.005",
        "0.30000000000000004",
        "1e-30",
        "1e-99999999999999999999",
        "0.001",
    ] {
        assert_eq!(cents(literal), Err(AmountError::TooPrecise), "{literal}");
    }
    for literal in [
        "1e400",
        "-1e400",
        "1e1000000000",
        "1e99999999999999999999",
        "1234567890123456789012345678901234567890",
        "79228162514264337593543950336",
    ] {
        assert_eq!(cents(literal), Err(AmountError::TooLarge), "{literal}");
    }
}

#[test]
fn a_plain_decimal_has_no_exponent() {
    assert_eq!(Amount::parse_plain("12.50", 2).map(Amount::minor), Ok(1250));
    assert_eq!(Amount::parse_plain("1e2", 2), Err(AmountError::NotANumber));
}

#[test]
fn the_limit_itself_is_an_amount_and_one_more_is_not() {
    assert_eq!(cents("1e25"), Ok(MINOR_UNITS_MAX));
    assert_eq!(
        cents("10000000000000000000000000.01"),
        Err(AmountError::TooLarge)
    );
    let limit = Amount::from_minor(MINOR_UNITS_MAX).expect("the limit is an amount");
    let one = Amount::from_minor(1).expect("one is an amount");
    assert_eq!(limit.checked_add(one), None);
    assert_eq!(limit.negated().checked_sub(one), None);
}

#[test]
fn eighteen_decimals_stay_exact() {
    let amount = Amount::parse_number("500000000.000000000000000001", 18).expect("an amount");
    assert_eq!(amount.to_text(18), "500000000.000000000000000001");
}

#[test]
fn currency_codes_are_short_and_upper_case() {
    assert_eq!(
        CurrencyCode::parse("USD").map(|code| code.to_string()),
        Some("USD".to_owned())
    );
    for code in ["", "US", "usd", "1AB", "ABCDEFGHIJKLM", "U D", "ÜSD"] {
        assert_eq!(CurrencyCode::parse(code), None, "{code}");
    }
}

/// The same by moving the point in a text: slow, and with nothing that could overflow.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "exponents of the test are small"
)]
fn naive(
    negative: bool,
    whole: &str,
    fraction: &str,
    exponent: i32,
    scale: u8,
) -> Result<i128, AmountError> {
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Ok(0);
    }
    let fraction = i32::try_from(fraction.len()).expect("short");
    let zeros = exponent - fraction + i32::from(scale);
    let minor = if zeros < 0 {
        let surplus = usize::try_from(-zeros).expect("positive");
        let kept = digits.len().saturating_sub(surplus);
        let (kept, rest) = digits.split_at(kept);
        if rest.len() < surplus || rest.bytes().any(|digit| digit != b'0') {
            return Err(AmountError::TooPrecise);
        }
        kept.to_owned()
    } else {
        digits.to_owned() + &"0".repeat(usize::try_from(zeros).expect("positive"))
    };
    let minor: i128 = minor.parse().map_err(|_| AmountError::TooLarge)?;
    if MINOR_UNITS_MAX < minor {
        return Err(AmountError::TooLarge);
    }
    Ok(if negative { -minor } else { minor })
}

proptest! {
    #[test]
    fn every_number_is_read_as_a_naive_reader_reads_it(
        negative: bool, whole in "0|[1-9][0-9]{0,30}", fraction in "[0-9]{0,24}0{0,3}", exponent in -45..45_i32, scale in 0..=SCALE_MAX,
    ) {
        let sign = if negative { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        let literal = format!("{sign}{whole}{point}{fraction}e{exponent}");
        let read = Amount::parse_number(&literal, scale).map(Amount::minor);
        prop_assert_eq!(read, naive(negative, &whole, &fraction, exponent, scale), "{}", literal);
    }

    #[test]
    fn text_and_amount_are_one(minor in -MINOR_UNITS_MAX..=MINOR_UNITS_MAX, scale in 0..=SCALE_MAX) {
        let amount = Amount::from_minor(minor).expect("in range");
        prop_assert_eq!(Amount::parse_plain(&amount.to_text(scale), scale), Ok(amount));
    }

    #[test]
    fn no_text_panics(text in "\\PC*", scale in 0..=SCALE_MAX) {
        let _ = Amount::parse_number(&text, scale);
    }
}
