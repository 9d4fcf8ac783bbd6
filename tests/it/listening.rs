//! Where the service listens: how that is said, and what happens if somebody else is there.

use std::net::TcpListener;

use crate::support::process::{Ended, Passbook, command, data_dir, path_of, run};

/// Where `passbook health` looks for the service.
fn asked(flags: &[&str], environment: &[(&str, &str)]) -> String {
    let mut command = command();
    command.arg("health").args(flags);
    command.envs(environment.iter().copied());
    let output = command.output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let rest = said.strip_prefix("not healthy: ").unwrap_or_default();
    rest.split(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn an_address_is_said_in_every_usual_form() {
    for (listen, address) in [
        ("1", "127.0.0.1:1"),
        ("localhost:1", "127.0.0.1:1"),
        ("127.0.0.1:1", "127.0.0.1:1"),
        ("[::1]:1", "[::1]:1"),
        ("0.0.0.0:1", "127.0.0.1:1"),
    ] {
        assert_eq!(asked(&["--listen", listen], &[]), address, "{listen}");
    }
    for listen in [":1", "65536", "localhost", "127.0.0.1", "example.org:1", ""] {
        let argument = format!("--listen={listen}");
        let ended = Ended::of(&run(&["serve", &argument]));
        assert!(
            ended.complaint().contains("0.0.0.0:3000 for everybody"),
            "{listen}: {ended:?}"
        );
    }
}

#[test]
fn a_port_counts_if_there_is_no_address() {
    assert_eq!(asked(&[], &[("PORT", "2")]), "127.0.0.1:2");
    assert_eq!(asked(&["--port", "2"], &[("PORT", "x")]), "127.0.0.1:2");
    for port in ["2", "", "abc", "65536"] {
        let said = [("PASSBOOK_LISTEN", "1"), ("PORT", port)];
        assert_eq!(asked(&[], &said), "127.0.0.1:1", "{port}");
        assert_eq!(asked(&["--listen", "1"], &said[1..]), "127.0.0.1:1");
    }
    for port in ["abc", "65536", "-1"] {
        for part in ["serve", "health"] {
            let ended = Ended::of(
                &command()
                    .arg(part)
                    .env("PORT", port)
                    .output()
                    .expect("runs"),
            );
            let complaint = format!("PORT is {port}, which is no port: a number from 0 to 65535");
            assert_eq!(ended.complaint(), format!("passbook: {complaint}"));
        }
    }
}

/// Every one of them, even one that has no empty value, such as a number.
#[test]
fn an_empty_setting_is_not_set() {
    let example = include_str!("../../.env.example");
    let settings = example.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("# ").unwrap_or(line).split_once('=')?;
        let is_name = |letter: char| letter.is_ascii_uppercase() || letter == '_';
        name.chars().all(is_name).then_some((name, ""))
    });
    let settings: Vec<(&str, &str)> = settings.collect();
    assert!(30 < settings.len(), "{settings:?}");
    assert_eq!(asked(&[], &settings), "127.0.0.1:3000");
    let data_dir = data_dir();
    let mut serve = command();
    serve.args(["serve", "--listen", "0", "--data-dir", path_of(&data_dir)]);
    serve.envs(settings);
    Passbook::start(&mut serve).stop();
}

#[test]
fn a_default_is_said_once() {
    let said = run(&["health", "--help"]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert_eq!(said.matches("[default: 3000]").count(), 1, "{said}");
}

#[test]
fn a_taken_port_is_noticed_before_a_cluster_is_created() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let data_dir = data_dir();
    let ended = Ended::of(&run(&[
        "serve",
        "--data-dir",
        path_of(&data_dir),
        "--listen",
        &port,
    ]));
    assert!(
        ended.complaint().contains("another program listens there"),
        "{ended:?}"
    );
    let left = std::fs::read_dir(data_dir.path()).expect("a directory");
    assert_eq!(left.count(), 0, "nothing was begun");
}

#[test]
fn a_log_directive_that_means_nothing_is_refused() {
    for filter in ["verbose", "info,sqlx", "informational,passbook=debug"] {
        let ended = Ended::of(&run(&["health", "--listen", "1", "--log", filter]));
        assert!(
            ended.complaint().contains(" is no level"),
            "{filter}: {ended:?}"
        );
    }
    for filter in [
        "INFO",
        "passbook",
        "passbook::engine,warn",
        "info,sqlx=warn",
        "off",
        "3",
    ] {
        let ended = Ended::of(&run(&["health", "--listen", "1", "--log", filter]));
        assert_eq!(ended.code, Some(1), "{filter}: {ended:?}");
    }
}
