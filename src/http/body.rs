//! Request bodies: read whole within a size and a time, then parsed as one JSON object.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Payload};
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::time::timeout;

/// The largest body, in bytes.
pub(super) const SIZE_MAX: usize = 64 * 1024;
/// How long a body may take to arrive.
const ARRIVAL_MAX: Duration = Duration::from_secs(5);

/// Why a body is of no use.
#[derive(Debug, PartialEq, Eq, Error)]
pub(super) enum BodyError {
    #[error("Request body is larger than 64 KiB")]
    TooLarge,
    #[error("Request body did not arrive in time")]
    TooSlow,
    #[error("Request body could not be read")]
    Broken,
    #[error("Request body is not valid JSON: {0}")]
    Malformed(String),
}

/// The body as an object of the given fields; others are ignored.
///
/// # Errors
/// Where it is too large, too slow, not UTF-8, or not such an object.
pub(super) async fn read<T: DeserializeOwned>(payload: Payload) -> Result<T, BodyError> {
    parse(&read_bytes(payload).await?)
}

/// As [`read`]; no body at all stands for an object without fields.
///
/// # Errors
/// As [`read`].
pub(super) async fn read_optional<T: DeserializeOwned>(payload: Payload) -> Result<T, BodyError> {
    parse_optional(&read_bytes(payload).await?)
}

/// The body as it is.
///
/// # Errors
/// Where it is too large, or too slow.
pub(super) async fn read_bytes(payload: Payload) -> Result<Bytes, BodyError> {
    match timeout(ARRIVAL_MAX, payload.to_bytes_limited(SIZE_MAX)).await {
        Err(_) => Err(BodyError::TooSlow),
        Ok(Err(_)) => Err(BodyError::TooLarge),
        Ok(Ok(Err(_))) => Err(BodyError::Broken),
        Ok(Ok(Ok(bytes))) => Ok(bytes),
    }
}

impl BodyError {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken | Self::Malformed(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// As [`parse`]; no body at all stands for an object without fields.
///
/// # Errors
/// As [`parse`].
pub(super) fn parse_optional<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, BodyError> {
    if bytes.is_empty() {
        return parse(&Bytes::from_static(b"{}"));
    }
    parse(bytes)
}

/// # Errors
/// Where it is not UTF-8, or not an object of the given fields.
pub(super) fn parse<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, BodyError> {
    let text = str::from_utf8(bytes).map_err(|_| BodyError::Malformed("not UTF-8".to_owned()))?;
    // A derived struct would also be read from an array, field by field.
    if !text
        .trim_start_matches([' ', '\t', '\n', '\r'])
        .starts_with('{')
    {
        return Err(BodyError::Malformed("not an object".to_owned()));
    }
    serde_json::from_str(text).map_err(|error| BodyError::Malformed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::{Map, Value};

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Body {
        #[expect(dead_code, reason = "only read by serde")]
        amount: Option<i64>,
    }

    #[test]
    fn only_an_object_is_a_body() {
        for text in [
            "",
            "null",
            "[1]",
            "1",
            "{",
            "{\"amount\":1,\"amount\":2}",
            "{} {}",
            "\u{feff}{}",
            "\"{}\"",
        ] {
            let parsed = parse::<Body>(&Bytes::copy_from_slice(text.as_bytes()));
            assert!(matches!(parsed, Err(BodyError::Malformed(_))), "{text}");
        }
        assert!(parse::<Body>(&Bytes::from_static(b"{\"a\":\"\xff\"}")).is_err());
        assert!(parse::<Body>(&Bytes::from_static(b" \n{\"other\":[1]}")).is_ok());
        let deep = format!("{{\"other\":{}}}", "[".repeat(10_000));
        assert!(parse::<Body>(&Bytes::from(deep)).is_err());
    }

    proptest! {
        #[test]
        fn of_all_bytes_only_objects_are_bodies(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                // Closer to what is asked for: a sane body with some bytes replaced.
                prop::collection::vec((0..30_usize, any::<u8>()), 0..4).prop_map(|changes| {
                    let mut bytes = br#" {"amount":12,"name":"\u00e4b"} "#.to_vec();
                    for (at, byte) in changes {
                        bytes[at] = byte;
                    }
                    bytes
                }),
            ],
        ) {
            let parsed = parse::<Map<String, Value>>(&Bytes::from(bytes.clone()));
            let value = serde_json::from_slice::<Value>(&bytes);
            prop_assert_eq!(parsed.is_ok(), value.is_ok_and(|value| value.is_object()));
        }
    }
}
