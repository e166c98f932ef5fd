//! Rows of the table as COMMAND and the HELP subcommands answer them, in the shapes Redis 7 gives them.
//!
//! What only the documentation site knows, the arguments' syntax and the history, is left out; both are
//! optional. Knows nothing of which commands were asked for.

use crate::{CommandSpec, KeyRange, Reply, lookup};
use bytes::Bytes;

/// What COMMAND and COMMAND INFO answer for a command: ten elements, the last being its subcommands alike.
pub fn command_info_reply(spec: &CommandSpec) -> Reply {
    Reply::Array(vec![
        Reply::text(spec.name),
        Reply::Integer(spec.arity.into()),
        Reply::Set(spec.flags.iter().map(|flag| Reply::simple(flag.name())).collect()),
        Reply::Integer(spec.keys.first as i64),
        Reply::Integer(spec.keys.last as i64),
        Reply::Integer(spec.keys.step as i64),
        Reply::Set(spec.categories.iter().map(|c| Reply::Simple(format!("@{}", c.name()).into())).collect()),
        Reply::Set(spec.tips.iter().copied().map(Reply::text).collect()),
        Reply::Set(spec.key_ranges.iter().flatten().map(key_range).collect()),
        Reply::Array(spec.subcommands.iter().map(command_info_reply).collect()),
    ])
}

/// What COMMAND DOCS answers for a command, under its full name.
pub fn command_docs_reply(spec: &CommandSpec) -> Reply {
    let mut docs = vec![
        entry("summary", Reply::text(spec.summary)),
        entry("since", Reply::text(spec.since)),
        entry("group", Reply::text(spec.group.name())),
        entry("complexity", Reply::text(spec.complexity)),
    ];
    if let Some(deprecated) = spec.deprecated {
        docs.push(entry("doc_flags", Reply::Set(vec![Reply::simple("deprecated")])));
        docs.push(entry("deprecated_since", Reply::text(deprecated.since)));
        docs.push(entry("replaced_by", Reply::text(deprecated.replaced_by)));
    }
    if !spec.subcommands.is_empty() {
        let subcommands =
            spec.subcommands.iter().map(|sub| entry(sub.name, command_docs_reply(sub))).collect();
        docs.push(entry("subcommands", Reply::Map(subcommands)));
    }
    Reply::Map(docs)
}

/// What COMMAND GETKEYS answers for a whole command, the arguments that follow GETKEYS: its keys, or Redis's
/// words for why there are none.
pub fn command_getkeys_reply(args: &[Bytes]) -> Reply {
    let Ok(spec) = lookup(args) else { return Reply::error("ERR Invalid command specified") };
    if spec.keys.first == 0 {
        return Reply::error("ERR The command has no key arguments");
    }
    if spec.check_arity(args.len()).is_err() {
        return Reply::error("ERR Invalid number of arguments specified for command");
    }
    Reply::Array(spec.keys_of(args).map(|index| Reply::Bulk(args[index].clone())).collect())
}

/// What a container's HELP answers: a heading, then two lines for each subcommand.
pub fn help_reply(container: &CommandSpec) -> Reply {
    let name = container.name.to_uppercase();
    let heading = format!("{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
    let mut lines = vec![Reply::Simple(heading.into())];
    for sub in container.subcommands {
        lines.push(Reply::Simple(sub.short_name().to_uppercase().into()));
        lines.push(Reply::Simple(format!("    {}.", sub.summary).into()));
    }
    Reply::Array(lines)
}

/// A key specification: where the search begins, and which arguments from there are keys.
fn key_range(range: &KeyRange) -> Reply {
    let begin = vec![entry("index", Reply::Integer(range.first as i64))];
    let find = vec![
        entry("lastkey", Reply::Integer(range.last as i64)),
        entry("keystep", Reply::Integer(range.step as i64)),
        entry("limit", Reply::Integer(0)),
    ];
    Reply::Map(vec![
        entry("flags", Reply::Set(range.flags.iter().map(|flag| Reply::simple(flag.name())).collect())),
        entry("begin_search", typed("index", begin)),
        entry("find_keys", typed("range", find)),
    ])
}

fn typed(kind: &'static str, spec: Vec<(Reply, Reply)>) -> Reply {
    Reply::Map(vec![entry("type", Reply::text(kind)), entry("spec", Reply::Map(spec))])
}

fn entry(key: &'static str, value: Reply) -> (Reply, Reply) {
    (Reply::text(key), value)
}
