//! Edits of what callers of the native interface leave: holds, states, details, postings, reversals.

mod states;
mod transactions;

use std::collections::BTreeMap;

use passbook::ledger::{
    AccountDetails, AccountRef, Action, Amendment, Amount, BookName, Caller, Capture,
    DetailsChange, ExternalId, Figure, HoldChange, HoldId, Key, Magnitude, Metadata, NewHold, Note,
    OpenAccount, OpenUser, Party, Posting, Receipt, Rejection, Salt, Status, TransactionId,
};
use passbook::service::native::{Asked, Principal};

use super::{Ledger, hold_in};
use crate::support::Bank;

/// Everybody in the main book, and how often they have asked.
pub(crate) struct Client<'b> {
    bank: &'b Bank,
    caller: Caller,
    asked: u32,
}

fn minor(minor: i128) -> Magnitude {
    Amount::from_minor(minor).expect("an amount").magnitude()
}

impl<'b> Client<'b> {
    pub(crate) async fn of(bank: &'b Bank) -> Self {
        let who = bank.app.service().who(Principal::Anyone, BookName::MAIN);
        let who = who.await.expect("an answer").expect("the main book");
        let caller = Caller {
            id: who.id,
            book: who.book,
            person: None,
            request_id: "request".to_owned(),
        };
        Self {
            bank,
            caller,
            asked: 0,
        }
    }

    async fn ask(&mut self, action: Action, note: Option<Note>) -> Result<Receipt, Rejection> {
        self.asked += 1;
        let key = Key {
            text: format!("native-{}", self.asked),
            digest: [7; 32],
            said: None,
        };
        let asked = Asked {
            caller: self.caller.clone(),
            key: Some(key),
            target: None,
            conditions: Vec::new(),
            action,
            note,
            is_dry: false,
        };
        let answered = self.bank.app.service().ask(asked).await;
        answered.expect("an answer").outcome
    }

    pub(crate) async fn does(&mut self, action: Action) -> Receipt {
        self.ask(action, None).await.expect("it is accepted")
    }

    async fn opens(&mut self, external_id: &str, limit: i128, details: bool) -> AccountRef {
        let currency = self.bank.app.service().default_currency();
        let opened = self.does(Action::OpenAccount(OpenAccount {
            external_id: ExternalId::parse(external_id),
            overdraft_limit: minor(limit),
            details: details.then(|| AccountDetails {
                metadata: metadata(),
                salt: Salt([7; 16]),
            }),
            ..OpenAccount::plain(None, currency, Magnitude::ZERO)
        }));
        let receipt = opened.await;
        AccountRef::Id(receipt.standings.first().expect("an account").account)
    }

    async fn holds(&mut self, account: &AccountRef, amount: i128) -> HoldId {
        let receipt = self.does(Action::PlaceHold(NewHold {
            account: account.clone(),
            amount: minor(amount),
            currency: self.bank.app.service().default_currency(),
            expires_at: None,
        }));
        let TransactionId(id) = receipt.await.transaction;
        HoldId(id)
    }

    async fn sets(&mut self, account: &AccountRef, status: Status) {
        let amendment = Amendment::Status(status);
        self.does(Action::Amend(account.clone(), amendment)).await;
    }

    fn posting(&self, from: Party, to: Party, amount: i128) -> Posting {
        Posting::new(
            from,
            to,
            minor(amount),
            self.bank.app.service().default_currency(),
        )
    }
}

fn metadata() -> Metadata {
    Metadata([("tier".to_owned(), "gold".to_owned())].into())
}

const NAMES: [(&str, &str); 16] = [
    (
        "RICH",
        "select account_id::text from external_ids where external_id = 'rich'",
    ),
    (
        "POOR",
        "select account_id::text from external_ids where external_id = 'poor'",
    ),
    (
        "COLD",
        "select account_id::text from external_ids where external_id = 'cold'",
    ),
    (
        "SHUT",
        "select account_id::text from external_ids where external_id = 'shut'",
    ),
    ("ALICE", "select id::text from users where name = 'Alice'"),
    ("SHOP", "select id::text from books where name = 'shop'"),
    (
        "NOTED",
        "select id::text from transactions where kind = 'deposit'",
    ),
    (
        "MANY",
        "select id::text from transactions where kind = 'transaction' and reverses is null",
    ),
    (
        "BACK",
        "select id::text from transactions where reverses is not null",
    ),
    (
        "TAKEN",
        "select transaction_id::text from entries where kind = 'hold_captured'",
    ),
    ("LEFT", "select id::text from holds where status = 'active'"),
    ("OVER", "select id::text from holds where status = 'voided'"),
    (
        "USER",
        "select id::text from transactions where kind = 'user_opened'",
    ),
    (
        "BOOK",
        "select id::text from transactions where kind = 'book_opened'",
    ),
    (
        "REFUSED",
        "select id::text from transactions where refusal is not null",
    ),
    (
        "EMPTY",
        "select id::text from transactions where kind = 'empty'",
    ),
];

#[expect(clippy::too_many_lines, reason = "a story is told from end to end")]
async fn keep() -> Ledger {
    let bank = Bank::open().await;
    let mut client = Client::of(&bank).await;
    let rich = client.opens("rich", 500, true).await;
    let poor = client.opens("poor", 0, false).await;
    let cold = client.opens("cold", 0, false).await;
    let shut = client.opens("shut", 0, false).await;
    let account = |account: &AccountRef| Party::Account(account.clone());
    let deposit = client.posting(Party::World, account(&rich), 10_000);
    let note = Note {
        reference: Some("salary".to_owned()),
        metadata: metadata(),
        salt: Salt([8; 16]),
    };
    let noted = client.ask(Action::post(deposit), Some(note)).await;
    noted.expect("it is accepted");
    let many = vec![
        client.posting(account(&rich), account(&poor), 1_000),
        client.posting(account(&poor), Party::World, 300),
        client.posting(account(&rich), account(&poor), 1_000),
    ];
    let many = client.does(Action::Post(many)).await.transaction;
    client.does(Action::Reverse(many)).await;
    let left = client.holds(&rich, 2_000).await;
    let over = client.holds(&rich, 1_000).await;
    client.does(Action::VoidHold(over)).await;
    let raised = HoldChange {
        amount: Some(Figure::parse("25").expect("a figure")),
        expires_at: None,
    };
    client.does(Action::ChangeHold(left, raised)).await;
    let capture = Capture {
        hold: left,
        is_final: false,
        may_exceed: false,
    };
    let taken = client.posting(Party::Hold(capture), account(&poor), 500);
    client.does(Action::post(taken)).await;
    for (account, status) in [
        (&poor, Status::Frozen),
        (&poor, Status::Open),
        (&poor, Status::Open),
        (&cold, Status::Frozen),
        (&shut, Status::Closed),
    ] {
        client.sets(account, status).await;
    }
    let limit = Amendment::Details(DetailsChange {
        overdraft_limit: Some(Figure::parse("7").expect("a figure")),
        metadata: None,
        salt: Salt([9; 16]),
    });
    client.does(Action::Amend(rich.clone(), limit)).await;
    let alice = OpenUser {
        name: Some("Alice".to_owned()),
        email: None,
        password_hash: None,
        session: None,
        account: None,
    };
    client.does(Action::OpenUser(alice)).await;
    let shop = BookName::parse("shop").expect("a name");
    client.does(Action::OpenBook(shop)).await;
    let too_much = client.posting(account(&poor), Party::World, 1_000_000);
    let refused = client.ask(Action::post(too_much), None).await;
    refused.expect_err("there is not enough");
    let mut names = BTreeMap::new();
    for (name, sql) in NAMES {
        let rows: Vec<(String,)> = bank.rows(sql).await;
        assert_eq!(rows.len(), 1, "{name}: {rows:?}");
        names.insert(name, rows[0].0.clone());
    }
    let url = bank.stop().await;
    Ledger { url, names }
}

#[tokio::test]
async fn edits_of_states_and_holds_are_found_and_named() {
    let ledger = keep().await;
    hold_in(&ledger, &states::OF_STATES).await;
    ledger.drop().await;
}

#[tokio::test]
async fn edits_of_entries_with_a_state_are_found_and_named() {
    let ledger = keep().await;
    hold_in(&ledger, &states::OF_ENTRIES).await;
    ledger.drop().await;
}

#[tokio::test]
async fn edits_of_what_callers_asked_for_are_found_and_named() {
    let ledger = keep().await;
    hold_in(&ledger, &transactions::EDITS).await;
    ledger.drop().await;
}
