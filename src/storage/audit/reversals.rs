//! What transactions moved, for those that turn one round.

use std::collections::HashMap;

use sqlx::FromRow;
use uuid::Uuid;

use super::super::{Connection, StorageError};
use crate::ledger::AccountId;

/// A transaction that was reversed, or that reverses one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moves {
    pub is_accepted: bool,
    /// In the order of its postings.
    pub moves: Vec<Move>,
}

/// A posting. None stands for the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    pub from: Option<AccountId>,
    pub to: Option<AccountId>,
    /// Without the zeros at its end, so that equal amounts are equal texts.
    pub amount: String,
}

/// What transactions moved; those that are not there are left out.
pub async fn list_moves(
    connection: &mut Connection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Moves>, StorageError> {
    // The side that gives stands for its posting, or the only one.
    const SQL: &str = "
        select asked.id, transaction.is_accepted, entry.account_id, entry.counterparty_id, entry.amount < 0 as gives,
            trim_scale(abs(entry.amount))::text as amount
        from (select distinct unnest($1::uuid[])) as asked (id)
        cross join lateral (
            select refusal is null as is_accepted from transactions where transactions.id = asked.id limit 1
        ) as transaction
        left join lateral (
            select * from entries
            where entries.transaction_id = asked.id and amount <> 0 and (amount < 0 or counterparty_id is null)
        ) as entry on true
        order by asked.id, coalesce(entry.posting, 0), entry.version";
    let rows: Vec<Row> = sqlx::query_as(SQL).bind(ids).fetch_all(connection).await?;
    let mut found: HashMap<Uuid, Moves> = HashMap::new();
    for row in rows {
        let moves = found.entry(row.id).or_insert_with(|| Moves {
            is_accepted: row.is_accepted,
            moves: Vec::new(),
        });
        moves.moves.extend(row.into_move());
    }
    Ok(found)
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    is_accepted: bool,
    account_id: Option<i64>,
    counterparty_id: Option<i64>,
    gives: Option<bool>,
    amount: Option<String>,
}

impl Row {
    fn into_move(self) -> Option<Move> {
        let account = AccountId(self.account_id?);
        let other = self.counterparty_id.map(AccountId);
        let (from, to) = if self.gives? {
            (Some(account), other)
        } else {
            (other, Some(account))
        };
        let amount = self.amount?;
        Some(Move { from, to, amount })
    }
}

impl Move {
    /// The same the other way.
    #[must_use]
    pub fn turned(&self) -> Self {
        Self {
            from: self.to,
            to: self.from,
            amount: self.amount.clone(),
        }
    }
}
