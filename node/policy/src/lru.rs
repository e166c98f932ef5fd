//! LRU: the entry whose last access is longest ago goes first.

use crate::line::Line;

/// The state of one partition: a line in order of last access.
pub type Lru = Line<true>;
