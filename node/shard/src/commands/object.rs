//! OBJECT ENCODING, REFCOUNT, IDLETIME, FREQ; MEMORY USAGE.
//!
//! Looking at a key this way is not a use of it.

use bytes::Bytes;
use predis_resp::{Reply, parse_integer};

use super::integer;
use crate::access::Access;
use crate::cost::Cost;
use crate::entry::Entry;
use crate::error::CommandError;
use crate::value::Value;

/// Up to this length Redis keeps a string in one allocation with its header.
const EMBEDDED_BYTES: usize = 44;

/// What Redis would call the representation of this entry's value.
fn encoding_of(entry: &Entry) -> &'static str {
    let Value::String(bytes) = &entry.value;
    if entry.is_overwritten() {
        "raw"
    } else if parse_integer(bytes).is_some() {
        "int"
    } else if bytes.len() <= EMBEDDED_BYTES {
        "embstr"
    } else {
        "raw"
    }
}

/// `OBJECT ENCODING key`
pub(crate) fn encoding(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let found = access.lookup(&args[2]);
    Ok(found.map_or(Reply::Null, |handle| Reply::text(encoding_of(access.entry(handle)))))
}

/// `OBJECT REFCOUNT key`: always 1, for values are not shared between keys.
pub(crate) fn refcount(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    Ok(access.lookup(&args[2]).map_or(Reply::Null, |_| Reply::Integer(1)))
}

/// `OBJECT IDLETIME key`: whole seconds since it was last used.
pub(crate) fn idletime(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let Some(handle) = access.lookup(&args[2]) else { return Ok(Reply::Null) };
    let now_s = (access.now_ms() / 1000) as u32;
    Ok(Reply::Integer(i64::from(now_s.wrapping_sub(access.entry(handle).used_at_s))))
}

/// `OBJECT FREQ key`: refused, as by Redis when no LFU policy is chosen.
pub(crate) fn freq(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    match access.lookup(&args[2]) {
        Some(_) => Err(CommandError::NoFrequency),
        None => Ok(Reply::Null),
    }
}

/// `MEMORY USAGE key [SAMPLES count]`: key, value and overhead, in bytes. Strings are never sampled.
pub(crate) fn memory_usage(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    for option in args[3..].chunks(2) {
        match option {
            [name, count] if name.eq_ignore_ascii_case(b"SAMPLES") && integer(count)? >= 0 => {}
            _ => return Err(CommandError::Syntax),
        }
    }
    let Some(handle) = access.lookup(&args[2]) else { return Ok(Reply::Null) };
    let bytes = Cost::Memory.of_entry(access.entry(handle));
    Ok(Reply::Integer(i64::try_from(bytes).unwrap_or(i64::MAX)))
}
