//! What the agreed settings make of regions: which one the data is at home in, and who holds copies elsewhere.
//!
//! Where a home is set, the copies that are waited for, primaries among them, lie in that region; members of other
//! regions hold copies that nobody waits for. Pure; knows neither placement nor streams.

use predis_meta::{ClusterState, Member};

/// The setting that names the region in which data is at home.
pub const HOME_REGION: &str = "home-region";

/// The setting that says how many copies of everything each other region holds.
pub const REGION_COPIES: &str = "region-copies";

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

/// Whether nobody waits for the copies of a member.
pub fn is_apart(state: &ClusterState, member: &Member) -> bool {
    home(state).is_some_and(|home| member.region != home)
}

/// How many copies of everything each region but the home holds.
pub fn copies_elsewhere(state: &ClusterState) -> u8 {
    let set = state.config().get(REGION_COPIES).and_then(|text| text.parse().ok());
    set.unwrap_or(0).min(MOST_REGION_COPIES)
}
