//! Where the service listens: how that is said, and what happens if somebody else is there.

use std::net::TcpListener;

use crate::support::process::{Ended, command, data_dir, path_of, run};

/// Where `passbook health` looks for the service.
fn asked(flags: &[&str], port: Option<&str>) -> String {
    let mut command = command();
    command.arg("health").args(flags);
    command.envs(port.map(|port| ("PORT", port)));
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
        assert_eq!(asked(&["--listen", listen], None), address, "{listen}");
        assert_eq!(asked(&["--listen", listen], Some("2")), address, "{listen}");
    }
    assert_eq!(asked(&[], Some("2")), "127.0.0.1:2");
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
