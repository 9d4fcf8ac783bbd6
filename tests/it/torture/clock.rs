//! A clock that is set back: versions and times stay in order.

use sqlx::{Connection, PgConnection};

use super::check::check;
use super::clients::{Clients, World};
use super::run::Run;
use crate::support::faults::Faults;
use crate::support::process::{self, Passbook, path_of};

const CLIENTS: u64 = 16;
const MOVES: u64 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_back_leaves_times_in_order() {
    let mut run = Run::of("clock");
    let data_dir = process::migrated_data_dir();
    let faults = Faults::new();
    let mut command = process::command();
    command.args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        path_of(&data_dir),
    ]);
    let passbook = Passbook::start(command.envs(faults.environment()));
    let world = World::new(vec![passbook.url.clone()]);
    world.endow().await;
    let url = process::database_url(&data_dir);
    let turns = run.times(1);
    for turn in 0..turns {
        for back in [0, run.rng.i64(1..5), run.rng.i64(60..100_000)] {
            let clients = Clients::start(&world, CLIENTS, &mut run.rng, World::wish);
            world.goes_on(MOVES).await;
            faults.set_clock(-back);
            world.goes_on(MOVES).await;
            let history = clients.stop().await;
            check(&mut run, &world, history, &url).await;
            run.count("clocks set", 1);
        }
        run.progress(turn + 1, turns);
    }
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    let ahead: (i64, i64) = sqlx::query_as(
        "select count(*) filter (where created_at <= before), count(*) filter (where created_at > now() + interval '1 hour')
         from (select created_at, lag(created_at) over (partition by account_id order by version) as before from entries) as e",
    )
    .fetch_one(&mut connection)
    .await
    .expect("rows");
    connection.close().await.expect("closed");
    assert_eq!(
        ahead,
        (0, 0),
        "each entry is later than the one before, and none is of the future"
    );
    let verified = process::run(&["verify", "--data-dir", path_of(&data_dir)]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    passbook.stop();
    run.end();
}
