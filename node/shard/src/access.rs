//! What a command may do to the keys of its tenant: look up, note a use, and commit effects.
//!
//! The one way from a command to the data. Keys whose time has come are removed as they are met, which is an effect
//! like any other; and an effect is carried out by the same function on a primary and on a replica.

use bytes::Bytes;

use crate::context::Context;
use crate::effect::{DeleteReason, Effect, Effects};
use crate::entry::Entry;
use crate::keyspace::Keyspace;
use crate::value::Value;

/// One command's hold on a keyspace.
pub(crate) struct Access<'a> {
    /// With the partition's time, not merely the caller's.
    pub(crate) cx: Context<'a>,
    pub(crate) keyspace: &'a mut Keyspace,
    pub(crate) effects: &'a mut Effects,
    /// Whether arguments may be kept as they are instead of being copied.
    pub(crate) shares_values: bool,
    /// Whether nothing may change: the data is a replica's, and only its primary expires keys.
    pub(crate) frozen: bool,
}

impl Access<'_> {
    /// The partition's time, in milliseconds since the Unix epoch.
    pub(crate) fn now_ms(&self) -> u64 {
        self.cx.now_ms
    }

    /// The key's handle if it lives. Neither counts nor touches.
    pub(crate) fn lookup(&mut self, key: &Bytes) -> Option<u32> {
        let handle = self.keyspace.find(key)?;
        self.alive(handle).then_some(handle)
    }

    /// Whether the entry lives; it is removed when it does not, if anything may change.
    pub(crate) fn alive(&mut self, handle: u32) -> bool {
        if !self.entry(handle).is_expired(self.cx.now_ms) {
            return true;
        }
        if self.frozen {
            return false;
        }
        let key = Bytes::copy_from_slice(&self.entry(handle).key);
        self.commit(Effect::Delete { key, reason: DeleteReason::Expired });
        false
    }

    /// Looks up on behalf of a reading command: counts a hit or a miss, does not touch.
    pub(crate) fn peek(&mut self, key: &Bytes) -> Option<u32> {
        let found = self.lookup(key);
        self.keyspace.counters.count_read(found.is_some());
        found
    }

    /// As [`Access::peek`], and notes the use.
    pub(crate) fn read(&mut self, key: &Bytes) -> Option<u32> {
        let handle = self.peek(key)?;
        self.touch(handle);
        Some(handle)
    }

    /// Notes a use.
    pub(crate) fn touch(&mut self, handle: u32) {
        self.keyspace.touch(&self.cx, handle);
    }

    /// The entry of a handle.
    pub(crate) fn entry(&self, handle: u32) -> &Entry {
        self.keyspace.entry(handle)
    }

    /// The string of a handle. The clone shares its bytes.
    pub(crate) fn string(&self, handle: u32) -> Bytes {
        match &self.entry(handle).value {
            Value::String(bytes) => bytes.clone(),
        }
    }

    /// An argument as it is stored: copied out of the network buffer it is a slice of, unless told otherwise.
    pub(crate) fn stored(&self, argument: &Bytes) -> Bytes {
        if self.shares_values { argument.clone() } else { Bytes::copy_from_slice(argument) }
    }

    /// Carries out an effect and records it.
    pub(crate) fn commit(&mut self, effect: Effect) {
        self.keyspace.apply(&self.cx, &effect);
        self.effects.push(effect);
    }

    /// Stores a string.
    pub(crate) fn set(&mut self, key: &Bytes, bytes: Bytes, expire_at_ms: Option<u64>) {
        self.commit(Effect::Set { key: key.clone(), value: Value::String(bytes), expire_at_ms });
    }

    /// Deletes a key that is there.
    pub(crate) fn delete(&mut self, key: &Bytes) {
        self.commit(Effect::Delete { key: key.clone(), reason: DeleteReason::Deleted });
    }
}
