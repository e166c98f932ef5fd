//! A cache's client, one request at a time: GET from the node that serves the slot, and on a miss SET the object.
//!
//! A request that nobody can serve at the moment is sent again until somebody can. Does not know why a node is gone.

use crate::{
    trace::Request,
    wire::{SlotMap, WireError, Wires, is_passing},
};
use bytes::{Bytes, BytesMut};
use predis_resp::{Reply, encode_command};
use predis_types::{Slot, key_slot};
use std::time::{Duration, Instant};

/// How long to wait before a request is sent again. Over a socket nothing tells that it will be served now.
const RETRY: Duration = Duration::from_millis(5);

/// How long one request may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A request that could not be served.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// It took too long.
    #[error("slot {slot} was served by nobody for {} s; the last answer: {last}", LIMIT.as_secs())]
    Unserved {
        /// Its slot.
        slot: Slot,
        /// What was answered last.
        last: String,
    },
    /// The server refused what must be right.
    #[error("{addr} answered {command} with: {message}")]
    Refused {
        /// Who.
        addr: String,
        /// What was asked.
        command: &'static str,
        /// The answer.
        message: String,
    },
}

/// What came of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Served {
    /// Whether the object was there.
    pub(super) hit: bool,
    /// How long the GET took.
    pub(super) latency: Duration,
    /// How often something was sent in vain.
    pub(super) retries: u64,
}

/// The client.
pub(super) struct Client {
    seeds: Vec<String>,
    wires: Wires,
    map: SlotMap,
    value: Bytes,
    out: BytesMut,
}

impl Client {
    /// A client that asks these addresses who serves what, and stores values of up to `value_bytes`.
    pub(super) async fn new(seeds: Vec<String>, value_bytes: usize) -> Client {
        let map = SlotMap::single(seeds.first().map_or("", String::as_str));
        let value = Bytes::from(vec![b'.'; value_bytes]);
        let mut client = Client { seeds, wires: Wires::default(), map, value, out: BytesMut::new() };
        client.learn().await;
        client
    }

    /// Serves one request.
    pub(super) async fn request(&mut self, request: &Request) -> Result<Served, ClientError> {
        let slot = key_slot(&request.key);
        let mut retries = 0;
        let began = Instant::now();
        let get = [Bytes::from_static(b"GET"), request.key.clone()];
        let found = self.call(slot, &get, &mut retries).await?;
        let latency = began.elapsed();
        let hit = match found {
            Reply::Bulk(_) => true,
            Reply::Null => false,
            other => return Err(self.refused(slot, "GET", &other)),
        };
        if !hit {
            let length = (request.size_bytes as usize).min(self.value.len());
            let set = [Bytes::from_static(b"SET"), request.key.clone(), self.value.slice(..length)];
            match self.call(slot, &set, &mut retries).await? {
                Reply::Simple(_) => {}
                // The object is larger than the whole cache: it stays uncached.
                Reply::Error(message) if message.starts_with("OOM ") => {}
                other => return Err(self.refused(slot, "SET", &other)),
            }
        }
        Ok(Served { hit, latency, retries })
    }

    fn refused(&self, slot: Slot, command: &'static str, reply: &Reply) -> ClientError {
        let addr = self.map.node_of(slot).and_then(|node| self.map.nodes().get(node));
        let message = match reply {
            Reply::Error(message) => message.clone().into_owned(),
            other => format!("{other:?}"),
        };
        ClientError::Refused { addr: addr.cloned().unwrap_or_default(), command, message }
    }

    /// The reply of whoever serves the slot, as soon as somebody does.
    async fn call(&mut self, slot: Slot, args: &[Bytes], retries: &mut u64) -> Result<Reply, ClientError> {
        let began = Instant::now();
        loop {
            let last = match self.attempt(slot, args).await {
                Ok(Reply::Error(message)) if is_passing(&message) => message.into_owned(),
                Ok(reply) => return Ok(reply),
                Err(error) => error.to_string(),
            };
            if began.elapsed() > LIMIT {
                return Err(ClientError::Unserved { slot, last });
            }
            *retries += 1;
            if !last.starts_with("MOVED ") {
                tokio::time::sleep(RETRY).await;
            }
            self.learn().await;
        }
    }

    async fn attempt(&mut self, slot: Slot, args: &[Bytes]) -> Result<Reply, WireError> {
        let Some(addr) = self.map.node_of(slot).map(|node| self.map.nodes()[node].clone()) else {
            return Ok(Reply::error("CLUSTERDOWN nobody serves the slot"));
        };
        self.out.clear();
        encode_command(args, &mut self.out);
        let mut answer = Reply::Null;
        let wire = self.wires.to(&addr).await?;
        let exchanged = wire.exchange(&self.out, 1, |reply, _| answer = reply).await;
        if exchanged.is_err() {
            self.wires.close(&addr);
        }
        exchanged.map(|()| answer)
    }

    /// Asks whoever answers who serves what.
    async fn learn(&mut self) {
        for addr in &self.seeds {
            let Ok(wire) = self.wires.to(addr).await else { continue };
            match SlotMap::ask(wire).await {
                Ok(map) => {
                    self.map = map;
                    return;
                }
                Err(_) => self.wires.close(addr),
            }
        }
    }
}
