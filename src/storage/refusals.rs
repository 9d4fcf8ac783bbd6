//! Refusals as they are stored: a dialect's alone, a caller's with what it was decided on.

use serde::{Deserialize, Serialize};

use super::error::Unreadable;
use crate::ledger::{Rejection, Sight};

/// A caller's refusal. A dialect's is the rejection alone, as it was before there were callers.
#[derive(Serialize, Deserialize)]
struct Refusal {
    rejection: Rejection,
    #[serde(flatten)]
    sight: Sight,
}

pub(super) fn serialised(rejection: &Rejection, sight: Option<&Sight>) -> String {
    let text = match sight {
        None => serde_json::to_string(rejection),
        Some(sight) => serde_json::to_string(&Refusal {
            rejection: rejection.clone(),
            sight: sight.clone(),
        }),
    };
    text.expect("a refusal is made of words and numbers")
}

/// # Errors
/// If the column holds what this program does not know.
pub(super) fn parse(text: &str) -> Result<(Rejection, Option<Box<Sight>>), Unreadable> {
    if let Ok(rejection) = serde_json::from_str(text) {
        return Ok((rejection, None));
    }
    let refusal: Refusal = serde_json::from_str(text)
        .map_err(|error| Unreadable(format!("the refusal {text}: {error}")))?;
    Ok((refusal.rejection, Some(Box::new(refusal.sight))))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::ledger::{AccountId, Native, Part, Seen, Version};

    #[test]
    fn what_is_stored_of_a_callers_refusal_never_changes() {
        let sight = Sight {
            request_id: "r".to_owned(),
            part: Some(Part::Posting(3)),
            account: Some(Seen {
                account: AccountId(7),
                version: Version(2),
                balance: "1.00".to_owned(),
                available: "0.50".to_owned(),
            }),
            at: DateTime::UNIX_EPOCH,
        };
        let rejection = Rejection::Native(Native::HoldNotFound);
        let text = serialised(&rejection, Some(&sight));
        assert_eq!(
            text,
            r#"{"rejection":{"native":"hold_not_found"},"request_id":"r","part":{"posting":3},"account":{"account":7,"version":2,"balance":"1.00","available":"0.50"},"at":"1970-01-01T00:00:00Z"}"#
        );
        assert_eq!(parse(&text), Ok((rejection, Some(Box::new(sight)))));
        let text = serialised(&Rejection::EmailTaken, None);
        assert_eq!(parse(&text), Ok((Rejection::EmailTaken, None)));
        assert!(parse(r#"{"rejection":"unheard_of"}"#).is_err());
    }
}
