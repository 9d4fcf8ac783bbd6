//! The rules of the house that no compiler knows, held against the source.

mod containers;
mod dependencies;
mod documents;
mod layers;
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use self::source::{layered, read, sources, without_quotes};

const LINES_MAX: usize = 500;
const ARCHITECTURE_LINES_MAX: usize = 150;

/// Names that say nothing.
const NAMES: [&str; 6] = ["utils", "common", "helpers", "models", "types", "handlers"];

/// Fails with every complaint at once.
fn assert_tidy(complaints: impl IntoIterator<Item = String>) {
    let complaints: Vec<String> = complaints.into_iter().collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// The file that must name a file's module, in whichever of its places; none for the root of a program or a library.
fn parents(path: &str) -> Vec<String> {
    if ["src/lib.rs", "src/main.rs", "tests/it/main.rs"].contains(&path) {
        return Vec::new();
    }
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    ["/mod.rs", "/lib.rs", "/main.rs", ".rs"]
        .map(|end| format!("{directory}{end}"))
        .to_vec()
}

/// A file that no `mod` names is not compiled, and nobody notices.
fn unnamed_module(path: &str, all: &[(String, String)]) -> Option<String> {
    let parents = parents(path);
    let stem = path.trim_end_matches(".rs").trim_end_matches("/mod");
    let name = stem.rsplit('/').next()?;
    let is_named = all
        .iter()
        .filter(|(file, _)| parents.contains(file))
        .any(|(_, text)| {
            let lines = without_quotes(text);
            lines.lines().any(|line| {
                let line = line.trim();
                let is_public = line.starts_with("pub") && line.ends_with(&format!(" mod {name};"));
                is_public || line == format!("mod {name};")
            })
        });
    (!parents.is_empty() && !is_named).then(|| format!("{path}: no `mod` names it"))
}

fn missing_purpose(path: &str, text: &str) -> Option<String> {
    let purpose = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("//! "));
    let says = purpose.is_some_and(|purpose| !purpose.trim().is_empty());
    (!says).then(|| format!("{path}: its first line does not say what it is for"))
}

fn too_long(path: &str, text: &str, lines_max: usize) -> Option<String> {
    let lines = text.lines().count();
    (lines_max < lines).then(|| format!("{path}: {lines} lines, of at most {lines_max}"))
}

fn empty_name(path: &str, text: &str) -> Option<String> {
    let in_path = path
        .trim_end_matches(".rs")
        .split('/')
        .any(|name| NAMES.contains(&name));
    let code = without_quotes(text);
    let inside = code.lines().any(|line| {
        let name = line
            .split("mod ")
            .nth(1)
            .and_then(|rest| rest.split([' ', ';']).next());
        name.is_some_and(|name| NAMES.contains(&name))
    });
    (in_path || inside).then(|| format!("{path}: a module's name says what it is about"))
}

/// The environment variables that the source reads.
fn settings(text: &str) -> BTreeSet<&str> {
    let declared = text.split("env = \"").skip(1);
    declared.filter_map(|rest| rest.split('"').next()).collect()
}

/// The environment variables that the example names for the program; what is below the line is for the compose file alone.
fn examples(text: &str) -> BTreeSet<&str> {
    let ours = text
        .split("# --- docker compose only ---")
        .next()
        .unwrap_or_default();
    let lines = ours.lines().map(|line| line.trim_start_matches(['#', ' ']));
    let names = lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name);
    let is_name = |name: &&str| {
        let capital = |letter: char| letter.is_ascii_uppercase() || letter == '_';
        !name.is_empty() && name.chars().all(capital)
    };
    names.filter(is_name).collect()
}

fn unexplained_settings(config: &str, example: &str) -> Vec<String> {
    let (settings, examples) = (settings(config), examples(example));
    let missing = settings.difference(&examples);
    let missing = missing.map(|name| format!(".env.example does not name {name}"));
    let unknown = examples.difference(&settings);
    let unknown = unknown.map(|name| format!(".env.example names {name}, which is no setting"));
    missing.chain(unknown).collect()
}

/// `V<number>__<name>.sql`: what refinery does not understand it passes over without a word.
fn odd_migration(path: &str) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let parts = name
        .strip_prefix('V')
        .and_then(|name| name.strip_suffix(".sql"));
    let is_well = parts
        .and_then(|name| name.split_once("__"))
        .is_some_and(|(number, name)| {
            let plain = |letter: char| {
                letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'
            };
            number
                .parse::<u32>()
                .is_ok_and(|number| 0 < number && !name.starts_with('_'))
                && !name.is_empty()
                && name.chars().all(plain)
        });
    (!is_well).then(|| format!("{path}: a migration is named V<number>__<name>.sql"))
}

#[test]
fn every_file_is_named_by_a_mod() {
    let all = sources();
    assert_tidy(
        all.iter()
            .filter_map(|(path, _)| unnamed_module(path, &all)),
    );

    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let some = [
        file("src/lib.rs", "pub mod a;\n// mod b;\n"),
        file("src/a/mod.rs", "pub(crate) mod c;\npub(super) mod e;\n"),
        file("tests/it/main.rs", "mod d;\n"),
    ];
    for named in [
        "src/lib.rs",
        "src/a/mod.rs",
        "src/a/c.rs",
        "src/a/e.rs",
        "tests/it/main.rs",
        "tests/it/d.rs",
    ] {
        assert_eq!(unnamed_module(named, &some), None);
    }
    for forgotten in [
        "src/b.rs",
        "src/c.rs",
        "src/a/d.rs",
        "src/c/mod.rs",
        "tests/it/a.rs",
        "tests/a.rs",
    ] {
        assert!(unnamed_module(forgotten, &some).is_some(), "{forgotten}");
    }
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    let all = sources();
    let purposes = all
        .iter()
        .filter_map(|(path, text)| missing_purpose(path, text));
    let lengths = all
        .iter()
        .filter_map(|(path, text)| too_long(path, text, LINES_MAX));
    assert_tidy(purposes.chain(lengths));

    assert_eq!(missing_purpose("a.rs", "//! Says what it is for.\n"), None);
    for text in [
        "",
        "use std::fs;\n",
        "// Says it.\n",
        "\n//! Says it.\n",
        "//!\n",
        "//! \n",
    ] {
        assert!(missing_purpose("a.rs", text).is_some(), "{text:?}");
    }
    assert_eq!(too_long("a.rs", &"\n".repeat(LINES_MAX), LINES_MAX), None);
    assert!(too_long("a.rs", &"\n".repeat(LINES_MAX + 1), LINES_MAX).is_some());
}

#[test]
fn no_module_has_a_name_that_says_nothing() {
    assert_tidy(
        sources()
            .iter()
            .filter_map(|(path, text)| empty_name(path, text)),
    );

    for (path, text) in [
        ("src/http/handlers.rs", ""),
        ("src/ledger/types/mod.rs", ""),
        ("tests/it/common/mod.rs", ""),
        ("src/ledger/mod.rs", "pub mod models;"),
        ("src/ledger/mod.rs", "mod helpers {"),
    ] {
        assert!(empty_name(path, text).is_some(), "{path}: {text}");
    }
    assert_eq!(
        empty_name("src/ledger/money.rs", "// mod utils;\nmod tests {"),
        None
    );
}

#[test]
fn every_setting_is_explained_and_nothing_else() {
    let config = read("src/config.rs");
    assert_tidy(unexplained_settings(&config, &read(".env.example")));
    let declared = settings(&config);
    let elsewhere = layered();
    let elsewhere = elsewhere.iter().flat_map(|(_, text)| settings(text));
    assert_eq!(elsewhere.collect::<BTreeSet<&str>>(), declared, "read once");

    let config = "#[arg(env = \"DATABASE_URL\")]\n#[arg(long, env = \"PASSBOOK_LANES\")]";
    let line = "# --- docker compose only ---";
    let complaints = |example: &str| unexplained_settings(config, example).len();
    assert_eq!(complaints("# Why.\nDATABASE_URL=\n# PASSBOOK_LANES=2\n"), 0);
    assert_eq!(
        complaints(&format!(
            "DATABASE_URL=\nPASSBOOK_LANES=2\n{line}\nPORT=1\n"
        )),
        0
    );
    assert_eq!(complaints("DATABASE_URL=\n# PASSBOOK_LANES\n"), 1);
    assert_eq!(
        complaints(&format!("DATABASE_URL=\n{line}\nPASSBOOK_LANES=2\n")),
        1
    );
    assert_eq!(
        complaints("DATABASE_URL=\nPASSBOOK_LANES=2\n#PASSBOOK_LANE=2\n"),
        1
    );
}

#[test]
fn the_map_of_the_code_is_short() {
    let path = "docs/ARCHITECTURE.md";
    assert_tidy(too_long(path, &read(path), ARCHITECTURE_LINES_MAX));
}

#[test]
fn migrations_are_named_so_that_refinery_sees_them() {
    let all = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations"));
    let all = all
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name());
    let all: Vec<String> = all
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    assert_tidy(all.iter().filter_map(|name| odd_migration(name)));
    let number = |name: &String| name.split("__").next().unwrap_or_default().to_owned();
    let numbers: BTreeSet<String> = all.iter().map(number).collect();
    assert_eq!(numbers.len(), all.len(), "one migration a number: {all:?}");

    for odd in [
        "V1_a.sql",
        "V__a.sql",
        "1__a.sql",
        "V1__.sql",
        "V1__A b.sql",
        "V0__a.sql",
        "V1__a.txt",
        "U1__a.sql",
    ] {
        assert!(odd_migration(odd).is_some(), "{odd}");
    }
    assert_eq!(odd_migration("migrations/V12__holds_2.sql"), None);
}
