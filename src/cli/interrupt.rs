//! SIGINT, SIGTERM and the end of the terminal, for commands that leave nothing behind when they are broken off.

use tokio::signal::unix::{SignalKind, signal};

use crate::app::AppError;

/// What the work gives; or, when a signal comes first, the work is dropped.
///
/// # Errors
/// Those of the work, and [`AppError::Interrupted`].
pub(super) async fn unless_interrupted<T>(
    work: impl Future<Output = Result<T, AppError>>,
) -> Result<T, AppError> {
    tokio::select! {
        worked = work => worked,
        () = told(SignalKind::interrupt()) => Err(AppError::Interrupted),
        () = told(SignalKind::terminate()) => Err(AppError::Interrupted),
        () = told(SignalKind::hangup()) => Err(AppError::Interrupted),
    }
}

async fn told(kind: SignalKind) {
    match signal(kind) {
        Ok(mut signals) => drop(signals.recv().await),
        Err(error) => {
            tracing::warn!(%error, "a signal cannot be handled");
            std::future::pending::<()>().await;
        }
    }
}
