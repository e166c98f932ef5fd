//! SCAN over the partitions whose primary this node is.
//!
//! ```text
//! cursor = partition << 48 | position in hash order        0 begins, and 0 answers that all is done
//! ```
//! A partition that begins is at position 0, so the one cursor that could be mistaken is that of partition 0,
//! which is where a scan begins anyway. The position means the same on every node, so a cursor survives a
//! change of primary; what another node serves now is skipped.

use super::Request;
use crate::front::error::Error;
use crate::shards::{Answer, Work};
use bytes::Bytes;
use predis_resp::Reply;
use predis_shard::{HashPosition, POSITION_BITS, ScanOptions};
use predis_types::PartitionId;

/// How many partitions one call visits at most, so that a pattern which matches nothing costs a bounded time.
const MAX_PARTITIONS: usize = 64;

/// How many keys are looked at while a partition is locked.
const STRIDE: usize = 1024;

/// Where a scan stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    partition: u16,
    from: HashPosition,
}

impl Cursor {
    fn parse(arg: &[u8]) -> Option<Cursor> {
        let number: u64 =
            std::str::from_utf8(arg).ok().filter(|text| !text.starts_with('+'))?.parse().ok()?;
        let from = HashPosition::from_bits(number & ((1 << POSITION_BITS) - 1))?;
        Some(Cursor { partition: (number >> POSITION_BITS) as u16, from })
    }

    fn number(self) -> u64 {
        u64::from(self.partition) << POSITION_BITS | self.from.bits()
    }
}

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`
pub(super) async fn run(request: &Request<'_>) -> Result<Reply, Error> {
    let cursor = Cursor::parse(&request.args[1]).ok_or(Error::InvalidCursor)?;
    let options = match ScanOptions::parse(&request.args[2..]) {
        Ok(options) => options,
        Err(error) => return Ok(error),
    };
    let (keys, next) = page(request, cursor, &options).await?;
    let next = next.map_or(0, Cursor::number);
    Ok(Reply::Array(vec![
        Reply::bulk(next.to_string()),
        Reply::Array(keys.into_iter().map(Reply::Bulk).collect()),
    ]))
}

/// The options with a bound on how many keys are looked at while a partition is locked.
pub(super) fn bounded(options: ScanOptions) -> ScanOptions {
    ScanOptions { count: options.count.min(STRIDE), ..options }
}

async fn page(
    request: &Request<'_>,
    mut cursor: Cursor,
    options: &ScanOptions,
) -> Result<(Vec<Bytes>, Option<Cursor>), Error> {
    let first = cursor.partition;
    let mut ahead = request.own_partitions().into_iter().skip_while(|id| id.0 < first);
    let mut keys = Vec::new();
    let mut left = options.count;
    for visited in 0.. {
        let Some(partition) = ahead.next() else { return Ok((keys, None)) };
        if partition.0 != cursor.partition {
            cursor = Cursor { partition: partition.0, from: HashPosition::START };
        }
        let mut from = Some(cursor.from);
        while let Some(position) = from {
            let here = Cursor { partition: partition.0, from: position };
            if left == 0 || visited == MAX_PARTITIONS {
                return Ok((keys, Some(here)));
            }
            let step = left.min(STRIDE);
            let (found, next) = match visit(request, partition, position, step, options).await {
                Ok(visited) => visited,
                // It is being handed over: the client comes back to it, unless the cursor would say "done".
                Err(Error::TryAgain) if here.number() != 0 => return Ok((keys, Some(here))),
                Err(error) => return Err(error),
            };
            // The last page of a partition may be short; what it let through is known, what it looked at is not.
            left = left.saturating_sub(if next.is_some() { step } else { found.len() });
            keys.extend(found);
            from = next;
        }
    }
    Ok((keys, None))
}

/// Looks at `count` keys of a partition.
async fn visit(
    request: &Request<'_>,
    partition: PartitionId,
    from: HashPosition,
    count: usize,
    options: &ScanOptions,
) -> Result<(Vec<Bytes>, Option<HashPosition>), Error> {
    let options = ScanOptions { count, ..options.clone() };
    match request.ask(partition, Work::Scan { from, options }).await? {
        Some(Answer::Page(page)) => Ok((page.keys, page.next)),
        _ => Ok((Vec::new(), None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_unsigned_numbers_and_round_trip() {
        for number in [0, 1, (1 << 48) - 1, 1 << 48, 7 << 48 | 5, u64::MAX] {
            assert_eq!(Cursor::parse(number.to_string().as_bytes()).unwrap().number(), number);
        }
        for bad in ["", "-1", "+1", "x", " 1", "18446744073709551616", "1.0"] {
            assert_eq!(Cursor::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
