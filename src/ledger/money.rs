//! Money: exact, checked amounts in the minor units of a currency.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The largest amount either way, in minor units. Everything up to it is exact in the 28 digits of a decimal column.
pub const MINOR_UNITS_MAX: i128 = 10_i128.pow(27);

/// The most decimals that a currency may have.
pub const SCALE_MAX: u8 = 18;

/// A whole number of minor units of some currency, from -10^27 to 10^27. Signed: an amount may be a change.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Amount(i128);

/// An amount that cannot be negative: how much moves, whichever way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Magnitude(Amount);

/// A currency as far as arithmetic is concerned: its code, and the decimals of its minor unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Currency {
    pub code: CurrencyCode,
    pub scale: u8,
}

/// `USD`, `BTC`: 3 to 12 upper-case ASCII letters and digits, the first a letter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CurrencyCode {
    text: [u8; 12],
    len: u8,
}

/// Why a text is no amount of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AmountError {
    #[error("not a plain decimal number")]
    NotANumber,
    #[error("more decimals than the currency has")]
    TooPrecise,
    #[error("beyond the largest amount, 10^27 minor units")]
    TooLarge,
}

impl Amount {
    pub const ZERO: Self = Self(0);
    /// Nothing is less.
    pub const LEAST: Self = Self(-MINOR_UNITS_MAX);

    /// `None` beyond [`MINOR_UNITS_MAX`].
    #[must_use]
    pub const fn from_minor(minor: i128) -> Option<Self> {
        if -MINOR_UNITS_MAX <= minor && minor <= MINOR_UNITS_MAX {
            Some(Self(minor))
        } else {
            None
        }
    }

    #[must_use]
    pub const fn minor(self) -> i128 {
        self.0
    }

    /// `None` where the sum is beyond the limit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Self::from_minor)
    }

    /// `None` where the difference is beyond the limit.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).and_then(Self::from_minor)
    }

    /// The difference, or the limit that it is beyond.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        let minor = self.0.saturating_sub(other.0);
        Self(minor.clamp(-MINOR_UNITS_MAX, MINOR_UNITS_MAX))
    }

    /// The range is symmetric, so every amount has its opposite.
    #[must_use]
    pub fn negated(self) -> Self {
        Self(self.0.checked_neg().unwrap_or(i128::MAX))
    }

    /// Without its sign.
    #[must_use]
    pub fn magnitude(self) -> Magnitude {
        if self.is_negative() {
            Magnitude(self.negated())
        } else {
            Magnitude(self)
        }
    }

    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Reads the literal text of a JSON number (RFC 8259, section 6), exactly: the value counts, not how it is written, so
    /// `1e2` is 100 and `1.50` is one and a half.
    ///
    /// # Errors
    /// Where the text is not such a number, or its value is no amount at this scale.
    pub fn parse_number(literal: &str, scale: u8) -> Result<Self, AmountError> {
        let (mantissa, exponent) = match literal.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (literal, 0),
        };
        let (negative, magnitude) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = match magnitude.split_once('.') {
            Some((_, "")) => return Err(AmountError::NotANumber),
            Some(parts) => parts,
            None => (magnitude, ""),
        };
        let canonical = whole == "0" || !whole.starts_with('0');
        let digits_only = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !canonical || !digits_only(whole) || !digits_only(fraction) {
            return Err(AmountError::NotANumber);
        }
        let magnitude = minor_units(whole, fraction, exponent, scale)?;
        Ok(if negative {
            magnitude.negated()
        } else {
            magnitude
        })
    }

    /// Reads a plain decimal as it stands in a JSON string: `"12.50"`, without exponent, sign `+`, blanks or separators.
    ///
    /// # Errors
    /// As [`Amount::parse_number`].
    pub fn parse_plain(text: &str, scale: u8) -> Result<Self, AmountError> {
        if text.contains(['e', 'E']) {
            return Err(AmountError::NotANumber);
        }
        Self::parse_number(text, scale)
    }

    /// With exactly `scale` decimals: `-0.05` for -5 at scale 2.
    #[must_use]
    pub fn to_text(self, scale: u8) -> String {
        let scale = usize::from(scale);
        let sign = if self.is_negative() { "-" } else { "" };
        let width = scale.saturating_add(1);
        let mut text = format!("{sign}{:0>width$}", self.0.unsigned_abs());
        if 0 < scale {
            text.insert(text.len().saturating_sub(scale), '.');
        }
        text
    }
}

impl Magnitude {
    pub const ZERO: Self = Self(Amount::ZERO);

    /// `None` if the amount is negative.
    #[must_use]
    pub fn new(amount: Amount) -> Option<Self> {
        (!amount.is_negative()).then_some(Self(amount))
    }

    /// `None` if the amount is negative or zero.
    #[must_use]
    pub fn positive(amount: Amount) -> Option<Self> {
        Self::new(amount).filter(|magnitude| !magnitude.is_zero())
    }

    #[must_use]
    pub const fn amount(self) -> Amount {
        self.0
    }

    /// `None` if the sum is beyond the limit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or zero if there is none.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0).max(Amount::ZERO))
    }

    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.0.to_string()
    }
}

impl TryFrom<String> for Amount {
    type Error = AmountError;

    fn try_from(minor: String) -> Result<Self, AmountError> {
        let minor: i128 = minor.parse().map_err(|_| AmountError::NotANumber)?;
        Self::from_minor(minor).ok_or(AmountError::TooLarge)
    }
}

impl CurrencyCode {
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let bytes = code.as_bytes();
        let well_formed = bytes.first().is_some_and(u8::is_ascii_uppercase)
            && bytes
                .iter()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if bytes.len() < 3 || !well_formed {
            return None;
        }
        let mut text = [0; 12];
        text.get_mut(..bytes.len())?.copy_from_slice(bytes);
        let len = u8::try_from(bytes.len()).ok()?;
        Some(Self { text, len })
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.text.get(..usize::from(self.len)).unwrap_or_default();
        str::from_utf8(bytes).unwrap_or_default()
    }
}

impl fmt::Display for CurrencyCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for CurrencyCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// An exponent beyond what 64 bits hold is as good as the largest: no amount is near either.
fn parse_exponent(text: &str) -> Result<i64, AmountError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AmountError::NotANumber);
    }
    let extreme = if text.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    };
    Ok(text.parse().unwrap_or(extreme))
}

/// The value `whole.fraction × 10^exponent`, in units of `10^-scale`.
fn minor_units(
    whole: &str,
    fraction: &str,
    exponent: i64,
    scale: u8,
) -> Result<Amount, AmountError> {
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Ok(Amount::ZERO);
    }
    let dropped = digits
        .len()
        .saturating_sub(digits.trim_end_matches('0').len());
    let length = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let shift = exponent
        .saturating_add(i64::from(scale))
        .saturating_add(length(dropped))
        .saturating_sub(length(fraction.len()));
    if shift < 0 {
        return Err(AmountError::TooPrecise);
    }
    let units: i128 = significant.parse().map_err(|_| AmountError::TooLarge)?;
    u32::try_from(shift)
        .ok()
        .and_then(|shift| 10_i128.checked_pow(shift))
        .and_then(|factor| units.checked_mul(factor))
        .and_then(Amount::from_minor)
        .ok_or(AmountError::TooLarge)
}
