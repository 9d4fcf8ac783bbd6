//! Texts that callers choose: names and email addresses.

use thiserror::Error;

use crate::ledger::Email;

/// The longest name of a user, in characters.
pub(in crate::http) const NAME_MAX: usize = 255;

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(in crate::http) enum TextError {
    #[error("must have 1 to {0} characters")]
    Length(usize),
    #[error("must not contain a NUL character")]
    Nul,
    #[error("must be an email address")]
    NotEmail,
}

/// A text that PostgreSQL can hold: not blank, without NUL, and not too long.
///
/// # Errors
/// Where it is not.
pub(in crate::http) fn check(text: &str, length_max: usize) -> Result<(), TextError> {
    if text.trim().is_empty() || length_max < text.chars().count() {
        return Err(TextError::Length(length_max));
    }
    if text.contains('\0') {
        return Err(TextError::Nul);
    }
    Ok(())
}

/// # Errors
/// Where it cannot be an email.
pub(in crate::http) fn parse_email(text: &str) -> Result<Email, TextError> {
    check(text, Email::LENGTH_MAX)?;
    Email::parse(text).ok_or(TextError::NotEmail)
}
