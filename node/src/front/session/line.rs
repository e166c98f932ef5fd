//! The line by which CLIENT INFO and CLIENT LIST describe a connection.

use super::Session;
use predis_resp::CommandId;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

impl Session {
    /// The line, without its end. There is no descriptor to
    /// tell, and nothing that this version does not have (subscriptions, transactions) is ever other than zero.
    pub(in crate::front) fn describe(&self, now_us: u64, out: &mut Vec<u8>) {
        let labels = self.labels().clone();
        let seconds = |us: u64| us / 1_000_000;
        let load = |counter: &AtomicU64| counter.load(Relaxed);
        let (query, free, output) =
            (load(&self.held.query), load(&self.held.query_free), load(&self.held.output));
        let mut text = format!("id={} addr={} laddr={} fd=-1 name=", self.id, self.addr, self.local_addr);
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(&labels.name);
        text.clear();
        let age = seconds(now_us.saturating_sub(self.created_us));
        let memory = query + free + output + size_of::<Session>() as u64;
        let written = write!(
            text,
            " age={age} idle={} flags={} db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf={query} qbuf-free={free} \
             argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl={output} oll=0 omem=0 tot-mem={memory} events=r cmd={} \
             user={} redir=-1 resp={} tot-net-in={} tot-net-out={} tot-cmds={} lib-name=",
            seconds(self.idle_us(now_us)),
            self.flags(),
            self.last_command().map_or("NULL", CommandId::name),
            self.user(),
            if self.resp3.load(Relaxed) { 3 } else { 2 },
            load(&self.net_in),
            load(&self.net_out),
            load(&self.commands),
        );
        debug_assert!(written.is_ok(), "a string takes everything");
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(&labels.lib_name);
        out.extend_from_slice(b" lib-ver=");
        out.extend_from_slice(&labels.lib_ver);
    }

    fn last_command(&self) -> Option<CommandId> {
        let number = self.last_command.load(Relaxed);
        CommandId::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// Redis's letters: c closing, r read-only, t tracking, e exempt from eviction, N none of them.
    fn flags(&self) -> String {
        let letters = [
            ('c', self.is_closing()),
            ('r', self.readonly.load(Relaxed)),
            ('t', self.tracking_id.load(Relaxed) > 0),
            ('e', self.no_evict.load(Relaxed)),
        ];
        let set: String = letters.iter().filter(|(_, set)| *set).map(|(letter, _)| *letter).collect();
        if set.is_empty() { "N".to_owned() } else { set }
    }
}
