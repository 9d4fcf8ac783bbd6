//! The list of dependencies, held against what cargo makes of Cargo.toml.

use std::process::Command;

use serde_json::Value;

use super::assert_tidy;
use super::source::read;

const LIST: &str = "docs/dependencies.md";
/// The headings of the list, each with what cargo calls the kind of dependency below it.
const HEADINGS: [(&str, Option<&str>); 3] = [
    ("The program", None),
    ("The build", Some("build")),
    ("The tests", Some("dev")),
];

/// A dependency: under which heading it belongs, its crate and the licence of that.
type Row = (String, String, String);

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {complaint}");
    String::from_utf8(output.stdout).expect("a text")
}

/// What this machine's build depends on. Crates of other machines alone need not be here.
fn metadata() -> Value {
    let version = cargo(&["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.expect("cargo says which machine it is for");
    let text = cargo(&[
        "metadata",
        "--locked",
        "--format-version=1",
        "--filter-platform",
        host,
    ]);
    serde_json::from_str(&text).expect("JSON")
}

/// The direct dependencies.
fn depended(metadata: &Value) -> Vec<Row> {
    let find = |list: &Value, id: &Value| -> Value {
        let mut all = list.as_array().expect("a list").iter();
        all.find(|one| one["id"] == *id)
            .expect("it is there")
            .clone()
    };
    let root = find(&metadata["resolve"]["nodes"], &metadata["resolve"]["root"]);
    let mut rows = Vec::new();
    for dependency in root["deps"].as_array().expect("a list") {
        let package = find(&metadata["packages"], &dependency["pkg"]);
        let text = |field: &str| package[field].as_str().unwrap_or_default().to_owned();
        for kind in dependency["dep_kinds"].as_array().expect("a list") {
            let kind = kind["kind"].as_str();
            let heading = HEADINGS.iter().find(|(_, of)| *of == kind);
            let (heading, _) = heading.expect("a kind that has a heading");
            rows.push(((*heading).to_owned(), text("name"), text("license")));
        }
    }
    rows
}

/// What the list says, and what is wrong with how it says it.
fn listed(list: &str) -> (Vec<Row>, Vec<String>) {
    let (mut rows, mut complaints): (Vec<Row>, Vec<String>) = (Vec::new(), Vec::new());
    let mut under = "";
    for line in list.lines() {
        under = line.strip_prefix("## ").unwrap_or(under);
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let is_row = line.starts_with("| ") && cells.first() != Some(&"crate");
        if !is_row {
            continue;
        }
        let &[name, reason, licence] = cells.as_slice() else {
            complaints.push(format!("{LIST}: a row is crate, reason, licence: {line}"));
            continue;
        };
        if reason.is_empty() {
            complaints.push(format!("{LIST} does not say what {name} is for"));
        }
        if rows
            .last()
            .is_some_and(|(of, last, _)| of == under && name <= last.as_str())
        {
            complaints.push(format!("{LIST}: {name} is out of order, or there twice"));
        }
        rows.push((under.to_owned(), name.to_owned(), licence.to_owned()));
    }
    (rows, complaints)
}

fn unexplained(depended: &[Row], list: &str) -> Vec<String> {
    let (listed, mut complaints) = listed(list);
    let told = |(under, name, licence): &Row| format!("{name} ({licence}) under “{under}”");
    let missing = depended.iter().filter(|row| !listed.contains(row));
    complaints.extend(missing.map(|row| format!("{LIST} does not name {}", told(row))));
    let needless = listed.iter().filter(|row| !depended.contains(row));
    complaints.extend(needless.map(|row| format!("{LIST} names {}, which is none", told(row))));
    complaints
}

#[test]
fn every_dependency_has_its_reason_and_its_licence_and_nothing_else_is_listed() {
    assert_tidy(unexplained(&depended(&metadata()), &read(LIST)));

    let row =
        |under: &str, name: &str, licence: &str| [under, name, licence].map(str::to_owned).into();
    let depended: [Row; 3] = [
        row("The program", "a", "MIT"),
        row("The program", "b", "ISC"),
        row("The tests", "a", "MIT"),
    ];
    let complaints = |program: &str, tests: &str| {
        let head = "| crate | for | licence |\n|---|---|---|\n";
        let list = format!("# D\n## The program\n{head}{program}\n## The tests\n{head}{tests}\n");
        unexplained(&depended, &list).len()
    };
    let (a, b) = ("| a | x | MIT |", "| b | y | ISC |");
    assert_eq!(complaints(&format!("{a}\n{b}"), a), 0);
    for (program, tests, count) in [
        (a.to_owned(), a.to_owned(), 1),
        (format!("{a}\n{b}"), format!("{a}\n{b}"), 1),
        (format!("{b}\n{a}"), a.to_owned(), 1),
        (format!("{a}\n{b}\n{b}"), a.to_owned(), 1),
        (format!("{a}\n| b | | ISC |"), a.to_owned(), 1),
        (format!("{a}\n{b}"), "| a | x |".to_owned(), 2),
        (format!("{a}\n| b | y | MIT |"), a.to_owned(), 2),
    ] {
        assert_eq!(complaints(&program, &tests), count, "{program}\n{tests}");
    }
}
