//! DEL, UNLINK, EXISTS, TYPE, TOUCH.

use bytes::Bytes;
use predis_resp::Reply;

use super::length;
use crate::access::Access;
use crate::error::CommandError;

/// `DEL key [key ...]`, `UNLINK key [key ...]`. A string's memory is freed at once in both.
pub(crate) fn del(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let mut deleted = 0;
    for key in &args[1..] {
        if access.lookup(key).is_some() {
            access.delete(key);
            deleted += 1;
        }
    }
    Ok(Reply::Integer(deleted))
}

/// `EXISTS key [key ...]`. A key named twice counts twice.
pub(crate) fn exists(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let found = args[1..].iter().filter(|key| access.peek(key).is_some()).count();
    Ok(Reply::Integer(length(found)))
}

/// `TYPE key`
pub(crate) fn type_name(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let found = access.peek(&args[1]);
    Ok(Reply::simple(found.map_or("none", |handle| access.entry(handle).value.type_name())))
}

/// `TOUCH key [key ...]`
pub(crate) fn touch(access: &mut Access<'_>, args: &[Bytes]) -> Result<Reply, CommandError> {
    let found = args[1..].iter().filter(|key| access.read(key).is_some()).count();
    Ok(Reply::Integer(length(found)))
}
