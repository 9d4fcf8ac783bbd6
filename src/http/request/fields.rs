//! The fields of a query string or of a form (WHATWG URL, application/x-www-form-urlencoded), decoded strictly.

use percent_encoding::percent_decode_str;
use thiserror::Error;

/// What a page shows where nobody says, and at most.
const LIMIT: u8 = 20;
const LIMIT_MAX: u8 = 100;

/// Names and values in their order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::http) struct Fields(Vec<(String, String)>);

#[derive(Debug, PartialEq, Eq, Error)]
pub(in crate::http) enum FieldsError {
    #[error("query or form is not percent-encoded UTF-8")]
    Malformed,
    #[error("{0} is given more than once")]
    Repeated(&'static str),
    #[error("limit must be from 1 to 100")]
    Limit,
}

impl Fields {
    /// # Errors
    /// Where a percent sign does not begin an encoded byte, or the bytes are not UTF-8.
    pub(in crate::http) fn parse(text: &str) -> Result<Self, FieldsError> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let decoded = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
        decoded.collect::<Result<_, _>>().map(Self)
    }

    /// The value of a field; none where it is not given.
    ///
    /// # Errors
    /// Where it is given more than once.
    pub(in crate::http) fn get(&self, name: &'static str) -> Result<Option<&str>, FieldsError> {
        let mut values = self.0.iter().filter(|(given, _)| given == name);
        let value = values.next().map(|(_, value)| value.as_str());
        if values.next().is_some() {
            return Err(FieldsError::Repeated(name));
        }
        Ok(value)
    }

    /// How much a page shows: `limit`, 1 to 100, or 20 where it is not given.
    ///
    /// # Errors
    /// Where it is something else.
    pub(in crate::http) fn limit(&self) -> Result<u8, FieldsError> {
        match self.get("limit")?.map(str::parse) {
            None => Ok(LIMIT),
            Some(Ok(limit)) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
            Some(Ok(_) | Err(_)) => Err(FieldsError::Limit),
        }
    }

    /// In their order.
    pub(in crate::http) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter();
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(in crate::http) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(in crate::http) fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|(given, _)| given == name)
    }
}

fn decode(text: &str) -> Result<String, FieldsError> {
    let is_encoded = text.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if !is_encoded {
        return Err(FieldsError::Malformed);
    }
    let blanks = text.replace('+', " ");
    let decoded = percent_decode_str(&blanks).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| FieldsError::Malformed)
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_and_values_are_decoded() {
        let fields = Fields::parse("a=1&b=x+y%20%26z&c&&d==&%C3%A4=%C3%B6").expect("fields");
        for (name, value) in [
            ("a", "1"),
            ("b", "x y &z"),
            ("c", ""),
            ("d", "="),
            ("\u{e4}", "\u{f6}"),
        ] {
            assert_eq!(fields.get(name), Ok(Some(value)), "{name}");
        }
        assert_eq!(fields.get("e"), Ok(None));
        assert_eq!(Fields::parse(""), Ok(Fields::default()));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = Fields::parse(&text);
        }

        #[test]
        fn what_was_encoded_is_decoded(name in "\\PC{1,20}", value in any::<String>()) {
            let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let text = format!("{}={}", encode(&name), encode(&value));
            prop_assert_eq!(Fields::parse(&text), Ok(Fields(vec![(name, value)])));
        }
    }

    #[test]
    fn what_cannot_be_decoded_or_is_given_twice_is_refused() {
        for text in ["a=%", "a=%4", "a=%zz", "a=%C3", "%ff=1", "a=%\u{e4}\u{e4}"] {
            assert_eq!(Fields::parse(text), Err(FieldsError::Malformed), "{text}");
        }
        let twice = Fields::parse("a=1&a=1").expect("fields");
        assert_eq!(twice.get("a"), Err(FieldsError::Repeated("a")));
    }
}
