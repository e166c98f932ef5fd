//! INCR, DECR, INCRBY, DECRBY, INCRBYFLOAT.

use bytes::Bytes;
use predis_resp::{IntegerText, Reply, parse_integer};

use super::{decimal, integer};
use crate::access::Access;
use crate::error::CommandError;

/// What a counter holds and when it expires.
struct Current {
    text: Option<Bytes>,
    expire_at_ms: Option<u64>,
}

fn current(access: &mut Access<'_>, key: &Bytes) -> Current {
    let found = access.lookup(key);
    Current {
        text: found.map(|handle| access.string(handle)),
        expire_at_ms: found.and_then(|handle| access.entry(handle).expire_at_ms()),
    }
}

fn add(access: &mut Access<'_>, key: &Bytes, increment: i64) -> Result<Reply, CommandError> {
    let old = current(access, key);
    let value = old.text.map_or(Some(0), |text| parse_integer(&text)).ok_or(CommandError::NotAnInteger)?;
    let sum = value.checked_add(increment).ok_or(CommandError::Overflow)?;
    access.set(key, Bytes::copy_from_slice(IntegerText::new(sum).as_bytes()), old.expire_at_ms);
    Ok(Reply::Integer(sum))
}

/// `INCR key`
pub(crate) fn incr(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    add(access, &args[1], 1)
}

/// `DECR key`
pub(crate) fn decr(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    add(access, &args[1], -1)
}

/// `INCRBY key increment`
pub(crate) fn incrby(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    add(access, &args[1], integer(&args[2])?)
}

/// `DECRBY key decrement`
pub(crate) fn decrby(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let decrement = integer(&args[2])?;
    add(access, &args[1], decrement.checked_neg().ok_or(CommandError::DecrementOverflow)?)
}

/// `INCRBYFLOAT key increment`
pub(crate) fn incrbyfloat(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let old = current(access, &args[1]);
    let sum = decimal::add(old.text.as_deref().unwrap_or(b"0"), &args[2])?;
    let reply = Bytes::from(sum);
    access.set(&args[1], reply.clone(), old.expire_at_ms);
    Ok(Reply::Bulk(reply))
}
