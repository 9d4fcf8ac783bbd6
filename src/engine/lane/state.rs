//! What a lane has from one batch to the next.

use std::sync::Arc;

use super::aside::Aside;
use super::ids::Ids;
use super::link::Link;
use crate::engine::shared::Shared;

/// A thread with a connection that takes batches, one after the other, and is never cancelled.
pub(super) struct Lane {
    pub shared: Arc<Shared>,
    pub link: Link,
    pub ids: Ids,
    pub aside: Aside,
}
