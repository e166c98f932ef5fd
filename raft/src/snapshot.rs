//! The snapshot file: the whole metadata, the log position it stands for, and a checksum.
//!
//! One file, replaced atomically. A file that fails its checksum is refused with its name, never half-read.

use crate::{
    disk::Disk,
    types::{LogId, Snapshot, SnapshotMeta, StoredMembership},
};
use openraft::BasicNode;
use predis_meta::{ClusterState, decode_state};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, io, io::Cursor};

/// The name of the snapshot file in the data directory.
pub const FILE: &str = "snapshot";

const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);

/// What a member knows after applying the log up to a point.
#[derive(Clone, Debug, Default)]
pub(crate) struct Applied {
    pub(crate) last: Option<LogId>,
    pub(crate) membership: StoredMembership,
    pub(crate) state: ClusterState,
}

#[derive(Serialize, Deserialize)]
struct Body {
    last: Option<LogId>,
    membership: openraft::StoredMembership<u64, BasicNode>,
    // The state in its own versioned encoding, in the version that every member reads.
    state: String,
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

impl Applied {
    /// The content of a snapshot file: eight hexadecimal digits of CRC-32C, a line feed, and JSON.
    pub(crate) fn encode(&self) -> io::Result<Vec<u8>> {
        let state = self.state.encode_at(self.state.level());
        let state = String::from_utf8(state).map_err(|error| invalid(error.to_string()))?;
        let body = Body { last: self.last, membership: self.membership.clone(), state };
        let json = serde_json::to_vec(&body)?;
        let mut out = format!("{:08x}\n", CRC.checksum(&json)).into_bytes();
        out.extend_from_slice(&json);
        Ok(out)
    }

    /// Reads what [`Applied::encode`] wrote.
    pub(crate) fn decode(content: &[u8]) -> io::Result<Applied> {
        let (sum, json) =
            content.split_at_checked(9).ok_or_else(|| invalid("snapshot is cut short".into()))?;
        if sum != format!("{:08x}\n", CRC.checksum(json)).as_bytes() {
            return Err(invalid("snapshot fails its checksum".into()));
        }
        let body: Body = serde_json::from_slice(json)?;
        let state =
            decode_state(body.state.as_bytes()).map_err(|error| invalid(format!("snapshot: {error}")))?;
        Ok(Applied { last: body.last, membership: body.membership, state })
    }

    /// The snapshot as openraft passes it around.
    pub(crate) fn snapshot(&self) -> io::Result<Snapshot> {
        let id =
            self.last.map_or_else(|| "0".to_owned(), |last| format!("{}-{}", last.leader_id, last.index));
        let meta = SnapshotMeta {
            last_log_id: self.last,
            last_membership: self.membership.clone(),
            snapshot_id: id,
        };
        Ok(Snapshot { meta, snapshot: Box::new(Cursor::new(self.encode()?)) })
    }

    /// What the snapshot file holds; `None` when there is none yet.
    pub(crate) fn load(disk: &dyn Disk) -> io::Result<Option<Applied>> {
        let Some(content) = disk.get_file(FILE)? else { return Ok(None) };
        let applied = Applied::decode(&content).map_err(|error| invalid(format!("file {FILE}: {error}")))?;
        Ok(Some(applied))
    }

    /// Replaces the snapshot file.
    pub(crate) async fn save(&self, disk: &dyn Disk) -> io::Result<()> {
        disk.put_file(FILE, self.encode()?).await
    }

    /// The gRPC addresses of the members known to Raft or to the metadata, the metadata's word first.
    pub(crate) fn addresses(&self) -> BTreeMap<u64, String> {
        let mut known: BTreeMap<u64, String> =
            self.membership.nodes().map(|(id, node)| (*id, node.addr.clone())).collect();
        known.extend(self.state.nodes().values().map(|member| (member.id.0, member.addrs.grpc.clone())));
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_refused() {
        let whole = Applied::default().encode().unwrap();
        assert!(Applied::decode(&whole).is_ok());
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            assert!(Applied::decode(&damaged).is_err(), "byte {at}");
        }
        assert!(Applied::decode(&whole[..5]).is_err());
    }
}
