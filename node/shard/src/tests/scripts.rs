//! Replies and errors of the string commands, in Redis's words.

use super::rig::Rig;

#[test]
fn get_and_its_relatives() {
    Rig::new().script(&[
        ("GET k", "nil"),
        ("SET k hello", "OK"),
        ("GET k", "\"hello\""),
        ("STRLEN k", ":5"),
        ("STRLEN none", ":0"),
        ("MGET k none k", "[\"hello\" nil \"hello\"]"),
        ("GETDEL k", "\"hello\""),
        ("GETDEL k", "nil"),
        ("SET \"\" \"\"", "OK"),
        ("GET \"\"", "\"\""),
        ("GET", "-ERR wrong number of arguments for 'get' command"),
        ("GET a b", "-ERR wrong number of arguments for 'get' command"),
        ("PING", "-ERR 'ping' is not a command on the keys of one partition"),
    ]);
}

#[test]
fn getex_changes_expiry() {
    Rig::new().script(&[
        ("GETEX k EX 0", "nil"),
        ("SET k v EX 100", "OK"),
        ("GETEX k", "\"v\""),
        ("TTL k", ":100"),
        ("GETEX k persist", "\"v\""),
        ("TTL k", ":-1"),
        ("GETEX k EX 10", "\"v\""),
        ("PTTL k", ":10000"),
        ("GETEX k PX 1234 PX 4321", "\"v\""),
        ("PTTL k", ":4321"),
        ("GETEX k EXAT 1100", "\"v\""),
        ("PEXPIRETIME k", ":1100000"),
        ("GETEX k EX 0", "-ERR invalid expire time in 'getex' command"),
        ("GETEX k EX x", "-ERR value is not an integer or out of range"),
        ("GETEX k EX", "-ERR syntax error"),
        ("GETEX k EX 1 PX 1", "-ERR syntax error"),
        ("GETEX k PERSIST EX 1", "-ERR syntax error"),
        ("GETEX k EX 1 PERSIST", "-ERR syntax error"),
        ("GETEX k KEEPTTL", "-ERR syntax error"),
        ("GETEX k NX", "-ERR syntax error"),
        ("PTTL k", ":100000"),
        ("GETEX k PXAT 1", "\"v\""),
        ("EXISTS k", ":0"),
    ]);
}

#[test]
fn set_options() {
    Rig::new().script(&[
        ("SET k 1 XX", "nil"),
        ("SET k 1 NX", "OK"),
        ("SET k 2 NX", "nil"),
        ("SET k 2 xx", "OK"),
        ("GET k", "\"2\""),
        ("SET k 3 GET", "\"2\""),
        ("SET none 3 GET", "nil"),
        ("SET k 4 NX GET", "\"3\""),
        ("GET k", "\"3\""),
        ("SET new 4 NX GET", "nil"),
        ("GET new", "\"4\""),
        ("SET absent 4 XX GET", "nil"),
        ("GET absent", "nil"),
        ("SET k v EX 10", "OK"),
        ("SET k w KEEPTTL", "OK"),
        ("TTL k", ":10"),
        ("SET k w", "OK"),
        ("TTL k", ":-1"),
        ("SET k w PX 1500", "OK"),
        ("PTTL k", ":1500"),
        ("TTL k", ":2"),
        ("SET k w EX 1 EX 7", "OK"),
        ("TTL k", ":7"),
        ("SET k w EXAT 1010", "OK"),
        ("TTL k", ":10"),
        ("SET k w PXAT 1010001", "OK"),
        ("PTTL k", ":10001"),
        ("SET k gone PXAT 1000", "OK"),
        ("GET k", "nil"),
    ]);
}

#[test]
fn set_errors() {
    let syntax = "-ERR syntax error";
    let integer = "-ERR value is not an integer or out of range";
    let expire = "-ERR invalid expire time in 'set' command";
    Rig::new().script(&[
        ("SET k", "-ERR wrong number of arguments for 'set' command"),
        ("SET k v NX XX", syntax),
        ("SET k v XX NX", syntax),
        ("SET k v EX", syntax),
        ("SET k v EX 1 PX 1", syntax),
        ("SET k v EX 1 KEEPTTL", syntax),
        ("SET k v KEEPTTL EXAT 1", syntax),
        ("SET k v PERSIST", syntax),
        ("SET k v EX 1.5", integer),
        ("SET k v EX 01", integer),
        ("SET k v EX 99999999999999999999", integer),
        ("SET k v EX 0", expire),
        ("SET k v PX -1", expire),
        ("SET k v EXAT 0", expire),
        ("SET k v EX 9223372036854775807", expire),
        ("SET k v EX 9223372036854775", expire),
        ("SET k v PX 9223372036854775807", expire),
        ("EXISTS k", ":0"),
        ("SET k v PXAT 9223372036854775807", "OK"),
        ("PEXPIRETIME k", ":9223372036854775807"),
        ("SETEX k 0 v", "-ERR invalid expire time in 'setex' command"),
        ("PSETEX k -5 v", "-ERR invalid expire time in 'psetex' command"),
        ("SETEX k x v", integer),
    ]);
}

#[test]
fn other_setters() {
    Rig::new().script(&[
        ("SETNX k 1", ":1"),
        ("SETNX k 2", ":0"),
        ("SETEX k 10 v", "OK"),
        ("TTL k", ":10"),
        ("PSETEX k 10 v", "OK"),
        ("PTTL k", ":10"),
        ("GETSET k w", "\"v\""),
        ("TTL k", ":-1"),
        ("GETSET none w", "nil"),
        ("MSET a 1 b 2 a 3", "OK"),
        ("MGET a b", "[\"3\" \"2\"]"),
        ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"),
        ("MSETNX a 1 b", "-ERR wrong number of arguments for 'msetnx' command"),
        ("MSETNX c 1 a 2", ":0"),
        ("EXISTS c", ":0"),
        ("MSETNX c 1 c 2 d 3", ":1"),
        ("MGET c d", "[\"2\" \"3\"]"),
    ]);
}

#[test]
fn counters() {
    let integer = "-ERR value is not an integer or out of range";
    let overflow = "-ERR increment or decrement would overflow";
    Rig::new().script(&[
        ("INCR n", ":1"),
        ("INCRBY n 41", ":42"),
        ("DECR n", ":41"),
        ("DECRBY n -9", ":50"),
        ("GET n", "\"50\""),
        ("EXPIRE n 100", ":1"),
        ("INCR n", ":51"),
        ("TTL n", ":100"),
        ("SET n 9223372036854775807", "OK"),
        ("INCR n", overflow),
        ("SET n -9223372036854775808", "OK"),
        ("DECR n", overflow),
        ("DECRBY n -9223372036854775808", "-ERR decrement would overflow"),
        ("INCRBY n -1", overflow),
        ("SET n 01", "OK"),
        ("INCR n", integer),
        ("SET n abc", "OK"),
        ("INCR n", integer),
        ("INCRBY none x", integer),
        ("INCRBY none 1.0", integer),
        ("EXISTS none", ":0"),
        ("SET n \"\"", "OK"),
        ("INCR n", integer),
    ]);
}

#[test]
fn floats() {
    let float = "-ERR value is not a valid float";
    Rig::new().script(&[
        ("INCRBYFLOAT f 10.50", "\"10.5\""),
        ("INCRBYFLOAT f 0.1", "\"10.6\""),
        ("INCRBYFLOAT f -5", "\"5.6\""),
        ("SET f 5.0e3", "OK"),
        ("EXPIRE f 100", ":1"),
        ("INCRBYFLOAT f 2.0e2", "\"5200\""),
        ("TTL f", ":100"),
        ("INCR f", ":5201"),
        ("INCRBYFLOAT f x", float),
        ("INCRBYFLOAT f nan", float),
        ("INCRBYFLOAT f inf", "-ERR increment would produce NaN or Infinity"),
        ("SET f abc", "OK"),
        ("INCRBYFLOAT f 1", float),
    ]);
}

#[test]
fn ranges() {
    let too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    let integer = "-ERR value is not an integer or out of range";
    Rig::new().script(&[
        ("APPEND k Hello", ":5"),
        ("APPEND k World", ":10"),
        ("GETRANGE k 0 4", "\"Hello\""),
        ("GETRANGE k -5 -1", "\"World\""),
        ("SUBSTR k 3 100", "\"loWorld\""),
        ("GETRANGE k 5 2", "\"\""),
        ("GETRANGE k -1 -5", "\"\""),
        ("GETRANGE k -100 -99", "\"H\""),
        ("GETRANGE k 10 20", "\"\""),
        ("GETRANGE k 0 -9223372036854775808", "\"H\""),
        ("GETRANGE none 0 -1", "\"\""),
        ("GETRANGE k a 1", integer),
        ("GETRANGE k 0 1.5", integer),
        ("SETRANGE k 5 Redis", ":10"),
        ("GET k", "\"HelloRedis\""),
        ("SETRANGE k 12 !", ":13"),
        ("GET k", "\"HelloRedis\\x00\\x00!\""),
        ("SETRANGE k 3 \"\"", ":13"),
        ("SETRANGE none 3 \"\"", ":0"),
        ("EXISTS none", ":0"),
        ("SETRANGE new 2 x", ":3"),
        ("GET new", "\"\\x00\\x00x\""),
        ("SETRANGE k -1 x", "-ERR offset is out of range"),
        ("SETRANGE k -1 \"\"", "-ERR offset is out of range"),
        ("SETRANGE k z x", integer),
        ("SETRANGE k 536870912 x", too_long),
        ("SETRANGE none 9223372036854775807 x", too_long),
        ("EXPIRE k 10", ":1"),
        ("APPEND k \"\"", ":13"),
        ("TTL k", ":10"),
    ]);
}
