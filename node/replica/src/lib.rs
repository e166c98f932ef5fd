//! Leases, incarnations, epochs and hand-over as sans-io state machines.
