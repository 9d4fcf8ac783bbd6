//! Torture: every fault, again and again and under load, and then the history is checked. Each of these tests is short in
//! `make test`; `make torture LENGTH=50 SEED=7` runs the same ones for long.

mod check;
mod clients;
mod history;
mod run;

mod clock;
mod crashes;
mod disk;
mod late;
mod native;
mod network;
mod newer;
mod overload;
mod peers;
mod restore;
mod services;
mod storms;
