//! Commands that wait for a lane, and what lanes work on meanwhile.

mod bounded;
mod line;
mod pending;
mod resource;
mod work;

#[cfg(test)]
pub(super) mod tests;

pub(super) use self::bounded::Queue;
pub(super) use self::pending::{Pending, answer_all};
pub(super) use self::resource::Resource;
pub(super) use self::work::Work;
