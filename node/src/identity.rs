//! Who a node is across boots: the file `node.json` in its data directory.
//!
//! Written durably before anything is done in its name. The boot counter is the node's incarnation: it is on
//! disk before it is proposed, so no two boots can ever share one.

use crate::config::{Ack, Founding};
use predis_raft::Disk;
use predis_types::{
    ClusterId, Incarnation, NodeId, PartitionCount,
    planted::{self, Bug},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, io};

/// The name of the identity file in the data directory.
pub const FILE: &str = "node.json";

const VERSION: u32 = 1;

/// Who a node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    version: u32,
    /// The cluster it belongs to, for good.
    pub cluster: ClusterId,
    /// Its id in that cluster.
    pub node: NodeId,
    /// How often it has booted.
    pub boots: u64,
    /// What it founded the cluster with, if it did.
    pub founded: Option<Founded>,
    /// The members it was told of when it joined: id to gRPC address.
    pub peers: BTreeMap<u64, String>,
    /// The longest round trip between members that the cluster was founded for, in milliseconds: all judge by it.
    #[serde(default)]
    pub round_trip_ms: u32,
    /// Whether it is a member no more, for good.
    #[serde(default)]
    pub left: bool,
}

/// What a cluster was founded with, so that a founding cut short can be finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Founded {
    /// How many partitions.
    pub partitions: PartitionCount,
    /// How many copies of each.
    pub copies: u8,
    /// The default tenant's eviction policy.
    pub policy: String,
    /// When the default tenant's replies are given.
    #[serde(default = "asynchronous")]
    pub ack: Ack,
    /// The key of the hash that orders keys.
    pub hash_key: [u64; 2],
    /// The digest of the token of the user `admin`, if the cluster was founded to require authentication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<String>,
}

/// What founders of before noted, by saying nothing.
fn asynchronous() -> Ack {
    Ack::Async
}

impl Identity {
    /// A founder's identity, before its first boot.
    pub fn founder(cluster: ClusterId, founding: &Founding, hash_key: [u64; 2]) -> Identity {
        let founded = Founded {
            partitions: founding.partitions,
            copies: founding.copies,
            policy: founding.policy.clone(),
            ack: founding.ack,
            hash_key,
            admin: founding.admin.clone(),
        };
        let peers = BTreeMap::new();
        Identity::new(cluster, NodeId(1), Some(founded), peers, founding.round_trip_ms)
    }

    /// The identity of a node that was given an id by its cluster, before its first boot.
    pub fn joined(
        cluster: ClusterId,
        node: NodeId,
        peers: BTreeMap<u64, String>,
        round_trip_ms: u32,
    ) -> Identity {
        Identity::new(cluster, node, None, peers, round_trip_ms)
    }

    fn new(
        cluster: ClusterId,
        node: NodeId,
        founded: Option<Founded>,
        peers: BTreeMap<u64, String>,
        round_trip_ms: u32,
    ) -> Identity {
        Identity { version: VERSION, cluster, node, boots: 0, founded, peers, round_trip_ms, left: false }
    }

    /// What the disk holds; `None` when the node belongs to no cluster yet.
    ///
    /// # Errors
    /// When the file cannot be read or is not what this version writes.
    pub fn load(disk: &dyn Disk) -> io::Result<Option<Identity>> {
        let invalid = |text: String| io::Error::new(io::ErrorKind::InvalidData, format!("{FILE}: {text}"));
        let Some(content) = disk.get_file(FILE)? else { return Ok(None) };
        let identity: Identity =
            serde_json::from_slice(&content).map_err(|error| invalid(error.to_string()))?;
        if identity.version != VERSION {
            return Err(invalid(format!("version {} is not {VERSION}", identity.version)));
        }
        Ok(Some(identity))
    }

    /// Counts a boot, durably, and gives the incarnation that it has for its lifetime.
    ///
    /// # Errors
    /// When it cannot be made durable: then the node must not go on.
    pub async fn boot(&mut self, disk: &dyn Disk) -> io::Result<Incarnation> {
        if !(planted::active(Bug::IncarnationReused) && self.boots > 0) {
            self.boots += 1;
        }
        self.save(disk).await?;
        Ok(Incarnation(self.boots))
    }

    /// Notes, durably, that the node is a member no more.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub async fn leave(&mut self, disk: &dyn Disk) -> io::Result<()> {
        self.left = true;
        self.save(disk).await
    }

    async fn save(&self, disk: &dyn Disk) -> io::Result<()> {
        disk.put_file(FILE, serde_json::to_vec_pretty(self)?).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use predis_raft::MemoryDisk;

    #[tokio::test]
    async fn every_boot_has_an_incarnation_of_its_own() {
        let disk = MemoryDisk::new();
        assert_eq!(Identity::load(&disk).unwrap(), None);
        let mut identity = Identity::founder(ClusterId(9), &Founding::default(), [1, 2]);
        for boot in 1..=3 {
            assert_eq!(identity.boot(&disk).await.unwrap(), Incarnation(boot));
            disk.crash(0);
            let loaded = Identity::load(&disk).unwrap().unwrap();
            assert_eq!(loaded, identity);
            identity = loaded;
        }
    }

    #[tokio::test]
    async fn the_digest_of_the_first_token_is_kept_and_need_not_be_there() {
        let disk = MemoryDisk::new();
        let founding = Founding { admin: Some("0a".repeat(32)), ..Founding::default() };
        let mut identity = Identity::founder(ClusterId(9), &founding, [1, 2]);
        identity.boot(&disk).await.unwrap();
        assert_eq!(Identity::load(&disk).unwrap().unwrap().founded.unwrap().admin, founding.admin);

        // As it was written before clusters had users.
        let founded = r#"{"partitions":256,"copies":2,"policy":"s3fifo","hash_key":[1,2]}"#;
        let content = format!(
            r#"{{"version":1,"cluster":"{}","node":1,"boots":1,"founded":{founded},"peers":{{}}}}"#,
            ClusterId(9)
        );
        disk.put_file(FILE, content.into()).await.unwrap();
        assert_eq!(Identity::load(&disk).unwrap().unwrap().founded.unwrap().admin, None);
    }

    #[tokio::test]
    async fn that_a_node_left_is_remembered_and_older_files_are_of_members() {
        let disk = MemoryDisk::new();
        let mut identity = Identity::joined(ClusterId(9), NodeId(3), BTreeMap::new(), 200);
        identity.boot(&disk).await.unwrap();
        let content = String::from_utf8(disk.get_file(FILE).unwrap().unwrap()).unwrap();
        let older = content.replace(",\n  \"left\": false", "");
        assert_ne!(older, content);
        disk.put_file(FILE, older.into()).await.unwrap();
        assert!(!Identity::load(&disk).unwrap().unwrap().left);
        identity.leave(&disk).await.unwrap();
        disk.crash(0);
        assert!(Identity::load(&disk).unwrap().unwrap().left);
    }

    #[tokio::test]
    async fn a_file_of_another_shape_is_refused() {
        for content in ["", "{}", r#"{"version":2}"#, "[1,2,3]"] {
            let disk = MemoryDisk::new();
            disk.put_file(FILE, content.into()).await.unwrap();
            assert!(Identity::load(&disk).unwrap_err().to_string().contains(FILE), "{content}");
        }
    }
}
