//! Faults, oracle, invariants and checker over the real boot path.
