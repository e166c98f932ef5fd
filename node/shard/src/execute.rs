//! From a command's id to the function that carries it out.
//!
//! Does not know what any of them does. Commands that concern many partitions at once are methods of
//! [`crate::Shard`] instead, which the node composes.

use bytes::Bytes;
use predis_resp::{CommandId, CommandSpec, Reply};

use crate::access::Access;
use crate::commands::{counter, expire, generic, object, range, rename, string_get, string_set};
use crate::error::CommandError;

/// A command's function. The arguments, its name first, are as many as its arity allows.
type Handler = fn(&mut Access<'_>, &[Bytes]) -> Result<Reply, CommandError>;

/// The function of a command on keys; `None` for any other.
pub(crate) fn handler(id: CommandId) -> Option<Handler> {
    Some(match id {
        CommandId::Get => string_get::get,
        CommandId::Getdel => string_get::getdel,
        CommandId::Getex => string_get::getex,
        CommandId::Mget => string_get::mget,
        CommandId::Strlen => string_get::strlen,
        CommandId::Set => string_set::set,
        CommandId::Setnx => string_set::setnx,
        CommandId::Setex => string_set::setex,
        CommandId::Psetex => string_set::psetex,
        CommandId::Getset => string_set::getset,
        CommandId::Mset => string_set::mset,
        CommandId::Msetnx => string_set::msetnx,
        CommandId::Incr => counter::incr,
        CommandId::Decr => counter::decr,
        CommandId::Incrby => counter::incrby,
        CommandId::Decrby => counter::decrby,
        CommandId::Incrbyfloat => counter::incrbyfloat,
        CommandId::Append => range::append,
        CommandId::Setrange => range::setrange,
        CommandId::Getrange | CommandId::Substr => range::getrange,
        CommandId::Expire => expire::expire,
        CommandId::Pexpire => expire::pexpire,
        CommandId::Expireat => expire::expireat,
        CommandId::Pexpireat => expire::pexpireat,
        CommandId::Ttl => expire::ttl,
        CommandId::Pttl => expire::pttl,
        CommandId::Expiretime => expire::expiretime,
        CommandId::Pexpiretime => expire::pexpiretime,
        CommandId::Persist => expire::persist,
        CommandId::Del | CommandId::Unlink => generic::del,
        CommandId::Exists => generic::exists,
        CommandId::Type => generic::type_name,
        CommandId::Touch => generic::touch,
        CommandId::Rename => rename::rename,
        CommandId::Renamenx => rename::renamenx,
        CommandId::Copy => rename::copy,
        CommandId::ObjectEncoding => object::encoding,
        CommandId::ObjectRefcount => object::refcount,
        CommandId::ObjectIdletime => object::idletime,
        CommandId::ObjectFreq => object::freq,
        CommandId::MemoryUsage => object::memory_usage,
        _ => return None,
    })
}

/// Checks the arity and runs the command.
pub(crate) fn run(
    access: &mut Access<'_>,
    command: &CommandSpec,
    args: &[Bytes],
) -> Result<Reply, CommandError> {
    command.check_arity(args.len())?;
    let handler = handler(command.id).ok_or(CommandError::NotOnKeys(command.id.name()))?;
    handler(access, args)
}
