//! What can go wrong, one file each: what a fault does to the world and what mends it, and how one is drawn.
//!
//! Every fault is counted by kind when it fires, and [`KINDS`] says which kinds there are: a long run in which one
//! never fired has not shown what it claims. Knows nothing of what must hold meanwhile.

mod clock_jump;
mod crash;
mod delay;
mod disk_full;
mod drain;
mod drop;
mod duplicate;
mod failed_sync;
mod flap;
mod heal;
mod hold;
mod join;
mod leave;
mod lost_answer;
mod one_way;
mod partition;
mod pause;
mod power_loss;
mod reorder;
mod slow_disk;
mod slow_node;
mod weight;

use crate::world::{Odds, World};
use predis_types::{Rng, SplitMix64};
use std::{cell::Cell, ops::RangeInclusive, rc::Rc, time::Duration};

/// Something that is done to the world.
pub type Action = Box<dyn FnOnce(&mut World)>;

/// One time that something goes wrong: how it begins, and how it is over.
pub struct Episode {
    /// Breaks it.
    pub begin: Action,
    /// Mends it.
    pub end: Action,
}

/// A kind of trouble that a scenario can draw.
#[derive(Clone, Copy)]
pub struct Fault {
    /// Its name.
    pub name: &'static str,
    /// How long one lasts, in milliseconds.
    pub lasts_ms: (u64, u64),
    /// Draws one for a cluster of so many nodes.
    pub draw: fn(&mut SplitMix64, u64) -> Episode,
}

impl Fault {
    /// Draws one, with how long it lasts.
    pub fn episode(&self, rng: &mut SplitMix64, nodes: u64) -> (Duration, Episode) {
        let (least, most) = self.lasts_ms;
        let lasts = Duration::from_millis(least + rng.below(most - least + 1));
        (lasts, (self.draw)(rng, nodes))
    }
}

pub use slow_node::Slowness;

/// See its module.
pub const CLOCK_JUMP: Fault = clock_jump::FAULT;
/// See its module.
pub const DRAIN: Fault = drain::FAULT;
/// See its module.
pub const JOIN: Fault = join::FAULT;
/// See its module.
pub const LEAVE: Fault = leave::FAULT;
/// See its module.
pub const WEIGHT: Fault = weight::FAULT;

/// All faults.
pub const ALL: &[Fault] = &[
    clock_jump::FAULT,
    crash::FAULT,
    delay::FAULT,
    disk_full::FAULT,
    drain::FAULT,
    drop::FAULT,
    duplicate::FAULT,
    failed_sync::FAULT,
    flap::FAULT,
    hold::FAULT,
    join::FAULT,
    leave::FAULT,
    lost_answer::FAULT,
    one_way::FAULT,
    partition::FAULT,
    pause::FAULT,
    power_loss::FAULT,
    reorder::FAULT,
    slow_disk::FAULT,
    slow_node::FAULT,
    weight::FAULT,
];

/// Those that pass and leave the cluster what it was asked to be, and its clocks as they were.
pub fn passing() -> Vec<Fault> {
    let stays = [CLOCK_JUMP, DRAIN, JOIN, LEAVE, WEIGHT].map(|fault| fault.name);
    ALL.iter().copied().filter(|fault| !stays.contains(&fault.name)).collect()
}

/// The kinds that are counted. What a fault leads to has kinds of its own: a write that a power loss tears, a node
/// that stops because its disk failed it.
pub const KINDS: &[&str] = &[
    "clock-drift",
    "clock-jump",
    "clock-jump-far",
    "clock-skew",
    "crash",
    "delay",
    "disk-full",
    "drain",
    "drop",
    "duplicate",
    "fail-stop",
    "failed-sync",
    "flap",
    "hold",
    "join",
    "leave",
    "left",
    "lost-answer",
    "one-way",
    "partition",
    "pause",
    "power-loss",
    "release",
    "reorder",
    "restart",
    "slow-disk",
    "slow-node",
    "torn-write",
    "weight",
];

/// Whom a fault hits: some are drawn, some known only when it strikes.
#[derive(Clone)]
pub struct Victim {
    choice: Choice,
    hit: Rc<Cell<Option<u64>>>,
}

#[derive(Clone, Copy)]
enum Choice {
    Node(u64),
    Leader,
    Primary(u64),
}

impl Victim {
    /// Any node as often as whoever leads or is primary then.
    pub fn draw(rng: &mut SplitMix64, nodes: u64) -> Victim {
        match rng.below(4) {
            0 => Victim::leader(),
            1 => Victim::primary(rng),
            _ => Victim::of(Choice::Node(1 + rng.below(nodes))),
        }
    }

    /// Whoever leads.
    pub fn leader() -> Victim {
        Victim::of(Choice::Leader)
    }

    /// A primary.
    pub fn primary(rng: &mut SplitMix64) -> Victim {
        Victim::of(Choice::Primary(rng.next_u64()))
    }

    fn of(choice: Choice) -> Victim {
        Victim { choice, hit: Rc::default() }
    }

    /// Begins with whoever it is then, and ends with the same; nothing happens while there is nobody.
    pub fn episode(
        self,
        begin: impl FnOnce(&mut World, u64) + 'static,
        end: impl FnOnce(&mut World, u64) + 'static,
    ) -> Episode {
        let (hit, then) = (self.hit.clone(), self.hit);
        let choice = self.choice;
        Episode {
            begin: Box::new(move |world| {
                hit.set(match choice {
                    Choice::Node(node) => Some(node),
                    Choice::Leader => world.leader(),
                    Choice::Primary(which) => world.primary(which),
                });
                if let Some(node) = hit.get() {
                    begin(world, node);
                }
            }),
            end: Box::new(move |world| {
                if let Some(node) = then.get() {
                    end(world, node);
                }
            }),
        }
    }
}

/// What becomes of the calls of all nodes, for a while.
fn calls(odds: Odds) -> Episode {
    Episode {
        begin: Box::new(move |world| world.set_odds(odds)),
        end: Box::new(|world| world.set_odds(Odds::default())),
    }
}

/// A number from a range.
fn within(rng: &mut SplitMix64, range: RangeInclusive<u64>) -> u64 {
    range.start() + rng.below(range.end() - range.start() + 1)
}

/// Two nodes of so many.
fn pair(rng: &mut SplitMix64, nodes: u64) -> (u64, u64) {
    let a = 1 + rng.below(nodes);
    let b = 1 + (a + rng.below(nodes - 1)) % nodes;
    (a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_of_two() {
        let mut rng = SplitMix64::new(1);
        for nodes in 2..6 {
            for _ in 0..100 {
                let (a, b) = pair(&mut rng, nodes);
                assert!(a != b && (1..=nodes).contains(&a) && (1..=nodes).contains(&b), "{a} {b} of {nodes}");
            }
        }
    }

    #[test]
    fn kinds_and_faults_are_in_order_and_once() {
        assert!(KINDS.windows(2).all(|two| two[0] < two[1]));
        assert!(ALL.windows(2).all(|two| two[0].name < two[1].name));
        assert!(ALL.iter().all(|fault| KINDS.contains(&fault.name)));
    }
}
