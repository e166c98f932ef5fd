//! New tokens, drawn from the operating system's randomness. Knows nothing of where they are kept.

use predis_types::Secret;
use rustix::rand::{GetRandomFlags, getrandom};
use std::io::{self, ErrorKind};

/// A token that nobody knows yet.
pub(crate) fn draw() -> io::Result<Secret> {
    let mut bits = [0; 32];
    // The flag-less call blocks until the pool is ready and then always fills a buffer this small.
    if getrandom(&mut bits, GetRandomFlags::empty())? != bits.len() {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(Secret::token(&bits))
}
