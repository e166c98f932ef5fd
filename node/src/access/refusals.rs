//! What this node refused, so that somebody can look into it: bounded, repetitions counted.

use predis_types::Secret;
use std::collections::VecDeque;

/// How many entries are kept, as in Redis; the oldest goes first.
const KEPT: usize = 128;

/// Refusals alike within this time are one entry, as in Redis.
const ALIKE_MS: u64 = 60_000;

/// Why somebody was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its certificate is missing, of another authority, expired.
    Certificate,
    /// Its user or token is wrong, or missing.
    Auth,
    /// Its role does not allow the command or method.
    Command,
    /// It reached for what is another tenant's, or the cluster's.
    Tenant,
    /// Its tenant has used up a quota.
    Quota,
}

impl Reason {
    /// Every one.
    pub const ALL: [Reason; 5] =
        [Reason::Certificate, Reason::Auth, Reason::Command, Reason::Tenant, Reason::Quota];

    /// The word by which it is listed.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Certificate => "certificate",
            Reason::Auth => "auth",
            Reason::Command => "command",
            Reason::Tenant => "tenant",
            Reason::Quota => "quota",
        }
    }
}

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// Where: `resp`, `proxy`, `grpc`, `metrics`.
    pub context: &'static str,
    /// What: a command or a method, for instance the one by which somebody authenticates.
    pub object: String,
    /// The user's name as it was given; empty when none was.
    pub user: String,
    /// Where the client is.
    pub client: String,
}

/// A refusal and how often it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Ascending, from 0.
    pub id: u64,
    /// The last of those alike.
    pub refusal: Refusal,
    /// How many they are.
    pub count: u64,
    /// When the first was, in milliseconds since the Unix epoch.
    pub first_at_ms: u64,
    /// When the last was.
    pub last_at_ms: u64,
}

/// How much of a name that a stranger gave is kept, in characters.
const NAME_CHARS: usize = 64;

/// The entries, oldest first.
#[derive(Default)]
pub(super) struct RefusalLog {
    entries: VecDeque<Entry>,
    next_id: u64,
    counts: [u64; Reason::ALL.len()],
}

impl RefusalLog {
    pub(super) fn add(&mut self, mut refusal: Refusal, now_ms: u64) {
        if Secret::looks_like_token(&refusal.user) {
            // A token where the name belongs is a mistake that must not end in a log, whoever's it is.
            refusal.user = "(a token)".to_owned();
        }
        for text in [&mut refusal.user, &mut refusal.object] {
            *text = text.chars().take(NAME_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
        }
        self.counts[refusal.reason as usize] += 1;
        let alike = |entry: &&mut Entry| {
            let known = &entry.refusal;
            (known.reason, known.context, &known.object, &known.user)
                == (refusal.reason, refusal.context, &refusal.object, &refusal.user)
                && now_ms.saturating_sub(entry.last_at_ms) <= ALIKE_MS
        };
        if let Some(entry) = self.entries.iter_mut().rev().find(alike) {
            entry.count += 1;
            entry.last_at_ms = now_ms;
            entry.refusal = refusal;
            return;
        }
        let Refusal { reason, context, object, user, client } = &refusal;
        tracing::warn!(reason = reason.name(), context, object, user, client, "refused");
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        let id = self.next_id;
        self.next_id += 1;
        self.entries.push_back(Entry { id, refusal, count: 1, first_at_ms: now_ms, last_at_ms: now_ms });
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }

    /// How many there were of each reason since the node started, those forgotten included.
    pub(super) fn counts(&self) -> [(Reason, u64); Reason::ALL.len()] {
        Reason::ALL.map(|reason| (reason, self.counts[reason as usize]))
    }

    pub(super) fn reset(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(user: &str) -> Refusal {
        Refusal {
            reason: Reason::Auth,
            context: "resp",
            object: String::new(),
            user: user.to_owned(),
            client: "127.0.0.1:1".to_owned(),
        }
    }

    #[test]
    fn those_alike_are_counted_and_the_oldest_goes() {
        let mut log = RefusalLog::default();
        log.add(refusal("a"), 1_000);
        log.add(refusal("b"), 2_000);
        log.add(refusal("a"), 61_000);
        let counts: Vec<_> =
            log.entries().iter().map(|e| (e.id, e.count, e.first_at_ms, e.last_at_ms)).collect();
        assert_eq!(counts, [(0, 2, 1_000, 61_000), (1, 1, 2_000, 2_000)]);
        log.add(refusal("a"), 130_000);
        assert_eq!(log.entries().len(), 3, "long after, it is another entry");
        for n in 0..KEPT {
            log.add(refusal(&n.to_string()), 130_000);
        }
        assert_eq!(log.entries().len(), KEPT);
        assert_eq!(log.entries()[0].id, 3);
        log.reset();
        assert!(log.entries().is_empty());
        assert_eq!(log.counts()[1], (Reason::Auth, 4 + KEPT as u64));
    }

    #[test]
    fn a_token_in_the_place_of_a_name_is_not_kept() {
        let mut log = RefusalLog::default();
        log.add(refusal(Secret::token(&[7; 32]).expose()), 1);
        assert_eq!(log.entries()[0].refusal.user, "(a token)");
    }

    #[test]
    fn what_a_stranger_sent_is_cut_and_harmless() {
        let mut log = RefusalLog::default();
        log.add(refusal(&format!("x\r\n{}", "y".repeat(10_000))), 1);
        let user = &log.entries()[0].refusal.user;
        assert!(user.len() == NAME_CHARS && user.starts_with("x  y"), "{user}");
    }
}
