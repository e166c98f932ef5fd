//! What the agreed settings make of regions: which one the data is at home in, and who holds copies elsewhere.
//!
//! Where a home is set, the copies that are waited for, primaries among them, lie in that region; members of other
//! regions hold copies that nobody waits for. Pure; knows neither placement nor streams.

use predis_meta::{ClusterState, Member, PartitionState, Replica};
use predis_types::NodeId;

/// The setting that names the region in which data is at home.
pub const HOME_REGION: &str = "home-region";

/// The setting that says how many copies of everything each other region holds.
pub const REGION_COPIES: &str = "region-copies";

/// The entry, of no concern to operators, that says at which times partitions that were lost went on, by an operator's
/// decision, from copies that nobody had waited for: the last [`MOST_RECOVERIES`].
pub const RECOVERIES: &str = "recoveries";

/// How many times [`RECOVERIES`] has.
const MOST_RECOVERIES: usize = 16;

/// The value of [`HOME_REGION`] when there is none.
pub const NO_HOME: &str = "none";

/// The most copies that one other region holds.
pub const MOST_REGION_COPIES: u8 = 2;

/// The region in which data is at home; `None`: it is wherever there is room. A region that no member is of is none,
/// or a misspelt name would leave nobody to take over.
pub fn home(state: &ClusterState) -> Option<&str> {
    let home = state.config().get(HOME_REGION).map(String::as_str).filter(|home| *home != NO_HOME)?;
    state.nodes().values().any(|member| member.region == home).then_some(home)
}

/// Whether nobody waits for the copies of a member, the data being at [`home`] there.
pub fn is_apart(home: Option<&str>, member: &Member) -> bool {
    home.is_some_and(|home| member.region != home)
}

/// How many copies of everything each region but the home holds.
pub fn copies_elsewhere(state: &ClusterState) -> u8 {
    let set = state.config().get(REGION_COPIES).and_then(|text| text.parse().ok());
    set.unwrap_or(0).min(MOST_REGION_COPIES)
}

/// When partitions went on from copies that nobody had waited for, in milliseconds since the Unix epoch, oldest first.
fn recoveries(state: &ClusterState) -> Vec<u64> {
    let times = state.config().get(RECOVERIES).map_or("", String::as_str);
    times.split(',').filter_map(|time| time.parse().ok()).collect()
}

/// Whether a partition that was lost at this time went on from its new primary's copy.
pub fn is_recovery(state: &ClusterState, lost_at_ms: u64) -> bool {
    recoveries(state).contains(&lost_at_ms)
}

/// [`RECOVERIES`] with one more time.
pub fn with_recovery(state: &ClusterState, at_ms: u64) -> String {
    let mut times = recoveries(state);
    times.push(at_ms);
    let kept = times.len().saturating_sub(MOST_RECOVERIES);
    times[kept..].iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}

/// Who could have a copy of a partition that nobody in sync has any more, though nobody waited for it.
pub fn spare_holders<'a>(
    state: &'a ClusterState,
    partition: &'a PartitionState,
) -> impl Iterator<Item = Replica> + 'a {
    let home = home(state).filter(|_| partition.is_vacant());
    let up = move |node: &NodeId| state.node(*node).filter(|m| m.is_up() && is_apart(home, m));
    let seated = partition.replicas.iter().filter_map(up);
    seated.map(|member| Replica { node: member.id, incarnation: member.incarnation })
}
