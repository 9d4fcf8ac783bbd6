//! Conditional requests (RFC 9110, section 13): entity tags, and what a request says of those that it knows.

use std::fmt;

use actix_web::http::header::{ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::codes::Code;
use super::problem::Problem;
use crate::ledger::Version;

/// A strong entity tag, in its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) struct EntityTag(String);

/// What `If-Match` or `If-None-Match` lists.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::http) enum Known {
    /// `*`
    Any,
    Tags(Vec<Tag>),
}

#[derive(Debug, PartialEq, Eq)]
pub(in crate::http) struct Tag {
    is_weak: bool,
    /// With its quotes.
    opaque: String,
}

impl EntityTag {
    /// Of what changes with each version, and only with one.
    pub(in crate::http) fn of_version(version: Version) -> Self {
        Self(format!("\"{}\"", version.0))
    }

    /// Of a body that has no version.
    pub(in crate::http) fn of_body(body: &[u8]) -> Self {
        let digest = Sha256::digest(body);
        Self(format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..16])))
    }

    pub(in crate::http) fn header(&self) -> (HeaderName, HeaderValue) {
        let value = HeaderValue::from_str(&self.0).expect("a tag is visible ASCII");
        (ETAG, value)
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a change is made of: `If-Match`. None if nothing is said.
///
/// # Errors
/// If it is malformed.
pub(in crate::http) fn find_match(headers: &HeaderMap) -> Result<Option<Known>, Problem> {
    read(headers, &IF_MATCH)
}

/// Whether whoever asks has the representation already: `If-None-Match`, compared weakly.
///
/// # Errors
/// If it is malformed.
pub(in crate::http) fn is_known(headers: &HeaderMap, tag: &EntityTag) -> Result<bool, Problem> {
    Ok(match read(headers, &IF_NONE_MATCH)? {
        None => false,
        Some(Known::Any) => true,
        Some(Known::Tags(tags)) => tags.iter().any(|known| known.opaque == tag.0),
    })
}

impl Known {
    /// Which versions are meant; none if any will do. By the strong comparison, a weak tag matches nothing, and neither does what is
    /// no version's.
    pub(in crate::http) fn versions(&self) -> Option<Vec<Version>> {
        let Self::Tags(tags) = self else {
            return None;
        };
        let strong = tags.iter().filter(|tag| !tag.is_weak);
        let versions = strong.filter_map(|tag| {
            let version = Version(tag.opaque.trim_matches('"').parse().ok()?);
            (EntityTag::of_version(version).0 == tag.opaque).then_some(version)
        });
        Some(versions.collect())
    }
}

fn read(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Known>, Problem> {
    let lines: Vec<&HeaderValue> = headers.get_all(name).collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let lines: Result<Vec<&str>, _> = lines.into_iter().map(HeaderValue::to_str).collect();
    let known = lines.ok().and_then(|lines| parse(&lines.join(",")));
    let malformed = || {
        let detail = format!("{name} must be * or a list of entity tags, as in \"7\"");
        Problem::new(Code::ValidationFailed, detail)
    };
    known.map(Some).ok_or_else(malformed)
}

/// `*`, or tags with commas between them; an element may be empty (RFC 9110, section 5.6.1).
fn parse(text: &str) -> Option<Known> {
    if text.trim_matches(BLANKS) == "*" {
        return Some(Known::Any);
    }
    let mut tags = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(BLANKS);
        if let Some((tag, after)) = tag(rest) {
            tags.push(tag);
            rest = after.trim_start_matches(BLANKS);
        }
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None => break,
        }
    }
    (rest.is_empty() && !tags.is_empty()).then_some(Known::Tags(tags))
}

/// The tag that a text begins with, and what follows.
fn tag(text: &str) -> Option<(Tag, &str)> {
    let strong = text.strip_prefix("W/");
    let (is_weak, text) = strong.map_or((false, text), |strong| (true, strong));
    let end = text.strip_prefix('"')?.find('"')? + 2;
    let (opaque, after) = text.split_at(end);
    let is_plain = opaque.bytes().all(|byte| byte.is_ascii_graphic());
    let opaque = opaque.to_owned();
    is_plain.then_some((Tag { is_weak, opaque }, after))
}

const BLANKS: [char; 2] = [' ', '\t'];

#[cfg(test)]
mod tests {
    use super::*;

    const SEVEN: Version = Version(7);

    fn headers(name: &HeaderName, lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name.clone(), HeaderValue::from_str(line).expect("a value"));
        }
        headers
    }

    fn is_match(lines: &[&str]) -> Result<bool, Code> {
        let known = find_match(&headers(&IF_MATCH, lines));
        known
            .map(|known| {
                let versions = known.expect("something said").versions();
                versions.is_none_or(|versions| versions.contains(&SEVEN))
            })
            .map_err(|problem| problem.code)
    }

    #[test]
    fn a_change_names_the_version_that_it_is_of() {
        for lines in [
            &["\"7\""][..],
            &["*"],
            &[" * "],
            &["\"6\",\"7\""],
            &["\"6\" , \"7\"\t"],
            &["\"6\"", "\"7\""],
            &[",\"7\",,"],
            &["W/\"7\", \"7\""],
        ] {
            assert_eq!(is_match(lines), Ok(true), "{lines:?}");
        }
        for lines in [
            &["\"6\""][..],
            &["W/\"7\""],
            &["\"07\""],
            &["\"\""],
            &["\"7,\""],
            &["\"x\""],
        ] {
            assert_eq!(is_match(lines), Ok(false), "{lines:?}");
        }
        for lines in [
            &["7"][..],
            &[""],
            &[","],
            &["\"7"],
            &["7\""],
            &["\"7\" \"8\""],
            &["w/\"7\""],
            &["W/ \"7\""],
            &["*, \"7\""],
            &["*", "*"],
            &["\"a b\""],
        ] {
            assert_eq!(is_match(lines), Err(Code::ValidationFailed), "{lines:?}");
        }
        assert!(find_match(&HeaderMap::new()).is_ok_and(|known| known.is_none()));
    }

    #[test]
    fn a_reader_may_know_it_already() {
        let known = |lines: &[&str]| {
            let tag = EntityTag::of_version(SEVEN);
            is_known(&headers(&IF_NONE_MATCH, lines), &tag).map_err(|problem| problem.code)
        };
        for lines in [&["\"7\""][..], &["W/\"7\""], &["*"], &["\"1\", \"7\""]] {
            assert_eq!(known(lines), Ok(true), "{lines:?}");
        }
        assert_eq!(known(&["\"6\""]), Ok(false));
        assert_eq!(known(&[]), Ok(false));
        assert_eq!(known(&["7"]), Err(Code::ValidationFailed));
    }

    #[test]
    fn a_body_without_a_version_has_a_tag_too() {
        let tag = |body: &str| EntityTag::of_body(body.as_bytes()).to_string();
        assert_eq!(tag("{}"), "\"RBNvo1WzZ4oRRq0W9-hkng\"");
        assert_ne!(tag("{}"), tag("{} "));
    }
}
