//! The load on three real nodes, one of which dies.

use super::{board::Sample, load::Load};
use crate::demo::{
    cluster::{Cluster, Settings},
    journal::Journal,
    recovery::observe,
    shadows::Shadows,
    workload::Workload,
};
use predis_policy::PolicyKind;
use std::{
    thread,
    time::{Duration, Instant},
};

/// Waits until the load is as it should be.
fn until(load: &Load, what: &str, mut is_so: impl FnMut(&Sample) -> bool) -> Sample {
    let began = Instant::now();
    loop {
        let sample = load.board().sample();
        if is_so(&sample) {
            return sample;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: {sample:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_death_leaves_requests_unserved_for_a_while_and_then_none() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let journal = Journal::begin();
    journal.echo(false);
    let policy = PolicyKind::S3fifo;
    let settings = Settings { policy, memory_bytes: 1 << 20, seed: 1, distinct_ticks: false };
    let mut cluster = Cluster::boot(&settings, &runtime, |_| {}).unwrap();
    let source = Workload::Generated { seed: 1 }.open(100_000, 200.0).unwrap();
    let watch = cluster.watch();
    let load = Load::start(source, Shadows::new(3 << 20), &watch.addrs(), journal.clone()).unwrap();

    let before = until(&load, "requests are served", |sample| sample.total.requests > 300);
    assert_eq!(before.unserved, 0);
    assert!(before.total.cluster > 0 && before.total.shadows.iter().all(|hits| *hits > 0));
    let lost = cluster.kill(1);
    assert!((85..=86).contains(&lost.partitions) && lost.keys > 0, "{lost:?}");
    until(&load, "a third is unserved", |sample| sample.unserved > 20);
    let recovered = observe(watch, journal).recv().expect("every slot is served again");
    assert_eq!(recovered.look.placement(), [128, 0, 128]);
    // All workers find their way back, and stay on it.
    let mut last = (load.board().sample().unserved, 0);
    until(&load, "nothing is unserved any more", |sample| {
        if sample.unserved != last.0 {
            last = (sample.unserved, sample.total.requests);
        }
        last.1 > 0 && sample.total.requests > last.1 + 500 || last.1 == 0 && sample.total.requests > 5_000
    });
    assert!(!load.is_over());
    load.stop().unwrap();
    cluster.stop();
}
