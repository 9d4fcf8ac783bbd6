//! What a full run saw, as a checkpoint writes it down.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::checkpoint::{Unfit, parse_time, write_time};
use super::seen::{Seen, Sum, Sums};

/// Bytes and sums are hexadecimal; a sum is its count and its digest.
#[derive(Serialize, Deserialize)]
pub(super) struct SeenText {
    moment: String,
    key: String,
    accounts: SumsText,
    transactions: SumsText,
    currencies: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct SumsText {
    width: u64,
    sums: BTreeMap<u64, String>,
}

impl SeenText {
    pub(super) fn of(seen: &Seen) -> Self {
        let currencies = seen.currencies.iter();
        Self {
            moment: write_time(seen.moment),
            key: write_bytes(&seen.key),
            accounts: SumsText::of(&seen.accounts),
            transactions: SumsText::of(&seen.transactions),
            currencies: currencies
                .map(|(code, sum)| (code.clone(), write(*sum)))
                .collect(),
        }
    }

    pub(super) fn into_seen(self) -> Result<Seen, Unfit> {
        let currencies = self.currencies.into_iter();
        Ok(Seen {
            moment: parse_time(&self.moment)?,
            key: parse_bytes(&self.key).ok_or_else(unreadable)?,
            accounts: self.accounts.into_sums()?,
            transactions: self.transactions.into_sums()?,
            currencies: currencies
                .map(|(code, sum)| Ok((code, parse(&sum)?)))
                .collect::<Result<_, Unfit>>()?,
        })
    }
}

impl SumsText {
    fn of(sums: &Sums) -> Self {
        let Sums { width, sums } = sums;
        Self {
            width: *width,
            sums: sums.iter().map(|(at, sum)| (*at, write(*sum))).collect(),
        }
    }

    fn into_sums(self) -> Result<Sums, Unfit> {
        let sums = self.sums.into_iter();
        // A width of nothing would be divided by.
        (self.width != 0).then_some(()).ok_or_else(unreadable)?;
        Ok(Sums {
            width: self.width,
            sums: sums
                .map(|(at, sum)| Ok((at, parse(&sum)?)))
                .collect::<Result<_, Unfit>>()?,
        })
    }
}

fn write(sum: Sum) -> String {
    format!("{}:{:032x}", sum.count, sum.digest)
}

fn parse(text: &str) -> Result<Sum, Unfit> {
    let parsed = text.split_once(':').and_then(|(count, digest)| {
        let count = count.parse().ok()?;
        let digest = u128::from_str_radix(digest, 16).ok()?;
        Some(Sum { count, digest })
    });
    parsed.ok_or_else(unreadable)
}

fn unreadable() -> Unfit {
    Unfit::Unreadable("what it says was seen".to_owned())
}

fn write_bytes(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// The 32 bytes of 64 hexadecimal digits.
pub(super) fn parse_bytes(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}
