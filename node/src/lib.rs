//! Boot, RESP and gRPC fronts, and the way they meet the shards.
