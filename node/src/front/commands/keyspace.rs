//! DBSIZE, FLUSHALL, FLUSHDB, KEYS, RANDOMKEY: over the partitions whose primary this node is, as in Redis
//! Cluster, one after another.

use super::{Request, is};
use crate::front::error::Error;
use crate::shards::{Answer, Work};
use predis_resp::{CommandId, Reply};
use predis_types::PartitionId;

pub(super) async fn run(request: &Request<'_>) -> Result<Reply, Error> {
    match request.spec.id {
        CommandId::Dbsize => {
            let counts = counts(request).await?;
            Ok(Reply::Integer(counts.iter().map(|(_, count)| *count as i64).sum()))
        }
        CommandId::Flushall | CommandId::Flushdb => flush(request).await,
        CommandId::Keys => keys(request).await,
        CommandId::Randomkey => random_key(request).await,
        _ => Err(Error::NotHere(request.spec.name)),
    }
}

/// How many keys each partition has.
async fn counts(request: &Request<'_>) -> Result<Vec<(PartitionId, u64)>, Error> {
    let mut counts = Vec::new();
    for partition in request.own_partitions() {
        if let Some(Answer::Count(count)) = request.ask(partition, Work::Len).await? {
            counts.push((partition, count));
        }
    }
    Ok(counts)
}

/// `FLUSHALL [ASYNC|SYNC]`: either way the keys are gone when the reply is given, and freeing their memory
/// keeps no partition locked.
async fn flush(request: &Request<'_>) -> Result<Reply, Error> {
    match &request.args[1..] {
        [] => {}
        [mode] if is(mode, "ASYNC") || is(mode, "SYNC") => {}
        _ => return Err(Error::Syntax),
    }
    for partition in request.own_partitions() {
        request.ask(partition, Work::Flush).await?;
        tokio::task::yield_now().await;
    }
    Ok(Reply::ok())
}

async fn keys(request: &Request<'_>) -> Result<Reply, Error> {
    let mut found = Vec::new();
    for partition in request.own_partitions() {
        let work = Work::Keys { pattern: request.args[1].clone() };
        if let Some(Answer::Keys(keys)) = request.ask(partition, work).await? {
            found.extend(keys.into_iter().map(Reply::Bulk));
        }
        tokio::task::yield_now().await;
    }
    Ok(Reply::Array(found))
}

/// A partition is drawn by how many keys it has; should they all have expired, the ones behind it are asked.
async fn random_key(request: &Request<'_>) -> Result<Reply, Error> {
    let counts = counts(request).await?;
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    let mut drawn = request.front.serving.random().checked_rem(total).unwrap_or(0);
    let first = counts.iter().position(|(_, count)| {
        let here = drawn < *count;
        drawn = drawn.saturating_sub(*count);
        here
    });
    let (before, behind) = counts.split_at(first.unwrap_or(0));
    for (partition, count) in behind.iter().chain(before) {
        if *count > 0
            && let Some(Answer::Key(Some(key))) = request.ask(*partition, Work::RandomKey).await?
        {
            return Ok(Reply::Bulk(key));
        }
    }
    Ok(Reply::Null)
}
