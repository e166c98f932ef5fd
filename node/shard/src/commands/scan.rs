//! What SCAN's options mean, and which keys it and KEYS let through.
//!
//! Does not know cursors, which the node makes of a partition and a position.

use bytes::Bytes;
use predis_resp::Reply;

use super::{glob, integer};
use crate::entry::Entry;
use crate::error::CommandError;

/// How many keys a SCAN looks at unless told.
const DEFAULT_COUNT: usize = 10;

/// `[MATCH pattern] [COUNT count] [TYPE type]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanOptions {
    /// Only keys that match; `None`: all.
    pub pattern: Option<Bytes>,
    /// How many keys to look at.
    pub count: usize,
    /// Only keys whose value is of this type, in whatever case; one that does not exist lets nothing through.
    pub type_name: Option<Bytes>,
}

impl Default for ScanOptions {
    fn default() -> Self {
        ScanOptions { pattern: None, count: DEFAULT_COUNT, type_name: None }
    }
}

impl ScanOptions {
    /// Reads the arguments behind the cursor.
    ///
    /// # Errors
    /// The error reply: `ERR syntax error` or `ERR value is not an integer or out of range`.
    pub fn parse(args: &[Bytes]) -> Result<ScanOptions, Reply> {
        ScanOptions::read(args).map_err(Reply::from)
    }

    fn read(args: &[Bytes]) -> Result<ScanOptions, CommandError> {
        let mut options = ScanOptions::default();
        for option in args.chunks(2) {
            let [name, argument] = option else { return Err(CommandError::Syntax) };
            if name.eq_ignore_ascii_case(b"COUNT") {
                let count = integer(argument)?;
                options.count = usize::try_from(count).ok().filter(|n| *n > 0).ok_or(CommandError::Syntax)?;
            } else if name.eq_ignore_ascii_case(b"MATCH") {
                options.pattern = Some(argument.clone());
            } else if name.eq_ignore_ascii_case(b"TYPE") {
                options.type_name = Some(argument.clone());
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(options)
    }

    /// Whether a key is to be returned.
    pub(crate) fn accept(&self, entry: &Entry) -> bool {
        let named = |name: &Bytes| name.eq_ignore_ascii_case(entry.value.type_name().as_bytes());
        self.type_name.as_ref().is_none_or(named)
            && self.pattern.as_ref().is_none_or(|pattern| key_matches(pattern, &entry.key))
    }
}

/// Whether KEYS or SCAN MATCH lets a key through.
pub(crate) fn key_matches(pattern: &[u8], key: &[u8]) -> bool {
    glob::matches_all(pattern) || glob::matches(pattern, key)
}
