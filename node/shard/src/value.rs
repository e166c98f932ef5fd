//! What a key can hold, and how a string is changed in place.
//!
//! Knows nothing of keys, expiry or commands.

use bytes::{Bytes, BytesMut};

/// Past this length a growing string gets this much spare room instead of as much again.
const MAX_SPARE_BYTES: usize = 1024 * 1024;

/// The value of a key. Clones share their bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A binary-safe string.
    String(Bytes),
}

impl Value {
    /// The name TYPE gives it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::String(_) => "string",
        }
    }

    /// The length of what is stored, in bytes.
    pub fn size_bytes(&self) -> usize {
        match self {
            Value::String(bytes) => bytes.len(),
        }
    }

    /// The same value in an allocation of its own, so that it does not keep a network buffer alive.
    pub(crate) fn detached(&self) -> Value {
        match self {
            Value::String(bytes) => Value::String(Bytes::copy_from_slice(bytes)),
        }
    }
}

/// A string after an overwrite, with the memory it holds.
pub(crate) struct Overwritten {
    /// The whole string.
    pub(crate) bytes: Bytes,
    /// The size of its allocation, spare room included.
    pub(crate) capacity_bytes: usize,
}

/// Writes `patch` at `offset`, with zero bytes in a gap before it. In place when nobody else holds the string, and
/// with spare room when it has to grow, so that repeated appends cost O(1) amortised.
pub(crate) fn overwrite(old: Bytes, offset: usize, patch: &[u8]) -> Overwritten {
    let end = offset.saturating_add(patch.len());
    let size_bytes = end.max(old.len());
    let mut buffer = match old.try_into_mut() {
        Ok(owned) if owned.capacity() >= size_bytes => owned,
        Ok(full) => grown(&full, size_bytes),
        Err(shared) => grown(&shared, size_bytes),
    };
    if buffer.len() < end {
        buffer.resize(end, 0);
    }
    buffer[offset..end].copy_from_slice(patch);
    let capacity_bytes = buffer.capacity();
    Overwritten { bytes: buffer.freeze(), capacity_bytes }
}

fn grown(old: &[u8], size_bytes: usize) -> BytesMut {
    let spare = if old.is_empty() { 0 } else { size_bytes.min(MAX_SPARE_BYTES) };
    let mut buffer = BytesMut::with_capacity(size_bytes + spare);
    buffer.extend_from_slice(old);
    buffer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overwriting_agrees_with_a_vector() {
        let shared = Bytes::from_static(b"hello");
        for (offset, patch, expected) in [
            (0, &b"J"[..], &b"Jello"[..]),
            (5, b" world", b"hello world"),
            (7, b"!", b"hello\0\0!"),
            (3, b"p", b"helpo"),
        ] {
            assert_eq!(overwrite(shared.clone(), offset, patch).bytes, expected);
            assert_eq!(overwrite(Bytes::copy_from_slice(&shared), offset, patch).bytes, expected);
        }
        assert_eq!(overwrite(Bytes::new(), 2, b"x").bytes, &b"\0\0x"[..]);
    }

    #[test]
    fn a_shared_string_is_not_changed_under_its_other_holder() {
        let first = Bytes::copy_from_slice(b"abc");
        let second = first.clone();
        assert_eq!(overwrite(first, 0, b"x").bytes, &b"xbc"[..]);
        assert_eq!(second, &b"abc"[..]);
    }

    #[test]
    fn appends_are_amortised() {
        let mut bytes = Bytes::from_static(b"x");
        let mut moves = 0;
        for _ in 0..10_000 {
            let before = bytes.as_ptr();
            let written = overwrite(std::mem::take(&mut bytes), 1, b"");
            assert!(written.bytes.len() <= written.capacity_bytes);
            let len = written.bytes.len();
            bytes = overwrite(written.bytes, len, b"y").bytes;
            moves += usize::from(bytes.as_ptr() != before);
        }
        assert_eq!(bytes.len(), 10_001);
        assert!(moves < 20, "{moves} copies of the whole string");
    }
}
