//! Request bodies: read whole within a size and a time, decoded, then parsed as one JSON object.

use std::io::Read as _;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use flate2::bufread::MultiGzDecoder;
use serde::de::{DeserializeOwned, IgnoredAny};
use thiserror::Error;
use tokio::time::timeout;

/// The largest body, in bytes, as it comes and as it is once it is decoded.
pub(in crate::http) const SIZE_MAX: usize = 64 * 1024;
/// How long a body may take to arrive.
pub(in crate::http) const ARRIVAL_MAX: Duration = Duration::from_secs(5);
/// The encoding that is decoded (RFC 9110, section 8.4.1.3), under the names that it has.
const GZIP: [&str; 2] = ["gzip", "x-gzip"];
/// What may stand before a text, and is none of it (RFC 8259, section 8.1).
const BYTE_ORDER_MARK: &str = "\u{feff}";
const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// A body as it came, decoded, and what it is said to be.
pub(in crate::http) struct Body {
    bytes: Bytes,
    /// In lower case; empty where nothing is said.
    kind: String,
}

/// Why a body is of no use.
#[derive(Debug, PartialEq, Eq, Error)]
pub(in crate::http) enum BodyError {
    #[error("Request body is larger than 64 KiB")]
    TooLarge,
    #[error("Request body did not arrive in time")]
    TooSlow,
    #[error("Request body could not be read")]
    Broken,
    #[error("Content-Encoding must be gzip, or left out")]
    UnknownEncoding,
    #[error("Request body is not gzip, as its Content-Encoding says")]
    NotGzip,
    #[error("Request body is empty")]
    Empty,
    #[error("Request body must be {expected}, not {came}")]
    OtherKind {
        expected: &'static str,
        came: &'static str,
    },
    #[error("Request body is not a JSON object")]
    NoObject,
    #[error("Request body is not valid JSON: {0}")]
    Malformed(String),
}

/// The body as an object of the given fields; others are ignored.
///
/// # Errors
/// Where it is not to be had, or is not such an object.
pub(in crate::http) async fn read<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: Payload,
) -> Result<T, BodyError> {
    Body::receive(request, payload).await?.parse()
}

/// As [`read`]; no body at all stands for an object without fields.
///
/// # Errors
/// As [`read`].
pub(in crate::http) async fn read_optional<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: Payload,
) -> Result<T, BodyError> {
    Body::receive(request, payload).await?.parse_optional()
}

impl Body {
    /// # Errors
    /// Where it is too large, too slow, or encoded as nobody here can decode it.
    pub(in crate::http) async fn receive(
        request: &HttpRequest,
        payload: Payload,
    ) -> Result<Self, BodyError> {
        let is_gzip = is_gzip(request)?;
        let bytes = match timeout(ARRIVAL_MAX, payload.to_bytes_limited(SIZE_MAX)).await {
            Err(_) => return Err(BodyError::TooSlow),
            Ok(Err(_)) => return Err(BodyError::TooLarge),
            Ok(Ok(Err(_))) => return Err(BodyError::Broken),
            Ok(Ok(Ok(bytes))) => bytes,
        };
        let kind = request.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        Ok(Self {
            bytes: if is_gzip { inflate(&bytes)? } else { bytes },
            kind: kind.to_ascii_lowercase(),
        })
    }

    /// As they came, decoded.
    pub(in crate::http) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The media type that it is said to be, in lower case and without parameters; empty where nothing is said.
    pub(in crate::http) fn media_type(&self) -> &str {
        self.kind.split(';').next().unwrap_or_default().trim()
    }

    pub(in crate::http) fn is_blank(&self) -> bool {
        let bytes = self.bytes.strip_prefix(BYTE_ORDER_MARK.as_bytes());
        bytes.unwrap_or(&self.bytes).trim_ascii().is_empty()
    }

    /// Whether it is said to be JSON, or looks so: `curl -d` calls everything a form.
    pub(in crate::http) fn is_json(&self) -> bool {
        let looks_so = |text: &str| text.starts_with(['{', '[', '"']);
        self.kind.contains("json") || self.text().is_ok_and(looks_so)
    }

    /// # Errors
    /// Where it is not an object of the given fields.
    pub(in crate::http) fn parse<T: DeserializeOwned>(&self) -> Result<T, BodyError> {
        if self.is_blank() {
            return Err(BodyError::Empty);
        }
        let text = self.text()?;
        // A derived struct would also be read from an array, field by field.
        if !text.starts_with('{') {
            return Err(self.no_object(text));
        }
        serde_json::from_str(text).map_err(|error| BodyError::Malformed(error.to_string()))
    }

    /// What is wrong with a text that does not begin as an object does.
    fn no_object(&self, text: &str) -> BodyError {
        if let Some(came) = self.other_kind(text) {
            let expected = "a JSON object";
            return BodyError::OtherKind { expected, came };
        }
        match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => BodyError::NoObject,
            Err(error) => BodyError::Malformed(error.to_string()),
        }
    }

    /// As [`Body::parse`]; no body at all stands for an object without fields.
    ///
    /// # Errors
    /// As [`Body::parse`].
    pub(in crate::http) fn parse_optional<T: DeserializeOwned>(&self) -> Result<T, BodyError> {
        if !self.is_blank() {
            return self.parse();
        }
        serde_json::from_str("{}").map_err(|error| BodyError::Malformed(error.to_string()))
    }

    /// The text of a form (WHATWG URL, application/x-www-form-urlencoded).
    ///
    /// # Errors
    /// Where it is something else.
    pub(in crate::http) fn form(&self) -> Result<&str, BodyError> {
        let text = self.text()?;
        match self.other_kind(text).filter(|came| *came != FORM) {
            None => Ok(text),
            Some(came) => Err(BodyError::OtherKind {
                expected: "a JSON object or a form",
                came,
            }),
        }
    }

    /// Without what may stand before it.
    fn text(&self) -> Result<&str, BodyError> {
        let text = str::from_utf8(&self.bytes);
        let text = text.map_err(|_| BodyError::Malformed("not UTF-8".to_owned()))?;
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        Ok(text.trim_start_matches(BLANKS))
    }

    /// What a text is that is no object: what it looks like, or what it is said to be.
    fn other_kind(&self, text: &str) -> Option<&'static str> {
        let is_said = |kind: &str| self.kind.starts_with(kind);
        if text.starts_with("--") || is_said("multipart/") {
            Some("multipart/form-data")
        } else if text.starts_with('<') || is_said("text/xml") || is_said("application/xml") {
            Some("XML")
        } else if text.starts_with(['[', '"']) {
            None
        } else if is_said("application/x-www-form-urlencoded") || looks_like_form(text) {
            Some(FORM)
        } else {
            None
        }
    }
}

impl BodyError {
    pub(in crate::http) fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::UnknownEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Broken
            | Self::NotGzip
            | Self::Empty
            | Self::OtherKind { .. }
            | Self::NoObject
            | Self::Malformed(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// The response to be given a body; it says which encoding is taken, where another came (RFC 9110, section
    /// 15.5.16).
    pub(in crate::http) fn response(&self) -> HttpResponseBuilder {
        let mut response = HttpResponse::build(self.status());
        if let Some(encoding) = self.accepted_encoding() {
            response.insert_header((ACCEPT_ENCODING, encoding));
        }
        response
    }

    /// What is decoded, where something else came.
    pub(in crate::http) fn accepted_encoding(&self) -> Option<&'static str> {
        (*self == Self::UnknownEncoding).then_some(GZIP[0])
    }
}

const FORM: &str = "a form";

/// Whether it begins with a name and a value.
fn looks_like_form(text: &str) -> bool {
    let name = text.split_once('=').map_or("", |(name, _)| name);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.%+/[]".contains(&byte);
    !name.is_empty() && name.bytes().all(is_plain)
}

fn is_gzip(request: &HttpRequest) -> Result<bool, BodyError> {
    let headers = request.headers().get_all(CONTENT_ENCODING);
    let mut is_gzip = false;
    for header in headers {
        let list = header.to_str().map_err(|_| BodyError::UnknownEncoding)?;
        for encoding in list.to_ascii_lowercase().split(',').map(str::trim) {
            if GZIP.contains(&encoding) && !is_gzip {
                is_gzip = true;
            } else if !encoding.is_empty() && encoding != "identity" {
                return Err(BodyError::UnknownEncoding);
            }
        }
    }
    Ok(is_gzip)
}

/// No more is inflated than a body may have, however little it came in.
fn inflate(bytes: &Bytes) -> Result<Bytes, BodyError> {
    if bytes.is_empty() {
        return Ok(Bytes::new());
    }
    let limit = u64::try_from(SIZE_MAX).map_err(|_| BodyError::TooLarge)?;
    let mut inflated = Vec::new();
    let mut decoder = MultiGzDecoder::new(&bytes[..]).take(limit.saturating_add(1));
    let read = decoder.read_to_end(&mut inflated);
    let read = read.map_err(|_| BodyError::NotGzip)?;
    if SIZE_MAX < read {
        return Err(BodyError::TooLarge);
    }
    Ok(Bytes::from(inflated))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::{Map, Value};

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Fields {
        #[expect(dead_code, reason = "only read by serde")]
        amount: Option<i64>,
    }

    fn parse<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, BodyError> {
        let body = Body {
            bytes: bytes.clone(),
            kind: String::new(),
        };
        body.parse()
    }

    #[test]
    fn only_an_object_is_a_body() {
        for text in ["null", "[1]", "1", "\"{}\"", " true"] {
            let parsed = parse::<Fields>(&Bytes::from_static(text.as_bytes()));
            assert!(matches!(parsed, Err(BodyError::NoObject)), "{text}");
        }
        for text in [
            "[1",
            "{",
            "{\"amount\":1,\"amount\":2}",
            "{} {}",
            "\u{feff}\u{feff}{}",
            " \u{feff}{}",
        ] {
            let parsed = parse::<Fields>(&Bytes::copy_from_slice(text.as_bytes()));
            assert!(matches!(parsed, Err(BodyError::Malformed(_))), "{text}");
        }
        assert!(parse::<Fields>(&Bytes::from_static(b"{\"a\":\"\xff\"}")).is_err());
        assert!(parse::<Fields>(&Bytes::from_static(b" \n{\"other\":[1]}")).is_ok());
        assert!(parse::<Fields>(&Bytes::from_static(b"\xef\xbb\xbf{}")).is_ok());
        for blank in ["", " \n", "\u{feff}"] {
            let parsed = parse::<Fields>(&Bytes::from_static(blank.as_bytes()));
            assert!(matches!(parsed, Err(BodyError::Empty)), "{blank:?}");
        }
        let deep = format!("{{\"other\":{}}}", "[".repeat(10_000));
        assert!(parse::<Fields>(&Bytes::from(deep)).is_err());
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
            let text = bytes.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(&bytes);
            let value = serde_json::from_slice::<Value>(text);
            prop_assert_eq!(parsed.is_ok(), value.is_ok_and(|value| value.is_object()));
        }
    }
}
