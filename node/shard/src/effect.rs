//! What a command did to the data: the only form in which a shard's data ever changes.
//!
//! An effect touches one key, names absolute values and absolute times, and reads no clock and no randomness: applied
//! in order to an equal shard it gives an equal shard. Does not know how effects travel or are stored.

use bytes::Bytes;

use crate::value::Value;

/// Why a key was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteReason {
    /// A command asked for it.
    Deleted,
    /// Its time had come.
    Expired,
    /// Its memory was needed.
    Evicted,
}

/// One change. A key may share memory with the request it came from: keep it briefly or copy it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The key holds this value and expires then, whatever it held before.
    Set {
        /// The key.
        key: Bytes,
        /// The whole value.
        value: Value,
        /// Milliseconds since the Unix epoch; `None`: never.
        expire_at_ms: Option<u64>,
    },
    /// The string holds these bytes at this offset: it is created when absent, and zero bytes fill a gap. When it
    /// expires does not change.
    Write {
        /// The key.
        key: Bytes,
        /// Where the bytes begin.
        offset: u64,
        /// What is written.
        bytes: Bytes,
    },
    /// The key, if it is there, expires then.
    Expire {
        /// The key.
        key: Bytes,
        /// Milliseconds since the Unix epoch; `None`: never.
        at: Option<u64>,
    },
    /// The key is gone.
    Delete {
        /// The key.
        key: Bytes,
        /// Why.
        reason: DeleteReason,
    },
    /// Every key of the tenant in this partition is gone.
    Flush,
}

impl Effect {
    /// The key it touches; `None`: all of them.
    pub fn key(&self) -> Option<&Bytes> {
        match self {
            Effect::Set { key, .. }
            | Effect::Write { key, .. }
            | Effect::Expire { key, .. }
            | Effect::Delete { key, .. } => Some(key),
            Effect::Flush => None,
        }
    }
}

/// Effects in the order they happened. What one call on a shard adds belongs together and is applied as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects(Vec<Effect>);

impl Effects {
    /// No effects.
    pub fn new() -> Self {
        Effects::default()
    }

    /// Adds one at the end.
    pub fn push(&mut self, effect: Effect) {
        self.0.push(effect);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them; `&effects.as_slice()[mark..]` are those added since `mark = effects.len()`.
    pub fn as_slice(&self) -> &[Effect] {
        &self.0
    }

    /// Forgets all and keeps the room, for the next command.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl IntoIterator for Effects {
    type Item = Effect;
    type IntoIter = std::vec::IntoIter<Effect>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
