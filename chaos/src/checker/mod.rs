//! Whether the history of one key could have come from a single copy of it that answers one operation at a time.
//!
//! ```text
//! operations with call, return, input, output --> Search --> Linearizable | Violation, explained | Undecided
//! ```
//! An operation takes effect at one moment between its call and its return; one whose outcome nobody learned, at
//! any moment after its call, or never. Two operations may change places only if they overlap; the end of one and
//! the beginning of another in the same microsecond count as an overlap. The work is bounded: a history that is not
//! decided within it is [`Verdict::Undecided`], which nobody may take for a success.
//!
//! Pure, and knows nothing of clusters, clients and clocks. Keys are independent of each other, so a history of
//! many keys is linearizable exactly if each key's is: this is for one.

mod bits;
mod help;
mod operation;
mod record;
mod register;
mod search;
#[cfg(test)]
mod tests;
mod twins;
mod verdict;

pub use operation::{Operation, Time};
pub use record::{BadRecord, Record};
pub use register::{Input, Output, State};
pub use verdict::{Explanation, Verdict};

use search::Search;

/// How many steps [`check`] takes at most: some seconds and a few hundred megabytes at the worst.
pub const BUDGET: u64 = 2_000_000;

/// Judges the history of one key, which is absent to begin with. The order of the operations does not matter.
pub fn check(history: &[Operation]) -> Verdict {
    check_within(history, BUDGET)
}

/// As [`check`], within so many attempts to have one operation follow.
pub fn check_within(history: &[Operation], budget: u64) -> Verdict {
    Search::new(history, budget).run()
}
