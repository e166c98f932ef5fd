//! Histories of a correct register, from a seed; and the same with one answer changed.

use super::*;
use predis_types::{Rng, SplitMix64};

/// What kind of histories.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// How many operations.
    pub(super) operations: u64,
    /// How many begin in the time that one takes.
    pub(super) concurrency: u64,
    /// One in so many has an unknown outcome.
    pub(super) open_one_in: u64,
}

const DURATION: Time = 100;

/// A history that a single copy gave.
pub(super) fn history(rng: &mut SplitMix64, shape: Shape) -> Vec<Operation> {
    let span = 1 + shape.operations * DURATION / shape.concurrency;
    // When each takes effect, and what it is.
    let mut effects = Vec::new();
    for n in 0..shape.operations {
        let call = rng.below(span);
        let ret = call + 1 + rng.below(2 * DURATION);
        let open = rng.below(shape.open_one_in) == 0;
        let at = match open {
            true if rng.below(2) == 0 => None,
            true => Some(call + rng.below(span)),
            false => Some(call + rng.below(ret - call + 1)),
        };
        effects
            .push((at, Operation { call, ret: (!open).then_some(ret), input: input(rng, n), output: None }));
    }
    effects.sort_by_key(|(at, _)| *at);
    let mut state = State::None;
    for (at, operation) in &mut effects {
        if at.is_some() {
            let (after, output) = operation.input.apply(&state);
            state = after;
            operation.output = operation.ret.and(Some(output));
        }
    }
    effects.into_iter().map(|(_, operation)| operation).collect()
}

/// Any operation; what it writes, if it writes, nothing else writes.
fn input(rng: &mut SplitMix64, n: u64) -> Input {
    let unique =
        if rng.below(2) == 0 { bytes(&(1_000 * (n + 1)).to_string()) } else { bytes(&format!("v{n}")) };
    match rng.below(20) {
        0..7 => Input::Get,
        7..11 => Input::Set(unique),
        11..13 => Input::SetNx(unique),
        13..15 => Input::GetSet(unique),
        15..16 => Input::Append(if rng.below(4) == 0 { bytes("7") } else { bytes(&format!("+{n}")) }),
        16..18 => Input::Incr,
        18 => Input::Vanish,
        _ => Input::Del,
    }
}

/// Gives one operation the answer of another, or moves it in time: perhaps a violation, perhaps not.
pub(super) fn disturb(rng: &mut SplitMix64, history: &mut [Operation]) {
    let (at, other) = (rng.below(history.len() as u64) as usize, rng.below(history.len() as u64) as usize);
    if rng.below(2) == 0 {
        let output = history[other].output.clone();
        if history[at].ret.is_some() {
            history[at].output = output;
        }
    } else {
        let (call, ret) = (history[other].call, history[other].ret);
        if history[at].ret.is_some() && ret.is_some() {
            (history[at].call, history[at].ret) = (call, ret);
        }
    }
}
