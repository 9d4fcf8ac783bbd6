//! API keys: secrets that look like themselves, so that scanners find them and typos are seen without a look-up.

use std::fmt;

use sha2::Digest as _;

const PREFIX: &str = "pbk_";
/// 43 digits to the base 62 hold 256 bits.
const RANDOM_LENGTH: usize = 43;
/// 6 hold the 32 bits of a CRC.
const CHECK_LENGTH: usize = 6;
const LENGTH: usize = PREFIX.len() + RANDOM_LENGTH + CHECK_LENGTH;
/// What somebody who finds a key knows it by, and nobody else can use.
const SHOWN_LENGTH: usize = 8;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE: u32 = 62;

/// `pbk_`, 256 random bits, and the CRC32 of their digits, as GitHub's tokens have it.
pub struct ApiKey([u8; LENGTH]);

/// SHA-256 of a key's text: all that is kept of it. The key is random enough that no salt and no slow hash adds anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl ApiKey {
    #[must_use]
    pub fn from_random(bits: [u8; 32]) -> Self {
        let random = to_digits::<RANDOM_LENGTH>(bits);
        Self::of(&random)
    }

    /// As a client shows it. `None` if it cannot be a key.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let random = text.strip_prefix(PREFIX)?.get(..RANDOM_LENGTH)?;
        let is_fit = random.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let random = random.as_bytes().try_into().ok().filter(|_| is_fit)?;
        let key = Self::of(random);
        (key.as_str() == text).then_some(key)
    }

    /// The secret. It is shown to whoever it is made for, once.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// What may be shown to others: the first characters.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.as_str().get(..SHOWN_LENGTH).unwrap_or_default()
    }

    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest(sha2::Sha256::digest(self.0).into())
    }

    fn of(random: &[u8; RANDOM_LENGTH]) -> Self {
        let check = to_digits::<CHECK_LENGTH>(crc32fast::hash(random).to_be_bytes());
        let parts = PREFIX.bytes().chain(*random).chain(check);
        let mut key = [0; LENGTH];
        for (to, from) in key.iter_mut().zip(parts) {
            *to = from;
        }
        Self(key)
    }
}

/// Whatever prints it, the secret is not in it.
impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey")
    }
}

/// A number to the base 62 with leading zeros, by long division.
fn to_digits<const LEN: usize>(number: impl AsMut<[u8]>) -> [u8; LEN] {
    let mut number = number;
    let mut digits = [0; LEN];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0;
        for byte in number.as_mut() {
            let part = (rest << 8) | u32::from(*byte);
            // Less than 256, as what is left over is less than the base.
            *byte = u8::try_from(part / BASE).unwrap_or_default();
            rest = part % BASE;
        }
        let place = usize::try_from(rest).unwrap_or_default();
        *digit = DIGITS.get(place).copied().unwrap_or_default();
    }
    digits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::Seal;

    /// By six lines of Python, with `zlib.crc32` and `hashlib.sha256`.
    const GOLDEN: [([u8; 32], &str, &str); 3] = [
        (
            [0; 32],
            "pbk_00000000000000000000000000000000000000000002CZclj",
            "5d8c5735dc218c95f4ef65da12428219a08d6ea3cc593ed42c86ee10d9c2cabb",
        ),
        (
            [255; 32],
            "pbk_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp13sRzl1",
            "6e856901e2556dbe77245dd89d8b0659406ed0ee11f575f970f4c0a4bfe7a128",
        ),
        (
            *b"a secret that everybody knows of",
            "pbk_N1y24FEq5Ee6WaaBEtgidjKgIZqsRjlNA4b7mVJQEbu1HX3H0",
            "d59359f7283e81287e60d4768bfbfa754200d0a39ddc8a2e653de302fb5a4c7d",
        ),
    ];

    #[test]
    fn keys_are_what_another_language_makes_of_the_same_bits() {
        for (bits, text, digest) in GOLDEN {
            let key = ApiKey::from_random(bits);
            assert_eq!(key.as_str(), text);
            assert_eq!(Seal(key.digest().0).to_string(), digest);
            assert!(text.starts_with(key.shown()) && key.shown().len() == 8);
        }
    }

    #[test]
    fn what_is_printed_of_a_key_is_not_the_key() {
        let key = ApiKey::from_random([7; 32]);
        assert_eq!(format!("{key:?} {:?}", Some(&key)), "ApiKey Some(ApiKey)");
    }

    #[test]
    fn what_only_looks_like_a_key_is_none() {
        let key = ApiKey::from_random([7; 32]);
        let text = key.as_str();
        let (short, long) = (&text[..text.len() - 1], format!("{text}0"));
        let (cased, blank) = (text.replace("pbk_", "PBK_"), format!("{text} "));
        let wide = text.replacen(&text[4..5], "\u{e9}", 1);
        for text in ["", "pbk_", short, &long, &cased, &blank, &wide] {
            assert!(ApiKey::parse(text).is_none(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_key_is_read_again(bits: [u8; 32]) {
            let key = ApiKey::from_random(bits);
            let again = ApiKey::parse(key.as_str()).expect("a key");
            prop_assert_eq!(again.as_str(), key.as_str());
            prop_assert_eq!(again.digest(), key.digest());
        }

        #[test]
        fn other_bits_are_another_key(one: [u8; 32], other: [u8; 32]) {
            prop_assume!(one != other);
            let (one, other) = (ApiKey::from_random(one), ApiKey::from_random(other));
            prop_assert_ne!(one.as_str(), other.as_str());
        }

        #[test]
        fn one_wrong_character_is_seen(bits: [u8; 32], place in 0..LENGTH, by in 0..62_usize) {
            let mut text = ApiKey::from_random(bits).as_str().to_owned().into_bytes();
            prop_assume!(text[place] != DIGITS[by]);
            text[place] = DIGITS[by];
            let text = String::from_utf8(text).expect("ASCII");
            prop_assert!(ApiKey::parse(&text).is_none());
        }

        #[test]
        fn two_characters_in_the_wrong_order_are_seen(bits: [u8; 32], place in 4..LENGTH - 1) {
            let mut text = ApiKey::from_random(bits).as_str().to_owned().into_bytes();
            let next = place.saturating_add(1);
            prop_assume!(text[place] != text[next]);
            text.swap(place, next);
            let text = String::from_utf8(text).expect("ASCII");
            prop_assert!(ApiKey::parse(&text).is_none());
        }

        #[test]
        fn no_text_is_too_odd_to_be_refused(text in ".{0,80}") {
            prop_assert!(ApiKey::parse(&text).is_none());
        }
    }
}
