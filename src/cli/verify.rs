//! `passbook verify`: the audit, printed.

use std::io::{self, IsTerminal, Write as _};

use tokio::time::Instant;

use super::say;
use crate::app::{AppError, Opened, unusable};
use crate::config::DatabaseArgs;
use crate::ledger::Amount;
use crate::service::audit::{self, Report, Total};
use crate::storage::connection;

/// Whether the books are in balance.
pub(super) async fn run(args: &DatabaseArgs) -> Result<bool, AppError> {
    let opened = Opened::open(args).await?;
    let started = Instant::now();
    let audited = async {
        let mut connection = opened.database.connect_patient().await?;
        let report = audit::run(&mut connection, show_progress).await;
        connection::close(connection).await;
        report
    };
    let audited = audited
        .await
        .map_err(|error| unusable(&opened.database, &error));
    opened.close().await?;
    let report = audited?;
    if io::stderr().is_terminal() {
        // Clears the line of the progress.
        drop(write!(io::stderr(), "\r\x1b[K"));
    }
    say(&describe(&report, started.elapsed().as_secs_f64()));
    Ok(report.is_clean())
}

/// One line that is written over, and only where a person is watching.
fn show_progress(report: &Report) {
    if io::stderr().is_terminal() {
        let Report {
            accounts,
            entries,
            transactions,
            ..
        } = report;
        drop(write!(
            io::stderr(),
            "\r\x1b[K{accounts} accounts, {entries} entries, {transactions} transactions …"
        ));
    }
}

fn describe(report: &Report, seconds: f64) -> String {
    let Report {
        accounts,
        entries,
        transactions,
        ..
    } = report;
    let mut text = format!(
        "checked {accounts} accounts, {entries} entries, {transactions} transactions in {seconds:.1} s\n"
    );
    for (code, total) in &report.totals {
        let Total {
            scale,
            accounts,
            balances,
            entries,
        } = *total;
        let (balances, entries) = (sum(balances, scale), sum(entries, scale));
        text.push_str(&format!(
            "{code}: {accounts} accounts, balances {balances}, entries {entries}\n"
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
    text.push_str(if report.is_clean() {
        "the books are in balance: every balance, version and seal follows from its entries\n"
    } else {
        "THE BOOKS ARE NOT IN BALANCE\n"
    });
    text
}

/// A sum over accounts may be beyond what an amount can be; then it is told in minor units.
fn sum(minor: i128, scale: u8) -> String {
    Amount::from_minor(minor).map_or_else(
        || format!("{minor} minor units"),
        |amount| amount.to_text(scale),
    )
}
