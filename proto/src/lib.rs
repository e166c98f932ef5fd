//! The .proto files and the code generated from them.
//!
//! Owns the wire form of gRPC messages. Knows no domain type: conversions live with the crates whose types
//! they convert.

// Generated code is documented in the .proto files.
#![allow(missing_docs, unreachable_pub, clippy::pedantic)]

/// Raft between members.
pub mod raft {
    tonic::include_proto!("predis.raft.v1");
}

/// Membership and leases.
pub mod node {
    tonic::include_proto!("predis.node.v1");
}

/// Replication between members.
pub mod replica {
    tonic::include_proto!("predis.replica.v1");
}

/// The admin API.
pub mod admin {
    tonic::include_proto!("predis.admin.v1");
}

/// The encoded `FileDescriptorSet` of every service, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
