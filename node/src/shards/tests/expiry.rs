//! Keys that expire though nobody asks for them.

use super::*;
use crate::shards::Expiry;

#[test]
fn a_step_removes_what_is_due_and_says_when_to_come_back() {
    let rig = Rig::new(4);
    assert_eq!(rig.shards.expire(10), Expiry { removed: 0, next_due_ms: None });
    for i in 0..10 {
        rig.call(&format!("SET soon{i} v PX 50"));
        rig.call(&format!("SET later{i} v PX 500"));
        rig.call(&format!("SET never{i} v"));
    }
    assert_eq!(rig.shards.expire(10), Expiry { removed: 0, next_due_ms: Some(START_MS + 50) });
    rig.clock.advance_ms(51);
    assert_eq!(rig.shards.expire(10), Expiry { removed: 10, next_due_ms: Some(START_MS + 500) });
    let stats = rig.shards.stats(TENANT);
    assert_eq!((stats.keys, stats.expiring, stats.counters.expired), (20, 10, 10));
    assert_eq!(stats.mean_expire_at_ms, Some(START_MS + 500));
    assert_eq!(rig.shards.effect_counts().by_kind()[4], ("expired", 10));
}

#[test]
fn a_step_is_bounded() {
    let rig = Rig::new(1);
    for i in 0..10 {
        rig.call(&format!("SET k{i} v PX 50"));
    }
    rig.clock.advance_ms(51);
    let removed: Vec<usize> = (0..4).map(|_| rig.shards.expire(4).removed).collect();
    assert_eq!(removed, [4, 4, 2, 0]);
    assert_eq!(rig.used(), 0);
}
