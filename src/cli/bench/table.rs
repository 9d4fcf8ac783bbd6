//! The results as a table, for people.

use crate::bench::{
    Books, Conditions, Failures, Figure, Growth, LoadOutcome, Measurement, Outcome, Plan, Promises,
    Ratio, Scenario, Series, Tenth,
};

/// The figures that a table shows; the sum of both processor times is in comparisons.
const COLUMNS: [Figure; 10] = [
    Figure::RequestsPerS,
    Figure::P50,
    Figure::P95,
    Figure::P99,
    Figure::P999,
    Figure::Service,
    Figure::Postgres,
    Figure::Wal,
    Figure::PerCommit,
    Figure::Memory,
];

/// The figures that the table of a growth shows.
const GROWTH_COLUMNS: [Figure; 3] = [Figure::RequestsPerS, Figure::P50, Figure::P99];

/// What may be taken of the processors' time before the table tells of it.
const STOLEN_PERCENT_MAX: f64 = 5.0;

/// How ledgers grew, rows, comparisons, and the audit.
pub(super) fn describe(plan: &Plan, outcome: &Outcome) -> String {
    let mut text = String::new();
    for growth in &outcome.growth {
        text.push_str(&describe_growth(growth));
    }
    text.push_str(&headline(plan, &outcome.conditions));
    let mut rows = vec![titles()];
    for load in &outcome.loads {
        let sides = load.sides.iter();
        rows.extend(sides.map(|side| row(&case(load), side)));
    }
    rows.extend(
        outcome
            .pgbench
            .iter()
            .map(|series| row(&[""; 2].map(str::to_owned), series)),
    );
    write_aligned(&mut text, 3, &rows);
    for load in &outcome.loads {
        let case = case(load).join(", ");
        if !load.ratios.is_empty() {
            text.push_str(&format!(
                "\n{case}, how many times (median, least to most):\n"
            ));
            let ratios: Vec<Vec<String>> = load.ratios.iter().map(compare).collect();
            write_aligned(&mut text, 2, &ratios);
        }
        for Failures {
            name,
            failed,
            requests,
        } in &load.failures
        {
            text.push_str(&format!(
                "FAILED {case}: {failed} of {requests} requests of {name}; they are in its latencies alone\n"
            ));
        }
        for side in &load.sides {
            text.push_str(&disturbance(&format!("{case}, {}", side.name), side));
        }
    }
    if let Some(pgbench) = &outcome.pgbench {
        text.push_str(&disturbance(&pgbench.name, pgbench));
    }
    text.push('\n');
    for violation in &outcome.violations {
        text.push_str(&format!("WRONG {violation}\n"));
    }
    for books in &outcome.books {
        text.push_str(&audit(books));
    }
    if outcome.books.is_empty() {
        text.push_str("the books were not audited: that needs --database-url\n");
    }
    text
}

/// That other machines took so much in a round that its figures say little.
fn disturbance(who: &str, side: &Series) -> String {
    match side.stolen_percent_max() {
        Some(percent) if STOLEN_PERCENT_MAX < percent => format!(
            "DISTURBED {who}: the hypervisor gave {percent:.0} % of the processors' time to other machines in a round\n"
        ),
        _ => String::new(),
    }
}

/// What the tenths of a growth were like.
fn describe_growth(growth: &Growth) -> String {
    let mut text = format!(
        "{}: growth, and what the ledger had become after each part\n\n",
        growth.name
    );
    let figures = GROWTH_COLUMNS.map(Figure::title);
    let titles = ["entries", "database MiB", "bytes/entry"].into_iter();
    let titles = titles.chain(figures).chain(["refusals, errors"]);
    let mut rows = vec![titles.map(str::to_owned).collect()];
    rows.extend(growth.tenths.iter().map(|tenth| {
        let Tenth {
            entries,
            database_bytes,
            bytes_per_entry,
            measurement,
        } = tenth;
        let database_mib = database_bytes.map(|bytes| (bytes / 1_024 / 1_024).to_string());
        let mut row = vec![
            entries.to_string(),
            database_mib.unwrap_or_else(unknown),
            bytes_per_entry.map_or_else(unknown, |bytes| format!("{bytes:.0}")),
        ];
        let values = GROWTH_COLUMNS.map(|figure| (figure, measurement.figures.get(&figure)));
        row.extend(values.map(|(figure, value)| shown(figure, value)));
        row.push(others([measurement].into_iter()));
        row
    }));
    write_aligned(&mut text, 0, &rows);
    text.push('\n');
    text
}

fn headline(plan: &Plan, conditions: &Conditions) -> String {
    let Conditions {
        accounts,
        zipf,
        warm_up_s,
        duration_s,
        rounds,
        grow: _,
    } = conditions;
    let mut scenarios: Vec<Scenario> = plan.cases.iter().map(|case| case.scenario).collect();
    scenarios.dedup();
    let names = scenarios.iter().map(|scenario| scenario.name());
    let names = names.collect::<Vec<_>>().join(", ");
    let accounts = match (accounts, zipf) {
        (1, _) => "1 account".to_owned(),
        (accounts, false) => format!("{accounts} accounts"),
        (accounts, true) => format!("{accounts} accounts by Zipf's law"),
    };
    let seconds = if scenarios == [Scenario::Withdraw10k] {
        String::new()
    } else {
        format!("{duration_s} s ")
    };
    let rounds = match rounds {
        1 => String::new(),
        rounds => format!(", medians of {rounds} rounds"),
    };
    format!("{names}: {accounts}, {seconds}after {warm_up_s} s of warm-up{rounds}\n\n")
}

fn titles() -> Vec<String> {
    let figures = COLUMNS.map(|figure| figure.title().to_owned());
    let mut titles = ["scenario", "load", "side"].map(str::to_owned).to_vec();
    titles.extend(figures);
    titles.push("refusals, errors".to_owned());
    titles
}

/// A scenario and its load.
fn case(load: &LoadOutcome) -> [String; 2] {
    [load.scenario.to_owned(), load.load.to_string()]
}

fn row(case: &[String; 2], series: &Series) -> Vec<String> {
    let mut row = case.to_vec();
    row.push(series.name.clone());
    row.extend(COLUMNS.map(|figure| shown(figure, series.median.get(&figure))));
    row.push(others(series.rounds.iter()));
    row
}

fn shown(figure: Figure, value: Option<&f64>) -> String {
    value.map_or_else(unknown, |value| rounded(figure, *value))
}

fn unknown() -> String {
    "-".to_owned()
}

/// With the digits that mean something.
fn rounded(figure: Figure, value: f64) -> String {
    match figure {
        Figure::RequestsPerS | Figure::Wal | Figure::Memory => format!("{value:.0}"),
        Figure::P50 | Figure::P95 | Figure::P99 | Figure::P999 => format!("{value:.3}"),
        Figure::Processor | Figure::Service | Figure::Postgres | Figure::PerCommit => {
            format!("{value:.1}")
        }
    }
}

/// Statuses that are no success, with how often they came in all rounds.
fn others<'m>(rounds: impl Iterator<Item = &'m Measurement>) -> String {
    let mut counts = std::collections::BTreeMap::new();
    for round in rounds {
        let refusals = round.refusals.iter();
        let refusals = refusals.map(|(status, count)| (status.to_string(), count));
        let errors = round
            .errors
            .iter()
            .map(|(name, count)| (name.clone(), count));
        for (name, count) in refusals.chain(errors) {
            let sum: &mut u64 = counts.entry(name).or_default();
            *sum = sum.saturating_add(*count);
        }
    }
    let told = counts
        .iter()
        .map(|(name, count)| format!("{name}: {count}"));
    let told = told.collect::<Vec<String>>().join(", ");
    if told.is_empty() { unknown() } else { told }
}

fn compare(ratio: &Ratio) -> Vec<String> {
    let Ratio {
        figure,
        to,
        min,
        median,
        max,
    } = ratio;
    vec![
        figure.title().to_owned(),
        format!("{median:.3}"),
        format!("{min:.3}–{max:.3}"),
        format!("of {to}"),
    ]
}

fn audit(books: &Books) -> String {
    let Books {
        name,
        accounts,
        entries,
        in_balance,
        promises,
    } = books;
    let Promises {
        acknowledged,
        unknown,
        added,
        lost,
        unpromised,
        twice,
    } = promises;
    let balance = if *in_balance {
        "the books are in balance"
    } else {
        "THE BOOKS ARE NOT IN BALANCE"
    };
    let open = match unknown {
        0 => String::new(),
        unknown => format!(", {unknown} unknown"),
    };
    let verdict = if promises.are_kept() {
        "nothing lost, nothing twice".to_owned()
    } else {
        format!("{lost} LOST, {unpromised} THAT NOBODY WAS PROMISED, {twice} TWICE")
    };
    format!(
        "{name}: {balance} ({accounts} accounts, {entries} entries); {acknowledged} entries acknowledged{open}, {added} \
         added: {verdict}\n"
    )
}

/// The first columns, that are names, to the left, what follows to the right, the last as it is.
fn write_aligned(text: &mut String, names: usize, rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let padded = if column.saturating_add(1) == columns {
                cell.clone()
            } else if column < names {
                format!("{cell:<width$}  ")
            } else {
                format!("{cell:>width$}  ")
            };
            line.push_str(&padded);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}
