//! One task a replica: tells it what is new, one call after the other, and takes its answers to the shards.

use super::{FAR_ROOM_BYTES, ROOM_BYTES, wire};
use crate::{
    serving::Serving,
    shards::{Outgoing, Queue},
};
use predis_proto::replica::{ReplicateReply, ReplicateRequest, replica_client::ReplicaClient};
use predis_raft::Channels;
use predis_replica::Life;
use predis_types::{Epoch, PartitionId, limits::MAX_MESSAGE_BYTES};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::task::{AbortHandle, JoinSet};

/// How long a call may take, besides what its size takes.
const CALL: Duration = Duration::from_millis(500);

/// How fast a message is carried at least, in bytes a millisecond.
const BYTES_PER_MS: u64 = 10_000;

/// How often a replica is told of everything that it follows here, even where nothing is new: by that it knows how
/// fresh its copies are.
const BEAT: Duration = Duration::from_millis(200);

/// How long a replica is left alone after a call to it failed.
const PAUSE: Duration = Duration::from_millis(50);

/// Tells every replica what is new, for as long as the life lasts.
pub async fn send(serving: Arc<Serving>) -> String {
    // Channels of its own: a page on its way must not be in the way of Raft and leases.
    let channels = Arc::new(serving.meta.channels().anew());
    let mut replicas = serving.shards.watch_replicas();
    let mut senders: JoinSet<()> = JoinSet::new();
    let mut running: BTreeMap<Life, AbortHandle> = BTreeMap::new();
    loop {
        let lives = replicas.borrow_and_update().clone();
        running.retain(|life, task| lives.contains(life) && !task.is_finished());
        for life in lives {
            let Some(queue) = serving.shards.queue_to(life).filter(|_| !running.contains_key(&life)) else {
                continue;
            };
            let sender =
                Sender { serving: serving.clone(), channels: channels.clone(), queue, answered_us: 0 };
            running.insert(life, senders.spawn(sender.run()));
        }
        tokio::select! {
            changed = replicas.changed() => if changed.is_err() {
                return "the shards are gone".to_owned();
            },
            Some(ended) = senders.join_next() => if let Err(error) = ended
                && error.is_panic()
            {
                return format!("replication failed: {error}");
            },
        }
    }
}

struct Sender {
    serving: Arc<Serving>,
    channels: Arc<Channels>,
    queue: Arc<Queue>,
    /// What its last answer said of when it was given; 0: there was none yet.
    answered_us: u64,
}

impl Sender {
    async fn run(mut self) {
        let mut beaten_us = 0;
        while let Some(mut partitions) = self.queue.next().await {
            let now_us = self.serving.clock.mono_us();
            let beat = now_us.saturating_sub(beaten_us) >= BEAT.as_micros() as u64;
            if beat {
                beaten_us = now_us;
                partitions = self.serving.shards.told(self.queue.to);
            }
            let outgoing = self.serving.shards.parts(&self.queue, &partitions, self.room(), beat);
            if outgoing.is_empty() {
                continue;
            }
            let sent: Vec<(PartitionId, Epoch, bool)> =
                outgoing.iter().map(|told| (told.partition, told.part.epoch, told.beat)).collect();
            let called = self.call(outgoing).await;
            let shards = &self.serving.shards;
            match called {
                Ok(reply) if reply.acks.len() == sent.len() => {
                    self.answered_us = reply.at_us;
                    for ((id, epoch, _), ack) in sent.into_iter().zip(&reply.acks) {
                        shards.acknowledged(&self.queue, id, epoch, wire::heard(ack));
                    }
                }
                failed => {
                    let reason = failed.err().unwrap_or_else(|| "not every part was answered".to_owned());
                    tracing::debug!(to = %self.queue.to.node, reason, "a replica did not hear");
                    // Of what was told before it is known that it was heard.
                    for (id, epoch, _) in sent.into_iter().filter(|(_, _, beat)| !beat) {
                        shards.unheard(&self.queue, id, epoch);
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// How much goes into one message: over a long link there are few.
    fn room(&self) -> usize {
        let topology = self.serving.topology.load();
        let region = |node| topology.node(node).map(|info| info.region.as_str());
        let near = region(self.queue.to.node) == region(self.serving.node());
        if near { ROOM_BYTES } else { FAR_ROOM_BYTES }
    }

    async fn call(&self, outgoing: Vec<Outgoing>) -> Result<ReplicateReply, String> {
        let meta = &self.serving.meta;
        let to = self.queue.to;
        let addr = meta.address(to.node).ok_or("it is not known where it is")?;
        let parts: Vec<_> = outgoing.into_iter().map(wire::part).collect();
        let size_bytes: usize = parts.iter().map(prost::Message::encoded_len).sum();
        let request = ReplicateRequest {
            cluster: self.serving.topology.load().cluster.to_string(),
            from: Some(wire::life(self.serving.identity)),
            to: Some(wire::life(to)),
            metadata_index: self.serving.shards.begun_index(),
            parts,
            answered_us: self.answered_us,
        };
        let limit =
            CALL + 4 * self.serving.round_trip + Duration::from_millis(size_bytes as u64 / BYTES_PER_MS);
        let called = self.channels.call(&addr, limit, |channel| async move {
            let mut client = ReplicaClient::new(channel)
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES);
            client.replicate(request).await
        });
        called.await.map_err(|error| error.to_string())
    }
}
