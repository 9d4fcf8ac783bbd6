//! Clocks that are wrong: by a little, and versions and times stay in order; by much, and nobody is harmed.

use sqlx::{Connection, PgConnection};

use super::check::check;
use super::clients::{Clients, World};
use super::run::Run;
use crate::clocks::{YEARS, is_away, serve};
use crate::support::faults::Faults;
use crate::support::process::{self, Passbook};
use crate::support::{eventually, postgres};

const CLIENTS: u64 = 16;
const MOVES: u64 = 100;
/// The same while half of all requests wait in vain for some seconds.
const SLOW_MOVES: u64 = 10;
/// How far clocks may be wrong and all go on, in seconds.
const LITTLE: i64 = 4;
/// By how much a clock is wrong, one after the other.
const WRONG: [[i64; 2]; 2] = [[10, -YEARS], [-11, YEARS]];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_differ_a_little_leave_times_in_order() {
    let mut run = Run::of("clock::clocks_that_differ");
    let database_url = postgres::create_database().await;
    let faults = [Faults::new(), Faults::new()];
    let services = faults
        .each_ref()
        .map(|faults| Passbook::start(&mut serve(&database_url, faults)));
    let world = World::new(services.iter().map(|service| service.url.clone()).collect());
    world.endow().await;
    let turns = run.times(1);
    for turn in 0..turns {
        let clients = Clients::start(&world, CLIENTS, &mut run.rng, World::wish);
        for errors in [
            [LITTLE, -LITTLE],
            [-LITTLE, LITTLE],
            [0, 0].map(|_| run.rng.i64(-LITTLE..=LITTLE)),
        ] {
            for (faults, error) in faults.iter().zip(errors) {
                faults.set_clock(error);
            }
            world.goes_on(MOVES).await;
            run.count("clocks set", 2);
        }
        let history = clients.stop().await;
        for words in ["cannot connect", "the time of a plan"] {
            let logged = services.each_ref().map(|service| service.logged(words));
            assert_eq!(logged, [0, 0], "{words}");
        }
        check(&mut run, &world, history, &database_url).await;
        run.progress(turn + 1, turns);
    }
    end(&database_url, services).await;
    run.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_are_wrong_harm_nobody() {
    let mut run = Run::of("clock::clocks_that_are_wrong");
    let database_url = postgres::create_database().await;
    let faults = Faults::new();
    let right = Passbook::start(&mut serve(&database_url, &Faults::new()));
    let wrong = Passbook::start(&mut serve(&database_url, &faults));
    let world = World::new(vec![right.url.clone(), wrong.url.clone()]);
    world.endow().await;
    let turns = run.times(1);
    for turn in 0..turns {
        for error in WRONG[run.rng.usize(0..WRONG.len())] {
            let clients = Clients::start(&world, CLIENTS, &mut run.rng, World::wish);
            world.goes_on(MOVES).await;
            faults.set_clock(error);
            eventually("a wrong clock is noticed", async || is_away(&wrong).await).await;
            world.goes_on(SLOW_MOVES).await;
            let another = Passbook::spawn(&mut serve(&database_url, &faults)).end();
            assert!(another.complaint().contains("this machine's clock is"));
            faults.set_clock(0);
            eventually("it is right again", async || !is_away(&wrong).await).await;
            world.goes_on(MOVES).await;
            let history = clients.stop().await;
            check(&mut run, &world, history, &database_url).await;
            run.count("clocks set wrong", 1);
        }
        run.progress(turn + 1, turns);
    }
    end(&database_url, [right, wrong]).await;
    run.end();
}

/// Stops the services, and looks at the times that they left.
async fn end(database_url: &str, services: [Passbook; 2]) {
    services.into_iter().for_each(Passbook::stop);
    let mut connection = PgConnection::connect(database_url)
        .await
        .expect("a connection");
    let times: (i64, i64) = sqlx::query_as(
        "select count(*) filter (where created_at <= before),
            count(*) filter (where created_at not between now() - interval '1 day' and now() + interval '5 seconds')
         from (select created_at, lag(created_at) over (partition by account_id order by version) as before from entries) as e",
    )
    .fetch_one(&mut connection)
    .await
    .expect("rows");
    connection.close().await.expect("closed");
    assert_eq!(
        times,
        (0, 0),
        "each entry is later than the one before, and none is of another time"
    );
    let verified = process::run(&["verify", "--database-url", database_url]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    postgres::drop_database(database_url).await;
}
