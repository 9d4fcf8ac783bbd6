//! The benchmark: what it counts adds up, its audit sees what is off, and it leaves nothing behind.

mod arrivals;
mod audit;
mod growth;
mod surroundings;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use crate::support::process::{self, Ended, Passbook, command, is_alive, path_of, run, signal};
use crate::support::{eventually, postgres};

/// A short run; how fast it is does not matter.
const SHORT: [&str; 4] = ["--warm-up", "100ms", "--accounts", "40"];

/// What a run says as JSON, and how it ended.
fn bench(args: &[&str]) -> (Value, Option<i32>) {
    let output = run(&[&["bench"], args, &SHORT, &["--json"]].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    let parsed = serde_json::from_str(&text);
    let outcome = parsed.unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (outcome, output.status.code())
}

/// The same of a service that runs already, by the flags that name it.
fn bench_at(flags: &[String], args: &[&str]) -> (Value, Option<i32>) {
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    bench(&[args, &flags].concat())
}

fn list<'v>(value: &'v Value, name: &str) -> &'v Vec<Value> {
    let list = value[name].as_array();
    list.unwrap_or_else(|| panic!("a list of {name} in {value}"))
}

fn count(value: &Value, name: &str) -> u64 {
    let count = value[name].as_u64();
    count.unwrap_or_else(|| panic!("a count of {name} in {value}"))
}

fn figure(value: &Value, name: &str) -> f64 {
    let figure = serde_json::from_value(value[name].clone());
    figure.unwrap_or_else(|error| panic!("{name} in {value}: {error}"))
}

/// The rounds of all loads and sides.
fn rounds(outcome: &Value) -> Vec<&Value> {
    let sides = list(outcome, "loads").iter();
    let sides = sides.flat_map(|load| list(load, "sides"));
    sides.flat_map(|side| list(side, "rounds")).collect()
}

/// Every answer is in one of the counts, nothing failed, and what was acknowledged is in the books, once.
fn assert_adds_up(outcome: &Value) {
    for round in rounds(outcome) {
        let refused = round["refusals"].as_object().expect("refusals").values();
        let refused: u64 = refused.filter_map(Value::as_u64).sum();
        assert_eq!(round["errors"], serde_json::json!({}), "{outcome}");
        let answered = count(round, "successes") + refused;
        assert_eq!(count(round, "requests"), answered, "{outcome}");
        assert!(0 < answered, "{outcome}");
        let [p50, p95, p99, p999] =
            ["p50_ms", "p95_ms", "p99_ms", "p99.9_ms"].map(|name| figure(round, name));
        assert!(0.0 < p50 && p50 <= p95 && p95 <= p99 && p99 <= p999);
        assert!(0.0 < figure(round, "requests_per_s"), "{outcome}");
    }
    assert_eq!(outcome["is_clean"], true, "{outcome}");
    for books in list(outcome, "books") {
        assert_eq!(books["in_balance"], true, "{outcome}");
        assert_eq!(count(books, "unknown"), 0, "{outcome}");
        let acknowledged = count(books, "acknowledged");
        assert_eq!(count(books, "added"), acknowledged, "{outcome}");
    }
}

/// A service on the database, and the flags that name both.
fn serve(database_url: &str) -> (Passbook, Vec<String>) {
    let passbook = Passbook::serve(&["--database-url", database_url]);
    let flags = ["--url", &passbook.url, "--database-url", database_url];
    let flags = flags.map(str::to_owned).to_vec();
    (passbook, flags)
}

fn is_empty(directory: &Path) -> bool {
    let mut entries = fs::read_dir(directory).expect("a directory");
    entries.next().is_none()
}

/// The children of a process.
fn children(pid: u32) -> Vec<u32> {
    let found = Command::new("ps")
        .args(["-o", "pid=", "--ppid", &pid.to_string()])
        .output();
    let found = found.expect("ps runs").stdout;
    let found = String::from_utf8_lossy(&found).into_owned();
    let pids = found.split_whitespace();
    pids.filter_map(|pid| pid.parse().ok()).collect()
}

/// A long benchmark that is under way: itself, its service, and the PostgreSQL under that.
async fn under_way(temp_dir: &TempDir) -> (Passbook, u32, u32) {
    let mut command = command();
    command.args(["bench", "hot", "--duration", "10m", "--concurrency", "4"]);
    command.args(["--temp-dir", path_of(temp_dir)]);
    let bench = Passbook::spawn(&mut command);
    eventually("it measures", async || bench.has_logged("round 1 of 1")).await;
    let services = children(bench.pid());
    let [service] = services[..] else {
        panic!("one service: {services:?}");
    };
    let postmasters = children(service);
    let [postmaster] = postmasters[..] else {
        panic!("one PostgreSQL: {postmasters:?}");
    };
    (bench, service, postmaster)
}

#[tokio::test]
async fn every_scenario_counts_what_the_books_confirm() {
    let url = postgres::create_database().await;
    let (passbook, flags) = serve(&url);
    let duration = ["--duration", "300ms"];
    for (scenario, loads) in [
        ("withdraw-10k", None),
        ("one", None),
        ("hot", Some("1,8")),
        ("spread", Some("1,8")),
        ("transfers", Some("8")),
        ("mixed", Some("8")),
        ("retry-storm", Some("8")),
        ("reads", Some("8")),
        ("history", Some("8")),
        ("transactions", Some("8")),
        ("postings", Some("8")),
        ("holds", Some("8")),
        ("signin", Some("2")),
    ] {
        let mut args = [&[scenario], &duration[..]].concat();
        args.extend(loads.iter().flat_map(|loads| ["--concurrency", loads]));
        let (outcome, code) = bench_at(&flags, &args);
        assert_eq!(code, Some(0), "{outcome}");
        for load in list(&outcome, "loads") {
            assert_eq!(load["scenario"], scenario);
        }
        let asked = loads.map_or(1, |loads| loads.split(',').count());
        assert_eq!(rounds(&outcome).len(), asked, "{outcome}");
        assert_eq!(list(&outcome, "books").len(), 1, "{outcome}");
        let accounts = match scenario {
            "withdraw-10k" | "hot" => 1,
            "signin" => 8,
            _ => 40,
        };
        let conditions = serde_json::json!({
            "accounts": accounts, "grow": 0, "zipf": false, "warm_up_s": 0.1, "duration_s": 0.3, "rounds": 1,
        });
        assert_eq!(outcome["conditions"], conditions);
        assert_adds_up(&outcome);
        for round in rounds(&outcome) {
            let refusals = match scenario {
                "withdraw-10k" => serde_json::json!({"400": 5000}),
                _ => serde_json::json!({}),
            };
            assert_eq!(round["refusals"], refusals, "{outcome}");
            assert!(round.get("service_us").is_none(), "not known: {outcome}");
            let writes = !["reads", "history"].contains(&scenario);
            let per_commit = round.get("requests_per_commit");
            assert_eq!(per_commit.is_some(), writes, "{outcome}");
            assert!(0.0 <= figure(round, "wal_bytes"), "{outcome}");
        }
        if scenario == "holds" {
            assert_captured(&url).await;
        }
    }
    passbook.stop();
    postgres::drop_database(&url).await;
}

/// A connection has one hold at most that it has not captured: eight while it is measured, and eight before.
async fn assert_captured(url: &str) {
    const SQL: &str = "select count(*) filter (where status = 'captured'),
        count(*) filter (where status = 'active') from holds";
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    let holds = sqlx::query_as(SQL).fetch_one(&mut connection).await;
    let (captured, active): (i64, i64) = holds.expect("a row");
    connection.close().await.expect("closed");
    assert!(0 < captured && active <= 16, "{captured}, {active} active");
}

#[test]
fn two_settings_are_compared_in_turns_and_drawn() {
    let temp_dir = process::data_dir();
    let plots = TempDir::new().expect("a directory");
    let plot = plots.path().join("spread.svg");
    let compare = "batch_size_max=1,lanes=4";
    let args = ["spread", "--concurrency", "1,4", "--duration", "300ms"];
    let sides = ["--compare", compare, "--rounds", "2"];
    let plot_path = plot.to_str().expect("a path of text");
    let places = ["--temp-dir", path_of(&temp_dir), "--plot", plot_path];
    let (outcome, code) = bench(&[&args[..], &sides, &places].concat());
    assert_eq!(code, Some(0), "{outcome}");
    assert_adds_up(&outcome);
    assert_eq!(list(&outcome, "books").len(), 2, "{outcome}");
    assert_eq!(rounds(&outcome).len(), 8, "{outcome}");
    for load in list(&outcome, "loads") {
        let ratios = list(load, "ratios").iter();
        let figures: Vec<&str> = ratios
            .filter_map(|ratio| ratio["figure"].as_str())
            .collect();
        for name in ["requests_per_s", "p50_ms", "processor_us", "wal_bytes"] {
            assert!(figures.contains(&name), "{name}: {outcome}");
        }
        for ratio in list(load, "ratios") {
            assert_eq!(ratio["to"], compare);
            let [min, median, max] = ["min", "median", "max"].map(|name| figure(ratio, name));
            // Processor time is told in hundredths of a second, of which a short run may have none.
            let is_coarse = ratio["figure"]
                .as_str()
                .is_some_and(|name| name.ends_with("_us"));
            assert!(is_coarse || 0.0 < min, "{ratio}");
            assert!(min <= median && median <= max, "{ratio}");
        }
        let alone = &list(load, "sides")[1]["median"];
        assert_eq!(load["sides"][1]["name"], compare);
        // It has nothing to group; a transaction of the server's own may be among them.
        assert!(figure(alone, "requests_per_commit") <= 1.0, "{outcome}");
    }
    for name in ["service_us", "postgres_us"] {
        let of = |load: &Value| figure(&list(load, "sides")[1]["median"], name);
        let used = list(&outcome, "loads").iter().map(of);
        assert!(used.into_iter().any(|us| 0.0 < us), "{name}: {outcome}");
    }
    assert!(is_empty(temp_dir.path()), "nothing is left");
    let svg = fs::read_to_string(plot).expect("a plot");
    assert_is_drawn(&svg, &["spread: latency", "spread: throughput", "p99.9"]);
}

/// Every element that is opened is closed, in order, and what is drawn is named.
fn assert_is_drawn(svg: &str, named: &[&str]) {
    let mut open: Vec<&str> = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("every tag ends");
        let name = tag.split([' ', '/', '\n']).find(|name| !name.is_empty());
        let name = name.expect("every tag has a name");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "closed in order");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    for words in [&["<svg"], named].concat() {
        assert!(svg.contains(words), "{words} in {svg}");
    }
    assert!(2 < svg.matches("<polyline").count(), "{svg}");
}

#[test]
fn postgresql_alone_is_measured_beside() {
    let temp_dir = process::data_dir();
    for (scenario, name) in [
        ("spread", "pgbench -c 16"),
        ("hot", "pgbench -c 2, 500 in a statement"),
        ("one", "pgbench -c 1"),
    ] {
        let args = [scenario, "--against", "pgbench", "--rounds", "1"];
        let load = ["--concurrency", "4"];
        let load = if scenario == "one" { &[][..] } else { &load };
        let places = ["--duration", "1s", "--temp-dir", path_of(&temp_dir)];
        let (outcome, code) = bench(&[&args, load, &places[..]].concat());
        assert_eq!(code, Some(0), "{outcome}");
        assert_adds_up(&outcome);
        let pgbench = &outcome["pgbench"];
        assert_eq!(pgbench["name"], name);
        let round = &list(pgbench, "rounds")[0];
        assert!(0 < count(round, "successes"), "{outcome}");
        for round in rounds(&outcome).into_iter().chain([round]) {
            assert!((0.0..=100.0).contains(&figure(round, "stolen_percent")));
        }
        let ratios = list(&list(&outcome, "loads")[0], "ratios").iter();
        let figures: Vec<&str> = ratios
            .filter_map(|ratio| ratio["figure"].as_str())
            .collect();
        assert!(figures.contains(&"requests_per_s"), "{outcome}");
        let has_p50 = figures.contains(&"p50_ms");
        assert_eq!(has_p50, scenario != "hot", "{outcome}");
    }
    assert!(is_empty(temp_dir.path()), "nothing is left");
}

/// A service with room for few refuses many of them, so that not every withdrawal gets its answer.
#[tokio::test]
async fn an_acceptance_run_that_is_not_exact_is_told_by_the_exit_code() {
    let url = postgres::create_database().await;
    let passbook = Passbook::serve(&["--database-url", &url, "--queue-max", "8"]);
    let target = ["--url", &passbook.url, "--database-url", &url];
    let (outcome, code) = bench(&[&["withdraw-10k"], &target[..]].concat());
    assert_eq!(code, Some(1), "{outcome}");
    assert_eq!(list(&outcome, "violations").len(), 1, "{outcome}");
    let errors = &rounds(&outcome)[0]["errors"];
    assert!(0 < count(errors, "503"), "{outcome}");
    let books = &list(&outcome, "books")[0];
    assert_eq!(books["in_balance"], true, "{outcome}");
    assert_eq!(count(books, "lost"), 0, "{outcome}");
    passbook.stop();
    postgres::drop_database(&url).await;
}

#[tokio::test]
async fn an_interrupted_run_leaves_no_process_and_no_directory() {
    let temp_dir = process::data_dir();
    let (bench, service, postmaster) = under_way(&temp_dir).await;
    bench.signal("INT");
    let ended = bench.end();
    assert!(ended.complaint().contains("interrupted"), "{ended:?}");
    assert!(!is_alive(service) && !is_alive(postmaster));
    assert!(is_empty(temp_dir.path()), "nothing is left");
}

#[tokio::test]
async fn a_run_that_is_killed_takes_its_service_with_it() {
    let temp_dir = process::data_dir();
    let (bench, service, postmaster) = under_way(&temp_dir).await;
    bench.signal("KILL");
    assert_eq!(bench.end().code, None);
    eventually("its processes end", async || {
        !is_alive(service) && !is_alive(postmaster)
    })
    .await;
}

#[tokio::test]
async fn a_service_that_dies_is_told_with_its_last_lines() {
    let temp_dir = process::data_dir();
    let (bench, service, postmaster) = under_way(&temp_dir).await;
    signal("KILL", &service.to_string());
    let ended = bench.end();
    let complaint = ended.complaint();
    assert!(complaint.contains("the service ended"), "{ended:?}");
    assert!(ended.stderr.contains("PostgreSQL is ready"), "{ended:?}");
    eventually("its PostgreSQL ends", async || !is_alive(postmaster)).await;
    assert!(is_empty(temp_dir.path()), "nothing is left");
}

/// A gibibyte of it, before a measurement of ten minutes; a new cluster has one segment, of 16 MiB, and makes each as it comes to
/// its end, while everyone waits.
#[tokio::test]
async fn a_database_of_its_own_has_its_log_beforehand() {
    let temp_dir = process::data_dir();
    let (bench, _, postmaster) = under_way(&temp_dir).await;
    let directory = fs::read_link(format!("/proc/{postmaster}/cwd")).expect("its directory");
    let files = fs::read_dir(directory.join("pg_wal")).expect("its log");
    let segments = files.filter_map(Result::ok);
    let segments = segments.filter(|file| file.metadata().is_ok_and(|file| file.is_file()));
    assert!(64 <= segments.count());
    bench.signal("INT");
    bench.end();
}

#[test]
fn what_cannot_be_measured_is_refused_in_one_line() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("an address").port();
    drop(nobody);
    let nobody = format!("http://127.0.0.1:{port}");
    let named = format!("http://localhost:{port}");
    for (args, words) in [
        (&["spread", "--url", &nobody][..], nobody.as_str()),
        (&["spread", "--url", "localhost:3000"], "http://HOST:PORT"),
        (&["spread", "--url", &named], &named),
        (&["spread", "--url", "http://[::"], "http://[::"),
        (&["everything"], "everything"),
        (&["spread", "--concurrency", "1,0"], "from 1 to 10000"),
        (&["spread", "--concurrency", "1;2"], "from 1 to 10000"),
        (&["spread", "--rate", "0"], "--rate"),
        (
            &["spread", "--rate", "10", "--concurrency", "1,2"],
            "one number",
        ),
        (&["spread", "--accounts", "1"], "--accounts"),
        (&["spread", "--duration", "10"], "10s"),
        (&["spread", "--duration", "0s"], "nothing can be measured"),
        (&["spread", "--rounds", "0"], "--rounds"),
        (&["spread", "--zipf"], "transfers"),
        (&["spread", "hot"], "hot"),
        (&["spread,transfers"], "transfers has accounts of its own"),
        (&["withdraw-10k,hot"], "measure it alone"),
        (&["signin", "--grow", "10"], "not for signin"),
        (
            &["spread,hot", "--against", "pgbench"],
            "one of spread, hot and one",
        ),
        (
            &["spread", "--against", "empty", "--url", &nobody],
            "--against",
        ),
        (&["history", "--url", &nobody], "--database-url"),
        (&["one", "--concurrency", "2"], "--concurrency"),
        (
            &["reads", "--against", "pgbench"],
            "one of spread, hot and one",
        ),
        (&["spread", "--compare", "lanes=0"], "from 1 to 64"),
        (&["spread", "--compare", "lines=1"], "--lines"),
        (&["spread", "--compare", "listen=0.0.0.0:80"], "listen"),
        (&["spread", "--database-url", "postgres://a/b"], "--url"),
        (&["spread", "--temp-dir", "/nowhere"], "/nowhere"),
        // Before anything is asked of anybody.
        (
            &["spread", "--url", &nobody, "--plot", "/nowhere/a.svg"],
            "/nowhere/a.svg",
        ),
    ] {
        let ended = Ended::of(&run(&[&["bench"], args].concat()));
        let complaint = ended.complaint();
        assert!(
            ended.stderr.contains(words),
            "{words} in {complaint}: {ended:?}"
        );
    }
}

#[test]
fn help_on_bench_explains_every_scenario_and_the_units() {
    let help = run(&["bench", "--help"]);
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    for words in [
        "withdraw-10k",
        "hot",
        "spread",
        "transfers",
        "mixed",
        "retry-storm",
        "one",
        "reads",
        "history",
        "transactions",
        "postings",
        "each placed and then captured",
        "signin",
        "milliseconds",
        "microseconds",
        "open loop",
        "--compare",
        "--against",
        "--grow",
        "Bytes per entry",
        "peak MiB",
        "unsent",
        "disconnected",
        "signin 1,4",
        "Exit code 1",
    ] {
        assert!(help.contains(words), "{words} in {help}");
    }
}

#[test]
fn the_help_wraps_each_paragraph_once() {
    let output = process::run(&["bench", "--help"]);
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, prose) = help
        .split_once("\nA closed loop")
        .expect("prose at its end");
    let lines: Vec<&str> = prose.lines().collect();
    let is_prose = |line: &str| !line.is_empty() && !line.starts_with(' ');
    for pair in lines
        .windows(2)
        .filter(|pair| pair.iter().all(|line| is_prose(line)))
    {
        let word = pair[1].split(' ').next().unwrap_or_default();
        // What clap wraps to where there is no terminal.
        assert!(100 < pair[0].len() + 1 + word.len(), "ends early: {pair:?}");
    }
}
