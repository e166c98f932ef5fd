//! Streams by example: one primary and its replicas, step by step.

use super::{Ack, Cursor, Entry, Follow, Lead, Members, PageHead, Part, SetChange, StreamConfig};
use crate::Life;
use predis_types::{Epoch, Incarnation, NodeId, Sequence, TenantId};
use std::collections::BTreeSet;

const ME: Life = life(1);
const B: Life = life(2);
const C: Life = life(3);
const CONFIG: StreamConfig =
    StreamConfig { keep_bytes: 0, most_bytes: 1000, patience_us: 1000, retry_us: 300, page_bytes: 0 };
const ROOM: usize = 1000;

const fn life(node: u64) -> Life {
    Life { node: NodeId(node), incarnation: Incarnation(1) }
}

fn set(lives: &[Life]) -> BTreeSet<Life> {
    lives.iter().copied().collect()
}

fn members(version: u64, in_sync: &[Life], seated: &[Life]) -> Members {
    let apart = BTreeSet::new();
    let (lost, recovered) = (0, false);
    Members { version, lost, recovered, in_sync: set(in_sync), seated: set(seated), apart }
}

fn lead(in_sync: &[Life], seated: &[Life]) -> Lead<u64> {
    Lead::new(ME, Epoch(1), members(1, in_sync, seated), 0, CONFIG)
}

fn follow(epoch: u64) -> Follow<u64> {
    Follow::new(Epoch(epoch), CONFIG)
}

/// Adds changes 10 bytes in size.
fn append(lead: &mut Lead<u64>, payloads: std::ops::RangeInclusive<u64>) {
    for payload in payloads {
        lead.append(0, || (payload, 10));
    }
}

/// One call: what the replica applied, or `None` when there is nothing to tell.
fn tell(lead: &mut Lead<u64>, to: Life, follow: &mut Follow<u64>) -> Option<Vec<u64>> {
    let part = lead.part(to, ROOM)?;
    let applied = hear(lead, to, follow, &part, None);
    lead.answered(to, follow.ack(), 0);
    Some(applied)
}

/// A part arrives; its page, if it has one, ends at `next`.
fn hear(
    lead: &mut Lead<u64>,
    to: Life,
    follow: &mut Follow<u64>,
    part: &Part<u64>,
    next: Option<Cursor>,
) -> Vec<u64> {
    if let Some(head) = part.page {
        lead.page_ends(to, head, next);
    }
    take(follow, part, next)
}

fn take(follow: &mut Follow<u64>, part: &Part<u64>, next: Option<Cursor>) -> Vec<u64> {
    let received = follow.receive(part);
    if let Some(head) = part.page.filter(|_| received.page) {
        follow.took(head, next.is_none());
    }
    received.apply
}

fn at(position: u64) -> Option<Cursor> {
    Some(Cursor { tenant: TenantId(0), position })
}

fn change(epoch: u64, version: u64, in_sync: &[Life]) -> Option<SetChange> {
    Some(SetChange { epoch: Epoch(epoch), version, in_sync: set(in_sync) })
}

#[test]
fn an_entry_is_committed_once_everybody_in_sync_has_it() {
    let mut lead = lead(&[ME, B, C], &[ME, B, C]);
    let (mut b, mut c) = (follow(1), follow(1));
    append(&mut lead, 1..=2);
    assert_eq!((lead.last(), lead.committed(), lead.lag()), (Sequence(2), Sequence(0), 2));
    // First they are asked what they have.
    tell(&mut lead, B, &mut b);
    tell(&mut lead, C, &mut c);
    assert_eq!(tell(&mut lead, B, &mut b).unwrap(), [], "nothing is applied before it is committed");
    assert_eq!((b.last(), b.applied(), lead.committed()), (Sequence(2), Sequence(0), Sequence(0)));
    assert_eq!(tell(&mut lead, C, &mut c).unwrap(), []);
    assert_eq!((lead.committed(), lead.holders(Sequence(2))), (Sequence(2), 2));
    // That is news for both, and then there is none.
    assert!(!lead.has_more_for(B));
    assert_eq!(tell(&mut lead, B, &mut b).unwrap(), [1, 2]);
    assert_eq!(tell(&mut lead, C, &mut c).unwrap(), [1, 2]);
    assert!(lead.part(B, ROOM).is_none() && lead.part(C, ROOM).is_none());
    assert_eq!(lead.change(0), None);
}

#[test]
fn a_part_has_as_many_entries_as_there_is_room_for_but_one_at_least() {
    let mut lead = lead(&[ME, B], &[ME, B]);
    let mut b = follow(1);
    tell(&mut lead, B, &mut b);
    append(&mut lead, 1..=5);
    let sizes: Vec<usize> = [25, 1, 1000].map(|room| lead.part(B, room).unwrap().entries.len()).into();
    assert_eq!(sizes, [2, 1, 2]);
    // None of them arrived.
    lead.failed(B, 0);
    tell(&mut lead, B, &mut b);
    assert_eq!(lead.part(B, ROOM).unwrap().entries.len(), 5);
}

#[test]
fn a_replica_that_lacks_what_is_kept_no_more_gets_a_copy_and_what_happens_meanwhile() {
    let mut lead = lead(&[ME], &[ME, B]);
    let mut b = follow(1);
    append(&mut lead, 1..=3);
    assert_eq!(lead.committed(), Sequence(3));
    tell(&mut lead, B, &mut b);
    assert_eq!(lead.copying(), 1);
    let first = lead.part(B, ROOM).unwrap();
    let head = PageHead { copy: 1, index: 0, at: Sequence(3), from: Cursor::default() };
    assert_eq!((first.page, first.entries.len()), (Some(head), 0));
    assert!(b.receive(&first).begin_empty && !b.is_whole());
    lead.page_ends(B, head, at(7));
    b.took(head, false);
    lead.answered(B, b.ack(), 0);
    // What happens in between goes along, and is applied at once: the next page shows it too.
    append(&mut lead, 4..=4);
    let second = lead.part(B, ROOM).unwrap();
    let page = second.page.unwrap();
    assert_eq!((page.index, page.at, page.from), (1, Sequence(4), at(7).unwrap()));
    assert_eq!(hear(&mut lead, B, &mut b, &second, None), [4]);
    assert!(b.is_whole() && b.applied() == Sequence(4));
    lead.answered(B, b.ack(), 0);
    assert_eq!(lead.change(0), change(1, 1, &[ME, B]));
}

#[test]
fn of_a_page_whose_fate_is_not_known_what_comes_late_is_not_taken() {
    let mut lead = lead(&[ME], &[ME, B]);
    let mut b = follow(1);
    append(&mut lead, 1..=3);
    tell(&mut lead, B, &mut b);
    let first = lead.part(B, ROOM).unwrap();
    hear(&mut lead, B, &mut b, &first, at(3));
    lead.answered(B, b.ack(), 0);
    let late = lead.part(B, ROOM).unwrap();
    lead.page_ends(B, late.page.unwrap(), at(5));
    lead.failed(B, 0);
    // It is asked, and has it not: the page is made anew, and may end elsewhere.
    tell(&mut lead, B, &mut b);
    let again = lead.part(B, ROOM).unwrap();
    assert_eq!(again.page, late.page);
    let before = b.clone();
    take(&mut b, &late, at(5));
    assert_eq!(b, before);
    hear(&mut lead, B, &mut b, &again, at(9));
    lead.answered(B, b.ack(), 0);
    assert_eq!(lead.part(B, ROOM).unwrap().page.unwrap().from, at(9).unwrap());
}

#[test]
fn a_copy_never_begins_again_before_a_later_one() {
    let mut b = follow(1);
    let page = |copy, at| {
        let head = PageHead { copy, index: 0, at: Sequence(at), from: Cursor::default() };
        let (epoch, first, last) = (Epoch(1), Sequence(at + 1), Sequence(at));
        Part { epoch, session: 1, first, entries: Vec::new(), committed: last, last, page: Some(head) }
    };
    take(&mut b, &page(2, 9), at(4));
    assert_eq!(b.ack().copying, Some((2, 1)));
    take(&mut b, &page(1, 8), at(4));
    assert_eq!(b.ack(), Ack { session: 1, matched: Sequence(9), copying: Some((2, 1)) });
    assert!(b.receive(&page(3, 9)).begin_empty);
}

/// A replica has heard this of a primary: entries from `first` on, the epoch and the payload of each.
fn heard(follow: &mut Follow<u64>, first: u64, entries: &[(u64, u64)], committed: u64) {
    let entry = |&(epoch, payload): &(u64, u64)| Entry { epoch: Epoch(epoch), size_bytes: 10, payload };
    let (epoch, first, committed) = (follow.epoch(), Sequence(first), Sequence(committed));
    let last = Sequence(first.0 + entries.len() as u64 - 1);
    let entries = entries.iter().map(entry).collect();
    follow.receive(&Part { epoch, session: 1, first, entries, committed, last, page: None });
}

#[test]
fn a_new_primary_keeps_its_log_and_others_replace_theirs_where_it_differs() {
    // 4 to 6 of C are of a primary of whom nobody else has heard: nothing of that was committed.
    let (mut b, mut c) = (follow(2), follow(2));
    heard(&mut b, 1, &[(2, 1), (2, 2), (2, 3), (2, 4), (2, 5)], 2);
    heard(&mut c, 1, &[(2, 1), (2, 2), (2, 3), (1, 41), (1, 51), (1, 61)], 2);
    let two = members(2, &[B, C], &[B, C]);
    let (mut lead, behind, lost) = b.again(Epoch(3), true).promote(B, Epoch(4), two, 0);
    assert_eq!((behind, lost), (vec![3, 4, 5], 0));
    assert_eq!((lead.last(), lead.committed()), (Sequence(5), Sequence(2)));
    let mut c = c.again(Epoch(4), true);
    assert_eq!(c.ack().matched, Sequence(2), "of the rest it is not known whether it is shared");
    tell(&mut lead, C, &mut c);
    assert_eq!(c.last(), Sequence(6), "nothing goes before it is replaced");
    tell(&mut lead, C, &mut c);
    assert_eq!((c.last(), lead.committed()), (Sequence(5), Sequence(5)));
    assert_eq!(tell(&mut lead, C, &mut c).unwrap(), [3, 4, 5]);
}

#[test]
fn nobody_joins_a_new_primary_who_lacks_what_may_have_been_committed_before() {
    let mut b = Follow::new(Epoch(1), StreamConfig { keep_bytes: 1000, ..CONFIG });
    heard(&mut b, 1, &[(1, 1), (1, 2), (1, 3)], 2);
    let (mut lead, ..) = b.promote(B, Epoch(2), members(2, &[B, C], &[ME, B, C]), 0);
    // C, which is in sync, is silent: so it is not known whether 3 was committed. A third gets 2 entries, then all.
    let mut third = follow(2);
    tell(&mut lead, ME, &mut third);
    let part = lead.part(ME, 20).unwrap();
    take(&mut third, &part, None);
    lead.answered(ME, third.ack(), 0);
    assert_eq!((third.last(), lead.committed()), (Sequence(2), Sequence(2)));
    assert_eq!(lead.change(0), None);
    tell(&mut lead, ME, &mut third);
    assert_eq!(lead.change(0), change(2, 2, &[ME, B, C]));
}

#[test]
fn what_the_last_primary_had_and_is_gone_is_counted_once() {
    let mut b = follow(1);
    let part = |epoch, last| {
        let (epoch, first) = (Epoch(epoch), Sequence(0));
        let (committed, last) = (Sequence(0), Sequence(last));
        Part { epoch, session: 1, first, entries: Vec::new(), committed, last, page: None }
    };
    b.receive(&part(1, 9));
    let lost = |b: &Follow<u64>| b.clone().promote(B, Epoch(9), Members::default(), 0).2;
    assert_eq!(lost(&b), 9);
    let mut b = b.again(Epoch(2), true).again(Epoch(3), true);
    assert_eq!(lost(&b), 9);
    // Another one became primary, with 4: what it lacked is its to report.
    b.receive(&part(3, 4));
    assert_eq!(lost(&b), 4);
}

#[test]
fn one_that_may_have_been_added_counts_until_the_sets_change() {
    let mut lead = lead(&[ME], &[ME, B]);
    let mut b = follow(1);
    tell(&mut lead, B, &mut b);
    let joins = change(1, 1, &[ME, B]);
    assert_eq!(lead.change(0), joins);
    append(&mut lead, 1..=1);
    assert_eq!(lead.committed(), Sequence(0), "it counts from the moment of the proposal");
    assert_eq!(lead.change(5000), None, "its outcome is awaited");
    lead.not_changed(Epoch(1), 1, false, 5000);
    assert_eq!(lead.change(5299), None);
    // It fell silent. What may come of the proposal is known only when the sets change: so that they do, it is
    // proposed again, and then that it leaves.
    assert_eq!(lead.change(5300), joins);
    lead.observed(members(2, &[ME, B], &[ME, B]), 5300);
    assert_eq!((lead.committed(), lead.change(5300)), (Sequence(0), change(1, 2, &[ME])));
    lead.observed(members(3, &[ME], &[ME, B]), 5300);
    assert_eq!((lead.committed(), lead.change(5300)), (Sequence(1), None));
}

#[test]
fn a_refusal_of_another_proposal_settles_nothing() {
    let mut lead = lead(&[ME], &[ME, B]);
    tell(&mut lead, B, &mut follow(1));
    let joins = change(1, 1, &[ME, B]);
    assert_eq!(lead.change(0), joins);
    lead.not_changed(Epoch(1), 0, true, 0);
    lead.not_changed(Epoch(0), 1, true, 0);
    assert_eq!(lead.change(0), None);
    lead.not_changed(Epoch(1), 1, true, 0);
    append(&mut lead, 1..=1);
    assert_eq!((lead.change(0), lead.committed()), (joins, Sequence(0)));
}

#[test]
fn one_that_is_silent_for_too_long_leaves_the_set_before_anything_goes_on_without_it() {
    let mut lead = lead(&[ME, B], &[ME, B]);
    tell(&mut lead, B, &mut follow(1));
    lead.append(100, || (1, 10));
    assert_eq!(lead.change(1099), None);
    assert_eq!(lead.change(1100), change(1, 1, &[ME]));
    assert_eq!(lead.committed(), Sequence(0));
    lead.observed(members(2, &[ME], &[ME, B]), 1100);
    assert_eq!(lead.committed(), Sequence(1));
}

#[test]
fn one_that_would_be_thrown_out_at_once_does_not_join() {
    let mut lead = lead(&[ME, C], &[ME, B, C]);
    let (mut b, mut c) = (follow(1), follow(1));
    tell(&mut lead, B, &mut b);
    tell(&mut lead, C, &mut c);
    lead.append(0, || (1, 10));
    lead.answered(C, c.ack(), 600);
    assert_eq!(lead.change(999), change(1, 1, &[ME, B, C]), "it has all that is committed");
    lead.not_changed(Epoch(1), 1, true, 999);
    lead.observed(members(2, &[ME, C], &[ME, B, C]), 999);
    assert_eq!(lead.change(1000), None, "and owes the rest for too long");
}

#[test]
fn after_versions_were_skipped_it_is_asked_anew_what_those_have_that_are_not_in_sync() {
    let mut lead = lead(&[ME, C], &[ME, B, C]);
    let (mut b, mut c) = (follow(1), follow(1));
    append(&mut lead, 1..=2);
    for _ in 0..2 {
        tell(&mut lead, B, &mut b);
        tell(&mut lead, C, &mut c);
    }
    assert_eq!(lead.holders(Sequence(2)), 2);
    // Version 2 took B's seat, and with it what B had; version 3 gave it back. An answer from before is late.
    lead.observed(members(3, &[ME, C], &[ME, B, C]), 0);
    lead.answered(B, b.ack(), 0);
    assert_eq!((lead.holders(Sequence(2)), lead.change(0)), (1, None));
    tell(&mut lead, B, &mut follow(1));
    assert_eq!((lead.holders(Sequence(2)), lead.change(0)), (1, None));
}

#[test]
fn one_whose_copy_may_show_what_is_not_committed_joins_only_once_it_is() {
    let mut lead = lead(&[ME, C], &[ME, B, C]);
    let (mut b, mut c) = (follow(1), follow(1));
    for upto in 1..=2 {
        append(&mut lead, upto..=upto);
        tell(&mut lead, C, &mut c);
        tell(&mut lead, C, &mut c);
    }
    append(&mut lead, 3..=3);
    // B is copied with 3, which C has not.
    tell(&mut lead, B, &mut b);
    tell(&mut lead, B, &mut b);
    assert!(b.is_whole() && b.applied() == Sequence(3) && lead.committed() == Sequence(2));
    assert_eq!(lead.change(0), None);
    // The primary forgets that it copied, but B did not lose what it has.
    lead.observed(members(3, &[ME, C], &[ME, B, C]), 0);
    tell(&mut lead, B, &mut b);
    assert_eq!((lead.holders(Sequence(3)), lead.change(0)), (1, None));
    tell(&mut lead, C, &mut c);
    assert_eq!((lead.committed(), lead.change(0)), (Sequence(3), change(1, 3, &[ME, B, C])));
}

#[test]
fn one_in_sync_that_would_need_a_copy_leaves_the_set_first() {
    let config = StreamConfig { most_bytes: 20, ..CONFIG };
    let mut lead = Lead::new(ME, Epoch(1), members(1, &[ME, B], &[ME, B]), 0, config);
    let mut b = follow(1);
    tell(&mut lead, B, &mut b);
    append(&mut lead, 1..=3);
    assert_eq!(lead.log_bytes(), 20, "a bound is a bound");
    assert!(lead.part(B, ROOM).is_none() && !lead.has_more_for(B));
    assert_eq!((lead.committed(), lead.change(0)), (Sequence(0), change(1, 1, &[ME])));
    lead.observed(members(2, &[ME], &[ME, B]), 0);
    assert_eq!(lead.committed(), Sequence(3));
    tell(&mut lead, B, &mut b);
    assert!(lead.part(B, ROOM).unwrap().page.is_some());
}

#[test]
fn a_primary_gives_way_when_everybody_has_everything_and_goes_on_as_a_replica() {
    let mut old = lead(&[ME, B], &[ME, B, C]);
    let mut b = follow(1);
    append(&mut old, 1..=2);
    tell(&mut old, B, &mut b);
    assert!(!old.may_hand_over_to(B));
    tell(&mut old, B, &mut b);
    assert!(old.may_hand_over_to(B) && !old.may_hand_over_to(C) && !old.may_hand_over_to(ME));
    let (mut new, behind, lost) = b.promote(B, Epoch(2), members(1, &[ME, B], &[ME, B, C]), 0);
    assert_eq!((behind, lost), (vec![1, 2], 0));
    let mut me = old.retire(Epoch(2));
    append(&mut new, 3..=3);
    tell(&mut new, ME, &mut me);
    tell(&mut new, ME, &mut me);
    assert_eq!((new.committed(), tell(&mut new, ME, &mut me)), (Sequence(3), Some(vec![3])));
}
