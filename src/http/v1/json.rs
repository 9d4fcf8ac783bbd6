//! JSON as it came: a tree that keeps what is given twice and how each number is written.

use std::fmt::{self, Write as _};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use super::codes::Code;
use super::problem::{Flaw, Problem};

/// Objects and arrays within each other. The deepest body that means something has five.
const DEPTH_MAX: usize = 16;

/// A value of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) enum Json {
    Null,
    Bool(bool),
    /// The literal: its value is exact, however it is written.
    Number(String),
    Text(String),
    Array(Vec<Json>),
    /// In the order of the text, also what is given twice.
    Object(Vec<(String, Json)>),
}

/// The place of a value within a body (RFC 6901).
#[derive(Clone, Copy)]
pub(in crate::http) enum Place<'p> {
    Root,
    Member(&'p Place<'p>, &'p str),
    Item(&'p Place<'p>, usize),
}

impl Json {
    /// Reads a text. What is wrong with single values, but does not keep it from being parsed, comes along with it: no
    /// NUL can be stored, and a lone surrogate is no character.
    ///
    /// # Errors
    /// If the text is not JSON, or is too deep.
    pub(in crate::http) fn parse(bytes: &[u8]) -> Result<(Self, Vec<Flaw>), Problem> {
        let raw: &RawValue = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
        let mut flaws = Vec::new();
        let json = read(raw, Place::Root, DEPTH_MAX, &mut flaws)?;
        Ok((json, flaws))
    }

    /// What it is, in a sentence about what it should be.
    pub(in crate::http) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// The same as others know it; of what is given twice, the last.
    pub(in crate::http) fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(bool) => Value::Bool(*bool),
            Self::Number(literal) => {
                let number: Result<Number, _> = literal.parse();
                number.map_or(Value::Null, Value::Number)
            }
            Self::Text(text) => Value::String(text.clone()),
            Self::Array(items) => items.iter().map(Self::to_value).collect(),
            Self::Object(members) => {
                let members = members
                    .iter()
                    .map(|(name, value)| (name.clone(), value.to_value()));
                Value::Object(members.collect::<Map<String, Value>>())
            }
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(parent, name) => {
                write!(formatter, "{parent}/")?;
                for letter in name.chars() {
                    match letter {
                        '~' => formatter.write_str("~0")?,
                        '/' => formatter.write_str("~1")?,
                        letter => formatter.write_char(letter)?,
                    }
                }
                Ok(())
            }
            Self::Item(parent, index) => write!(formatter, "{parent}/{index}"),
        }
    }
}

/// Members in their order. A map of serde's would keep one of two of the same name.
struct Members<'r>(Vec<(&'r RawValue, &'r RawValue)>);

fn read(
    raw: &RawValue,
    place: Place<'_>,
    depth: usize,
    flaws: &mut Vec<Flaw>,
) -> Result<Json, Problem> {
    let text = raw.get();
    let Some(deeper) = depth.checked_sub(usize::from(text.starts_with(['{', '[']))) else {
        let detail = format!("The body is more than {DEPTH_MAX} levels deep");
        return Err(Problem::new(Code::MalformedJson, detail));
    };
    Ok(match text.as_bytes().first() {
        Some(b'n') => Json::Null,
        Some(b't') => Json::Bool(true),
        Some(b'f') => Json::Bool(false),
        Some(b'"') => Json::Text(read_text(text, place, flaws)),
        Some(b'[') => {
            let items: Vec<&RawValue> =
                serde_json::from_str(text).map_err(|error| malformed(&error))?;
            let items = items.into_iter().enumerate();
            let items = items.map(|(at, item)| read(item, Place::Item(&place, at), deeper, flaws));
            Json::Array(items.collect::<Result<_, Problem>>()?)
        }
        Some(b'{') => {
            let Members(members) = serde_json::from_str(text).map_err(|error| malformed(&error))?;
            let members = members.into_iter().map(|(name, value)| {
                let name = read_text(name.get(), place, flaws);
                let value = read(value, Place::Member(&place, &name), deeper, flaws)?;
                Ok((name, value))
            });
            Json::Object(members.collect::<Result<_, Problem>>()?)
        }
        Some(_) | None => Json::Number(text.to_owned()),
    })
}

/// The text of a string, or of a member's name. It was parsed before, so that only what it stands for can be wrong.
fn read_text(literal: &str, place: Place<'_>, flaws: &mut Vec<Flaw>) -> String {
    let text: String = serde_json::from_str(literal).unwrap_or_else(|_| {
        flaws.push(place.flaw("must not contain a lone surrogate"));
        String::new()
    });
    if text.contains('\0') {
        flaws.push(place.flaw("must not contain a NUL character"));
    }
    text
}

impl Place<'_> {
    pub(in crate::http) fn flaw(&self, detail: impl Into<String>) -> Flaw {
        Flaw::new(self.to_string(), detail)
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(
        Code::MalformedJson,
        format!("The body is not JSON: {error}"),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> (Json, Vec<Flaw>) {
        Json::parse(text.as_bytes()).unwrap_or_else(|problem| panic!("{text}: {problem}"))
    }

    #[test]
    fn what_is_given_twice_stays_and_numbers_stay_as_they_are_written() {
        let (json, flaws) = parse(r#" {"a":1.50,"b":[null,true,"x\n"],"a":-0e10} "#);
        let number = |literal: &str| Json::Number(literal.to_owned());
        let expected = vec![
            ("a".to_owned(), number("1.50")),
            (
                "b".to_owned(),
                Json::Array(vec![
                    Json::Null,
                    Json::Bool(true),
                    Json::Text("x\n".to_owned()),
                ]),
            ),
            ("a".to_owned(), number("-0e10")),
        ];
        assert_eq!((json, flaws), (Json::Object(expected), Vec::new()));
        // What serde_json makes numbers of inside is an object like any other.
        let (json, _) = parse(r#"{"$serde_json::private::Number":"1"}"#);
        assert_eq!(json.kind(), "an object");
    }

    #[test]
    fn what_cannot_be_parsed_is_malformed() {
        for text in [
            "",
            " ",
            "{",
            "{}{}",
            "{} x",
            "{\"a\":01}",
            "{\"a\":NaN}",
            "{'a':1}",
            "{\"a\":1,}",
            "\u{feff}{}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\\x\"}",
        ] {
            let problem = Json::parse(text.as_bytes()).expect_err(text);
            assert_eq!(problem.code, Code::MalformedJson, "{text}");
        }
        assert!(Json::parse(b"{\"a\":\"\xff\"}").is_err());
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::parse(nested(DEPTH_MAX).as_bytes()).is_ok());
        for depth in [DEPTH_MAX + 1, 30_000] {
            assert!(Json::parse(nested(depth).as_bytes()).is_err(), "{depth}");
        }
    }

    #[test]
    fn what_no_column_can_hold_is_named_by_its_place() {
        let text =
            r#"{"a/b~":["x","\u0000"],"c":"\ud800","\ud800":1,"\u0000":1,"d":"\ud83d\ude00"}"#;
        let (_, flaws) = parse(text);
        let flaws: Vec<(&str, &str)> = flaws
            .iter()
            .map(|flaw| (flaw.pointer.as_str(), flaw.detail.as_str()))
            .collect();
        let (nul, lone) = (
            "must not contain a NUL character",
            "must not contain a lone surrogate",
        );
        assert_eq!(
            flaws,
            [("/a~1b~0/1", nul), ("/c", lone), ("", lone), ("", nul)]
        );
    }

    proptest! {
        #[test]
        fn of_all_bytes_only_json_is_read(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                prop::collection::vec((0..40_usize, any::<u8>()), 0..4).prop_map(|changes| {
                    let mut bytes = br#" {"amount":"12.50","list":[1,-2.5e3,{}]}"#.to_vec();
                    for (at, byte) in changes {
                        bytes[at] = byte;
                    }
                    bytes
                }),
            ],
        ) {
            let value = serde_json::from_slice::<Value>(&bytes);
            match Json::parse(&bytes) {
                Ok((json, flaws)) if flaws.is_empty() => prop_assert_eq!(Some(json.to_value()), value.ok()),
                Ok(_) => {}
                Err(_) => prop_assert!(value.is_err()),
            }
        }
    }
}
