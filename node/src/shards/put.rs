//! Keys that come out of a backup: set at the primary, as effects like those of any command.
//!
//! Does not know where they are from, nor who may set them.

use super::{admission, batch::Answer};
use predis_resp::Reply;
use predis_shard::{Context, Effect, Effects, PageEntry, Shard};

/// Sets keys, but for those whose time has come; none of them when one could never fit.
pub(super) fn put(shard: &mut Shard, cx: &Context<'_>, keys: &[PageEntry], effects: &mut Effects) -> Answer {
    if keys.iter().any(|entry| admission::never_fits(cx.pool, entry)) {
        return Answer::Reply(Reply::error(admission::OOM));
    }
    let now_ms = cx.now_ms.max(shard.time_ms());
    let before = effects.len();
    for PageEntry { key, value, expire_at_ms } in keys {
        if expire_at_ms.is_some_and(|at| now_ms > at) {
            continue;
        }
        let effect = Effect::Set { key: key.clone(), value: value.clone(), expire_at_ms: *expire_at_ms };
        shard.apply(cx, &effect);
        effects.push(effect);
    }
    Answer::Count((effects.len() - before) as u64)
}
