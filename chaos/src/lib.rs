//! Faults, oracle, invariants and checker over the real boot path.
//!
//! ```text
//! scenario --faults--> World (turmoil: links; machines, processes, disks, clocks) --probe, histories--> Oracle
//!                        |  predis_node::boot, unchanged                                    |
//!                        +-- workloads: RESP clients, metadata writers                invariants judge
//! ```
//! One seed decides everything: the same seed gives the same trace, and a trace has a hash to say so. Knows
//! nothing of how a node works beyond what `predis_node` and the probe show.

#[cfg(not(tokio_unstable))]
compile_error!(
    "the simulator needs --cfg tokio_unstable, which .cargo/config.toml sets; a RUSTFLAGS variable overrides it"
);

pub mod checker;
pub mod fault;
pub mod hunt;
pub mod invariant;
pub mod jobs;
pub mod oracle;
pub mod planted;
pub mod report;
pub mod run;
pub mod scenario;
pub mod workload;
pub mod world;
