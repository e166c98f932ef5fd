//! States and commands as bytes: JSON in an envelope that names the version.
//!
//! ```text
//! {"version":4,"body":{...}}
//! ```
//! Members of two versions run side by side while a cluster is upgraded: what all of them must read is written in the
//! lower one, with `encode_at` and [`ClusterState::level`].
//!
//! Fields that are not known are refused: to skip them would be to apply something else than was agreed. Knows
//! nothing of where the bytes are kept.

use crate::{
    ClusterState, MetaCommand,
    version::{Backward, OLDEST_WRITTEN, Unsayable, VERSION, Versioned},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why bytes are not a state or command that this code can use.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// There is no envelope to read a version from.
    #[error("not a versioned encoding: {0}")]
    NoEnvelope(#[source] serde_json::Error),
    /// A newer version of the program wrote it.
    #[error(
        "it was written in version {found} of the metadata, and this program reads versions 1 to {newest}: upgrade it"
    )]
    TooNew {
        /// The version it names.
        found: u32,
        /// The newest version this code reads.
        newest: u32,
    },
    /// No program ever wrote that version.
    #[error("there is no version {0}")]
    NoSuchVersion(u32),
    /// It is not what its version says it should be.
    #[error("malformed version {version}: {source}")]
    Malformed {
        /// The version it names.
        version: u32,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// It reads well, but breaks a rule that every state keeps.
    #[error("inconsistent state: {0}")]
    Inconsistent(String),
}

/// A command cannot be written in the version that all members read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "version {level} of the metadata cannot say {what}, and members of this cluster read no newer one: upgrade them"
)]
pub struct NotYet {
    /// What it cannot say.
    pub what: &'static str,
    /// The version asked for.
    pub level: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<T> {
    version: u32,
    body: T,
}

/// The version alone; what else there is depends on it.
#[derive(Deserialize)]
struct Label {
    version: u32,
}

/// A command as bytes, in the current version.
pub fn encode_command(command: &MetaCommand) -> Vec<u8> {
    encode(command)
}

/// A command from bytes of this or an earlier version.
pub fn decode_command(bytes: &[u8]) -> Result<MetaCommand, DecodeError> {
    decode(bytes)
}

/// A state as bytes, in the current version. Equal states give equal bytes.
pub fn encode_state(state: &ClusterState) -> Vec<u8> {
    encode(state)
}

/// A state from bytes of this or an earlier version, checked. Whose copy it is has to be said anew with
/// [`ClusterState::set_local_node`].
pub fn decode_state(bytes: &[u8]) -> Result<ClusterState, DecodeError> {
    let state: ClusterState = decode(bytes)?;
    state.check().map_err(DecodeError::Inconsistent)?;
    Ok(state)
}

impl MetaCommand {
    /// The command as bytes that whoever reads version `level` can read: in that version, or in the newest that this
    /// code writes. It means the same in either.
    ///
    /// # Errors
    /// [`NotYet`] when that version has no words for it.
    pub fn encode_at(&self, level: u32) -> Result<Vec<u8>, NotYet> {
        if level >= VERSION {
            return Ok(encode(self));
        }
        let past = self.backward().map_err(|Unsayable(what)| NotYet { what, level })?;
        Ok(encode_as(OLDEST_WRITTEN, past))
    }
}

impl ClusterState {
    /// The state as bytes that whoever reads version `level` can read: in that version, or in the newest that this
    /// code writes. Loses nothing, while `level` is that of the state.
    pub fn encode_at(&self, level: u32) -> Vec<u8> {
        if level >= VERSION { encode(self) } else { encode_as(OLDEST_WRITTEN, self.backward()) }
    }
}

fn encode<T: Serialize>(body: T) -> Vec<u8> {
    encode_as(VERSION, body)
}

fn encode_as<T: Serialize>(version: u32, body: T) -> Vec<u8> {
    serde_json::to_vec(&Envelope { version, body }).expect("maps have plain keys")
}

fn decode<T: Versioned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let label: Label = serde_json::from_slice(bytes).map_err(DecodeError::NoEnvelope)?;
    match label.version {
        0 => Err(DecodeError::NoSuchVersion(0)),
        found if found > T::VERSION => Err(DecodeError::TooNew { found, newest: T::VERSION }),
        version => decode_as(bytes, version),
    }
}

/// Reads the version that the bytes are in, then climbs the chain back up to `T`.
fn decode_as<T: Versioned>(bytes: &[u8], version: u32) -> Result<T, DecodeError> {
    if version < T::VERSION {
        return decode_as(bytes, version).map(T::migrate);
    }
    let envelope: Envelope<T> =
        serde_json::from_slice(bytes).map_err(|source| DecodeError::Malformed { version, source })?;
    Ok(envelope.body)
}
