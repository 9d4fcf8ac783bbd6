//! Accounts, transactions and holds as they are shown.

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

use super::values::time_text;
use crate::ledger::{AccountId, Amount, Currency, Posted, Receipt, Standing, State, TransactionId};
use crate::service::native::{AccountView, Reach, Said};

#[derive(Serialize)]
pub(super) struct Account {
    id: String,
    external_id: Option<String>,
    owner: Option<String>,
    currency: String,
    balance: String,
    held: String,
    available: String,
    overdraft_limit: String,
    version: i64,
    status: &'static str,
    metadata: Option<BTreeMap<String, String>>,
    opened_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    erased_at: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Transaction {
    id: Uuid,
    kind: &'static str,
    postings: Vec<Posting>,
    reference: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    effective_at: String,
    reverses: Option<Uuid>,
    reversed_by: Option<Uuid>,
    created_at: String,
    accounts: Vec<Touched>,
    #[serde(skip_serializing_if = "Option::is_none")]
    erased_at: Option<String>,
    /// The hold that was captured, in the answer to a capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<Hold>,
}

#[derive(Serialize)]
struct Posting {
    from: String,
    to: String,
    amount: String,
    currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<Uuid>,
}

#[derive(Serialize)]
struct Touched {
    id: String,
    version: i64,
    balance: String,
    held: String,
    available: String,
}

#[derive(Serialize)]
pub(super) struct Hold {
    id: Uuid,
    account: String,
    currency: String,
    amount: String,
    captured: String,
    remaining: String,
    status: &'static str,
    reference: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    expires_at: String,
    version: i64,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    erased_at: Option<String>,
}

impl Account {
    pub(super) fn of(view: AccountView) -> Self {
        let head = view.head;
        let state = State::in_words(&head.state, head.currency);
        Self {
            id: head.id.to_number(),
            external_id: view.external_id,
            owner: head.owner.map(|owner| owner.to_string()),
            currency: head.currency.code.to_string(),
            balance: state.balance,
            held: state.held,
            available: state.available,
            overdraft_limit: text(head.state.floor.negated(), head.currency),
            version: head.version.0,
            status: head.state.status.name(),
            metadata: view.metadata.map(|metadata| metadata.0),
            opened_at: time_text(head.opened_at),
            updated_at: time_text(head.last_entry_at),
            erased_at: view.erased_at.map(time_text),
        }
    }
}

impl Transaction {
    /// As it is shown to who may see some of its accounts.
    pub(super) fn of(
        receipt: &Receipt,
        said: Said,
        reversed_by: Option<TransactionId>,
        reach: &Reach,
    ) -> Self {
        let touched = receipt.standings.iter();
        let touched = touched.filter(|standing| reach.sees(standing.owner));
        let more = receipt.more.as_deref();
        let postings = more
            .map(|more| more.postings.as_slice())
            .unwrap_or_default();
        let effective_at = more.and_then(|more| more.effective_at);
        Self {
            id: receipt.transaction.0,
            kind: receipt.kind.name(),
            postings: postings.iter().map(Posting::of).collect(),
            reference: said.reference,
            metadata: said.metadata.map(|metadata| metadata.0),
            effective_at: time_text(effective_at.unwrap_or(receipt.created_at)),
            reverses: more
                .and_then(|more| more.reverses)
                .map(|reversed| reversed.0),
            reversed_by: reversed_by.map(|reversal| reversal.0),
            created_at: time_text(receipt.created_at),
            accounts: touched.map(Touched::of).collect(),
            erased_at: said.erased_at.map(time_text),
            hold: None,
        }
    }

    pub(super) fn with_hold(self, hold: Hold) -> Self {
        Self {
            hold: Some(hold),
            ..self
        }
    }
}

impl Posting {
    fn of(posted: &Posted) -> Self {
        Self {
            from: party(posted.from),
            to: party(posted.to),
            amount: text(posted.amount.amount(), posted.currency),
            currency: posted.currency.code.to_string(),
            hold: posted.hold.map(|hold| hold.0),
        }
    }
}

impl Touched {
    fn of(standing: &Standing) -> Self {
        let state = State::in_words(&standing.state, standing.currency);
        Self {
            id: standing.account.to_number(),
            version: standing.version.0,
            balance: state.balance,
            held: state.held,
            available: state.available,
        }
    }
}

impl Hold {
    pub(super) fn of(hold: &crate::ledger::Hold, said: Said) -> Self {
        let amount = |amount: crate::ledger::Magnitude| text(amount.amount(), hold.currency);
        Self {
            id: hold.id.0,
            account: hold.account.to_number(),
            currency: hold.currency.code.to_string(),
            amount: amount(hold.amount),
            captured: amount(hold.captured),
            remaining: amount(hold.remaining()),
            status: hold.status.name(),
            reference: said.reference,
            metadata: said.metadata.map(|metadata| metadata.0),
            expires_at: time_text(hold.expires_at),
            version: hold.version.0,
            created_at: time_text(hold.created_at),
            erased_at: said.erased_at.map(time_text),
        }
    }
}

/// The amounts of a state, with all decimals.
struct Words {
    balance: String,
    held: String,
    available: String,
}

trait InWords {
    fn in_words(&self, currency: Currency) -> Words;
}

impl InWords for State {
    fn in_words(&self, currency: Currency) -> Words {
        Words {
            balance: text(self.balance, currency),
            held: text(self.held, currency),
            available: text(self.available(), currency),
        }
    }
}

fn text(amount: Amount, currency: Currency) -> String {
    amount.to_text(currency.scale)
}

fn party(account: Option<AccountId>) -> String {
    account.map_or_else(|| "world".to_owned(), AccountId::to_number)
}
