//! Metadata: what a caller keeps with an object, text by name.

use std::collections::BTreeMap;

use super::json::Json;
use super::object::Object;
use crate::ledger::{Metadata, MetadataPatch};

const NAME_LENGTH_MAX: usize = 40;
/// In characters.
const VALUE_LENGTH_MAX: usize = 500;

/// Reads the member `metadata`; `Some(None)` if it is not given, and `None` if something is wrong with it.
#[expect(clippy::option_option, reason = "wrong and not given are two things")]
pub(in crate::http) fn read(object: &mut Object<'_>) -> Option<Option<Metadata>> {
    let Some(json) = object.find(NAME) else {
        return Some(None);
    };
    let metadata = Metadata(members(object, json, text)?);
    note(object, check(&metadata)).map(|()| Some(metadata))
}

/// Reads the member `metadata` of a merge patch (RFC 7396); `Some(None)` if it is not given. What it makes of what there is may
/// still be too much.
#[expect(clippy::option_option, reason = "wrong and not given are two things")]
pub(in crate::http) fn patch(object: &mut Object<'_>) -> Option<Option<MetadataPatch>> {
    match object.find(NAME) {
        None => Some(None),
        Some(Json::Null) => Some(Some(MetadataPatch::CLEAR)),
        Some(json) => {
            let change = members(object, json, |value| match value {
                Json::Null => Ok(None),
                value => text(value).map(Some),
            });
            let clears = false;
            change.map(|members| Some(MetadataPatch { clears, members }))
        }
    }
}

/// A name of a member, also in a filter.
pub(in crate::http) fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=NAME_LENGTH_MAX).contains(&text.len()) && text.bytes().all(is_plain)
}

const NAME: &str = "metadata";

fn members<T>(
    object: &mut Object<'_>,
    json: &Json,
    reader: impl Fn(&Json) -> Result<T, &'static str>,
) -> Option<BTreeMap<String, T>> {
    let Json::Object(members) = json else {
        object.flaw(NAME, format!("must be an object, not {}", json.kind()));
        return None;
    };
    let mut read = BTreeMap::new();
    let mut is_sound = true;
    for (name, value) in members {
        let value = match reader(value) {
            _ if !is_name(name) => {
                Err("has a name that is not 1 to 40 of A-Z, a-z, 0-9, _, . and -")
            }
            Ok(_) if read.contains_key(name) => Err("is given more than once"),
            value => value,
        };
        match value {
            Ok(value) => drop(read.insert(name.clone(), value)),
            Err(detail) => {
                object.flaw_within(NAME, name, detail);
                is_sound = false;
            }
        }
    }
    is_sound.then_some(read)
}

fn text(json: &Json) -> Result<String, &'static str> {
    match json {
        Json::Text(text) if text.chars().count() <= VALUE_LENGTH_MAX => Ok(text.clone()),
        Json::Text(_) => Err("must have at most 500 characters"),
        _ => Err("must be a string"),
    }
}

fn check(metadata: &Metadata) -> Result<(), String> {
    if metadata.fits() {
        return Ok(());
    }
    let (members, kibibytes) = (Metadata::MEMBERS_MAX, Metadata::BYTES_MAX / 1024);
    Err(format!(
        "must have at most {members} members and {kibibytes} KiB in all"
    ))
}

fn note(object: &mut Object<'_>, checked: Result<(), String>) -> Option<()> {
    checked.map_err(|detail| object.flaw(NAME, detail)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::v1::object::Body;

    fn of(members: impl IntoIterator<Item = (String, String)>) -> String {
        let members = Metadata(members.into_iter().collect());
        serde_json::json!({ "metadata": members }).to_string()
    }

    /// The metadata, or the places of all that is wrong.
    fn read_text(body: &str) -> Result<Option<Metadata>, String> {
        let body = Body::parse(body.as_bytes()).expect("JSON");
        body.read(read).map_err(|problem| problem.detail)
    }

    #[test]
    fn metadata_is_text_by_name() {
        let read = read_text(r#"{"metadata":{"b.-_9":"\u00e4","a":""}}"#).expect("metadata");
        let names: Vec<String> = read.expect("given").0.into_keys().collect();
        assert_eq!(names, ["a", "b.-_9"]);
        assert_eq!(read_text("{}"), Ok(None));
        for (body, place) in [
            (r#"{"metadata":null}"#, "/metadata must be an object"),
            (r#"{"metadata":{"a":1}}"#, "/metadata/a must be a string"),
            (r#"{"metadata":{"a":null}}"#, "/metadata/a must be a string"),
            (
                r#"{"metadata":{"a":"1","a":"1"}}"#,
                "/metadata/a is given more",
            ),
            (r#"{"metadata":{"a/b":"1"}}"#, "/metadata/a~1b has a name"),
            (r#"{"metadata":{"":"1"}}"#, "/metadata/ has a name"),
            (
                r#"{"metadata":{"a":"\u0000"}}"#,
                "/metadata/a must not contain",
            ),
        ] {
            let detail = read_text(body).expect_err(body);
            assert!(detail.starts_with(place), "{body}: {detail}");
        }
    }

    #[test]
    fn metadata_has_limits() {
        let many = |count: usize| of((0..count).map(|at| (format!("n{at}"), String::new())));
        assert!(read_text(&many(50)).is_ok());
        assert!(read_text(&many(51)).is_err());
        let one = |name: usize, value: usize| of([("n".repeat(name), "\u{e4}".repeat(value))]);
        assert!(read_text(&one(40, 500)).is_ok());
        assert!(read_text(&one(41, 500)).is_err());
        assert!(read_text(&one(40, 501)).is_err());
        // 16 members of 1,024 bytes are 16 KiB.
        let full = |more: &str| {
            let members = (0..16).map(|at| (format!("n{at:0>23}"), "\u{e4}".repeat(500)));
            of(members.chain([(more.to_owned(), String::new())]))
        };
        assert!(read_text(&full("n00000000000000000000000")).is_ok());
        assert!(read_text(&full("n")).is_err());
    }

    #[test]
    fn a_patch_sets_and_removes_single_members_or_all() {
        let change = |body: &str| {
            let body = Body::parse(body.as_bytes()).expect("JSON");
            body.read(patch).expect("a patch")
        };
        assert_eq!(change("{}"), None);
        let clear = change(r#"{"metadata":null}"#);
        assert_eq!(clear, Some(MetadataPatch::CLEAR));
        let patch = change(r#"{"metadata":{"a":null,"b":"3"}}"#).expect("a patch");
        let members = [("a", None), ("b", Some("3".to_owned()))];
        let members = members.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(patch.members, members.into());
    }
}
