//! How a write gets from the queue to the disk, step by step, and what is done about all that can go wrong.

use std::cell::Cell;
use std::collections::HashSet;

use passbook::ledger::{
    AccountId, AccountName, AccountRef, BookName, NamedAccount, Rejection, UserId,
};
use passbook::storage::batch;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::bank::{at_once, transfer};
use crate::support::{Bank, eventually};

#[tokio::test]
async fn requests_that_arrive_together_are_committed_together() {
    let bank = Bank::open_with(&["--lanes", "1"]).await;
    let user = bank.user("100").await;
    let before = bank.app.service().counts();
    let mut entries = bank.lock_table("entries").await;
    let first = user.change("1");
    let others = async {
        entries.is_waited_for().await;
        let others = at_once((0..200).map(|_| user.change("1")));
        let release = async {
            bank.waits_with(200).await;
            entries.release().await;
        };
        tokio::join!(others, release).0
    };
    let (first, others) = tokio::join!(first, others);
    assert_eq!(first.status, 200);
    assert!(others.iter().all(|reply| reply.status == 200));
    let after = bank.app.service().counts();
    assert_eq!(after.commands - before.commands, 201);
    assert_eq!(after.batches - before.batches, 2);
    bank.close().await;
}

#[tokio::test]
async fn a_batch_size_of_one_commits_each_request_alone() {
    let bank = Bank::open_with(&["--batch-size-max", "1"]).await;
    let user = bank.user("100").await;
    let before = bank.app.service().counts();
    at_once((0..50).map(|_| user.change("1"))).await;
    let after = bank.app.service().counts();
    assert_eq!(after.batches - before.batches, 50);
    bank.close().await;
}

#[tokio::test]
async fn a_full_queue_answers_503_at_once_and_applies_nothing() {
    let flags = ["--queue-max", "20", "--lanes", "1", "--batch-size-max", "1"];
    let bank = Bank::open_with(&flags).await;
    let users = [
        bank.user("100").await,
        bank.user("100").await,
        bank.user("100").await,
    ];
    let entries = bank.lock_table("entries").await;
    let requests = at_once((0..90).map(|number| users[number % users.len()].change("1")));
    let release = async {
        // Twenty in the queue and no room for the others, but for one that a lane may have taken before.
        eventually("the rest is refused", async || {
            69 <= bank.app.service().counts().overloaded
        })
        .await;
        entries.release().await;
    };
    let (replies, ()) = tokio::join!(requests, release);

    let (accepted, refused): (Vec<_>, Vec<_>) =
        replies.iter().partition(|reply| reply.status == 200);
    let accepted = accepted.len();
    assert!([20, 21].contains(&accepted), "{accepted}");
    for reply in refused {
        assert_eq!(reply.status, 503);
        assert_eq!(
            reply.headers.get("retry-after").map(String::as_str),
            Some("1")
        );
        assert_eq!(reply.json()["error"]["code"], 503);
        assert_eq!(reply.json()["success"], false);
    }
    let entries = bank
        .number("select count(*) from entries where amount = 1")
        .await;
    assert_eq!(
        usize::try_from(entries),
        Ok(accepted),
        "an entry for each success, none for a refusal"
    );
    bank.close().await;
}

#[tokio::test]
async fn one_account_fills_at_most_half_of_the_queue() {
    let bank =
        Bank::open_with(&["--queue-max", "40", "--lanes", "1", "--batch-size-max", "1"]).await;
    let (busy, quiet) = (bank.user("1000").await, bank.user("1000").await);
    let mut entries = bank.lock_table("entries").await;
    let first = busy.change("1");
    let others = async {
        entries.is_waited_for().await;
        let flood = at_once((0..100).map(|_| busy.change("1")));
        let others = async {
            // What the lane has in hand is not in the queue.
            bank.waits_with(20).await;
            let waiting = at_once((0..5).map(|_| quiet.change("1")));
            let release = async {
                bank.waits_with(25).await;
                entries.release().await;
            };
            tokio::join!(waiting, release).0
        };
        tokio::join!(flood, others)
    };
    let (first, (flood, others)) = tokio::join!(first, others);
    assert_eq!(first.status, 200);
    assert!(
        others.iter().all(|reply| reply.status == 200),
        "the other account had room: {others:?}"
    );
    let accepted = flood.iter().filter(|reply| reply.status == 200).count();
    // Half of the queue, what the lane has in hand, and a few that came late: without the limit, all of the queue.
    assert!(
        accepted < 30,
        "{accepted} of the busy account were let in, with room for 20"
    );
    bank.close().await;
}

#[tokio::test]
async fn a_command_that_waited_too_long_is_dropped_before_anything_is_applied() {
    let bank = Bank::open_with(&["--lanes", "1", "--batch-size-max", "1"]).await;
    let user = bank.user("100").await;
    let account = bank.lock_account(user.account().await).await;
    let replies = at_once((0..5).map(|_| user.change("-1"))).await;
    assert!(
        replies.iter().all(|reply| reply.status == 503),
        "{replies:?}"
    );
    assert!(0 < bank.app.service().counts().expired);
    // The database is there, so those who waited in vain are told of too much work.
    assert!(
        replies.iter().any(|reply| reply.text.contains("busy")),
        "{replies:?}"
    );
    account.release().await;
    assert_eq!(user.balance().await, "100.00");
    assert_eq!(
        user.change("-1").await.status,
        200,
        "the account works again"
    );
    bank.close().await;
}

#[tokio::test]
async fn one_locked_row_delays_only_its_own_account() {
    let bank = Bank::open_with(&["--lanes", "1"]).await;
    let (stuck, free) = (bank.user("100").await, bank.user("100").await);
    let account = bank.lock_account(stuck.account().await).await;

    let waiting = at_once((0..10).map(|_| stuck.change("-1")));
    let others = async {
        eventually("the row is found locked", async || {
            0 < bank.app.service().counts().set_aside
        })
        .await;
        for _ in 0..10 {
            assert_eq!(free.change("-1").await.status, 200);
        }
        assert_eq!(stuck.balance().await, "100.00", "its row is still locked");
        let tries = async || bank.app.service().counts().lock_firsts;
        let enough = tries().await + 10;
        eventually("they are tried again and again", async || {
            enough <= tries().await
        })
        .await;
        account.release().await;
    };
    let (waiting, ()) = tokio::join!(waiting, others);
    assert!(
        waiting.iter().all(|reply| reply.status == 200),
        "they went through once it was free: {waiting:?}"
    );
    assert_eq!(
        (stuck.balance().await, free.balance().await),
        ("90.00".to_owned(), "90.00".to_owned())
    );
    // However often they were tried, they count once.
    let counts = bank.app.service().counts();
    let commands = 2 + 10 + 10;
    assert_eq!(counts.commands, commands, "{counts:?}");
    assert!(counts.set_aside <= 10, "{counts:?}");
    assert!(counts.batches <= commands, "{counts:?}");
    let metrics = bank.get("/metrics").await.text;
    let waits = format!("\npassbook_queue_wait_seconds_count {commands}\n");
    assert!(metrics.contains(&waits), "{metrics}");
    bank.close().await;
}

#[tokio::test]
async fn a_batch_that_loses_again_and_again_locks_first() {
    let bank = Bank::open().await;
    let user = bank.user("100").await;
    // Three times the head is not the expected one. A sequence counts what is rolled back as well.
    bank.plant(
        "create sequence tries;
         create function miss() returns trigger language plpgsql security definer as
            $$ begin return case when 3 < nextval('tries') then new end; end $$;
         create trigger miss before update on accounts for each row execute function miss()",
    )
    .await;
    assert_eq!(user.change("-1").await.status, 200);
    let counts = bank.app.service().counts();
    assert_eq!((counts.conflicts, counts.lock_firsts), (3, 1), "{counts:?}");
    assert_eq!(user.balance().await, "99.00");
    bank.plant("drop trigger miss on accounts").await;
    bank.close().await;
}

#[tokio::test]
async fn no_answer_comes_before_the_commit() {
    let bank = Bank::open().await;
    let user = bank.user("100").await;
    let mut entries = bank.lock_table("entries").await;
    let is_released = Cell::new(false);
    let withdrawal = async {
        let reply = user.change("-1").await;
        assert!(is_released.get(), "nothing could be written: {reply:?}");
        reply
    };
    let release = async {
        entries.is_waited_for().await;
        // An answer that was on its way would be here before those that were asked for later.
        for _ in 0..20 {
            assert_eq!(user.balance().await, "100.00");
        }
        is_released.set(true);
        entries.release().await;
    };
    let (reply, ()) = tokio::join!(withdrawal, release);
    assert_eq!(reply.status, 200);
    bank.close().await;
}

#[tokio::test]
async fn one_bad_command_answers_for_itself_alone() {
    for position in [0, 3, 7] {
        let bank = Bank::open_with(&["--lanes", "1"]).await;
        let user = bank.user("100").await;
        bank.plant("alter table entries add constraint poison check (amount <> -13)")
            .await;
        let mut entries = bank.lock_table("entries").await;
        let requests = at_once(
            (0..8).map(|number| user.change(if number == position { "-13" } else { "-1" })),
        );
        let release = async {
            entries.is_waited_for().await;
            entries.release().await;
        };
        let (replies, ()) = tokio::join!(requests, release);
        for (number, reply) in replies.iter().enumerate() {
            if number == position {
                assert_eq!(reply.status, 500, "{reply:?}");
                assert!(reply.json()["error"]["requestId"].is_string());
                assert!(
                    !reply.text.contains("poison"),
                    "nothing of the inside: {}",
                    reply.text
                );
            } else {
                assert_eq!(reply.status, 200, "{reply:?}");
            }
        }
        assert_eq!(user.balance().await, "93.00");
        bank.close().await;
    }
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_halved_once() {
    let bank = Bank::open_with(&["--lanes", "1"]).await;
    let user = bank.user("100").await;
    bank.plant(
        "create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(10); return new; end $$;
         create trigger slow before insert on entries for each row when (new.amount = -13) execute function slow()",
    )
    .await;
    let mut entries = bank.lock_table("entries").await;
    // While one waits for the lock in the lane, four gather behind it.
    let first = user.change("-1");
    let others = async {
        entries.is_waited_for().await;
        // The half with the slow one comes last: behind it, the other half would run out of time.
        let amounts = ["-1", "-1", "-13", "-1"];
        let four = at_once(amounts.iter().enumerate().map(async |(number, amount)| {
            bank.waits_with(number).await;
            user.change(amount).await
        }));
        let release = async {
            bank.waits_with(4).await;
            entries.release().await;
        };
        tokio::join!(four, release).0
    };
    let (first, four) = tokio::join!(first, others);
    assert_eq!(first.status, 200);
    assert_eq!(four[2].status, 503, "the slow one: {:?}", four[2]);
    assert_eq!(
        four.iter().filter(|reply| reply.status == 200).count(),
        2,
        "the half without it: {four:?}"
    );
    assert_eq!(user.balance().await, "97.00");
    assert_eq!(bank.app.service().counts().splits, 1);
    bank.plant("drop trigger slow on entries").await;
    bank.close().await;
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_said_to_be_unavailable() {
    let bank = Bank::open().await;
    let user = bank.user("100").await;
    let name: Vec<(String,)> = bank.rows("select current_database()::text").await;
    let mut intruder = bank.intruder().await;
    for (mode, status) in [("on", 503), ("off", 200)] {
        for sql in [
            format!(
                "alter database {} set default_transaction_read_only = {mode}",
                name[0].0
            ),
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()"
                .to_owned(),
        ] {
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&mut intruder)
                .await
                .expect("planted");
        }
        eventually("the mode is taken", async || {
            user.change("-1").await.status == status
        })
        .await;
        let entries = bank.number("select count(*) from entries").await;
        assert_eq!(
            entries,
            if status == 200 { 2 } else { 1 },
            "a refused write leaves nothing"
        );
    }
    assert_eq!(user.balance().await, "99.00");
    bank.close().await;
}

#[tokio::test]
async fn a_refused_command_opens_nothing_and_an_accepted_one_opens_both_sides_at_once() {
    let bank = Bank::open().await;
    let user = bank.user("10").await;
    let service = bank.app.service();
    let from = AccountRef::Id(AccountId(user.account().await));
    let name = NamedAccount {
        book: BookName::EVENTS,
        name: AccountName::parse("savings").expect("a name"),
        owner: None,
    };
    let to = || AccountRef::Named(name.clone());

    let refused = service
        .post(transfer(&bank, from.clone(), to(), 1_001), Vec::new(), None)
        .await
        .expect("an answer");
    assert!(
        matches!(refused.outcome, Err(Rejection::InsufficientFunds { .. })),
        "{refused:?}"
    );
    assert_eq!(
        bank.number("select count(*) from account_names where name = 'savings'")
            .await,
        0
    );
    assert_eq!(bank.number("select count(*) from accounts").await, 1);

    let accepted = service
        .post(transfer(&bank, from, to(), 400), Vec::new(), None)
        .await
        .expect("an answer");
    let receipt = accepted.outcome.expect("accepted");
    assert_eq!(
        receipt
            .standings
            .iter()
            .map(|one| one.state.balance.minor())
            .collect::<Vec<_>>(),
        [600, 400]
    );
    let sides = "select count(*) from entries where counterparty_id is not null";
    assert_eq!(bank.number(sides).await, 2);
    bank.close().await;
}

/// Thousands of requests may wait at once, and each handler holds such a future.
#[tokio::test]
async fn what_waits_for_an_answer_is_small() {
    let bank = Bank::open().await;
    let service = bank.app.service();
    let (from, to) = (bank.user("10").await, bank.user("0").await);
    let ends = [from.id, to.id].map(|user| {
        let account = NamedAccount::of_user(UserId(user), service.default_currency());
        AccountRef::Named(account)
    });
    let [from, to] = ends.clone();
    let moving = service.post(transfer(&bank, from, to, 400), Vec::new(), None);
    let [from, _] = ends;
    let finding = service.find_account(from);
    let sizes = [size_of_val(&moving), size_of_val(&finding)];
    assert!(sizes.iter().all(|size| *size <= 1024), "{sizes:?} bytes");
    let answered = moving.await.expect("an answer");
    assert!(answered.outcome.is_ok(), "{answered:?}");
    let head = finding.await.expect("an answer").expect("an account");
    assert_eq!(head.state.balance.minor(), 600);
    bank.close().await;
}

#[tokio::test]
async fn the_batch_statement_locks_in_the_given_order_whatever_the_statistics() {
    let bank = Bank::open().await;
    let mut lane = bank.lane().await;
    let swaps = batch::statements().find(|write| write.contains("swapped"));
    for write in [swaps, batch::statements().last()] {
        let explain = prepare(&mut lane, write.expect("a statement")).await;
        for analysed in [false, true] {
            if analysed {
                bank.plant("analyze").await;
            }
            let plan = explained(&mut lane, &explain).await;
            let update = plan
                .iter()
                .position(|line| line.contains("Update on accounts"))
                .expect("an update");
            assert!(plan[update + 1].contains("Nested Loop"), "{plan:#?}");
            assert!(
                !plan.iter().any(|line| line.contains("Seq Scan")
                    || line.contains("Hash")
                    || line.contains("Merge")),
                "{plan:#?}"
            );
        }
    }
    lane.close().await.expect("closed");
    bank.close().await;
}

#[tokio::test]
async fn the_server_takes_the_batch_statement_with_whichever_parts() {
    let bank = Bank::open().await;
    let mut lane = bank.lane().await;
    let mut texts = HashSet::new();
    for write in batch::statements() {
        assert!(texts.insert(write), "twice: {write}");
        prepare(&mut lane, write).await;
    }
    lane.close().await.expect("closed");
    bank.close().await;
}

/// Prepares the statement; what explains it.
async fn prepare(lane: &mut PgConnection, write: &str) -> String {
    let parameters = (1..).take_while(|number| write.contains(&format!("${number}::")));
    let nulls = vec!["null"; parameters.count()].join(", ");
    let prepare = format!("deallocate all; prepare write as {write}");
    let prepared = sqlx::raw_sql(AssertSqlSafe(prepare)).execute(lane).await;
    prepared.expect("prepared");
    format!("explain execute write ({nulls})")
}

async fn explained(lane: &mut PgConnection, explain: &str) -> Vec<String> {
    let lines: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(explain.to_owned()))
        .persistent(false)
        .fetch_all(lane)
        .await
        .expect("explained");
    lines.into_iter().map(|(line,)| line).collect()
}
