//! `passbook serve`: starts, says where it is, and serves until it is told to stop.

use tokio::signal::unix::{SignalKind, signal};

use super::say;
use crate::app::{App, AppError};
use crate::config::ServeArgs;

/// How long the same signal may come in again by another way.
const ECHO: std::time::Duration = std::time::Duration::from_millis(100);

/// Serves until SIGINT or SIGTERM; true when it stopped as it was asked to.
pub(super) async fn run(args: &ServeArgs) -> Result<bool, AppError> {
    let stop = Stop::new();
    let mut app = tokio::select! {
        app = App::start(args) => app?,
        // Nothing is being served yet; what was started is stopped with its handle.
        () = stop.told() => return Ok(true),
    };
    say(&banner(&app));
    tokio::select! {
        () = stop.told() => {}
        () = app.supervise() => {}
    }
    stop.settle().await;
    say("stopping: answering what is in flight (once more to stop at once)\n");
    let counts = app.service().counts();
    tokio::select! {
        stopped = app.stop() => stopped?,
        () = stop.told() => say("stopped at once; what was committed is safe\n"),
    }
    tracing::info!(?counts, "stopped");
    Ok(true)
}

/// SIGINT and SIGTERM, counted from the very start.
struct Stop(tokio::sync::Mutex<tokio::sync::mpsc::Receiver<()>>);

impl Stop {
    fn new() -> Self {
        let (sender, receiver) = tokio::sync::mpsc::channel(4);
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            let sender = sender.clone();
            match signal(kind) {
                Ok(mut signals) => drop(tokio::spawn(async move {
                    while signals.recv().await.is_some() && sender.send(()).await.is_ok() {}
                })),
                Err(error) => tracing::warn!(%error, "a signal cannot be handled"),
            }
        }
        Self(tokio::sync::Mutex::new(receiver))
    }

    /// Lets what is one wish come in as one: a shell, `make` and `timeout` may each pass on the same signal.
    async fn settle(&self) {
        tokio::time::sleep(ECHO).await;
        let mut wishes = self.0.lock().await;
        while wishes.try_recv().is_ok() {}
    }

    async fn told(&self) {
        if self.0.lock().await.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

fn banner(app: &App) -> String {
    let url = app.url();
    let reach = if app.listen().ip().to_canonical().is_loopback() {
        "open to this machine only"
    } else {
        "open to the network"
    };
    let mut text = format!(
        "passbook {}\n  listening on  {url} ({reach})\n",
        env!("CARGO_PKG_VERSION")
    );
    let line = |text: &mut String, what: &str, value: &str| {
        text.push_str(&format!("  {what:<12}  {value}\n"));
    };
    match app.embedded() {
        Some(address) => {
            line(
                &mut text,
                "database",
                &format!("PostgreSQL {}, embedded and private", address.version()),
            );
            line(
                &mut text,
                "data in",
                &address.data_dir().display().to_string(),
            );
        }
        None => line(&mut text, "database", &app.database().describe()),
    }
    let access = if app.is_open() {
        "open: nobody has to say who they are"
    } else if app.service().access().is_empty() {
        "by API key; passbook keys create NAME --scopes admin makes the first"
    } else {
        "by API key or session"
    };
    line(&mut text, "access", access);
    if app.has_demo() {
        line(&mut text, "try", &format!("curl {url}/api/users/1"));
    }
    line(&mut text, "stop with", "Ctrl-C");
    text
}
