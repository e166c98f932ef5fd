//! GET, GETDEL, GETEX, MGET, STRLEN.

use bytes::Bytes;
use predis_resp::Reply;

use super::deadline::{Deadline, Unit};
use super::length;
use crate::access::Access;
use crate::effect::Effect;
use crate::error::CommandError;

/// A key's string, or nothing.
fn value(access: &mut Access<'_>, key: &Bytes) -> Reply {
    match access.read(key) {
        Some(handle) => Reply::Bulk(access.string(handle)),
        None => Reply::Null,
    }
}

/// `GET key`
pub(crate) fn get(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    Ok(value(access, &args[1]))
}

/// `MGET key [key ...]`
pub(crate) fn mget(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    Ok(Reply::Array(args[1..].iter().map(|key| value(access, key)).collect()))
}

/// `STRLEN key`
pub(crate) fn strlen(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let found = access.read(&args[1]);
    Ok(Reply::Integer(found.map_or(0, |handle| length(access.entry(handle).value.size_bytes()))))
}

/// `GETDEL key`
pub(crate) fn getdel(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let Some(handle) = access.peek(&args[1]) else { return Ok(Reply::Null) };
    let old = access.string(handle);
    access.delete(&args[1]);
    Ok(Reply::Bulk(old))
}

/// What GETEX is to do about expiry.
enum Change {
    Keep,
    Persist,
    Until(Deadline),
}

/// The options of GETEX. Of one given twice the last counts; different ones exclude each other.
fn getex_options(options: &[Bytes]) -> Result<Change, CommandError> {
    let mut change = Change::Keep;
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        let unit = Unit::named(option);
        change = match (unit, change) {
            (None, Change::Keep | Change::Persist) if option.eq_ignore_ascii_case(b"PERSIST") => {
                Change::Persist
            }
            (Some(unit), Change::Keep) => deadline(unit, rest.next())?,
            (Some(unit), Change::Until(before)) if before.unit == unit => deadline(unit, rest.next())?,
            _ => return Err(CommandError::Syntax),
        };
    }
    Ok(change)
}

fn deadline(unit: Unit, argument: Option<&Bytes>) -> Result<Change, CommandError> {
    let argument = argument.ok_or(CommandError::Syntax)?.clone();
    Ok(Change::Until(Deadline { unit, argument }))
}

/// `GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]`
pub(crate) fn getex(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let change = getex_options(&args[2..])?;
    let key = &args[1];
    let Some(handle) = access.read(key) else { return Ok(Reply::Null) };
    let value = access.string(handle);
    let current = access.entry(handle).expire_at_ms();
    let wanted = match change {
        Change::Keep => current,
        Change::Persist => None,
        Change::Until(deadline) => Some(deadline.at_ms(access.now_ms(), "getex")?),
    };
    if wanted != current {
        match wanted {
            Some(at) if at <= access.now_ms() => access.delete(key),
            at => access.commit(Effect::Expire { key: key.clone(), at }),
        }
    }
    Ok(Reply::Bulk(value))
}
