//! Bytes that come in JSON, as `PostgreSQL` writes them.

use serde::{Deserialize, Deserializer, de};

/// `\\x` and two hexadecimal digits a byte.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent)]
pub struct Bytes(pub Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| de::Error::custom("no bytes"))
    }
}

fn parse(text: &str) -> Option<Bytes> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    let pairs = digits.chunks(2).map(|pair| {
        let pair = str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    pairs.collect::<Option<_>>().map(Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_postgresql_writes_them() {
        assert_eq!(parse("\\x00ff1a"), Some(Bytes(vec![0, 255, 26])));
        assert_eq!(parse("\\x"), Some(Bytes(Vec::new())));
        for text in ["", "00", "\\x0", "\\xgg", "\\x\u{e4}0"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
