//! What is kept for one key. Knows nothing of where entries are found.

use bytes::Bytes;

use crate::value::Value;
use predis_types::planted::{self, Bug};

/// In `expire_at_ms` of an entry that does not expire.
const NEVER: u64 = u64::MAX;

/// One key with its value and what is known about it.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The whole hash of the key.
    pub(crate) hash: u64,
    pub(crate) key: Box<[u8]>,
    pub(crate) value: Value,
    expire_at_ms: u64,
    /// When it was last used, in seconds since the Unix epoch; wraps in 2106.
    pub(crate) used_at_s: u32,
    /// The size of the value's allocation once it was changed in place; 0 while it is as it was set.
    grown_bytes: u32,
}

impl Entry {
    /// A new entry.
    pub(crate) fn new(hash: u64, key: &[u8], value: Value, expire_at_ms: Option<u64>, now_ms: u64) -> Self {
        let mut entry =
            Entry { hash, key: key.into(), value, expire_at_ms: NEVER, used_at_s: 0, grown_bytes: 0 };
        entry.set_expire_at_ms(expire_at_ms);
        entry.mark_used(now_ms);
        entry
    }

    /// When the key expires, in milliseconds since the Unix epoch.
    pub(crate) fn expire_at_ms(&self) -> Option<u64> {
        Some(self.expire_at_ms).filter(|at| *at != NEVER)
    }

    /// Changes when the key expires.
    pub(crate) fn set_expire_at_ms(&mut self, at: Option<u64>) {
        self.expire_at_ms = at.unwrap_or(NEVER);
    }

    /// Whether the key is gone at this time. At its very millisecond a key still lives, as in Redis.
    pub(crate) fn is_expired(&self, now_ms: u64) -> bool {
        let late_ms = if planted::active(Bug::ExpiryLate) { 2_000 } else { 0 };
        now_ms > self.expire_at_ms.saturating_add(late_ms)
    }

    /// Replaces the value as SET does.
    pub(crate) fn set_value(&mut self, value: Value) {
        self.value = value;
        self.grown_bytes = 0;
    }

    /// Replaces the string by what an overwrite in place made of it.
    pub(crate) fn set_overwritten(&mut self, bytes: Bytes, capacity_bytes: usize) {
        self.value = Value::String(bytes);
        self.grown_bytes = u32::try_from(capacity_bytes).unwrap_or(u32::MAX);
    }

    /// Whether the value was changed in place since it was set.
    pub(crate) fn is_overwritten(&self) -> bool {
        self.grown_bytes != 0
    }

    /// The memory the value's bytes hold.
    pub(crate) fn value_memory_bytes(&self) -> usize {
        self.value.size_bytes().max(self.grown_bytes as usize)
    }

    /// Notes a use.
    pub(crate) fn mark_used(&mut self, now_ms: u64) {
        self.used_at_s = (now_ms / 1000) as u32;
    }
}
