//! COMMAND and its subcommands: the command table as clients read it.

use super::{Request, is};
use crate::front::error::Error;
use crate::front::glob;
use bytes::Bytes;
use predis_resp::{
    CommandId, CommandSpec, Reply, command_count, command_docs_reply, command_getkeys_reply,
    command_info_reply, commands, find,
};

pub(super) fn run(request: &Request<'_>) -> Result<Reply, Error> {
    let args = request.args;
    match request.spec.id {
        CommandId::Command => Ok(all()),
        CommandId::CommandCount => Ok(Reply::Integer(command_count() as i64)),
        CommandId::CommandInfo if args.len() == 2 => Ok(all()),
        CommandId::CommandInfo => {
            let described = |name: &Bytes| find(name).map_or(Reply::Null, command_info_reply);
            Ok(Reply::Array(args[2..].iter().map(described).collect()))
        }
        CommandId::CommandDocs => Ok(docs(&args[2..])),
        CommandId::CommandGetkeys => Ok(command_getkeys_reply(&args[2..])),
        CommandId::CommandList => list(&args[2..]),
        _ => Err(Error::NotHere(request.spec.name)),
    }
}

fn all() -> Reply {
    Reply::Array(commands().map(command_info_reply).collect())
}

/// By name; names that mean nothing are left out.
fn docs(names: &[Bytes]) -> Reply {
    let entry = |spec: &'static CommandSpec| (Reply::text(spec.name), command_docs_reply(spec));
    if names.is_empty() {
        return Reply::Map(commands().map(entry).collect());
    }
    Reply::Map(names.iter().filter_map(|name| find(name)).map(entry).collect())
}

/// `COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern]`
fn list(args: &[Bytes]) -> Result<Reply, Error> {
    let accept: Box<dyn Fn(&CommandSpec) -> bool + '_> = match args {
        [] => Box::new(|_| true),
        [by, kind, value] if is(by, "FILTERBY") => {
            if is(kind, "MODULE") {
                // There are no modules, so no command comes from one.
                Box::new(|_| false)
            } else if is(kind, "ACLCAT") {
                Box::new(|spec| spec.categories.iter().any(|category| is(value, category.name())))
            } else if is(kind, "PATTERN") {
                Box::new(|spec| glob::matches(value, spec.name))
            } else {
                return Err(Error::Syntax);
            }
        }
        _ => return Err(Error::Syntax),
    };
    let with_subcommands = commands().flat_map(|spec| std::iter::once(spec).chain(spec.subcommands));
    let names = with_subcommands.filter(|spec| accept(spec)).map(|spec| Reply::text(spec.name));
    Ok(Reply::Array(names.collect()))
}
