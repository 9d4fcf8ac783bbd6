//! The same request under the same key, many times at once: one of them acts, and all of them hear the same.

use reqwest::Method;

use super::run::Run;
use crate::support::bank::at_once;
use crate::support::{Bank, Reply};

/// Storms in the shortest run.
const STORMS: u64 = 20;
const COPIES: usize = 64;

/// A request, and the status of its answer: some move money, some open something, some are refused.
type Request = (Method, String, String, u16);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn storms_of_one_key() {
    let mut run = Run::of("storms");
    let here = Bank::open().await;
    let there = Bank::open_on(&here.database_url, &[]).await;
    let rich = here.user("1000000000").await.id;
    let storms = run.times(STORMS);
    for storm in 0..storms {
        let key = format!("storm-{storm}");
        let (method, path, body, status) = request(storm, rich, run.rng.u64(1..100));
        let entries = here.number("select count(*) from entries").await;
        let copies = (0..COPIES).map(|copy| {
            let bank = if copy % 2 == 0 { &here } else { &there };
            let asked = bank.ask(method.clone(), &path).once(key.as_str());
            asked.body(&body).send()
        });
        let replies: Vec<Reply> = at_once(copies).await;
        let first = replies.iter().filter(|reply| !reply.is_replayed());
        assert_eq!(
            first.count(),
            1,
            "one acts: {path} {body}; {}",
            run.replay()
        );
        for reply in &replies {
            assert_eq!(
                (reply.status, &reply.text),
                (status, &replies[0].text),
                "{path} {body}; {}",
                run.replay()
            );
        }
        let made = here.number("select count(*) from entries").await - entries;
        let expected = match status {
            400 | 422 => 0,
            _ if body.contains("transfer") => 2,
            _ => 1,
        };
        assert_eq!(made, expected, "{path} {body}; {}", run.replay());
        run.count("storms", 1);
        run.count("requests in storms", COPIES as u64);
        run.progress(storm + 1, storms);
    }
    there.stop().await;
    here.close().await;
    run.end();
}

fn request(storm: u64, rich: i64, amount: u64) -> Request {
    let balance = format!("/api/users/{rich}/balance");
    let event = |body: String, status| (Method::POST, "/event".to_owned(), body, status);
    match storm % 6 {
        0 => (
            Method::PUT,
            balance,
            format!(r#"{{"amount":-{amount}}}"#),
            200,
        ),
        1 => (
            Method::PUT,
            balance,
            format!(r#"{{"amount":{amount}}}"#),
            200,
        ),
        2 => (
            Method::PUT,
            balance,
            r#"{"amount":-9999999999}"#.to_owned(),
            400,
        ),
        3 => (
            Method::POST,
            "/api/users".to_owned(),
            format!(r#"{{"balance":{amount}}}"#),
            201,
        ),
        4 => event(
            format!(r#"{{"type":"deposit","destination":"storm-{storm}","amount":1000}}"#),
            201,
        ),
        _ => event(
            format!(
                r#"{{"type":"transfer","origin":"storm-{}","destination":"eye-{storm}","amount":{amount}}}"#,
                storm - 1
            ),
            201,
        ),
    }
}
