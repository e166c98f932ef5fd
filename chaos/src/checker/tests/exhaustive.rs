//! The search against all orders there are, on small histories; and on long ones, which must be decided.

use super::{
    generate::{Shape, disturb, history},
    *,
};
use predis_types::{Rng, SplitMix64};

/// Whether some order of all that ended and some of the open operations explains every answer. Tries every
/// permutation of every choice, and only then asks about time.
fn some_order_explains(history: &[Operation]) -> bool {
    let (open, ended): (Vec<&Operation>, Vec<&Operation>) =
        history.iter().partition(|operation| operation.ret.is_none());
    (0..1_u32 << open.len()).any(|choice| {
        let chosen = open.iter().enumerate().filter(|(n, _)| choice & (1 << n) != 0);
        let mut all: Vec<&Operation> = ended.iter().copied().chain(chosen.map(|(_, open)| *open)).collect();
        any_permutation(&mut all, 0)
    })
}

fn any_permutation(operations: &mut Vec<&Operation>, fixed: usize) -> bool {
    if fixed == operations.len() {
        return keeps_time(operations) && explains(operations);
    }
    (fixed..operations.len()).any(|next| {
        operations.swap(fixed, next);
        let found = any_permutation(operations, fixed + 1);
        operations.swap(fixed, next);
        found
    })
}

fn keeps_time(order: &[&Operation]) -> bool {
    let ended_before = |a: &Operation, b: &Operation| a.ret.is_some_and(|ret| ret < b.call);
    (0..order.len()).all(|first| (0..first).all(|earlier| !ended_before(order[first], order[earlier])))
}

fn explains(order: &[&Operation]) -> bool {
    let mut state = State::None;
    order.iter().all(|operation| {
        let (after, answer) = operation.input.apply(&state);
        state = after;
        operation.output.as_ref().is_none_or(|output| *output == answer)
    })
}

#[test]
fn agrees_with_all_permutations_of_small_histories() {
    let mut rng = SplitMix64::new(7);
    let (mut good, mut bad) = (0, 0);
    for n in 0..3_000 {
        let shape = Shape {
            operations: 2 + rng.below(6),
            concurrency: 1 + rng.below(4),
            open_one_in: 2 + rng.below(5),
        };
        let mut history = history(&mut rng, shape);
        // Small changes, since most of them make no violation.
        for _ in 0..n % 12 {
            disturb(&mut rng, &mut history);
        }
        let verdict = check(&history);
        let expected = some_order_explains(&history);
        assert_eq!(verdict == Verdict::Linearizable, expected, "{n}: {verdict:?} of {history:#?}");
        assert_ne!(verdict, Verdict::Undecided);
        *(if expected { &mut good } else { &mut bad }) += 1;
    }
    assert!(good > 1_000 && bad > 1_000, "{good} good, {bad} bad");
}

#[test]
fn long_histories_of_one_copy_hold() {
    let mut rng = SplitMix64::new(8);
    for (operations, concurrency, open_one_in) in
        [(5_000, 1, 1_000), (5_000, 4, 1_000), (1_000, 8, 500), (1_000, 2, 100)]
    {
        let shape = Shape { operations, concurrency, open_one_in };
        assert_eq!(check(&history(&mut rng, shape)), Verdict::Linearizable, "{shape:?}");
    }
}
