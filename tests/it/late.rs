//! What comes late does nothing, and what comes from a wrong clock does not either: the guard of the batch statement.

use std::time::Duration;

use passbook::storage::batch;
use passbook::storage::clock::{EARLY_MAX, LATE_MAX};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::bank::at_once;
use crate::support::proxy::{Door, Message, Proxy};
use crate::support::{Bank, eventually, postgres};

/// Longer than a statement is worth anything.
pub(crate) const LATE: Duration = Duration::from_secs(LATE_MAX.as_secs() + 1);
/// What a server that is told to commit by a message of its own is older than.
const NEW_SERVER: i64 = 170_000;

/// The messages of a batch at which a network may stop, and those at which a relay between two sockets of a machine may.
pub(crate) const HELD: [(Way, Message); 8] = [
    (Way::Tcp, Message::Parse),
    (Way::Tcp, Message::Bind),
    (Way::Tcp, Message::Execute),
    (Way::Tcp, Message::Sync),
    (Way::Tcp, Message::Commit),
    (Way::Socket, Message::Parse),
    (Way::Socket, Message::Bind),
    (Way::Socket, Message::Execute),
];

/// How the service reaches the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Tcp,
    Socket,
}

#[tokio::test]
async fn what_the_network_held_back_does_nothing_whichever_message_it_began_with() {
    at_once(HELD.map(|(way, message)| hold_back(way, message, LATE))).await;
}

/// A deposit of which the rest arrives after the time, when the service that sent it is gone.
pub(crate) async fn hold_back(way: Way, message: Message, time: Duration) {
    // Boxed, as several are waited for at once.
    Box::pin(arrive_late(way, message, time)).await;
}

async fn arrive_late(way: Way, message: Message, time: Duration) {
    let (proxy, direct) = match way {
        Way::Tcp => Proxy::over_tcp_to_new_database().await,
        Way::Socket => Proxy::to_new_database().await,
    };
    let bank = Bank::open_on(&proxy.database_url, &["--lanes", "1"]).await;
    let user = bank.user("100").await;
    let version = "select current_setting('server_version_num')::bigint";
    if message == Message::Commit && NEW_SERVER <= bank.number(version).await {
        bank.stop().await;
        return Bank::open_on(&direct, &[]).await.close().await;
    }
    if message != Message::Parse {
        // From here on the statement is prepared.
        assert_eq!(user.change("1").await.status, 200);
    }
    let balance = user.balance().await;
    proxy.hold_next(message);
    let lost = user.change_once("late", "50");
    let outage = async {
        eventually("the network holds it back", async || proxy.held() == 1).await;
        proxy.set_door(Door::Shut);
    };
    let (reply, ()) = tokio::join!(lost, outage);
    assert!(
        reply.text.contains("Outcome unknown"),
        "{message:?}: {reply:?}"
    );
    let id = user.id;
    bank.stop().await;

    // Time itself is what this is about.
    postgres::execute(&direct, &format!("select pg_sleep({})", time.as_secs())).await;
    proxy.release();
    let again = Bank::open_on(&direct, &["--lanes", "1"]).await;
    let ours = "select count(*) from pg_stat_activity where datname = current_database()
        and application_name = 'passbook' and query like '%swapped%'";
    eventually("what was held back has come to an end", async || {
        again.number(ours).await == 0
    })
    .await;
    let user = again.known_user(id);
    let what = format!("{message:?} over {way:?}");
    assert_eq!(user.balance().await, balance, "{what} came true late");
    // Nothing stands in the way of asking again.
    let reply = user.change_once("late", "50").await;
    assert_eq!(
        (reply.status, reply.is_replayed()),
        (200, false),
        "{reply:?}"
    );
    again.close().await;
}

#[tokio::test]
async fn the_batch_statement_does_nothing_far_from_the_time_of_its_plan() {
    let bank = Bank::open().await;
    let mut lane = bank.lane().await;
    let [before, after] = [EARLY_MAX, LATE_MAX].map(|bound| bound.as_secs());
    for write in [batch::statements().next(), batch::statements().last()] {
        let nothing = prepare(&mut lane, write.expect("a statement")).await;
        for (seconds, state) in [
            (format!("{}", before - 1), "00000"),
            (format!("{}", before + 1), "2201F"),
            (format!("-{}", after - 1), "00000"),
            (format!("-{}", after + 1), "2201F"),
            ("315360000".to_owned(), "2201F"),
            ("-315360000".to_owned(), "2201F"),
        ] {
            let at = format!("clock_timestamp() + interval '{seconds} s'");
            let execute = format!("execute write ({at}{})", ", '{}'".repeat(nothing));
            assert_eq!(
                run(&mut lane, &execute).await,
                state,
                "{seconds} s after now: {write:?}"
            );
        }
    }
    lane.close().await.expect("closed");
    bank.close().await;
}

#[tokio::test]
async fn the_clock_is_looked_at_after_the_locks_were_waited_for() {
    let bank = Bank::open().await;
    bank.user("100").await;
    let mut lane = bank.lane().await;
    let swaps = batch::statements().find(|write| write.contains("swapped"));
    prepare(&mut lane, swaps.expect("a statement")).await;
    let patient = run(&mut lane, "set lock_timeout = 0; set statement_timeout = 0").await;
    assert_eq!(patient, "00000");
    // The head is swapped for itself.
    let head = "select format('array[%s], array[%s], array[%L::bytea], array[%s], array[%L::bytea], array[%s],
        array[%L::timestamptz]', id, version, seal, version, seal, balance, last_entry_at) from accounts";
    let head: Vec<(String,)> = bank.rows(head).await;
    let wait = 3;
    for (age, state) in [
        (LATE_MAX.as_secs() - wait - 3, "00000"),
        (LATE_MAX.as_secs() - wait + 1, "2201F"),
    ] {
        let mut accounts = bank.lock_accounts().await;
        let at = format!("clock_timestamp() - interval '{age} s'");
        let execute = format!("execute write ({at}, {})", head[0].0);
        let release = async {
            accounts.is_waited_for().await;
            bank.plant(&format!("select pg_sleep({wait})")).await;
            accounts.release().await;
        };
        let (ended, ()) = tokio::join!(run(&mut lane, &execute), release);
        assert_eq!(ended, state);
    }
    lane.close().await.expect("closed");
    bank.close().await;
}

/// How many arrays it takes behind the time of its plan.
async fn prepare(lane: &mut PgConnection, write: &str) -> usize {
    let prepare = format!("deallocate all; prepare write as {write}");
    assert_eq!(run(lane, &prepare).await, "00000");
    let parameters = (1..).take_while(|number| write.contains(&format!("${number}::")));
    parameters.count() - 1
}

/// The SQLSTATE with which it ends.
async fn run(connection: &mut PgConnection, sql: &str) -> String {
    let sql = AssertSqlSafe(sql.to_owned());
    match sqlx::raw_sql(sql).execute(connection).await {
        Ok(_) => "00000".to_owned(),
        Err(error) => {
            let error = error.as_database_error();
            let code = error.and_then(sqlx::error::DatabaseError::code);
            code.expect("an answer of the database").into_owned()
        }
    }
}
