//! Each policy with one partition against a plain model of it, over random operations: the same victims in
//! the same order, the same keys held, the same sums. The models are lists that are searched and shifted;
//! they share nothing with the crate.

use predis_policy::PolicyKind;
use proptest::prelude::*;

use crate::driver::Cache;

/// What is done to the cache and to its model.
#[derive(Clone, Debug)]
enum Step {
    /// Read or overwrite a key; insert it, after making room, if it is not held.
    Request {
        key: u64,
        cost: u64,
    },
    /// Insert a key if it is not held, without making room.
    Insert {
        key: u64,
        cost: u64,
    },
    Resize {
        key: u64,
        cost: u64,
    },
    Remove {
        key: u64,
    },
    Evict,
    SetBudget {
        budget: u64,
    },
    Clear,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0..60u64;
    let cost = prop_oneof![4 => Just(1u64), 2 => 1..6u64, 1 => 0..30u64];
    let step = prop_oneof![
        200 => (key.clone(), cost.clone()).prop_map(|(key, cost)| Step::Request { key, cost }),
        20 => (key.clone(), cost.clone()).prop_map(|(key, cost)| Step::Insert { key, cost }),
        20 => (key.clone(), cost).prop_map(|(key, cost)| Step::Resize { key, cost }),
        10 => key.prop_map(|key| Step::Remove { key }),
        10 => Just(Step::Evict),
        2 => (0..90u64).prop_map(|budget| Step::SetBudget { budget }),
        1 => Just(Step::Clear),
    ];
    prop::collection::vec(step, 1..500)
}

/// A policy said plainly.
trait Model {
    fn entries(&self) -> Vec<(u64, u64)>;
    fn insert(&mut self, key: u64, cost: u64, budget: u64);
    fn hit(&mut self, key: u64);
    fn resize(&mut self, key: u64, cost: u64);
    fn remove(&mut self, key: u64);
    fn evict(&mut self, budget: u64) -> Option<u64>;
    fn clear(&mut self);
}

/// One list of (key, cost), the next victim first.
struct Line {
    list: Vec<(u64, u64)>,
    moves_on_hit: bool,
}

impl Model for Line {
    fn entries(&self) -> Vec<(u64, u64)> {
        self.list.clone()
    }
    fn insert(&mut self, key: u64, cost: u64, _budget: u64) {
        self.list.push((key, cost));
    }
    fn hit(&mut self, key: u64) {
        let at = self.list.iter().position(|entry| entry.0 == key).expect("only held keys are hit");
        if self.moves_on_hit {
            let entry = self.list.remove(at);
            self.list.push(entry);
        }
    }
    fn resize(&mut self, key: u64, cost: u64) {
        self.list.iter_mut().filter(|entry| entry.0 == key).for_each(|entry| entry.1 = cost);
    }
    fn remove(&mut self, key: u64) {
        self.list.retain(|entry| entry.0 != key);
    }
    fn evict(&mut self, _budget: u64) -> Option<u64> {
        if self.list.is_empty() { None } else { Some(self.list.remove(0).0) }
    }
    fn clear(&mut self) {
        self.list.clear();
    }
}

/// S3-FIFO: (key, cost, uses) in two lists, (key, cost) in the ghost list.
#[derive(Default)]
struct ThreeLists {
    small: Vec<(u64, u64, u32)>,
    main: Vec<(u64, u64, u32)>,
    ghost: Vec<(u64, u64)>,
    was_full: bool,
}

impl ThreeLists {
    fn sum(list: &[(u64, u64, u32)]) -> u64 {
        list.iter().map(|entry| entry.1).sum()
    }
    fn both(&mut self) -> impl Iterator<Item = &mut (u64, u64, u32)> {
        self.small.iter_mut().chain(self.main.iter_mut())
    }
    fn forget_fullness_when_empty(&mut self) {
        self.was_full &= !(self.small.is_empty() && self.main.is_empty());
    }
}

impl Model for ThreeLists {
    fn entries(&self) -> Vec<(u64, u64)> {
        self.small.iter().chain(&self.main).map(|entry| (entry.0, entry.1)).collect()
    }
    fn insert(&mut self, key: u64, cost: u64, budget: u64) {
        if let Some(at) = self.ghost.iter().position(|left| left.0 == key) {
            self.ghost.remove(at);
            self.main.push((key, cost, 0));
            return;
        }
        let fits = Self::sum(&self.small) + Self::sum(&self.main) + cost <= budget;
        if !self.was_full && fits && Self::sum(&self.small) >= budget / 10 {
            self.main.push((key, cost, 0));
        } else {
            self.small.push((key, cost, 0));
        }
    }
    fn hit(&mut self, key: u64) {
        self.both().filter(|entry| entry.0 == key).for_each(|entry| entry.2 = 3.min(entry.2 + 1));
    }
    fn resize(&mut self, key: u64, cost: u64) {
        self.both().filter(|entry| entry.0 == key).for_each(|entry| entry.1 = cost);
    }
    fn remove(&mut self, key: u64) {
        self.small.retain(|entry| entry.0 != key);
        self.main.retain(|entry| entry.0 != key);
        self.forget_fullness_when_empty();
    }
    fn evict(&mut self, budget: u64) -> Option<u64> {
        let share = budget - budget / 10;
        while !(self.small.is_empty() && self.main.is_empty()) {
            self.was_full = true;
            let from_main = Self::sum(&self.main) > share || self.small.is_empty();
            let (key, cost, uses) = if from_main { self.main.remove(0) } else { self.small.remove(0) };
            match (from_main, uses) {
                (true, 1..) => self.main.push((key, cost, uses - 1)),
                (false, 2..) => self.main.push((key, cost, 0)),
                (true, _) => {
                    self.forget_fullness_when_empty();
                    return Some(key);
                }
                (false, _) => {
                    self.ghost.push((key, cost.max(1)));
                    while self.ghost.iter().map(|left| left.1).sum::<u64>() > share {
                        self.ghost.remove(0);
                    }
                    self.forget_fullness_when_empty();
                    return Some(key);
                }
            }
        }
        None
    }
    fn clear(&mut self) {
        self.small.clear();
        self.main.clear();
        self.ghost.clear();
        self.was_full = false;
    }
}

fn make_room(model: &mut dyn Model, incoming: u64, budget: u64) -> Vec<u64> {
    let mut gone = Vec::new();
    while model.entries().iter().map(|entry| entry.1).sum::<u64>() + incoming > budget {
        match model.evict(budget) {
            Some(key) => gone.push(key),
            None => break,
        }
    }
    gone
}

/// Runs the steps through both and compares after each.
fn compare(kind: PolicyKind, model: &mut dyn Model, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut budget = 40;
    let mut cache = Cache::new(kind, 1, budget);
    for (tick, step) in steps.iter().enumerate() {
        let tick = tick as u64;
        match *step {
            Step::Request { key, cost } if !cache.holds(key) => {
                prop_assert_eq!(cache.make_room(cost, tick), make_room(model, cost, budget));
                cache.insert(key, cost, tick);
                model.insert(key, cost, budget);
            }
            Step::Insert { key, cost } if !cache.holds(key) => {
                cache.insert(key, cost, tick);
                model.insert(key, cost, budget);
            }
            Step::Request { key, .. } | Step::Insert { key, .. } => {
                cache.hit(key, tick);
                model.hit(key);
            }
            Step::Resize { key, cost } => {
                cache.resize(key, cost);
                model.resize(key, cost);
            }
            Step::Remove { key } => {
                cache.remove(key);
                model.remove(key);
            }
            Step::Evict => prop_assert_eq!(cache.evict(tick), model.evict(budget)),
            Step::SetBudget { budget: new } => {
                budget = new;
                cache.pool.set_budget(new);
            }
            Step::Clear => {
                cache.clear();
                model.clear();
            }
        }
        let entries = model.entries();
        prop_assert_eq!(cache.keys(), entries.iter().map(|entry| entry.0).collect());
        prop_assert_eq!(cache.pool.used(), entries.iter().map(|entry| entry.1).sum::<u64>());
    }
    // What is left leaves in the same order too.
    let last = steps.len() as u64;
    let rest = std::iter::from_fn(|| cache.evict(last)).collect::<Vec<_>>();
    prop_assert_eq!(rest, std::iter::from_fn(|| model.evict(budget)).collect::<Vec<_>>());
    prop_assert_eq!(cache.pool.used(), 0);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn lru_is_its_model(steps in steps()) {
        compare(PolicyKind::Lru, &mut Line { list: Vec::new(), moves_on_hit: true }, &steps)?;
    }

    #[test]
    fn fifo_is_its_model(steps in steps()) {
        compare(PolicyKind::Fifo, &mut Line { list: Vec::new(), moves_on_hit: false }, &steps)?;
    }

    #[test]
    fn s3fifo_is_its_model(steps in steps()) {
        compare(PolicyKind::S3fifo, &mut ThreeLists::default(), &steps)?;
    }
}
