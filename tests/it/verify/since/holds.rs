//! Holds that began before a checkpoint, and of which something became after it.

use chrono::{DateTime, Duration, Utc};
use passbook::ledger::{
    AccountId, Action, Amount, BookId, Change, Currency, CurrencyCode, EntryKind, Figure, Head,
    Hold, HoldAfter, HoldChange, HoldId, HoldKind, Magnitude, Sealed, Stamp, Status, Step,
    TransactionId,
};
use uuid::Uuid;

use super::{Books, counts};
use crate::verify::edits::native::Client;

const HOLDER: i64 = 9_004;

/// An account of long ago: 100.00 in, then two holds of 20.00, the second of which was captured by 3.00.
struct Past {
    head: Head,
    sql: String,
}

fn amount(minor: i128) -> Amount {
    Amount::from_minor(minor).expect("an amount")
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

impl Past {
    fn make() -> (String, [HoldId; 2]) {
        let code = CurrencyCode::parse("USD").expect("a code");
        let (currency, opened_at) = (Currency { code, scale: 2 }, time("2026-01-01T00:00:00Z"));
        let head = Head::open(AccountId(HOLDER), BookId(1), None, currency, opened_at);
        let sql = format!(
            "insert into transactions (id, kind, scope_kind, scope_id, created_at, account_id, account_version)
             values ('01940000-0000-7000-8000-{HOLDER:012}', 'opening', 'book', 1, '{opened_at}', {HOLDER}, 1);"
        );
        let mut past = Self { head, sql };
        past.step("deposit", amount(0), |_| Change::Money {
            amount: amount(10_000),
            counterparty: None,
        });
        let [first, second] = [2_000, 2_000].map(|minor| past.place(minor));
        past.step("withdrawal", amount(-300), |_| Change::Capture {
            amount: amount(-300),
            counterparty: None,
            hold: after(second, 1_700),
        });
        (
            past.written(&[(first, 0, 3), (second, 300, 5)]),
            [first, second],
        )
    }

    fn place(&mut self, minor: i128) -> HoldId {
        let id = self.step("hold_placed", amount(minor), |id| Change::Hold {
            kind: HoldKind::Placed,
            hold: after(HoldId(id), minor),
        });
        HoldId(id)
    }

    fn step(&mut self, kind: &str, held: Amount, make: impl FnOnce(Uuid) -> Change) -> Uuid {
        let created_at = self.head.last_entry_at + Duration::minutes(1);
        let milliseconds = u128::try_from(created_at.timestamp_millis()).expect("after 1970");
        let id = Uuid::from_u128(milliseconds << 80 | 0x7000_8000 << 48 | 0x2000);
        let stamp = Stamp {
            transaction: TransactionId(id),
            created_at,
            note: None,
            effective_at: None,
        };
        let step = Step {
            change: make(id),
            held,
            posting: 0,
        };
        let (after, sealed) = self.head.next(step, &stamp).expect("it is possible");
        self.head = after;
        self.sql += &format!(
            "insert into transactions (id, kind, scope_kind, scope_id, created_at)
             values ('{id}', '{kind}', 'caller', 1, '{created_at}');"
        );
        self.sql += &entry(&sealed);
        id
    }

    /// With the head and the holds, of each what was captured and its version.
    fn written(self, holds: &[(HoldId, i128, i64)]) -> String {
        let (head, state) = (&self.head, self.head.state);
        let mut sql = self.sql;
        for (HoldId(id), captured, version) in holds {
            let captured = amount(*captured).to_text(2);
            sql += &format!(
                "insert into holds select hold_id, account_id, 20, {captured}, 'active', hold_expires_at, {version}, created_at
                 from entries where hold_id = '{id}' and kind = 'hold_placed';"
            );
        }
        sql + &format!(
            "insert into accounts (id, book_id, currency, version, opened_at, last_entry_at, balance, seal, held,
                active_holds, due_at, state_version)
             values ({HOLDER}, 1, 'USD', {version}, '{}', '{}', {}, '\\x{}', {}, 2, '{}', {version})",
            head.opened_at,
            head.last_entry_at,
            state.balance.to_text(2),
            head.seal,
            state.held.to_text(2),
            expiry(),
            version = head.version.0,
        )
    }
}

/// After any run of this test.
fn expiry() -> DateTime<Utc> {
    time("2126-01-01T00:00:00Z")
}

fn after(id: HoldId, remaining: i128) -> HoldAfter {
    HoldAfter {
        id,
        remaining: amount(remaining).magnitude(),
        expires_at: expiry(),
    }
}

fn entry(sealed: &Sealed) -> String {
    let entry = &sealed.entry;
    let (change, state) = (entry.change, entry.after);
    let text = |amount: Amount| amount.to_text(2);
    let money = format!(
        "{}, {}, null, '{}', '{}', {}, {}, '\\x{}'",
        entry.account,
        entry.version.0,
        entry.created_at,
        entry.transaction,
        text(change.amount()),
        text(state.balance),
        sealed.seal,
    );
    let Some(hold) = change.hold() else {
        assert!(entry.is_plain() && change.kind() == EntryKind::Money);
        return format!("insert into entries values ({money});");
    };
    assert_eq!(state.status, Status::Open);
    format!(
        "insert into entries values ({money}, '{}', 0, '{}', {}, '{}', {}, {}, 'open');",
        change.kind().name(),
        hold.id.0,
        text(Magnitude::amount(hold.remaining)),
        hold.expires_at,
        text(state.held),
        text(state.floor),
    )
}

#[tokio::test]
async fn what_became_of_a_hold_of_before_is_followed_from_its_entries_of_before() {
    let books = Books::keep().await;
    let (past, [first, second]) = Past::make();
    books.bank.plant(&past).await;
    let (ended, report) = books.verify_since();
    assert_eq!(ended.code, Some(0), "{ended:?} {report}");

    let mut client = Client::of(&books.bank).await;
    client.does(Action::VoidHold(first)).await;
    let lowered = HoldChange {
        amount: Some(Figure::parse("12").expect("a figure")),
        expires_at: Some(Utc::now() + Hold::LIFETIME),
    };
    client.does(Action::ChangeHold(second, lowered)).await;
    let (ended, report) = books.verify_since();
    assert_eq!(ended.code, Some(0), "{ended:?} {report}");
    assert_eq!(counts(&report)[..2], [1, 2], "{report}");

    let (HoldId(first), HoldId(second)) = (first, second);
    for (edit, remedy, expected) in [
        (
            format!("update holds set status = 'expired' where id = '{first}'"),
            format!("update holds set status = 'voided' where id = '{first}'"),
            format!("WRONG hold {first}: says another status than its entries: voided"),
        ),
        (
            format!("update holds set captured = 4 where id = '{second}'"),
            format!("update holds set captured = 3 where id = '{second}'"),
            format!("WRONG hold {second}: says captured 4, its entries make it 3.00"),
        ),
        (
            format!("update holds set amount = 13 where id = '{second}'"),
            format!("update holds set amount = 12 where id = '{second}'"),
            format!("WRONG hold {second}: says amount 13, its entries make it 12.00"),
        ),
        (
            format!(
                "update entries set hold_remaining = 16 where hold_id = '{second}' and version = 5"
            ),
            format!(
                "update entries set hold_remaining = 17 where hold_id = '{second}' and version = 5"
            ),
            format!(
                "WRONG account {HOLDER}, entry 7: says another sum than what remains of the active holds"
            ),
        ),
    ] {
        books.tamper(&edit).await;
        let told = passbook(&books);
        assert!(told.contains(&expected), "{edit}: {expected} not in {told}");
        books.tamper(&remedy).await;
        let (ended, report) = books.verify_since();
        assert_eq!(ended.code, Some(0), "{ended:?} {report}");
    }
    books.bank.close().await;
}

/// What a run since the checkpoint says to a person.
fn passbook(books: &Books) -> String {
    let checkpoint = books.checkpoint();
    let mut command = crate::support::process::command();
    command.args(["verify", "--database-url", &books.bank.database_url]);
    let output = command.arg("--since").arg(checkpoint).output();
    String::from_utf8_lossy(&output.expect("the program runs").stdout).into_owned()
}
