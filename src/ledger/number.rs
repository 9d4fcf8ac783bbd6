//! The 12-digit number of an account: ten digits of its id and two that catch a mistyped one.

use super::account::AccountId;

/// The largest id that has a number.
const ID_MAX: i64 = 9_999_999_999;
/// ISO 7064, MOD 97-10.
const MODULUS: i64 = 97;

impl AccountId {
    /// The account's number: the id, and two check digits after ISO 7064, MOD 97-10. Ids have more than ten digits only after
    /// ten thousand million openings.
    #[must_use]
    pub fn to_number(self) -> String {
        let shifted = self.0.rem_euclid(MODULUS).saturating_mul(100);
        let check = 98_i64.saturating_sub(shifted.rem_euclid(MODULUS));
        format!("{:010}{check:02}", self.0)
    }

    /// `None` where the text is not twelve digits, or where its check digits say that it was mistyped.
    #[must_use]
    pub fn parse_number(text: &str) -> Option<Self> {
        if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let whole: i64 = text.parse().ok()?;
        let id = whole.div_euclid(100);
        let is_sound = whole.rem_euclid(MODULUS) == 1 && 0 < id && id <= ID_MAX;
        is_sound.then_some(Self(id))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_twelve_digits() {
        assert_eq!(AccountId(7).to_number(), "000000000777");
        assert_eq!(AccountId(794).to_number(), "000000079444");
        assert_eq!(AccountId(ID_MAX).to_number().len(), 12);
        for text in [
            "",
            "7",
            "000000000776",
            "00000000077",
            "0000000000777",
            "00000000077x",
            "000000000098",
            "+00000000777",
            "０００００００００７７７",
        ] {
            assert_eq!(AccountId::parse_number(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_number_and_its_account_are_one(id in 1..=ID_MAX) {
            prop_assert_eq!(AccountId::parse_number(&AccountId(id).to_number()), Some(AccountId(id)));
        }

        #[test]
        fn one_wrong_digit_is_noticed(id in 1..=ID_MAX, at in 0_usize..12, digit in b'0'..=b'9') {
            let right = AccountId(id).to_number();
            let mut wrong = right.clone().into_bytes();
            if let Some(byte) = wrong.get_mut(at) {
                *byte = digit;
            }
            let wrong = String::from_utf8(wrong).expect("digits");
            prop_assert_eq!(AccountId::parse_number(&wrong).is_some(), wrong == right);
        }

        #[test]
        fn two_swapped_neighbours_are_noticed(id in 1..=ID_MAX, at in 0_usize..11) {
            let right = AccountId(id).to_number();
            let mut wrong = right.clone().into_bytes();
            wrong.swap(at, at.saturating_add(1));
            let wrong = String::from_utf8(wrong).expect("digits");
            prop_assert_eq!(AccountId::parse_number(&wrong).is_some(), wrong == right);
        }
    }
}
