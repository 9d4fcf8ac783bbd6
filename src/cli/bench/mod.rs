//! `passbook bench`: starts what is to be measured, measures it, prints what came out.

mod args;
mod table;
mod values;

use std::cell::RefCell;
use std::future::pending;
use std::io::{self, IsTerminal, Write as _};
use std::time::Duration;

use tokio::time::timeout;

pub(super) use self::args::BenchArgs;
use self::args::Starting;
use super::draft::Draft;
use super::interrupt::unless_interrupted;
use super::say;
use crate::app::AppError;
use crate::bench::{self, Error, Outcome, Own, Plan, Progress, Target, plot};

/// How long a service that took its measurement down with it may take to be seen as ended.
const END_MAX: Duration = Duration::from_secs(2);

/// Whether the books are in balance, and all answers were as they have to be.
pub(super) async fn run(args: &BenchArgs) -> Result<bool, AppError> {
    let plan = args.plan()?;
    if let Some(path) = &args.plot {
        // Whether the plot can be written is better known before than after an hour.
        drop(Draft::create(path)?);
    }
    let mut own = Vec::new();
    let measured = unless_interrupted(measure(args, &plan, &mut own)).await;
    clear_progress();
    // Before anything that can fail: it may have taken an hour.
    if let Ok(outcome) = &measured {
        say(&if args.json {
            json(outcome)
        } else {
            table::describe(&plan, outcome)
        });
    }
    let stopped = stop(own).await;
    let outcome = measured?;
    if let Some(path) = &args.plot {
        plot::write(&outcome, path)?;
    }
    stopped?;
    Ok(outcome.is_clean)
}

/// Measures the service that was named, or else starts what is needed; whoever calls stops it.
async fn measure(args: &BenchArgs, plan: &Plan, own: &mut Vec<Own>) -> Result<Outcome, AppError> {
    let watch = watcher();
    if let Some(target) = args.target().await? {
        return Ok(bench::run(plan, &[target], &watch).await?);
    }
    let mut targets: Vec<Target> = Vec::new();
    for starting in args.starting() {
        let Starting { name, flags, size } = starting;
        let started = Own::start(&name, &flags, size, args.temp_dir.as_deref())?;
        let index = own.len();
        own.push(started);
        if let Some(started) = own.get_mut(index) {
            targets.push(started.ready().await?);
        }
    }
    let failed = tokio::select! {
        measured = bench::run(plan, &targets, &watch) => match measured {
            Ok(outcome) => return Ok(outcome),
            Err(error) => error,
        },
        error = any_exited(own) => error,
    };
    // A service that died is why its connections broke.
    match timeout(END_MAX, any_exited(own)).await {
        Ok(died) => Err(died.into()),
        Err(_) => Err(failed.into()),
    }
}

/// Stops all of them, also where one does not go in good order.
async fn stop(own: Vec<Own>) -> Result<(), Error> {
    let mut outcome = Ok(());
    for service in own {
        let stopped = service.stop().await;
        outcome = outcome.and(stopped);
    }
    outcome
}

async fn any_exited(own: &mut [Own]) -> Error {
    match own {
        [] => pending().await,
        [first] => first.exited().await,
        [first, rest @ ..] => tokio::select! {
            error = first.exited() => error,
            error = Box::pin(any_exited(rest)) => error,
        },
    }
}

/// Shows what is going on: on a terminal in one line that is written over, else in a line for each step.
fn watcher() -> impl Fn(Progress<'_>) {
    let last = RefCell::new(String::new());
    let is_terminal = io::stderr().is_terminal();
    move |progress: Progress<'_>| {
        let Progress {
            side,
            step,
            completed,
            elapsed,
        } = progress;
        let step = format!("{step} ({side})");
        if is_terminal {
            let elapsed_s = elapsed.as_secs_f64();
            let per_s = progress.per_s();
            drop(write!(
                io::stderr(),
                "\r\x1b[K{step}: {completed} in {elapsed_s:.1} s, {per_s:.0}/s"
            ));
        } else if *last.borrow() != step {
            drop(writeln!(io::stderr(), "{step}"));
            last.replace(step);
        }
    }
}

fn clear_progress() {
    if io::stderr().is_terminal() {
        drop(write!(io::stderr(), "\r\x1b[K"));
    }
}

fn json(outcome: &Outcome) -> String {
    let text = serde_json::to_string_pretty(outcome);
    // Nothing in it can fail to be JSON.
    text.unwrap_or_default() + "\n"
}
