//! Every status in the document is produced, in the type and the shape that it says; and no other is.

use std::collections::BTreeSet;

use passbook::http::writes;
use reqwest::Method;
use serde_json::json;

use super::document::Document;
use super::examples::{furnished, sign_in};
use super::native;
use super::rows::rows;
use crate::support::bank::at_once;
use crate::support::peer::Peer;
use crate::support::{Bank, Reply, eventually, postgres};

/// Operations with a status that each was seen to answer with.
#[derive(Default)]
struct Seen(BTreeSet<(String, u16)>);

impl Seen {
    /// Holds an answer against the document.
    fn add(&mut self, document: &Document, name: &str, status: u16, reply: &Reply) {
        assert_eq!(reply.status, status, "{name}: {reply:?}");
        document.check(name, reply);
        self.0.insert((name.to_owned(), status));
    }
}

#[tokio::test]
async fn every_status_in_the_document_is_produced() {
    let bank = furnished().await;
    let document = Document::of(&bank).await;
    let mut seen = Seen::default();
    told(&bank, &document, &mut seen).await;
    strangers(&bank, &document, &mut seen).await;
    bodies(&bank, &document, &mut seen).await;
    slow_bodies(&bank, &document, &mut seen).await;
    for (name, status, reply) in native::answers(&bank, &document).await {
        seen.add(&document, &name, status, &reply);
    }
    not_let_in(&bank, &document, &mut seen).await;
    nobody_may_reset(&document, &mut seen).await;
    bank.close().await;
    without_database(&document, &mut seen).await;

    let all = document.names().flat_map(|name| {
        let statuses = document.statuses(&name);
        statuses
            .into_iter()
            .map(move |status| (name.clone(), status))
    });
    let missing: Vec<_> = all.filter(|status| !seen.0.contains(status)).collect();
    assert!(missing.is_empty(), "described and never seen: {missing:#?}");
}

async fn told(bank: &Bank, document: &Document, seen: &mut Seen) {
    let token = sign_in(bank).await;
    for row in rows() {
        let is_member = document.is_for_members(row.name) && row.status != 401;
        let mut asked = row.asked.ask(bank, is_member.then_some(token.as_str()));
        if let Some((header, value)) = row.header {
            asked = asked.with(header, value);
        }
        seen.add(document, row.name, row.status, &asked.send().await);
    }
}

/// Who asks from where nobody may: another host, and the page of another site.
async fn strangers(bank: &Bank, document: &Document, seen: &mut Seen) {
    for (status, header, value) in [
        (421, "Host", "elsewhere.example"),
        (403, "Sec-Fetch-Site", "cross-site"),
    ] {
        let names = document.with_status(status);
        // What only reads is for the pages of other sites too.
        let writes: Vec<String> = writes()
            .map(|(method, path)| format!("{method} {path}"))
            .collect();
        let names = names.filter(|name| header == "Host" || writes.contains(name));
        for name in names {
            for example in document.examples(&name) {
                let reply = example.ask(bank, None).with(header, value).send().await;
                seen.add(document, &name, status, &reply);
            }
        }
    }
}

/// A body that is too long, and one that nobody can decode.
async fn bodies(bank: &Bank, document: &Document, seen: &mut Seen) {
    let long = " ".repeat(65 * 1024);
    for name in document.with_status(413) {
        let [example, ..] = &document.examples(&name)[..] else {
            unreachable!("one at least");
        };
        let reply = example.ask(bank, None).body(&long).send().await;
        seen.add(document, &name, 413, &reply);
    }
    for name in document.with_status(415) {
        for example in document.examples(&name) {
            let asked = example.ask(bank, None).with("Content-Encoding", "br");
            seen.add(document, &name, 415, &asked.send().await);
        }
    }
}

/// A body that does not come, for all operations at once.
async fn slow_bodies(bank: &Bank, document: &Document, seen: &mut Seen) {
    let names: Vec<String> = document.with_status(408).collect();
    let replies = at_once(names.iter().map(async |name| {
        let example = document.examples(name).remove(0);
        let mut peer = Peer::connect(&bank.url("")).await;
        let head = format!(
            "{} {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{{",
            example.method, example.target
        );
        peer.send(head.as_bytes()).await;
        peer.reply().await.expect("an answer")
    }));
    for (name, reply) in names.iter().zip(replies.await) {
        seen.add(document, name, 408, &reply);
    }
}

/// Who shows nothing, and who may not, where nobody comes in unknown.
async fn not_let_in(bank: &Bank, document: &Document, seen: &mut Seen) {
    let required = Bank::open_on(&bank.database_url, &["--auth=required"]).await;
    let elsewhere = json!({"name": "elsewhere", "scopes": ["read"], "books": ["events"]});
    let elsewhere = bank.make_key(&elsewhere).await;
    let key = elsewhere["key"].as_str().expect("a key").to_owned();
    eventually("the key is known", async || {
        let reply = required.ask(Method::GET, "/v1/currencies");
        let reply = reply.with("Authorization", &format!("Bearer {key}"));
        reply.send().await.status == 200
    })
    .await;
    for name in document.with_status(401) {
        let example = document.examples(&name).remove(0);
        if name != "POST /api/signin" {
            let reply = example.ask(&required, None).send().await;
            seen.add(document, &name, 401, &reply);
        }
        // What one of them may, the other may not. Asked for its own end, a session is over.
        let mut reply = example.ask(&required, Some(&key)).send().await;
        if reply.status != 403 {
            let token = sign_in(bank).await;
            reply = example.ask(&required, Some(&token)).send().await;
        }
        if reply.status == 403 {
            seen.add(document, &name, 403, &reply);
        }
    }
    required.stop().await;
}

async fn nobody_may_reset(document: &Document, seen: &mut Seen) {
    let bank = Bank::open_with(&["--allow-reset=false"]).await;
    let reply = bank.post("/reset", "").await;
    seen.add(document, "POST /reset", 404, &reply);
    bank.close().await;
}

/// Every request that needs the database, once it is away and everybody has noticed.
async fn without_database(document: &Document, seen: &mut Seen) {
    let bank = furnished().await;
    let token = sign_in(&bank).await;
    let required = Bank::open_on(&bank.database_url, &["--auth=required"]).await;
    let key = bank.make_key(&json!({"name": "late"})).await;
    let key = key["key"].as_str().expect("a key").to_owned();
    let name = bank.database_url.split(['/', '?']).nth(3);
    let name = name.expect("a database in the URL").to_owned();
    let allow = |allowed: bool| format!("alter database {name} allow_connections {allowed}");
    let away = format!(
        "{}; select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'",
        allow(false)
    );
    postgres::execute(postgres::server(), &away).await;
    eventually("the lane notices", async || {
        drop(bank.post("/accounts", "").await);
        !bank.app.service().is_healthy()
    })
    .await;
    let names: Vec<String> = document.with_status(503).collect();
    let replies = at_once(names.iter().map(|name| {
        let token = document.is_for_members(name).then_some(token.as_str());
        let asked = document.examples(name).remove(0).ask(&bank, token);
        if document.takes_key(name) {
            asked.once(name.replace(' ', ":").as_str()).send()
        } else {
            asked.send()
        }
    }));
    for (name, reply) in names.iter().zip(replies.await) {
        // What does not need the database is answered, as long as keys are known.
        if reply.status == 503 {
            seen.add(document, name, 503, &reply);
        }
    }
    eventually("nobody knows of keys any more", async || {
        let reply = required.ask(Method::GET, "/metrics");
        let reply = reply.with("Authorization", &format!("Bearer {key}"));
        reply.send().await.status == 503
    })
    .await;
    for name in document.with_status(401) {
        let example = document.examples(&name).remove(0);
        let reply = example.ask(&required, Some(&key)).send().await;
        if name != "POST /api/signin" {
            seen.add(document, &name, 503, &reply);
        }
    }
    required.stop().await;
    postgres::execute(postgres::server(), &allow(true)).await;
    eventually("the lane is connected again", async || {
        bank.app.service().is_healthy()
    })
    .await;
    bank.close().await;
}
