//! What the sink is told.

use super::*;
use predis_shard::{DeleteReason, Effect, Effects};

type Told = (u16, u64, u16, Vec<Effect>);

/// Writes down what it is told.
struct Log(Arc<Mutex<Vec<Told>>>);

impl Sink for Log {
    fn effects(&self, partition: PartitionId, epoch: Epoch, tenant: TenantId, effects: &Effects) {
        let tenant = u16::try_from(tenant.0).unwrap();
        self.0.lock().unwrap().push((partition.0, epoch.0, tenant, effects.as_slice().to_vec()));
    }
}

#[test]
fn a_batch_is_told_once_in_order_and_reads_are_not() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let rig = Rig::with_sink(2, |_| Box::new(Log(log.clone())));
    rig.ask(1, commands(&["SET k v", "GET k", "DEL k"]));
    rig.ask(1, commands(&["GET k"]));
    rig.ask(0, commands(&["SET k v"]));
    rig.ask(0, Work::Flush);
    let key = || Bytes::from_static(b"k");
    let set = || Effect::Set {
        key: key(),
        value: predis_shard::Value::String(Bytes::from_static(b"v")),
        expire_at_ms: None,
    };
    let delete = Effect::Delete { key: key(), reason: DeleteReason::Deleted };
    let expected = [(1, 1, 0, vec![set(), delete]), (0, 1, 0, vec![set()]), (0, 1, 0, vec![Effect::Flush])];
    assert_eq!(*log.lock().unwrap(), expected);
    let counts = rig.shards.effect_counts().by_kind();
    assert_eq!(counts.map(|(_, count)| count), [2, 0, 0, 1, 0, 0, 1]);
}

#[test]
fn an_eviction_is_told_by_the_partition_that_loses_the_key() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let rig = Rig::with_sink(2, |_| Box::new(Log(log.clone())));
    rig.ask(0, commands(&["SET a v"]));
    rig.shards.set_memory_bytes(Some(rig.used()));
    rig.clock.advance_ms(1);
    rig.ask(1, commands(&["SET b v"]));
    let evicted = Effect::Delete { key: Bytes::from_static(b"a"), reason: DeleteReason::Evicted };
    assert_eq!(log.lock().unwrap()[2], (0, 1, 0, vec![evicted]));
}
