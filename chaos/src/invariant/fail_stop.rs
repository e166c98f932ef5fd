//! A node that was told that a sync failed does not go on: it cannot know what of its log is on disk.

use super::Invariant;
use crate::world::World;
use std::{collections::BTreeMap, time::Duration};

/// How long a node may take to stop, while it runs.
const LIMIT: Duration = Duration::from_secs(2);

/// See the module.
#[derive(Default)]
pub struct FailStop {
    // Since when nodes have known and run.
    knows: BTreeMap<u64, Duration>,
}

impl FailStop {
    fn judge(&mut self, now: Duration, node: u64, knows: bool, stands_still: bool) -> Result<(), String> {
        if !knows {
            self.knows.remove(&node);
            return Ok(());
        }
        let since = self.knows.entry(node).or_insert(now);
        if stands_still {
            *since = now;
        }
        if now - *since > LIMIT {
            return Err(format!("node {node} was told at {since:?} that a sync failed, and goes on"));
        }
        Ok(())
    }
}

impl Invariant for FailStop {
    fn name(&self) -> &'static str {
        "fail-stop"
    }

    fn look(&mut self, world: &World) -> Result<(), String> {
        let now = world.elapsed();
        world.hosts().values().try_for_each(|host| {
            let knows = host.is_running() && host.disk_faults().syncs > 0;
            self.judge(now, host.node(), knows, host.is_paused())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_knows_has_a_moment_to_stop_and_time_standing_still_does_not_count() {
        let mut invariant = FailStop::default();
        let mut judge = |at, knows, still| invariant.judge(Duration::from_millis(at), 1, knows, still);
        assert_eq!(judge(0, true, false), Ok(()));
        assert_eq!(judge(2_000, true, true), Ok(()));
        assert_eq!(judge(3_900, true, false), Ok(()));
        assert!(judge(4_100, true, false).is_err());
        assert_eq!(judge(4_200, false, false), Ok(()), "it has stopped");
        assert_eq!(judge(9_000, true, false), Ok(()));
    }
}
