//! A span of time as people write it: `90d`, `24h`, `30m`, `45s`.

use std::time::Duration;

/// How long something lasts, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

impl Span {
    /// Ten years of 365 days.
    pub const MAX: Self = Self::of_hours(10 * 365 * 24);
    pub const ZERO: Self = Self::of_hours(0);

    #[must_use]
    pub const fn of_hours(hours: u64) -> Self {
        Self(Duration::from_hours(hours))
    }

    /// A whole number and a unit, at most [`Span::MAX`]. A day has 24 hours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
        let seconds: u64 = match text.strip_prefix(digits)? {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            _ => return None,
        };
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = digits.parse().ok().filter(|_| is_number)?;
        let span = Self(Duration::from_secs(number.checked_mul(seconds)?));
        (span <= Self::MAX).then_some(span)
    }

    #[must_use]
    pub fn duration(self) -> Duration {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_whole_number_and_a_unit() {
        for (text, seconds) in [
            ("0s", 0),
            ("45s", 45),
            ("30m", 1_800),
            ("24h", 86_400),
            ("090d", 7_776_000),
            ("3650d", 315_360_000),
        ] {
            let span = Span::parse(text).map(Span::duration);
            assert_eq!(span, Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "d",
            "90",
            "1w",
            "-1d",
            "+1d",
            "1.5h",
            " 1d",
            "1d ",
            "1 d",
            "1D",
            "1dd",
            "3651d",
            "18446744073709551616s",
            "1000000000000000000d",
            "\u{661}d",
        ] {
            assert_eq!(Span::parse(text), None, "{text:?}");
        }
    }
}
