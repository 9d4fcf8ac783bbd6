//! An older dump restored under a live service: whatever it remembers, nothing is written on top of the wrong history.

use super::check::check;
use super::clients::{Clients, World};
use super::run::Run;
use crate::support::{Bank, postgres};

const CLIENTS: u64 = 16;
/// Moves before a copy is taken, after it, and after it was put back.
const MOVES: u64 = 100;

/// Puts the copies back as one would in place, with the connections of the service left alone: they notice nothing.
const PUT_BACK: &str = "
    begin;
    set local session_replication_role = replica;
    alter table entries disable trigger all;
    alter table transactions disable trigger all;
    lock accounts, account_names, entries, transactions in exclusive mode;
    delete from entries;
    delete from transactions;
    delete from account_names;
    delete from accounts;
    insert into accounts select * from old.accounts;
    insert into account_names select * from old.account_names;
    insert into transactions select * from old.transactions;
    insert into entries select * from old.entries;
    alter table entries enable always trigger entries_append_only;
    alter table entries enable always trigger entries_no_truncate;
    alter table transactions enable always trigger transactions_append_only;
    alter table transactions enable always trigger transactions_no_truncate;
    drop schema old cascade;
    commit";

const TAKE: &str = "
    create schema old;
    create table old.accounts as table accounts;
    create table old.account_names as table account_names;
    create table old.transactions as table transactions;
    create table old.entries as table entries";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_state_is_put_back_under_a_live_service() {
    let mut run = Run::of("restore");
    let bank = Bank::open().await;
    let world = World::new(vec![bank.url("")]);
    world.endow().await;
    let turns = run.times(2);
    for turn in 0..turns {
        let before = Clients::start(&world, CLIENTS, &mut run.rng, World::wish);
        world.goes_on(MOVES).await;
        let history = before.stop().await;
        check(&mut run, &world, history, &bank.database_url).await;
        bank.plant(TAKE).await;

        // This is lost with the restore, but the service remembers it: heads, names, and ids.
        let lost = Clients::start(&world, CLIENTS, &mut run.rng, World::wish);
        world.goes_on(MOVES).await;
        lost.stop().await;
        if turn % 2 == 0 {
            postgres::execute(&bank.database_url, PUT_BACK).await;
        } else {
            // The connections are lost as well, and the sequences go back with the rest.
            let terminate = "select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()";
            let set_back = "select setval('accounts_id_seq', (select max(id) from accounts))";
            for sql in [PUT_BACK, set_back, terminate] {
                postgres::execute(&bank.database_url, sql).await;
            }
        }

        let after = Clients::start(&world, CLIENTS, &mut run.rng, World::wish);
        world.goes_on(MOVES).await;
        let history = after.stop().await;
        check(&mut run, &world, history, &bank.database_url).await;
        let report = bank.audit().await;
        assert!(
            report.is_clean(),
            "{}: {:#?}",
            run.replay(),
            report.findings
        );
        run.count("restores", 1);
        run.progress(turn + 1, turns);
    }
    bank.close().await;
    run.end();
}

#[tokio::test]
async fn the_id_of_a_lost_account_may_become_another_ones_but_not_its_name() {
    let bank = Bank::open_with(&["--lanes", "1"]).await;
    let deposit = async |name: &str, amount: u32| {
        let body = format!(r#"{{"type":"deposit","destination":"{name}","amount":{amount}}}"#);
        let reply = bank.post("/event", &body).await;
        assert_eq!(reply.status, 201, "{name}: {reply:?}");
        reply.json()["destination"]["balance"].to_string()
    };
    deposit("kept", 1).await;
    bank.plant(TAKE).await;
    deposit("lost", 5).await;
    let id = "select account_id from account_names where name = 'lost'";
    let lost = bank.number(id).await;
    bank.plant(PUT_BACK).await;
    bank.plant("select setval('accounts_id_seq', (select max(id) from accounts))")
        .await;
    // The lane has ids left of before; then they come from the sequence again.
    let mut others = 0;
    while bank
        .number(&format!("select count(*) from accounts where id = {lost}"))
        .await
        == 0
    {
        others += 1;
        assert!(others < 100, "ids are used again");
        deposit(&format!("other-{others}"), 7).await;
    }
    assert_eq!(deposit("lost", 5).await, "5", "it is opened again");
    assert_eq!(deposit(&format!("other-{others}"), 7).await, "14");
    assert_eq!(deposit("kept", 1).await, "2");
    bank.close().await;
}
