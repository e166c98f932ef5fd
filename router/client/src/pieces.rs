//! Commands whose keys lie in several slots: cut up by slot, sent all at once, answered as one.
//!
//! Not atomic: others may see, and failures may leave, some pieces done and others not. Knows nothing of nodes.

use crate::{
    core::{Call, Core},
    error::CallError,
    plan::place_of,
    view::View,
};
use futures_util::future::join_all;
use predis_resp::{CommandId, CommandSpec, Reply};
use predis_types::{Slot, key_slot};
use std::{collections::BTreeMap, time::Duration};

/// One slot's share of a command.
struct Piece<'a> {
    slot: Slot,
    args: Vec<&'a [u8]>,
    /// Which of the command's keys these are, in order.
    keys: Vec<usize>,
}

/// Carries a command out in pieces.
pub(crate) async fn call(
    core: &Core,
    spec: &'static CommandSpec,
    args: &[&[u8]],
    view: &View,
    limit: Duration,
) -> Result<Reply, CallError> {
    let pieces = cut(spec, args);
    let calls = pieces.iter().map(|piece| async move {
        core.call(place_of(piece.slot, view), &Call { spec, args: &piece.args }, limit).await
    });
    let replies = join_all(calls).await.into_iter().collect::<Result<Vec<Reply>, CallError>>()?;
    if let Some(refused) = replies.iter().find(|reply| reply.is_error()) {
        return Ok(refused.clone());
    }
    let unexpected = || CallError::Unexpected(spec.name);
    match spec.id {
        CommandId::Mset => Ok(Reply::ok()),
        CommandId::Mget => gather(&pieces, replies).ok_or_else(unexpected),
        _ => sum(&replies).map(Reply::Integer).ok_or_else(unexpected),
    }
}

/// By slot, in the order of slots; what belongs to a key, such as MSET's value, goes with it.
fn cut<'a>(spec: &CommandSpec, args: &[&'a [u8]]) -> Vec<Piece<'a>> {
    let mut pieces: BTreeMap<Slot, Piece<'a>> = BTreeMap::new();
    for (number, index) in spec.keys_of(args).enumerate() {
        let slot = key_slot(args[index]);
        let piece =
            pieces.entry(slot).or_insert_with(|| Piece { slot, args: vec![args[0]], keys: Vec::new() });
        let end = (index + spec.keys.step.max(1)).min(args.len());
        piece.args.extend(&args[index..end]);
        piece.keys.push(number);
    }
    pieces.into_values().collect()
}

/// The values in the order of the command's keys.
fn gather(pieces: &[Piece<'_>], replies: Vec<Reply>) -> Option<Reply> {
    let count = pieces.iter().map(|piece| piece.keys.len()).sum();
    let mut values = vec![Reply::Null; count];
    for (piece, reply) in pieces.iter().zip(replies) {
        let Reply::Array(items) = reply else { return None };
        if items.len() != piece.keys.len() {
            return None;
        }
        for (key, item) in piece.keys.iter().zip(items) {
            values[*key] = item;
        }
    }
    Some(Reply::Array(values))
}

/// The sum of integers; `None` when one is none.
pub(crate) fn sum(replies: &[Reply]) -> Option<i64> {
    replies.iter().try_fold(0i64, |sum, reply| match reply {
        Reply::Integer(number) => sum.checked_add(*number),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use predis_resp::lookup;

    fn cut_line(line: &str) -> Vec<(String, Vec<usize>)> {
        let args: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let text = |piece: Piece<'_>| {
            let words: Vec<_> = piece.args.iter().map(|arg| String::from_utf8_lossy(arg)).collect();
            (words.join(" "), piece.keys)
        };
        cut(lookup(&args).unwrap(), &args).into_iter().map(text).collect()
    }

    #[test]
    fn pieces_have_the_keys_of_one_slot_and_what_belongs_to_them() {
        // bar is in slot 5061, foo in slot 12182.
        assert_eq!(
            cut_line("mget foo bar {foo}2 foo"),
            [("mget bar".into(), vec![1]), ("mget foo {foo}2 foo".into(), vec![0, 2, 3])]
        );
        assert_eq!(
            cut_line("MSET foo 1 bar 2 foo 3"),
            [("MSET bar 2".into(), vec![1]), ("MSET foo 1 foo 3".into(), vec![0, 2])]
        );
    }

    #[test]
    fn values_come_back_in_the_order_of_the_keys() {
        let args: Vec<&[u8]> = vec![b"mget", b"foo", b"bar", b"{foo}2"];
        let pieces = cut(lookup(&args).unwrap(), &args);
        let reply = |numbers: &[i64]| Reply::Array(numbers.iter().copied().map(Reply::Integer).collect());
        assert_eq!(gather(&pieces, vec![reply(&[2]), reply(&[1, 3])]), Some(reply(&[1, 2, 3])));
        assert_eq!(gather(&pieces, vec![reply(&[2]), reply(&[1])]), None, "one value is missing");
        assert_eq!(gather(&pieces, vec![Reply::Null, reply(&[1, 3])]), None);
    }
}
