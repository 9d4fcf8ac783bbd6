//! Rows of entries and of holds, as the ledger's values.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::columns;
use super::error::Unreadable;
use super::transactions::Said;
use crate::ledger::{
    AccountId, Amount, Change, DetailsDigest, Entry, EntryKind, Hold, HoldAfter, HoldId, HoldKind,
    Magnitude, Metadata, Salt, Sealed, State, Status, TransactionId, Version,
};

/// The columns of an [`EntryRow`], of a row `entry` beside a row `transaction`.
macro_rules! entry_columns {
    () => {
        "entry.account_id, entry.version, entry.transaction_id, entry.amount, entry.balance, entry.counterparty_id,
            entry.created_at, entry.seal, entry.kind::text as entry_kind, entry.posting, entry.hold_id,
            entry.hold_remaining, entry.hold_expires_at, entry.held, entry.floor, entry.status::text as entry_status,
            entry.details_digest, entry.effective_at, transaction.note"
    };
}

/// The columns of a [`HoldRow`], of a row `hold` beside the row `currencies` of its account.
macro_rules! hold_columns {
    () => {
        "hold.id as hold_id, hold.account_id, hold.amount, hold.captured, hold.status::text as hold_status, hold.expires_at,
            hold.version as hold_version, hold.created_at, currencies.code as currency, currencies.scale"
    };
}

pub(super) use {entry_columns, hold_columns};

#[derive(FromRow)]
pub(super) struct EntryRow {
    account_id: i64,
    version: i64,
    transaction_id: Uuid,
    amount: Decimal,
    balance: Decimal,
    counterparty_id: Option<i64>,
    created_at: DateTime<Utc>,
    seal: Vec<u8>,
    entry_kind: Option<String>,
    posting: Option<i16>,
    hold_id: Option<Uuid>,
    hold_remaining: Option<Decimal>,
    hold_expires_at: Option<DateTime<Utc>>,
    held: Option<Decimal>,
    floor: Option<Decimal>,
    entry_status: Option<String>,
    details_digest: Option<Vec<u8>>,
    effective_at: Option<DateTime<Utc>>,
    note: Option<Vec<u8>>,
}

#[derive(FromRow)]
pub(super) struct HoldRow {
    hold_id: Uuid,
    account_id: i64,
    amount: Decimal,
    captured: Decimal,
    hold_status: String,
    expires_at: DateTime<Utc>,
    hold_version: i64,
    created_at: DateTime<Utc>,
    currency: String,
    scale: i16,
}

impl EntryRow {
    /// # Errors
    /// If a column holds what an entry of its kind cannot.
    pub(super) fn into_sealed(self, scale: u8) -> Result<Sealed, Unreadable> {
        let optional = |value: Option<Decimal>| {
            value.map_or(Ok(Amount::ZERO), |value| columns::amount(value, scale))
        };
        let status = self.entry_status.as_deref();
        let after = State {
            balance: columns::amount(self.balance, scale)?,
            held: optional(self.held)?,
            floor: optional(self.floor)?,
            status: status.map_or(Ok(Status::Open), columns::parse_status)?,
            details: digest(self.details_digest.as_deref())?,
        };
        let kind = self.entry_kind.as_deref();
        let kind = kind.map_or(Ok(EntryKind::Money), parse_kind)?;
        let hold = self
            .hold_id
            .zip(self.hold_remaining)
            .zip(self.hold_expires_at);
        let hold = hold.map(|((id, remaining), expires_at)| {
            Ok(HoldAfter {
                id: HoldId(id),
                remaining: magnitude(remaining, scale)?,
                expires_at,
            })
        });
        let parts = Parts {
            amount: columns::amount(self.amount, scale)?,
            counterparty: self.counterparty_id.map(AccountId),
            hold: hold.transpose()?,
        };
        let entry = Entry {
            account: AccountId(self.account_id),
            version: Version(self.version),
            transaction: TransactionId(self.transaction_id),
            created_at: self.created_at,
            posting: u8::try_from(self.posting.unwrap_or_default())
                .map_err(|_| Unreadable("the place of a posting".to_owned()))?,
            change: change(kind, &parts, &after)?,
            after,
            note: digest(self.note.as_deref())?,
            effective_at: self.effective_at,
        };
        let seal = columns::seal(&self.seal)?;
        Ok(Sealed { entry, seal })
    }
}

/// What was said of a transaction; all null if nothing was.
#[derive(FromRow)]
pub(super) struct SaidRow {
    reference: Option<String>,
    metadata: Option<Json<Metadata>>,
    erased_at: Option<DateTime<Utc>>,
}

impl SaidRow {
    pub(super) fn into_said(self) -> Said {
        let metadata = self.metadata.map(|metadata| metadata.0);
        Said {
            reference: self.reference,
            metadata: metadata.or_else(|| self.erased_at.is_none().then(Metadata::default)),
            erased_at: self.erased_at,
        }
    }
}

/// What an entry says of its change beside its kind.
pub(super) struct Parts {
    pub(super) amount: Amount,
    pub(super) counterparty: Option<AccountId>,
    pub(super) hold: Option<HoldAfter>,
}

/// The change of an entry.
///
/// # Errors
/// If it is about a hold, and does not say which.
pub(super) fn change(kind: EntryKind, parts: &Parts, after: &State) -> Result<Change, Unreadable> {
    let Parts {
        amount,
        counterparty,
        hold,
    } = *parts;
    let of_hold = |kind| {
        let hold = hold.ok_or_else(|| Unreadable("an entry of no hold".to_owned()))?;
        Ok(Change::Hold { kind, hold })
    };
    Ok(match kind {
        EntryKind::Money => Change::Money {
            amount,
            counterparty,
        },
        EntryKind::HoldCaptured => Change::Capture {
            amount,
            counterparty,
            hold: hold.ok_or_else(|| Unreadable("a capture of no hold".to_owned()))?,
        },
        EntryKind::HoldPlaced => of_hold(HoldKind::Placed)?,
        EntryKind::HoldChanged => of_hold(HoldKind::Changed)?,
        EntryKind::HoldVoided => of_hold(HoldKind::Voided)?,
        EntryKind::HoldExpired => of_hold(HoldKind::Expired)?,
        EntryKind::Frozen => Change::Status(Status::Frozen),
        EntryKind::Unfrozen => Change::Status(Status::Open),
        EntryKind::Closed => Change::Status(Status::Closed),
        EntryKind::Limit => Change::Limit(after.floor),
        EntryKind::Details => Change::Details {
            floor: after.floor,
            details: after.details,
        },
    })
}

/// # Errors
/// If the column holds no kind of entry.
pub(super) fn parse_kind(kind: &str) -> Result<EntryKind, Unreadable> {
    EntryKind::parse(kind).ok_or_else(|| Unreadable(format!("the entry kind {kind}")))
}

impl HoldRow {
    /// # Errors
    /// If a column holds what no hold can have.
    pub(super) fn into_hold(self) -> Result<Hold, Unreadable> {
        let currency = columns::currency(&self.currency, self.scale)?;
        let scale = currency.scale;
        Ok(Hold {
            currency,
            id: HoldId(self.hold_id),
            account: AccountId(self.account_id),
            amount: magnitude(self.amount, scale)?,
            captured: magnitude(self.captured, scale)?,
            status: columns::parse_hold_status(&self.hold_status)?,
            expires_at: self.expires_at,
            version: Version(self.hold_version),
            created_at: self.created_at,
        })
    }
}

/// # Errors
/// If the column does not hold the 32 bytes of a digest.
pub(super) fn digest(bytes: Option<&[u8]>) -> Result<Option<DetailsDigest>, Unreadable> {
    let digest = bytes.map(|bytes| {
        let digest = bytes.try_into();
        digest.map(DetailsDigest)
    });
    digest
        .transpose()
        .map_err(|_| Unreadable("a digest of another length".to_owned()))
}

/// # Errors
/// If the column does not hold the 16 bytes of a salt.
pub(super) fn salt(bytes: &[u8]) -> Result<Salt, Unreadable> {
    let salt = bytes.try_into().map(Salt);
    salt.map_err(|_| Unreadable("a salt of another length".to_owned()))
}

/// # Errors
/// If the column holds what no amount of the currency can be, or less than nothing.
pub(super) fn magnitude(value: Decimal, scale: u8) -> Result<Magnitude, Unreadable> {
    Magnitude::new(columns::amount(value, scale)?)
        .ok_or_else(|| Unreadable(format!("{value} is less than nothing")))
}
