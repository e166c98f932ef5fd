//! The openraft adapter: log store, transport, and the replicated ClusterState.
