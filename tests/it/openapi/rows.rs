//! How each status of each operation is got, as `rows.txt` says.

use super::document::Example;

/// A request, and the status that it is answered with.
pub(super) struct Row {
    /// The operation, as the document names it.
    pub(super) name: &'static str,
    pub(super) status: u16,
    pub(super) asked: Example,
    pub(super) header: Option<(&'static str, &'static str)>,
}

/// In their order, as some build on others.
pub(super) fn rows() -> impl Iterator<Item = Row> {
    let lines = include_str!("rows.txt").lines();
    lines.filter(|line| !line.starts_with('#')).map(row)
}

fn row(line: &'static str) -> Row {
    let mut parts = line.splitn(5, '|');
    let mut next = || parts.next().unwrap_or_default();
    let (name, status, target, header, body) = (next(), next(), next(), next(), next());
    let (method, path) = name.split_once(' ').expect("a method and a path");
    let target = if target.is_empty() { path } else { target };
    Row {
        name,
        status: status.parse().expect("a status"),
        asked: Example {
            method: method.parse().expect("a method"),
            target: target.to_owned(),
            body: (!body.is_empty()).then(|| ("application/json".to_owned(), body.to_owned())),
            headers: Vec::new(),
        },
        header: header.split_once(": "),
    }
}
