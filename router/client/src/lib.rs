//! The smart client: routes by slot over a watched topology, pipelines, retries what may be retried.
//!
//! Knows nothing of Raft or of storage.
