//! The network to PostgreSQL cut, stalled, refused and delayed around the commit, with every outcome that a commit can have then.

use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

use super::check::check;
use super::clients::World;
use super::history::Told;
use super::run::Run;
use crate::support::bank::at_once;
use crate::support::proxy::{Cut, Door, Proxy};
use crate::support::{Bank, Locked};

/// Cuts of each kind before the history is checked.
const CUTS: u64 = 11;
/// Requests at the same time, at most.
const REQUESTS: u64 = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_connections() {
    let mut run = Run::of("network");
    let (proxy, direct) = Proxy::to_new_database().await;
    let bank = Bank::open_on(&proxy.database_url, &[]).await;
    let world = World::new(vec![bank.url("")]);
    world.endow().await;
    let turns = run.times(1);
    for turn in 0..turns {
        for _ in 0..CUTS {
            for cut in [Cut::Request, Cut::Answer, Cut::Orphan] {
                lose(cut, &proxy, &direct, &world, &mut run).await;
            }
        }
        refuse(&proxy, &world, &mut run).await;
        stall(&proxy, &world, &mut run).await;
        let history = world.take_history();
        check(&mut run, &world, history, &direct).await;
        run.progress(turn + 1, turns);
    }
    let counts = bank.app.service().counts();
    run.count("looks for what had become of a batch", counts.looks);
    run.count("connections made again", counts.reconnects);
    bank.stop().await;
    Bank::open_on(&direct, &[]).await.close().await;
    run.end();
}

/// A few requests whose batch is cut. Every one of them is answered, as none of it concerns the caller.
async fn lose(cut: Cut, proxy: &Proxy, direct: &str, world: &Arc<World>, run: &mut Run) {
    let before = proxy.cuts();
    let wishes: Vec<_> = (0..run.rng.u64(1..=REQUESTS))
        .map(|_| world.wish(&mut run.rng))
        .collect();
    let kinds: Vec<_> = wishes
        .iter()
        .map(|asked| {
            let how = if asked.key.is_some() {
                "with keys"
            } else {
                "without keys"
            };
            format!("{} {how}", asked.kind())
        })
        .collect();
    // A lock from outside lets the old backend commit only after the lane has looked.
    let late =
        (cut == Cut::Orphan && run.rng.bool()).then(|| Duration::from_millis(run.rng.u64(5..150)));
    let accounts = match late {
        Some(late) => Some((late, Locked::accounts(direct).await)),
        None => None,
    };
    proxy.cut_next(cut);
    let release = async {
        if let Some((late, accounts)) = accounts {
            sleep(late).await;
            accounts.release().await;
        }
    };
    let asking = at_once(wishes.into_iter().map(|asked| world.ask(asked)));
    let (told, ()) = tokio::join!(asking, release);
    for told in told {
        assert!(
            matches!(told, Told::Done(_) | Told::Refused(_)),
            "{cut:?}: {told:?}"
        );
    }
    proxy.cut_next(Cut::Nothing);
    // Refusals without keys write nothing that could be cut.
    if before < proxy.cuts() {
        run.count(format!("ambiguous commits, {cut:?} lost"), 1);
        if late.is_some() {
            run.count("commits that came after the look", 1);
        }
        for kind in kinds {
            run.count(format!("{kind} in ambiguous commits"), 1);
        }
    }
}

/// No connection is to be had for a moment, and the one that was there is lost.
async fn refuse(proxy: &Proxy, world: &Arc<World>, run: &mut Run) {
    proxy.cut_next(Cut::Request);
    proxy.set_door(Door::Shut);
    let wishes: Vec<_> = (0..REQUESTS).map(|_| world.wish(&mut run.rng)).collect();
    let rest = Duration::from_millis(run.rng.u64(50..500));
    let back = async {
        sleep(rest).await;
        proxy.set_door(Door::Open);
    };
    tokio::join!(
        at_once(wishes.into_iter().map(|asked| world.ask(asked))),
        back
    );
    proxy.cut_next(Cut::Nothing);
    run.count("times that connections were refused", 1);
}

/// The network swallows a batch, and is slow besides: callers may be told that the outcome is unknown, and settle it by asking again.
async fn stall(proxy: &Proxy, world: &Arc<World>, run: &mut Run) {
    proxy.delay(run.rng.u64(1..20));
    proxy.cut_next(Cut::Stall);
    let wishes: Vec<_> = (0..REQUESTS).map(|_| world.wish(&mut run.rng)).collect();
    at_once(wishes.into_iter().map(|asked| world.ask(asked))).await;
    proxy.cut_next(Cut::Nothing);
    proxy.delay(0);
    run.count("stalls", 1);
}
