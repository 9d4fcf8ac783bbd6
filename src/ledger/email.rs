//! Emails: what was typed, beside the one form in which all spellings of an address are the same.

use idna::uts46::{AsciiDenyList, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization as _;

/// An address that belongs to one user, however it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    typed: String,
    in_lower_case: String,
    canonical: String,
}

impl Email {
    /// The longest one, in characters and in every form (RFC 5321, section 4.5.3.1.3).
    pub const LENGTH_MAX: usize = 254;

    /// Not more than a shape: who owns the address is for a letter to find out. `None` where it cannot be one.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let (local, domain) = typed.split_once('@')?;
        let well_formed = !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !typed.contains(char::is_whitespace);
        let email = Self {
            typed: typed.to_owned(),
            in_lower_case: typed.to_lowercase(),
            canonical: format!("{}@{}", composed(local), canonical_domain(domain)),
        };
        let fits = |text: &String| text.chars().count() <= Self::LENGTH_MAX;
        let all_fit = [&email.typed, &email.in_lower_case, &email.canonical]
            .into_iter()
            .all(fits);
        (well_formed && all_fit).then_some(email)
    }

    /// As it was written, and as it is shown.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// As it was stored before there was a canonical form. Digests of keys are over it for good.
    #[must_use]
    pub fn in_lower_case(&self) -> &str {
        &self.in_lower_case
    }

    /// The same for every case, for letters composed or not, and for a domain in Unicode or in Punycode. None of A to Z is in it.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// What its forms take of memory.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let forms = [&self.typed, &self.in_lower_case, &self.canonical];
        forms.into_iter().map(String::len).sum()
    }

    /// What was typed, if the canonical form does not tell.
    #[must_use]
    pub fn typed_otherwise(&self) -> Option<&str> {
        (self.typed != self.canonical).then_some(&self.typed)
    }

    /// The text of before under which a user from before may have the address, if it is another.
    #[must_use]
    pub fn stored_before(&self) -> Option<&str> {
        (self.in_lower_case != self.canonical).then_some(&self.in_lower_case)
    }
}

/// In lower case, with its letters composed (Unicode's normalization form C).
fn composed(text: &str) -> String {
    let composed: String = text.nfc().collect();
    composed.to_lowercase().nfc().collect()
}

/// In Unicode, by UTS 46: what most people type, and what was stored of them before. A domain that is none stays what it is.
fn canonical_domain(domain: &str) -> String {
    let (unicode, valid) =
        Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::URL, Hyphens::Allow);
    if valid.is_ok() && !unicode.is_empty() {
        unicode.into_owned()
    } else {
        composed(domain)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(typed: &str) -> Option<String> {
        Email::parse(typed).map(|email| email.canonical)
    }

    #[test]
    fn spellings_of_one_address_have_one_form() {
        for (typed, form) in [
            ("Ada.V@Example.org", "ada.v@example.org"),
            ("ren\u{e9}@x", "ren\u{e9}@x"),
            ("RENE\u{301}@x", "ren\u{e9}@x"),
            ("a@B\u{dc}CHER.de", "a@b\u{fc}cher.de"),
            ("a@bu\u{308}cher.de", "a@b\u{fc}cher.de"),
            ("a@XN--bcher-kva.de", "a@b\u{fc}cher.de"),
            ("a@\u{ff45}xample\u{3002}org", "a@example.org"),
            ("a@stra\u{df}e.de", "a@stra\u{df}e.de"),
            ("a@xn--strae-oqa.de", "a@stra\u{df}e.de"),
            // No domains, or none that are told apart by more than their letters.
            ("a@[127.0.0.1]", "a@[127.0.0.1]"),
            ("a@X_y..z", "a@x_y..z"),
            ("a@XN--\u{e4}", "a@xn--\u{e4}"),
            ("a@\u{ad}", "a@\u{ad}"),
            ("a@b\u{ff20}c", "a@b\u{ff20}c"),
        ] {
            assert_eq!(canonical(typed).as_deref(), Some(form), "{typed}");
        }
    }

    #[test]
    fn what_cannot_be_an_address_is_none() {
        let grows = format!("{}@example.org", "\u{130}".repeat(200));
        let expands = format!("a@{}", "\u{3371}".repeat(100));
        let long = format!("{}@b", "a".repeat(253));
        for typed in [
            "", "a", "@", "a@", "@b", "a@b@c", "a b@c", &grows, &expands, &long,
        ] {
            assert_eq!(Email::parse(typed), None, "{typed}");
        }
    }

    proptest! {
        #[test]
        fn the_canonical_form_is_its_own_and_what_the_table_takes(typed in "\\PC{1,9}@\\PC{1,9}") {
            let Some(email) = Email::parse(&typed) else { return Ok(()) };
            let form = email.canonical();
            prop_assert_eq!(canonical(form), Some(form.to_owned()));
            prop_assert!(!form.contains(|letter: char| letter.is_ascii_uppercase()));
            prop_assert!((3..=254).contains(&form.chars().count()));
        }

        #[test]
        fn decomposed_is_as_composed(typed in "[a-zA-Z\u{e0}-\u{f6}\u{1e00}-\u{1eff}]{1,9}@[a-z\u{e0}-\u{f6}]{1,9}\\.org") {
            let decomposed: String = typed.nfd().collect();
            prop_assert_eq!(canonical(&decomposed), canonical(&typed));
            prop_assert!(canonical(&typed).is_some());
        }
    }
}
