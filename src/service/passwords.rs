//! Passwords: hashed with argon2id, off the threads that serve, a few at a time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use unicode_normalization::UnicodeNormalization as _;

use crate::ledger::{Fault, PasswordHash};

/// How many are hashed at once. Each takes a core and 19 MiB for some 40 ms.
const AT_ONCE: usize = 2;
/// How long a password waits for its turn.
const WAIT_MAX: Duration = Duration::from_secs(4);
/// What a password is checked against where there is none, so that it takes as long: nothing hashes to it.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ib2Q$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password in the form that is hashed: with ASCII spaces, its letters composed (`OpaqueString` of RFC 8265, section 4.2). So it is
/// the same from a keyboard that composes letters and from one that does not.
#[derive(Clone)]
pub struct Password {
    form: String,
    /// As it was typed, if that is another text: hashes from before are of that.
    typed: Option<String>,
}

pub(super) struct Passwords {
    turns: Arc<Semaphore>,
}

impl Password {
    /// The shortest and the longest password, in characters.
    pub const LENGTH: std::ops::RangeInclusive<usize> = 8..=128;

    /// A new password: a capital letter, a small one, and a digit are among its characters. `None` where it breaks the rules.
    #[must_use]
    pub fn choose(text: &str) -> Option<Self> {
        let password = Self::of(text);
        let form = &password.form;
        let keeps_rules = Self::LENGTH.contains(&form.chars().count())
            && form.chars().any(char::is_uppercase)
            && form.chars().any(char::is_lowercase)
            && form.chars().any(|letter| letter.is_ascii_digit())
            && !form.contains('\0');
        keeps_rules.then_some(password)
    }

    /// A password to be checked; `None` where nobody can have it: it is longer than any, or has a NUL in it.
    #[must_use]
    pub fn recall(text: &str) -> Option<Self> {
        let password = Self::of(text);
        let is_possible = password
            .forms()
            .any(|form| form.chars().count() <= *Self::LENGTH.end() && !form.contains('\0'));
        is_possible.then_some(password)
    }

    /// Characters that RFC 8265 would refuse were always taken, so they are.
    fn of(text: &str) -> Self {
        let spaced = text.chars().map(|letter| match letter {
            '\u{a0}'
            | '\u{1680}'
            | '\u{2000}'..='\u{200a}'
            | '\u{202f}'
            | '\u{205f}'
            | '\u{3000}' => ' ',
            letter => letter,
        });
        let form: String = spaced.nfc().collect();
        let typed = (form != text).then(|| text.to_owned());
        Self { form, typed }
    }

    /// What its hash may be of.
    fn forms(&self) -> impl Iterator<Item = &str> {
        [Some(self.form.as_str()), self.typed.as_deref()]
            .into_iter()
            .flatten()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password")
    }
}

impl Passwords {
    pub(super) fn new() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    pub(super) async fn hash(&self, password: Password) -> Result<PasswordHash, Fault> {
        let hashed = self.run(move || {
            let hash: Result<phc::PasswordHash, _> =
                Argon2::default().hash_password(password.form.as_bytes());
            hash.map(|hash| hash.to_string())
        });
        hashed.await?.map(PasswordHash).map_err(|error| {
            tracing::error!(%error, "a password cannot be hashed");
            Fault::Bug
        })
    }

    /// Whether it is the password that was hashed; never where nothing was, and a wrong one takes as long to say.
    pub(super) async fn verify(
        &self,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<bool, Fault> {
        self.run(move || {
            let text = hash.as_ref().map_or(NOBODY, |hash| &hash.0);
            let parsed = phc::PasswordHash::new(text);
            let is_right = parsed.is_ok_and(|parsed| {
                let argon2 = Argon2::default();
                let mut forms = password.forms();
                forms.any(|form| argon2.verify_password(form.as_bytes(), &parsed).is_ok())
            });
            is_right && hash.is_some()
        })
        .await
    }

    /// Runs it on a thread where it may take its time. Nothing is applied where there is no turn to be had.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let turn = timeout(WAIT_MAX, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(Fault::Overloaded);
        };
        let done = spawn_blocking(move || {
            let result = work();
            // Held until the work is done, also where nobody waits for it any more.
            drop(turn);
            result
        });
        done.await.map_err(|error| {
            tracing::error!(%error, "a thread for passwords failed");
            Fault::Bug
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_keeps_the_rules() {
        let longest = format!("aA1{}", "x".repeat(125));
        for text in ["Secret12", "ÄÄÄääää1", longest.as_str()] {
            assert!(Password::choose(text).is_some(), "{text}");
        }
        let too_long = format!("{longest}x");
        for text in [
            "",
            "Secret1",
            "secret12",
            "SECRET12",
            "Secretxx",
            "Secret12\0",
            too_long.as_str(),
        ] {
            assert!(Password::choose(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_rules_are_about_the_form_that_is_hashed() {
        let of_64 = format!("A\u{30a}b1{}", "e\u{301}".repeat(61));
        let password = Password::choose(&of_64).expect("a password of 64 letters");
        assert_eq!(password.form.chars().count(), 64);
        // Eight characters as typed, and seven letters.
        assert!(Password::choose("A\u{30a}bcdef1").is_none());
        let of_129 = format!("{}1", "e\u{301}".repeat(128));
        assert!(Password::recall(&of_129).is_none());
        assert!(Password::recall(of_129.trim_end_matches('1')).is_some());
    }

    #[test]
    fn spaces_are_one_and_letters_composed() {
        for (typed, form) in [
            ("a\u{a0}b\u{3000}c", "a b c"),
            ("re\u{301}\u{1f511}", "r\u{e9}\u{1f511}"),
            // Compatibility characters, case and controls stay.
            ("\u{fb01}\u{ff21}aA\t", "\u{fb01}\u{ff21}aA\t"),
        ] {
            assert_eq!(Password::of(typed).form, form, "{typed}");
        }
    }

    #[tokio::test]
    async fn a_hash_from_before_is_of_what_was_typed() {
        let passwords = Passwords::new();
        let [composed, decomposed] = ["R\u{e9}ne\u{a0}1952", "Re\u{301}ne\u{a0}1952"];
        let password = |text| Password::recall(text).expect("a password");
        let hash = passwords.hash(password(decomposed)).await.expect("a hash");
        let before: phc::PasswordHash = Argon2::default()
            .hash_password(decomposed.as_bytes())
            .expect("a hash");
        let before = PasswordHash(before.to_string());
        for (typed, hash, is_right) in [
            (composed, &hash, true),
            (decomposed, &hash, true),
            ("Rene 1952", &hash, false),
            (decomposed, &before, true),
            (composed, &before, false),
        ] {
            let verified = passwords.verify(password(typed), Some(hash.clone())).await;
            assert_eq!(verified, Ok(is_right), "{typed}");
        }
        assert_eq!(
            passwords.verify(password(decomposed), None).await,
            Ok(false)
        );
    }

    #[tokio::test]
    async fn a_password_is_hashed_with_a_salt_of_its_own_and_recognised() {
        let passwords = Passwords::new();
        let secret = || Password::choose("Secret12").expect("a password");
        let hash = passwords.hash(secret()).await.expect("a hash");
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_ne!(hash, passwords.hash(secret()).await.expect("a hash"));
        let other = Password::choose("Secret13").expect("a password");
        assert_eq!(
            passwords.verify(secret(), Some(hash.clone())).await,
            Ok(true)
        );
        assert_eq!(passwords.verify(other, Some(hash)).await, Ok(false));
        assert_eq!(passwords.verify(secret(), None).await, Ok(false));
    }

    #[test]
    fn what_nobody_is_checked_against_costs_as_much() {
        let nobody = phc::PasswordHash::new(NOBODY).expect("a hash");
        let real: phc::PasswordHash = Argon2::default()
            .hash_password(b"Secret12")
            .expect("a hash");
        assert_eq!(nobody.params, real.params);
        assert_eq!(
            nobody.hash.map(|hash| hash.len()),
            real.hash.map(|hash| hash.len())
        );
    }
}
