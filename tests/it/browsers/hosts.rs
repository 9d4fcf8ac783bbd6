//! Names under which the service is asked: a page that makes its own name lead here reads nothing.

use passbook::http::operations;

use super::{assert_refused, open};
use crate::support::process::{Passbook, command, data_dir, path_of};
use crate::support::{Bank, Reply};

const REFUSED: &str = "This service does not answer to that Host, see PASSBOOK_HOSTS";

/// Names that can only be this machine, or that are set.
const EXPECTED: [&str; 11] = [
    "localhost",
    "LOCALHOST:9",
    "localhost.",
    "127.0.0.1",
    "127.0.0.1:3000",
    "127.1.2.3:80",
    "[::1]",
    "[::1]:3000",
    "[::ffff:127.0.0.1]:80",
    "bank.example",
    "Bank.Example.:443",
];

const ODD: [&str; 17] = [
    "evil.example",
    "evil.example:3000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "sub.localhost",
    "sub.bank.example",
    "bank.example.evil",
    "10.0.0.1",
    "0.0.0.0",
    "0.0.0.0:3000",
    "[::]",
    "[fe80::1]",
    "2130706433",
    "localhost@evil.example",
    "localhost, evil.example",
    "<script>alert(1)</script>",
    "",
];

async fn get(bank: &Bank, path: &str, host: &str, headers: &str) -> Reply {
    let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
    bank.send_bytes(head.as_bytes()).await
}

#[tokio::test]
async fn on_a_loopback_address_only_known_names_are_answered() {
    let (bank, _) = open(&["--hosts", "bank.example, [2001:db8::1]"]).await;
    for host in EXPECTED.into_iter().chain(["[2001:DB8::1]:80"]) {
        assert_eq!(
            get(&bank, "/api/users/1", host, "").await.status,
            200,
            "{host}"
        );
    }
    for host in ODD {
        // What a proxy says does not count: a page that has a name which leads here can say it as well.
        for headers in [
            "",
            "X-Forwarded-Host: localhost\r\nForwarded: host=localhost\r\n",
        ] {
            let reply = get(&bank, "/api/users/1", host, headers).await;
            assert_refused(&reply, "/api/users/1", 421, REFUSED);
        }
    }
    let line = "GET http://evil.example/api/users/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(bank.send_bytes(line.as_bytes()).await.status, 421);
    let old = "GET /api/users/1 HTTP/1.0\r\n\r\n";
    assert_eq!(
        bank.send_bytes(old.as_bytes()).await.status,
        200,
        "no name at all"
    );
    bank.close().await;
}

#[tokio::test]
async fn every_path_refuses_an_odd_name_in_its_own_shape() {
    let (bank, cookie) = open(&["--allow-reset"]).await;
    let before = crate::bad_input::state(&bank).await;
    let nowhere = [
        ("GET", "/nothing"),
        ("GET", "/api/users/1/nothing"),
        ("OPTIONS", "/event"),
    ];
    for (method, path) in operations().chain(nowhere) {
        let target = path.replace("{id}", "1");
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n{cookie}"
        );
        let request = format!("{head}Content-Length: 2\r\n\r\n{{}}");
        let reply = bank.send_bytes(request.as_bytes()).await;
        assert_refused(&reply, path, 421, REFUSED);
    }
    assert_eq!(crate::bad_input::state(&bank).await, before);
    bank.close().await;
}

#[tokio::test]
async fn the_page_never_repeats_an_odd_name() {
    let (bank, _) = open(&["--hosts", "bank.example"]).await;
    let page = async |host: &str, headers: &str| {
        get(&bank, "/", host, &format!("Accept: text/html\r\n{headers}")).await
    };
    let own = bank.url("");
    for (host, headers, shown) in [
        ("localhost:8080", "", "http://localhost:8080"),
        (
            "BANK.example",
            "X-Forwarded-Proto: https\r\n",
            "https://bank.example",
        ),
        (
            "bank.example",
            "X-Forwarded-Host: evil.example\r\n",
            own.as_str(),
        ),
        (
            "bank.example",
            "Forwarded: host=evil.example\r\n",
            own.as_str(),
        ),
        (
            "localhost",
            "X-Forwarded-Proto: javascript\r\n",
            "http://localhost",
        ),
    ] {
        let reply = page(host, headers).await;
        assert!(
            reply.text.contains(&format!("<code>{shown}</code>")),
            "{host} {headers}"
        );
        assert!(
            reply
                .text
                .contains(&format!("curl -X POST '{shown}/event'")),
            "{host} {headers}"
        );
        assert!(!reply.text.contains("evil"), "{host} {headers}");
    }
    for host in ODD.into_iter().filter(|host| !host.is_empty()) {
        let reply = page(host, "").await;
        assert_eq!(reply.status, 421, "{host}");
        assert!(!reply.text.contains(host), "{host}");
    }
    let listed = get(&bank, "/docs/dialects.md", "localhost", "").await;
    assert_eq!(listed.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(listed.text, include_str!("../../../docs/dialects.md"));
    assert!(
        page("localhost", "")
            .await
            .text
            .contains(r#"<a href="/docs/dialects.md">"#)
    );
    bank.close().await;
}

/// Where the network reaches the service, its names are not known, unless they are set.
#[tokio::test]
async fn elsewhere_names_are_checked_if_they_are_set() {
    let data_dir = data_dir();
    for (hosts, evil, set) in [(None, "200", "200"), (Some("bank.example"), "421", "200")] {
        let mut serve = command();
        serve.args([
            "serve",
            "--listen",
            "0.0.0.0:0",
            "--i-know-this-is-open",
            "--data-dir",
            path_of(&data_dir),
        ]);
        if let Some(hosts) = hosts {
            serve.env("PASSBOOK_HOSTS", hosts);
        }
        let passbook = Passbook::start(&mut serve);
        let url = passbook.url.replace("0.0.0.0", "127.0.0.1");
        let client = reqwest::Client::new();
        for (host, status) in [
            ("evil.example", evil),
            ("bank.example", set),
            ("127.0.0.1:1", "200"),
        ] {
            let request = client
                .get(format!("{url}/api/users/1"))
                .header("Host", host);
            let reply = Reply::of(request.send().await.expect("an answer")).await;
            assert_eq!(reply.status.to_string(), status, "{hosts:?} {host}");
        }
        let health = command()
            .args(["health", "--listen", &passbook.url["http://".len()..]])
            .output();
        assert!(health.expect("it runs").status.success(), "{hosts:?}");
        passbook.stop();
    }
}

#[test]
fn a_name_that_is_none_is_refused_at_the_start() {
    for (flag, value) in [
        ("--hosts", "http://bank.example"),
        ("--hosts", "bank.example:3000"),
        ("--hosts", "a b"),
        ("--hosts", "*"),
        ("--hosts", "::1"),
        ("--cors-origins", "*"),
        ("--cors-origins", "null"),
        ("--cors-origins", "shop.example"),
        ("--cors-origins", "https://shop.example/"),
        ("--cors-origins", "https://*.example"),
        ("--cors-origins", "https://a.example,,https://b.example"),
    ] {
        let ended = crate::support::process::run(&["serve", flag, value]);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(2), "{flag} {value}: {said}");
        assert!(
            said.contains("not an origin") || said.contains("not the name"),
            "{said}"
        );
    }
}
