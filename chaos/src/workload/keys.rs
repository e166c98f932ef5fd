//! A client that writes and reads keys through RESP, following redirections as Redis Cluster clients do; or, every
//! third of them, through the nodes' proxy endpoints, knowing nothing of clusters.
//!
//! Every key has one writer and its versions grow. After a write whose outcome is unknown the key is never used
//! again: such a write may still be on its way, and would look like data that came back.

use crate::{
    oracle::{Observed, Oracle, lock},
    world::{PROXY_PORT, RESP_PORT, host_name},
};
use bytes::BytesMut;
use predis_resp::{Reply, ReplyDecoder, encode_command};
use predis_types::{Rng, SplitMix64};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use turmoil::net::TcpStream;

const KEYS: usize = 16;
const LIMIT: Duration = Duration::from_millis(600);

struct Client {
    who: u64,
    nodes: Vec<u64>,
    port: u16,
    rng: SplitMix64,
    oracle: Arc<Mutex<Oracle>>,
    connections: BTreeMap<u64, TcpStream>,
    // Where a key was last found.
    owners: BTreeMap<String, u64>,
}

/// How a request ended.
enum Ending {
    Answer(Reply),
    /// It was refused before it was executed.
    Refused,
    /// It may or may not have been executed.
    Unknown,
}

/// One key of the client's.
struct Key {
    name: String,
    version: u64,
}

/// Runs until told to be quiet, then reads every key once more.
pub async fn keys(client: u64, nodes: Vec<u64>, seed: u64, oracle: Arc<Mutex<Oracle>>) -> turmoil::Result {
    let who = 1000 + client;
    let mut client = Client {
        who,
        nodes,
        port: if client % 3 == 2 { PROXY_PORT } else { RESP_PORT },
        rng: SplitMix64::new(seed),
        oracle,
        connections: BTreeMap::new(),
        owners: BTreeMap::new(),
    };
    let mut generation = 0;
    let mut fresh = |at: usize| {
        generation += 1;
        Key { name: format!("key-{who}-{at}-{generation}"), version: 0 }
    };
    let mut keys: Vec<Key> = (0..KEYS).map(&mut fresh).collect();
    while !lock(&client.oracle).is_quiet() {
        tokio::time::sleep(Duration::from_millis(5 + client.rng.below(25))).await;
        let at = client.rng.below(KEYS as u64) as usize;
        if client.rng.below(2) == 0 {
            let key = &mut keys[at];
            key.version += 1;
            let (name, version) = (key.name.clone(), key.version);
            if !client.write(name, version).await {
                keys[at] = fresh(at);
            }
        } else {
            client.read(&keys[at].name.clone()).await;
        }
    }
    for key in &keys {
        while !client.read(&key.name.clone()).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}

impl Client {
    /// Writes; false when the key must not be used again.
    async fn write(&mut self, key: String, version: u64) -> bool {
        let started = turmoil::sim_elapsed().unwrap_or_default();
        match self.request(&key, &["SET", &key, &version.to_string()]).await {
            Ending::Answer(Reply::Simple(_)) => {
                lock(&self.oracle).observe(self.who, Observed::KeyWritten { started, key, version });
                true
            }
            Ending::Refused => true,
            Ending::Answer(_) | Ending::Unknown => false,
        }
    }

    /// Reads; false when there was no answer.
    async fn read(&mut self, key: &str) -> bool {
        let version = match self.request(key, &["GET", key]).await {
            Ending::Answer(Reply::Null) => None,
            Ending::Answer(Reply::Bulk(value)) => {
                std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok())
            }
            _ => return false,
        };
        lock(&self.oracle).observe(self.who, Observed::KeyRead { key: key.to_owned(), version });
        true
    }

    /// Sends a command to where its key is, following a few redirections.
    async fn request(&mut self, key: &str, args: &[&str]) -> Ending {
        for _ in 0..4 {
            let node = match self.owners.get(key) {
                Some(node) => *node,
                None => self.nodes[self.rng.below(self.nodes.len() as u64) as usize],
            };
            let called = tokio::time::timeout(LIMIT, self.call(node, args)).await;
            let Ok(Ok(reply)) = called else {
                self.connections.remove(&node);
                self.owners.remove(key);
                return Ending::Unknown;
            };
            match reply {
                Reply::Error(text) if text.starts_with("MOVED ") => {
                    let moved = text.rsplit(' ').next().and_then(node_at);
                    let Some(moved) = moved else { return Ending::Refused };
                    self.owners.insert(key.to_owned(), moved);
                }
                Reply::Error(text) if text.starts_with("TRYAGAIN") || text.starts_with("NOREPLICAS") => {
                    return Ending::Refused;
                }
                Reply::Error(_) => {
                    self.owners.remove(key);
                    return Ending::Unknown;
                }
                reply => {
                    self.owners.insert(key.to_owned(), node);
                    return Ending::Answer(reply);
                }
            }
        }
        Ending::Refused
    }

    async fn call(&mut self, node: u64, args: &[&str]) -> io::Result<Reply> {
        let stream = match self.connections.entry(node) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(none) => {
                none.insert(TcpStream::connect(format!("{}:{}", host_name(node), self.port)).await?)
            }
        };
        let mut out = BytesMut::new();
        encode_command(args, &mut out);
        stream.write_all(&out).await?;
        let mut decoder = ReplyDecoder::default();
        let mut buffer = BytesMut::new();
        loop {
            if let Some(reply) = decoder.decode(&mut buffer).map_err(io::Error::other)? {
                return Ok(reply);
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// The node at `node-N:port`.
fn node_at(addr: &str) -> Option<u64> {
    addr.strip_prefix("node-")?.split(':').next()?.parse().ok()
}
