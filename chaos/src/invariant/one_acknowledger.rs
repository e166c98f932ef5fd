//! At any instant at most one node acknowledges writes for a partition.
//!
//! Epochs order those who may: once a write was acknowledged under one, none is under an earlier one, and under one
//! epoch it is one node that acknowledges.

use super::Invariant;
use crate::oracle::{Entry, Observed};
use predis_types::{Epoch, PartitionId, probe::Event};
use std::{collections::BTreeMap, time::Duration};

/// What was acknowledged under one epoch.
struct Term {
    node: u64,
    first: Duration,
    last: Duration,
    sequence: u64,
}

/// See the module.
#[derive(Default)]
pub struct OneAcknowledger {
    partitions: BTreeMap<PartitionId, BTreeMap<Epoch, Term>>,
}

impl Invariant for OneAcknowledger {
    fn name(&self) -> &'static str {
        "one-acknowledger"
    }

    fn observe(&mut self, entry: &Entry) -> Result<(), String> {
        let Observed::Probe(Event::Acknowledged { partition, epoch, sequence }) = entry.what else {
            return Ok(());
        };
        let (node, now) = (entry.who, entry.at);
        let terms = self.partitions.entry(partition).or_default();
        let told =
            format!("node {node} acknowledged {sequence} of partition {partition} under epoch {epoch}");
        // Nodes are observed one after the other, so the times count, not the order.
        if let Some((later, term)) = terms.iter().find(|(of, term)| **of > epoch && term.first < now) {
            let Term { node: other, first, .. } = term;
            return Err(format!("{told}, node {other} had under epoch {later} at {first:?}"));
        }
        if let Some((earlier, term)) = terms.iter().rev().find(|(of, term)| **of < epoch && term.last > now) {
            let Term { node: other, last, sequence: theirs, .. } = term;
            return Err(format!("{told}, node {other} did {theirs} under epoch {earlier} at {last:?}"));
        }
        let term = terms.entry(epoch).or_insert(Term { node, first: now, last: now, sequence });
        if term.node != node {
            return Err(format!("{told}, node {} did {} under the same", term.node, term.sequence));
        }
        (term.first, term.last) = (term.first.min(now), term.last.max(now));
        term.sequence = sequence;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Acknowledgements as (milliseconds, node, epoch).
    fn judge(all: &[(u64, u64, u64)]) -> Result<(), String> {
        let mut invariant = OneAcknowledger::default();
        all.iter().try_for_each(|(at, who, epoch)| {
            let event =
                Event::Acknowledged { partition: PartitionId(3), epoch: Epoch(*epoch), sequence: *at };
            let at = Duration::from_millis(*at);
            invariant.observe(&Entry { at, who: *who, what: Observed::Probe(event) })
        })
    }

    #[test]
    fn one_after_the_other_may() {
        assert_eq!(judge(&[(1, 1, 1), (2, 1, 1), (3, 2, 3), (4, 2, 3), (9, 1, 4)]), Ok(()));
        // Observed in another order than it happened.
        assert_eq!(judge(&[(5, 2, 2), (4, 1, 1)]), Ok(()));
    }

    #[test]
    fn nobody_may_after_another_or_beside_it() {
        assert_eq!(
            judge(&[(1, 1, 1), (3, 2, 2), (4, 1, 1)]).unwrap_err(),
            "node 1 acknowledged 4 of partition 3 under epoch 1, node 2 had under epoch 2 at 3ms"
        );
        assert!(judge(&[(4, 1, 1), (3, 2, 2)]).unwrap_err().contains("node 1 did 4 under epoch 1 at 4ms"));
        assert!(judge(&[(1, 1, 1), (2, 2, 1)]).unwrap_err().contains("node 1 did 1 under the same"));
    }
}
