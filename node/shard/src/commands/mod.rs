//! The commands on keys, one family a file, and what several families read the same way.
//!
//! A command looks, decides, and commits effects; it checks everything that can fail before the first one. Knows
//! neither tenants nor budgets.

pub(crate) mod counter;
mod deadline;
mod decimal;
pub(crate) mod expire;
pub(crate) mod generic;
pub(crate) mod glob;
pub(crate) mod object;
pub(crate) mod range;
pub(crate) mod rename;
pub(crate) mod scan;
pub(crate) mod string_get;
pub(crate) mod string_set;

use predis_resp::parse_integer;

use crate::error::CommandError;

/// An argument that must be a 64-bit integer.
fn integer(text: &[u8]) -> Result<i64, CommandError> {
    parse_integer(text).ok_or(CommandError::NotAnInteger)
}

/// A length as a reply's integer.
fn length(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}
