//! Who may come in, and for what: services, the keys that they show, and what a key allows.

mod api_key;
mod scope;
mod span;

use std::fmt;

use uuid::Uuid;

pub use self::api_key::{ApiKey, Digest};
pub use self::scope::Scope;
pub use self::span::Span;

/// A row of `principals`: whom keys and sessions are issued to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalId(pub i64);

/// An API key as it is spoken of. It is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub Uuid);

/// What a service is called: an ASCII letter or digit, and up to 63 letters, digits, `.`, `_` and `-` after it. `anyone` is none,
/// as that is what everybody is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName(String);

impl ServiceName {
    /// The longest name, in characters.
    pub const LENGTH_MAX: usize = 64;
    const EVERYBODY: &str = "anyone";

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let starts = text.starts_with(|first: char| first.is_ascii_alphanumeric());
        let fits = starts && text.bytes().all(is_fit) && text.len() <= Self::LENGTH_MAX;
        (fits && text != Self::EVERYBODY).then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_has_a_name_that_is_safe_in_a_line() {
        let longest = "a".repeat(64);
        for name in ["a", "9", "Shop.eu-1_b", &longest] {
            let parsed = ServiceName::parse(name).expect(name);
            assert_eq!(parsed.as_str(), name);
        }
        let longer = "a".repeat(65);
        for name in [
            "", "-a", ".a", "a b", "a\n", "a/b", "\u{e9}", "anyone", &longer,
        ] {
            assert_eq!(ServiceName::parse(name), None, "{name:?}");
        }
    }
}
