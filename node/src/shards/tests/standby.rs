//! Reads from copies: who gets them, what they show, and how old that may be.

use super::*;
use crate::shards::{Heard, Queue, Standby};

const PARTITION: PartitionId = PartitionId(0);

/// A primary and a replica of one partition, each with a clock of its own.
struct Pair {
    primary: Rig,
    replica: Rig,
    /// What the replica said of when it last answered.
    answered_us: std::cell::Cell<u64>,
}

impl Pair {
    fn new() -> Pair {
        let pair =
            Pair { primary: Rig::with_hold(1, HOLD_US), replica: Rig::of(OTHER), answered_us: 0.into() };
        // No moment is 0.
        pair.primary.clock.advance_ms(1);
        pair.replica.clock.advance_ms(1);
        pair.agree(Some(ME), 2, &[ME, OTHER]);
        pair
    }

    fn agree(&self, primary: Option<Life>, epoch: u64, in_sync: &[Life]) {
        let members = Members { lost: 7, seated: [ME, OTHER].into(), ..members(epoch, in_sync) };
        self.primary.hold(0, primary, epoch, members.clone());
        self.replica.hold(0, primary, epoch, members);
    }

    fn queue(&self) -> Arc<Queue> {
        self.primary.shards.queue_to(OTHER).unwrap()
    }

    /// One call, with a beat; false when there is nothing to tell.
    fn call(&self) -> bool {
        let partitions = self.primary.shards.told(OTHER);
        let told = self.primary.shards.parts(&self.queue(), &partitions, 1000, true);
        let Some(told) = told.into_iter().next() else { return false };
        let epoch = told.part.epoch;
        let made_after = Some(self.answered_us.get()).filter(|at| *at > 0);
        let heard = self.replica.shards.receive(ME, told, made_after).unwrap();
        self.answered_us.set(self.replica.shards.clock.mono_us());
        assert!(matches!(heard, Heard::Ack(_)));
        self.primary.shards.acknowledged(&self.queue(), PARTITION, epoch, heard);
        true
    }

    /// What a client that said READONLY gets on the replica.
    fn read(&self, line: &str) -> Answer {
        let work = commands(&[line]);
        let batch = Batch { partition: PARTITION, tenant: TENANT, work, reader: None, from_copy: true };
        ready(self.replica.shards.submit(batch)).remove(0)
    }

    fn stale_ms(&self) -> Option<u64> {
        self.replica.shards.standby().stale_us.map(|us| us / 1000)
    }
}

#[test]
fn a_copy_shows_what_is_committed_and_how_old_it_is() {
    let pair = Pair::new();
    assert_eq!(pair.read("GET k"), Answer::Moved(ME.node), "nothing is known yet");
    assert_eq!(pair.primary.call("SET k v"), ok());
    (0..3).for_each(|_| _ = pair.call());
    assert_eq!(pair.read("GET k"), text("v"));
    pair.replica.clock.advance_ms(30);
    assert_eq!(pair.stale_ms(), Some(30), "since the answer behind the last call");
    pair.call();
    assert_eq!(pair.stale_ms(), Some(30), "it was made after the answer of then");
    pair.call();
    assert_eq!(pair.stale_ms(), Some(0));
    assert_eq!(pair.primary.call("SET k w"), ok());
    pair.call();
    assert_eq!(pair.read("GET k"), text("v"), "the other is not committed yet");
    pair.call();
    assert_eq!(pair.read("GET k"), text("w"));
    assert_eq!(pair.replica.call("GET k"), Answer::Moved(ME.node), "to whom a copy will not do");
    assert_eq!(pair.read("SET k x"), Answer::TryAgain, "nobody sends writes this way");
    assert_eq!(pair.replica.shards.standby(), Standby { copies: 1, readable: 1, stale_us: Some(0) });
}

#[test]
fn a_copy_beyond_the_bound_is_not_read() {
    let pair = Pair::new();
    (0..3).for_each(|_| _ = pair.call());
    pair.replica.shards.set_max_staleness_us(Some(50_000));
    pair.replica.clock.advance_ms(50);
    assert_eq!(pair.read("GET k"), nil());
    pair.replica.clock.advance_ms(1);
    assert_eq!(pair.read("GET k"), Answer::Moved(ME.node));
    pair.replica.hold(0, None, 3, Members { lost: 7, ..members(3, &[OTHER]) });
    assert_eq!(pair.read("GET k"), Answer::TooOld, "there is no primary");
    assert_eq!(pair.replica.call("GET k"), Answer::ClusterDown);
    pair.replica.shards.set_max_staleness_us(None);
    assert_eq!(pair.read("GET k"), nil());
}

#[test]
fn a_primary_that_cannot_answer_vouches_for_nothing() {
    let pair = Pair::new();
    (0..3).for_each(|_| _ = pair.call());
    pair.primary.lease.set(1);
    pair.replica.clock.advance_ms(40);
    (0..3).for_each(|_| _ = pair.call());
    assert_eq!(pair.stale_ms(), Some(40), "what it was told since is of a primary without a lease");
    pair.primary.lease.set(FOREVER);
    assert!(pair.call() && pair.call());
    assert_eq!(pair.stale_ms(), Some(0));
}

#[test]
fn a_primary_without_a_lease_is_read_while_everybody_has_what_it_shows() {
    let pair = Pair::new();
    assert_eq!(pair.primary.call("SET k v"), ok());
    (0..3).for_each(|_| _ = pair.call());
    let read = || {
        let work = commands(&["GET k"]);
        let batch = Batch { partition: PARTITION, tenant: TENANT, work, reader: None, from_copy: true };
        ready(pair.primary.shards.submit(batch)).remove(0)
    };
    assert_eq!(pair.primary.shards.standby(), Standby::default());
    pair.primary.lease.set(1);
    pair.primary.clock.advance_ms(9);
    let stale_us = Some(pair.primary.shards.clock.mono_us() - 1);
    assert_eq!(pair.primary.shards.standby(), Standby { copies: 1, readable: 1, stale_us });
    assert_eq!(read(), text("v"));
    assert_eq!(pair.primary.call("GET k"), Answer::ClusterDown);
    pair.primary.lease.set(FOREVER);
    assert_eq!(pair.primary.call("SET k w"), ok());
    pair.primary.lease.set(1);
    assert_eq!(read(), Answer::ClusterDown, "it may be lost yet");
}

#[test]
fn an_expired_key_is_not_found_in_a_copy_and_stays_there() {
    let pair = Pair::new();
    assert_eq!(pair.primary.call("SET k v PX 100"), ok());
    (0..3).for_each(|_| _ = pair.call());
    assert_eq!(pair.read("GET k"), text("v"));
    pair.replica.clock.advance_ms(101);
    assert_eq!(pair.read("GET k"), nil());
    assert_eq!(pair.read("EXISTS k"), number(0));
    pair.agree(None, 3, &[OTHER]);
    pair.replica.hold(0, Some(OTHER), 4, Members { lost: 7, ..members(4, &[OTHER]) });
    assert_eq!(ready(pair.replica.submit(0, TENANT, Work::Len)), [Answer::Count(1)]);
}

#[test]
fn a_copy_goes_on_behind_the_others_from_one_primary_to_the_next() {
    let pair = Pair::new();
    assert_eq!(pair.primary.call("SET k v"), ok());
    (0..3).for_each(|_| _ = pair.call());
    // It has left the set, and the primary is another one since.
    let third = Life { node: predis_types::NodeId(9), ..ME };
    let behind = Members { lost: 7, seated: [third, OTHER].into(), ..members(8, &[third]) };
    pair.replica.hold(0, Some(third), 5, behind.clone());
    assert_eq!(pair.read("GET k"), text("v"));
    pair.replica.hold(0, Some(third), 6, Members { lost: 8, ..behind });
    assert_eq!(pair.read("GET k"), Answer::Moved(third.node), "the partition began anew");
}
