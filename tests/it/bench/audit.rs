//! The audit at the end of a benchmark: each of its writes by its key, whatever others write.

use reqwest::{Client, RequestBuilder};
use sqlx::{Connection as _, PgConnection};

use super::{assert_adds_up, bench_at, count, list, rounds, serve};
use crate::support::process::{Ended, Passbook, command};
use crate::support::{eventually, postgres};

/// A benchmark of two seconds over four accounts that has begun to measure.
async fn under_way(flags: &[String]) -> Passbook {
    let mut command = command();
    command.args(["bench", "spread", "--duration", "2s", "--concurrency", "2"]);
    command.args(["--accounts", "4", "--json"]).args(flags);
    let bench = Passbook::spawn(&mut command);
    eventually("it measures", async || bench.has_logged("round 1 of 1")).await;
    bench
}

fn open_user(passbook: &Passbook) -> RequestBuilder {
    Client::new()
        .post(format!("{}/api/users", passbook.url))
        .header("Content-Type", "application/json")
        .body(r#"{"balance":1}"#)
}

async fn assert_opened(asked: RequestBuilder) {
    let answer = asked.send().await.expect("an answer");
    assert_eq!(answer.status(), 201);
}

#[tokio::test]
async fn copies_under_one_key_are_counted_once() {
    let url = postgres::create_database().await;
    let (passbook, flags) = serve(&url);
    let args = ["retry-storm", "--concurrency", "6", "--duration", "300ms"];
    let (outcome, _) = bench_at(&flags, &args);
    assert_adds_up(&outcome);
    let requests = count(rounds(&outcome)[0], "successes");
    // Those of the opening and of the warm-up are among them.
    let acknowledged = count(&list(&outcome, "books")[0], "acknowledged") - 40;
    assert!(requests / 3 <= acknowledged, "{outcome}");
    let (spread, _) = bench_at(&flags, &[&["spread"], &args[1..]].concat());
    assert!(
        acknowledged < count(&list(&spread, "books")[0], "acknowledged"),
        "{outcome} {spread}"
    );
    passbook.stop();
    postgres::drop_database(&url).await;
}

#[tokio::test]
async fn what_others_write_is_passed_over() {
    let url = postgres::create_database().await;
    let (passbook, flags) = serve(&url);
    let bench = under_way(&flags).await;
    assert_opened(open_user(&passbook)).await;
    let key = ("Idempotency-Key", "order-17");
    assert_opened(open_user(&passbook).header(key.0, key.1)).await;
    let Ended { code, stderr } = bench.end();
    assert_eq!(code, Some(0), "{stderr}");
    passbook.stop();
    postgres::drop_database(&url).await;
}

/// One entry of each kind, behind its back, so that the sum of the entries is right.
#[tokio::test]
async fn writes_that_are_lost_unpromised_or_twice_are_told_apart() {
    let url = postgres::create_database().await;
    let (passbook, flags) = serve(&url);
    let bench = under_way(&flags).await;
    // The accounts were opened under the first keys.
    let first_key = "select idempotency_key from transactions order by id limit 1";
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    let key: String = sqlx::query_scalar(first_key)
        .fetch_one(&mut connection)
        .await
        .expect("a key");
    connection.close().await.expect("closed");
    let (run, _) = key.split_once('-').expect("a load and a number");
    let never_sent = format!("{run}-4");
    assert_opened(open_user(&passbook).header("Idempotency-Key", never_sent)).await;
    // The load goes on: in the order in which its statement locks the tables.
    let tamper = format!(
        "begin;
        alter table transactions disable trigger all;
        alter table entries disable trigger all;
        delete from entries using transactions where id = transaction_id and idempotency_key = '{run}-0';
        delete from transactions where idempotency_key = '{run}-0';
        insert into entries
            select entries.account_id, 1000000, counterparty_id, entries.created_at, transaction_id, amount, balance, seal
            from entries join transactions on id = transaction_id
            where idempotency_key = '{run}-1';
        commit"
    );
    postgres::execute(&url, &tamper).await;
    eventually("it tells", async || bench.has_said("is_clean")).await;
    for violation in ["lost", "unpromised", "twice"] {
        let one = format!("\"{violation}\": 1");
        let line = bench.has_said(&format!("{one},")) || bench.has_said(&one);
        assert!(line, "{violation}");
    }
    let Ended { code, stderr } = bench.end();
    assert_eq!(code, Some(1), "{stderr}");
    passbook.stop();
    postgres::drop_database(&url).await;
}

#[tokio::test]
async fn books_that_are_off_are_told_by_the_exit_code() {
    let url = postgres::create_database().await;
    let (passbook, flags) = serve(&url);
    let args = ["spread", "--duration", "100ms", "--concurrency", "1"];
    let (outcome, code) = bench_at(&flags, &args);
    assert_eq!(code, Some(0), "{outcome}");

    postgres::execute(&url, "update accounts set balance = balance + 1").await;
    let args = ["reads", "--duration", "100ms", "--concurrency", "1"];
    let (outcome, code) = bench_at(&flags, &args);
    assert_eq!(code, Some(1), "{outcome}");
    let books = &list(&outcome, "books")[0];
    assert_eq!(books["in_balance"], false, "{outcome}");
    for violation in ["lost", "unpromised", "twice"] {
        assert_eq!(count(books, violation), 0, "{outcome}");
    }
    passbook.stop();
    postgres::drop_database(&url).await;
}
