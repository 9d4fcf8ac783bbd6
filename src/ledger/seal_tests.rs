//! The golden vectors of docs/seal.md, and a second encoder beside the production one.

use chrono::DateTime;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    AccountId, Amount, BookId, Change, Currency, CurrencyCode, Entry, Seal, TransactionId, UserId,
    Version,
};

const GENESIS: &str = "799bb02e3e9d156b78f3bfc264c3af64ea4349da2773f52dfcc2bc3e14307719";
const DEPOSIT: &str = "1509a184757aac22fb04df724d9ab19ebfbb7b11c345784b02b168c54e37a57a";
const TRANSFER: &str = "480e9afd92b0136dfa158e3413ce3377f976635af897f2cf798ccdf369b24a0d";

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

fn deposit() -> Entry {
    Entry {
        account: AccountId(7),
        version: Version(2),
        transaction: TransactionId(Uuid::from_u128(0x019b_7600_0000_7000_8000_0000_0000_0001)),
        change: money(10_000, None),
        balance: Amount::from_minor(10_000).expect("an amount"),
        created_at: DateTime::from_timestamp_micros(1_767_225_600_000_000).expect("a time"),
    }
}

fn transfer() -> Entry {
    Entry {
        version: Version(3),
        transaction: TransactionId(Uuid::from_u128(0x019b_7600_0000_7000_8000_0000_0000_0002)),
        change: money(-3_050, Some(AccountId(8))),
        balance: Amount::from_minor(6_950).expect("an amount"),
        created_at: DateTime::from_timestamp_micros(1_767_225_601_500_000).expect("a time"),
        ..deposit()
    }
}

#[test]
fn the_golden_vectors_hold() {
    assert_eq!(genesis().to_string(), GENESIS);
    let deposited = genesis().next(&deposit());
    assert_eq!(deposited.to_string(), DEPOSIT);
    assert_eq!(deposited.next(&transfer()).to_string(), TRANSFER);
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
            balance: one,
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
