//! Holds as they are stored, and as entries of before left them.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::super::{Connection, StorageError, columns};
use crate::ledger::{AccountId, Amount, Currency, Hold, HoldId, HoldStatus, Magnitude, Version};

/// A hold as it is stored.
#[derive(Clone, Debug)]
pub struct StoredHold {
    pub id: HoldId,
    pub account: AccountId,
    pub amount: String,
    pub captured: String,
    /// None where it is none that this program knows.
    pub status: Option<HoldStatus>,
    pub expires_at: DateTime<Utc>,
    pub version: Version,
    pub created_at: DateTime<Utc>,
    /// Of the account as it is now; none where there is none.
    pub account_version: Option<Version>,
}

/// A hold, and whether an entry of its account placed it.
#[derive(Clone, Copy, Debug)]
pub struct PlacedHold {
    pub id: HoldId,
    pub is_placed: bool,
}

/// What is asked of a hold: how it stood when its account had a version.
#[derive(Clone, Copy, Debug)]
pub struct HoldAt {
    pub id: HoldId,
    pub account: AccountId,
    pub version: Version,
    pub currency: Currency,
}

/// Those of the holds that are there.
pub async fn list_holds(
    connection: &mut Connection,
    ids: &[HoldId],
) -> Result<Vec<StoredHold>, StorageError> {
    const SQL: &str = "
        select hold.id, hold.account_id, hold.amount::text as amount, hold.captured::text as captured,
            hold.status::text as status, hold.expires_at, hold.version, hold.created_at,
            account.version as account_version
        from unnest($1::uuid[]) as asked (id)
        cross join lateral (select * from holds where holds.id = asked.id limit 1) as hold
        left join lateral (select version from accounts where accounts.id = hold.account_id limit 1) as account on true";
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<Row> = sqlx::query_as(SQL).bind(ids).fetch_all(connection).await?;
    Ok(rows.into_iter().map(Row::into_hold).collect())
}

/// How holds stood at a version of their accounts, as their entries until then say; without those that had none or hold what
/// cannot be.
pub async fn list_holds_at(
    connection: &mut Connection,
    asked: &[HoldAt],
) -> Result<Vec<Hold>, StorageError> {
    const SQL: &str = "
        select asked.position, sum.captured::text as captured, sum.created_at, sum.version,
            last.hold_remaining::text as remaining, last.hold_expires_at as expires_at
        from unnest($1::uuid[], $2::bigint[], $3::bigint[]) with ordinality
            as asked (id, account_id, version, position)
        cross join lateral (
            select sum(-amount) as captured, min(created_at) as created_at, max(version) as version from entries
            where entries.hold_id = asked.id and entries.account_id = asked.account_id
                and entries.version <= asked.version
        ) as sum
        cross join lateral (
            select hold_remaining, hold_expires_at from entries
            where entries.account_id = asked.account_id and entries.version = sum.version limit 1
        ) as last";
    let rows: Vec<AtRow> = sqlx::query_as(SQL)
        .bind(asked.iter().map(|hold| hold.id.0).collect::<Vec<_>>())
        .bind(asked.iter().map(|hold| hold.account.0).collect::<Vec<_>>())
        .bind(asked.iter().map(|hold| hold.version.0).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    let holds = rows.into_iter().filter_map(|row| {
        // Positions count from one.
        let place = usize::try_from(row.position).ok()?.checked_sub(1)?;
        row.into_hold(asked.get(place)?)
    });
    Ok(holds.collect())
}

/// The next holds after one, by id.
pub async fn list_placed(
    connection: &mut Connection,
    after: HoldId,
    limit: i64,
) -> Result<Vec<PlacedHold>, StorageError> {
    const SQL: &str = "
        select page.id, placed.is_there is not null as is_placed
        from (select id, account_id from holds where id > $1 order by id limit $2) as page
        left join lateral (
            select true as is_there from entries
            where entries.hold_id = page.id and entries.account_id = page.account_id and kind = 'hold_placed' limit 1
        ) as placed on true
        order by page.id";
    let rows: Vec<(Uuid, bool)> = sqlx::query_as(SQL)
        .bind(after.0)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(id, is_placed)| PlacedHold {
            id: HoldId(id),
            is_placed,
        })
        .collect())
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    account_id: i64,
    amount: String,
    captured: String,
    status: String,
    expires_at: DateTime<Utc>,
    version: i64,
    created_at: DateTime<Utc>,
    account_version: Option<i64>,
}

#[derive(FromRow)]
struct AtRow {
    position: i64,
    captured: String,
    created_at: DateTime<Utc>,
    version: i64,
    remaining: Option<String>,
    expires_at: Option<DateTime<Utc>>,
}

impl Row {
    fn into_hold(self) -> StoredHold {
        StoredHold {
            id: HoldId(self.id),
            account: AccountId(self.account_id),
            amount: self.amount,
            captured: self.captured,
            status: columns::parse_hold_status(&self.status).ok(),
            expires_at: self.expires_at,
            version: Version(self.version),
            created_at: self.created_at,
            account_version: self.account_version.map(Version),
        }
    }
}

impl AtRow {
    /// What remains and what was captured say what its amount is. One of which nothing remains is over, however that came.
    fn into_hold(self, asked: &HoldAt) -> Option<Hold> {
        let magnitude = |text: &str| {
            let amount = Amount::parse_plain(text, asked.currency.scale).ok()?;
            Magnitude::new(amount)
        };
        let captured = magnitude(&self.captured)?;
        let remaining = magnitude(self.remaining.as_deref()?)?;
        let status = if remaining.is_zero() {
            HoldStatus::Captured
        } else {
            HoldStatus::Active
        };
        Some(Hold {
            id: asked.id,
            account: asked.account,
            currency: asked.currency,
            amount: captured.checked_add(remaining)?,
            captured,
            status,
            expires_at: self.expires_at?,
            version: Version(self.version),
            created_at: self.created_at,
        })
    }
}
