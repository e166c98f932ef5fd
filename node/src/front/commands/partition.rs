//! PARTITION: one partition's share of DBSIZE, FLUSHALL, KEYS, RANDOMKEY and SCAN, by the node that serves it.
//!
//! What another node serves is answered with MOVED, naming the partition's first slot.

use super::{Request, scan};
use crate::front::error::{Error, moved};
use crate::shards::{Answer, Batch, Work};
use bytes::Bytes;
use predis_resp::{CommandId, Reply, parse_integer};
use predis_shard::{HashPosition, ScanOptions};
use predis_types::{PartitionId, Slot};

pub(super) async fn run(request: &Request<'_>) -> Result<Reply, Error> {
    let args = request.args;
    let partition = partition(request, &args[2])?;
    let work = match request.spec.id {
        CommandId::PartitionLen => Work::Len,
        CommandId::PartitionFlush => Work::Flush,
        CommandId::PartitionKeys => Work::Keys { pattern: args[3].clone() },
        CommandId::PartitionRandomkey => Work::RandomKey,
        CommandId::PartitionScan => match ScanOptions::parse(&args[4..]) {
            Ok(options) => Work::Scan { from: position(&args[3])?, options: scan::bounded(options) },
            Err(error) => return Ok(error),
        },
        _ => return Err(Error::NotHere(request.spec.name)),
    };
    let serving = &request.front.serving;
    let batch = Batch { partition, tenant: request.session.tenant(), work, reader: None, from_copy: false };
    match serving.shards.submit(batch).answers().await.pop() {
        Some(Answer::Count(count)) => Ok(Reply::Integer(count as i64)),
        Some(Answer::Done) => Ok(Reply::ok()),
        Some(Answer::Keys(keys)) => Ok(Reply::Array(keys.into_iter().map(Reply::Bulk).collect())),
        Some(Answer::Key(key)) => Ok(key.map_or(Reply::Null, Reply::Bulk)),
        Some(Answer::Page(page)) => Ok(Reply::Array(vec![
            // 0 says that the partition is done: it is where one begins, never where one goes on.
            Reply::bulk(page.next.map_or(0, HashPosition::bits).to_string()),
            Reply::Array(page.keys.into_iter().map(Reply::Bulk).collect()),
        ])),
        Some(Answer::Moved(node)) => {
            let topology = serving.topology.load();
            let slot = Slot::new(topology.partitions.slots_of(partition).start).ok_or(Error::NotServed)?;
            Err(moved(node, slot, &topology))
        }
        Some(Answer::NoReplicas) => Err(Error::NoReplicas),
        Some(Answer::TryAgain) => Err(Error::TryAgain),
        Some(Answer::Withheld) => Err(Error::Withheld),
        _ => Err(Error::ClusterDown),
    }
}

fn partition(request: &Request<'_>, arg: &Bytes) -> Result<PartitionId, Error> {
    let number = parse_integer(arg).and_then(|number| u16::try_from(number).ok());
    let count = request.front.serving.shards.partition_count().get();
    number.filter(|number| *number < count).map(PartitionId).ok_or(Error::InvalidPartition(count))
}

fn position(arg: &Bytes) -> Result<HashPosition, Error> {
    let number = parse_integer(arg).and_then(|number| u64::try_from(number).ok());
    number.and_then(HashPosition::from_bits).ok_or(Error::InvalidCursor)
}
