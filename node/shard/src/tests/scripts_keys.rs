//! Replies and errors of the commands on keys of any type, and of those that look inside.

use super::rig::{Rig, cx, deleted};
use crate::{DeleteReason, ENTRY_OVERHEAD_BYTES, EXPIRY_OVERHEAD_BYTES, Effect};

#[test]
fn generic() {
    Rig::new().script(&[
        ("MSET a 1 b 2 c 3", "OK"),
        ("EXISTS a b a none", ":3"),
        ("TYPE a", "string"),
        ("TYPE none", "none"),
        ("TOUCH a none b", ":2"),
        ("DEL a none a", ":1"),
        ("UNLINK b c", ":2"),
        ("EXISTS a b c", ":0"),
    ]);
}

#[test]
fn rename() {
    Rig::new().script(&[
        ("RENAME none k", "-ERR no such key"),
        ("RENAME none none", "-ERR no such key"),
        ("RENAMENX none k", "-ERR no such key"),
        ("SET a 1 EX 10", "OK"),
        ("SET b 2", "OK"),
        ("RENAME a a", "OK"),
        ("RENAMENX a a", ":0"),
        ("RENAMENX a b", ":0"),
        ("RENAME a b", "OK"),
        ("MGET a b", "[nil \"1\"]"),
        ("TTL b", ":10"),
        ("SET c 3", "OK"),
        ("RENAME c b", "OK"),
        ("TTL b", ":-1"),
        ("RENAMENX b d", ":1"),
        ("MGET b d", "[nil \"3\"]"),
    ]);
}

#[test]
fn copy() {
    Rig::new().script(&[
        ("COPY a b", ":0"),
        ("SET a 1 EX 10", "OK"),
        ("COPY a b", ":1"),
        ("GET b", "\"1\""),
        ("TTL b", ":10"),
        ("SET a 2", "OK"),
        ("COPY a b", ":0"),
        ("COPY a b db 0 replace", ":1"),
        ("GET b", "\"2\""),
        ("TTL b", ":-1"),
        ("COPY a a", "-ERR source and destination objects are the same"),
        ("COPY a b REPLACE DB", "-ERR syntax error"),
        ("COPY a b FOO", "-ERR syntax error"),
        ("COPY a b DB x", "-ERR value is not an integer or out of range"),
        ("COPY a b DB 16", "-ERR DB index is out of range"),
        ("COPY a b DB -1", "-ERR DB index is out of range"),
        (
            "COPY a b DB 3000000000",
            "-ERR value is out of range, value must between -2147483648 and 2147483647",
        ),
        ("COPY a b DB 1", "-ERR Copying to another database is not allowed in cluster mode"),
    ]);
}

#[test]
fn renaming_is_a_set_and_a_delete() {
    let mut rig = Rig::new();
    rig.script(&[("SET a 1 PXAT 2000000", "OK")]);
    rig.take_effects();
    rig.script(&[("RENAME a b", "OK")]);
    let effects = rig.take_effects();
    let set = matches!(&effects[0], Effect::Set { key, expire_at_ms: Some(2_000_000), .. } if key == "b");
    assert!(set && effects[1..] == [deleted("a", DeleteReason::Deleted)], "{effects:?}");
}

#[test]
fn object() {
    let mut rig = Rig::new();
    rig.script(&[
        ("OBJECT ENCODING k", "nil"),
        ("OBJECT FREQ k", "nil"),
        ("SET k 12", "OK"),
        ("OBJECT ENCODING k", "\"int\""),
        ("OBJECT REFCOUNT k", ":1"),
        ("APPEND k 3", ":3"),
        ("OBJECT ENCODING k", "\"raw\""),
        ("INCR k", ":124"),
        ("OBJECT ENCODING k", "\"int\""),
        ("SET k 0012", "OK"),
        ("object encoding k", "\"embstr\""),
        ("SETRANGE k 0 1", ":4"),
        ("OBJECT ENCODING k", "\"raw\""),
        ("SLEEP 7000", ""),
        ("OBJECT IDLETIME k", ":7"),
        ("TYPE k", "string"),
        ("OBJECT IDLETIME k", ":7"),
        ("TOUCH k", ":1"),
        ("OBJECT IDLETIME k", ":0"),
        ("OBJECT ENCODING k x", "-ERR wrong number of arguments for 'object|encoding' command"),
    ]);
    assert!(
        super::rig::show(&rig.call("OBJECT FREQ k"))
            .starts_with("-ERR An LFU maxmemory policy is not selected")
    );
    let (short, long) = ("x".repeat(44), "x".repeat(45));
    rig.script(&[(&format!("SET s {short}"), "OK"), (&format!("SET l {long}"), "OK")]);
    rig.script(&[("OBJECT ENCODING s", "\"embstr\""), ("OBJECT ENCODING l", "\"raw\"")]);
}

#[test]
fn memory_usage_is_the_cost() {
    let mut rig = Rig::new();
    let plain = format!(":{}", 8 + ENTRY_OVERHEAD_BYTES);
    let expiring = format!(":{}", 8 + ENTRY_OVERHEAD_BYTES + EXPIRY_OVERHEAD_BYTES);
    rig.script(&[
        ("MEMORY USAGE key", "nil"),
        ("SET key value", "OK"),
        ("MEMORY USAGE key", &plain),
        ("MEMORY USAGE key SAMPLES 0", &plain),
        ("MEMORY USAGE key SAMPLES -1", "-ERR syntax error"),
        ("MEMORY USAGE key SAMPLES x", "-ERR value is not an integer or out of range"),
        ("MEMORY USAGE key SAMPLES", "-ERR syntax error"),
        ("MEMORY USAGE key FOO 1", "-ERR syntax error"),
        ("EXPIRE key 10", ":1"),
        ("MEMORY USAGE key", &expiring),
    ]);
    assert_eq!(rig.pool.used(), 8 + ENTRY_OVERHEAD_BYTES + EXPIRY_OVERHEAD_BYTES);
}

#[test]
fn values_do_not_keep_the_request_alive() {
    for line in
        ["SET key value", "APPEND key value", "SETRANGE key 2 value", "GETSET key value", "MSET key value"]
    {
        let mut rig = Rig::new();
        let buffer = bytes::Bytes::from(line.as_bytes().to_vec());
        let words: Vec<bytes::Bytes> =
            line.split(' ').map(|word| buffer.slice_ref(word_in(&buffer, word))).collect();
        rig.run(&words);
        drop(words);
        rig.take_effects();
        assert!(
            !rig.shard.is_empty(rig.tenant) && buffer.is_unique(),
            "{line}: a part of the request is held"
        );
    }
    let mut rig = Rig::new();
    let stream = bytes::Bytes::from(b"key value".to_vec());
    let value = crate::Value::String(stream.slice(4..9));
    let set = Effect::Set { key: stream.slice(0..3), value, expire_at_ms: None };
    rig.shard.apply(&cx!(rig), &set);
    drop(set);
    assert!(!rig.shard.is_empty(rig.tenant) && stream.is_unique(), "a replica holds a part of the stream");
}

/// Where a word stands in a request.
fn word_in<'a>(buffer: &'a [u8], word: &str) -> &'a [u8] {
    let at = buffer.windows(word.len()).position(|window| window == word.as_bytes()).unwrap();
    &buffer[at..at + word.len()]
}

#[test]
fn reads_are_counted() {
    let mut rig = Rig::new();
    rig.script(&[
        ("SET k v", "OK"),
        ("GET k", "\"v\""),
        ("MGET k none", "[\"v\" nil]"),
        ("EXISTS none", ":0"),
    ]);
    let counters = rig.shard.stats(rig.tenant).counters;
    assert_eq!((counters.hits, counters.misses), (2, 2));
    rig.shard.reset_counters(rig.tenant);
    assert_eq!(rig.shard.stats(rig.tenant).counters, crate::Counters::default());
}

#[test]
fn tenants_do_not_see_each_other() {
    let mut rig = Rig::new();
    rig.script(&[("SET k 1", "OK")]);
    rig.tenant = predis_types::TenantId(5);
    rig.script(&[("GET k", "nil"), ("SET k 2", "OK")]);
    let cx = cx!(rig);
    assert_eq!(rig.shard.flush(&cx, &mut rig.effects).keys(), 1);
    assert_eq!(rig.take_effects().last(), Some(&Effect::Flush));
    assert_eq!(rig.shard.flush(&cx!(rig), &mut rig.effects).keys(), 0);
    assert!(rig.take_effects().is_empty(), "nothing to flush is no effect");
    rig.tenant = predis_types::TenantId(0);
    rig.script(&[("GET k", "\"1\"")]);
    assert_eq!(rig.shard.tenants().count(), 2);
}
