//! EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT, TTL, PTTL, EXPIRETIME, PEXPIRETIME, PERSIST.

use bytes::Bytes;
use predis_resp::Reply;

use super::integer;
use crate::access::Access;
use crate::effect::Effect;
use crate::error::CommandError;

/// When the EXPIRE family is to do nothing.
#[derive(Default)]
struct Conditions {
    /// Only if the key does not expire.
    nx: bool,
    /// Only if it does.
    xx: bool,
    /// Only if the new time is later; a key that does not expire counts as later than any.
    gt: bool,
    /// Only if the new time is earlier.
    lt: bool,
}

impl Conditions {
    fn parse(options: &[Bytes]) -> Result<Conditions, CommandError> {
        let mut parsed = Conditions::default();
        for option in options {
            let is = |name: &[u8]| option.eq_ignore_ascii_case(name);
            if is(b"NX") {
                parsed.nx = true;
            } else if is(b"XX") {
                parsed.xx = true;
            } else if is(b"GT") {
                parsed.gt = true;
            } else if is(b"LT") {
                parsed.lt = true;
            } else {
                return Err(CommandError::UnsupportedOption(String::from_utf8_lossy(option).into_owned()));
            }
        }
        if parsed.nx && (parsed.xx || parsed.gt || parsed.lt) {
            return Err(CommandError::NxNotCompatible);
        }
        if parsed.gt && parsed.lt {
            return Err(CommandError::GtLtNotCompatible);
        }
        Ok(parsed)
    }

    fn hold(&self, current: Option<u64>, at_ms: i64) -> bool {
        let current = current.map(|at| i64::try_from(at).unwrap_or(i64::MAX));
        !(self.nx && current.is_some()
            || self.xx && current.is_none()
            || self.gt && current.is_none_or(|current| at_ms <= current)
            || self.lt && current.is_some_and(|current| at_ms >= current))
    }
}

/// The EXPIRE family: a number of `unit_ms` milliseconds from `base_ms` on. A time that has passed deletes the key.
fn expire_from(
    access: &mut Access<'_>,
    args: &[Bytes],
    (unit_ms, base_ms): (i64, u64),
    name: &'static str,
) -> Result<Reply, CommandError> {
    let conditions = Conditions::parse(&args[3..])?;
    let invalid = || CommandError::InvalidExpireTime(name);
    let number_ms = integer(&args[2])?.checked_mul(unit_ms).ok_or_else(invalid)?;
    let base_ms = i64::try_from(base_ms).map_err(|_| invalid())?;
    let at_ms = number_ms.checked_add(base_ms).ok_or_else(invalid)?;

    let key = &args[1];
    let Some(handle) = access.lookup(key) else { return Ok(Reply::Integer(0)) };
    access.touch(handle);
    let current = access.entry(handle).expire_at_ms();
    if !conditions.hold(current, at_ms) {
        return Ok(Reply::Integer(0));
    }
    match u64::try_from(at_ms) {
        Ok(at) if at > access.now_ms() => access.commit(Effect::Expire { key: key.clone(), at: Some(at) }),
        _ => access.delete(key),
    }
    Ok(Reply::Integer(1))
}

/// `EXPIRE key s [NX | XX | GT | LT]`
pub(crate) fn expire(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let now_ms = access.now_ms();
    expire_from(access, args, (1000, now_ms), "expire")
}

/// `PEXPIRE key ms [NX | XX | GT | LT]`
pub(crate) fn pexpire(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let now_ms = access.now_ms();
    expire_from(access, args, (1, now_ms), "pexpire")
}

/// `EXPIREAT key s [NX | XX | GT | LT]`
pub(crate) fn expireat(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    expire_from(access, args, (1000, 0), "expireat")
}

/// `PEXPIREAT key ms [NX | XX | GT | LT]`
pub(crate) fn pexpireat(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    expire_from(access, args, (1, 0), "pexpireat")
}

/// The TTL family: what `show` makes of (time of expiry, now); -2 without a key, -1 when it does not expire.
fn tell(access: &mut Access<'_>, key: &Bytes, show: fn(u64, u64) -> u64) -> Result<Reply, CommandError> {
    let Some(handle) = access.peek(key) else { return Ok(Reply::Integer(-2)) };
    let Some(at) = access.entry(handle).expire_at_ms() else { return Ok(Reply::Integer(-1)) };
    let shown = show(at, access.now_ms());
    Ok(Reply::Integer(i64::try_from(shown).unwrap_or(i64::MAX)))
}

/// Milliseconds to the nearest second, as Redis rounds them.
fn seconds(ms: u64) -> u64 {
    ms.saturating_add(500) / 1000
}

/// `TTL key`
pub(crate) fn ttl(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    tell(access, &args[1], |at, now| seconds(at.saturating_sub(now)))
}

/// `PTTL key`
pub(crate) fn pttl(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    tell(access, &args[1], |at, now| at.saturating_sub(now))
}

/// `EXPIRETIME key`
pub(crate) fn expiretime(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    tell(access, &args[1], |at, _| seconds(at))
}

/// `PEXPIRETIME key`
pub(crate) fn pexpiretime(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    tell(access, &args[1], |at, _| at)
}

/// `PERSIST key`
pub(crate) fn persist(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let key = &args[1];
    let Some(handle) = access.lookup(key) else { return Ok(Reply::Integer(0)) };
    access.touch(handle);
    let expires = access.entry(handle).expire_at_ms().is_some();
    if expires {
        access.commit(Effect::Expire { key: key.clone(), at: None });
    }
    Ok(Reply::Integer(i64::from(expires)))
}
