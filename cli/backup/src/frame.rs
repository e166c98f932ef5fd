//! Frames: what a file of a backup is cut into, each with its length and its checksum.
//!
//! ```text
//! file  = "PREDISBK" format(u32) frame*
//! frame = kind(u8) length(u32) crc(u32) payload        numbers little-endian; CRC-32C of kind, length and payload
//! ```
//! An announced length allocates nothing by itself. Does not know what is in a frame.

use crate::{Damage, FORMAT};
use bytes::Bytes;
use predis_types::limits::MAX_MESSAGE_BYTES;
use std::io::{self, Read};

/// What every file begins with.
pub(crate) const MAGIC: &[u8; 8] = b"PREDISBK";

/// What comes before the first frame, in bytes.
pub(crate) const PREFIX_BYTES: u64 = 12;

/// The longest payload, in bytes: a key and a value of the longest kind, and what comes with them.
const MAX_PAYLOAD_BYTES: u32 = MAX_MESSAGE_BYTES as u32;

const CRC: crc::Crc<u32, crc::Table<16>> = crc::Crc::<u32, crc::Table<16>>::new(&crc::CRC_32_ISCSI);

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Which partition of which cluster: the first frame.
    Header = 1,
    /// Keys, in hash order.
    Page = 2,
    /// What was done while pages were read.
    Change = 3,
    /// The cut and how many frames there were: the last frame.
    Trailer = 4,
}

impl Kind {
    fn of(byte: u8) -> Option<Kind> {
        [Kind::Header, Kind::Page, Kind::Change, Kind::Trailer].into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// A frame that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    /// Where it begins in the file.
    pub(crate) at: u64,
    pub(crate) payload: Bytes,
}

/// The beginning of a file.
pub(crate) fn prefix() -> Vec<u8> {
    [&MAGIC[..], &FORMAT.to_le_bytes()].concat()
}

/// What comes before a frame's payload.
pub(crate) fn head(kind: Kind, payload: &[u8]) -> Option<[u8; 9]> {
    let length = u32::try_from(payload.len()).ok().filter(|length| *length <= MAX_PAYLOAD_BYTES)?;
    let mut head = [0; 9];
    head[0] = kind as u8;
    head[1..5].copy_from_slice(&length.to_le_bytes());
    let sum = checksum(&head[..5], payload);
    head[5..].copy_from_slice(&sum.to_le_bytes());
    Some(head)
}

fn checksum(head: &[u8], payload: &[u8]) -> u32 {
    let mut digest = CRC.digest();
    digest.update(head);
    digest.update(payload);
    digest.finalize()
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// Reads frames one after another.
pub(crate) struct Frames<R> {
    from: R,
    at: u64,
}

impl<R: Read> Frames<R> {
    /// Reads from the beginning of a file.
    pub(crate) fn begin(mut from: R) -> Result<Frames<R>, Damage> {
        let mut prefix = Vec::new();
        from.by_ref().take(PREFIX_BYTES).read_to_end(&mut prefix)?;
        if !prefix.starts_with(MAGIC) {
            return Err(Damage::NotABackup);
        }
        match prefix.get(MAGIC.len()..).filter(|format| format.len() == 4).map(number) {
            None => Err(Damage::Truncated(prefix.len() as u64)),
            Some(0) => Err(Damage::NotABackup),
            Some(format) if format > FORMAT => Err(Damage::Newer(format)),
            Some(_) => Ok(Frames { from, at: PREFIX_BYTES }),
        }
    }

    /// Goes on in the middle of a file, where a frame begins.
    pub(crate) fn resume(from: R, at: u64) -> Frames<R> {
        Frames { from, at }
    }

    /// How many bytes were read.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// The next frame; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, Damage> {
        let at = self.at;
        let head = self.read(9)?;
        if head.is_empty() {
            return Ok(None);
        }
        let damaged = |rule| Damage::Frame { at, rule };
        let Some((named, sum)) = head.split_at_checked(5).filter(|(_, sum)| sum.len() == 4) else {
            return Err(Damage::Truncated(self.at));
        };
        let length = number(&named[1..]);
        if length > MAX_PAYLOAD_BYTES {
            return Err(damaged("is longer than one can be"));
        }
        let payload = self.read(u64::from(length))?;
        if payload.len() < length as usize {
            return Err(Damage::Truncated(self.at));
        }
        if checksum(named, &payload) != number(sum) {
            return Err(Damage::Checksum(at));
        }
        let kind = Kind::of(named[0]).ok_or_else(|| damaged("is of no kind that there is"))?;
        Ok(Some(Frame { kind, at, payload: payload.into() }))
    }

    /// So many bytes, or as many as there are.
    fn read(&mut self, count: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.from.by_ref().take(count).read_to_end(&mut bytes)?;
        self.at += bytes.len() as u64;
        Ok(bytes)
    }
}
