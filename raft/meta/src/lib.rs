//! ClusterState and MetaCommand: what the whole cluster agrees on; pure.
