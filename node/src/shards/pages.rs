//! The pages of a copy that is being made: keys in hash order, as the effects that set them.
//!
//! Does not know whom they are for.

use super::partition::ShardCopy;
use predis_replica::Cursor;
use predis_shard::{Effect, Effects, HashPosition, PageEntry};
use predis_types::TenantId;

/// How many keys a page of a copy has at most.
const PAGE_KEYS: usize = 128;

/// The keys of a copy from a place on, about so many bytes of them, as effects of one tenant, and where it goes on.
pub(super) fn page(copy: &ShardCopy, from: Cursor, bytes: u64) -> (TenantId, Effects, Option<Cursor>) {
    let shard = &copy.shard;
    let mut tenants = shard.tenants().filter(|tenant| *tenant >= from.tenant);
    let Some(tenant) = tenants.next() else { return (from.tenant, Effects::new(), None) };
    let position = if tenant == from.tenant { from.position } else { 0 };
    let stats = shard.stats(tenant);
    let mean_bytes = (stats.cost / stats.keys.max(1)).max(1);
    let keys = usize::try_from(bytes / mean_bytes).unwrap_or(PAGE_KEYS).clamp(1, PAGE_KEYS);
    let position = HashPosition::from_bits(position).unwrap_or(HashPosition::START);
    let mut page = shard.iterate(tenant, position, keys);
    // Where some values are much larger than most, the mean says too little.
    if let Some(keys) = fitting(&page.entries, bytes) {
        page = shard.iterate(tenant, position, keys);
    }
    let mut effects = Effects::new();
    for entry in page.entries {
        effects.push(Effect::Set { key: entry.key, value: entry.value, expire_at_ms: entry.expire_at_ms });
    }
    let next = match page.next {
        Some(position) => Some(Cursor { tenant, position: position.bits() }),
        None => tenants.next().map(|tenant| Cursor { tenant, position: 0 }),
    };
    (tenant, effects, next)
}

/// How many entries come to so many bytes, at least one; `None` where all of them are at most twice that.
fn fitting(entries: &[PageEntry], bytes: u64) -> Option<usize> {
    let size = |entry: &PageEntry| (entry.key.len() + entry.value.size_bytes()) as u64;
    if entries.len() < 2 || entries.iter().map(size).sum::<u64>() <= bytes.saturating_mul(2) {
        return None;
    }
    let mut before = 0;
    let fits = entries.iter().take_while(|entry| {
        let fits = before < bytes;
        before += size(entry);
        fits
    });
    Some(fits.count().max(1))
}
