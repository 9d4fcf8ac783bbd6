//! Balance reads that arrive together: few statements, each caller their own answer, and never one from before they asked.

use reqwest::Method;

use crate::support::bank::{User, at_once};
use crate::support::{Bank, eventually};

const WAITING: &str = "select count(*) from pg_stat_activity
    where datname = current_database() and usename = 'passbook_runtime' and wait_event_type = 'Lock'";

#[tokio::test]
async fn reads_at_once_are_few_statements_and_each_gets_its_own_answer() {
    for (flags, statements) in [(&[][..], 2), (&["--read-batch-size-max", "1"], 8)] {
        let bank = Bank::open_with(flags).await;
        let mut users = Vec::new();
        for balance in 0..30 {
            users.push(bank.user(&balance.to_string()).await);
        }
        // The pool connects beforehand: a statement waits for a lock only so long.
        at_once(users.iter().map(User::balance)).await;
        let mut intruder = bank.intruder().await;
        sqlx::raw_sql("begin; lock users in access exclusive mode")
            .execute(&mut intruder)
            .await
            .expect("locked");
        let reads = at_once(users.iter().map(User::balance));
        let nobody = bank.get("/api/users/999999");
        let release = async {
            eventually("the reads wait in as many statements", async || {
                bank.number(WAITING).await == statements
            })
            .await;
            sqlx::raw_sql("rollback")
                .execute(&mut intruder)
                .await
                .expect("released");
        };
        let (balances, nobody, ()) = tokio::join!(reads, nobody, release);
        let expected: Vec<String> = (0..30).map(|balance| format!("{balance}.00")).collect();
        assert_eq!(balances, expected);
        assert_eq!(nobody.status, 404);
        bank.close().await;
    }
}

#[tokio::test]
async fn a_read_shows_what_was_answered_before_it_whoever_else_reads() {
    let bank = Bank::open().await;
    let user = bank.user("0").await;
    let clients = (0..16).map(async |client: u32| {
        let mine = bank.user("0").await;
        for round in 1..20 {
            assert_eq!(mine.change("1").await.status, 200);
            assert_eq!(
                mine.balance().await,
                format!("{round}.00"),
                "client {client}"
            );
            user.balance().await;
        }
    });
    at_once(clients).await;
    bank.close().await;
}

#[tokio::test]
async fn a_reader_who_goes_away_leaves_the_others_their_answers() {
    let bank = Bank::open().await;
    let user = bank.user("5").await;
    let mut intruder = bank.intruder().await;
    sqlx::raw_sql("begin; lock users in access exclusive mode")
        .execute(&mut intruder)
        .await
        .expect("locked");
    let path = format!("/api/users/{}", user.id);
    for _ in 0..10 {
        let asked = bank.send(Method::GET, &path, &[], None);
        // It is on its way when it is given up.
        let waits = eventually("a read waits", async || 0 < bank.number(WAITING).await);
        tokio::select! {
            reply = asked => panic!("nobody can answer: {reply:?}"),
            () = waits => {}
        }
    }
    let stays = user.balance();
    let release = async {
        sqlx::raw_sql("rollback")
            .execute(&mut intruder)
            .await
            .expect("released");
    };
    let (balance, ()) = tokio::join!(stays, release);
    assert_eq!(balance, "5.00");
    bank.close().await;
}
