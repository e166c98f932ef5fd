//! Replies, errors and effects of the commands on expiry.

use super::rig::{Rig, cx, deleted};
use crate::{DeleteReason, Shard};
use bytes::Bytes;
use predis_resp::{Flag, Reply, commands, lookup};

#[test]
fn times_to_live() {
    Rig::new().script(&[
        ("TTL k", ":-2"),
        ("PTTL k", ":-2"),
        ("EXPIRETIME k", ":-2"),
        ("PEXPIRETIME k", ":-2"),
        ("EXPIRE k 10", ":0"),
        ("SET k v", "OK"),
        ("TTL k", ":-1"),
        ("PEXPIRETIME k", ":-1"),
        ("EXPIRE k 10", ":1"),
        ("TTL k", ":10"),
        ("PEXPIRE k 1499", ":1"),
        ("TTL k", ":1"),
        ("PEXPIRE k 1500", ":1"),
        ("TTL k", ":2"),
        ("EXPIREAT k 1020", ":1"),
        ("EXPIRETIME k", ":1020"),
        ("PEXPIREAT k 1020500", ":1"),
        ("EXPIRETIME k", ":1021"),
        ("PEXPIRETIME k", ":1020500"),
        ("PTTL k", ":20500"),
        ("PERSIST k", ":1"),
        ("PERSIST k", ":0"),
        ("PERSIST none", ":0"),
        ("TTL k", ":-1"),
    ]);
}

#[test]
fn conditions() {
    Rig::new().script(&[
        ("SET k v", "OK"),
        ("EXPIRE k 100 XX", ":0"),
        ("EXPIRE k 100 GT", ":0"),
        ("EXPIRE k 100 NX", ":1"),
        ("EXPIRE k 200 nx", ":0"),
        ("EXPIRE k 50 GT", ":0"),
        ("EXPIRE k 100 GT", ":0"),
        ("EXPIRE k 100 LT", ":0"),
        ("EXPIRE k 200 gt", ":1"),
        ("EXPIRE k 150 LT", ":1"),
        ("EXPIRE k 120 XX LT", ":1"),
        ("EXPIRE k 130 XX LT", ":0"),
        ("TTL k", ":120"),
        ("PERSIST k", ":1"),
        ("EXPIRE k 10 LT", ":1"),
        ("EXPIRE k 10 NX XX", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
        ("EXPIRE k 10 NX GT", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
        ("EXPIRE k 10 LT NX", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
        ("EXPIRE k 10 GT LT", "-ERR GT and LT options at the same time are not compatible"),
        ("EXPIRE k 10 foo", "-ERR Unsupported option foo"),
        ("EXPIRE k x foo", "-ERR Unsupported option foo"),
        ("EXPIRE k 1.5", "-ERR value is not an integer or out of range"),
        ("EXPIRE k 9223372036854775807", "-ERR invalid expire time in 'expire' command"),
        ("EXPIRE k 9223372036854775", "-ERR invalid expire time in 'expire' command"),
        ("PEXPIRE k 9223372036854775807", "-ERR invalid expire time in 'pexpire' command"),
        ("EXPIREAT k 9223372036854775807", "-ERR invalid expire time in 'expireat' command"),
        ("EXPIRE k -9223372036854775808", "-ERR invalid expire time in 'expire' command"),
        ("PEXPIREAT k 9223372036854775807 GT", ":1"),
        ("PEXPIRETIME k", ":9223372036854775807"),
    ]);
}

#[test]
fn a_time_that_has_passed_deletes() {
    for line in
        ["EXPIRE k 0", "PEXPIRE k -1", "EXPIREAT k 1000", "PEXPIREAT k 1", "PEXPIRE k -9223372036854775808"]
    {
        let mut rig = Rig::new();
        rig.script(&[("SET k v", "OK")]);
        rig.take_effects();
        rig.script(&[(line, ":1")]);
        assert_eq!(rig.take_effects(), [deleted("k", DeleteReason::Deleted)], "{line}");
        rig.script(&[("EXISTS k", ":0")]);
    }
}

#[test]
fn a_key_lives_through_its_last_millisecond() {
    let mut rig = Rig::new();
    rig.script(&[("SET k v PX 100", "OK"), ("SLEEP 100", ""), ("GET k", "\"v\""), ("PTTL k", ":0")]);
    rig.take_effects();
    rig.script(&[("SLEEP 1", ""), ("GET k", "nil")]);
    assert_eq!(rig.take_effects(), [deleted("k", DeleteReason::Expired)]);
    assert_eq!(rig.shard.stats(rig.tenant).counters.expired, 1);
    rig.script(&[("GET k", "nil")]);
    assert!(rig.take_effects().is_empty(), "it is removed once");
}

#[test]
fn time_never_goes_back() {
    let mut rig = Rig::new();
    rig.script(&[("SET k v PX 100", "OK"), ("SLEEP 101", ""), ("EXISTS other", ":0")]);
    rig.now_ms -= 50;
    rig.script(&[("EXISTS k", ":0")]);
    assert_eq!(rig.shard.time_ms(), rig.now_ms + 50);
}

#[test]
fn active_expiry_takes_the_earliest_first() {
    let mut rig = Rig::new();
    rig.script(&[
        ("SET c v PX 300", "OK"),
        ("SET a v PX 100", "OK"),
        ("SET b v PX 200", "OK"),
        ("SET d v", "OK"),
        ("SLEEP 250", ""),
    ]);
    rig.take_effects();
    assert_eq!(rig.shard.next_expiry_ms(rig.tenant), Some(super::rig::START_MS + 100));
    assert_eq!(rig.expire(1), 1);
    assert_eq!(rig.expire(10), 1);
    assert_eq!(rig.expire(10), 0);
    let expired = ["a", "b"].map(|key| deleted(key, DeleteReason::Expired));
    assert_eq!(rig.take_effects(), expired);
    assert_eq!((rig.shard.len(rig.tenant), rig.shard.stats(rig.tenant).expiring), (2, 1));
}

#[test]
fn reading_a_replica_finds_no_expired_key_and_leaves_it_where_it_is() {
    let mut rig = Rig::new();
    rig.script(&[("SET k v PX 100", "OK"), ("SET stays v", "OK")]);
    rig.now_ms += 101;
    let (effects, time_ms) = (rig.effects.clone(), rig.shard.time_ms());
    let mut read = |args: &[&str]| {
        let args: Vec<Bytes> = args.iter().map(|arg| Bytes::copy_from_slice(arg.as_bytes())).collect();
        let cx = cx!(rig);
        rig.shard.read(&cx, lookup(&args).unwrap(), &args)
    };
    let mut judged = 0;
    for spec in commands().flat_map(|spec| std::iter::once(spec).chain(spec.subcommands)) {
        if !spec.flags.contains(Flag::Readonly) || !Shard::executes(spec.id) {
            continue;
        }
        let mut args: Vec<&str> = spec.name.split('|').chain(["k"]).collect();
        while args.len() < spec.arity.unsigned_abs() as usize {
            args.push("0");
        }
        assert!(read(&args).is_some(), "{}", spec.name);
        judged += 1;
    }
    assert!(judged > 10, "{judged} commands read");
    assert_eq!(read(&["GET", "k"]), Some(Reply::Null));
    assert_eq!(read(&["MGET", "k", "stays"]), Some(Reply::Array(vec![Reply::Null, Reply::bulk("v")])));
    assert_eq!(read(&["SET", "k", "v"]), None, "it may write");
    assert_eq!(read(&["GETDEL", "stays"]), None);
    assert_eq!((rig.shard.len(rig.tenant), rig.shard.time_ms()), (2, time_ms));
    assert_eq!(rig.effects, effects);
    assert_eq!(rig.call("EXISTS k"), Reply::Integer(0));
    assert_eq!(rig.shard.len(rig.tenant), 1, "the primary expires it");
}
