//! What an audit found: in lines for a person, and as a JSON object for a program.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::DateTime;
use serde::Serialize;
use uuid::Uuid;

use crate::ledger::{Amount, CallerId, CurrencyCode};
use crate::service::audit::{Finding, Place, Report, Total};

/// The report for a program.
#[derive(Serialize)]
struct Json<'r> {
    clean: bool,
    /// Whether only what changed since a checkpoint was checked.
    partial: bool,
    accounts: u64,
    entries: u64,
    transactions: u64,
    seconds: f64,
    entries_per_second: u64,
    totals: BTreeMap<&'r str, Sums>,
    findings: Vec<JsonFinding<'r>>,
    /// Those that are not listed included.
    findings_count: u64,
}

/// Sums are texts: a reader that takes numbers for floats would round them.
#[derive(Serialize)]
struct Sums {
    accounts: u64,
    balances: String,
    entries: String,
}

/// Only what the difference is about is there.
#[derive(Default, Serialize)]
struct JsonFinding<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<i64>,
    /// The last of several accounts, of which `account` is the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_account: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<Uuid>,
    /// The times between which transactions entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    transactions: Option<[String; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    book: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'r str>,
    what: &'r str,
}

pub(super) fn to_text(report: &Report, took: Duration, is_partial: bool) -> String {
    let Report {
        accounts,
        entries,
        transactions,
        ..
    } = report;
    let (seconds, rate) = (took.as_secs_f64(), per_second(*entries, took));
    let mut text = format!(
        "checked {accounts} accounts, {entries} entries, {transactions} transactions in {seconds:.1} s ({rate} entries/s)\n"
    );
    for (code, total) in &report.totals {
        let Sums {
            accounts,
            balances,
            entries,
        } = Sums::new(total);
        let (accounts, balances) = if is_partial {
            (
                format!("{accounts} changed accounts"),
                format!("balances changed by {balances}"),
            )
        } else {
            (
                format!("{accounts} accounts"),
                format!("balances {balances}"),
            )
        };
        text.push_str(&format!(
            "{code}: {accounts}, {balances}, entries {entries}\n"
        ));
    }
    for finding in &report.findings {
        text.push_str(&format!("WRONG {finding}\n"));
    }
    let shown = report.findings.len() as u64;
    if shown < report.findings_count {
        text.push_str(&format!(
            "and {} more differences\n",
            report.findings_count - shown
        ));
    }
    text.push_str(match (report.is_clean(), is_partial) {
        (true, false) => {
            "the books are in balance: every balance, version and seal follows from its entries\n"
        }
        (true, true) => {
            "what has changed is in balance: its balances, versions and seals follow from its entries\n"
        }
        (false, _) => "THE BOOKS ARE NOT IN BALANCE\n",
    });
    text
}

pub(super) fn to_json(report: &Report, took: Duration, is_partial: bool) -> String {
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let totals = report.totals.iter();
    let json = Json {
        clean: report.is_clean(),
        partial: is_partial,
        accounts: report.accounts,
        entries: report.entries,
        transactions: report.transactions,
        seconds: Duration::from_millis(milliseconds).as_secs_f64(),
        entries_per_second: per_second(report.entries, took),
        totals: totals
            .map(|(code, total)| (code.as_str(), Sums::new(total)))
            .collect(),
        findings: report.findings.iter().map(JsonFinding::new).collect(),
        findings_count: report.findings_count,
    };
    serde_json::to_string(&json).expect("numbers and texts") + "\n"
}

/// Rounded down.
pub(super) fn per_second(entries: u64, took: Duration) -> u64 {
    let nanoseconds = took.as_nanos().max(1);
    u64::try_from(u128::from(entries) * 1_000_000_000 / nanoseconds).unwrap_or(u64::MAX)
}

impl Sums {
    fn new(total: &Total) -> Self {
        Self {
            accounts: total.accounts,
            balances: sum(total.balances, total.scale),
            entries: sum(total.entries, total.scale),
        }
    }
}

impl<'r> JsonFinding<'r> {
    fn new(finding: &'r Finding) -> Self {
        let Finding { place, what } = finding;
        let mut json = Self {
            what,
            ..Self::default()
        };
        match place {
            Place::Schema(part) => json.schema = Some(part),
            Place::Account(account) => json.account = Some(account.0),
            Place::Entry(account, version) => {
                (json.account, json.entry) = (Some(account.0), Some(version.0));
            }
            Place::Accounts(first, last) => {
                json.account = Some(first.0);
                json.last_account = (first != last).then_some(last.0);
            }
            Place::Hold(hold) => json.hold = Some(hold.0),
            Place::Transaction(id) => json.transaction = Some(*id),
            Place::Transactions(first, last) => {
                json.transactions = Some([first, last].map(DateTime::to_rfc3339));
            }
            Place::Name(book, name) => (json.book, json.name) = (Some(book.0), Some(name.as_str())),
            Place::ExternalId(book, id) => {
                (json.book, json.external_id) = (Some(book.0), Some(id.as_str()));
            }
            Place::Anyone => json.caller = Some(CallerId::ANYONE.0),
            Place::User(user) => json.user = Some(user.0),
            Place::Book(book) => json.book = Some(book.0),
            Place::Currency(code) => json.currency = Some(CurrencyCode::as_str(code)),
            Place::Registered(code) => json.currency = Some(code),
        }
        json
    }
}

/// A sum over accounts may be beyond what an amount can be; then it is told in minor units.
fn sum(minor: i128, scale: u8) -> String {
    Amount::from_minor(minor).map_or_else(
        || format!("{minor} minor units"),
        |amount| amount.to_text(scale),
    )
}
