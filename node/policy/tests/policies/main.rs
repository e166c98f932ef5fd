//! The policies through the crate's public interface: against plain models, split over partitions, and under
//! threads. Knows nothing of how they are made.

mod accounting;
mod driver;
mod models;
mod partitions;
