//! The results as a table, for people.

use crate::bench::{Books, Figure, Measurement, Outcome, Plan, Ratio, Series};

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

/// Rows, comparisons, and the audit.
pub(super) fn describe(plan: &Plan, outcome: &Outcome) -> String {
    let mut text = headline(plan, outcome);
    let mut rows = vec![titles()];
    for load in &outcome.loads {
        let sides = load.sides.iter();
        rows.extend(sides.map(|side| row(&load.load.to_string(), side)));
    }
    rows.extend(outcome.pgbench.iter().map(|series| row("", series)));
    write_aligned(&mut text, &rows);
    for load in &outcome.loads {
        if load.ratios.is_empty() {
            continue;
        }
        text.push_str(&format!(
            "\n{}, how many times (median, least to most):\n",
            load.load
        ));
        let ratios: Vec<Vec<String>> = load.ratios.iter().map(compare).collect();
        write_aligned(&mut text, &ratios);
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

fn headline(plan: &Plan, outcome: &Outcome) -> String {
    let name = outcome.scenario;
    let seconds = plan.duration.as_secs_f64();
    let warm_up = plan.warm_up.as_secs_f64();
    let rounds = match plan.rounds {
        1 => String::new(),
        rounds => format!(", medians of {rounds} rounds"),
    };
    if plan.scenario.is_fixed() && plan.scenario.connections() != [1] {
        return format!("{name}: after {warm_up} s of warm-up{rounds}\n\n");
    }
    format!("{name}: {seconds} s after {warm_up} s of warm-up{rounds}\n\n")
}

fn titles() -> Vec<String> {
    let figures = COLUMNS.map(|figure| figure.title().to_owned());
    let mut titles = vec!["load".to_owned(), "side".to_owned()];
    titles.extend(figures);
    titles.push("refusals, errors".to_owned());
    titles
}

fn row(load: &str, series: &Series) -> Vec<String> {
    let mut row = vec![load.to_owned(), series.name.clone()];
    row.extend(COLUMNS.map(|figure| {
        let median = series.median.get(&figure);
        median.map_or_else(|| "-".to_owned(), |median| rounded(figure, *median))
    }));
    row.push(others(&series.rounds));
    row
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
fn others(rounds: &[Measurement]) -> String {
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
    if told.is_empty() {
        "-".to_owned()
    } else {
        told
    }
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
        acknowledged,
        unknown,
        added,
        lost,
        unaccounted,
    } = books;
    let balance = if *in_balance {
        "the books are in balance"
    } else {
        "THE BOOKS ARE NOT IN BALANCE"
    };
    let open = match unknown {
        0 => String::new(),
        unknown => format!(", {unknown} unknown"),
    };
    let verdict = if *lost == 0 && *unaccounted == 0 {
        "nothing lost, nothing twice".to_owned()
    } else {
        format!("{lost} LOST, {unaccounted} THAT NOBODY WAS PROMISED")
    };
    format!(
        "{name}: {balance} ({accounts} accounts, {entries} entries); {acknowledged} entries acknowledged{open}, {added} \
         added: {verdict}\n"
    )
}

/// The first two columns to the left, what follows to the right, the last as it is.
fn write_aligned(text: &mut String, rows: &[Vec<String>]) {
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
            } else if column < 2 {
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
