//! Two nodes' shards, told by hand what one has for the other.

use super::*;
use crate::shards::{Heard, Queue};

const PARTITION: PartitionId = PartitionId(0);

/// Two rigs of one partition; the first is the primary.
struct Pair {
    first: Rig,
    second: Rig,
}

impl Pair {
    fn new() -> Pair {
        let (first, second) = (Rig::with_hold(1, HOLD_US), Rig::of(OTHER));
        let pair = Pair { first, second };
        pair.agree(ME, 2, members(1, &[ME]));
        pair
    }

    /// Both apply a state, in which both are seated.
    fn agree(&self, primary: Life, epoch: u64, members: Members) {
        let members = Members { lost: 7, seated: [ME, OTHER].into(), ..members };
        self.first.hold(0, Some(primary), epoch, members.clone());
        self.second.hold(0, Some(primary), epoch, members);
    }

    fn queue(&self) -> Arc<Queue> {
        self.first.shards.queue_to(OTHER).unwrap()
    }

    /// Tells the second what is new until nothing is; `lost` says which calls do not arrive.
    fn tell(&self, mut lost: impl FnMut() -> bool) -> usize {
        let mut calls = 0;
        loop {
            let told = self.first.shards.parts(&self.queue(), &[PARTITION], 1000, false);
            let Some(told) = told.into_iter().next() else { return calls };
            calls += 1;
            assert!(calls < 10_000, "it never ends");
            let epoch = told.part.epoch;
            if lost() {
                self.first.shards.unheard(&self.queue(), PARTITION, epoch);
                continue;
            }
            let heard = self.second.shards.receive(ME, told, None).unwrap();
            if lost() {
                self.first.shards.unheard(&self.queue(), PARTITION, epoch);
                continue;
            }
            self.first.shards.acknowledged(&self.queue(), PARTITION, epoch, heard);
        }
    }

    /// The second is in sync and becomes the primary; the first is gone.
    fn fail_over(&self) {
        self.agree(ME, 2, members(2, &[ME, OTHER]));
        let alone = |version| Members { lost: 7, ..members(version, &[OTHER]) };
        self.second.hold(0, None, 3, alone(3));
        self.second.hold(0, Some(OTHER), 4, alone(3));
    }
}

#[test]
fn what_one_did_the_other_has_when_it_takes_over() {
    let pair = Pair::new();
    pair.tell(|| false);
    let line = ["SET a 1", "APPEND a 23", "SET b x PX 5000", "SET c gone", "DEL c", "INCR n"];
    pair.first.ask(0, commands(&line));
    pair.tell(|| false);
    pair.fail_over();
    let answers = pair.second.ask(0, commands(&["GET a", "GET b", "PTTL b", "EXISTS c", "GET n"]));
    assert_eq!(answers, [text("123"), text("x"), number(5000), number(0), text("1")]);
    assert_eq!(pair.second.used(), pair.first.used());
}

#[test]
fn a_copy_is_made_page_by_page_while_writes_go_on_and_calls_are_lost() {
    for seed in 0..20 {
        let pair = Pair::new();
        let mut rng = SplitMix64::new(seed);
        // Whoever is late finds the log gone: it needs a copy.
        pair.first.hold(0, Some(ME), 2, Members { lost: 7, ..members(1, &[ME]) });
        let key = |n: u64| format!("key-{n}");
        for n in 0..2000 {
            pair.first.ask(0, commands(&[&format!("SET {} {n}", key(n))]));
        }
        pair.agree(ME, 2, members(2, &[ME]));
        let mut step = 0u64;
        let first = &pair.first;
        let calls = pair.tell(|| {
            step += 1;
            if step < 200 {
                let n = predis_types::Rng::below(&mut rng, 2000);
                first.ask(
                    0,
                    commands(&[&format!("APPEND {} +{step}", key(n)), &format!("DEL {}", key(n / 2))]),
                );
            }
            predis_types::Rng::below(&mut rng, 5) == 0
        });
        assert!(calls > 20, "it took pages: {calls}");
        pair.fail_over();
        for n in 0..2000 {
            let line = format!("GET {}", key(n));
            assert_eq!(
                pair.second.ask(0, commands(&[&line])),
                pair.first.ask(0, commands(&[&line])),
                "{line}"
            );
        }
    }
}

#[tokio::test]
async fn under_quorum_replies_wait_for_everybody_in_sync_and_writes_for_enough_of_them() {
    let pair = Pair::new();
    pair.first.shards.configure_tenant(TENANT, PolicyKind::Lru, None, true);
    pair.first.shards.set_min_in_sync(2);
    let few = pair.first.ask(0, commands(&["SET k v", "GET k"]));
    assert_eq!(few, [Answer::NoReplicas, nil()]);
    assert_eq!(pair.first.ask(0, Work::Flush), [Answer::NoReplicas]);
    pair.tell(|| false);
    pair.agree(ME, 2, members(2, &[ME, OTHER]));
    let written = pair.first.submit(0, TENANT, commands(&["SET k v"]));
    let read = pair.first.submit(0, TENANT, commands(&["GET k"]));
    assert!(matches!((&written, &read), (Completion::Committing(_), Completion::Committing(_))));
    let waiting = tokio::spawn(async { (written.answers().await, read.answers().await) });
    pair.tell(|| false);
    assert_eq!(waiting.await.unwrap(), (vec![ok()], vec![text("v")]));
    assert_eq!(pair.first.ask(0, commands(&["GET k"])), [text("v")], "nothing is left to wait for");
    // One that is deposed meanwhile cannot say what came of it.
    let lost = tokio::spawn(pair.first.submit(0, TENANT, commands(&["SET k w"])).answers());
    pair.first.hold(0, Some(OTHER), 3, Members { lost: 7, ..members(3, &[OTHER]) });
    assert_eq!(lost.await.unwrap(), [Answer::Withheld]);
}

#[test]
fn who_is_not_the_primary_of_the_epoch_is_not_listened_to() {
    let pair = Pair::new();
    pair.first.ask(0, commands(&["SET k v"]));
    let told = pair.first.shards.parts(&pair.queue(), &[PARTITION], 1000, false).remove(0);
    pair.second.hold(0, None, 3, Members { lost: 7, ..members(3, &[OTHER]) });
    assert_eq!(pair.second.shards.receive(ME, told, None).unwrap(), Heard::OtherEpoch(Epoch(3)));
}
