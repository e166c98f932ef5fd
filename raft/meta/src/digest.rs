//! A fingerprint of what was agreed, to see whether two nodes agree.
//!
//! FNV-1a (Fowler, Noll, Vo; 64 bits) over the canonical encoding: struct fields in declared order, maps by
//! key, no white space. It is no defence against somebody who wants a collision.

use crate::ClusterState;
use predis_types::mix64;
use std::io;

struct Fnv(u64);

impl io::Write for Fnv {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ClusterState {
    /// The fingerprint of everything but the applied index: a rejected command leaves it as it was.
    pub fn digest(&self) -> u64 {
        // Spelt out, so that a new field cannot be forgotten here.
        let ClusterState {
            cluster,
            nodes,
            next_node_id,
            partitions,
            tenants,
            next_tenant_id,
            users,
            config,
            roles,
            next_fencing_token,
            audit,
            applied_index: _,
            local_node: _,
        } = self;
        let agreed = (
            (cluster, nodes, next_node_id, partitions),
            (tenants, next_tenant_id, users, config, roles, next_fencing_token, audit),
        );
        let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
        serde_json::to_writer(&mut hash, &agreed).expect("maps have plain keys and the writer never fails");
        mix64(hash.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use predis_types::NodeId;

    #[test]
    fn digest_sees_what_was_agreed_and_nothing_else() {
        let empty = ClusterState::new();
        let mut other = empty.clone();
        other.applied_index = 7;
        other.local_node = Some(NodeId(2));
        assert_eq!(empty.digest(), other.digest());
        other.config.insert("a".into(), "b".into());
        assert_ne!(empty.digest(), other.digest());
    }

    #[test]
    fn digest_of_the_empty_state_is_the_same_everywhere() {
        assert_eq!(ClusterState::new().digest(), 7111789362606208250);
    }
}
