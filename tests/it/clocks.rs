//! Services whose clock is wrong: they do not write, say so, and harm nobody.

use std::process::Command;

use passbook::storage::clock::SKEW_MAX;
use reqwest::Client;

use crate::support::faults::Faults;
use crate::support::process::{self, Passbook};
use crate::support::{Bank, Reply, eventually, postgres};

/// Ten years.
pub(crate) const YEARS: i64 = 10 * 365 * 86_400;

/// `passbook serve` on a database, with a clock that can be set.
pub(crate) fn serve(database_url: &str, faults: &Faults) -> Command {
    let mut command = process::command();
    let runtime_url = postgres::as_runtime(database_url);
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--lanes", "2"])
        .args(["--database-url", &runtime_url, "--owner-url", database_url])
        .envs(faults.environment());
    command
}

#[tokio::test]
async fn a_service_whose_clock_is_wrong_does_not_start_and_says_which_way() {
    let database_url = postgres::create_database().await;
    for (seconds, words) in [
        (10, ["10.0 s ahead of", "9.9 s ahead of"]),
        (-10, ["10.0 s behind", "10.1 s behind"]),
        (YEARS, ["3650 days ahead of", "3649 days ahead of"]),
        (-YEARS, ["3650 days behind", "3649 days behind"]),
    ] {
        let faults = Faults::new();
        faults.set_clock(seconds);
        let ended = Passbook::spawn(&mut serve(&database_url, &faults)).end();
        let complaint = ended.complaint();
        assert!(
            words.iter().any(|words| complaint.contains(words)),
            "{seconds}: {complaint}"
        );
    }
    Bank::open_on(&database_url, &[]).await.close().await;
}

#[tokio::test]
async fn a_clock_that_goes_wrong_stops_writes_until_it_is_right_again() {
    let database_url = postgres::create_database().await;
    let right = Bank::open_on(&database_url, &[]).await;
    let user = right.user("100").await;
    for seconds in [10, -15] {
        let faults = Faults::new();
        let passbook = Passbook::start(&mut serve(&database_url, &faults));
        let url = format!("{}/api/users/{}/balance", passbook.url, user.id);
        assert_eq!(deposit(&url).await.status, 200);

        faults.set_clock(seconds);
        let reply = deposit(&url).await;
        assert_eq!(reply.status, 503, "{seconds}: {reply:?}");
        assert!(reply.text.contains("nothing was applied"), "{reply:?}");
        let way = if 0 < seconds { "ahead of" } else { "behind" };
        let complaint = format!("{way} the database's");
        // Each lane tries ten times a second, and a kind of line is let through once.
        let said = passbook.logged(&complaint);
        assert!((1..=12).contains(&said), "{said} times");
        let metrics = reqwest::get(format!("{}/metrics", passbook.url)).await;
        let metrics = Reply::of(metrics.expect("an answer")).await.text;
        let skew = metrics
            .lines()
            .find_map(|line| line.strip_prefix("passbook_database_clock_skew_seconds "))
            .and_then(|number| number.parse::<f64>().ok())
            .expect("a number");
        assert!(SKEW_MAX.as_secs_f64() < skew.abs(), "{skew}");
        assert_eq!(skew < 0.0, 0 < seconds, "{skew}");
        // Nobody else is disturbed.
        assert_eq!(user.change("1").await.status, 200);

        // What waits is planned again when the clock is right, and carried out.
        let asked = tokio::spawn({
            let url = url.clone();
            async move { deposit(&url).await }
        });
        eventually("a lane knows", async || is_away(&passbook).await).await;
        faults.set_clock(0);
        let reply = asked.await.expect("it does not panic");
        assert_eq!(reply.status, 200, "{seconds}: {reply:?}");
        passbook.stop();
    }
    assert_eq!(user.balance().await, "106.00");
    let far = "select count(*) from entries where created_at not between now() - interval '1 hour' and now() + interval '1 second'";
    assert_eq!(right.number(far).await, 0);
    right.close().await;
}

/// Whether no lane is connected.
pub(crate) async fn is_away(passbook: &Passbook) -> bool {
    let health = reqwest::get(format!("{}/api/health", passbook.url)).await;
    health.is_ok_and(|health| health.status() == 503)
}

async fn deposit(url: &str) -> Reply {
    let request = Client::new().put(url).body(r#"{"amount":1}"#);
    let request = request.header("Content-Type", "application/json");
    Reply::of(request.send().await.expect("an answer")).await
}
