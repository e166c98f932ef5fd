//! RENAME, RENAMENX, COPY.

use bytes::Bytes;
use predis_resp::Reply;

use super::integer;
use crate::access::Access;
use crate::effect::Effect;
use crate::error::CommandError;

/// How many databases Redis has unless told otherwise; COPY knows them only to refuse all but 0.
const DATABASES: i64 = 16;

/// Gives `to` the value and the time of expiry of the entry.
fn duplicate(access: &mut Access<'_>, handle: u32, to: &Bytes) {
    let entry = access.entry(handle);
    let (value, expire_at_ms) = (entry.value.clone(), entry.expire_at_ms());
    access.commit(Effect::Set { key: to.clone(), value, expire_at_ms });
}

/// Renames unless `only_new` and the new name is taken; whether it did. A key renamed to itself is not.
fn rename_to(access: &mut Access<'_>, args: &[Bytes], only_new: bool) -> Result<bool, CommandError> {
    let (from, to) = (&args[1], &args[2]);
    let handle = access.lookup(from).ok_or(CommandError::NoSuchKey)?;
    if from == to || (only_new && access.lookup(to).is_some()) {
        return Ok(false);
    }
    duplicate(access, handle, to);
    access.delete(from);
    Ok(true)
}

/// `RENAME key newkey`
pub(crate) fn rename(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    rename_to(access, args, false)?;
    Ok(Reply::ok())
}

/// `RENAMENX key newkey`
pub(crate) fn renamenx(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    Ok(Reply::Integer(i64::from(rename_to(access, args, true)?)))
}

/// The options of COPY: whether it replaces. The only database there is to copy to is 0.
fn copy_replaces(options: &[Bytes]) -> Result<bool, CommandError> {
    let (mut replaces, mut database) = (false, 0);
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        if option.eq_ignore_ascii_case(b"REPLACE") {
            replaces = true;
        } else if option.eq_ignore_ascii_case(b"DB")
            && let Some(number) = rest.next()
        {
            database = integer(number)?;
            if i32::try_from(database).is_err() {
                return Err(CommandError::NotAnInt);
            }
            if !(0..DATABASES).contains(&database) {
                return Err(CommandError::DatabaseOutOfRange);
            }
        } else {
            return Err(CommandError::Syntax);
        }
    }
    if database == 0 { Ok(replaces) } else { Err(CommandError::OtherDatabase) }
}

/// `COPY source destination [DB 0] [REPLACE]`
pub(crate) fn copy(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let replaces = copy_replaces(&args[3..])?;
    let (from, to) = (&args[1], &args[2]);
    if from == to {
        return Err(CommandError::SameObject);
    }
    let Some(handle) = access.read(from) else { return Ok(Reply::Integer(0)) };
    if access.lookup(to).is_some() && !replaces {
        return Ok(Reply::Integer(0));
    }
    duplicate(access, handle, to);
    Ok(Reply::Integer(1))
}
