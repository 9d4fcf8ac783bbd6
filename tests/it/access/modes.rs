//! Whether nobody has to say who they are: what is the default where, and what is said of it at the start.

use std::path::Path;

use crate::support::Bank;
use crate::support::process::{Passbook, command, migrated_data_dir, run};

fn path_of(directory: &Path) -> &str {
    directory.to_str().expect("a path of text")
}

/// The line of the banner that says who may come in.
fn access_of(passbook: &Passbook) -> String {
    let mut lines = passbook.banner.iter();
    let line = lines.find(|line| line.trim_start().starts_with("access"));
    line.expect("a line of access").trim().to_owned()
}

async fn status(url: &str, token: Option<&str>) -> u16 {
    let asked = reqwest::Client::new().get(url);
    let asked = token
        .into_iter()
        .fold(asked, reqwest::RequestBuilder::bearer_auth);
    asked.send().await.expect("an answer").status().as_u16()
}

#[tokio::test]
async fn the_embedded_database_is_open_and_any_other_asks_for_a_key() {
    let data_dir = migrated_data_dir();
    let mut serve = command();
    serve.env_remove("PASSBOOK_AUTH");
    serve.args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        path_of(data_dir.path()),
    ]);
    let passbook = Passbook::start(&mut serve);
    assert!(
        access_of(&passbook).contains("open: nobody has to say"),
        "{:?}",
        passbook.banner
    );
    assert_eq!(
        status(&format!("{}/metrics", passbook.url), None).await,
        200
    );
    passbook.stop();

    let bank = Bank::open().await;
    let serve = |database_url: &str| {
        let mut serve = command();
        serve
            .env_remove("PASSBOOK_AUTH")
            .env("DATABASE_URL", database_url);
        serve.args(["serve", "--listen", "127.0.0.1:0"]);
        Passbook::start(&mut serve)
    };
    let passbook = serve(&bank.database_url);
    let said = access_of(&passbook);
    assert!(
        said.contains("passbook keys create NAME --scopes admin makes the first"),
        "{said}"
    );
    let url = format!("{}/api/users/1", passbook.url);
    assert_eq!(status(&url, None).await, 401);
    assert_eq!(
        status(&format!("{}/api/health", passbook.url), None).await,
        200
    );
    // As it says.
    let args = [
        "keys",
        "create",
        "me",
        "--scopes",
        "admin",
        "--json",
        "--database-url",
    ];
    let made = run(&[&args[..], &[&bank.database_url]].concat());
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).expect("JSON");
    let key = made["key"].as_str().expect("a key").to_owned();
    crate::support::eventually("the key is known", async || {
        status(&url, Some(&key)).await == 404
    })
    .await;
    passbook.stop();
    let passbook = serve(&bank.database_url);
    assert!(
        access_of(&passbook).ends_with("by API key or session"),
        "{:?}",
        passbook.banner
    );
    passbook.stop();
    bank.close().await;
}

#[test]
fn what_is_open_and_reached_from_elsewhere_does_not_start_by_accident() {
    let data_dir = migrated_data_dir();
    let listen = [
        "serve",
        "--listen",
        "0.0.0.0:0",
        "--data-dir",
        path_of(data_dir.path()),
    ];
    let refused = run(&listen);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        said.contains("PASSBOOK_AUTH=required") && said.contains("--i-know-this-is-open"),
        "{said}"
    );
    for more in [&["--i-know-this-is-open"][..], &["--auth", "required"]] {
        let mut serve = command();
        Passbook::start(serve.args(listen).args(more)).stop();
    }
}

#[tokio::test]
async fn what_is_everybodys_is_a_setting() {
    let open = Bank::open().await;
    let flags = [
        "--auth=required",
        "--open-metrics",
        "--open-docs",
        "--self-service",
    ];
    let bank = Bank::open_on(&open.database_url, &flags).await;
    for path in ["/metrics", "/docs", "/openapi.json", "/", "/problems"] {
        assert_eq!(bank.get(path).await.status, 200, "{path}");
    }
    let ada = r#"{"name":"Ada","email":"ada@example.org","password":"Secret12"}"#;
    let joined = bank.post("/api/signup", ada).await;
    assert_eq!(joined.status, 200, "{joined:?}");
    assert_eq!(bank.get("/api/users/1").await.status, 401);
    bank.stop().await;
    open.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_shows_its_key() {
    let open = Bank::open().await;
    let bank = Bank::open_on(&open.database_url, &["--auth=required"]).await;
    let made = open
        .make_key(&serde_json::json!({"name": "load", "scopes": ["write"]}))
        .await;
    let key = made["key"].as_str().expect("a key");
    let token = format!("Bearer {key}");
    crate::support::eventually("the key is known", async || {
        let asked = bank.ask(reqwest::Method::GET, "/v1/currencies");
        asked.with("Authorization", &token).send().await.status == 200
    })
    .await;
    let load = |key: Option<&str>| {
        let mut bench = command();
        bench.args([
            "bench",
            "one",
            "--accounts",
            "2",
            "--duration",
            "200ms",
            "--warm-up",
            "0ms",
            "--json",
        ]);
        bench.args(["--url", &bank.url("")]);
        bench.envs(key.map(|key| ("PASSBOOK_API_KEY", key)));
        bench.output().expect("it runs")
    };
    let shown = load(Some(key));
    assert!(shown.status.success(), "{shown:?}");
    assert!(
        !String::from_utf8_lossy(&shown.stdout).contains(key),
        "it says the key"
    );
    let unknown = load(None);
    assert!(!unknown.status.success(), "{unknown:?}");
    let wrong = load(Some("pbk_nonsense"));
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(
        said.contains("is no API key") && !said.contains("nonsense"),
        "{said}"
    );
    bank.stop().await;
    open.close().await;
}
