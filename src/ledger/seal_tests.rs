//! The golden vectors of docs/seal.md, and a second encoder beside the production one.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    AccountDetails, AccountId, Amount, BookId, Change, Currency, CurrencyCode, DetailsDigest,
    Entry, EntryKind, HoldAfter, HoldId, HoldKind, Magnitude, Metadata, Note, Salt, Seal, State,
    Status, TransactionId, UserId, Version,
};

const GENESIS: &str = "799bb02e3e9d156b78f3bfc264c3af64ea4349da2773f52dfcc2bc3e14307719";
const DEPOSIT: &str = "1509a184757aac22fb04df724d9ab19ebfbb7b11c345784b02b168c54e37a57a";
const TRANSFER: &str = "480e9afd92b0136dfa158e3413ce3377f976635af897f2cf798ccdf369b24a0d";
const AMENDED: &str = "8d421142050113c3ea6daeb6317a756f6a7d67dbc5c1b32d480edf929b1bf17d";
const PLACED: &str = "9953800bf467dee328d512d10a4fcde79d7ac3e630d50e98dcb8bdfce673dae1";
const CAPTURED: &str = "7319026c29acdcdfaaa4ebd51b0b7e385f56b11042134307b943d3a45b3fa862";
const FROZEN: &str = "57f608d951880db55d2d313b89693a01cd4511786c5c354afa1b45eb8892b742";

fn usd() -> Currency {
    Currency {
        code: CurrencyCode::parse("USD").expect("a code"),
        scale: 2,
    }
}

fn genesis() -> Seal {
    let at = DateTime::from_timestamp_micros(1_767_225_600_000_000).expect("a time");
    Seal::genesis(AccountId(7), BookId(1), Some(UserId(42)), usd(), at)
}

fn money(minor: i128, counterparty: Option<AccountId>) -> Change {
    let amount = Amount::from_minor(minor).expect("an amount");
    Change::Money {
        amount,
        counterparty,
    }
}

fn with(balance: i128) -> State {
    State {
        balance: Amount::from_minor(balance).expect("an amount"),
        ..State::default()
    }
}

fn deposit() -> Entry {
    Entry {
        account: AccountId(7),
        version: Version(2),
        transaction: TransactionId(Uuid::from_u128(0x019b_7600_0000_7000_8000_0000_0000_0001)),
        change: money(10_000, None),
        posting: 0,
        after: with(10_000),
        note: None,
        effective_at: None,
        created_at: DateTime::from_timestamp_micros(1_767_225_600_000_000).expect("a time"),
    }
}

fn transfer() -> Entry {
    Entry {
        version: Version(3),
        transaction: TransactionId(Uuid::from_u128(0x019b_7600_0000_7000_8000_0000_0000_0002)),
        change: money(-3_050, Some(AccountId(8))),
        after: with(6_950),
        created_at: DateTime::from_timestamp_micros(1_767_225_601_500_000).expect("a time"),
        ..deposit()
    }
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600_i64.saturating_add(second), 0).expect("a time")
}

fn transaction(number: u128) -> TransactionId {
    TransactionId(Uuid::from_u128(
        0x019b_7600_0000_7000_8000_0000_0000_0000 | number,
    ))
}

fn amount(minor: i128) -> Amount {
    Amount::from_minor(minor).expect("an amount")
}

fn tier() -> DetailsDigest {
    let metadata = Metadata([("tier".to_owned(), "gold".to_owned())].into());
    let salt = Salt([7; 16]);
    AccountDetails { metadata, salt }.digest()
}

fn order() -> DetailsDigest {
    let note = Note {
        reference: Some("order 5".to_owned()),
        metadata: Metadata::default(),
        salt: Salt([8; 16]),
    };
    note.digest()
}

fn held(remaining: i128) -> HoldAfter {
    HoldAfter {
        id: HoldId(transaction(4).0),
        remaining: Magnitude::new(amount(remaining)).expect("not negative"),
        expires_at: at(604_803),
    }
}

fn amended() -> Entry {
    let (floor, details) = (amount(-500), Some(tier()));
    Entry {
        version: Version(4),
        transaction: transaction(3),
        created_at: at(2),
        change: Change::Details { floor, details },
        after: State {
            floor,
            details,
            ..with(6_950)
        },
        ..deposit()
    }
}

fn placed() -> Entry {
    Entry {
        version: Version(5),
        transaction: transaction(4),
        created_at: at(3),
        change: Change::Hold {
            kind: HoldKind::Placed,
            hold: held(2_000),
        },
        after: State {
            held: amount(2_000),
            ..amended().after
        },
        note: Some(order()),
        ..amended()
    }
}

fn captured() -> Entry {
    Entry {
        version: Version(6),
        transaction: transaction(5),
        created_at: at(4),
        posting: 1,
        change: Change::Capture {
            amount: amount(-1_500),
            counterparty: Some(AccountId(8)),
            hold: held(500),
        },
        after: State {
            balance: amount(5_450),
            held: amount(500),
            ..amended().after
        },
        effective_at: Some(at(0)),
        ..amended()
    }
}

fn frozen() -> Entry {
    Entry {
        version: Version(7),
        transaction: transaction(6),
        created_at: at(5),
        change: Change::Status(Status::Frozen),
        after: State {
            status: Status::Frozen,
            ..captured().after
        },
        ..amended()
    }
}

#[test]
fn the_golden_vectors_hold() {
    let mut seal = genesis();
    assert_eq!(seal.to_string(), GENESIS);
    for (entry, expected) in [
        (deposit(), DEPOSIT),
        (transfer(), TRANSFER),
        (amended(), AMENDED),
        (placed(), PLACED),
        (captured(), CAPTURED),
        (frozen(), FROZEN),
    ] {
        seal = seal.next(&entry);
        assert_eq!(seal.to_string(), expected, "version {}", entry.version.0);
    }
}

/// What a seal of an entry with a state is over, but for the seal before.
fn encoded(entry: &Entry, kind: u8, status: u8) -> Vec<u8> {
    let (change, after) = (entry.change, entry.after);
    let hold = change.hold();
    let mut bytes = entry.account.0.to_be_bytes().to_vec();
    bytes.extend(entry.version.0.to_be_bytes());
    bytes.extend(entry.transaction.0.as_u128().to_be_bytes());
    bytes.push(kind);
    bytes.extend([0, entry.posting]);
    bytes.extend(change.amount().minor().to_be_bytes());
    let other = change.counterparty().map_or(0, |account| account.0);
    bytes.extend(other.to_be_bytes());
    bytes.extend(hold.map_or(0, |hold| hold.id.0.as_u128()).to_be_bytes());
    let remaining = hold.map_or(0, |hold| hold.remaining.amount().minor());
    bytes.extend(remaining.to_be_bytes());
    let expires_at = hold.map_or(0, |hold| hold.expires_at.timestamp_micros());
    bytes.extend(expires_at.to_be_bytes());
    for amount in [after.balance, after.held, after.floor] {
        bytes.extend(amount.minor().to_be_bytes());
    }
    bytes.push(status);
    for digest in [after.details, entry.note] {
        bytes.extend(digest.map_or([0; 32], |digest| digest.0));
    }
    let effective_at = entry.effective_at.map_or(0, |at| at.timestamp_micros());
    bytes.extend(effective_at.to_be_bytes());
    bytes.extend(entry.created_at.timestamp_micros().to_be_bytes());
    bytes
}

#[test]
fn an_entry_with_a_state_is_sealed_over_261_bytes() {
    let before = genesis();
    for (entry, kind, status) in [
        (amended(), 11, 0),
        (placed(), 2, 0),
        (captured(), 4, 0),
        (frozen(), 7, 1),
    ] {
        let bytes = [&[2][..], &before.0, &encoded(&entry, kind, status)].concat();
        assert_eq!(bytes.len(), 261);
        assert_eq!(before.next(&entry), Seal(Sha256::digest(&bytes).into()));
    }
}

/// Its number never changes.
#[test]
fn each_kind_and_each_status_has_its_number() {
    let hold = held(500);
    for (number, kind) in (1..).zip(EntryKind::ALL) {
        let of_hold = |kind| Change::Hold { kind, hold };
        let change = match kind {
            EntryKind::Money => money(-1_500, None),
            EntryKind::HoldCaptured => captured().change,
            EntryKind::HoldPlaced => of_hold(HoldKind::Placed),
            EntryKind::HoldChanged => of_hold(HoldKind::Changed),
            EntryKind::HoldVoided => of_hold(HoldKind::Voided),
            EntryKind::HoldExpired => of_hold(HoldKind::Expired),
            EntryKind::Frozen => Change::Status(Status::Frozen),
            EntryKind::Unfrozen => Change::Status(Status::Open),
            EntryKind::Closed => Change::Status(Status::Closed),
            EntryKind::Limit => Change::Limit(amount(-500)),
            EntryKind::Details => amended().change,
        };
        for (code, status) in (0..).zip([Status::Open, Status::Frozen, Status::Closed]) {
            let entry = Entry {
                change,
                after: State {
                    status,
                    ..captured().after
                },
                ..captured()
            };
            let bytes = [&[2][..], &genesis().0, &encoded(&entry, number, code)].concat();
            let expected = Seal(Sha256::digest(&bytes).into());
            assert_eq!(genesis().next(&entry), expected, "{kind:?}, {status:?}");
        }
    }
}

#[test]
fn each_field_of_a_state_changes_the_seal() {
    let before = genesis();
    let whole = captured();
    let after = whole.after;
    let captures = |minor, counterparty, hold| {
        let amount = amount(minor);
        let change = Change::Capture {
            amount,
            counterparty,
            hold,
        };
        Entry { change, ..whole }
    };
    let other = Some(AccountId(8));
    let (mut another, mut later) = (held(500), held(500));
    another.id = HoldId(transaction(9).0);
    later.expires_at = at(9);
    let leaves = |after| Entry { after, ..whole };
    let mut seals = vec![before.next(&whole)];
    for changed in [
        captures(-1_501, other, held(500)),
        captures(-1_500, None, held(500)),
        captures(-1_500, other, held(501)),
        captures(-1_500, other, another),
        captures(-1_500, other, later),
        leaves(State {
            held: amount(501),
            ..after
        }),
        leaves(State {
            floor: amount(-501),
            ..after
        }),
        leaves(State {
            status: Status::Frozen,
            ..after
        }),
        leaves(State {
            details: None,
            ..after
        }),
        leaves(State {
            balance: amount(5_451),
            ..after
        }),
        Entry {
            posting: 2,
            ..whole
        },
        Entry {
            note: Some(order()),
            ..whole
        },
        Entry {
            effective_at: None,
            ..whole
        },
    ] {
        let seal = before.next(&changed);
        assert!(!seals.contains(&seal), "{changed:?}");
        seals.push(seal);
    }
}

#[test]
fn an_encoder_written_from_the_document_gives_the_same_seals() {
    let mut bytes = vec![0];
    for number in [7_i64, 1, 42] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend(*b"USD\0\0\0\0\0\0\0\0\0");
    bytes.push(2);
    bytes.extend(1_767_225_600_000_000_i64.to_be_bytes());
    assert_eq!(bytes.len(), 46);
    let opening: [u8; 32] = Sha256::digest(&bytes).into();
    assert_eq!(genesis(), Seal(opening));

    let mut bytes = vec![1];
    bytes.extend(opening);
    bytes.extend(7_i64.to_be_bytes());
    bytes.extend(2_i64.to_be_bytes());
    bytes.extend(0x019b_7600_0000_7000_8000_0000_0000_0001_u128.to_be_bytes());
    bytes.extend(10_000_i128.to_be_bytes());
    bytes.extend(10_000_i128.to_be_bytes());
    bytes.extend(0_i64.to_be_bytes());
    bytes.extend(1_767_225_600_000_000_i64.to_be_bytes());
    assert_eq!(bytes.len(), 113);
    assert_eq!(
        genesis().next(&deposit()),
        Seal(Sha256::digest(&bytes).into())
    );
}

#[test]
fn each_field_changes_the_seal() {
    let before = genesis();
    let sealed = before.next(&transfer());
    let one = Amount::from_minor(1).expect("an amount");
    for changed in [
        Entry {
            account: AccountId(8),
            ..transfer()
        },
        Entry {
            version: Version(4),
            ..transfer()
        },
        Entry {
            transaction: deposit().transaction,
            ..transfer()
        },
        Entry {
            change: money(1, Some(AccountId(8))),
            ..transfer()
        },
        Entry {
            after: State {
                balance: one,
                ..transfer().after
            },
            ..transfer()
        },
        Entry {
            change: money(-3_050, None),
            ..transfer()
        },
        Entry {
            created_at: deposit().created_at,
            ..transfer()
        },
    ] {
        assert_ne!(before.next(&changed), sealed, "{changed:?}");
    }
    assert_ne!(Seal([0; 32]).next(&transfer()), sealed);
}
