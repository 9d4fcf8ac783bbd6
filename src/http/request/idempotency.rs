//! Idempotency keys: the header that carries one, and what a response says of it.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponseBuilder};
use thiserror::Error;

use crate::ledger::{Answered, Receipt, Rejection};

/// Says that an answer had been given before.
pub(in crate::http) const REPLAYED: (HeaderName, HeaderValue) = (
    HeaderName::from_static("idempotent-replayed"),
    HeaderValue::from_static("true"),
);

pub(in crate::http) const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
pub(in crate::http) const LENGTH_MAX: usize = 255;

#[derive(Debug, PartialEq, Eq, Error)]
#[error("Idempotency-Key must be 1 to 255 visible ASCII characters, given once")]
pub(in crate::http) struct KeyError;

/// The key that a request carries, if it does.
///
/// # Errors
/// Where the header holds no key, or there are several.
pub(in crate::http) fn header(request: &HttpRequest) -> Result<Option<String>, KeyError> {
    let mut headers = request.headers().get_all(HEADER);
    let Some(header) = headers.next() else {
        return Ok(None);
    };
    let text = header.as_bytes();
    let visible = text.iter().all(u8::is_ascii_graphic);
    if headers.next().is_some() || text.is_empty() || LENGTH_MAX < text.len() || !visible {
        return Err(KeyError);
    }
    header
        .to_str()
        .map(|text| Some(text.to_owned()))
        .map_err(|_| KeyError)
}

/// A refusal by the rules, and whether it had been given before under the same key.
#[derive(Debug, Error)]
#[error("{rejection}")]
pub(in crate::http) struct Refused {
    pub rejection: Rejection,
    pub replayed: bool,
}

/// The receipt of an accepted command; the response says where it had been given before.
///
/// # Errors
/// Where the command was refused.
pub(in crate::http) fn accepted(
    response: &mut HttpResponseBuilder,
    answered: Answered,
) -> Result<Receipt, Refused> {
    let replayed = answered.replayed;
    let refused = |rejection| Refused {
        rejection,
        replayed,
    };
    let receipt = answered.outcome.map_err(refused)?;
    mark(response, replayed);
    Ok(receipt)
}

/// Says in a response that it had been given before.
pub(in crate::http) fn mark(response: &mut HttpResponseBuilder, replayed: bool) {
    if replayed {
        response.insert_header(REPLAYED);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_is_short_visible_and_single() {
        let parse = |value: &str| {
            header(
                &TestRequest::default()
                    .insert_header((HEADER, value))
                    .to_http_request(),
            )
        };
        assert_eq!(parse("a-1"), Ok(Some("a-1".to_owned())));
        assert_eq!(parse(&"k".repeat(256)), Err(KeyError));
        assert_eq!(parse(""), Err(KeyError));
        assert_eq!(parse("a b"), Err(KeyError));
        let twice = TestRequest::default()
            .append_header((HEADER, "a"))
            .append_header((HEADER, "b"))
            .to_http_request();
        assert_eq!(header(&twice), Err(KeyError));
        assert_eq!(header(&TestRequest::default().to_http_request()), Ok(None));
    }

    proptest! {
        #[test]
        fn a_header_of_any_bytes_is_a_key_as_it_stands_or_none(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let Ok(value) = HeaderValue::from_bytes(&bytes) else { return Ok(()) };
            let request = TestRequest::default().insert_header((HEADER, value)).to_http_request();
            let is_key = (1..=255).contains(&bytes.len()) && bytes.iter().all(|byte| (b'!'..=b'~').contains(byte));
            let expected = is_key.then(|| Some(String::from_utf8_lossy(&bytes).into_owned()));
            prop_assert_eq!(header(&request), expected.ok_or(KeyError));
        }

        #[test]
        fn a_visible_text_is_a_key(text in "[!-~]{1,255}") {
            let request = TestRequest::default().insert_header((HEADER, text.as_str())).to_http_request();
            prop_assert_eq!(header(&request), Ok(Some(text)));
        }
    }
}
