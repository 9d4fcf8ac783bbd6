//! Why a round of a batch has no answers.

use crate::storage::{CommitError, StorageError};

/// What it means for the batch is said in `recover`, and nowhere else.
#[derive(Debug)]
pub(super) enum RoundError {
    /// Before anything was sent that could change the books: nothing of this round is applied.
    Reading(StorageError),
    /// The plan stands on keys having no outcome, and nobody has looked. Nothing was sent.
    OutcomesUnknown,
    /// In answer to the statement or to its commit.
    Writing(CommitError),
}

impl RoundError {
    /// Whether the connection still stands, so that its transaction can be told to end.
    pub(super) fn leaves_connection(&self) -> bool {
        match self {
            Self::Reading(error) => !error.is_of_connection(),
            Self::OutcomesUnknown => true,
            Self::Writing(error) => !matches!(error, CommitError::Lost(_)),
        }
    }
}

impl From<StorageError> for RoundError {
    fn from(error: StorageError) -> Self {
        Self::Reading(error)
    }
}

impl From<CommitError> for RoundError {
    fn from(error: CommitError) -> Self {
        Self::Writing(error)
    }
}
