//! SET, SETNX, SETEX, PSETEX, GETSET, MSET, MSETNX.

use bytes::Bytes;
use predis_resp::{Reply, WrongArity};

use super::deadline::{Deadline, Unit};
use crate::access::Access;
use crate::error::CommandError;

/// The options of SET.
#[derive(Default)]
struct SetOptions {
    nx: bool,
    xx: bool,
    get: bool,
    keep_ttl: bool,
    deadline: Option<Deadline>,
}

impl SetOptions {
    /// Of a time given twice in one unit the last counts; NX excludes XX, and KEEPTTL and the units each other.
    fn parse(options: &[Bytes]) -> Result<SetOptions, CommandError> {
        let mut parsed = SetOptions::default();
        let mut rest = options.iter();
        while let Some(option) = rest.next() {
            let is = |name: &[u8]| option.eq_ignore_ascii_case(name);
            if is(b"NX") && !parsed.xx {
                parsed.nx = true;
            } else if is(b"XX") && !parsed.nx {
                parsed.xx = true;
            } else if is(b"GET") {
                parsed.get = true;
            } else if is(b"KEEPTTL") && parsed.deadline.is_none() {
                parsed.keep_ttl = true;
            } else if let Some(unit) = Unit::named(option)
                && !parsed.keep_ttl
                && parsed.deadline.as_ref().is_none_or(|before| before.unit == unit)
            {
                let argument = rest.next().ok_or(CommandError::Syntax)?.clone();
                parsed.deadline = Some(Deadline { unit, argument });
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(parsed)
    }

    /// Whether the key must be looked at before it is overwritten.
    fn looks(&self) -> bool {
        self.nx || self.xx || self.get || self.keep_ttl
    }
}

/// Stores a value until a time; a time that has passed leaves no key behind.
fn store(access: &mut Access<'_>, key: &Bytes, value: &Bytes, expire_at_ms: Option<u64>) {
    if expire_at_ms.is_some_and(|at| at <= access.now_ms()) {
        if access.lookup(key).is_some() {
            access.delete(key);
        }
        return;
    }
    let value = access.stored(value);
    access.set(key, value, expire_at_ms);
}

/// `SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]`
pub(crate) fn set(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let (key, value) = (&args[1], &args[2]);
    let options = SetOptions::parse(&args[3..])?;
    let mut expire_at_ms = match &options.deadline {
        Some(deadline) => Some(deadline.at_ms(access.now_ms(), "set")?),
        None => None,
    };
    let mut reply = Reply::ok();
    if options.looks() {
        let found = if options.get { access.peek(key) } else { access.lookup(key) };
        if options.get {
            reply = found.map_or(Reply::Null, |handle| Reply::Bulk(access.string(handle)));
        }
        if (options.nx && found.is_some()) || (options.xx && found.is_none()) {
            return Ok(if options.get { reply } else { Reply::Null });
        }
        if options.keep_ttl {
            expire_at_ms = found.and_then(|handle| access.entry(handle).expire_at_ms());
        }
    }
    store(access, key, value, expire_at_ms);
    Ok(reply)
}

/// `SETNX key value`
pub(crate) fn setnx(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let absent = access.lookup(&args[1]).is_none();
    if absent {
        store(access, &args[1], &args[2], None);
    }
    Ok(Reply::Integer(i64::from(absent)))
}

fn set_until(
    access: &mut Access<'_>,
    args: &[Bytes],
    unit: Unit,
    name: &'static str,
) -> Result<Reply, CommandError> {
    let deadline = Deadline { unit, argument: args[2].clone() };
    let at_ms = deadline.at_ms(access.now_ms(), name)?;
    store(access, &args[1], &args[3], Some(at_ms));
    Ok(Reply::ok())
}

/// `SETEX key s value`
pub(crate) fn setex(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    set_until(access, args, Unit::Ex, "setex")
}

/// `PSETEX key ms value`
pub(crate) fn psetex(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    set_until(access, args, Unit::Px, "psetex")
}

/// `GETSET key value`
pub(crate) fn getset(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let found = access.peek(&args[1]);
    let reply = found.map_or(Reply::Null, |handle| Reply::Bulk(access.string(handle)));
    store(access, &args[1], &args[2], None);
    Ok(reply)
}

/// The keys and values of MSET and MSETNX.
fn pairs<'a>(
    args: &'a [Bytes],
    name: &'static str,
) -> Result<std::slice::ChunksExact<'a, Bytes>, CommandError> {
    let pairs = args[1..].chunks_exact(2);
    if pairs.remainder().is_empty() { Ok(pairs) } else { Err(WrongArity { name }.into()) }
}

/// `MSET key value [key value ...]`
pub(crate) fn mset(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    for pair in pairs(args, "mset")? {
        store(access, &pair[0], &pair[1], None);
    }
    Ok(Reply::ok())
}

/// `MSETNX key value [key value ...]`
pub(crate) fn msetnx(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let mut pairs = pairs(args, "msetnx")?;
    if pairs.clone().any(|pair| access.lookup(&pair[0]).is_some()) {
        return Ok(Reply::Integer(0));
    }
    pairs.by_ref().for_each(|pair| store(access, &pair[0], &pair[1], None));
    Ok(Reply::Integer(1))
}
