//! Ring, placement, topology and routing; pure.
