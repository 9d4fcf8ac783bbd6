//! Taking over a certificate that was replaced, without a connection that fails for it.

use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::rustls::ServerConfig;

use super::files::{self, Mark, TlsError};
use super::{Tls, TlsFiles};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// What the last look brought.
struct Seen {
    /// What is in use.
    mark: Mark,
    refusal: Option<Refusal>,
}

/// Why the files are of no use.
struct Refusal {
    error: TlsError,
    was_said: bool,
}

impl Tls {
    /// Looks at the files again and again, and at each hang-up at once. Connections that are open go on as they began.
    pub(in crate::http::server) async fn renew(&self, mut hangups: Signal) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = Seen {
            mark: self.loaded,
            refusal: None,
        };
        loop {
            let is_told = tokio::select! {
                _ = looks.tick() => false,
                _ = hangups.recv() => true,
            };
            match load(self.files.clone(), seen.mark).await {
                Ok(None) => seen.refusal = None,
                Ok(Some((mark, config))) => {
                    self.replace(config);
                    seen = Seen {
                        mark,
                        refusal: None,
                    };
                    tracing::info!("new connections use the files of TLS as they are now");
                }
                Err(error) => seen.refuse(error, is_told),
            }
        }
    }
}

impl Seen {
    /// Says each error once. If nobody asked, only at the second look: files that are being replaced, one after the
    /// other, do not belong together for a moment.
    fn refuse(&mut self, error: TlsError, is_told: bool) {
        let before = self.refusal.take();
        let before = before.filter(|refusal| refusal.error == error);
        let was_said = before.as_ref().is_some_and(|refusal| refusal.was_said);
        let is_due = is_told || (before.is_some() && !was_said);
        if is_due {
            tracing::error!(%error, "TLS goes on with the files of before");
        }
        self.refusal = Some(Refusal {
            error,
            was_said: was_said || is_due,
        });
    }
}

/// What the files say, if it is something else than what is in use.
async fn load(files: TlsFiles, used: Mark) -> Result<Option<(Mark, ServerConfig)>, TlsError> {
    let load = move || {
        let contents = files::read(&files)?;
        let mark = contents.mark();
        if mark == used {
            return Ok(None);
        }
        let config = contents.configure(&files)?;
        files::warn_of_open_key(&files);
        Ok(Some((mark, config)))
    };
    let loaded = spawn_blocking(load).await;
    loaded.expect("reading a file does not panic")
}
