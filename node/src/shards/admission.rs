//! Which writes can never fit: an entry that would cost more than the tenant's whole budget is refused before it
//! pushes everything else out.
//!
//! Judges by the arguments alone wherever they tell the entry's size. Does not check them otherwise: a command
//! that is wrong gets its error from the shard. What it lets through by mistake (an option's few bytes, spare
//! room of a string that grows) is evicted after the write.

use super::batch::Call;
use bytes::Bytes;
use predis_policy::Pool;
use predis_resp::{CommandId, Reply, find, parse_integer};
use predis_shard::{Context, Cost, Effects, PageEntry, Shard};

/// Redis's words for a write that does not fit.
pub(super) const OOM: &str = "OOM command not allowed when used memory > 'maxmemory'.";

/// Whether the call would make an entry that is larger than the budget.
pub(super) fn refuses(shard: &mut Shard, cx: &Context<'_>, call: &Call, effects: &mut Effects) -> bool {
    let cost = largest_entry(call.spec.id, &call.args);
    if cost == 0 || !cx.pool.over_with(cost) {
        return false;
    }
    let existing = match call.spec.id {
        CommandId::Append => call.args.get(1).map_or(0, |key| cost_of(shard, cx, key, effects)),
        _ => 0,
    };
    is_larger(cx.pool, cost, existing)
}

/// Whether an entry is larger than the budget all by itself.
pub(super) fn never_fits(pool: &Pool, entry: &PageEntry) -> bool {
    let cost = Cost::Memory.of(entry.key.len(), entry.value.size_bytes(), entry.expire_at_ms.is_some());
    cost > pool.budget()
}

/// An entry that exists already counts its key and overhead itself.
fn is_larger(pool: &Pool, cost: u64, existing: u64) -> bool {
    let added = if existing == 0 { cost } else { cost.saturating_sub(Cost::Memory.of(0, 0, false)) };
    existing.saturating_add(added) > pool.budget()
}

/// The cost of the largest entry that the arguments make by themselves; 0 when they make none of note.
fn largest_entry(command: CommandId, args: &[Bytes]) -> u64 {
    let cost = |key: Option<&Bytes>, value_bytes: usize| {
        key.map_or(0, |key| Cost::Memory.of(key.len(), value_bytes, false))
    };
    let size = |index: usize| args.get(index).map_or(0, Bytes::len);
    match command {
        CommandId::Set | CommandId::Setnx | CommandId::Getset | CommandId::Append => {
            cost(args.get(1), size(2))
        }
        CommandId::Setex | CommandId::Psetex => cost(args.get(1), size(3)),
        CommandId::Setrange => {
            let offset = args.get(2).and_then(|text| parse_integer(text));
            let offset = offset.and_then(|offset| usize::try_from(offset).ok()).unwrap_or(0);
            cost(args.get(1), offset.saturating_add(size(3)))
        }
        CommandId::Mset | CommandId::Msetnx => {
            let pairs = args.get(1..).unwrap_or_default().chunks_exact(2);
            pairs.map(|pair| cost(pair.first(), pair[1].len())).max().unwrap_or(0)
        }
        _ => 0,
    }
}

/// What the key costs now, without that being a use of it.
fn cost_of(shard: &mut Shard, cx: &Context<'_>, key: &Bytes, effects: &mut Effects) -> u64 {
    let Some(spec) = find(b"memory|usage") else { return 0 };
    let args = [Bytes::from_static(b"MEMORY"), Bytes::from_static(b"USAGE"), key.clone()];
    match shard.execute(cx, spec, &args, effects) {
        Reply::Integer(cost) => u64::try_from(cost).unwrap_or(0),
        _ => 0,
    }
}
