//! Emails: what was typed, beside the one form in which all spellings of an address are the same.

use std::collections::HashSet;

use icu_casemap::{CaseMapCloser, CaseMapper, ClosureSink};
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
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
    /// How many spellings of what stands before the @ are looked for among the forms of before.
    pub const SPELLINGS_MAX: usize = 16;

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
            canonical: format!("{}@{}", folded(local), canonical_domain(domain)),
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

    /// The same for every case, for letters composed or not, for a domain in Unicode or in Punycode, and with or without
    /// the dot of the root behind it. None of A to Z is in it.
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

    /// Every text under which a user may have the address. Of two users from before whose addresses are one, each comes
    /// first for what they typed: the text in lower case, then the canonical form of before, which folded no case.
    #[must_use]
    pub fn stored_as(&self) -> Vec<String> {
        let mut forms = vec![
            self.in_lower_case.clone(),
            canonical_before(&self.typed),
            self.canonical.clone(),
        ];
        let (local, domain) = halves(&self.canonical);
        for local in spellings_before(local) {
            forms.push(format!("{local}@{domain}"));
            forms.push(format!("{local}@{domain}."));
        }
        forms.extend(written_before(&self.in_lower_case));
        forms.extend(written_before(&self.canonical));
        let mut seen = HashSet::new();
        forms.retain(|form| seen.insert(form.clone()));
        forms
    }
}

fn halves(email: &str) -> (&str, &str) {
    email.split_once('@').expect("an email with an @ in it")
}

/// How a client may have written it when what was typed was stored: letters taken apart, the domain in Punycode.
fn written_before(email: &str) -> Vec<String> {
    let (local, domain) = halves(email);
    let apart = |text: &str| text.nfd().collect::<String>();
    let mut domains = vec![domain.to_owned(), apart(domain)];
    domains.extend(ascii_domain(domain));
    let locals = [local.to_owned(), apart(local)];
    let written = domains.iter().flat_map(|domain| {
        let locals = locals.iter();
        locals.map(move |local| format!("{local}@{domain}"))
    });
    written.collect()
}

/// The canonical form of an address from V17 on, until letters were folded and the dot of the root was left out.
fn canonical_before(typed: &str) -> String {
    let (local, domain) = halves(typed);
    let domain = unicode_domain(domain).unwrap_or_else(|| composed(domain));
    format!("{}@{domain}", composed(local))
}

/// In lower case, with its letters composed (Unicode's normalization form C).
fn composed(text: &str) -> String {
    let composed: String = text.nfc().collect();
    composed.to_lowercase().nfc().collect()
}

/// By Unicode's simple case folding, so that ß stays apart from ss, and composed. Letters are taken apart first, as its
/// definition D145 has it: an iota below is a mark before it is folded, and a letter after.
fn folded(text: &str) -> String {
    let cases = CaseMapper::new();
    let letters = text.nfd().map(|letter| cases.simple_fold(letter));
    letters.nfc().collect()
}

/// What folds to this and was stored otherwise. A letter that is its own lower case may fold to another, as ς to σ.
fn spellings_before(folded: &str) -> Vec<String> {
    let mut spellings = vec![String::new()];
    for letter in folded.chars() {
        let mut letters = vec![letter];
        letters.extend(other_small_letters(letter));
        if Email::SPELLINGS_MAX < spellings.len().saturating_mul(letters.len()) {
            letters.truncate(1);
        }
        let longer = spellings
            .iter()
            .flat_map(|start| letters.iter().map(move |letter| format!("{start}{letter}")));
        spellings = longer.collect();
    }
    let composed = spellings.iter().map(|spelling| spelling.nfc().collect());
    composed.collect()
}

fn other_small_letters(letter: char) -> Vec<char> {
    struct Letters(Vec<char>);

    impl ClosureSink for Letters {
        fn add_char(&mut self, letter: char) {
            self.0.push(letter);
        }

        fn add_string(&mut self, _: &str) {}
    }

    let mut letters = Letters(Vec::new());
    CaseMapCloser::new().add_case_closure_to(letter, &mut letters);
    let cases = CaseMapper::new();
    letters.0.retain(|other| {
        let was_stored = composed(&other.to_string()).chars().eq([*other]);
        *other != letter && was_stored && cases.simple_fold(*other) == letter
    });
    letters.0
}

/// A domain that is none stays what it is, but for case and composition. The dot of the root goes, as the domain is the
/// same without it.
fn canonical_domain(domain: &str) -> String {
    let mut domain = unicode_domain(domain).unwrap_or_else(|| folded(domain));
    let rooted = domain.strip_suffix('.');
    if rooted.is_some_and(|rest| !rest.is_empty() && !rest.ends_with('.')) {
        domain.pop();
    }
    domain
}

/// In Unicode, by UTS 46: what most people type, and what was stored of them before. It folds case itself, and keeps
/// apart what are two domains, as with ς and with σ. None if it is no domain.
fn unicode_domain(domain: &str) -> Option<String> {
    let (unicode, valid) =
        Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::URL, Hyphens::Allow);
    (valid.is_ok() && !unicode.is_empty()).then(|| unicode.into_owned())
}

fn ascii_domain(domain: &str) -> Option<String> {
    let (deny, length) = (AsciiDenyList::URL, DnsLength::Ignore);
    let ascii = Uts46::new().to_ascii(domain.as_bytes(), deny, Hyphens::Allow, length);
    ascii.ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_row_of_before_is_found_in_each_way_that_a_client_may_have_written_it() {
        let email = Email::parse("nfd\u{e9}@b\u{fc}cher.de").expect("an email");
        let forms = email.stored_as();
        for stored in [
            "nfd\u{e9}@b\u{fc}cher.de",
            "nfde\u{301}@b\u{fc}cher.de",
            "nfd\u{e9}@bu\u{308}cher.de",
            "nfde\u{301}@bu\u{308}cher.de",
            "nfd\u{e9}@xn--bcher-kva.de",
            "nfde\u{301}@xn--bcher-kva.de",
        ] {
            assert!(forms.iter().any(|form| form == stored), "{stored}");
        }
    }

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
            // Folded, though not to as many letters.
            ("q\u{3a3}@y.org", "q\u{3c3}@y.org"),
            ("q\u{3c2}@y.org", "q\u{3c3}@y.org"),
            ("\u{17f}\u{b5}@y.org", "s\u{3bc}@y.org"),
            ("\u{1e9b}@y.org", "\u{1e61}@y.org"),
            ("a\u{345}@y.org", "a\u{3b9}@y.org"),
            ("\u{1f88}@y.org", "\u{1f00}\u{3b9}@y.org"),
            ("STRA\u{1e9e}E@y.org", "stra\u{df}e@y.org"),
            ("\u{130}@y.org", "i\u{307}@y.org"),
            // The dot of the root, but no other.
            ("a@x.org.", "a@x.org"),
            ("a@x.org\u{3002}", "a@x.org"),
            ("a@XN--bcher-kva.de.", "a@b\u{fc}cher.de"),
            ("a@x..", "a@x.."),
            ("a@.", "a@."),
            // Two domains.
            ("a@\u{3c3}\u{3c2}.gr", "a@\u{3c3}\u{3c2}.gr"),
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

    #[test]
    fn what_a_letter_folds_to_stays() {
        for letter in '\u{80}'..=char::MAX {
            let form = folded(letter.encode_utf8(&mut [0; 4]));
            if !form.chars().eq([letter]) {
                assert_eq!(folded(&form), form, "{letter}");
                let beside_marks = folded(&format!("\u{3b1}{letter}\u{301}"));
                assert_eq!(folded(&beside_marks), beside_marks, "{letter}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_spelling_folds_to_the_form_and_what_was_stored_of_it_is_looked_for(
            typed in "[a-zA-Z\u{17f}\u{345}\u{391}-\u{3a1}\u{3a3}-\u{3c9}\u{b5}\u{1f80}-\u{1faf}]{1,4}@x\\.org"
        ) {
            let email = Email::parse(&typed).expect("an email");
            for other in [typed.to_uppercase(), typed.to_lowercase(), folded(&typed)] {
                let other = Email::parse(&other).expect("an email");
                // What has no capital of one letter is folded by itself.
                if other.canonical != email.canonical {
                    continue;
                }
                for stored in [canonical_before(other.typed()), other.in_lower_case] {
                    let composed: String = stored.nfc().collect();
                    prop_assert!(email.stored_as().contains(&composed), "{typed} {stored}");
                }
            }
        }

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
