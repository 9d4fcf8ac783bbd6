//! The source of this repository as text, also without what is no code.

use std::fs;
use std::path::Path;

/// Every file of a kind under a directory of the repository: path and text.
pub(super) fn files(directory: &str, extension: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut directories = vec![root.join(directory)];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|end| end == extension) {
                let name = path.strip_prefix(root).expect("under the root");
                let text = fs::read_to_string(&path).expect("a text");
                found.push((name.display().to_string(), text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "there is something in {directory}");
    found
}

pub(super) fn sources() -> Vec<(String, String)> {
    [files("src", "rs"), files("tests", "rs")].concat()
}

pub(super) fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files whose imports count: tests may look wherever they like.
pub(super) fn layered() -> Vec<(String, String)> {
    let mut sources = files("src", "rs");
    sources.retain(|(path, _)| !path.ends_with("/tests.rs") && !path.contains("/tests/"));
    sources
}

/// The text without comments, without what stands in quotes, and without tests.
pub(super) fn code(text: &str) -> String {
    let text = without_quotes(text);
    let mut code = String::new();
    let mut in_tests = false;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let opens = lines
            .peek()
            .is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'));
        in_tests |= line == "#[cfg(test)]" && opens;
        if !in_tests {
            code.push_str(line);
            code.push('\n');
        }
        // rustfmt puts the end of a module at the margin.
        in_tests &= line != "}";
    }
    code
}

pub(super) fn without_quotes(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = quoted_length(rest, kept.chars().next_back());
        if skipped == 0 {
            kept.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            // Words on both sides stay apart, and lines stay lines.
            kept.push(if rest.starts_with("//") { '\n' } else { ' ' });
            rest = &rest[skipped..];
        }
    }
    kept
}

/// How many bytes a comment, a string or a character takes at the start of the text; 0 where none starts there.
fn quoted_length(text: &str, before: Option<char>) -> usize {
    let until = |start: usize, end: &str| {
        let found = text[start..].find(end);
        found.map_or(text.len(), |at| start + at + end.len())
    };
    let starts_word = !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    if text.starts_with("//") {
        until(0, "\n")
    } else if text.starts_with("/*") {
        until(2, "*/")
    } else if starts_word && (text.starts_with("r\"") || text.starts_with("r#\"")) {
        let marks = text[1..].bytes().take_while(|byte| *byte == b'#').count();
        until(marks + 2, &format!("\"{}", "#".repeat(marks)))
    } else if let Some(string) = text.strip_prefix('"') {
        let mut is_escaped = false;
        let end = string.find(|letter| {
            let ends = letter == '"' && !is_escaped;
            is_escaped = letter == '\\' && !is_escaped;
            ends
        });
        end.map_or(text.len(), |at| at + 2)
    } else if text.starts_with("'\\") {
        until(3, "'")
    } else if text.starts_with('\'') && text.chars().nth(2) == Some('\'') {
        2 + text.chars().nth(1).map_or(0, char::len_utf8)
    } else {
        // A lone apostrophe is a lifetime.
        0
    }
}
