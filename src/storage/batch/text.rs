//! How parts become one statement.

use super::part::Part;
use crate::storage::clock::SURE;

/// `SURE` has the first parameter, the time of the plan.
const OF_SURE: usize = 1;

/// The statement that writes: first the parts with a guard, then the guards and the clock, then what is added if they are right.
pub(super) fn write<'p>(parts: impl Iterator<Item = &'p Part>) -> String {
    let Pieces {
        mut queries,
        guards,
        additions,
    } = Pieces::of(parts, OF_SURE);
    queries.extend([expected(&guards), SURE.to_owned()]);
    queries.extend(additions);
    format!("with {}\nselect one from sure", queries.join(", "))
}

/// The statement that only looks whether the guards of parts are right.
pub(super) fn look<'p>(parts: impl Iterator<Item = &'p Part>) -> String {
    let Pieces {
        mut queries,
        guards,
        ..
    } = Pieces::of(parts, 0);
    queries.push(expected(&guards));
    format!("with {}\nselect one from expected", queries.join(", "))
}

/// Divides by zero if a guard is wrong, which is the way to raise in plain SQL. The error undoes the statement, and with it the
/// whole batch.
fn expected(guards: &[String]) -> String {
    let guards = if guards.is_empty() {
        "true"
    } else {
        &guards.join("\n        and ")
    };
    format!("expected as (\n    select 1 / (\n        {guards}\n    )::int as one\n)")
}

/// Texts of parts, their parameters moved up.
#[derive(Default)]
struct Pieces {
    queries: Vec<String>,
    guards: Vec<String>,
    additions: Vec<String>,
}

impl Pieces {
    fn of<'p>(parts: impl Iterator<Item = &'p Part>, mut parameters: usize) -> Self {
        let mut pieces = Self::default();
        for part in parts {
            let query = moved_up(part.sql, parameters);
            if let Some(guard) = part.guard {
                pieces.queries.push(query);
                pieces.guards.push(moved_up(guard, parameters));
            } else {
                pieces.additions.push(query);
            }
            parameters += count_parameters(part.sql);
        }
        pieces
    }
}

/// `$2` is `$9` behind seven others.
fn moved_up(sql: &str, by: usize) -> String {
    let mut pieces = sql.split('$');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (number, rest) = numbered(piece);
        text.push_str(&format!("${}{rest}", number + by));
    }
    text
}

/// The highest number of a parameter.
pub(super) fn count_parameters(sql: &str) -> usize {
    let numbers = sql.split('$').skip(1).map(|piece| numbered(piece).0);
    numbers.max().unwrap_or_default()
}

/// The number at the start, and what follows it.
fn numbered(piece: &str) -> (usize, &str) {
    let end = piece.find(|letter: char| !letter.is_ascii_digit());
    let (number, rest) = piece.split_at(end.unwrap_or(piece.len()));
    let number = number
        .parse()
        .expect("in a part, a dollar stands before a number");
    (number, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUND: Part = Part {
        has_rows: |_| true,
        sql: "found as (select $1, $2)",
        guard: Some("$2 = $1"),
        bind: |query, _| query,
    };
    const ADDED: Part = Part {
        sql: "added as (select $10, $1)",
        guard: None,
        ..FOUND
    };

    #[test]
    fn numbers_are_moved_up_behind_the_time_and_the_parts_before() {
        let text = write([&ADDED, &FOUND, &FOUND, &ADDED].into_iter());
        assert_eq!(
            text,
            format!(
                "with found as (select $12, $13), found as (select $14, $15), expected as (
    select 1 / (
        $13 = $12
        and $15 = $14
    )::int as one
), {SURE}, added as (select $11, $2), added as (select $25, $16)
select one from sure"
            )
        );
        assert!(write([&ADDED].into_iter()).contains("        true\n"));
        assert_eq!(
            look([&FOUND, &FOUND].into_iter()),
            "with found as (select $1, $2), found as (select $3, $4), expected as (
    select 1 / (
        $2 = $1
        and $4 = $3
    )::int as one
)
select one from expected"
        );
    }

    #[test]
    fn the_clock_has_the_parameters_that_are_left_for_it() {
        assert_eq!(count_parameters(SURE), OF_SURE);
    }
}
