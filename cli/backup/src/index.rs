//! The index of a backup: JSON that says what is in it, with a checksum over itself.
//!
//! Knows the rules that hold within an index. Does not know what is in the files that it names.

use crate::{FORMAT, file_name};
use predis_types::{ClusterId, PartitionCount};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What a backup is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The version of the format.
    pub format: u32,
    /// The version of the program that made it.
    pub product_version: String,
    /// The cluster.
    pub cluster: ClusterId,
    /// When it was begun and finished, in milliseconds since the Unix epoch, by the clock of who made it.
    pub begun_at_ms: u64,
    /// See `begun_at_ms`.
    pub finished_at_ms: u64,
    /// How many partitions the cluster has.
    pub partition_count: PartitionCount,
    /// Its tenants, by id. Users are not in a backup.
    pub tenants: Vec<Tenant>,
    /// Its settings, for whoever sets up another cluster: nothing of a backup sets them.
    pub settings: BTreeMap<String, String>,
    /// Its files, by partition.
    pub files: Vec<FileEntry>,
    /// SHA-256 of this index as compact JSON with an empty checksum, in hexadecimal digits.
    pub checksum: String,
}

/// A tenant and what it is set to; limits are for each node, and none is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Its number in the files of this backup.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// `spread` or `colocated`.
    pub placement: String,
    /// `async` or `quorum`.
    pub ack: String,
    /// The eviction policy.
    pub policy: String,
    /// How much memory its keys may take.
    pub memory_bytes: Option<u64>,
    /// How many commands a second it may have.
    pub max_ops_per_second: Option<u64>,
    /// How many connections it may have.
    pub max_connections: Option<u64>,
}

/// One partition's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Which partition.
    pub partition: u16,
    /// The file's name.
    pub name: String,
    /// Its size.
    pub size_bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// The partition's epoch at the cut.
    pub epoch: u64,
    /// The last change that is in.
    pub sequence: u64,
    /// How many keys are on its pages. Changes made while they were read may add keys and take some away.
    pub paged_keys: u64,
    /// How many changes follow the pages.
    pub changes: u64,
}

/// The one field that an index of any format has.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Index {
    /// The index as a file's content, its checksum made.
    pub(crate) fn encode(mut self) -> serde_json::Result<Vec<u8>> {
        self.checksum = self.sum()?;
        let mut bytes = serde_json::to_vec_pretty(&self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    fn sum(&self) -> serde_json::Result<String> {
        let bare = Index { checksum: String::new(), ..self.clone() };
        Ok(hex(&Sha256::digest(serde_json::to_vec(&bare)?)))
    }

    /// Reads an index and holds it against its rules.
    ///
    /// # Errors
    /// Words that go on after the file's name.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Index, String> {
        let damaged = |error: serde_json::Error| format!("is damaged: {error}");
        let Format { format } = serde_json::from_slice(bytes).map_err(damaged)?;
        if format > FORMAT {
            return Err(format!("is of format {format}, and this program reads up to {FORMAT}: upgrade it"));
        }
        let index: Index = serde_json::from_slice(bytes).map_err(damaged)?;
        if index.sum().map_err(damaged)? != index.checksum {
            return Err("is damaged: it fails its checksum".to_owned());
        }
        index.check()?;
        Ok(index)
    }

    fn check(&self) -> Result<(), String> {
        let count = self.partition_count;
        if self.files.len() != usize::from(count.get()) {
            return Err(format!("names {} files for {} partitions", self.files.len(), count.get()));
        }
        for (file, partition) in self.files.iter().zip(count.iter()) {
            if (file.partition, file.name.as_str()) != (partition.0, &file_name(partition.0)) {
                return Err(format!("names {:?} where the file of partition {partition} must be", file.name));
            }
        }
        if !self.tenants.is_sorted_by(|one, next| one.id < next.id) {
            return Err("names tenants that are not in the order of their ids".to_owned());
        }
        Ok(())
    }

    /// How large its files are together.
    pub fn size_bytes(&self) -> u64 {
        // An index may say anything.
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size_bytes))
    }

    /// The tenant of this number.
    pub fn tenant(&self, id: u32) -> Option<&Tenant> {
        let at = self.tenants.binary_search_by_key(&id, |tenant| tenant.id).ok()?;
        self.tenants.get(at)
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
