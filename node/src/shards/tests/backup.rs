//! Reading a partition for a backup: what comes out is the partition at the cut, whatever happened meanwhile.

use super::*;
use crate::shards::{Cut, KeyCount, Piece, ReadError, Reading, change};
use predis_policy::Pool;
use predis_shard::{Context, HashPosition, PageEntry, Shard, Value};
use predis_types::{Rng, Sequence};
use std::time::Duration;

const PARTITION: PartitionId = PartitionId(0);
const SECOND: TenantId = TenantId(4);

/// What a shard holds, as far as a client can see it.
type Content = Vec<(TenantId, PageEntry)>;

fn content(shard: &Shard) -> Content {
    let of = |tenant| {
        let page = shard.iterate(tenant, HashPosition::START, usize::MAX);
        page.entries.into_iter().map(move |entry| (tenant, entry))
    };
    shard.tenants().flat_map(of).collect()
}

impl Rig {
    fn content(&self) -> Content {
        content(&self.shards.partition(PARTITION).unwrap().lock().copy.as_ref().unwrap().shard)
    }

    fn read(&self) -> Reading {
        self.shards.read_partition(PARTITION).unwrap()
    }

    fn write(&self, tenant: TenantId, line: &str) {
        ready(self.submit(0, tenant, commands(&[line])));
    }
}

/// A shard that is made of pieces, in the order in which they came.
struct Rebuilt {
    shard: Shard,
    pool: Pool,
    pages: usize,
    changes: usize,
}

impl Rebuilt {
    fn new() -> Rebuilt {
        let pool = Pool::new(PolicyKind::Lru, 1, u64::MAX);
        Rebuilt { shard: Shard::new(PARTITION, [7, 11]), pool, pages: 0, changes: 0 }
    }

    fn apply(&mut self, bytes: Bytes) {
        let change = change::decode(bytes, 0).unwrap();
        let cx = Context { tenant: change.tenant, now_ms: change.at_ms, tick: 0, rng: 0, pool: &self.pool };
        change.effects.iter().for_each(|effect| self.shard.apply(&cx, effect));
    }

    /// Takes in a piece; the cut when it is that.
    fn take(&mut self, piece: Piece) -> Option<Cut> {
        match piece {
            Piece::Page(page) => {
                self.pages += 1;
                self.apply(page);
            }
            Piece::Changes(changes) => {
                self.changes += changes.len();
                changes.into_iter().for_each(|change| self.apply(change));
            }
            Piece::Cut(cut) => return Some(cut),
        }
        None
    }
}

/// One change of some kind.
fn disturb(rig: &Rig, rng: &mut SplitMix64) {
    let tenant = if rng.below(3) == 0 { SECOND } else { TENANT };
    let (key, number) = (rng.below(1200), rng.below(1000));
    match rng.below(10) {
        0 => rig.write(tenant, &format!("DEL k{key}")),
        1 => rig.write(tenant, &format!("APPEND k{key} +{number}")),
        2 => rig.write(tenant, &format!("SETRANGE k{key} {} x{number}", number % 50)),
        3 => rig.write(tenant, &format!("PEXPIRE k{key} {}", number + 1)),
        4 => rig.write(tenant, &format!("PERSIST k{key}")),
        5 => rig.write(tenant, &format!("RENAME k{key} k{number}")),
        6 if number < 5 => drop(ready(rig.submit(0, tenant, Work::Flush))),
        7 if number < 300 => {
            rig.clock.advance_ms(1);
            rig.shards.expire(100);
        }
        _ => rig.write(tenant, &format!("SET k{key} v{number} PX {}", number + 1)),
    }
}

#[tokio::test]
async fn what_is_read_while_it_changes_is_the_partition_at_the_cut() {
    let (mut pages, mut changes) = (0, 0);
    for seed in 0..40 {
        let rig = Rig::new(1);
        rig.shards.configure_tenant(SECOND, PolicyKind::Lru, None, false);
        let mut rng = SplitMix64::new(seed);
        for _ in 0..3000 {
            disturb(&rig, &mut rng);
        }
        let (mut reading, mut rebuilt) = (rig.read(), Rebuilt::new());
        let mut at_the_cut = None;
        let cut = loop {
            for _ in 0..rng.below(60) {
                disturb(&rig, &mut rng);
            }
            // The last page is the moment of the cut; what comes after it is not in.
            let now = (rig.content(), rig.shards.last_change(PARTITION).unwrap());
            let piece = reading.next().await.unwrap().unwrap();
            if matches!(piece, Piece::Page(_)) {
                at_the_cut = Some(now);
            }
            if let Some(cut) = rebuilt.take(piece) {
                break cut;
            }
        };
        assert!(reading.next().await.is_none());
        let (expected, last) = at_the_cut.unwrap();
        assert_eq!((cut.epoch, cut.sequence), last, "seed {seed}");
        assert_eq!(content(&rebuilt.shard), expected, "seed {seed}");
        (pages, changes) = (pages + rebuilt.pages, changes + rebuilt.changes);
    }
    assert!(pages > 200 && changes > 2000, "{pages} pages, {changes} changes");
}

#[tokio::test]
async fn a_page_is_small_though_a_few_values_are_large() {
    const LARGE: usize = 200_000;
    let rig = Rig::new(1);
    for key in 0..5000 {
        rig.write(TENANT, &format!("SET k{key} v"));
    }
    for key in 0..40 {
        rig.write(TENANT, &format!("SET large{key} {}", "v".repeat(LARGE)));
    }
    let (mut reading, mut rebuilt) = (rig.read(), Rebuilt::new());
    let mut most = 0;
    while let Some(piece) = reading.next().await {
        let piece = piece.unwrap();
        if let Piece::Page(page) = &piece {
            most = most.max(page.len());
        }
        rebuilt.take(piece);
    }
    assert!((LARGE..2 * LARGE).contains(&most), "a page of {most} bytes");
    assert_eq!(content(&rebuilt.shard), rig.content());
}

#[tokio::test]
async fn one_reads_at_a_time_and_whoever_stops_leaves_no_tap() {
    let rig = Rig::new(2);
    rig.write(TENANT, "SET k v");
    let reading = rig.read();
    assert_eq!(rig.shards.read_partition(PARTITION).err(), Some(ReadError::Taken));
    drop(reading);
    let mut reading = rig.read();
    let mut rebuilt = Rebuilt::new();
    assert!(rebuilt.take(reading.next().await.unwrap().unwrap()).is_none());
    // Its tap is gone with the last page: another one may begin, and ending the first is not ending that.
    let mut another = rig.read();
    drop(reading);
    rig.write(TENANT, "SET l v");
    while rebuilt.take(another.next().await.unwrap().unwrap()).is_none() {}
    assert_eq!(content(&rebuilt.shard), rig.content());
    assert_eq!(rig.shards.read_partition(PartitionId(2)).err(), Some(ReadError::NoPartition(2)));
}

#[tokio::test]
async fn more_changes_than_are_kept_end_it() {
    let rig = Rig::new(1);
    (0..500).for_each(|key| rig.write(TENANT, &format!("SET k{key} v")));
    let mut reading = rig.shards.read_within(PARTITION, 1000).unwrap();
    assert!(matches!(reading.next().await, Some(Ok(Piece::Page(_)))));
    (0..100).for_each(|key| rig.write(TENANT, &format!("SET k{key} w")));
    assert_eq!(reading.next().await.unwrap().unwrap_err(), ReadError::Overrun);
    assert!(reading.next().await.is_none());
    assert!(rig.shards.read_partition(PARTITION).is_ok(), "it may be tried again");
}

#[tokio::test]
async fn it_ends_with_the_epoch_and_with_the_lease() {
    let rig = Rig::new(1);
    (0..500).for_each(|key| rig.write(TENANT, &format!("SET k{key} v")));
    let mut reading = rig.read();
    assert!(matches!(reading.next().await, Some(Ok(Piece::Page(_)))));
    rig.hold(0, Some(ME), 2, Members { lost: 1, ..members(2, &[ME]) });
    assert_eq!(reading.next().await.unwrap().unwrap_err(), ReadError::Changed);
    // Without a lease nobody knows whether another one is the primary.
    let mut reading = rig.read();
    rig.lease.set(0);
    let ended = loop {
        match reading.next().await.unwrap() {
            Ok(Piece::Page(_)) => {}
            other => break other,
        }
    };
    assert_eq!(ended.unwrap_err(), ReadError::Changed);
    assert_eq!(rig.shards.read_partition(PARTITION).err(), Some(ReadError::Unserved));
    rig.lease.set(FOREVER);
    rig.own(0, Some(OTHER), 3);
    assert_eq!(rig.shards.read_partition(PARTITION).err(), Some(ReadError::Moved(OTHER.node)));
}

#[tokio::test(start_paused = true)]
async fn a_cut_is_given_out_once_every_copy_in_sync_has_it() {
    let rig = Rig::new(1);
    rig.hold(0, Some(ME), 1, Members { lost: 1, ..members(2, &[ME, OTHER]) });
    rig.write(TENANT, "SET k v");
    let mut reading = rig.read();
    assert!(matches!(reading.next().await, Some(Ok(Piece::Page(_)))));
    let waiting = tokio::time::timeout(Duration::from_secs(1), reading.next()).await;
    assert!(waiting.is_err(), "the other copy has not answered");
    // A reading that was not waited for is over: another one begins.
    let mut reading = rig.read();
    assert!(matches!(reading.next().await, Some(Ok(Piece::Page(_)))));
    let reading = tokio::spawn(async move { reading.next().await.unwrap() });
    tokio::task::yield_now().await;
    rig.hold(0, Some(ME), 1, Members { lost: 1, ..members(3, &[ME]) });
    let Piece::Cut(cut) = reading.await.unwrap().unwrap() else { panic!("nothing was changed meanwhile") };
    assert_eq!(cut, Cut { epoch: Epoch(1), sequence: Sequence(1) });
    // One that is never confirmed ends with words.
    rig.hold(0, Some(ME), 1, Members { lost: 1, ..members(4, &[ME, OTHER]) });
    rig.write(TENANT, "SET k w");
    let mut reading = rig.read();
    assert!(matches!(reading.next().await, Some(Ok(Piece::Page(_)))));
    assert_eq!(reading.next().await.unwrap().unwrap_err(), ReadError::Uncommitted);
}

fn entry(key: &str, value: &str, expire_at_ms: Option<u64>) -> PageEntry {
    let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    PageEntry { key: bytes(key), value: Value::String(bytes(value)), expire_at_ms }
}

#[test]
fn keys_are_put_as_effects_but_for_those_that_have_expired() {
    let rig = Rig::new(1);
    rig.write(TENANT, "SET a old PX 5");
    let keys = vec![
        entry("a", "new", None),
        entry("b", "x", Some(START_MS + 50)),
        entry("c", "late", Some(START_MS - 1)),
    ];
    let before = rig.shards.last_change(PARTITION).unwrap().1;
    assert_eq!(rig.ask(0, Work::Put(keys)), [Answer::Count(2)]);
    assert_eq!(rig.shards.last_change(PARTITION).unwrap().1, before.next(), "one entry of the stream");
    let answers = rig.ask(0, commands(&["GET a", "PTTL a", "PTTL b", "EXISTS c"]));
    assert_eq!(answers, [text("new"), number(-1), number(50), number(0)]);
    let counts = vec![KeyCount { partition: PARTITION, tenant: TENANT, keys: 2 }];
    assert_eq!(rig.shards.key_counts(), (vec![PARTITION], counts));
}

#[test]
fn a_key_that_can_never_fit_is_refused_with_those_beside_it() {
    let rig = Rig::with_memory(1, 10_000);
    let keys = vec![entry("a", "x", None), entry("b", &"y".repeat(20_000), None)];
    let refused = rig.ask(0, Work::Put(keys)).remove(0);
    assert!(matches!(&refused, Answer::Reply(reply) if reply.is_error()), "{refused:?}");
    assert_eq!(rig.call("EXISTS a"), number(0));
    // Too many are evicted from, as by any write.
    let many = (0..200).map(|key| entry(&format!("k{key}"), &"z".repeat(100), None)).collect();
    assert_eq!(rig.ask(0, Work::Put(many)), [Answer::Count(200)]);
    assert!(rig.used() <= 10_000);
}

#[test]
fn with_too_few_copies_in_sync_nothing_is_put_under_quorum() {
    let rig = Rig::new(1);
    rig.shards.configure_tenant(TENANT, PolicyKind::Lru, None, true);
    rig.shards.set_min_in_sync(2);
    assert_eq!(rig.ask(0, Work::Put(vec![entry("a", "x", None)])), [Answer::NoReplicas]);
    assert!(rig.content().is_empty());
}
