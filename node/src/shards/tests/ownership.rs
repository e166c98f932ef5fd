//! Who is answered what, by owner, lease and epoch.

use super::*;

#[test]
fn another_nodes_partition_is_moved() {
    let rig = Rig::new(2);
    rig.own(1, Some(OTHER), 2);
    let answers = rig.ask(1, commands(&["SET k v", "GET k"]));
    assert_eq!(answers, [Answer::Moved(OTHER.node), Answer::Moved(OTHER.node)]);
    assert_eq!(rig.ask(1, Work::Len), [Answer::Moved(OTHER.node)]);
    assert_eq!(rig.ask(0, commands(&["SET k v"])), [ok()], "the other partition is still served");
    assert_eq!(rig.shards.serving(), [(PartitionId(0), Epoch(1))]);
}

#[test]
fn nothing_is_served_before_a_state_says_so_or_where_there_is_no_partition() {
    let rig = Rig::new(2);
    rig.own(0, None, 2);
    assert_eq!(rig.ask(0, commands(&["GET k"])), [Answer::ClusterDown]);
    let before = Life { incarnation: Incarnation(4), ..ME };
    rig.own(0, Some(before), 3);
    assert_eq!(rig.ask(0, commands(&["GET k"])), [Answer::ClusterDown]);
    assert_eq!(rig.ask(2, commands(&["GET k"])), [Answer::ClusterDown], "there are but two");
}

#[test]
fn without_a_lease_nothing_is_executed() {
    let rig = Rig::new(1);
    rig.lease.set(5_000);
    rig.clock.advance_ms(5);
    assert_eq!(rig.ask(0, commands(&["SET k v"])), [Answer::ClusterDown]);
    assert_eq!(rig.shards.serving(), []);
    rig.lease.set(FOREVER);
    assert_eq!(rig.ask(0, commands(&["GET k"])), [nil()]);
    assert_eq!(rig.shards.serving(), [(PartitionId(0), Epoch(1))]);
}

/// Time passes while a command runs.
struct Pause(Arc<ManualClock>);

impl Sink for Pause {
    fn effects(&self, _: PartitionId, _: Epoch, _: TenantId, _: &predis_shard::Effects) {
        self.0.advance_ms(10);
    }
}

#[test]
fn a_lease_that_ends_during_execution_leaves_the_write_unacknowledged() {
    let rig = Rig::with_sink(1, |clock| Box::new(Pause(clock)));
    rig.lease.set(5_000);
    assert_eq!(rig.ask(0, commands(&["SET k v", "GET k"])), [Answer::Withheld, Answer::Withheld]);
    rig.lease.set(FOREVER);
    assert_eq!(rig.ask(0, commands(&["GET k"])), [text("v")], "what was not acknowledged may have happened");
    rig.lease.set(15_000);
    assert_eq!(rig.ask(0, commands(&["GET k"])), [text("v")], "a read takes no time here");
    assert_eq!(rig.ask(0, Work::Flush), [Answer::Withheld]);
}

#[test]
fn a_lease_that_ends_while_room_is_made_leaves_the_write_unacknowledged() {
    let rig = Rig::with_sink(2, |clock| Box::new(Pause(clock)));
    rig.ask(0, commands(&["SET old v"]));
    rig.shards.set_memory_bytes(Some(rig.used()));
    // The write takes until 20 ms, the eviction of the other key until 30 ms.
    rig.lease.set(25_000);
    assert_eq!(rig.ask(1, commands(&["SET new v"])), [Answer::Withheld]);
    rig.lease.set(FOREVER);
    assert_eq!(rig.ask(0, commands(&["GET old"])), [nil()]);
    assert_eq!(rig.ask(1, commands(&["GET new"])), [text("v")]);
}

#[test]
fn a_new_epoch_begins_empty_and_old_keys_never_surface() {
    let rig = Rig::new(2);
    rig.ask(0, commands(&["SET k v", "GET k"]));
    rig.ask(1, commands(&["SET other v"]));
    let used = rig.used();
    rig.own(0, Some(ME), 1);
    assert_eq!(rig.ask(0, commands(&["GET k"])), [text("v")], "the same epoch is the same shard");
    rig.own(0, Some(ME), 2);
    assert_eq!(rig.ask(0, commands(&["GET k"])), [nil()]);
    assert!(rig.used() < used && rig.used() > 0, "only the other partition's key is left");
    rig.ask(0, commands(&["SET k again"]));
    rig.own(0, Some(OTHER), 3);
    rig.own(0, Some(ME), 4);
    assert_eq!(rig.ask(0, commands(&["GET k"])), [nil()]);
    assert_eq!(rig.shards.serving(), [(PartitionId(0), Epoch(4)), (PartitionId(1), Epoch(1))]);
    let started =
        |partition, epoch| Event::Started { partition: PartitionId(partition), epoch: Epoch(epoch) };
    let expected = [started(0, 1), started(1, 1), started(0, 2), started(0, 4)];
    assert_eq!(*rig.seen.0.lock().unwrap(), expected);
    let counters = rig.shards.stats(TENANT).counters;
    assert_eq!((counters.hits, counters.misses), (2, 2), "what dropped shards counted is not forgotten");
}
