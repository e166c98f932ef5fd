//! Several tenants on one node.

use super::*;

const SECOND: TenantId = TenantId(2);

#[test]
fn tenants_do_not_see_each_other() {
    let rig = Rig::new(4);
    rig.shards.configure_tenant(SECOND, PolicyKind::S3fifo, Some(1_000_000), false);
    rig.call("SET k mine");
    assert_eq!(rig.call_as(SECOND, "GET k"), nil());
    rig.call_as(SECOND, "SET k theirs");
    assert_eq!(rig.call("GET k"), text("mine"));
    let stats = rig.shards.stats(SECOND);
    assert_eq!((stats.keys, stats.counters.misses, rig.shards.stats(TENANT).counters.misses), (1, 1, 0));
    let partition = rig.count.partition_of(key_slot(b"k")).0;
    assert_eq!(rig.ask(partition, Work::Flush), [Answer::Done]);
    assert_eq!(rig.call("GET k"), nil());
    assert_eq!(rig.call_as(SECOND, "GET k"), text("theirs"), "a flush is one tenant's");
    assert_eq!(rig.shards.tenants(), [TENANT, SECOND]);
}

#[test]
fn one_tenants_writes_do_not_evict_anothers_keys() {
    let rig = Rig::new(4);
    rig.shards.configure_tenant(SECOND, PolicyKind::Lru, Some(2_000), false);
    rig.call("SET k mine");
    for i in 0..100 {
        assert_eq!(rig.call_as(SECOND, &format!("SET k{i} v")), ok());
    }
    let second = rig.shards.budget(SECOND).unwrap();
    assert!(second.used_bytes <= 2_000 && second.used_bytes > 1_000);
    assert_eq!(rig.call("GET k"), text("mine"));
    assert_eq!(rig.shards.stats(TENANT).counters.evicted, 0);
}

#[test]
fn a_removed_tenant_is_gone_with_its_keys() {
    let rig = Rig::new(4);
    rig.shards.configure_tenant(SECOND, PolicyKind::Lru, None, false);
    rig.call_as(SECOND, "SET k v");
    rig.call("SET k v");
    rig.shards.remove_tenant(SECOND);
    assert_eq!(rig.call_as(SECOND, "GET k"), Answer::TryAgain);
    assert_eq!(rig.shards.budget(SECOND), None);
    assert_eq!(rig.shards.stats(SECOND), predis_shard::Stats::default());
    assert_eq!(rig.call("GET k"), text("v"));
}
