//! What can be seen of the engine: what it counts, which accounts are busiest, and how far a command has come.

pub(super) mod hot;
pub(super) mod passage;
pub(super) mod stats;
