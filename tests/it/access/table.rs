//! The table of who is answered what, kept beside the test and in the documentation.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Who asks, in the order of the columns.
pub(super) const WHO: [&str; 10] = [
    "nothing",
    "garbage",
    "expired",
    "revoked",
    "read",
    "write",
    "admin",
    "owner",
    "other",
    "elsewhere",
];

/// Where it is kept for readers.
const PAGE: &str = "docs/access.md";
const BEGIN: &str = "<!-- the matrix: written by `make matrix` -->";
const END: &str = "<!-- the end of the matrix -->";

/// An operation, and the status that each of them is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) statuses: Vec<u16>,
}

/// The rows as the page has them.
pub(super) fn kept() -> Vec<Row> {
    let page = fs::read_to_string(path()).expect("the page");
    let (_, rest) = page.split_once(BEGIN).expect("a matrix begins");
    let (table, _) = rest.split_once(END).expect("a matrix ends");
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(read).collect()
}

pub(super) fn write(rows: &[Row]) {
    let page = fs::read_to_string(path()).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("a matrix begins");
    let (_, after) = rest.split_once(END).expect("a matrix ends");
    let mut table = format!("| operation | {} |\n|---", WHO.join(" | "));
    table.push_str(&"|---".repeat(WHO.len()));
    table.push_str("|\n");
    for row in rows {
        let statuses: Vec<String> = row.statuses.iter().map(u16::to_string).collect();
        writeln!(table, "| `{}` | {} |", row.name, statuses.join(" | ")).expect("a text");
    }
    let page = format!("{before}{BEGIN}\n\n{table}\n{END}{after}");
    fs::write(path(), page).expect("written");
}

fn path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)
}

fn read(line: &str) -> Row {
    let mut cells = line.trim_matches('|').split('|').map(str::trim);
    let name = cells
        .next()
        .expect("an operation")
        .trim_matches('`')
        .to_owned();
    let statuses = cells.map(|cell| cell.parse().expect("a status"));
    Row {
        name,
        statuses: statuses.collect(),
    }
}
