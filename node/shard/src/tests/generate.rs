//! Random commands, times and choices for the property tests.

use bytes::Bytes;
use proptest::prelude::*;
use proptest::sample::select;

const KEYS: &[&str] = &["a", "b", "c", "d", "e", "{t}f", ""];
const VALUES: &[&str] = &[
    "",
    "0",
    "1",
    "-7",
    "41",
    "007",
    "abc",
    "3.25",
    "-0.5",
    "9223372036854775807",
    "-9223372036854775808",
    "x y\0z",
];
const NUMBERS: &[&str] =
    &["0", "1", "2", "-1", "5", "100", "1500", "x", "1.5", "9223372036854775807", "-9223372036854775808"];
/// Around the moment at which the rig's clock starts: the first few as seconds, the others as milliseconds.
const MOMENTS: &[&str] = &["1000", "1001", "1004", "1000500", "1002000", "0", "-3", "q"];
const OFFSETS: &[&str] = &["0", "1", "3", "-1", "-3", "20", "600000000", "9223372036854775807", "y"];
const FLOATS: &[&str] = &["0.5", "-1.25", "3", "1.75", "z", "", "inf"];
const SET_OPTIONS: &[&str] = &[
    "NX",
    "xx",
    "GET",
    "KEEPTTL",
    "EX 1",
    "EX 2",
    "PX 700",
    "px 0",
    "EXAT 1002",
    "PXAT 1001000",
    "PXAT 5",
    "EX",
    "BAD",
];
const GETEX_OPTIONS: &[&str] =
    &["PERSIST", "EX 1", "ex 3", "PX 400", "PX -1", "EXAT 1003", "PXAT 1000700", "PXAT 7", "EX x", "BAD"];
const EXPIRE_OPTIONS: &[&str] = &["NX", "XX", "gt", "LT", "BAD"];
const COPY_OPTIONS: &[&str] = &["REPLACE", "DB 0", "DB 1", "DB x", "BAD"];

/// Commands with places to fill: `k` key, `v` value, `n` number, `m` moment, `o` offset, `f` float, and options
/// `S` of SET, `G` of GETEX, `X` of EXPIRE, `C` of COPY.
const TEMPLATES: &[&str] = &[
    "GET k",
    "GET k",
    "MGET k k k",
    "STRLEN k",
    "GETDEL k",
    "GETEX k G",
    "GETEX k G G",
    "SET k v",
    "SET k v",
    "SET k v S",
    "SET k v S S",
    "SET k v S S S",
    "SETNX k v",
    "SETEX k n v",
    "PSETEX k n v",
    "GETSET k v",
    "MSET k v k v",
    "MSET k v k",
    "MSETNX k v k v",
    "INCR k",
    "DECR k",
    "INCRBY k n",
    "DECRBY k n",
    "INCRBYFLOAT k f",
    "APPEND k v",
    "SETRANGE k o v",
    "GETRANGE k o o",
    "SUBSTR k o o",
    "EXPIRE k n",
    "EXPIRE k n X",
    "PEXPIRE k n",
    "PEXPIRE k n X X",
    "EXPIREAT k m",
    "PEXPIREAT k m X",
    "TTL k",
    "PTTL k",
    "EXPIRETIME k",
    "PEXPIRETIME k",
    "PERSIST k",
    "DEL k k",
    "UNLINK k",
    "EXISTS k k k",
    "TYPE k",
    "TOUCH k k",
    "RENAME k k",
    "RENAMENX k k",
    "COPY k k",
    "COPY k k C",
    "COPY k k C C",
    "OBJECT IDLETIME k",
];

/// One step of a random history.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A command, its name first.
    Command(Vec<Bytes>),
    /// So many milliseconds pass.
    Sleep(u64),
    /// The node removes so many expired keys.
    Expire(usize),
    /// The node flushes the tenant.
    Flush,
    /// Another tenant speaks from now on.
    Tenant(u32),
}

fn fill(template: &str, choices: &[u16]) -> Vec<Bytes> {
    let mut words = Vec::new();
    for (place, choice) in template.split(' ').zip(choices) {
        let vocabulary = match place {
            "k" => KEYS,
            "v" => VALUES,
            "n" => NUMBERS,
            "m" => MOMENTS,
            "o" => OFFSETS,
            "f" => FLOATS,
            "S" => SET_OPTIONS,
            "G" => GETEX_OPTIONS,
            "X" => EXPIRE_OPTIONS,
            "C" => COPY_OPTIONS,
            word => {
                words.push(Bytes::copy_from_slice(word.as_bytes()));
                continue;
            }
        };
        let chosen = vocabulary[usize::from(*choice) % vocabulary.len()];
        let is_option = matches!(place, "S" | "G" | "X" | "C");
        let parts: Vec<&str> = if is_option { chosen.split(' ').collect() } else { vec![chosen] };
        words.extend(parts.into_iter().map(|part| Bytes::copy_from_slice(part.as_bytes())));
    }
    words
}

/// Commands and passing time only.
pub(super) fn commands() -> impl Strategy<Value = Step> {
    prop_oneof![
        9 => (select(TEMPLATES), prop::collection::vec(any::<u16>(), 8))
            .prop_map(|(template, choices)| Step::Command(fill(template, &choices))),
        1 => (0u64..900).prop_map(Step::Sleep),
    ]
}

/// Everything that can happen to a shard.
pub(super) fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        60 => commands(),
        3 => (0usize..3).prop_map(Step::Expire),
        1 => Just(Step::Flush),
        4 => (0u32..2).prop_map(Step::Tenant),
    ]
}
