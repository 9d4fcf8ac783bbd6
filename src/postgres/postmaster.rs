//! The server's main process as a child that cannot outlive us.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::watch;

use super::lock::Lock;
use super::system;

/// How the process ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exit {
    /// `None` if the system would not say.
    pub(super) status: Option<ExitStatus>,
    pub(super) was_told_to: bool,
}

/// A handle on the child; dropping it does nothing to the child.
#[derive(Debug)]
pub(super) struct Postmaster {
    pid: u32,
    state: Arc<Mutex<State>>,
    exit: watch::Receiver<Option<Exit>>,
}

#[derive(Debug, Default)]
struct State {
    /// From here on the pid may be another process's.
    is_reaped: bool,
    was_told_to: bool,
}

/// Starts the child. The lock stays taken for as long as the child lives, also when the handle is gone.
///
/// The child is started by a thread that then waits for it, because Linux takes the end of the thread for the end of
/// the parent (see [`system::end_with_parent`]).
pub(super) fn spawn(mut command: Command, lock: Arc<Lock>) -> io::Result<Postmaster> {
    // SIGINT is PostgreSQL's fast shutdown: it breaks off the sessions and writes a checkpoint. SIGTERM would wait
    // for the sessions to end, SIGQUIT would leave the work to the next start.
    system::end_with_parent(&mut command, libc::SIGINT);
    // Ctrl-C in a terminal goes to the process group: passbook shall get it alone, and drain while the database runs.
    command.process_group(0);

    let state = Arc::new(Mutex::new(State::default()));
    let (exit_sender, exit) = watch::channel(None);
    let (pid_sender, pid) = mpsc::sync_channel(1);
    let threads_state = Arc::clone(&state);
    thread::Builder::new()
        .name(String::from("postgres"))
        .spawn(move || {
            let mut child = match command.spawn() {
                Ok(child) => child,
                Err(error) => {
                    let _ = pid_sender.send(Err(error));
                    return;
                }
            };
            let _ = pid_sender.send(Ok(child.id()));
            // Holds the server's first log file open.
            drop(command);
            system::wait_without_reaping(child.id());
            let mut state = hold(&threads_state);
            let status = child.wait().ok();
            state.is_reaped = true;
            let was_told_to = state.was_told_to;
            drop(state);
            drop(lock);
            exit_sender.send_replace(Some(Exit {
                status,
                was_told_to,
            }));
        })?;
    let pid = pid.recv().map_err(io::Error::other)??;
    Ok(Postmaster { pid, state, exit })
}

impl Postmaster {
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Does nothing once the process has ended.
    pub(super) fn signal(&self, signal: i32) -> io::Result<()> {
        let mut state = hold(&self.state);
        if state.is_reaped {
            return Ok(());
        }
        state.was_told_to = true;
        system::signal(self.pid, signal)
    }

    pub(super) fn exit(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Resolves when the process has ended; any number may wait.
    pub(super) fn wait(&self) -> impl Future<Output = Exit> + Send + use<> {
        let mut exit = self.exit.clone();
        async move {
            let unknown = Exit {
                status: None,
                was_told_to: false,
            };
            match exit.wait_for(Option::is_some).await {
                Ok(exit) => exit.unwrap_or(unknown),
                // The thread is gone without a word, and with it, thanks to the kernel, the server.
                Err(_) => unknown,
            }
        }
    }
}

/// The state is two flags that are never half written: a panic elsewhere does not spoil it.
fn hold(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
