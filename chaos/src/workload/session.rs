//! A client's connections: sends a command to where its key is, follows redirections as Redis Cluster clients do, and
//! says how it ended. To the nodes' proxy endpoints it can talk as well: they redirect nobody.

use crate::world::{Names, host_name};
use bytes::BytesMut;
use predis_resp::{Reply, ReplyDecoder, UNACKNOWLEDGED, encode_command};
use predis_types::{Rng, SplitMix64};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    io,
    sync::PoisonError,
    time::Duration,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use turmoil::net::TcpStream;

/// How long an answer is waited for.
const LIMIT: Duration = Duration::from_millis(600);

/// How many redirections are followed.
const REDIRECTIONS: usize = 4;

/// How a request ended.
pub(super) enum Ending {
    /// It was carried out.
    Answer(Reply),
    /// It was not, and will not be.
    Refused,
    /// It may have been carried out, or may be yet.
    Unknown,
}

/// A name and a token.
#[derive(Clone, Copy)]
pub(super) struct Login {
    pub(super) user: &'static str,
    pub(super) token: &'static str,
}

/// See the module.
pub(super) struct Session {
    names: Names,
    port: u16,
    login: Option<Login>,
    rng: SplitMix64,
    connections: BTreeMap<u64, TcpStream>,
    // Those that did not answer when last asked.
    silent: BTreeSet<u64>,
    // Where a key was last found.
    owners: BTreeMap<String, u64>,
    // Whether the command under way has been sent.
    sent: bool,
}

impl Session {
    /// A client of the nodes that are listed, at this port of theirs.
    pub(super) fn new(names: Names, port: u16, login: Option<Login>, seed: u64) -> Session {
        let (connections, owners) = (BTreeMap::new(), BTreeMap::new());
        let silent = BTreeSet::new();
        Session { names, port, login, rng: SplitMix64::new(seed), connections, silent, owners, sent: false }
    }

    /// Sends a command on one key.
    pub(super) async fn request(&mut self, key: &str, args: &[&str]) -> Ending {
        for _ in 0..REDIRECTIONS {
            let node = match self.owners.get(key) {
                Some(node) => *node,
                None => self.any_node(),
            };
            self.sent = false;
            let called = tokio::time::timeout(LIMIT, self.call(node, args)).await;
            let Ok(Ok(reply)) = called else {
                self.connections.remove(&node);
                self.owners.remove(key);
                self.silent.insert(node);
                return if self.sent { Ending::Unknown } else { Ending::Refused };
            };
            self.silent.remove(&node);
            let ending = match reply {
                Reply::Error(text) if text.starts_with("MOVED ") => {
                    let moved = text.rsplit(' ').next().and_then(node_at);
                    let Some(moved) = moved else { return Ending::Refused };
                    self.owners.insert(key.to_owned(), moved);
                    continue;
                }
                Reply::Error(text) => error(text),
                reply => Ending::Answer(reply),
            };
            match ending {
                Ending::Answer(_) => self.owners.insert(key.to_owned(), node),
                Ending::Refused | Ending::Unknown => self.owners.remove(key),
            };
            return ending;
        }
        Ending::Refused
    }

    /// A node to begin at: one that answered last time, if there is any.
    fn any_node(&mut self) -> u64 {
        let nodes = self.names.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if nodes.iter().all(|node| self.silent.contains(node)) {
            self.silent.clear();
        }
        let open: Vec<u64> = nodes.into_iter().filter(|node| !self.silent.contains(node)).collect();
        open[self.rng.below(open.len() as u64) as usize]
    }

    async fn call(&mut self, node: u64, args: &[&str]) -> io::Result<Reply> {
        let stream = match self.connections.entry(node) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(none) => {
                let mut stream = TcpStream::connect(format!("{}:{}", host_name(node), self.port)).await?;
                if let Some(Login { user, token }) = self.login {
                    match exchange(&mut stream, &["AUTH", user, token]).await? {
                        Reply::Simple(_) => {}
                        refused => return Err(io::Error::other(format!("{refused:?}"))),
                    }
                }
                none.insert(stream)
            }
        };
        self.sent = true;
        exchange(stream, args).await
    }
}

async fn exchange(stream: &mut TcpStream, args: &[&str]) -> io::Result<Reply> {
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

/// What an error says about the command.
fn error(text: Cow<'static, str>) -> Ending {
    const REFUSALS: [&str; 6] = ["CLUSTERDOWN", "TRYAGAIN", "LOADING", "NOREPLICAS", "NOAUTH", "NOPERM"];
    let code = text.split(' ').next().unwrap_or_default();
    match code {
        _ if text == UNACKNOWLEDGED => Ending::Unknown,
        // A command that was carried out and found a value that it cannot work on.
        _ if text.starts_with("ERR value is not an integer") => Ending::Answer(Reply::Error(text)),
        code if REFUSALS.contains(&code) => Ending::Refused,
        _ => Ending::Unknown,
    }
}

/// The node at `node-N:port`.
fn node_at(addr: &str) -> Option<u64> {
    addr.strip_prefix("node-")?.split(':').next()?.parse().ok()
}
