//! States and commands as bytes: JSON in an envelope that names the version.
//!
//! ```text
//! {"version":3,"body":{...}}
//! ```
//! Fields that are not known are refused: to skip them would be to apply something else than was agreed. Knows
//! nothing of where the bytes are kept.

use crate::{
    ClusterState, MetaCommand,
    version::{VERSION, Versioned},
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
    #[error("it was written in version {found}, and this program reads versions 1 to {newest}: upgrade it")]
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

fn encode<T: Serialize>(body: T) -> Vec<u8> {
    serde_json::to_vec(&Envelope { version: VERSION, body }).expect("maps have plain keys")
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
