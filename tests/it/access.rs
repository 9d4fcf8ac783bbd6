//! Who may come in: every operation, asked by everybody.

mod disguises;
mod matrix;
mod modes;
mod sessions;
mod table;
