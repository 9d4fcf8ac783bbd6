//! `traceparent` and `tracestate`, with which services tell each other which trace a request belongs to (W3C, Trace Context).

use std::str;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

pub(super) static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The same in an answer, which no version of the standard has but its drafts (Trace Context Level 2, section 3.4).
pub(super) static TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// A version, a trace, a span and flags, with dashes between them: all that version 00 has.
const LENGTH: usize = 55;
/// Version 00 means what is read here; later ones begin like it; this one never is.
const NO_VERSION: &str = "ff";
/// Longer than it must be passed on (512), in bytes.
const STATE_MAX: usize = 4_096;

/// The span that a request comes from. What is malformed is as good as none, and so are two.
pub(super) fn read(headers: &HeaderMap) -> Option<SpanContext> {
    let mut values = headers.get_all(&TRACEPARENT);
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    let (trace_id, span_id, flags) = parse(value.to_str().ok()?)?;
    Some(SpanContext::new(
        trace_id,
        span_id,
        flags,
        true,
        state(headers),
    ))
}

/// The header that says which span a request was.
pub(super) fn write(span: &SpanContext) -> Option<HeaderValue> {
    let flags = span.trace_flags() & TraceFlags::SAMPLED;
    let (trace_id, span_id) = (span.trace_id(), span.span_id());
    HeaderValue::try_from(format!("00-{trace_id}-{span_id}-{flags:02x}")).ok()
}

/// Flags that nobody knows yet are not passed on.
fn parse(text: &str) -> Option<(TraceId, SpanId, TraceFlags)> {
    let (known, rest) = text.split_at_checked(LENGTH)?;
    let mut fields = known.split('-');
    let version = hex(fields.next()?, 2).map(|_| &text[..2])?;
    let trace_id = TraceId::from(hex(fields.next()?, 32)?);
    let span_id = SpanId::from(u64::try_from(hex(fields.next()?, 16)?).ok()?);
    let flags = TraceFlags::new(u8::try_from(hex(fields.next()?, 2)?).ok()?) & TraceFlags::SAMPLED;
    let is_whole = rest.is_empty() || (version != "00" && rest.starts_with('-'));
    let is_valid = version != NO_VERSION
        && is_whole
        && trace_id != TraceId::INVALID
        && span_id != SpanId::INVALID;
    is_valid.then_some((trace_id, span_id, flags))
}

/// So many digits, without the signs and capitals that the standard library takes as well.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_digit = |letter: u8| matches!(letter, b'0'..=b'9' | b'a'..=b'f');
    let is_hex = text.len() == digits && text.bytes().all(is_digit);
    u128::from_str_radix(text, 16).ok().filter(|_| is_hex)
}

/// What others keep with the trace; a list may come in several headers.
fn state(headers: &HeaderMap) -> TraceState {
    let parts: Vec<&[u8]> = headers
        .get_all(&TRACESTATE)
        .map(HeaderValue::as_bytes)
        .collect();
    let whole = parts.join(&b',');
    let whole = str::from_utf8(&whole)
        .ok()
        .filter(|text| text.len() <= STATE_MAX);
    whole.and_then(|text| text.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderMap, HeaderValue};

    use super::{TRACEPARENT, TRACESTATE, read, write};

    const VALID: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers(traceparents: &[&str], tracestates: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, values) in [(&TRACEPARENT, traceparents), (&TRACESTATE, tracestates)] {
            for value in values {
                let value = HeaderValue::from_str(value).expect("a header's value");
                headers.append(name.clone(), value);
            }
        }
        headers
    }

    fn through(text: &str) -> Option<String> {
        let span = read(&headers(&[text], &[]))?;
        let value = write(&span).expect("a header's value");
        Some(value.to_str().expect("text").to_owned())
    }

    #[test]
    fn what_is_valid_is_read_and_written_again() {
        assert_eq!(through(VALID).as_deref(), Some(VALID));
        let flags = |flags: &str| through(&format!("{}{flags}", &VALID[..53]));
        assert_eq!(flags("00").expect("valid")[53..], *"00");
        // Unknown flags are not passed on.
        assert_eq!(flags("ff").expect("valid")[53..], *"01");
        assert_eq!(flags("02").expect("valid")[53..], *"00");
        // Later versions begin the same.
        for later in [
            VALID.replacen("00", "01", 1),
            VALID.replacen("00", "cc", 1) + "-what-comes",
        ] {
            assert_eq!(through(&later).as_deref(), Some(VALID), "{later}");
        }
    }

    #[test]
    fn what_is_malformed_is_ignored() {
        for malformed in [
            "",
            "-",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-001",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333g-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0A",
            "0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
        ] {
            assert_eq!(through(malformed), None, "{malformed}");
        }
        assert!(read(&headers(&[], &[])).is_none());
        assert!(read(&headers(&[VALID, VALID], &[])).is_none());
    }

    #[test]
    fn a_state_goes_on_and_one_that_is_none_does_not_spoil_the_trace() {
        let state = |states: &[&str]| {
            let span = read(&headers(&[VALID], states)).expect("a span");
            span.trace_state().header()
        };
        assert_eq!(state(&["a=1,b=2"]), "a=1,b=2");
        assert_eq!(state(&["a=1", "b=2"]), "a=1,b=2");
        assert_eq!(state(&[]), "");
        assert_eq!(state(&["a"]), "");
        assert_eq!(state(&[&format!("a={}", "b".repeat(5_000))]), "");
    }
}
