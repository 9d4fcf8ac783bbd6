//! Values of bodies, paths and queries, parsed from their texts.

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use super::json::Json;
use crate::ledger::{AccountId, CurrencyCode, ExternalId, UserId, Version};

/// The longest reference, in characters.
const REFERENCE_LENGTH_MAX: usize = 255;
/// The largest whole number that every JSON library reads exactly (RFC 7493, section 2.2).
pub(super) const WHOLE_MAX: i64 = (1 << 53) - 1;
/// The side of a posting that is outside the ledger.
const WORLD: &str = "world";
/// Twelve digits whose check digits are wrong name this account, which never exists: ids are positive.
pub(in crate::http) const NO_ACCOUNT: AccountId = AccountId(0);

/// A side of a posting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Side {
    World,
    Account(AccountId),
}

/// The number of an account. One that was mistyped names an account that is not there.
pub(in crate::http) fn account(text: &str) -> Result<AccountId, String> {
    if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("must be the 12 digits of an account".to_owned());
    }
    Ok(AccountId::parse_number(text).unwrap_or(NO_ACCOUNT))
}

pub(in crate::http) fn side(text: &str) -> Result<Side, String> {
    if text == WORLD {
        return Ok(Side::World);
    }
    let account = account(text).map(Side::Account);
    account.map_err(|_| format!("must be the 12 digits of an account, or {WORLD:?}"))
}

/// The id of a transaction or a hold: a UUID in its text form (RFC 9562, section 4).
pub(in crate::http) fn uuid(text: &str) -> Result<Uuid, String> {
    let uuid = Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
    uuid.ok_or_else(|| "must be a UUID".to_owned())
}

pub(in crate::http) fn user(text: &str) -> Result<UserId, String> {
    let is_plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    let id = text.parse().ok().filter(|_| is_plain);
    id.map(UserId)
        .ok_or_else(|| "must be the digits of a user's id".to_owned())
}

/// Whether a currency of the code exists is for the registry to say.
pub(in crate::http) fn currency(text: &str) -> Result<CurrencyCode, String> {
    CurrencyCode::parse(text).ok_or_else(|| "must be the code of a currency".to_owned())
}

/// RFC 3339, with any offset; up to microseconds.
pub(in crate::http) fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text).ok();
    let time = time.filter(|_| text.as_bytes().get(10) != Some(&b' '));
    let time = time.ok_or("must be a time as in 2026-11-28T12:00:00Z")?;
    let nanoseconds = time.timestamp_subsec_nanos();
    if 1_000_000_000 <= nanoseconds {
        return Err("must not be a leap second".to_owned());
    }
    if decimals(text) > 6 || nanoseconds % 1_000 != 0 {
        return Err("must have at most 6 decimals".to_owned());
    }
    Ok(time.to_utc())
}

/// As every time is written: UTC, with microseconds.
pub(in crate::http) fn time_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

pub(in crate::http) fn reference(text: &str) -> Result<String, String> {
    let is_short = text.chars().count() <= REFERENCE_LENGTH_MAX;
    let owned = is_short.then(|| text.to_owned());
    owned.ok_or_else(|| format!("must have at most {REFERENCE_LENGTH_MAX} characters"))
}

pub(in crate::http) fn external_id(text: &str) -> Result<ExternalId, String> {
    ExternalId::parse(text).ok_or_else(|| {
        let longest = ExternalId::LENGTH_MAX;
        format!("must be 1 to {longest} letters, digits, \"_\", \".\", \":\" or \"-\"")
    })
}

/// A version in a body, where it is a number.
pub(in crate::http) fn version(json: &Json) -> Result<Version, String> {
    match json {
        Json::Number(literal) => version_text(literal),
        other => Err(format!("must be a number, not {}", other.kind())),
    }
}

/// A version in a query.
pub(in crate::http) fn version_text(text: &str) -> Result<Version, String> {
    let is_plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    let version: Option<i64> = text.parse().ok().filter(|_| is_plain);
    let version = version.filter(|version| (1..=WHOLE_MAX).contains(version));
    version
        .map(Version)
        .ok_or_else(|| format!("must be a whole number from 1 to {WHOLE_MAX}"))
}

pub(in crate::http) fn boolean(json: &Json) -> Result<bool, String> {
    match json {
        Json::Bool(bool) => Ok(*bool),
        other => Err(format!("must be a boolean, not {}", other.kind())),
    }
}

/// How many digits stand after the point of a time's seconds.
fn decimals(text: &str) -> usize {
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    let digits = fraction.bytes().take_while(u8::is_ascii_digit);
    digits.count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_account_is_its_number_and_a_side_may_be_the_world() {
        assert_eq!(account("000000000777"), Ok(AccountId(7)));
        assert_eq!(account("000000000778"), Ok(NO_ACCOUNT));
        for text in [
            "",
            "7",
            "00000000077",
            "0000000000777",
            "00000000077x",
            "world",
        ] {
            assert!(account(text).is_err(), "{text}");
        }
        assert_eq!(side("world"), Ok(Side::World));
        assert_eq!(side("000000000777"), Ok(Side::Account(AccountId(7))));
        assert!(side("World").is_err());
    }

    #[test]
    fn an_id_has_one_form() {
        let id = "019b7600-0000-7000-8000-00000000000a";
        assert_eq!(uuid(id).map(|id| id.to_string()), Ok(id.to_owned()));
        assert_eq!(uuid(&id.to_uppercase()), uuid(id));
        for text in [
            "",
            "019b760000007000800000000000000a",
            "{019b7600-0000-7000-8000-00000000000a}",
            "urn:uuid:019b7600-0000-7000-8000-00000000000a",
            "019b7600-0000-7000-8000-00000000000g",
        ] {
            assert!(uuid(text).is_err(), "{text}");
        }
        assert_eq!(user("17"), Ok(UserId(17)));
        for text in [
            "",
            "0",
            "017",
            "-1",
            "+1",
            "1.0",
            "9223372036854775808",
            "x",
        ] {
            assert!(user(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_has_an_offset_and_at_most_microseconds() {
        for (text, utc) in [
            ("2026-11-28T12:00:00Z", "2026-11-28T12:00:00.000000Z"),
            ("2026-11-28t12:00:00.5z", "2026-11-28T12:00:00.500000Z"),
            (
                "2026-11-28T12:00:00.123456+01:30",
                "2026-11-28T10:30:00.123456Z",
            ),
            ("2026-11-28T12:00:00-00:00", "2026-11-28T12:00:00.000000Z"),
        ] {
            assert_eq!(time(text).map(time_text), Ok(utc.to_owned()), "{text}");
        }
        for text in [
            "",
            "2026-11-28",
            "2026-11-28T12:00:00",
            "2026-11-28 12:00:00Z",
            "2026-02-29T12:00:00Z",
            "2026-11-28T24:00:00Z",
            "2026-11-28T12:00Z",
            "2026-11-28T12:00:00.1234567Z",
            "2026-11-28T12:00:00.1234560Z",
            "2026-12-31T23:59:60Z",
            "+12026-11-28T12:00:00Z",
            "1764331200",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn texts_are_as_long_as_they_may_be() {
        assert_eq!(reference(""), Ok(String::new()));
        assert!(reference(&"\u{e4}".repeat(255)).is_ok());
        assert!(reference(&"\u{e4}".repeat(256)).is_err());
        assert!(external_id("assets:bank_1.a-B").is_ok());
        assert!(external_id(&"a".repeat(255)).is_ok());
        for text in ["", "a b", "\u{e4}", "a/b", &"a".repeat(256)] {
            assert!(external_id(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_version_is_a_number_and_a_boolean_is_one() {
        let number = |literal: &str| version(&Json::Number(literal.to_owned()));
        assert_eq!(number("1"), Ok(Version(1)));
        assert_eq!(number("9007199254740991"), Ok(Version(WHOLE_MAX)));
        for literal in [
            "0",
            "-1",
            "1.0",
            "1e2",
            "9007199254740992",
            "99999999999999999999",
        ] {
            assert!(number(literal).is_err(), "{literal}");
        }
        assert!(version(&Json::Text("1".to_owned())).is_err());
        assert_eq!(boolean(&Json::Bool(true)), Ok(true));
        assert!(boolean(&Json::Text("true".to_owned())).is_err());
    }

    proptest! {
        #[test]
        fn a_time_that_is_written_is_read(micros in 0..=253_402_300_799_999_999_i64) {
            let written = DateTime::from_timestamp_micros(micros).expect("a time");
            prop_assert_eq!(time(&time_text(written)), Ok(written));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = (time(&text), uuid(&text), side(&text), user(&text), external_id(&text));
        }
    }
}
