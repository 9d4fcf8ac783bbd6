//! The connection is lost in the middle of a commit: whether it happened or not, each command is applied once.

use std::time::{Duration, Instant};

use reqwest::Method;

use crate::support::bank::at_once;
use crate::support::proxy::{Cut, Door, Proxy};
use crate::support::{Bank, eventually};

#[tokio::test]
async fn an_answer_that_was_lost_is_found_by_the_transaction_ids() {
    lose(Cut::Answer).await;
}

#[tokio::test]
async fn a_request_that_was_lost_is_sent_again_under_the_same_ids() {
    lose(Cut::Request).await;
}

#[tokio::test]
async fn a_session_that_began_with_its_user_is_found_with_them() {
    for cut in [Cut::Request, Cut::Answer] {
        let (proxy, direct) = Proxy::to_new_database().await;
        let bank = Bank::open_on(&proxy.database_url, &["--lanes", "1"]).await;
        proxy.cut_next(cut);
        let ada = r#"{"name":"ada","email":"ada@example.org","password":"Secret12"}"#;
        let reply = bank.post("/api/signup", ada).await;
        assert_eq!((reply.status, proxy.cuts()), (200, 1), "{reply:?}");
        let cookie = [("Cookie", reply.headers["set-cookie"].as_str())];
        let accounts = bank.send(Method::GET, "/api/accounts", &cookie, None).await;
        assert_eq!(accounts.status, 200, "{accounts:?}");
        assert_eq!(bank.number("select count(*) from sessions").await, 1);
        bank.stop().await;
        Bank::open_on(&direct, &[]).await.close().await;
    }
}

/// Deposits, withdrawals and openings, with keys and without, each with its connection cut once.
async fn lose(cut: Cut) {
    let (proxy, direct) = Proxy::to_new_database().await;
    let bank = Bank::open_on(&proxy.database_url, &["--lanes", "1"]).await;
    let user = bank.user("100").await;
    for (number, key) in [None, Some("a"), None, Some("b")].into_iter().enumerate() {
        proxy.cut_next(cut);
        let amount = if number % 2 == 0 { "-1" } else { "5" };
        let reply = match key {
            None => user.change(amount).await,
            Some(key) => user.change_once(key, amount).await,
        };
        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(!reply.is_replayed(), "the caller asked once");
        if let Some(key) = key {
            let again = user.change_once(key, amount).await;
            assert_eq!(
                (again.text.as_str(), again.is_replayed()),
                (reply.text.as_str(), true)
            );
        }
    }
    assert_eq!(proxy.cuts(), 4);
    assert_eq!(user.balance().await, "108.00");

    proxy.cut_next(cut);
    let other = bank.user("7").await;
    assert_eq!(other.balance().await, "7.00");
    assert_eq!(
        bank.number("select count(*) from users").await,
        2,
        "opened once"
    );

    proxy.cut_next(cut);
    let replies = at_once((0..40).map(|_| other.change("1"))).await;
    assert!(
        replies.iter().all(|reply| reply.status == 200),
        "{replies:?}"
    );
    assert_eq!(other.balance().await, "47.00");
    assert_eq!(proxy.cuts(), 6);
    let counts = bank.app.service().counts();
    assert_eq!(counts.reconnects, 6, "{counts:?}");
    assert_eq!(counts.looks, 6, "{counts:?}");
    bank.stop().await;
    Bank::open_on(&direct, &[]).await.close().await;
}

#[tokio::test]
async fn a_question_that_was_lost_is_asked_again() {
    let (proxy, direct) = Proxy::to_new_database().await;
    let bank = Bank::open_on(&proxy.database_url, &["--lanes", "1"]).await;
    let user = bank.user("100").await;
    let first = user.change_once("a", "-1").await;
    // The key turns out to be taken, and the lane asks what became of it.
    proxy.cut_next(Cut::Question);
    let again = user.change_once("a", "-1").await;
    assert_eq!(
        (again.status, again.text.as_str(), again.is_replayed()),
        (200, first.text.as_str(), true)
    );
    assert_eq!(proxy.cuts(), 1);

    let someone = r#"{"email":"someone@example.org"}"#;
    proxy.cut_next(Cut::Question);
    assert_eq!(bank.post("/api/users", someone).await.status, 201);
    assert_eq!(proxy.cuts(), 1);
    // What comes next over the connection is whether the email is taken.
    assert_eq!(bank.post("/api/users", someone).await.status, 409);
    assert_eq!(proxy.cuts(), 2);
    bank.stop().await;
    Bank::open_on(&direct, &[]).await.close().await;
}

#[tokio::test]
async fn a_request_outlives_a_short_outage_and_does_not_wait_for_the_end_of_a_long_one() {
    let (proxy, direct) = Proxy::to_new_database().await;
    let bank = Bank::open_on(&proxy.database_url, &["--lanes", "1"]).await;
    let user = bank.user("100").await;
    proxy.cut_next(Cut::Request);
    proxy.set_door(Door::Shut);
    let outage = async {
        eventually("the lane has tried in vain", async || {
            1 < proxy.turned_away()
        })
        .await;
        proxy.set_door(Door::Open);
    };
    let (reply, ()) = tokio::join!(user.change("-1"), outage);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(user.balance().await, "99.00");

    proxy.cut_next(Cut::Request);
    proxy.set_door(Door::Shut);
    let began = Instant::now();
    let reply = user.change("-1").await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert!(reply.text.contains("Outcome unknown"), "{reply:?}");
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "the lane gives up before its caller does"
    );
    assert_eq!(bank.get("/api/health").await.status, 503);
    proxy.set_door(Door::Open);
    assert_eq!(user.change("-1").await.status, 200);
    assert_eq!(user.balance().await, "98.00", "the lost one never arrived");
    assert_eq!(bank.get("/api/health").await.status, 200);
    bank.stop().await;
    Bank::open_on(&direct, &[]).await.close().await;
}

#[tokio::test]
async fn a_request_that_no_lane_took_is_told_so_while_the_database_says_nothing() {
    let (proxy, direct) = Proxy::to_new_database().await;
    let bank = Bank::open_on(&proxy.database_url, &["--lanes", "1"]).await;
    let [one, other] = [bank.user("100").await, bank.user("100").await];
    proxy.cut_next(Cut::Request);
    proxy.set_door(Door::Silent);
    let later = async {
        eventually(
            "the lane is in the middle of an attempt to connect",
            async || 0 < proxy.turned_away(),
        )
        .await;
        other.change("-1").await
    };
    let (lost, waited) = tokio::join!(one.change("-1"), later);
    assert!(lost.text.contains("Outcome unknown"), "{lost:?}");
    assert_eq!(waited.status, 503, "{waited:?}");
    assert!(!waited.text.contains("Outcome unknown"), "{waited:?}");
    proxy.set_door(Door::Open);
    eventually("the lane is back", async || {
        bank.get("/api/health").await.status == 200
    })
    .await;
    assert_eq!(other.change("-1").await.status, 200);
    assert_eq!(other.balance().await, "99.00");
    bank.stop().await;
    Bank::open_on(&direct, &[]).await.close().await;
}

#[tokio::test]
async fn a_lane_whose_backend_is_terminated_comes_back_by_itself() {
    let bank = Bank::open().await;
    let user = bank.user("100").await;
    for _ in 0..5 {
        bank.plant(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()",
        )
        .await;
        assert_eq!(user.change("-1").await.status, 200);
    }
    assert_eq!(user.balance().await, "95.00");
    assert!(0 < bank.app.service().counts().reconnects);
    bank.close().await;
}

#[tokio::test]
async fn a_commit_that_comes_after_the_look_is_still_found() {
    for key in [None, Some("once")] {
        let (proxy, direct) = Proxy::to_new_database().await;
        let bank = Bank::open_on(&proxy.database_url, &["--lanes", "1"]).await;
        let user = bank.user("100").await;
        let account = bank.lock_account(user.account().await).await;

        // All of the money: planned again on what it left behind, the withdrawal would be refused.
        proxy.cut_next(Cut::Orphan);
        let withdrawal = async {
            match key {
                None => user.change("-100").await,
                Some(key) => user.change_once(key, "-100").await,
            }
        };
        let release = async {
            eventually(
                "the lane is back and waits behind its old self",
                async || 0 < bank.app.service().counts().lock_firsts,
            )
            .await;
            account.release().await;
        };
        let (reply, ()) = tokio::join!(withdrawal, release);
        assert_eq!(reply.status, 200, "{key:?}: {reply:?}");
        assert_eq!(user.balance().await, "0.00");
        assert_eq!(
            bank.number("select count(*) from entries where amount = -100")
                .await,
            1
        );
        bank.stop().await;
        Bank::open_on(&direct, &[]).await.close().await;
    }
}
