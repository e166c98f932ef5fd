//! WAIT: until so many replicas have what this connection wrote, wherever that was.

use super::Request;
use crate::front::{error::Error, session::Door};
use predis_resp::{Reply, parse_integer};
use predis_types::{Epoch, PartitionId, Sequence};
use std::{pin::pin, time::Duration};

/// `WAIT numreplicas timeout`, in milliseconds, 0 for as long as it takes: the number of replicas that have everything.
/// It is the smallest over the partitions written to since the last WAIT; one that is another node's by now has none.
pub(super) async fn run(request: &Request<'_>) -> Result<Reply, Error> {
    if request.session.door == Door::Proxy {
        // What was written may be on other nodes.
        return Err(Error::NotHere(request.spec.name));
    }
    let number = |at: usize| parse_integer(&request.args[at]);
    let wanted = number(1).ok_or(Error::NotAnInteger)?;
    let timeout_ms = number(2).ok_or(Error::TimeoutNotAnInteger)?;
    let timeout_ms = u64::try_from(timeout_ms).map_err(|_| Error::TimeoutNegative)?;
    let shards = &request.front.serving.shards;
    let written: Vec<(PartitionId, Option<(Epoch, Sequence)>)> =
        request.session.take_written().into_iter().map(|id| (id, shards.last_change(id))).collect();
    let mut over = pin!(async {
        match timeout_ms {
            0 => std::future::pending::<()>().await,
            limit => tokio::time::sleep(Duration::from_millis(limit)).await,
        }
    });
    loop {
        let mut heard = pin!(shards.heard());
        // Listens before it looks, so that no answer falls in between.
        heard.as_mut().enable();
        let holders = |(id, last): &(PartitionId, Option<(Epoch, Sequence)>)| {
            last.and_then(|(epoch, last)| shards.holders(*id, epoch, last))
        };
        let counts: Vec<Option<usize>> = written.iter().map(holders).collect();
        let count = counts.iter().map(|count| count.unwrap_or(0)).min();
        // Without a write there is nothing to wait for.
        let count = count.unwrap_or_else(|| shards.replica_count()) as i64;
        if count >= wanted || written.is_empty() || counts.contains(&None) {
            return Ok(Reply::Integer(count));
        }
        tokio::select! {
            () = &mut over => return Ok(Reply::Integer(count)),
            () = heard => {}
        }
    }
}
