//! When a key is to expire, as SET, GETEX and their relatives are told it.
//!
//! Does not know the EXPIRE family, which also takes times in the past.

use bytes::Bytes;

use super::integer;
use crate::error::CommandError;

/// How a time of expiry is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Seconds from now.
    Ex,
    /// Milliseconds from now.
    Px,
    /// Seconds since the Unix epoch.
    ExAt,
    /// Milliseconds since the Unix epoch.
    PxAt,
}

impl Unit {
    /// The unit an option names, in whatever case.
    pub(super) fn named(option: &[u8]) -> Option<Unit> {
        let units = [(&b"EX"[..], Unit::Ex), (b"PX", Unit::Px), (b"EXAT", Unit::ExAt), (b"PXAT", Unit::PxAt)];
        units.into_iter().find(|(name, _)| option.eq_ignore_ascii_case(name)).map(|(_, unit)| unit)
    }
}

/// A time of expiry as it stands among the arguments.
#[derive(Clone, Debug)]
pub(super) struct Deadline {
    /// How it is given.
    pub(super) unit: Unit,
    /// The number.
    pub(super) argument: Bytes,
}

impl Deadline {
    /// The time in milliseconds since the Unix epoch, which may lie in the past if it is given absolutely.
    ///
    /// # Errors
    /// No integer; not positive; beyond what 63 bits of milliseconds hold. `command` is named in the error.
    pub(super) fn at_ms(&self, now_ms: u64, command: &'static str) -> Result<u64, CommandError> {
        let number = integer(&self.argument)?;
        let invalid = || CommandError::InvalidExpireTime(command);
        if number <= 0 {
            return Err(invalid());
        }
        let ms = match self.unit {
            Unit::Ex | Unit::ExAt => number.checked_mul(1000).ok_or_else(invalid)?,
            Unit::Px | Unit::PxAt => number,
        };
        let base_ms = match self.unit {
            Unit::Ex | Unit::Px => i64::try_from(now_ms).map_err(|_| invalid())?,
            Unit::ExAt | Unit::PxAt => 0,
        };
        ms.checked_add(base_ms).map(i64::unsigned_abs).ok_or_else(invalid)
    }
}
