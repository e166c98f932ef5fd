//! The search for an order of effects: Wing and Gong's, with Lowe's memory of where it has been.
//!
//! ```text
//! calls and returns in order of time, as a linked list
//!   [call 0] [call 1] [return 0] [call 2] [return 1] ...
//!    |--- may come next ---|  those called before the first return that is left
//! an operation is taken: it leaves the list, with its return; none fits: the last one taken is put back
//! ```
//! "Testing and verifying concurrent objects", J. M. Wing and C. Gong, 1993; "Testing for linearizability", G. Lowe,
//! 2017. Where the search stands is the set of operations taken and what the key holds; whatever led there, the same
//! follows, so it goes there once.
//!
//! Operations whose outcome is unknown are not in the list: nothing waits for them, and they stay possible from their
//! call to the end, so that each of them would double the work. Some rules keep it small, and cut nothing off:
//! - What only reads, and fits, may as well come at once: nothing else is tried in its place.
//! - Having taken fewer of the unknown is never worse: a place is not visited if one with the same operations taken,
//!   the same value and fewer of those was.
//! - One of them is taken to make a difference and to be noticed: it changes what the key holds, and what comes next
//!   is not blind to it.
//! - Of two that would do the same, the one called earlier comes first.

use super::{Explanation, Operation, State, Verdict, bits::Bits, help::Help, twins::Twins};
use std::collections::HashMap;

/// Where a linked list begins: what is before the first event.
const HEAD: usize = 0;

/// An event of the list: numbers count the operations that ended, in order of call.
#[derive(Clone, Copy)]
enum Event {
    Call(usize),
    Return(usize),
}

/// An operation that ended.
struct Ended {
    /// Its position in the history.
    at: usize,
    /// Its events in the list.
    call: usize,
    ret: usize,
    /// How many of those that ended were called before its return.
    reach: usize,
}

/// An operation whose outcome is unknown.
struct Open {
    /// Its position in the history.
    at: usize,
    /// The event after its call.
    call: usize,
    /// The last one before it that would do as well.
    twin: Option<usize>,
}

/// What is tried next.
#[derive(Clone, Copy)]
enum Cursor {
    /// The event of the list.
    Event(usize),
    /// The open operation of this number, if it was called before the event.
    Open { number: usize, before: usize },
}

/// An operation that was taken.
struct Taken {
    cursor: Cursor,
    /// What the key held before.
    state: State,
    /// Whether it only read, so that nothing else needs to be tried in its place.
    free: bool,
}

/// Where a search can stand, but for the open operations that it has taken: the first operation not taken, those
/// taken from there on, and what the key holds.
type Place = (usize, Bits, State);

/// See the module.
pub(super) struct Search<'a> {
    history: &'a [Operation],
    budget: u64,
    // The list; event 0 is its head.
    events: Vec<Event>,
    next: Vec<usize>,
    prev: Vec<usize>,
    ended: Vec<Ended>,
    open: Vec<Open>,
    // Where it stands.
    taken: Bits,
    taken_open: Bits,
    state: State,
    path: Vec<Taken>,
    // How many of the path had ended.
    depth: usize,
    // Where it was: with which open operations taken.
    visited: HashMap<Place, Vec<Bits>>,
    // The most that fitted, and how many of the operations that ended are in it.
    furthest: Option<(usize, Explanation)>,
}

impl<'a> Search<'a> {
    pub(super) fn new(history: &'a [Operation], budget: u64) -> Search<'a> {
        // Calls come before returns of the same time.
        let calls = history.iter().enumerate().map(|(at, operation)| (operation.call, 0, at));
        let returns =
            history.iter().enumerate().filter_map(|(at, operation)| Some((operation.end()?, 1, at)));
        let mut order: Vec<_> = calls.chain(returns).collect();
        order.sort_unstable();
        // The head is never looked at.
        let mut events = vec![Event::Return(usize::MAX)];
        let (mut ended, mut open) = (Vec::new(), Vec::new());
        let mut number_of = vec![0; history.len()];
        for (_, kind, at) in order {
            let event = events.len();
            match (kind, history[at].ret) {
                (0, None) => open.push(Open { at, call: event, twin: None }),
                (0, Some(_)) => {
                    number_of[at] = ended.len();
                    events.push(Event::Call(ended.len()));
                    ended.push(Ended { at, call: event, ret: 0, reach: 0 });
                }
                _ => {
                    let (number, reach) = (number_of[at], ended.len());
                    events.push(Event::Return(number));
                    (ended[number].ret, ended[number].reach) = (event, reach);
                }
            }
        }
        let twins = Twins::of(history);
        for number in 0..open.len() {
            let operation = &history[open[number].at];
            open[number].twin = (0..number).rev().find(|twin| twins.are(&history[open[*twin].at], operation));
        }
        let count = events.len();
        Search {
            history,
            budget,
            next: (1..=count).collect(),
            prev: (0..count).map(|event| event.saturating_sub(1)).collect(),
            events,
            taken: Bits::new(ended.len()),
            taken_open: Bits::new(open.len()),
            ended,
            open,
            state: None,
            path: Vec::new(),
            depth: 0,
            visited: HashMap::new(),
            furthest: None,
        }
    }

    pub(super) fn run(mut self) -> Verdict {
        self.take_free();
        let mut cursor = self.first();
        while !self.is_done() {
            let Some(at) = self.settle(cursor) else {
                self.note_stuck();
                match self.put_back() {
                    Some(back) => cursor = back,
                    None => break,
                }
                continue;
            };
            let Some(budget) = self.budget.checked_sub(1) else { return Verdict::Undecided };
            self.budget = budget;
            if !self.take(at) {
                cursor = self.after(at);
                continue;
            }
            self.take_free();
            cursor = if self.is_new() { self.first() } else { self.put_back().unwrap_or(self.first()) };
        }
        match self.furthest {
            Some((_, explanation)) if !self.is_done() => Verdict::Violation(explanation),
            _ => Verdict::Linearizable,
        }
    }

    fn first(&self) -> Cursor {
        Cursor::Event(self.next[HEAD])
    }

    fn is_done(&self) -> bool {
        self.next[HEAD] == self.events.len()
    }

    /// The first thing from the cursor on that can be tried.
    fn settle(&self, cursor: Cursor) -> Option<Cursor> {
        let (mut number, before) = match cursor {
            Cursor::Event(event) => match self.events[event] {
                Event::Call(_) => return Some(cursor),
                Event::Return(_) => (0, event),
            },
            Cursor::Open { number, before } => (number, before),
        };
        while self.open.get(number).is_some_and(|open| open.call <= before) {
            let twin = self.open[number].twin;
            if !self.taken_open.contains(number) && twin.is_none_or(|twin| self.taken_open.contains(twin)) {
                return Some(Cursor::Open { number, before });
            }
            number += 1;
        }
        None
    }

    fn after(&self, cursor: Cursor) -> Cursor {
        match cursor {
            Cursor::Event(event) => Cursor::Event(self.next[event]),
            Cursor::Open { number, before } => Cursor::Open { number: number + 1, before },
        }
    }

    /// The position in the history of what a settled cursor is at.
    fn operation(&self, cursor: Cursor) -> usize {
        match cursor {
            Cursor::Event(event) => match self.events[event] {
                Event::Call(number) | Event::Return(number) => self.ended[number].at,
            },
            Cursor::Open { number, .. } => self.open[number].at,
        }
    }

    /// The operations that ended and may come next: their call's event and position in the history.
    fn ended_next(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut event = self.next[HEAD];
        std::iter::from_fn(move || {
            let Event::Call(number) = *self.events.get(event)? else { return None };
            let call = event;
            event = self.next[call];
            Some((call, self.ended[number].at))
        })
    }

    /// What the key holds after the operation; none if it does not fit.
    fn state_after(&self, at: usize, state: &State) -> Option<State> {
        let Operation { input, output, .. } = &self.history[at];
        let (after, answer) = input.apply(state);
        output.as_ref().is_none_or(|output| *output == answer).then_some(after)
    }

    fn is_blind(&self, at: usize) -> bool {
        let Operation { input, output, .. } = &self.history[at];
        input.is_blind(output.is_some())
    }

    /// Takes the operation at a settled cursor, if it fits and makes sense.
    fn take(&mut self, cursor: Cursor) -> bool {
        let at = self.operation(cursor);
        let after_open = matches!(self.path.last(), Some(Taken { cursor: Cursor::Open { .. }, .. }));
        if after_open && self.is_blind(at) {
            return false;
        }
        let Some(state) = self.state_after(at, &self.state) else { return false };
        if let Cursor::Open { number, before } = cursor
            && (state == self.state || !self.may_be_noticed(number, before, &state))
        {
            return false;
        }
        self.push(cursor, state, false);
        true
    }

    /// Whether anything that ended and may come next could notice what an open operation makes of the key, with the
    /// help of others.
    fn may_be_noticed(&self, number: usize, before: usize, state: &State) -> bool {
        let mut help = Help::default();
        for (other, open) in self.open.iter().enumerate().take_while(|(_, open)| open.call <= before) {
            if other != number && !self.taken_open.contains(other) {
                help.add(&self.history[open.at].input);
            }
        }
        self.ended_next().any(|(_, at)| help.may_notice(&self.state, state, &self.history[at]))
    }

    /// Takes whatever only reads and fits.
    fn take_free(&mut self) {
        loop {
            let is_free = |at: usize| {
                let Operation { input, output, .. } = &self.history[at];
                input.only_read(output.as_ref()) && self.state_after(at, &self.state).is_some()
            };
            let Some((event, _)) = self.ended_next().find(|(_, at)| is_free(*at)) else { return };
            self.push(Cursor::Event(event), self.state.clone(), true);
        }
    }

    fn push(&mut self, cursor: Cursor, state: State, free: bool) {
        let before = std::mem::replace(&mut self.state, state);
        self.path.push(Taken { cursor, state: before, free });
        self.mark(cursor);
    }

    /// Puts back what was taken last, up to an operation that something else may be tried in place of: what that is.
    fn put_back(&mut self) -> Option<Cursor> {
        loop {
            let Taken { cursor, state, free } = self.path.pop()?;
            self.unmark(cursor);
            self.state = state;
            if !free {
                return Some(self.after(cursor));
            }
        }
    }

    fn mark(&mut self, cursor: Cursor) {
        match cursor {
            Cursor::Open { number, .. } => self.taken_open.insert(number),
            Cursor::Event(event) => {
                let Event::Call(number) = self.events[event] else { return };
                self.taken.insert(number);
                self.depth += 1;
                for event in [self.ended[number].call, self.ended[number].ret] {
                    self.unlink(event);
                }
            }
        }
    }

    /// Undoes [`Self::mark`], of the one marked last.
    fn unmark(&mut self, cursor: Cursor) {
        match cursor {
            Cursor::Open { number, .. } => self.taken_open.remove(number),
            Cursor::Event(event) => {
                let Event::Call(number) = self.events[event] else { return };
                self.taken.remove(number);
                self.depth -= 1;
                for event in [self.ended[number].ret, self.ended[number].call] {
                    self.link(event);
                }
            }
        }
    }

    fn unlink(&mut self, event: usize) {
        let (prev, next) = (self.prev[event], self.next[event]);
        self.next[prev] = next;
        if let Some(of_next) = self.prev.get_mut(next) {
            *of_next = prev;
        }
    }

    /// Puts an event back between its neighbours, which must be as they were when it was taken out.
    fn link(&mut self, event: usize) {
        let (prev, next) = (self.prev[event], self.next[event]);
        self.next[prev] = event;
        if let Some(of_next) = self.prev.get_mut(next) {
            *of_next = event;
        }
    }

    /// Whether the search stands where it was not yet; remembers that it was.
    fn is_new(&mut self) -> bool {
        let (first, taken) = match self.events.get(self.next[HEAD]) {
            // What is left begins with a call: a return leaves together with its call.
            Some(Event::Call(number) | Event::Return(number)) => {
                (*number, self.taken.window(*number, self.ended[*number].reach))
            }
            None => (self.ended.len(), Bits::default()),
        };
        let with = self.visited.entry((first, taken, self.state.clone())).or_default();
        if with.iter().any(|fewer| fewer.is_subset(&self.taken_open)) {
            return false;
        }
        with.retain(|more| !self.taken_open.is_subset(more));
        with.push(self.taken_open.clone());
        true
    }

    /// Keeps the path if none was longer.
    fn note_stuck(&mut self) {
        if self.furthest.as_ref().is_some_and(|(most, _)| *most >= self.depth) {
            return;
        }
        let mut event = self.next[HEAD];
        while let Event::Call(_) = self.events[event] {
            event = self.next[event];
        }
        let explanation = Explanation {
            prefix: self.path.iter().map(|taken| self.operation(taken.cursor)).collect(),
            state: self.state.clone(),
            stuck: self.operation(Cursor::Event(event)),
        };
        self.furthest = Some((self.depth, explanation));
    }
}
