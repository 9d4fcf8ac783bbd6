//! Who may come in: every operation, asked by everybody.

mod matrix;
mod modes;
mod sessions;
mod table;
