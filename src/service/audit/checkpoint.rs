//! How far an audit has come, so that the next one can begin there.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;
use uuid::Uuid;

use super::seen::Seen;
use super::seen_text::SeenText;
use super::text::{parse_bytes, parse_time, write_time};
use crate::engine::FINAL_AFTER;
use crate::ledger::{AccountId, Seal, Version};
use crate::storage::audit::{self, Reach};
use crate::storage::{Connection, StorageError};

/// The format of the text, for those that come later. The first had nothing of what was seen.
const FORMAT: u32 = 2;
const FORMATS: std::ops::RangeInclusive<u32> = 1..=FORMAT;

/// How far an audit goes back behind the beginning of the one before: a command is numbered when it enters, and may be committed
/// until [`FINAL_AFTER`]. The rest is for commits that wait for a standby or the disk, which nothing bounds.
const OVERLAP: Duration = Duration::from_secs(72);
const _: () = assert!(FINAL_AFTER.as_secs() < OVERLAP.as_secs());
/// How much earlier than its time a command may have entered, by its id: what waits is dated when it is planned, and never before the
/// entry or the book before it, which another service may have dated ahead.
pub(super) const ENTERED_BEFORE_MAX: Duration = Duration::from_secs(30);
const _: () = assert!(FINAL_AFTER.as_secs() < ENTERED_BEFORE_MAX.as_secs());
/// How far the clock of a database may be set back, such as by the change to a standby.
const SET_BACK_MAX: Duration = Duration::from_mins(1);

/// What an audit that found nothing leaves to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    database: String,
    /// When the audit began, by the clock of the database.
    taken_at: DateTime<Utc>,
    anchor: Option<Anchor>,
    /// What the last full run saw.
    pub(super) seen: Option<Seen>,
}

/// An entry that was found right. Its seal stands for all entries of its account before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Anchor {
    pub(super) account: AccountId,
    pub(super) version: Version,
    pub(super) seal: Seal,
    pub(super) created_at: DateTime<Utc>,
}

/// Why an audit cannot go on from a checkpoint.
#[derive(Debug, Error)]
pub enum Unfit {
    #[error("it is not a checkpoint ({0})")]
    Unreadable(String),
    #[error("it is the checkpoint of another database")]
    OtherDatabase,
    #[error("it was taken at {0}, which by the database's clock is still to come")]
    Early(String),
    #[error(
        "entry {} of account {account}, which the audit then saw, is no longer there as it was sealed: an older or another \
         history is in its place", version.0
    )]
    OtherHistory {
        account: AccountId,
        version: Version,
    },
}

/// As it is written down.
#[derive(Deserialize)]
struct Text {
    format: u32,
    database: String,
    taken_at: String,
    anchor: Option<AnchorText>,
    seen: Option<SeenText>,
}

#[derive(Deserialize)]
struct AnchorText {
    account: i64,
    version: i64,
    seal: String,
    created_at: String,
}

/// The time before which nothing is written any more at a time of the database's clock.
pub(super) fn settled(now: DateTime<Utc>) -> DateTime<Utc> {
    now - OVERLAP
}

impl Checkpoint {
    pub(super) fn new(reach: Reach, anchor: Option<Anchor>, seen: Option<Seen>) -> Self {
        Self {
            database: reach.database,
            taken_at: reach.now,
            anchor,
            seen,
        }
    }

    /// What [`Checkpoint::to_text`] wrote.
    ///
    /// # Errors
    /// If it is something else.
    pub fn parse(text: &str) -> Result<Self, Unfit> {
        let unreadable = |reason: String| Unfit::Unreadable(reason);
        let text: Text =
            serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))?;
        if !FORMATS.contains(&text.format) {
            return Err(unreadable(format!("format {}", text.format)));
        }
        let taken_at = parse_time(&text.taken_at).map_err(Unfit::Unreadable)?;
        let anchor = text.anchor.map(AnchorText::into_anchor).transpose()?;
        let seen = text.seen.map(SeenText::into_seen).transpose();
        let seen = seen.map_err(Unfit::Unreadable)?;
        Ok(Self {
            database: text.database,
            taken_at,
            anchor,
            seen,
        })
    }

    /// One line of JSON.
    #[must_use]
    pub fn to_text(&self) -> String {
        let anchor = self.anchor.map(|anchor| {
            json!({
                "account": anchor.account.0,
                "version": anchor.version.0,
                "seal": anchor.seal.to_string(),
                "created_at": write_time(anchor.created_at),
            })
        });
        let text = json!({
            "format": FORMAT,
            "database": self.database,
            "taken_at": write_time(self.taken_at),
            "anchor": anchor,
            "seen": self.seen.as_ref().map(SeenText::of),
        });
        format!("{text}\n")
    }

    pub(super) fn anchor(&self) -> Option<Anchor> {
        self.anchor
    }

    /// The time from which on anything may have been written that the audit did not see.
    pub(super) fn since(&self) -> DateTime<Utc> {
        settled(self.taken_at)
    }

    /// Whether the database is the one that the checkpoint was taken of, with the same history.
    pub(super) async fn check(
        &self,
        connection: &mut Connection,
        reach: &Reach,
    ) -> Result<Result<(), Unfit>, StorageError> {
        if self.database != reach.database {
            return Ok(Err(Unfit::OtherDatabase));
        }
        if reach.now + SET_BACK_MAX < self.taken_at {
            return Ok(Err(Unfit::Early(write_time(self.taken_at))));
        }
        let Some(anchor) = self.anchor else {
            return Ok(Ok(()));
        };
        let Anchor {
            account, version, ..
        } = anchor;
        let seal = audit::find_seal(connection, account, version).await?;
        if seal != Some(anchor.seal) {
            return Ok(Err(Unfit::OtherHistory { account, version }));
        }
        Ok(Ok(()))
    }
}

/// Where the transactions begin that may be dated later than that.
pub(super) fn first_to_read(since: DateTime<Utc>) -> Uuid {
    first_transaction(since - ENTERED_BEFORE_MAX)
}

/// The smallest id that a transaction of that time or later can have: a `UUIDv7` begins with milliseconds since 1970.
fn first_transaction(since: DateTime<Utc>) -> Uuid {
    let milliseconds = u128::try_from(since.timestamp_millis()).unwrap_or_default();
    Uuid::from_u128(milliseconds << 80)
}

impl AnchorText {
    fn into_anchor(self) -> Result<Anchor, Unfit> {
        let seal = parse_bytes(&self.seal)
            .ok_or_else(|| Unfit::Unreadable("a seal is 64 hexadecimal digits".to_owned()))?;
        Ok(Anchor {
            account: AccountId(self.account),
            version: Version(self.version),
            seal: Seal(seal),
            created_at: parse_time(&self.created_at).map_err(Unfit::Unreadable)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::seen::Past;
    use super::*;

    #[test]
    fn a_checkpoint_is_read_as_it_was_written() {
        let time = DateTime::from_timestamp_micros(1_795_000_000_123_456).expect("a time");
        let anchor = Anchor {
            account: AccountId(7),
            version: Version(3),
            seal: Seal([0xA5; 32]),
            created_at: time,
        };
        let reach = Reach {
            database: "1/2".to_owned(),
            now: time,
            last_account: 1_000_000,
            first_transaction: first_transaction(time),
            sealed_books_since: time,
        };
        let mut seen = Seen::begin(&reach, time, [0x5A; 32]);
        seen.add_transaction(Uuid::nil(), time - SET_BACK_MAX, b"any");
        seen.add_account(&Past {
            account: AccountId(77),
            opened_at: time - SET_BACK_MAX,
            version: Version(2),
            seal: None,
            name: None,
        });
        for (anchor, seen) in [(Some(anchor), None), (None, Some(seen))] {
            let checkpoint = Checkpoint::new(reach.clone(), anchor, seen);
            let read = Checkpoint::parse(&checkpoint.to_text()).expect("a checkpoint");
            assert_eq!(read, checkpoint);
        }
    }

    #[test]
    fn a_checkpoint_of_before_anything_was_remembered_is_read() {
        let text =
            r#"{"format":1,"database":"1/2","taken_at":"2026-11-21T00:00:00Z","anchor":null}"#;
        let read = Checkpoint::parse(text).expect("a checkpoint");
        assert_eq!((read.anchor, read.seen), (None, None));
    }

    #[test]
    fn what_is_no_checkpoint_is_refused() {
        let seal = "zz".repeat(32);
        let anchored = format!(
            r#"{{"format":1,"database":"1/2","taken_at":"2026-11-21T00:00:00Z",
                "anchor":{{"account":1,"version":2,"seal":"{seal}","created_at":"2026-11-21T00:00:00Z"}}}}"#
        );
        for text in [
            "",
            "{}",
            r#"{"format":3,"database":"1/2","taken_at":"2026-11-21T00:00:00Z","anchor":null}"#,
            r#"{"format":2,"database":"1/2","taken_at":"2026-11-21T00:00:00Z","anchor":null,"seen":{"moment":"2026-11-21T00:00:00Z",
                "key":"00","accounts":{"width":0,"sums":{}},"transactions":{"width":1,"sums":{}},"currencies":{}}}"#,
            r#"{"format":1,"database":"1/2","taken_at":"yesterday","anchor":null}"#,
            &anchored,
            &anchored.replace(&seal, "00"),
        ] {
            assert!(Checkpoint::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn transactions_of_a_millisecond_follow_its_first_id() {
        let time = DateTime::from_timestamp_millis(0x0123_4567_89ab).expect("a time");
        let first = first_transaction(time).to_string();
        assert_eq!(first, "01234567-89ab-0000-0000-000000000000");
    }
}
