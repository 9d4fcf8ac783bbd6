//! The rules of the house for documents: short lines and sentences, links that lead somewhere, and nothing left out.

use std::path::Path;

use super::source::{files, layered, read};
use super::{assert_tidy, too_long};

const COLUMNS_MAX: usize = 120;
const README_LINES_MAX: usize = 160;
const WORDS_MAX: usize = 25;
const COLONS_MAX: usize = 1;
const MAP: &str = "docs/ARCHITECTURE.md";
const LIMITS: &str = "docs/limits.md";

/// Every document: path and text.
fn documents() -> Vec<(String, String)> {
    let top = [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
    ];
    let top = top.map(|path| (path.to_owned(), read(path)));
    let folders = ["docs", "loadtest"].map(|folder| files(folder, "md"));
    top.into_iter().chain(folders.concat()).collect()
}

/// The lines, and of each whether it stands in a block of code.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str, bool)> {
    let mut in_code = false;
    text.lines().enumerate().map(move |(at, line)| {
        let is_fence = line.starts_with("```");
        in_code ^= is_fence;
        (at + 1, line, in_code || is_fence)
    })
}

fn wide_lines(path: &str, text: &str) -> Vec<String> {
    let wide = lines(text).filter(|(_, line, _)| COLUMNS_MAX < line.chars().count());
    wide.map(|(at, line, _)| format!("{path}:{at}: {} columns", line.chars().count()))
        .collect()
}

/// The text between what is quoted as code.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<&str>>().join("x")
}

/// What brackets and parentheses beside each other lead to.
fn links(text: &str) -> Vec<String> {
    let prose = lines(text).filter(|(_, _, in_code)| !in_code);
    let found = prose.flat_map(|(_, line, _)| {
        let line = without_code(line);
        let targets = line.split("](").skip(1);
        let targets = targets.filter_map(|rest| rest.split_once(')'));
        let mut targets: Vec<String> = targets.map(|(target, _)| target.to_owned()).collect();
        if line.starts_with('[') {
            targets.extend(line.split_once("]: ").map(|(_, target)| target.to_owned()));
        }
        targets
    });
    found.collect()
}

/// The name of a heading in links: in lower case, without marks, with dashes for blanks.
fn anchors(text: &str) -> Vec<String> {
    let headings = lines(text).filter(|(_, line, in_code)| !in_code && line.starts_with('#'));
    let anchor = |(_, heading, _): (usize, &str, bool)| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading
            .chars()
            .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        kept.map(|letter| if letter == ' ' { '-' } else { letter })
            .collect()
    };
    headings.map(anchor).collect()
}

fn broken_links(path: &str, text: &str, fetch: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let is_broken = |link: &String| {
        if link.starts_with("https://") {
            return false;
        }
        let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
        let target = if file.is_empty() {
            Some(text.to_owned())
        } else {
            fetch(&format!("{folder}/{file}"))
        };
        let leads = |target: String| {
            anchor.is_empty() || anchors(&target).iter().any(|other| other == anchor)
        };
        !target.is_some_and(leads)
    };
    let broken = links(text).into_iter().filter(is_broken);
    broken
        .map(|link| format!("{path}: {link} leads nowhere"))
        .collect()
}

/// A file of the repository, by a path in which `..` may stand.
fn file(path: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path.trim_start_matches('/'));
    std::fs::read_to_string(path).ok()
}

/// Paragraphs and items of lists, each in one line; no headings, tables or code.
fn paragraphs(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut goes_on = false;
    for (_, line, in_code) in lines(text) {
        let line = line.trim();
        let starts = line.starts_with("- ")
            || line
                .split_once(". ")
                .is_some_and(|(number, _)| number.parse::<u8>().is_ok());
        let is_prose = !in_code
            && !line.is_empty()
            && !line.starts_with(['|', '#'])
            && !line.contains("]: ../");
        if !is_prose {
            goes_on = false;
            continue;
        }
        match found.last_mut() {
            Some(last) if goes_on && !starts => {
                last.push(' ');
                last.push_str(line);
            }
            Some(_) | None => found.push(line.trim_start_matches("- ").to_owned()),
        }
        goes_on = true;
    }
    found
}

/// A sentence ends with a point before a blank, if what follows can begin one.
fn sentences(paragraph: &str) -> Vec<String> {
    let text = without_code(paragraph).replace("](", "] (");
    let mut found = vec![String::new()];
    let mut ended = false;
    for word in text.split_whitespace() {
        let begins = word
            .trim_start_matches(['(', '*', '“', '['])
            .starts_with(|letter: char| letter.is_uppercase() || letter.is_numeric());
        if ended && (begins || word.starts_with(['x', '['])) {
            found.push(String::new());
        }
        let end = word.trim_end_matches([')', '*', '”']);
        ended = end.ends_with(['.', '!', '?']);
        let is_target =
            word.starts_with('(') && word.contains(['/', '#', '.']) && word.contains("md");
        if !is_target && word.contains(char::is_alphanumeric) {
            let last = found.last_mut().expect("one");
            last.push(' ');
            last.push_str(word);
        }
    }
    found
}

fn long_sentences(path: &str, text: &str) -> Vec<String> {
    let sentences = paragraphs(text)
        .into_iter()
        .flat_map(|text| sentences(&text));
    let complaint = |sentence: String| {
        let words = sentence.split_whitespace();
        let (words, colons) = (
            words.clone().count(),
            words.filter(|word| word.ends_with(':')).count(),
        );
        let is_long = WORDS_MAX < words || COLONS_MAX < colons;
        is_long.then(|| format!("{path}: {words} words, {colons} colons:{sentence}"))
    };
    sentences.filter_map(complaint).collect()
}

/// The folders of the source that the map does not name; a folder within another stands below it or by its whole path.
fn unmapped(map: &str, paths: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut folders: Vec<String> = paths
        .into_iter()
        .filter_map(|path| Some(path.rsplit_once('/')?.0.to_owned()))
        .filter(|folder| folder != "src")
        .collect();
    folders.sort();
    folders.dedup();
    let is_mapped = |folder: &String| {
        let (above, name) = folder.rsplit_once('/').unwrap_or(("", folder));
        let part = map
            .split("\nsrc/")
            .find(|part| format!("src/{part}").starts_with(&format!("{above}/")));
        map.contains(&format!("\n{folder}/ "))
            || part.is_some_and(|part| part.contains(&format!(" {name}/")))
    };
    folders.retain(|folder| !is_mapped(folder));
    folders
        .into_iter()
        .map(|folder| format!("{MAP} does not name {folder}"))
        .collect()
}

/// The limits in a file, by the names of their constants. Those of the load generator and of tests are for nobody else.
fn limits<'t>(path: &str, text: &'t str) -> Vec<&'t str> {
    let elsewhere = ["src/bench/", "src/cli/bench/"];
    let tests = ["_properties.rs", "_tests.rs", "/tests.rs"];
    if elsewhere.iter().any(|start| path.starts_with(start))
        || tests.iter().any(|end| path.ends_with(end))
    {
        return Vec::new();
    }
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let names = code.lines().filter_map(|line| {
        let (name, _) = line.split_once("const ")?.1.split_once(':')?;
        name.ends_with("_MAX").then_some(name)
    });
    names.collect()
}

fn unlisted_limits(list: &str, path: &str, text: &str) -> Vec<String> {
    let short = path.trim_start_matches("src/");
    let missing = limits(path, text).into_iter().filter(|name| {
        let is_named = |line: &&str| line.contains(&format!("{name}`"));
        let is_listed = list
            .split("\n\n")
            .flat_map(|part| {
                if part.starts_with('|') {
                    part.lines().collect::<Vec<&str>>()
                } else {
                    vec![part]
                }
            })
            .filter(is_named)
            .any(|line| line.contains(&format!("`{short}`")));
        !is_listed
    });
    missing
        .map(|name| format!("{LIMITS} does not name `{name}`, `{short}`"))
        .collect()
}

#[test]
fn documents_have_short_lines_and_sentences() {
    let all = documents();
    assert_tidy(all.iter().flat_map(|(path, text)| {
        let mut complaints = wide_lines(path, text);
        complaints.extend(long_sentences(path, text));
        complaints
    }));
    assert_tidy(wide_lines(".env.example", &read(".env.example")));
    assert_tidy(too_long("README.md", &read("README.md"), README_LINES_MAX));

    assert_eq!(wide_lines("a", &"…".repeat(COLUMNS_MAX)).len(), 0);
    assert_eq!(wide_lines("a", &"…".repeat(COLUMNS_MAX + 1)).len(), 1);
    let words = |count: usize| "word ".repeat(count);
    for fine in [
        format!("{}end. Then {}end.", words(24), words(23)),
        format!("- {}\n- {}", words(25), words(25)),
        format!(
            "| {} |\n# {}\n```\n{}\n```",
            words(30),
            words(30),
            words(30)
        ),
        format!("One: two. `a`: {}", words(20)),
        format!("{}`a b c d` [a](b.md#c).", words(23)),
    ] {
        assert_eq!(long_sentences("a", &fine), Vec::<String>::new());
    }
    for long in [
        words(26),
        format!("{}\n{}", words(13), words(13)),
        format!("{}e.g. {}", words(13), words(13)),
        "One: two, three: four.".to_owned(),
    ] {
        assert_eq!(long_sentences("a", &long).len(), 1, "{long}");
    }
}

#[test]
fn links_of_documents_lead_somewhere() {
    let all = documents();
    assert_tidy(
        all.iter()
            .flat_map(|(path, text)| broken_links(path, text, file)),
    );
    let count: usize = all.iter().map(|(_, text)| links(text).len()).sum();
    assert!(20 < count, "there are links: {count}");

    let fetch = |path: &str| (path == "docs/b.md").then(|| "# Two `roles`, here\n".to_owned());
    let broken = |text: &str| broken_links("docs/a.md", text, fetch).len();
    let fine = "# A\n[a](#a), [b](b.md), [c](b.md#two-roles-here), [d](https://e.f)\n[`x`]: b.md\n`[e](no.md)`";
    assert_eq!(broken(fine), 0);
    assert_eq!(broken("[a](c.md)"), 1);
    assert_eq!(broken("# A\n[a](#b)"), 1);
    assert_eq!(broken("[a](b.md#roles)"), 1);
    assert_eq!(broken("[`x`]: c.md"), 1);
}

#[test]
fn every_folder_is_on_the_map_and_every_limit_in_the_list() {
    let all = layered();
    let paths = || all.iter().map(|(path, _)| path.clone());
    assert_tidy(unmapped(&read(MAP), paths()));
    let list = read(LIMITS);
    assert_tidy(
        all.iter()
            .flat_map(|(path, text)| unlisted_limits(&list, path, text)),
    );

    let map = "\nsrc/a/  one\n    b/, c/: two\nsrc/d/  three\n";
    let unmapped = |path: &str| unmapped(map, [path.to_owned()]).len();
    for path in [
        "src/main.rs",
        "src/a/x.rs",
        "src/a/b/x.rs",
        "src/a/c/x.rs",
        "src/d/x.rs",
    ] {
        assert_eq!(unmapped(path), 0, "{path}");
    }
    for path in ["src/b/x.rs", "src/d/b/x.rs", "src/e/x.rs", "src/a/e/x.rs"] {
        assert_eq!(unmapped(path), 1, "{path}");
    }

    let unlisted = |list: &str| {
        let text = "const A_MAX: u8 = 1;\n#[cfg(test)]\nmod tests {\nconst B_MAX: u8 = 2;\n";
        unlisted_limits(list, "src/a/b.rs", text).len()
    };
    assert_eq!(unlisted("| a | 1 | `A_MAX`, `a/b.rs` |\n"), 0);
    assert_eq!(unlisted("Both `A_MAX` and others,\nin `a/b.rs`.\n"), 0);
    assert_eq!(
        unlisted("| a | 1 | `A_MAX`, `a/c.rs` |\n| a | 1 | `C_MAX`, `a/b.rs` |\n"),
        1
    );
    assert_eq!(unlisted(""), 1);
}
