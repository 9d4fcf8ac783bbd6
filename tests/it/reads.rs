//! Balance reads that arrive together: few statements, each caller their own answer, and never one from before they asked.

use crate::support::bank::{Reply, User, at_once};
use crate::support::proxy::Proxy;
use crate::support::{Bank, eventually};

/// Asks again where the machine was so busy that the second went by.
async fn read(bank: &Bank, id: i64) -> Reply {
    for _ in 0..30 {
        let reply = bank.get(&format!("/api/users/{id}")).await;
        if reply.status != 503 {
            return reply;
        }
    }
    panic!("no read of user {id} gets through");
}

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
        let mut table = bank.lock_table("users").await;
        let reads = at_once(users.iter().map(|user| read(&bank, user.id)));
        let nobody = read(&bank, 999_999);
        let release = async {
            eventually("the reads wait in as many statements", async || {
                table.waiting().await == statements
            })
            .await;
            table.release().await;
        };
        let (replies, nobody, ()) = tokio::join!(reads, nobody, release);
        for (balance, reply) in replies.iter().enumerate() {
            assert_eq!(reply.status, 200, "{reply:?}");
            assert_eq!(
                reply.json()["data"]["balance"].to_string(),
                format!("{balance}.00")
            );
        }
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
    let mut table = bank.lock_table("users").await;
    let path = format!("/api/users/{}", user.id);
    for _ in 0..10 {
        // It is on its way when it is given up.
        tokio::select! {
            reply = bank.get(&path) => assert_eq!(reply.status, 503, "nobody can answer: {reply:?}"),
            () = table.is_waited_for() => {}
        }
    }
    let (reply, ()) = tokio::join!(read(&bank, user.id), table.release());
    assert_eq!(reply.json()["data"]["balance"].to_string(), "5.00");
    bank.close().await;
}

/// A bank whose reads are by several connections, each a statement of its own.
const SEVERAL: [&str; 6] = [
    "--lanes",
    "1",
    "--pool-size-max",
    "4",
    "--read-batch-size-max",
    "1",
];

/// Reads until the pool has all of its connections.
async fn fill_pool(bank: &Bank, user: &User<'_>) {
    eventually("the pool is full", async || {
        at_once((0..16).map(|_| user.balance())).await;
        let metrics = bank.get("/metrics").await.text;
        metrics.contains("\npassbook_pool_connections 4\n")
    })
    .await;
}

#[tokio::test]
async fn a_read_gets_its_answer_after_the_tables_have_changed_below_it() {
    let bank = Bank::open_with(&SEVERAL).await;
    let user = bank.user("5").await;
    fill_pool(&bank, &user).await;
    let account = user.account().await;
    let paths = [
        format!("/api/users/{}", user.id),
        format!("/accounts/{account}/balance"),
        format!("/accounts/{account}/transactions"),
    ];
    let read_all = async || {
        for path in &paths {
            let replies = at_once((0..16).map(|_| bank.get(path))).await;
            assert!(
                replies.iter().all(|reply| reply.status == 200),
                "{replies:?}"
            );
        }
    };
    read_all().await;
    // Type modifiers are part of what a plan gives, so that prepared ones are refused from now on.
    let columns = [
        "users alter column created_at",
        "accounts alter column opened_at",
        "entries alter column created_at",
    ];
    for modifier in ["(6)", ""] {
        for column in columns {
            bank.plant(&format!("alter table {column} type timestamptz{modifier}"))
                .await;
            read_all().await;
        }
    }
    bank.close().await;
}

#[tokio::test]
async fn a_write_gets_its_answer_after_the_tables_have_changed_below_it() {
    let first = Bank::open().await;
    let users = [first.user("5").await.id, first.user("5").await.id];
    // It remembers neither, so its lane has to ask for both.
    let bank = Bank::open_on(&first.database_url, &["--lanes", "1"]).await;
    assert_eq!(bank.known_user(users[0]).change("-1").await.status, 200);
    bank.plant("alter table accounts alter column opened_at type timestamptz(6)")
        .await;
    assert_eq!(bank.known_user(users[1]).change("-1").await.status, 200);
    // A replay has its lane look for what is stored.
    let user = bank.known_user(users[0]);
    let replies = [
        user.change_once("a", "-1").await,
        user.change_once("a", "-1").await,
    ];
    assert!(replies[1].is_replayed(), "{replies:?}");
    bank.plant("alter table transactions alter column created_at type timestamptz(6)")
        .await;
    assert_eq!(user.change_once("a", "-1").await.text, replies[0].text);
    bank.plant(
        "alter table accounts alter column opened_at type timestamptz;
         alter table transactions alter column created_at type timestamptz",
    )
    .await;
    first.stop().await;
    bank.close().await;
}

#[tokio::test]
async fn no_read_fails_when_the_network_has_dropped_every_connection_without_a_word() {
    let (proxy, direct) = Proxy::to_new_database().await;
    let bank = Bank::open_on(&proxy.database_url, &SEVERAL).await;
    let user = bank.user("5").await;
    fill_pool(&bank, &user).await;
    proxy.silence();
    for _ in 0..8 {
        assert_eq!(user.balance().await, "5.00");
    }
    bank.stop().await;
    Bank::open_on(&direct, &[]).await.close().await;
}
