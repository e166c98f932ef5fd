//! FIFO: the entry that was inserted longest ago goes first, however often it was used.

use crate::line::Line;

/// The state of one partition: a line in order of insertion; overwriting a key does not move it.
pub type Fifo = Line<false>;
