//! What comes in: bodies and fields with their values, keys, and who asks under which name.

pub(super) mod authority;
pub(super) mod body;
pub(super) mod certificate;
pub(super) mod fields;
pub(super) mod idempotency;
pub(super) mod number;
pub(super) mod origin;
pub(super) mod text;
