//! Criterion benches and side-by-side comparisons; what the programs share.

pub mod cluster;
pub mod program;
