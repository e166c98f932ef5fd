//! Replication of one partition: what everything that can go wrong leads to, in worlds small enough to try it all,
//! and at random in larger ones.
//!
//! ```text
//! agreed log: deaths, boots, elections, hand-overs, in-sync sets, seats     applied by every node in its own time
//! Lead (real) --parts: lost, late, twice--> Follow (real)                   copy_step (real) says what a copy becomes
//! ```
//! What is acknowledged under quorum stays: it is at everybody who is in sync. Whatever was applied is the same
//! everywhere. When nothing more goes wrong, everybody comes to be in sync and equal.

mod agreed;
mod cases;
mod check;
#[path = "../explore/mod.rs"]
mod explore;
mod node;
mod settle;
mod steps;
mod walk;
mod world;
