//! What a shard is told along with each call, because it cannot know it: who, when, chance, and the budget.

use predis_policy::Pool;
use predis_types::TenantId;

/// The circumstances of one call on a shard.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Whose keys are meant.
    pub tenant: TenantId,
    /// Wall time in milliseconds since the Unix epoch; only expiry and idle times use it. A shard's time never goes
    /// back: it works with the highest it has seen.
    pub now_ms: u64,
    /// The eviction policy's stamp: monotonic microseconds on a node, the number of the request in a replay.
    pub tick: u64,
    /// A random word, for commands that choose a key by chance.
    pub rng: u64,
    /// The tenant's budget on this node, which also says by which policy a new keyspace evicts.
    pub pool: &'a Pool,
}
