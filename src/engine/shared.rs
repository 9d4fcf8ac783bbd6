//! What the lanes and the callers have in common.

use std::sync::Arc;

use super::memory::Memory;
use super::queue::Queue;
use super::watch::hot::Hot;
use super::watch::stats::Stats;
use crate::storage::Database;

/// What may be tuned. Every value gives the same answers.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Tasks that commit batches, each over a connection of its own; 1 to [`super::LANES_MAX`].
    pub lanes: usize,
    /// Commands in a batch; 1 turns grouping off. At most [`super::BATCH_SIZE_MAX`].
    pub batch_size_max: usize,
    /// Commands that wait; one account may fill half. At most [`super::QUEUE_MAX`].
    pub queue_max: usize,
    /// Bytes of commands that wait.
    pub queue_bytes_max: usize,
    /// Accounts whose heads and names are remembered; at most [`super::HEADS_MAX`].
    pub heads_max: usize,
}

pub(super) struct Shared {
    pub queue: Arc<Queue>,
    pub memory: Memory,
    pub stats: Stats,
    pub hot: Hot,
    pub settings: Settings,
    pub database: Database,
}

impl Shared {
    pub(super) fn new(database: Database, settings: Settings) -> Self {
        Self {
            queue: Arc::new(Queue::new(settings.queue_max, settings.queue_bytes_max)),
            memory: Memory::new(settings.heads_max),
            stats: Stats::new(),
            hot: Hot::default(),
            settings,
            database,
        }
    }
}
