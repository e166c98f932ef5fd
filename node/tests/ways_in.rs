//! One conformance suite for every way in: the RESP port, the proxy endpoint, the smart client.
//!
//! The same commands, the same answers, on a real node over real sockets. Times are absolute, so that nothing depends
//! on when a command is carried out.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use bytes::{Bytes, BytesMut};
use predis_client::{Client, Config};
use predis_node::{Founding, Node, NodeConfig, Profile, Start, boot, system};
use predis_resp::{Reply, ReplyDecoder, encode_command};
use predis_types::PartitionCount;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const LIMIT: Duration = Duration::from_secs(30);

/// Commands and what they answer, in the manner of a RESP3 client: `"text"`, `:number`, `nil`, `[...]`, a status or an
/// error as it is.
const SCRIPT: &[(&str, &str)] = &[
    ("FLUSHALL", "OK"),
    ("GET k", "nil"),
    ("SET k hello", "OK"),
    ("GET k", "\"hello\""),
    ("STRLEN k", ":5"),
    ("APPEND k !", ":6"),
    ("GETRANGE k 1 -2", "\"ello\""),
    ("SETRANGE k 0 J", ":6"),
    ("GET k", "\"Jello!\""),
    ("SET k 1 NX", "nil"),
    ("SET k 2 XX GET", "\"Jello!\""),
    ("INCR k", ":3"),
    ("INCRBY k 7", ":10"),
    ("DECRBY k 4", ":6"),
    ("INCRBYFLOAT k 0.5", "\"6.5\""),
    ("INCR k", "-ERR value is not an integer or out of range"),
    ("GETSET k v", "\"6.5\""),
    ("GETDEL k", "\"v\""),
    ("SETNX k v", ":1"),
    ("SETNX k w", ":0"),
    ("EXPIREAT k 99999999999", ":1"),
    ("EXPIRETIME k", ":99999999999"),
    ("EXPIREAT k 99999999998 GT", ":0"),
    ("PERSIST k", ":1"),
    ("TTL k", ":-1"),
    ("TTL none", ":-2"),
    ("GETEX k PXAT 99999999999000", "\"v\""),
    ("PEXPIRETIME k", ":99999999999000"),
    ("EXPIREAT k 1", ":1"),
    ("EXISTS k", ":0"),
    ("MSET {t}a 1 {t}b 2", "OK"),
    ("MGET {t}a {t}none {t}b", "[\"1\" nil \"2\"]"),
    ("MSETNX {t}c 3 {t}a 4", ":0"),
    ("MSETNX {t}c 3 {t}d 4", ":1"),
    ("EXISTS {t}a {t}b {t}a", ":3"),
    ("TOUCH {t}a {t}none", ":1"),
    ("RENAME {t}a {t}e", "OK"),
    ("RENAME {t}a {t}e", "-ERR no such key"),
    ("RENAMENX {t}e {t}b", ":0"),
    ("COPY {t}e {t}f", ":1"),
    ("DEL {t}b {t}c {t}none", ":2"),
    ("UNLINK {t}d {t}e", ":2"),
    ("TYPE {t}f", "string"),
    ("OBJECT ENCODING {t}f", "\"int\""),
    ("DBSIZE", ":1"),
    ("KEYS *", "[\"{t}f\"]"),
    ("RANDOMKEY", "\"{t}f\""),
    ("SET", "-ERR wrong number of arguments for 'set' command"),
    ("SET k v EX", "-ERR syntax error"),
    ("SET k v EX 0", "-ERR invalid expire time in 'set' command"),
    ("MSET a", "-ERR wrong number of arguments for 'mset' command"),
    ("NONSENSE a", "-ERR unknown command 'NONSENSE', with args beginning with: 'a' "),
    ("OBJECT NONSENSE a", "-ERR unknown subcommand 'NONSENSE'. Try OBJECT HELP."),
    ("PING hello", "\"hello\""),
    ("ECHO hello", "\"hello\""),
    ("FLUSHALL", "OK"),
    ("DBSIZE", ":0"),
    ("SCAN 0 COUNT 1000 MATCH *", "[\"0\" []]"),
];

/// What only some answer: keys of several slots meet where somebody splits the command.
const SPLIT: &[(&str, &str)] = &[
    ("MSET a 1 b 2 c 3 d 4", "OK"),
    ("MGET d c none a", "[\"4\" \"3\" nil \"1\"]"),
    ("EXISTS a b c d e", ":4"),
    ("TOUCH a e", ":1"),
    ("DEL a b", ":2"),
    ("UNLINK c d e", ":2"),
    ("DBSIZE", ":0"),
];

fn shown(reply: &Reply) -> String {
    match reply {
        Reply::Simple(text) => text.to_string(),
        Reply::Error(text) => format!("-{text}"),
        Reply::Integer(number) => format!(":{number}"),
        Reply::Bulk(bytes) => format!("\"{}\"", String::from_utf8_lossy(bytes)),
        Reply::Null | Reply::NullArray => "nil".to_owned(),
        Reply::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
        other => panic!("no command of the script answers {other:?}"),
    }
}

/// A connection to a RESP port.
struct Connection {
    stream: TcpStream,
    input: BytesMut,
    decoder: ReplyDecoder,
}

impl Connection {
    async fn open(addr: &str) -> Connection {
        let stream = TcpStream::connect(addr).await.unwrap();
        let mut connection = Connection { stream, input: BytesMut::new(), decoder: ReplyDecoder::default() };
        assert!(matches!(connection.call("HELLO 3").await, Reply::Map(_)));
        connection
    }

    async fn call(&mut self, line: &str) -> Reply {
        let mut out = BytesMut::new();
        encode_command(&line.split(' ').collect::<Vec<_>>(), &mut out);
        self.stream.write_all(&out).await.unwrap();
        loop {
            if let Some(reply) = self.decoder.decode(&mut self.input).unwrap() {
                return reply;
            }
            let read = tokio::time::timeout(LIMIT, self.stream.read_buf(&mut self.input)).await.unwrap();
            assert!(read.unwrap() > 0, "the connection closed");
        }
    }

    async fn conforms(&mut self, script: &[(&str, &str)]) {
        for (line, expected) in script {
            assert_eq!(shown(&self.call(line).await), *expected, "{line}");
        }
    }
}

async fn node(directory: &std::path::Path, proxy: &str) -> Node {
    let any = || "127.0.0.1:0".to_owned();
    let config = NodeConfig {
        name: "one".to_owned(),
        listen: any(),
        proxy_listen: Some(proxy.to_owned()),
        grpc: any(),
        metrics: any(),
        advertise: None,
        zone: String::new(),
        region: String::new(),
        weight: 100,
        memory_bytes: None,
        tls: None,
        start: Start::Bootstrap(Founding {
            partitions: PartitionCount::new(16).unwrap(),
            ..Founding::default()
        }),
        max_clients: 100,
        timeout_s: 0,
        exposed: false,
        profile: Profile::lan(),
    };
    let node = boot(config, system::open(directory).unwrap()).await.unwrap();
    let waiting = async {
        while node.ready().is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap();
    node
}

/// A port that was free a moment ago.
fn free_port() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_in_answers_alike() {
    let directory = tempfile::tempdir().unwrap();
    let proxy = free_port();
    let node = node(directory.path(), &proxy).await;

    let mut resp = Connection::open(&node.addresses().resp).await;
    resp.conforms(SCRIPT).await;
    assert!(shown(&resp.call("MGET a b").await).starts_with("-CROSSSLOT"));

    let mut proxied = Connection::open(&proxy).await;
    proxied.conforms(SCRIPT).await;
    proxied.conforms(SPLIT).await;
    assert!(shown(&proxied.call("MSETNX a 1 b 2").await).starts_with("-CROSSSLOT"));

    let client = Client::connect(Config::new([node.addresses().grpc.clone()])).await.unwrap();
    for (line, expected) in SCRIPT.iter().chain(SPLIT) {
        let args: Vec<Bytes> = line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
        assert_eq!(shown(&client.call_raw(&args, LIMIT).await.unwrap()), *expected, "{line}");
    }
    node.shutdown().await;
}
