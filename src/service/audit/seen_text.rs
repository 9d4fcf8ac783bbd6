//! What a full run saw, as a checkpoint writes it down.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::seen::{Seen, Sum, Sums};
use super::text::{parse_bytes, parse_time, write_bytes, write_time};

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

    pub(super) fn into_seen(self) -> Result<Seen, String> {
        let currencies = self.currencies.into_iter();
        Ok(Seen {
            moment: parse_time(&self.moment)?,
            key: parse_bytes(&self.key).ok_or_else(unreadable)?,
            accounts: self.accounts.into_sums()?,
            transactions: self.transactions.into_sums()?,
            currencies: currencies
                .map(|(code, sum)| Ok((code, parse(&sum)?)))
                .collect::<Result<_, String>>()?,
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

    fn into_sums(self) -> Result<Sums, String> {
        if self.width == 0 {
            return Err(unreadable());
        }
        let sums = self.sums.into_iter();
        Ok(Sums {
            width: self.width,
            sums: sums
                .map(|(at, sum)| Ok((at, parse(&sum)?)))
                .collect::<Result<_, String>>()?,
        })
    }
}

fn write(sum: Sum) -> String {
    format!("{}:{:032x}", sum.count, sum.digest)
}

fn parse(text: &str) -> Result<Sum, String> {
    let parsed = text.split_once(':').and_then(|(count, digest)| {
        let count = count.parse().ok()?;
        let digest = u128::from_str_radix(digest, 16).ok()?;
        Some(Sum { count, digest })
    });
    parsed.ok_or_else(unreadable)
}

fn unreadable() -> String {
    "what it says was seen".to_owned()
}
