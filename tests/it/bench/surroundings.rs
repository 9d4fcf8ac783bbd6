//! What is around a benchmark: the files that it is to write, and the environment that it was started in.

use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use super::{SHORT, is_empty};
use crate::support::process::{self, command, path_of, run};

const ONE: [&str; 5] = ["bench", "one", "--duration", "100ms", "--json"];

fn outcome(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let parsed = serde_json::from_str(&text);
    parsed.unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn an_outcome_is_said_even_where_its_plot_cannot_be_written() {
    let (temp_dir, plot) = (process::data_dir(), TempDir::new().expect("a directory"));
    let places = ["--temp-dir", path_of(&temp_dir), "--plot", path_of(&plot)];
    let output = run(&[&ONE[..], &places, &SHORT].concat());
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(outcome(&output)["is_clean"], true, "{output:?}");
    assert!(is_empty(temp_dir.path()), "nothing is left");
}

/// Settings that no service would start with.
#[test]
fn a_service_of_its_own_has_no_settings_from_around() {
    let temp_dir = process::data_dir();
    let mut command = command();
    command.args(ONE).args(SHORT);
    command.args(["--temp-dir", path_of(&temp_dir)]);
    for setting in ["OTEL_TRACES_EXPORTER", "PASSBOOK_LANES", "DATABASE_URL"] {
        command.env(setting, "nonsense");
    }
    let output = command.output().expect("the program runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(outcome(&output)["is_clean"], true, "{output:?}");
}
