//! A GET through the near cache.

use super::{Near, store::Copy};
use crate::{
    core::{Call, Core, Place, note},
    error::CallError,
    upstream::Mode,
};
use bytes::Bytes;
use predis_resp::Reply;
use predis_types::{Epoch, PartitionId};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The value of a key: a copy, or what its node says, of which a copy is kept. Whatever goes wrong on the way there is
/// for an ordinary call to go about.
pub(crate) async fn read(
    core: &Core,
    near: &Near,
    partition: PartitionId,
    place: Place,
    call: &Call<'_>,
    limit: Duration,
) -> Result<Reply, CallError> {
    let (key, now) = (call.args[1], Instant::now());
    let deadline = now + limit;
    let epoch = core.routing().view.topology.owner(partition).map(|owner| owner.epoch).unwrap_or_default();
    if let Some(value) = near.store.get(key, epoch, now) {
        return Ok(Reply::Bulk(value));
    }
    let ticket = near.store.ticket(key);
    match timeout_at(deadline, ask(core, near, partition, epoch, key)).await {
        Ok(Some((reply, copy))) => {
            if let Some(copy) = copy {
                ticket.keep(copy);
            }
            Ok(reply)
        }
        Ok(None) => {
            drop(ticket);
            core.call(place, call, deadline.saturating_duration_since(Instant::now())).await
        }
        Err(_) => Err(CallError::Deadline { limit, last: None }),
    }
}

/// Asks the primary for the value and for how long it lasts; `None` when that is no answer.
async fn ask(
    core: &Core,
    near: &Near,
    partition: PartitionId,
    epoch: Epoch,
    key: &[u8],
) -> Option<(Reply, Option<Copy>)> {
    let upstream = core.routing().primary(partition)?;
    let connection = upstream.connection(Mode::Tracked, usize::from(partition.0)).await.ok()?;
    let asked_at = Instant::now();
    let commands: [Vec<&[u8]>; 2] = [vec![b"GET", key], vec![b"PTTL", key]];
    let due = asked_at + core.reach.settings.silence_limit;
    let mut answers = connection.send_run(&commands, due).await.ok()?.into_iter();
    let value = answers.next()?.await.ok()?.ok()?;
    let left = answers.next()?.await.ok()?.ok()?;
    note(&upstream, &connection, &value);
    if value.is_error() {
        return None;
    }
    let source = connection.source()?;
    source.proved(partition.0, asked_at, near.settings.trust);
    let expires_at = match left {
        Reply::Integer(-1) => None,
        // As if it had been asked right away: too early rather than too late.
        Reply::Integer(ms @ 0..) => Some(asked_at + Duration::from_millis(ms.unsigned_abs())),
        _ => return Some((value, None)),
    };
    let copy = match &value {
        // What was read shares its memory with everything that was read with it.
        Reply::Bulk(bytes) => {
            let value = Bytes::copy_from_slice(bytes);
            Some(Copy { value, epoch, expires_at, source: source.clone() })
        }
        _ => None,
    };
    Some((value, copy))
}
