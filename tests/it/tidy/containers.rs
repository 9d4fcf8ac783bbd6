//! The containers: built from what the source needs, and run with no rights that they do not need.

use super::assert_tidy;
use super::source::{files, layered, read};

const RECIPE: &str = "Dockerfile";
const COMPOSE: &str = "docker-compose.yml";
/// What takes away what `docker-compose.yml` holds back, wherever it stands.
const LOOSE: [&str; 7] = [
    "privileged:",
    "cap_add:",
    "unconfined",
    "pid:",
    "ipc:",
    "network_mode:",
    "docker.sock",
];

/// The services of a compose file, each with its lines.
fn services(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    let all = text.lines().skip_while(|line| *line != "services:").skip(1);
    for line in all.take_while(|line| line.is_empty() || line.starts_with([' ', '#'])) {
        let name = line
            .strip_prefix("  ")
            .and_then(|line| line.strip_suffix(':'));
        match (name, found.last_mut()) {
            (Some(name), _) if !name.starts_with([' ', '#']) => found.push((name, Vec::new())),
            (_, Some((_, lines))) => lines.push(line.trim()),
            (_, None) => {}
        }
    }
    found
}

/// `wanted`: lines that a service needs besides those that all need.
fn loose_service(name: &str, lines: &[&str], wanted: &[&str]) -> Vec<String> {
    let all = [
        "cap_drop: [ALL]",
        "security_opt: [\"no-new-privileges:true\"]",
    ];
    let missing = all
        .iter()
        .chain(wanted)
        .filter(|line| !lines.contains(line));
    let missing = missing.map(|line| format!("{COMPOSE}: {name} needs `{line}`"));
    let ports = lines.iter().skip_while(|line| **line != "ports:").skip(1);
    let ports = ports.take_while(|line| line.starts_with("- "));
    let open = ports.filter(|port| !port.starts_with("- \"127.0.0.1:"));
    let open =
        open.map(|port| format!("{COMPOSE}: {name} is open to others than this machine: {port}"));
    missing.chain(open).collect()
}

fn loosened(path: &str, text: &str) -> Vec<String> {
    let found = text.lines().filter(|line| {
        let line = line.trim();
        !line.starts_with('#') && LOOSE.iter().any(|loose| line.contains(loose))
    });
    found
        .map(|line| format!("{path} takes more than it needs: {}", line.trim()))
        .collect()
}

/// A number, as the system that runs an image cannot look a name up.
fn runs_as_somebody_else(recipe: &str) -> Option<String> {
    let last = recipe.rsplit("\nFROM ").next().unwrap_or_default();
    let mut users = last.lines().filter_map(|line| line.strip_prefix("USER "));
    let user = users.next_back().and_then(|user| user.split(':').next());
    let is_nobody = user.is_some_and(|user| user.parse::<u32>().is_ok_and(|id| 1_000 <= id));
    (!is_nobody).then(|| format!("{RECIPE} ends as {user:?}, not as a number that is nobody's"))
}

#[test]
fn no_container_has_rights_that_it_does_not_need() {
    let compose = read(COMPOSE);
    let found = services(&compose);
    let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["passbook", "postgres"]);
    // The image of Passbook says its user itself. PostgreSQL's begins as root, unless it is told not to.
    let wanted: [&[&str]; 2] = [&["read_only: true"], &["user: postgres"]];
    let held = found.iter().zip(wanted);
    let mut complaints: Vec<String> = held
        .flat_map(|((name, lines), wanted)| loose_service(name, lines, wanted))
        .collect();
    let mut composed = files("deploy", "yml");
    composed.retain(|(path, _)| path.contains("/compose."));
    composed.push((COMPOSE.to_owned(), compose.clone()));
    complaints.extend(
        composed
            .iter()
            .flat_map(|(path, text)| loosened(path, text)),
    );
    complaints.extend(runs_as_somebody_else(&read(RECIPE)));
    assert_tidy(complaints);

    let tight = "cap_drop: [ALL]\n    security_opt: [\"no-new-privileges:true\"]\n";
    let complaints_of = |service: &str| {
        let text = format!("name: x\nservices:\n  a:\n    {service}\nvolumes:\n  b:\n");
        let found = services(&text);
        assert_eq!(found.len(), 1, "{text}");
        loose_service(found[0].0, &found[0].1, &["user: b"]).len()
    };
    assert_eq!(
        complaints_of(&format!(
            "user: b\n    {tight}    ports:\n      - \"127.0.0.1:1:1\""
        )),
        0
    );
    assert_eq!(complaints_of(tight), 1);
    assert_eq!(complaints_of("user: b"), 2);
    assert_eq!(
        complaints_of(&format!("user: b\n    {tight}    ports:\n      - \"1:1\"")),
        1
    );
    assert_eq!(
        loosened("a", "  # privileged: true\n  cap_drop: [ALL]").len(),
        0
    );
    assert_eq!(
        loosened("a", "  privileged: true\n  - seccomp:unconfined").len(),
        2
    );
    for (recipe, complains) in [
        ("FROM a\nUSER 0\nFROM b\nUSER 10001:10001\n", false),
        ("FROM a\nUSER 10001\nFROM b\n", true),
        ("FROM a\nUSER 10001\nUSER 0:0\n", true),
        ("FROM a\nUSER passbook\n", true),
    ] {
        assert_eq!(
            runs_as_somebody_else(recipe).is_some(),
            complains,
            "{recipe}"
        );
    }
}

#[test]
fn the_compose_file_says_the_encoding_whatever_language_the_image_speaks() {
    let text = read(COMPOSE);
    let mut lines = text.lines().map(str::trim);
    let arguments = lines.find_map(|line| line.strip_prefix("POSTGRES_INITDB_ARGS: "));
    let arguments: Vec<&str> = arguments.unwrap_or_default().split(' ').collect();
    assert!(arguments.contains(&"--encoding=UTF8"), "{arguments:?}");
}

/// What the program takes in from outside its own folder has to be where an image is built as well.
#[test]
fn the_image_is_built_from_whatever_the_source_takes_in() {
    let taken = |text: &str| -> Vec<String> {
        let quoted = text.split("include_str!(\"").skip(1);
        let quoted = quoted.filter_map(|rest| rest.split('"').next());
        let outside = quoted.filter(|path| path.starts_with("../../"));
        outside
            .map(|path| path.trim_start_matches("../").to_owned())
            .collect()
    };
    let (recipe, context) = (read(RECIPE), read(".dockerignore"));
    let all = layered();
    let taken: Vec<String> = all.iter().flat_map(|(_, text)| taken(text)).collect();
    assert!(!taken.is_empty(), "the reference of the dialects at least");
    assert_tidy(taken.into_iter().filter_map(|path| {
        let is_there = recipe.contains(&format!("COPY {path} {path}\n"))
            && context.contains(&format!("\n!{path}\n"));
        (!is_there).then(|| format!("{RECIPE} or .dockerignore leaves out {path}"))
    }));
}
