//! The command table against Redis 7.0's facts, and the rules every row keeps.

use predis_resp::{
    Category, CommandId, CommandSpec, Flag, Protocol, Reply, Retry, Role, command_count, command_docs_reply,
    command_getkeys_reply, command_info_reply, commands, find, help_reply, lookup,
};
use std::collections::BTreeSet;

fn rows() -> Vec<&'static CommandSpec> {
    commands().flat_map(|spec| std::iter::once(spec).chain(spec.subcommands)).collect()
}

fn words(line: &str) -> Vec<&[u8]> {
    line.split(' ').map(str::as_bytes).collect()
}

fn spec_of(line: &str) -> &'static CommandSpec {
    lookup(&words(line)).expect("a known command")
}

fn keys_of(line: &str) -> Vec<&str> {
    let args: Vec<&str> = line.split(' ').collect();
    spec_of(line).keys_of(&args).map(|index| args[index]).collect()
}

/// The row in the golden file's format.
fn golden_line(spec: &CommandSpec) -> String {
    let join = |names: Vec<String>| if names.is_empty() { "-".to_owned() } else { names.join(",") };
    let flags = join(spec.flags.iter().map(|flag| flag.name().to_owned()).collect());
    let categories = join(spec.categories.iter().map(|category| format!("@{}", category.name())).collect());
    let keys = spec.keys;
    format!(
        "{} {} {flags} {} {} {} {categories} {} {}",
        spec.name,
        spec.arity,
        keys.first,
        keys.last,
        keys.step,
        spec.group.name(),
        spec.since
    )
}

#[test]
fn the_table_has_the_facts_of_redis() {
    let mut found: Vec<String> = rows().into_iter().map(golden_line).collect();
    found.sort();
    let golden: Vec<&str> =
        include_str!("golden/commands.txt").lines().filter(|line| !line.starts_with('#')).collect();
    for (found, golden) in found.iter().zip(&golden) {
        assert_eq!(found, golden);
    }
    assert_eq!(found.len(), golden.len());
}

#[test]
fn every_command_has_exactly_one_row() {
    let ids: Vec<CommandId> = rows().iter().map(|spec| spec.id).collect();
    let distinct: BTreeSet<CommandId> = ids.iter().copied().collect();
    assert_eq!(ids.len(), distinct.len());
    assert_eq!(distinct, CommandId::ALL.iter().copied().collect());
    let names: BTreeSet<&str> = CommandId::ALL.iter().map(|id| id.name()).collect();
    assert_eq!(names.len(), CommandId::ALL.len());
    assert_eq!(command_count(), commands().count());
    assert_eq!(command_count(), names.iter().filter(|name| !name.contains('|')).count());
}

#[test]
fn names_are_found_in_any_case() {
    for spec in rows() {
        let parts: Vec<&str> = spec.name.split('|').collect();
        assert_eq!(lookup(&parts).unwrap().id, spec.id);
        let upper: Vec<String> = parts.iter().map(|part| part.to_uppercase()).collect();
        assert_eq!(lookup(&upper).unwrap().id, spec.id);
        assert_eq!(find(spec.name.as_bytes()).unwrap().id, spec.id);
        assert_eq!(find(spec.name.to_uppercase().as_bytes()).unwrap().id, spec.id);
        assert_eq!(Some(spec.short_name()), parts.last().copied());
    }
    assert!(find(b"client|nope").is_none() && find(b"nope").is_none() && find(b"get|id").is_none());
}

#[test]
fn unknown_names_get_the_words_of_redis() {
    let error = |line: &str| lookup(&words(line)).unwrap_err().to_string();
    assert_eq!(error("foo a b"), "ERR unknown command 'foo', with args beginning with: 'a' 'b' ");
    assert_eq!(error("FOO"), "ERR unknown command 'FOO', with args beginning with: ");
    assert_eq!(error("getx"), "ERR unknown command 'getx', with args beginning with: ");
    assert_eq!(error("cluster nope x"), "ERR unknown subcommand 'nope'. Try CLUSTER HELP.");
    assert_eq!(error("command nope"), "ERR unknown subcommand 'nope'. Try COMMAND HELP.");
    assert_eq!(error("a\r\nb c\nd"), "ERR unknown command 'a  b', with args beginning with: 'c d' ");
    assert_eq!(
        lookup::<&str>(&[]).unwrap_err().to_string(),
        "ERR unknown command '', with args beginning with: "
    );
    let long = error(&format!("{} {} {}", "x".repeat(500), "y".repeat(500), "z".repeat(500)));
    assert!(long.len() < 350 && !long.contains('z'), "{long}");
    assert_eq!(
        Reply::from(lookup(&["nope"]).unwrap_err()),
        Reply::error("ERR unknown command 'nope', with args beginning with: ")
    );
}

#[test]
fn arity_is_exact_or_a_minimum() {
    let get = spec_of("get k");
    assert!(get.check_arity(2).is_ok() && get.check_arity(1).is_err() && get.check_arity(3).is_err());
    let set = spec_of("set k v");
    assert!(set.check_arity(2).is_err() && set.check_arity(3).is_ok() && set.check_arity(100).is_ok());
    let words = |line: &str, count| spec_of(line).check_arity(count).unwrap_err().to_string();
    assert_eq!(words("GET k", 1), "ERR wrong number of arguments for 'get' command");
    assert_eq!(words("client setname x", 2), "ERR wrong number of arguments for 'client|setname' command");
    assert_eq!(words("client", 1), "ERR wrong number of arguments for 'client' command");
    assert!(spec_of("command").check_arity(1).is_ok());
}

#[test]
fn keys_are_found_where_they_are() {
    for (line, keys) in [
        ("get a", &["a"][..]),
        ("set a b nx", &["a"]),
        ("del a b c", &["a", "b", "c"]),
        ("mget a", &["a"]),
        ("mset a 1 b 2", &["a", "b"]),
        ("mset a 1 b", &["a", "b"]),
        ("msetnx a 1", &["a"]),
        ("copy a b db 0 replace", &["a", "b"]),
        ("rename a b", &["a", "b"]),
        ("object encoding a", &["a"]),
        ("memory usage a samples 5", &["a"]),
        ("scan 0", &[]),
        ("ping a", &[]),
        ("cluster keyslot a", &[]),
        ("del", &[]),
        ("copy a", &["a"]),
        ("object", &[]),
    ] {
        assert_eq!(keys_of(line), keys, "{line}");
    }
    assert_eq!(spec_of("mset a 1 b 2").keys_of(&words("mset a 1 b 2")).len(), 2);
}

#[test]
fn every_row_keeps_the_rules() {
    for spec in rows() {
        let name = spec.name;
        assert!(spec.arity != 0 && !spec.summary.is_empty() && !spec.complexity.is_empty(), "{name}");
        assert_eq!(
            spec.categories.contains(Category::Fast),
            !spec.categories.contains(Category::Slow),
            "{name}"
        );
        assert!(!(spec.flags.contains(Flag::Write) && spec.flags.contains(Flag::Readonly)), "{name}");
        assert_eq!(spec.flags.contains(Flag::Write), spec.role == Role::ReadWrite, "{name}");
        assert!(!spec.flags.contains(Flag::Readonly) || spec.retry == Retry::Safe, "{name}");
        assert!(!spec.flags.contains(Flag::Admin) || spec.role >= Role::Operator, "{name}");
        if spec.keys.first > 0 {
            assert!(spec.flags.contains(Flag::Write) || spec.flags.contains(Flag::Readonly), "{name}");
            assert!(spec.arity.unsigned_abs() as usize > spec.keys.first, "{name}");
            assert_eq!(spec.key_ranges[0].map(|range| range.first), Some(spec.keys.first), "{name}");
        } else {
            assert_eq!(spec.key_ranges, [None, None], "{name}");
        }
        assert!(spec.subcommands.is_empty() || find(format!("{name}|help").as_bytes()).is_some(), "{name}");
    }
}

#[test]
fn what_may_be_repeated_is_known() {
    for (line, retry) in [
        ("get k", Retry::Safe),
        ("del k", Retry::Safe),
        ("set k v", Retry::Safe),
        ("set nx get", Retry::Safe),
        ("set k v ex 10", Retry::Safe),
        ("set k v nx", Retry::Ambiguous),
        ("set k v EX 10 XX", Retry::Ambiguous),
        ("set k v Get", Retry::Ambiguous),
        ("expireat k 1", Retry::Safe),
        ("expire k 1 gt", Retry::Ambiguous),
        ("incr k", Retry::Ambiguous),
        ("append k v", Retry::Ambiguous),
        ("setnx k v", Retry::Ambiguous),
        ("getset k v", Retry::Ambiguous),
        ("getdel k", Retry::Ambiguous),
        ("rename k l", Retry::Ambiguous),
        ("copy k l", Retry::Ambiguous),
        ("ping", Retry::Safe),
    ] {
        assert_eq!(spec_of(line).retry_of(&words(line)), retry, "{line}");
    }
}

#[test]
fn roles_are_as_narrow_as_the_command() {
    for (line, role) in [
        ("ping", Role::Any),
        ("hello 3", Role::Any),
        ("client id", Role::Any),
        ("cluster slots", Role::Any),
        ("cluster getkeysinslot 1 2", Role::ReadOnly),
        ("get k", Role::ReadOnly),
        ("dbsize", Role::ReadOnly),
        ("flushall", Role::ReadWrite),
        ("set k v", Role::ReadWrite),
        ("config get x", Role::Operator),
        ("client kill x", Role::Operator),
        ("client list", Role::Operator),
    ] {
        assert_eq!(spec_of(line).role, role, "{line}");
    }
}

fn wire(reply: &Reply) -> String {
    let mut out = bytes::BytesMut::new();
    reply.encode(Protocol::Resp3, &mut out);
    String::from_utf8_lossy(&out).replace("\r\n", " ")
}

#[test]
fn command_info_has_the_shape_of_redis() {
    assert_eq!(
        wire(&command_info_reply(spec_of("get k"))),
        "*10 $3 get :2 ~2 +readonly +fast :1 :1 :1 ~3 +@read +@string +@fast ~0 \
         ~1 %3 $5 flags ~2 +RO +access $12 begin_search %2 $4 type $5 index $4 spec %1 $5 index :1 \
         $9 find_keys %2 $4 type $5 range $4 spec %3 $7 lastkey :0 $7 keystep :1 $5 limit :0 *0 "
    );
    let Reply::Array(fields) = command_info_reply(spec_of("client")) else { panic!("an array") };
    let Reply::Array(subcommands) = &fields[9] else { panic!("an array") };
    assert_eq!(subcommands.len(), spec_of("client").subcommands.len());
    assert_eq!(subcommands[0], command_info_reply(spec_of("client id")));
}

#[test]
fn command_docs_has_the_shape_of_redis() {
    assert_eq!(
        wire(&command_docs_reply(spec_of("substr k 0 1"))),
        "%7 $7 summary $24 Reads a part of a string $5 since $5 1.0.0 $5 group $6 string \
         $10 complexity $32 O(N), N being the bytes returned $9 doc_flags ~1 +deprecated \
         $16 deprecated_since $5 2.0.0 $11 replaced_by $10 `GETRANGE` "
    );
    let Reply::Map(docs) = command_docs_reply(spec_of("cluster")) else { panic!("a map") };
    let Some((_, Reply::Map(subcommands))) = docs.iter().find(|(key, _)| *key == Reply::text("subcommands"))
    else {
        panic!("subcommands")
    };
    assert_eq!(subcommands[0].0, Reply::text("cluster|info"));
}

#[test]
fn getkeys_answers_the_keys_or_why_there_are_none() {
    let answer = |line: &str| {
        let args: Vec<bytes::Bytes> = line.split(' ').map(|word| word.to_owned().into()).collect();
        wire(&command_getkeys_reply(&args))
    };
    assert_eq!(answer("mset a 1 b 2"), "*2 $1 a $1 b ");
    assert_eq!(answer("OBJECT ENCODING k"), "*1 $1 k ");
    assert_eq!(answer("nope a"), "-ERR Invalid command specified ");
    assert_eq!(answer("object nope a"), "-ERR Invalid command specified ");
    assert_eq!(answer("ping a"), "-ERR The command has no key arguments ");
    assert_eq!(answer("get a b"), "-ERR Invalid number of arguments specified for command ");
}

#[test]
fn help_lists_the_subcommands() {
    assert_eq!(
        wire(&help_reply(spec_of("memory"))),
        "*5 +MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are: +USAGE \
         +    Estimates the memory a key takes. +HELP +    Lists the subcommands. "
    );
}
