//! When partitions were taken from their primaries, and what may be missing afterwards under `async`.
//!
//! ```text
//!   acknowledged ... | replication stops        last answer | verdict, epoch + 1, another primary
//!   all of it stays  |<---- UNREPLICATED at most ---------->|
//!                        of this, a beginning stays and the rest is gone for good
//! ```
//! Replicas have a beginning of what their primary did: so if anything of a partition is gone, everything that was
//! acknowledged before it was begun is there, whatever its key.

use crate::world::World;
use predis_meta::{PartitionState, Replica};
use predis_types::{Epoch, PartitionId};
use std::{collections::BTreeMap, time::Duration};

/// For how long a primary may go on to acknowledge what no replica gets: until its lease has run out, or the replica
/// that does not get it is out of the in-sync set; and the time that answers are on their way.
const UNREPLICATED: Duration = Duration::from_secs(2);

/// An acknowledged write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// Its version.
    pub(super) version: u64,
    /// When it was begun.
    pub(super) started: Duration,
    /// When the answer was there.
    pub(super) acknowledged: Duration,
}

/// One time that a partition was taken from its primary.
struct Failover {
    /// When the first node knew.
    at: Duration,
    /// When somebody last had an answer of the partition's before.
    last_answer: Duration,
    /// When the latest write that survived was begun, and the version and key for whoever reads a complaint.
    survived: Option<(Duration, String)>,
    /// When the earliest write that did not was acknowledged.
    lost: Option<(Duration, String)>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Failovers {
    // The most advanced state that any node has: epoch and primary.
    known: BTreeMap<PartitionId, (Epoch, Option<Replica>)>,
    last_answers: BTreeMap<PartitionId, Duration>,
    of: BTreeMap<PartitionId, Vec<Failover>>,
}

impl Failovers {
    /// Looks at what every node has applied.
    pub(super) fn look(&mut self, world: &World) {
        for host in world.hosts().values() {
            let Some(published) = host.with(|node| node.meta().published()) else { continue };
            for (id, partition) in (0..).map(PartitionId).zip(published.state.partitions()) {
                self.saw(id, partition, world.elapsed());
            }
        }
    }

    /// A primary that gives its partition away stays in sync; one that does not was judged, or has booted anew.
    fn saw(&mut self, id: PartitionId, partition: &PartitionState, now: Duration) {
        let (epoch, primary) = self.known.get(&id).copied().unwrap_or_default();
        if partition.epoch <= epoch {
            return;
        }
        self.known.insert(id, (partition.epoch, partition.primary));
        if primary.is_some_and(|primary| !partition.in_sync.contains(&primary)) {
            self.failed_over(id, now);
        }
    }

    /// A partition was taken from its primary.
    pub(super) fn failed_over(&mut self, id: PartitionId, now: Duration) {
        let last_answer = self.last_answers.get(&id).copied().unwrap_or_default();
        let failover = Failover { at: now, last_answer, survived: None, lost: None };
        self.of.entry(id).or_default().push(failover);
    }

    /// Somebody had an answer of the partition's.
    pub(super) fn answered(&mut self, id: PartitionId, now: Duration) {
        self.last_answers.insert(id, now);
    }

    /// Whether the partition's failovers allow for these writes of one key to be missing at a time.
    ///
    /// # Errors
    /// What does not fit.
    pub(super) fn lose(
        &mut self,
        (id, key): (PartitionId, &str),
        missing: &[Written],
        now: Duration,
    ) -> Result<(), String> {
        for written in missing {
            let told = format!("{key} = {}", written.version);
            let mut may: Vec<&mut Failover> = self
                .of
                .entry(id)
                .or_default()
                .iter_mut()
                .filter(|failover| failover.may_lose(written, now))
                .collect();
            match may.as_mut_slice() {
                [] => {
                    return Err(format!(
                        "{told} was acknowledged at {:?} and is missing",
                        written.acknowledged
                    ));
                }
                // Which of several it was is not known, and so not what else they may have lost.
                [failover] => failover.lost(written.acknowledged, told)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// A write turns out to be there.
    ///
    /// # Errors
    /// When one that was acknowledged before it was begun is not.
    pub(super) fn keep(&mut self, (id, key): (PartitionId, &str), written: &Written) -> Result<(), String> {
        let survived = |failover: &&mut Failover| written.acknowledged < failover.at;
        let mut of = self.of.get_mut(&id).into_iter().flatten().filter(survived);
        of.try_for_each(|failover| failover.survived(written.started, format!("{key} = {}", written.version)))
    }
}

impl Failover {
    /// The rule for one failover and one write: it had begun, and is not older than what may be lost.
    fn may_lose(&self, written: &Written, now: Duration) -> bool {
        let is_new = written.acknowledged + UNREPLICATED >= self.last_answer;
        written.started <= self.at && self.at <= now && is_new
    }

    fn survived(&mut self, started: Duration, told: String) -> Result<(), String> {
        if self.survived.as_ref().is_none_or(|(latest, _)| started > *latest) {
            self.survived = Some((started, told));
        }
        self.check()
    }

    fn lost(&mut self, acknowledged: Duration, told: String) -> Result<(), String> {
        if self.lost.as_ref().is_none_or(|(earliest, _)| acknowledged < *earliest) {
            self.lost = Some((acknowledged, told));
        }
        self.check()
    }

    fn check(&self) -> Result<(), String> {
        let (Some((started, survivor)), Some((acknowledged, lost))) = (&self.survived, &self.lost) else {
            return Ok(());
        };
        if started <= acknowledged {
            return Ok(());
        }
        Err(format!(
            "{lost}, acknowledged at {acknowledged:?}, is missing after the failover at {:?}; {survivor}, begun at \
             {started:?}, is there",
            self.at
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use predis_types::{Incarnation, NodeId};

    const P: PartitionId = PartitionId(0);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn written(version: u64, started: u64, acknowledged: u64) -> Written {
        Written { version, started: ms(started), acknowledged: ms(acknowledged) }
    }

    /// With a last answer at 5 s and a failover at 6 s.
    fn failovers() -> Failovers {
        let mut failovers = Failovers::default();
        failovers.answered(P, ms(5_000));
        failovers.failed_over(P, ms(6_000));
        failovers
    }

    #[test]
    fn only_the_last_moments_may_be_missing() {
        let lose = |started, acknowledged, now| {
            failovers().lose((P, "k"), &[written(1, started, acknowledged)], ms(now))
        };
        assert_eq!(lose(4_000, 4_010, 7_000), Ok(()));
        assert!(
            lose(2_900, 2_990, 7_000).unwrap_err().contains("k = 1 was acknowledged at 2.99s and is missing")
        );
        assert!(lose(4_000, 4_010, 5_500).is_err(), "the failover was later");
        assert!(lose(6_100, 6_110, 7_000).is_err(), "the write was later");
        assert!(Failovers::default().lose((P, "k"), &[written(1, 4_000, 4_010)], ms(7_000)).is_err());
    }

    #[test]
    fn what_is_missing_is_an_end_of_what_was_written() {
        let mut failovers = failovers();
        failovers.keep((P, "a"), &written(3, 4_000, 4_010)).unwrap();
        assert_eq!(
            failovers.lose((P, "b"), &[written(7, 4_005, 4_015)], ms(7_000)),
            Ok(()),
            "they overlapped"
        );
        let error = failovers.lose((P, "c"), &[written(8, 3_900, 3_990)], ms(7_000)).unwrap_err();
        assert_eq!(
            error,
            "c = 8, acknowledged at 3.99s, is missing after the failover at 6s; a = 3, begun at 4s, is there"
        );
        assert!(failovers.keep((P, "d"), &written(9, 4_500, 4_510)).unwrap_err().contains("d = 9"));
        assert_eq!(failovers.keep((P, "e"), &written(9, 6_100, 6_110)), Ok(()), "written afterwards");
    }

    #[test]
    fn giving_a_partition_away_is_no_failover() {
        let replica = |node| Replica { node: NodeId(node), incarnation: Incarnation(1) };
        let state = |epoch, primary: Option<u64>, in_sync: &[u64]| PartitionState {
            epoch: Epoch(epoch),
            primary: primary.map(replica),
            in_sync: in_sync.iter().map(|node| replica(*node)).collect(),
            ..PartitionState::default()
        };
        let mut failovers = Failovers::default();
        let mut count = |at, state: PartitionState| {
            failovers.saw(P, &state, ms(at));
            failovers.of.get(&P).map_or(0, Vec::len)
        };
        assert_eq!(count(1, state(1, Some(1), &[1, 2])), 0);
        assert_eq!(count(2, state(2, Some(2), &[1, 2])), 0, "promoted by the one before");
        assert_eq!(count(3, state(3, None, &[1])), 1, "judged");
        assert_eq!(count(4, state(2, Some(2), &[1, 2])), 1, "another node is behind");
        assert_eq!(count(5, state(4, Some(1), &[1])), 1, "promoted by the supervisor: the same failover");
        assert_eq!(count(6, state(6, Some(3), &[3])), 2, "judged and given to another, between two looks");
    }
}
