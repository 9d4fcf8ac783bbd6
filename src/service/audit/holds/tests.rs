//! Chains with holds, states and details: what the lanes write is followed, and whatever else is found.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::super::chain::Chain;
use super::*;
use crate::ledger::{
    AccountDetails, AccountId, BookId, Change, CurrencyCode, Head, HoldAfter, HoldKind, Metadata,
    Salt, Sealed, Stamp, Status, Step, TransactionId,
};
use crate::storage::audit::{Bytes, StoredEntry, StoredHead, StoredHolds, StoredText};

/// An account with what it went through, by the law that everything is written by.
struct Story {
    head: Head,
    entries: Vec<Sealed>,
    holds: BTreeMap<HoldId, Hold>,
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

fn usd() -> Currency {
    Currency {
        code: CurrencyCode::parse("USD").expect("a code"),
        scale: 2,
    }
}

fn amount(minor: i128) -> Amount {
    Amount::from_minor(minor).expect("an amount")
}

fn magnitude(minor: i128) -> Magnitude {
    Magnitude::new(amount(minor)).expect("not negative")
}

fn details() -> AccountDetails {
    AccountDetails {
        metadata: Metadata([("tier".to_owned(), "gold".to_owned())].into()),
        salt: Salt([7; 16]),
    }
}

impl Story {
    fn begin() -> Self {
        let head = Head::open(AccountId(7), BookId::MAIN, None, usd(), at(0));
        Self {
            head,
            entries: Vec::new(),
            holds: BTreeMap::new(),
        }
    }

    /// The id of the next transaction.
    fn id(&self) -> Uuid {
        Uuid::from_u128(u128::try_from(self.entries.len()).expect("few") + 1)
    }

    fn step(&mut self, step: Step) {
        let second = i64::try_from(self.entries.len()).expect("few") + 1;
        let stamp = Stamp {
            transaction: TransactionId(self.id()),
            created_at: at(second),
            note: None,
            effective_at: None,
        };
        let (head, sealed) = self.head.next(step, &stamp).expect("it is possible");
        self.head = head;
        self.entries.push(sealed);
    }

    fn change(&mut self, change: Change) {
        self.step(Step::of(change));
    }

    fn deposit(&mut self, minor: i128) {
        self.change(Change::Money {
            amount: amount(minor),
            counterparty: None,
        });
    }

    /// A step about a hold, which remains with so much.
    fn hold(
        &mut self,
        id: Option<HoldId>,
        remaining: i128,
        make: impl FnOnce(HoldAfter) -> Change,
    ) {
        let id = id.unwrap_or(HoldId(self.id()));
        let before = self
            .holds
            .get(&id)
            .map_or(Amount::ZERO, |hold| hold.remaining().amount());
        let change = make(HoldAfter {
            id,
            remaining: magnitude(remaining),
            expires_at: at(1_000),
        });
        self.step(Step {
            held: amount(remaining - before.minor()),
            ..Step::of(change)
        });
        let entry = self.entries.last().expect("an entry").entry;
        let hold = Hold::follow(self.holds.get(&id), &entry, usd()).expect("it follows");
        self.head.active_holds = match (before.is_zero(), hold.is_active()) {
            (true, true) => self.head.active_holds + 1,
            (false, false) => self.head.active_holds - 1,
            (true, false) | (false, true) => self.head.active_holds,
        };
        self.holds.insert(id, hold);
    }

    fn place(&mut self, minor: i128) -> HoldId {
        let id = HoldId(self.id());
        self.hold(None, minor, |hold| Change::Hold {
            kind: HoldKind::Placed,
            hold,
        });
        id
    }

    fn end(&mut self, id: HoldId, kind: HoldKind, remaining: i128) {
        self.hold(Some(id), remaining, |hold| Change::Hold { kind, hold });
    }

    fn capture(&mut self, id: HoldId, minor: i128, remaining: i128) {
        let amount = amount(-minor);
        self.hold(Some(id), remaining, |hold| Change::Capture {
            amount,
            counterparty: None,
            hold,
        });
    }

    /// Everything once.
    fn whole() -> Self {
        let mut story = Self::begin();
        story.deposit(10_000);
        let first = story.place(2_000);
        let second = story.place(500);
        story.end(first, HoldKind::Changed, 2_500);
        story.capture(first, 1_000, 1_500);
        story.end(second, HoldKind::Voided, 0);
        story.change(Change::Limit(amount(-300)));
        story.change(Change::Details {
            floor: amount(-300),
            details: Some(details().digest()),
        });
        story.capture(first, 1_500, 0);
        let third = story.place(100);
        story.change(Change::Status(Status::Frozen));
        story.end(third, HoldKind::Expired, 0);
        story.change(Change::Status(Status::Open));
        story.place(4_000);
        story.deposit(1);
        story
    }

    fn stored(&self) -> StoredHead {
        let (head, state) = (&self.head, self.head.state);
        StoredHead {
            id: head.id,
            book: head.book,
            owner: None,
            currency: head.currency,
            opened_at: head.opened_at,
            balance: Some(state.balance),
            held: Some(state.held),
            floor: Some(state.floor),
            status: Some(state.status),
            details_digest: state.details.map(|digest| digest.0.to_vec()),
            version: head.version,
            seal: Some(head.seal),
            last_entry_at: head.last_entry_at,
            active_holds: i32::from(head.active_holds),
            due_at: (head.active_holds != 0).then_some(at(1_000)),
            state_version: (!head.is_plain()).then_some(head.version.0),
            holds: StoredHolds {
                count: i64::from(head.active_holds),
                remaining: Some(state.held),
                first_expiry: (head.active_holds != 0).then_some(at(1_000)),
            },
            names: 0,
            name: None,
            has_book: true,
            book_sealed_at: None,
            owner_created_at: None,
            read_at: at(2_000),
            openings: 1,
        }
    }

    /// Seals everything anew, as somebody would who may write anything.
    fn seal_again(&mut self) {
        let mut seal = self.head.opening().seal;
        for sealed in &mut self.entries {
            seal = seal.next(&sealed.entry);
            sealed.seal = seal;
        }
        self.head.seal = seal;
    }

    fn entries(&self) -> Vec<StoredEntry> {
        let entries = self.entries.iter();
        entries.map(|sealed| self.entry(sealed)).collect()
    }

    fn entry(&self, sealed: &Sealed) -> StoredEntry {
        let entry = StoredEntry::of(sealed, self.head.currency);
        let is_details = matches!(sealed.entry.change, Change::Details { .. });
        entry.with(is_details.then(|| StoredText {
            reference: None,
            metadata: Some(r#"{"tier": "gold"}"#.to_owned()),
            salt: Some(Bytes(vec![7; 16])),
            is_erased: false,
        }))
    }

    /// All that is told of a head and entries.
    fn told(stored: &StoredHead, entries: &[StoredEntry]) -> String {
        let mut report = Report::default();
        let mut chain = Chain::new(stored, &[]);
        for entry in entries {
            chain.check_entry(&mut report, entry);
        }
        chain.check_head(&mut report);
        let findings = report.findings.iter().map(ToString::to_string);
        findings.collect::<Vec<String>>().join("\n")
    }
}

#[test]
fn whatever_the_law_makes_is_followed() {
    let mut story = Story::whole();
    assert_eq!(Story::told(&story.stored(), &story.entries()), "");
    story.seal_again();
    assert_eq!(Story::told(&story.stored(), &story.entries()), "");
    let mut plain = Story::begin();
    plain.deposit(5);
    assert_eq!(Story::told(&plain.stored(), &plain.entries()), "");
}

/// What is said of a head, and what is found.
type Edit = (fn(&mut StoredHead), &'static str);

#[test]
fn a_head_is_what_its_entries_made_of_it() {
    let story = Story::whole();
    let edits: [Edit; 13] = [
        (
            |head| head.held = Some(amount(3_999)),
            "says held 39.99, its entries make it 40.00",
        ),
        (|head| head.held = None, "says held no amount"),
        (
            |head| head.floor = Some(amount(-301)),
            "says floor -3.01, its entries make it -3.00",
        ),
        (
            |head| head.status = Some(Status::Frozen),
            "says another status than its entries",
        ),
        (
            |head| head.status = None,
            "says another status than its entries",
        ),
        (
            |head| head.details_digest = None,
            "says another digest of its details",
        ),
        (
            |head| head.active_holds = 2,
            "says 2 active holds, of which 1 are stored",
        ),
        (
            |head| head.active_holds = 2,
            "says 2 active holds, its entries left 1",
        ),
        (
            |head| head.holds.remaining = Some(amount(1)),
            "says held 40.00, of its active holds remains 0.01",
        ),
        (
            |head| head.due_at = Some(at(1_001)),
            "is due later than the first of its holds",
        ),
        (
            |head| head.due_at = None,
            "is due later than the first of its holds",
        ),
        (
            |head| head.state_version = None,
            "does not keep programs of before",
        ),
        (
            |head| head.balance = Some(amount(3_600)),
            "has a balance below its floor",
        ),
    ];
    for (edit, expected) in edits {
        let mut stored = story.stored();
        edit(&mut stored);
        let told = Story::told(&stored, &story.entries());
        assert!(told.contains(expected), "{expected} not in {told:?}");
    }
    let mut earlier = story.stored();
    earlier.due_at = Some(at(1));
    assert_eq!(Story::told(&earlier, &story.entries()), "");
}

#[test]
fn a_plain_account_is_open_to_programs_of_before() {
    let mut story = Story::begin();
    story.deposit(5);
    let mut stored = story.stored();
    stored.state_version = Some(2);
    let told = Story::told(&stored, &story.entries());
    assert!(told.contains("does not keep programs of before"), "{told}");
}

/// Chains that were sealed by somebody who broke the law.
#[test]
fn no_chain_is_clean_that_breaks_a_law_whatever_its_seals() {
    fn hold_of(entry: &mut Entry) -> &mut HoldAfter {
        match &mut entry.change {
            Change::Hold { hold, .. } | Change::Capture { hold, .. } => hold,
            _ => panic!("an entry about a hold"),
        }
    }
    type Breach = (i64, fn(&mut Entry), &'static str);
    let breaches: [Breach; 9] = [
        (
            3,
            |entry| entry.after.held = amount(1_999),
            "says another sum",
        ),
        (
            3,
            |entry| hold_of(entry).id = HoldId(Uuid::max()),
            "does not follow on its hold",
        ),
        (
            5,
            |entry| hold_of(entry).remaining = magnitude(2_499),
            "says another sum",
        ),
        (
            6,
            |entry| hold_of(entry).remaining = magnitude(1_501),
            "does not follow on its hold",
        ),
        (
            7,
            |entry| hold_of(entry).id = HoldId(Uuid::from_u128(9)),
            "does not follow on its hold",
        ),
        (
            7,
            |entry| hold_of(entry).remaining = magnitude(1),
            "does not follow on its hold",
        ),
        (
            8,
            |entry| entry.after.status = Status::Frozen,
            "leaves a state that its kind cannot leave",
        ),
        (
            8,
            |entry| entry.after.held = Amount::ZERO,
            "leaves a state that its kind cannot leave",
        ),
        (
            10,
            |entry| entry.after.floor = amount(9_000),
            "leaves less than",
        ),
    ];
    for (version, breach, expected) in breaches {
        let mut story = Story::whole();
        let sealed = story
            .entries
            .iter_mut()
            .find(|it| it.entry.version.0 == version);
        breach(&mut sealed.expect("an entry").entry);
        story.seal_again();
        let told = Story::told(&story.stored(), &story.entries());
        let expected = format!("account 7, entry {version}: {expected}");
        assert!(told.contains(&expected), "{expected} not in {told:?}");
    }
}

#[test]
fn details_are_those_that_were_sealed_or_were_erased() {
    let story = Story::whole();
    let with = |text: Option<StoredText>| {
        let mut entries = story.entries();
        for entry in &mut entries {
            if entry.text().is_some() {
                *entry = entry.clone().with(text.clone());
            }
        }
        Story::told(&story.stored(), &entries)
    };
    let text = StoredText {
        reference: None,
        metadata: Some(r#"{"tier":"gold"}"#.to_owned()),
        salt: Some(Bytes(vec![7; 16])),
        is_erased: false,
    };
    assert_eq!(with(Some(text.clone())), "");
    let erased = StoredText {
        is_erased: true,
        ..StoredText::default()
    };
    assert_eq!(with(Some(erased)), "");
    let missing = "account 7, entry 9: seals details that are not stored";
    assert_eq!(with(None), missing);
    let other = |change: fn(&mut StoredText)| {
        let mut text = text.clone();
        change(&mut text);
        text
    };
    for text in [
        other(|text| text.metadata = Some(r#"{"tier":"silver"}"#.to_owned())),
        other(|text| text.metadata = Some(r#"{"tier":1}"#.to_owned())),
        other(|text| text.metadata = None),
        other(|text| text.salt = Some(Bytes(vec![8; 16]))),
        other(|text| text.salt = Some(Bytes(vec![7; 17]))),
        other(|text| text.salt = None),
        other(|text| text.is_erased = true),
    ] {
        let expected = "account 7, entry 9: seals other details than are stored";
        assert_eq!(with(Some(text.clone())), expected, "{text:?}");
    }
}

#[test]
fn a_hold_is_what_the_entries_made_of_it() {
    let story = Story::whole();
    for hold in story.holds.values() {
        let made = |read_at| MadeHold {
            hold: hold.clone(),
            read_at: Version(read_at),
        };
        let text = |amount: Magnitude| amount.amount().to_text(2);
        let row = StoredHold {
            id: hold.id,
            account: hold.account,
            amount: text(hold.amount),
            captured: text(hold.captured),
            status: Some(hold.status),
            expires_at: hold.expires_at,
            version: hold.version,
            created_at: hold.created_at,
            account_version: Some(story.head.version),
        };
        let read_at = story.head.version.0;
        assert_eq!(compare(&made(read_at), &row), Ok(()));
        let edits: [fn(&mut StoredHold); 8] = [
            |row| row.account = AccountId(8),
            |row| row.created_at = at(0),
            |row| row.amount = "77.00".to_owned(),
            |row| row.captured = "77.00".to_owned(),
            |row| row.captured = "NaN".to_owned(),
            |row| row.status = None,
            |row| row.expires_at = at(999),
            |row| row.version = Version(99),
        ];
        for edit in edits {
            let mut row = row.clone();
            edit(&mut row);
            assert!(compare(&made(read_at), &row).is_err(), "{row:?}");
        }
        // Changed since its head was read.
        let later = StoredHold {
            captured: "0.01".to_owned(),
            version: Version(17),
            account_version: Some(Version(17)),
            ..row
        };
        assert_eq!(compare(&made(read_at), &later).is_ok(), hold.is_active());
    }
}
