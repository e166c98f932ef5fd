//! `predis ctl backup` on real processes: three nodes of 16 partitions are backed up while they are written to, and
//! restored into two nodes of 64; what is damaged, foreign or in the way is refused with words.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cluster;
mod failures;
#[path = "../process/mod.rs"]
mod process;
mod restored;
mod writes;
