//! Entries as they are stored, by account and version.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::super::rows::{self, Parts};
use super::super::{Connection, StorageError, columns};
use super::bytes::Bytes;
use super::details::StoredText;
use super::heads::StoredHead;
use super::state::StoredState;
use crate::ledger::{
    AccountId, Amount, Currency, Entry, EntryKind, HoldAfter, HoldId, Magnitude, Seal, State,
    TransactionId, Version,
};

/// An entry as it is stored.
#[derive(Clone, Debug)]
pub struct StoredEntry {
    pub account: AccountId,
    pub version: Version,
    pub transaction: TransactionId,
    pub seal: Option<Seal>,
    pub created_at: DateTime<Utc>,
    /// Whether its transaction is there, and was not refused.
    pub has_transaction: bool,
    counterparty: Option<AccountId>,
    amount: String,
    balance: String,
    /// None if it cannot be read.
    more: Option<StoredChange>,
}

/// What a plain entry says nothing of.
#[derive(Clone, Debug, Default, Deserialize)]
struct StoredChange {
    kind: Option<String>,
    posting: Option<i16>,
    hold_id: Option<Uuid>,
    hold_remaining: Option<String>,
    hold_expires_at: Option<DateTime<Utc>>,
    #[serde(flatten)]
    state: StoredState,
    note: Option<Bytes>,
    effective_at: Option<DateTime<Utc>>,
    /// What is said of the account from here on, if it is about that.
    text: Option<StoredText>,
}

/// Entries of a journal, by account and version: all after the one position, up to and including the other.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub after: (AccountId, Version),
    pub last: (AccountId, Version),
}

/// The entry of an account that an audit goes on from. `None` stands for a value that cannot be.
#[derive(Clone, Copy, Debug)]
pub struct StoredStart {
    pub version: Version,
    pub transaction: TransactionId,
    pub state: Option<State>,
    pub seal: Option<Seal>,
    pub created_at: DateTime<Utc>,
}

/// The last entry before a time of each of the accounts, in their order; none where there is none.
pub async fn list_starts(
    connection: &mut Connection,
    heads: &[StoredHead],
    before: DateTime<Utc>,
) -> Result<Vec<Option<StoredStart>>, StorageError> {
    // Backwards along the primary key: over the entries that are to be read anyway, to the first that is not.
    const SQL: &str = "
        select asked.position, start.version, start.transaction_id, start.balance::text as balance, start.held::text as held,
            start.floor::text as floor, start.status::text as status, start.details_digest, start.seal, start.created_at
        from unnest($1::bigint[]) with ordinality as asked (account_id, position)
        cross join lateral (
            select * from entries
            where entries.account_id = asked.account_id and entries.created_at < $2
            order by entries.version desc
            limit 1
        ) as start
        order by asked.position";
    let ids: Vec<i64> = heads.iter().map(|head| head.id.0).collect();
    let rows: Vec<StartRow> = sqlx::query_as(SQL)
        .bind(ids)
        .bind(before)
        .fetch_all(connection)
        .await?;
    let mut rows = rows.into_iter().peekable();
    // Positions count from one.
    let starts = heads.iter().zip(1..).map(|(head, position)| {
        let row = rows.next_if(|row| row.position == position)?;
        Some(row.into_start(head.currency))
    });
    Ok(starts.collect())
}

/// The entries of the spans, by account and version; of each span not more than a limit.
pub async fn list_entries(
    connection: &mut Connection,
    spans: &[Span],
    limit: i64,
) -> Result<Vec<StoredEntry>, StorageError> {
    // The laterals, each with its limit, hold the order of the look-ups whatever the statistics say of the tables. What most
    // entries have nothing of is one column, as 28 more columns made the audit a third slower.
    const SQL: &str = "
        select entry.account_id, entry.version, entry.counterparty_id, entry.created_at, entry.transaction_id,
            entry.amount::text as amount, entry.balance::text as balance, entry.seal,
            coalesce(transaction.is_accepted, false) as has_transaction,
            case when num_nonnulls(entry.kind, entry.posting, entry.hold_id, entry.hold_remaining, entry.hold_expires_at,
                entry.held, entry.floor, entry.status, entry.details_digest, entry.effective_at, transaction.note) > 0
            then json_build_object(
                'kind', entry.kind, 'posting', entry.posting, 'hold_id', entry.hold_id,
                'hold_remaining', entry.hold_remaining::text, 'hold_expires_at', entry.hold_expires_at,
                'held', entry.held::text, 'floor', entry.floor::text, 'status', entry.status,
                'details_digest', entry.details_digest, 'note', transaction.note, 'effective_at', entry.effective_at,
                'text', (
                    select json_build_object('metadata', metadata::text, 'salt', salt, 'is_erased', erased_at is not null)
                    from account_details
                    where entry.kind = 'details' and account_details.account_id = entry.account_id
                        and account_details.version = entry.version
                    limit 1
                )
            )::text end as more
        from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
            as span (after_account, after_version, last_account, last_version)
        cross join lateral (
            select * from entries
            where (account_id, version) > (span.after_account, span.after_version)
                and (account_id, version) <= (span.last_account, span.last_version)
            order by account_id, version
            limit $5
        ) as entry
        left join lateral (
            select refusal is null as is_accepted, details_digest as note
            from transactions where transactions.id = entry.transaction_id limit 1
        ) as transaction on true
        order by entry.account_id, entry.version";
    let column = |of: fn(&Span) -> i64| spans.iter().map(of).collect::<Vec<i64>>();
    let rows: Vec<EntryRow> = sqlx::query_as(SQL)
        .bind(column(|span| span.after.0.0))
        .bind(column(|span| span.after.1.0))
        .bind(column(|span| span.last.0.0))
        .bind(column(|span| span.last.1.0))
        .bind(limit)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(EntryRow::into_entry).collect())
}

#[derive(FromRow)]
struct EntryRow {
    account_id: i64,
    version: i64,
    counterparty_id: Option<i64>,
    created_at: DateTime<Utc>,
    transaction_id: Uuid,
    amount: String,
    seal: Vec<u8>,
    balance: String,
    has_transaction: bool,
    more: Option<String>,
}

#[derive(FromRow)]
struct StartRow {
    position: i64,
    version: i64,
    transaction_id: Uuid,
    balance: String,
    #[sqlx(flatten)]
    state: StoredState,
    seal: Vec<u8>,
    created_at: DateTime<Utc>,
}

impl Span {
    /// How many entries it can hold at most.
    #[must_use]
    pub fn size_max(&self) -> i64 {
        let (from, to) = (self.after, self.last);
        if from.0 == to.0 {
            to.1.0.saturating_sub(from.1.0)
        } else {
            i64::MAX
        }
    }
}

impl StoredEntry {
    /// None where it is none that this program knows.
    #[must_use]
    pub fn kind(&self) -> Option<EntryKind> {
        let kind = self.more.as_ref()?.kind.as_deref();
        kind.map_or(Some(EntryKind::Money), EntryKind::parse)
    }

    /// The hold that it is about.
    #[must_use]
    pub fn hold(&self) -> Option<HoldId> {
        self.more.as_ref()?.hold_id.map(HoldId)
    }

    /// What is said of the account from here on, if it is about that.
    #[must_use]
    pub fn text(&self) -> Option<&StoredText> {
        self.more.as_ref()?.text.as_ref()
    }

    /// What its seal covers.
    ///
    /// # Errors
    /// Why it cannot be an entry.
    pub fn entry(&self, currency: Currency) -> Result<Entry, &'static str> {
        const NO_AMOUNT: &str = "holds what is no amount of the currency";
        const UNKNOWN: &str = "is of a kind or a status that this program does not know";
        let amount = |text: &str| Amount::parse_plain(text, currency.scale).map_err(|_| NO_AMOUNT);
        let more = self.more.as_ref().ok_or(UNKNOWN)?;
        let parts = Parts {
            amount: amount(&self.amount)?,
            counterparty: self.counterparty,
            hold: more.hold(currency),
        };
        let after = more.state.state(&self.balance, currency).ok_or(NO_AMOUNT)?;
        let change = rows::change(self.kind().ok_or(UNKNOWN)?, &parts, &after);
        let change = change.map_err(|_| "says nothing of the hold that its kind is about")?;
        let note = more.note.as_ref().map(|note| note.0.as_slice());
        let entry = Entry {
            account: self.account,
            version: self.version,
            transaction: self.transaction,
            created_at: self.created_at,
            posting: u8::try_from(more.posting.unwrap_or_default()).map_err(|_| UNKNOWN)?,
            change,
            after,
            note: rows::digest(note).map_err(|_| UNKNOWN)?,
            effective_at: more.effective_at,
        };
        let says_all = change.amount() == parts.amount
            && change.counterparty() == parts.counterparty
            && change.hold().map(|hold| hold.id) == self.hold();
        if says_all && more.is_in_form(&entry) {
            Ok(entry)
        } else {
            Err("has the columns of another kind of entry")
        }
    }
}

impl StoredChange {
    fn hold(&self, currency: Currency) -> Option<HoldAfter> {
        let remaining = Amount::parse_plain(self.hold_remaining.as_deref()?, currency.scale);
        Some(HoldAfter {
            id: HoldId(self.hold_id?),
            remaining: Magnitude::new(remaining.ok()?)?,
            expires_at: self.hold_expires_at?,
        })
    }

    /// Whether it says all that an entry of its form says, and no more.
    fn is_in_form(&self, entry: &Entry) -> bool {
        let is_plain = self.kind.is_none();
        let said = [self.posting.is_some(), self.state.is_whole()];
        entry.is_plain() == is_plain && said == [!is_plain; 2] && self.state.is_plain() == is_plain
    }
}

impl EntryRow {
    fn into_entry(self) -> StoredEntry {
        StoredEntry {
            account: AccountId(self.account_id),
            version: Version(self.version),
            transaction: TransactionId(self.transaction_id),
            seal: columns::seal(&self.seal).ok(),
            created_at: self.created_at,
            has_transaction: self.has_transaction,
            counterparty: self.counterparty_id.map(AccountId),
            amount: self.amount,
            balance: self.balance,
            more: match self.more {
                None => Some(StoredChange::default()),
                Some(json) => serde_json::from_str(&json).ok(),
            },
        }
    }
}

impl StartRow {
    fn into_start(self, currency: Currency) -> StoredStart {
        StoredStart {
            version: Version(self.version),
            transaction: TransactionId(self.transaction_id),
            state: self.state.state(&self.balance, currency),
            seal: columns::seal(&self.seal).ok(),
            created_at: self.created_at,
        }
    }
}

#[cfg(test)]
impl StoredEntry {
    /// An entry as the lanes write it.
    #[must_use]
    pub fn of(sealed: &crate::ledger::Sealed, currency: Currency) -> Self {
        let entry = &sealed.entry;
        let text = |amount: Amount| amount.to_text(currency.scale);
        let is_whole = !entry.is_plain();
        let hold = entry.change.hold();
        let more = StoredChange {
            kind: is_whole.then(|| entry.change.kind().name().to_owned()),
            posting: is_whole.then(|| i16::from(entry.posting)),
            hold_id: hold.map(|hold| hold.id.0),
            hold_remaining: hold.map(|hold| text(hold.remaining.amount())),
            hold_expires_at: hold.map(|hold| hold.expires_at),
            state: StoredState::of(&entry.after, currency, is_whole),
            note: entry.note.map(|digest| Bytes(digest.0.to_vec())),
            effective_at: entry.effective_at,
            text: None,
        };
        Self {
            account: entry.account,
            version: entry.version,
            transaction: entry.transaction,
            seal: Some(sealed.seal),
            created_at: entry.created_at,
            has_transaction: true,
            counterparty: entry.change.counterparty(),
            amount: text(entry.change.amount()),
            balance: text(entry.after.balance),
            more: Some(more),
        }
    }

    /// With what is said of its account, or nothing.
    #[must_use]
    pub fn with(mut self, text: Option<StoredText>) -> Self {
        if let Some(more) = &mut self.more {
            more.text = text;
        }
        self
    }
}
