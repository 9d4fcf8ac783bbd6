//! How a ledger grows before it is measured.

use super::case::{Load, Scenario};
use super::error::Error;
use super::load::Length;
use super::outcome::{Figure, Growth, Tenth};
use super::progress::Watch;
use super::side::Side;
use crate::storage::statistics::DiskUsage;

/// In how many parts a ledger grows, and is measured after each.
const TENTHS: u64 = 10;
/// Connections that write what a ledger grows by.
const GROWTH_CONNECTIONS: usize = 256;

impl Side<'_> {
    /// Writes what the ledger has to grow by, in tenths; none where it does not grow.
    ///
    /// # Errors
    /// Where the service or its database went away.
    pub(super) async fn grow(&mut self, watch: &Watch<'_>) -> Result<Option<Growth>, Error> {
        let grow = self.target.size.grow;
        if grow == 0 {
            return Ok(None);
        }
        let load = Load {
            connections: GROWTH_CONNECTIONS,
            per_s: None,
        };
        let what = Scenario::Spread.requests(&self.accounts);
        let before = self.disk_usage().await?;
        let mut growth = Growth {
            name: self.name().to_owned(),
            tenths: Vec::new(),
        };
        let (mut asked, mut entries, mut speed) = (0, 0_u64, String::new());
        for tenth in 1..=TENTHS {
            let due = part(grow, tenth).saturating_sub(asked);
            if due == 0 {
                continue;
            }
            self.step = format!("growing, {asked} of {grow} withdrawals asked for{speed}");
            asked = asked.saturating_add(due);
            let length = Length::Requests(due);
            let (measurement, _) = self.run(what.clone(), load, length, watch).await?;
            let per_s = measurement.figures.get(&Figure::RequestsPerS);
            speed = per_s.map_or_else(String::new, |per_s| format!(", {per_s:.0}/s at last"));
            entries = entries.saturating_add(measurement.successes);
            let after = self.disk_usage().await?;
            let bytes = after.map(|after| after.database_bytes);
            growth.tenths.push(Tenth {
                entries,
                database_bytes: bytes.and_then(|bytes| u64::try_from(bytes).ok()),
                bytes_per_entry: before
                    .zip(after)
                    .and_then(|(before, after)| bytes_per_entry(before, after, entries)),
                measurement,
            });
        }
        Ok(Some(growth))
    }
}

/// So many tenths of a count.
fn part(count: u64, tenths: u64) -> u64 {
    count.saturating_mul(tenths) / TENTHS
}

fn bytes_per_entry(before: DiskUsage, after: DiskUsage, entries: u64) -> Option<f64> {
    let added = after.ledger_bytes.saturating_sub(before.ledger_bytes);
    (0 < entries).then(|| added as f64 / entries as f64)
}
