//! APPEND, SETRANGE, GETRANGE, SUBSTR.

use bytes::Bytes;
use predis_resp::Reply;
use predis_types::limits::MAX_BULK_BYTES;

use super::{integer, length};
use crate::access::Access;
use crate::effect::Effect;
use crate::error::CommandError;

/// The length of the key's string, or nothing if there is no key.
fn len_of(access: &mut Access<'_>, key: &Bytes) -> Option<usize> {
    let handle = access.lookup(key)?;
    Some(access.entry(handle).value.size_bytes())
}

fn write(access: &mut Access<'_>, key: &Bytes, offset: usize, bytes: &Bytes) -> Result<(), CommandError> {
    if offset.saturating_add(bytes.len()) > MAX_BULK_BYTES {
        return Err(CommandError::StringTooLong);
    }
    access.commit(Effect::Write { key: key.clone(), offset: offset as u64, bytes: bytes.clone() });
    Ok(())
}

/// `APPEND key value`
pub(crate) fn append(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let (key, suffix) = (&args[1], &args[2]);
    match len_of(access, key) {
        None => {
            let value = access.stored(suffix);
            access.set(key, value, None);
            Ok(Reply::Integer(length(suffix.len())))
        }
        Some(len) => {
            write(access, key, len, suffix)?;
            Ok(Reply::Integer(length(len + suffix.len())))
        }
    }
}

/// `SETRANGE key offset value`
pub(crate) fn setrange(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let (key, patch) = (&args[1], &args[3]);
    let offset = usize::try_from(integer(&args[2])?).map_err(|_| CommandError::OffsetOutOfRange)?;
    let len = len_of(access, key).unwrap_or(0);
    if patch.is_empty() {
        return Ok(Reply::Integer(length(len)));
    }
    write(access, key, offset, patch)?;
    Ok(Reply::Integer(length(len.max(offset + patch.len()))))
}

/// The bytes that GETRANGE's inclusive ends mean in a string of this length; negative ones count from its end.
fn span(start: i64, end: i64, len: usize) -> std::ops::Range<usize> {
    let len = length(len);
    if len == 0 || (start < 0 && end < 0 && start > end) {
        return 0..0;
    }
    let from_end = |at: i64| if at < 0 { at.saturating_add(len).max(0) } else { at };
    let (start, end) = (from_end(start), from_end(end).min(len - 1));
    if start > end { 0..0 } else { start as usize..end as usize + 1 }
}

/// `GETRANGE key start end`, `SUBSTR key start end`
pub(crate) fn getrange(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let (start, end) = (integer(&args[2])?, integer(&args[3])?);
    let Some(handle) = access.read(&args[1]) else { return Ok(Reply::Bulk(Bytes::new())) };
    let value = access.string(handle);
    let span = span(start, end, value.len());
    Ok(Reply::Bulk(value.slice(span)))
}
