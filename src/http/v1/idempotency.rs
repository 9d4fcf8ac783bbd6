//! Idempotency keys as a structured field (draft-ietf-httpapi-idempotency-key-header-07), and what a key stands for.

use actix_web::http::header::HeaderMap;
use percent_encoding::percent_decode_str;
use sha2::{Digest as _, Sha256};

use super::codes::Code;
use super::json::Json;
use super::problem::Problem;
pub(in crate::http) use crate::http::request::idempotency::REPLAYED;
use crate::http::request::idempotency::{HEADER, LENGTH_MAX};

/// Stands at the beginning of what is hashed: another composition would have another.
const FORMAT: u8 = 1;
/// Members that can be erased, so that they are covered by a salted digest.
const ERASABLE: [&str; 2] = ["reference", "metadata"];

/// The key of a request, if it has one: a string in quotes (RFC 9651, section 3.3.3), or the same characters bare.
///
/// # Errors
/// If the field is something else, or is there more than once.
pub(in crate::http) fn read(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut lines = headers.get_all(HEADER);
    let Some(line) = lines.next() else {
        return Ok(None);
    };
    let text = line.to_str().ok().filter(|_| lines.next().is_none());
    let key = text.and_then(|text| match text.strip_prefix('"') {
        Some(quoted) => unquoted(quoted),
        None => Some(text.to_owned()),
    });
    key.filter(|key| is_key(key)).map(Some).ok_or_else(invalid)
}

/// The same of a request that needs one.
///
/// # Errors
/// As [`read`], and if there is none.
pub(in crate::http) fn required(headers: &HeaderMap) -> Result<String, Problem> {
    let missing = || {
        Problem::new(
            Code::IdempotencyKeyMissing,
            "This request needs an Idempotency-Key",
        )
    };
    read(headers)?.ok_or_else(missing)
}

/// A key in a path, percent-encoded.
///
/// # Errors
/// If no key can be written so.
pub(in crate::http) fn in_path(segment: &str) -> Result<String, Problem> {
    let is_encoded = segment.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    let key = percent_decode_str(segment).decode_utf8().ok();
    let key = key.filter(|key| is_encoded && is_key(key));
    key.map(std::borrow::Cow::into_owned).ok_or_else(invalid)
}

/// What a key stands for: the method, the path, the query and the body in its canonical form (RFC 8785). What can be
/// erased is left out: the ledger covers it under a salt. A stored fingerprint never changes.
///
/// # Errors
/// If the body has a number that no double is near, which no valid body has.
pub(in crate::http) fn fingerprint(
    method: &str,
    path: &str,
    query: &str,
    body: &Json,
) -> Result<[u8; 32], Problem> {
    let mut value = body.to_value();
    if let Some(members) = value.as_object_mut() {
        members.retain(|name, _| !ERASABLE.contains(&name.as_str()));
    }
    let body = serde_json_canonicalizer::to_vec(&value);
    let body = body
        .map_err(|_| Problem::new(Code::ValidationFailed, "A number in the body is too large"))?;
    let mut hash = Sha256::new();
    hash.update([FORMAT]);
    for part in [method.as_bytes(), path.as_bytes(), query.as_bytes(), &body] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    Ok(hash.finalize().into())
}

/// What stands after the first quote, up to the last, without the marks before quotes and backslashes.
fn unquoted(text: &str) -> Option<String> {
    let inside = text.strip_suffix('"')?;
    let mut key = String::with_capacity(inside.len());
    let mut letters = inside.chars();
    while let Some(letter) = letters.next() {
        key.push(match letter {
            '\\' => letters.next().filter(|next| ['"', '\\'].contains(next))?,
            '"' => return None,
            letter => letter,
        });
    }
    Some(key)
}

fn is_key(key: &str) -> bool {
    (1..=LENGTH_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

fn invalid() -> Problem {
    let detail =
        format!("Idempotency-Key must be one string of 1 to {LENGTH_MAX} visible ASCII characters");
    Problem::new(Code::IdempotencyKeyInvalid, detail)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn key(lines: &[&[u8]]) -> Result<Option<String>, Code> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(HEADER, HeaderValue::from_bytes(line).expect("a value"));
        }
        read(&headers).map_err(|problem| problem.code)
    }

    #[test]
    fn a_key_is_quoted_or_bare_and_both_are_the_same() {
        for (line, expected) in [
            (r#""8e03978e-40d5""#, "8e03978e-40d5"),
            ("8e03978e-40d5", "8e03978e-40d5"),
            (r#""a\"b\\c""#, r#"a"b\c"#),
            (r#"a"b\c"#, r#"a"b\c"#),
            ("a;b=1", "a;b=1"),
            (r#""a;b=1""#, "a;b=1"),
        ] {
            assert_eq!(
                key(&[line.as_bytes()]),
                Ok(Some(expected.to_owned())),
                "{line}"
            );
        }
        let longest = "k".repeat(255);
        assert_eq!(key(&[longest.as_bytes()]), Ok(Some(longest.clone())));
        assert_eq!(
            key(&[format!("\"{longest}\"").as_bytes()]),
            Ok(Some(longest))
        );
        assert_eq!(key(&[]), Ok(None));
    }

    #[test]
    fn what_is_no_key_or_several_is_invalid() {
        let long = "k".repeat(256);
        for line in [
            "",
            "\"\"",
            "\"",
            "a b",
            "\"a b\"",
            "\"a",
            "\"a\"b\"",
            "\"a\";p",
            "\"a\";p=1",
            "\"a\", \"b\"",
            "\"a\",\"b\"",
            r#""a\b""#,
            r#""a\""#,
            "\"a\" b",
            &long,
        ] {
            assert_eq!(
                key(&[line.as_bytes()]),
                Err(Code::IdempotencyKeyInvalid),
                "{line}"
            );
        }
        assert_eq!(key(&[b"a", b"a"]), Err(Code::IdempotencyKeyInvalid));
        assert_eq!(key(&[b"\xe4"]), Err(Code::IdempotencyKeyInvalid));
        let missing = required(&HeaderMap::new()).map_err(|problem| problem.code);
        assert_eq!(missing, Err(Code::IdempotencyKeyMissing));
    }

    #[test]
    fn a_key_in_a_path_is_decoded_once() {
        let read = |segment: &str| in_path(segment).ok();
        for (segment, key) in [
            ("a-1", "a-1"),
            ("a%2Fb%25", "a/b%"),
            ("%2541", "%41"),
            ("a%22", "a\""),
            ("a+b", "a+b"),
        ] {
            assert_eq!(read(segment).as_deref(), Some(key), "{segment}");
        }
        for segment in ["", "%", "%4", "%zz", "%20", "%00", "%ff", "%C3%A4"] {
            assert_eq!(read(segment), None, "{segment}");
        }
    }

    fn print(method: &str, path: &str, query: &str, body: &str) -> String {
        let (body, _) = Json::parse(body.as_bytes()).expect("JSON");
        let print = fingerprint(method, path, query, &body).expect("a fingerprint");
        let digits = print.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let digits = digits.map(|digit| char::from_digit(digit.into(), 16).expect("a digit"));
        digits.collect()
    }

    #[test]
    fn a_fingerprint_stands_for_all_that_was_asked_and_nothing_else() {
        let body = r#"{"currency":"USD","amount":"1.00","version":7,"list":[true,"\u00e4"]}"#;
        let first = print("POST", "/v1/holds", "", body);
        for same in [
            r#" { "list" : [true,"ä"], "version":7.0,"amount":"1.00", "currency":"\u0055SD" } "#,
            r#"{"currency":"USD","amount":"1.00","version":7,"list":[true,"ä"],"reference":"a","metadata":{"b":"c"}}"#,
        ] {
            assert_eq!(print("POST", "/v1/holds", "", same), first, "{same}");
        }
        let others = [
            print("PUT", "/v1/holds", "", body),
            print("POST", "/v1/hold", "s", body),
            print("POST", "/v1/holds", "a=1", body),
            print("POST", "/v1/holds", "", "{}"),
            print("POST", "/v1/holds", "", &body.replace("1.00", "1.0")),
            print("POST", "/v1/holds", "", &body.replace(":7", ":8")),
        ];
        assert!(!others.contains(&first));
        // What stands within another object is no text that can be erased by itself.
        let inner =
            |reference: &str| format!(r#"{{"transactions":[{{"reference":"{reference}"}}]}}"#);
        let of = |body: &str| print("POST", "/", "", body);
        assert_ne!(of(&inner("a")), of(&inner("b")));
        let (huge, _) = Json::parse(b"{\"a\":1e400}").expect("JSON");
        assert!(fingerprint("POST", "/", "", &huge).is_err());
    }

    #[test]
    fn stored_fingerprints_never_change() {
        // Computed by another program.
        let body = r#"{"postings":[{"from":"world","to":"000000000777","amount":"12.50","currency":"USD"}],"reference":"a"}"#;
        assert_eq!(
            print("POST", "/v1/transactions", "", body),
            "a57f0b3aeac0afba430c73737e3ab965d0b3b28ed5da4a0679eb1fc22acf84c7"
        );
        assert_eq!(
            print("POST", "/v1/accounts/000000000777/freeze", "", "{}"),
            "9529b9cff02783898e1fb9e25d0a6f198226796cd6738b554811597b3314bdd9"
        );
    }

    proptest! {
        #[test]
        fn a_key_is_the_same_quoted(text in "[!-~]{1,100}") {
            let quoted = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(key(&[quoted.as_bytes()]), Ok(Some(text.clone())));
            if !text.starts_with('"') {
                prop_assert_eq!(key(&[text.as_bytes()]), Ok(Some(text)));
            }
        }
    }
}
