//! Texts that callers choose: names and email addresses.

use thiserror::Error;

/// The longest name of a user, in characters.
pub(super) const NAME_MAX: usize = 255;
/// The longest email, in characters (RFC 5321, section 4.5.3.1.3).
pub(super) const EMAIL_MAX: usize = 254;

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum TextError {
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
pub(super) fn check(text: &str, length_max: usize) -> Result<(), TextError> {
    if text.trim().is_empty() || length_max < text.chars().count() {
        return Err(TextError::Length(length_max));
    }
    if text.contains('\0') {
        return Err(TextError::Nul);
    }
    Ok(())
}

/// An email in lower case. Not more than a shape: who owns the address is for a letter to find out.
///
/// # Errors
/// Where it cannot be one.
pub(super) fn parse_email(text: &str) -> Result<String, TextError> {
    check(text, EMAIL_MAX)?;
    let well_formed = text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !text.contains(char::is_whitespace)
    });
    let lower = text.to_lowercase();
    if well_formed && lower.chars().count() <= EMAIL_MAX {
        Ok(lower)
    } else {
        Err(TextError::NotEmail)
    }
}
