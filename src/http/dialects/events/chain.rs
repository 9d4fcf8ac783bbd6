//! `GET /chain`: the history of an account as the blocks of its hash chain.

use std::iter;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Problem, account, account_id};
use crate::http::access::Identity;
use crate::http::request::fields::Fields;
use crate::http::request::number::Number;
use crate::ledger::{Amount, Head, Kind, Seal, Sealed, Version};
use crate::service::{Chain, JournalEntry, Service};

/// What the genesis follows on.
const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// What the outside world is called.
const WORLD: &str = "0";
#[derive(Serialize, ToSchema)]
#[schema(as = events::Chain)]
pub(super) struct Shown {
    blocks: Vec<Block>,
    /// What `after` is for the next page.
    next: Option<i64>,
    valid: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = events::Block)]
struct Block {
    timestamp: String,
    last_hash: String,
    hash: String,
    data: BlockData,
}

#[derive(Serialize, ToSchema)]
#[schema(as = events::BlockData)]
struct BlockData {
    origin: String,
    destination: String,
    amount: Number,
    signature: &'static str,
}

pub(super) async fn show(
    service: Data<Service>,
    identity: Identity,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let fields = Fields::parse(request.query_string())?;
    let id = account_id(&fields)?;
    let limit = fields.limit()?;
    let after = match fields.get("after")?.map(str::parse) {
        None => Version(0),
        Some(Ok(after)) if 0 <= after => Version(after),
        Some(Ok(_) | Err(_)) => {
            return Err(Problem::Invalid("after must be a whole number".to_owned()));
        }
    };
    // An account that has a name belongs to nobody.
    if !identity.sees(None) {
        return Err(Problem::AccountNotFound);
    }
    let chain = service.list_chain(account(&id)?, after, limit).await?;
    let chain = chain.ok_or(Problem::AccountNotFound)?;
    Ok(HttpResponse::Ok().json(Shown::new(&id, &chain)))
}

impl Shown {
    fn new(id: &str, chain: &Chain) -> Self {
        let head = &chain.page.head;
        let genesis = chain.genesis.map(|seal| Block::genesis(id, head, seal));
        let entries = &chain.page.entries;
        let seals = entries.iter().map(|entry| entry.sealed.seal);
        let before = iter::once(chain.seal_before).chain(seals);
        let entries = entries.iter().zip(before);
        let entries = entries.map(|(entry, before)| Block::new(id, head, entry, before));
        Self {
            blocks: genesis.into_iter().chain(entries).collect(),
            next: chain.page.next.map(|version| version.0),
            valid: chain.is_valid,
        }
    }
}

impl Block {
    fn genesis(id: &str, head: &Head, seal: Seal) -> Self {
        Self {
            timestamp: timestamp(head.opened_at),
            last_hash: NO_HASH.to_owned(),
            hash: seal.to_string(),
            data: BlockData {
                origin: WORLD.to_owned(),
                destination: id.to_owned(),
                amount: Number::shortest(Amount::ZERO, head.currency),
                signature: "genesis",
            },
        }
    }

    fn new(id: &str, head: &Head, entry: &JournalEntry, before: Seal) -> Self {
        let Sealed { entry: made, seal } = entry.sealed;
        let amount = made.change.amount();
        let other = match (&entry.counterparty_name, made.change.counterparty()) {
            (Some(name), _) => name.clone(),
            // An account of another book: it has a number.
            (None, Some(account)) => account.to_number(),
            (None, None) => WORLD.to_owned(),
        };
        let (origin, destination) = if amount.is_negative() {
            (id.to_owned(), other)
        } else {
            (other, id.to_owned())
        };
        Self {
            timestamp: timestamp(made.created_at),
            last_hash: before.to_string(),
            hash: seal.to_string(),
            data: BlockData {
                origin,
                destination,
                amount: Number::shortest(amount.magnitude().amount(), head.currency),
                signature: signature(entry.kind),
            },
        }
    }
}

fn signature(kind: Kind) -> &'static str {
    match kind {
        // An opening leaves an entry where there is an opening balance.
        Kind::Deposit | Kind::Opening => "deposit",
        Kind::Withdrawal => "withdraw",
        Kind::Transfer => "transfer",
        Kind::Transaction => "transaction",
        // These move no money.
        _ => "none",
    }
}

/// With the microseconds that the seal covers.
fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_genesis_follows_on_nothing() {
        assert_eq!(Seal([0; 32]).to_string(), NO_HASH);
        assert_eq!(Version::OPENING, Version(1));
    }
}
