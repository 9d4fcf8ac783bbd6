//! What the database knows already of a batch: which commands are done, which keys have an outcome.

use std::collections::HashMap;

use super::batch::Batch;
use super::link::bounded;
use super::state::Lane;
use crate::engine::queue::answer_all;
use crate::ledger::{Answered, Command, Scope, View, key};
use crate::storage::{self, StorageError};

impl Lane {
    /// Answers the commands that an earlier attempt has committed. Comes after the heads were read under lock: what was committed
    /// before that is seen here, and what is committed later moves a head.
    pub(super) async fn answer_committed(&mut self, batch: &mut Batch) -> Result<(), StorageError> {
        self.shared.stats.looks.inc();
        let ids: Vec<_> = batch.commands().map(|command| command.id).collect();
        let connection = self.link.connection()?;
        let mut done = bounded(storage::outcomes::list(connection, &ids)).await?;
        batch.dismiss(|command, _| done.get(&command.id)?.as_ref().err().cloned());
        let mut answers = Vec::new();
        for pending in std::mem::take(&mut batch.work.pending) {
            match done.remove(&pending.command.id) {
                Some(Ok(recorded)) => {
                    let answered = Answered {
                        sight: recorded.sight,
                        ..Answered::first(recorded.outcome)
                    };
                    answers.push((pending, Ok(answered)));
                }
                Some(Err(_)) | None => batch.work.pending.push(pending),
            }
        }
        answer_all(answers);
        Ok(())
    }

    /// Which keys have an outcome. Whether that is news.
    pub(super) async fn learn_outcomes(&mut self, batch: &mut Batch) -> Result<bool, StorageError> {
        let keys: Vec<_> = batch
            .commands()
            .filter_map(|command| scoped_key(command, &batch.view))
            .collect();
        let connection = self.link.connection()?;
        let found = bounded(storage::outcomes::list_ids_by_keys(connection, &keys)).await?;
        let ids: Vec<_> = found.iter().map(|(_, id)| *id).collect();
        let outcomes = bounded(storage::outcomes::list(connection, &ids)).await?;
        let known = batch.view.outcomes.len();
        batch.view.looked_up.extend(keys.iter().cloned());
        let mut unreadable = HashMap::new();
        for (position, id) in found {
            match (keys.get(position), outcomes.get(&id)) {
                (Some(key), Some(Ok(recorded))) => {
                    batch.view.outcomes.insert(key.clone(), recorded.clone());
                }
                (Some(key), Some(Err(error))) => {
                    unreadable.insert(key.clone(), error);
                }
                (None, _) | (_, None) => {}
            }
        }
        let dismissed = batch.dismiss(|command, view| {
            let key = scoped_key(command, view)?;
            unreadable.get(&key).copied().cloned()
        });
        Ok(dismissed || known < batch.view.outcomes.len())
    }
}

/// The key of a command with its scope, if it has both.
fn scoped_key(command: &Command, view: &View) -> Option<(Scope, String)> {
    let scope = key::scope(command, |reference| view.account(reference))?;
    Some((scope, command.key.as_ref()?.text.clone()))
}
