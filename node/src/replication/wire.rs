//! What replicas are told and answer, between protocol buffers and the domain's types.

use crate::shards::{Heard, Outgoing, Page, entry_size_bytes};
use predis_proto::replica as wire;
use predis_replica::{Ack, Cursor, Entry, Life, PageHead, Part};
use predis_types::{Epoch, Incarnation, NodeId, PartitionId, Sequence, TenantId};

pub(super) fn life(life: Life) -> wire::Life {
    wire::Life { node_id: life.node.0, incarnation: life.incarnation.0 }
}

pub(super) fn life_of(life: &wire::Life) -> Life {
    Life { node: NodeId(life.node_id), incarnation: Incarnation(life.incarnation) }
}

pub(super) fn part(told: Outgoing) -> wire::Part {
    let Outgoing { partition, part, page, vouched, beat: _ } = told;
    let mut runs: Vec<wire::Run> = Vec::new();
    for entry in &part.entries {
        match runs.last_mut() {
            Some(run) if run.epoch == entry.epoch.0 => run.count += 1,
            _ => runs.push(wire::Run { epoch: entry.epoch.0, count: 1 }),
        }
    }
    let page = part.page.zip(page).map(|(head, page)| wire::Page {
        copy: head.copy,
        index: head.index,
        at: head.at.0,
        tenant: head.from.tenant.0,
        position: head.from.position,
        change: page.change,
        next: page.next.map(|next| wire::Place { tenant: next.tenant.0, position: next.position }),
    });
    wire::Part {
        partition: u32::from(partition.0),
        epoch: part.epoch.0,
        first: part.first.0,
        runs,
        entries: part.entries.into_iter().map(|entry| entry.payload).collect(),
        committed: part.committed.0,
        last: part.last.0,
        page,
        session: part.session,
        vouched,
    }
}

/// `None` when it is no part: a partition that cannot be, or entries of which it is not said where they are from.
pub(super) fn part_of(part: wire::Part) -> Option<Outgoing> {
    let partition = PartitionId(u16::try_from(part.partition).ok()?);
    let vouched = part.vouched;
    let mut entries = Vec::with_capacity(part.entries.len());
    let mut payloads = part.entries.into_iter();
    for run in part.runs {
        for _ in 0..run.count {
            let payload = payloads.next()?;
            let size_bytes = entry_size_bytes(&payload);
            entries.push(Entry { epoch: Epoch(run.epoch), size_bytes, payload });
        }
    }
    let cursor = |tenant, position| Cursor { tenant: TenantId(tenant), position };
    let (head, page) = match part.page {
        None => (None, None),
        Some(page) => {
            let (copy, index, at) = (page.copy, page.index, Sequence(page.at));
            let head = PageHead { copy, index, at, from: cursor(page.tenant, page.position) };
            let next = page.next.map(|next| cursor(next.tenant, next.position));
            (Some(head), Some(Page { change: page.change, next }))
        }
    };
    let part = Part {
        epoch: Epoch(part.epoch),
        session: part.session,
        first: Sequence(part.first),
        entries,
        committed: Sequence(part.committed),
        last: Sequence(part.last),
        page: head,
    };
    payloads.next().is_none().then_some(Outgoing { partition, part, page, vouched, beat: false })
}

pub(super) fn ack(partition: u32, heard: Heard) -> wire::Ack {
    match heard {
        Heard::OtherEpoch(epoch) => {
            wire::Ack { partition, other_epoch: Some(epoch.0), ..wire::Ack::default() }
        }
        Heard::Ack(Ack { session, matched, copying }) => {
            let (copy, pages) = copying.unwrap_or_default();
            wire::Ack { partition, other_epoch: None, matched: matched.0, copy, pages, session }
        }
    }
}

pub(super) fn heard(ack: &wire::Ack) -> Heard {
    match ack.other_epoch {
        Some(epoch) => Heard::OtherEpoch(Epoch(epoch)),
        None => {
            let copying = (ack.copy != 0).then_some((ack.copy, ack.pages));
            Heard::Ack(Ack { session: ack.session, matched: Sequence(ack.matched), copying })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn entry(epoch: u64, payload: &'static [u8]) -> Entry<Bytes> {
        Entry { epoch: Epoch(epoch), size_bytes: payload.len() + 64, payload: Bytes::from_static(payload) }
    }

    #[test]
    fn what_is_sent_is_what_is_received() {
        let from = Cursor { tenant: TenantId(3), position: 9 };
        let head = PageHead { copy: 4, index: 2, at: Sequence(8), from };
        let part_sent = Part {
            epoch: Epoch(7),
            session: 3,
            first: Sequence(5),
            entries: vec![entry(5, b"a"), entry(5, b""), entry(7, b"c")],
            committed: Sequence(6),
            last: Sequence(8),
            page: Some(head),
        };
        let sent = || Outgoing {
            vouched: true,
            beat: false,
            partition: PartitionId(2),
            part: part_sent.clone(),
            page: Some(Page { change: Bytes::from_static(b"page"), next: Some(from) }),
        };
        let got = part_of(part(sent())).unwrap();
        assert_eq!((got.partition, got.part), (PartitionId(2), part_sent.clone()));
        let page = got.page.unwrap();
        assert_eq!((page.change, page.next), (Bytes::from_static(b"page"), Some(from)));
        let mut short = part(sent());
        short.entries.pop();
        assert!(part_of(short).is_none());
        let mut long = part(sent());
        long.entries.push(Bytes::new());
        assert!(part_of(long).is_none());
    }

    #[test]
    fn answers_come_back() {
        for heard_before in [
            Heard::OtherEpoch(Epoch(3)),
            Heard::Ack(Ack { session: 2, matched: Sequence(4), copying: None }),
            Heard::Ack(Ack { session: 1, matched: Sequence(0), copying: Some((1, 0)) }),
        ] {
            assert_eq!(heard(&ack(5, heard_before)), heard_before);
        }
    }
}
