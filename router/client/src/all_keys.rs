//! Commands about all keys of the tenant: DBSIZE, FLUSHALL, FLUSHDB, KEYS, RANDOMKEY, SCAN, put together from each
//! partition's share.
//!
//! ```text
//! cursor = partition << 48 | position in it        0 begins, and 0 answers that all is done
//! ```
//! Each partition answers for a moment of its own. Knows nothing of nodes.

use crate::{
    core::{Call, Core},
    error::CallError,
    pieces::sum,
    plan::partition_place,
    view::View,
};
use futures_util::future::join_all;
use predis_resp::{CommandId, CommandSpec, Reply, find, parse_integer};
use predis_types::PartitionId;
use std::time::Duration;
use tokio::time::Instant;

/// How many of a cursor's bits are the position in a partition.
const POSITION_BITS: u32 = 48;

/// How many partitions one SCAN visits at most, so that a pattern which matches nothing costs a bounded time.
const MOST_VISITED: usize = 64;

/// How many keys a SCAN looks at when it does not say.
const DEFAULT_COUNT: usize = 10;

/// All of one tenant's partitions.
pub(crate) struct AllKeys<'a> {
    core: &'a Core,
    partitions: Vec<PartitionId>,
    deadline: Instant,
}

impl<'a> AllKeys<'a> {
    pub(crate) fn new(core: &'a Core, view: &View, limit: Duration) -> AllKeys<'a> {
        let partitions = match view.colocated_in {
            Some(home) => vec![home],
            None => view.topology.partitions.iter().collect(),
        };
        AllKeys { core, partitions, deadline: Instant::now() + limit }
    }

    /// Carries the command out.
    pub(crate) async fn call(&self, id: CommandId, args: &[&[u8]]) -> Result<Reply, CallError> {
        let unexpected = || CallError::Unexpected(id.name());
        match id {
            CommandId::Scan => return self.scan(args).await,
            CommandId::Randomkey => return self.random_key().await,
            CommandId::Flushall | CommandId::Flushdb if !flush_is_proper(&args[1..]) => {
                return Ok(Reply::error("ERR syntax error"));
            }
            _ => {}
        }
        let replies = match id {
            CommandId::Keys => self.each("KEYS", &args[1..]).await?,
            CommandId::Dbsize => self.each("LEN", &[]).await?,
            _ => self.each("FLUSH", &[]).await?,
        };
        if let Some(refused) = replies.iter().find(|reply| reply.is_error()) {
            return Ok(refused.clone());
        }
        match id {
            CommandId::Dbsize => sum(&replies).map(Reply::Integer).ok_or_else(unexpected),
            CommandId::Keys => concat(replies).map(Reply::Array).ok_or_else(unexpected),
            _ => Ok(Reply::ok()),
        }
    }

    /// Asks every partition at once.
    async fn each(&self, what: &'static str, rest: &[&[u8]]) -> Result<Vec<Reply>, CallError> {
        let asked = self.partitions.iter().map(|partition| self.ask(*partition, what, rest));
        join_all(asked).await.into_iter().collect()
    }

    async fn ask(
        &self,
        partition: PartitionId,
        what: &'static str,
        rest: &[&[u8]],
    ) -> Result<Reply, CallError> {
        let number = partition.to_string();
        let mut args: Vec<&[u8]> = vec![b"PARTITION", what.as_bytes(), number.as_bytes()];
        args.extend(rest);
        let spec = share(what).ok_or(CallError::Unexpected("partition"))?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        self.core.call(partition_place(partition), &Call { spec, args: &args }, left).await
    }

    /// A partition is drawn by how many keys it has; should they be gone by then, the ones behind it are asked.
    async fn random_key(&self) -> Result<Reply, CallError> {
        let counts = self.each("LEN", &[]).await?;
        let Some(total) = sum(&counts) else {
            let refused = counts.into_iter().find(Reply::is_error);
            return refused.ok_or(CallError::Unexpected("randomkey"));
        };
        let mut drawn = self.core.reach.with_rng(|rng| rng.below(total.unsigned_abs()));
        let first = counts.iter().position(|count| {
            let Reply::Integer(count) = count else { return false };
            let here = drawn < count.unsigned_abs();
            drawn = drawn.saturating_sub(count.unsigned_abs());
            here
        });
        let around =
            (0..self.partitions.len()).map(|step| (first.unwrap_or(0) + step) % self.partitions.len());
        for index in around.filter(|index| counts[*index] != Reply::Integer(0)) {
            match self.ask(self.partitions[index], "RANDOMKEY", &[]).await? {
                Reply::Null => {}
                other => return Ok(other),
            }
        }
        Ok(Reply::Null)
    }

    /// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`
    async fn scan(&self, args: &[&[u8]]) -> Result<Reply, CallError> {
        let cursor = std::str::from_utf8(args[1]).ok().filter(|text| !text.starts_with('+'));
        let Some(cursor) = cursor.and_then(|text| text.parse::<u64>().ok()) else {
            return Ok(Reply::error("ERR invalid cursor"));
        };
        let (first, mut position) = (cursor >> POSITION_BITS, cursor & ((1 << POSITION_BITS) - 1));
        let count = count_of(&args[2..]);
        let mut keys = Vec::new();
        let ahead = self.partitions.iter().copied().skip_while(|partition| u64::from(partition.0) < first);
        for (visited, partition) in ahead.enumerate() {
            let begun = u64::from(partition.0) << POSITION_BITS;
            if visited > 0 || u64::from(partition.0) != first {
                position = 0;
            }
            if visited == MOST_VISITED || (visited > 0 && keys.len() >= count) {
                return Ok(page(begun, keys));
            }
            let from = position.to_string();
            let mut rest = vec![from.as_bytes()];
            rest.extend(&args[2..]);
            let reply = self.ask(partition, "SCAN", &rest).await?;
            if reply.is_error() {
                return Ok(reply);
            }
            let (found, next) = parse_page(reply).ok_or(CallError::Unexpected("scan"))?;
            keys.extend(found);
            if next != 0 {
                return Ok(page(begun | next, keys));
            }
        }
        Ok(page(0, keys))
    }
}

/// The command for one partition's share.
fn share(what: &str) -> Option<&'static CommandSpec> {
    find(format!("partition|{what}").as_bytes())
}

fn flush_is_proper(options: &[&[u8]]) -> bool {
    match options {
        [] => true,
        [mode] => mode.eq_ignore_ascii_case(b"ASYNC") || mode.eq_ignore_ascii_case(b"SYNC"),
        _ => false,
    }
}

fn concat(replies: Vec<Reply>) -> Option<Vec<Reply>> {
    let mut all = Vec::new();
    for reply in replies {
        let Reply::Array(items) = reply else { return None };
        all.extend(items);
    }
    Some(all)
}

/// What COUNT says; whether it makes sense is for a node to say.
fn count_of(options: &[&[u8]]) -> usize {
    let at = options.iter().position(|option| option.eq_ignore_ascii_case(b"COUNT"));
    let count = at.and_then(|at| parse_integer(options.get(at + 1)?));
    count.and_then(|count| usize::try_from(count).ok()).unwrap_or(DEFAULT_COUNT)
}

fn page(cursor: u64, keys: Vec<Reply>) -> Reply {
    Reply::Array(vec![Reply::bulk(cursor.to_string()), Reply::Array(keys)])
}

fn parse_page(reply: Reply) -> Option<(Vec<Reply>, u64)> {
    let Reply::Array(parts) = reply else { return None };
    let Ok([Reply::Bulk(next), Reply::Array(keys)]) = <[Reply; 2]>::try_from(parts) else { return None };
    let next = std::str::from_utf8(&next).ok()?.parse().ok()?;
    Some((keys, next))
}
