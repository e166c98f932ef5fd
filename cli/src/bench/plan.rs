//! What is asked: the sequence of requests, drawn beforehand, and their bytes. Pure and seeded.
//!
//! ```text
//! seed --draw--> [GET 17, GET 3, SET 17, ...] --split by slot--> one sequence a node --Feed--> a connection's share
//! ```
//! Drawing costs nothing while the clock runs: a request is twelve digits written into a template. Does not know
//! sockets or time.

use crate::{wire::SlotMap, zipf::Zipf};
use bytes::BytesMut;
use predis_resp::encode_command;
use predis_types::{Rng, SplitMix64, key_slot};
use serde::Serialize;
use std::{fmt, str::FromStr, sync::Arc};

/// The most requests that are drawn; a longer run repeats them.
const MAX_DRAWN: u64 = 1 << 22;

/// The digits of a key's number.
const DIGITS: usize = 12;

/// What a key begins with.
const PREFIX: &[u8] = b"key:";

/// How keys are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Distribution {
    /// Each as often as any other.
    Uniform,
    /// By Zipf's law with this exponent.
    Zipf(f64),
}

/// A text is no distribution.
#[derive(Debug, thiserror::Error)]
#[error("a distribution must be uniform, zipf, or zipf:THETA with THETA above 0 and up to 10")]
pub(super) struct BadDistribution;

impl FromStr for Distribution {
    type Err = BadDistribution;

    fn from_str(text: &str) -> Result<Self, BadDistribution> {
        match text.split_once(':') {
            None if text == "uniform" => Ok(Distribution::Uniform),
            None if text == "zipf" => Ok(Distribution::Zipf(0.99)),
            Some(("zipf", theta)) => {
                let theta = theta.parse().ok().filter(|theta| *theta > 0.0 && *theta <= 10.0);
                theta.map(Distribution::Zipf).ok_or(BadDistribution)
            }
            _ => Err(BadDistribution),
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Distribution::Uniform => f.write_str("uniform"),
            Distribution::Zipf(theta) => write!(f, "zipf:{theta}"),
        }
    }
}

/// How many GETs come with how many SETs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Mix {
    pub(super) get: u32,
    pub(super) set: u32,
}

/// A text is no mix.
#[derive(Debug, thiserror::Error)]
#[error("a ratio must be two whole numbers GET:SET that are not both 0, such as 9:1")]
pub(super) struct BadMix;

impl FromStr for Mix {
    type Err = BadMix;

    fn from_str(text: &str) -> Result<Self, BadMix> {
        let (get, set) = text.split_once(':').ok_or(BadMix)?;
        let number = |text: &str| text.parse::<u32>().map_err(|_| BadMix);
        let mix = Mix { get: number(get)?, set: number(set)? };
        if mix.get == 0 && mix.set == 0 { Err(BadMix) } else { Ok(mix) }
    }
}

/// One request: the number of a key, and the top bit for a SET.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Op(u32);

impl Op {
    const SET: u32 = 1 << 31;

    pub(super) fn set(key: u32) -> Op {
        Op(key | Op::SET)
    }

    pub(super) fn is_set(self) -> bool {
        self.0 & Op::SET != 0
    }

    pub(super) fn key(self) -> u32 {
        self.0 & !Op::SET
    }
}

/// Draws the sequence for `requests`, or the whole of it when there is no number.
pub(super) fn draw(
    keys: u32,
    distribution: Distribution,
    mix: Mix,
    seed: u64,
    requests: Option<u64>,
) -> Vec<Op> {
    let mut rng = SplitMix64::new(seed);
    let zipf = match distribution {
        Distribution::Uniform => None,
        Distribution::Zipf(theta) => Some(Zipf::new(u64::from(keys), theta)),
    };
    let (get, all) = (u64::from(mix.get), u64::from(mix.get) + u64::from(mix.set));
    let drawn = 0..requests.unwrap_or(MAX_DRAWN).min(MAX_DRAWN);
    let op = |_| {
        let key = match &zipf {
            Some(zipf) => zipf.sample(&mut rng) - 1,
            None => rng.below(u64::from(keys)),
        };
        // Keys are fewer than 2^31.
        let key = key as u32;
        if rng.below(all) < get { Op(key) } else { Op::set(key) }
    };
    drawn.map(op).collect()
}

/// The bytes of requests.
#[derive(Clone, Debug)]
pub(super) struct Encoder {
    get: Vec<u8>,
    get_digits: usize,
    set: Vec<u8>,
    set_digits: usize,
}

impl Encoder {
    /// For values of this many bytes, printable and not all the same.
    pub(super) fn new(value_size: usize, seed: u64) -> Encoder {
        let mut rng = SplitMix64::new(!seed);
        let value: Vec<u8> = (0..value_size).map(|_| b'!' + rng.below(94) as u8).collect();
        let (get, get_digits) = template(b"GET", None);
        let (set, set_digits) = template(b"SET", Some(&value));
        Encoder { get, get_digits, set, set_digits }
    }

    /// Adds a request.
    pub(super) fn encode(&self, op: Op, out: &mut BytesMut) {
        let (template, digits) =
            if op.is_set() { (&self.set, self.set_digits) } else { (&self.get, self.get_digits) };
        let at = out.len() + digits;
        out.extend_from_slice(template);
        write_digits(op.key(), &mut out[at..at + DIGITS]);
    }
}

/// A command with a key of zeros, and where its digits are.
fn template(name: &[u8], value: Option<&[u8]>) -> (Vec<u8>, usize) {
    let key = key(0);
    let args: Vec<&[u8]> = [name, &key].into_iter().chain(value).collect();
    let mut out = BytesMut::new();
    encode_command(&args, &mut out);
    let at = out.windows(PREFIX.len()).position(|bytes| bytes == PREFIX);
    (out.to_vec(), at.expect("a command has its key in it") + PREFIX.len())
}

fn write_digits(mut number: u32, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

fn key(number: u32) -> Vec<u8> {
    let mut key = [PREFIX, &[b'0'; DIGITS]].concat();
    write_digits(number, &mut key[PREFIX.len()..]);
    key
}

/// One node's part of the sequence, and how many of the run's requests it gets.
pub(super) struct Share {
    pub(super) ops: Arc<[Op]>,
    pub(super) requests: Option<u64>,
}

/// Which node of the map is sent what. A slot that nobody serves is asked of the first node, which will say so.
pub(super) fn split(ops: Vec<Op>, map: &SlotMap, requests: Option<u64>) -> Vec<Share> {
    let drawn = ops.len();
    let mut parts = vec![Vec::new(); map.nodes().len()];
    match parts.as_mut_slice() {
        [only] => *only = ops,
        parts => {
            for op in ops {
                parts[map.node_of(key_slot(&key(op.key()))).unwrap_or(0)].push(op);
            }
        }
    }
    let mut before = 0;
    let share = |ops: Vec<Op>| {
        let bound = |at: usize| requests.map(|all| part(all, at, drawn));
        let first = bound(before);
        before += ops.len();
        Share { requests: bound(before).zip(first).map(|(end, begin)| end - begin), ops: ops.into() }
    };
    parts.into_iter().map(share).collect()
}

/// What one connection sends: a stretch of a sequence, or the sequence from some place on, over and over.
#[derive(Clone, Debug)]
pub(super) struct Feed {
    ops: Arc<[Op]>,
    at: usize,
    left: Option<u64>,
}

impl Feed {
    /// Shares a sequence among connections: `requests` altogether, or without end.
    pub(super) fn share(ops: Arc<[Op]>, connections: usize, requests: Option<u64>) -> Vec<Feed> {
        let feed = |index: usize| {
            let bound = |index: usize| requests.map(|all| part(all, index, connections));
            let at = match bound(index) {
                // The connections' stretches follow each other.
                Some(first) => (first % ops.len().max(1) as u64) as usize,
                None => part(ops.len() as u64, index, connections) as usize,
            };
            let left = bound(index + 1).zip(bound(index)).map(|(end, begin)| end - begin);
            Feed { ops: ops.clone(), at, left: if ops.is_empty() { Some(0) } else { left } }
        };
        (0..connections).map(feed).collect()
    }

    /// The next request, if any is left.
    pub(super) fn next(&mut self) -> Option<Op> {
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(1)?;
        }
        let op = self.ops[self.at];
        self.at = if self.at + 1 == self.ops.len() { 0 } else { self.at + 1 };
        Some(op)
    }
}

/// Where the stretch of the connection `index` of `of` begins in `all`.
fn part(all: u64, index: usize, of: usize) -> u64 {
    (u128::from(all) * index as u128 / of.max(1) as u128) as u64
}

#[cfg(test)]
mod tests;
