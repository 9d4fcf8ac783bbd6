//! What the documents show is what a reader gets: their `console` blocks and the story of the clients run here.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::Bank;
use crate::support::process::{Passbook, migrated_data_dir, path_of, run};

/// The address in the documents.
const ADDRESS: &str = "http://127.0.0.1:3000";
/// Stands for what differs each time, within a line.
const ANY: char = '…';
/// What ends the output of a command.
const END: &str = "-- end of a command --";
/// What the commands of a document mean here: `make` has built the program already, and curl shows no progress.
const MEANINGS: &str = r#"
curl() { command curl -sS --max-time 30 "$@"; echo; }
make() {
    case $1 in
        run) printf '%s\n' "$BANNER" ;;
        verify) "$PASSBOOK" verify --data-dir "$DATA_DIR" ;;
        *) echo "make $1: not known to this test" ;;
    esac
}
"#;

/// A command, and what it prints.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    command: String,
    output: Vec<String>,
}

/// The commands of all `console` blocks. A command goes on behind a backslash at the end of its line.
fn steps(document: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut in_block = false;
    let mut in_command = false;
    for line in document.lines() {
        if line.starts_with("```") {
            in_block = line == "```console";
            in_command = false;
        } else if in_block {
            if let Some(command) = line.strip_prefix("$ ") {
                let (command, output) = (command.to_owned(), Vec::new());
                steps.push(Step { command, output });
                in_command = line.ends_with('\\');
            } else {
                let step = steps.last_mut().expect("a command before its output");
                if in_command {
                    step.command.push('\n');
                    step.command.push_str(line);
                    in_command = line.ends_with('\\');
                } else {
                    step.output.push(line.to_owned());
                }
            }
        }
    }
    steps
}

/// Whether a line is the one shown, `…` being any text.
fn is_as_shown(shown: &str, line: &str) -> bool {
    let mut parts = shown.split(ANY);
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

/// Where the lines are not those shown.
fn difference(step: &Step, printed: &str) -> Option<String> {
    let printed: Vec<&str> = printed.lines().filter(|line| !line.is_empty()).collect();
    let is_same = printed.len() == step.output.len()
        && step
            .output
            .iter()
            .zip(&printed)
            .all(|(shown, line)| is_as_shown(shown, line));
    (!is_same).then(|| format!("{step:#?}\nprinted\n{printed:#?}"))
}

/// Runs the commands of a document one after the other in one shell, as a reader would who has just started a ledger.
fn follow(path: &str) {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let document = fs::read_to_string(document).expect("a document");
    let data_dir = migrated_data_dir();
    let passbook = Passbook::serve(&["--data-dir", path_of(&data_dir)]);
    let here = document
        .replace(ADDRESS, &passbook.url)
        .replace("/home/you/.local/share/passbook", path_of(&data_dir))
        .replace("PostgreSQL 15.18", "PostgreSQL …");
    let steps = steps(&here);
    assert!(!steps.is_empty(), "{path} has commands");

    let commands = steps
        .iter()
        .map(|step| format!("{}\necho '{END}'\n", step.command));
    let script = format!("exec 2>&1\n{MEANINGS}{}", commands.collect::<String>());
    let reader = TempDir::new().expect("a directory");
    let said = Command::new("sh")
        .args(["-c", &script])
        .current_dir(reader.path())
        .env("BANNER", passbook.banner.join("\n"))
        .env("PASSBOOK", env!("CARGO_BIN_EXE_passbook"))
        .env("DATA_DIR", path_of(&data_dir))
        .stdin(Stdio::null())
        .output()
        .expect("sh runs");
    let said = String::from_utf8(said.stdout).expect("a text");
    let printed: Vec<&str> = said.split(END).collect();
    assert_eq!(printed.len(), steps.len() + 1, "{path}: {said}");
    for (step, printed) in steps.iter().zip(printed) {
        if let Some(difference) = difference(step, printed) {
            panic!("{path}: {difference}");
        }
    }
    let verified = run(&["verify", "--data-dir", path_of(&data_dir)]);
    assert!(verified.status.success(), "{verified:?}");
    passbook.stop();
}

#[test]
fn a_reader_of_the_readme_gets_what_it_shows() {
    follow("README.md");
}

#[test]
fn a_reader_of_the_dialects_gets_what_they_show() {
    follow("docs/dialects.md");
}

#[test]
fn what_a_document_shows_is_held_line_by_line() {
    let block = "```console\n$ curl a \\\n    b\n{\"id\":…}\n$ x=1\n```\n```sh\n$ no\n```\n$ no\n";
    let [first, second] = &steps(block)[..] else {
        panic!("two commands: {block}");
    };
    assert_eq!(first.command, "curl a \\\n    b");
    assert_eq!(difference(first, "\n{\"id\":17}\n\n"), None);
    for other in ["", "{\"id\":17", "{\"id\":17}\n{\"id\":18}", "\"id\":17}"] {
        assert!(difference(first, other).is_some(), "{other}");
    }
    assert_eq!((second.command.as_str(), second.output.len()), ("x=1", 0));
    assert!(difference(second, "1").is_some());

    for (shown, line) in [("a…b…c", "a1b2c"), ("…", ""), ("a", "a"), ("a…", "a")] {
        assert!(is_as_shown(shown, line), "{shown}: {line}");
    }
    for (shown, line) in [("a…b…c", "a1c2b"), ("a", "ab"), ("a…b", "b"), ("", "a")] {
        assert!(!is_as_shown(shown, line), "{shown}: {line}");
    }
}

/// Runs the clients' story by curl; the other languages are for `make clients`.
fn tell(bank: &Bank, script: &Path) -> Output {
    Command::new(script.join("run.sh"))
        .arg("curl")
        .env("PASSBOOK_URL", format!("http://{}", bank.app.listen()))
        .stdin(Stdio::null())
        .output()
        .expect("sh runs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_of_the_clients_is_told_as_it_is() {
    let bank = Bank::open().await;
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("loadtest/clients");
    let told = tell(&bank, &clients);
    assert!(told.status.success(), "{told:?}");

    // Another answer than the story's is noticed.
    let copy = TempDir::new().expect("a directory");
    for name in ["run.sh", "curl.sh", "story.txt"] {
        fs::copy(clients.join(name), copy.path().join(name)).expect("a copy");
    }
    let story = fs::read_to_string(clients.join("story.txt")).expect("a story");
    let other = story.replace(r#""CurrentVersion":3}"#, r#""CurrentVersion":4}"#);
    assert_ne!(story, other);
    fs::write(copy.path().join("story.txt"), other).expect("a story");
    let told = tell(&bank, copy.path());
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    let said = String::from_utf8_lossy(&told.stderr);
    assert!(said.contains(r#"{"error":"Version mismatch","CurrentVersion":3}"#));
    bank.close().await;
}
