//! A disk whose log reads can be made to fail, whole or in part, and which refuses what an older program could not
//! read.

use crate::disk::{Change, Disk, MemoryDisk, Pair, Pending, Space};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering},
    },
};

/// What goes wrong with a read of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum ReadFault {
    None = 0,
    /// The read fails.
    Error = 1,
    /// The first entry asked for is missing from the answer.
    Hole = 2,
}

/// A memory disk with a switch for read faults; clones share both.
#[derive(Clone, Default)]
pub(super) struct FaultyDisk {
    pub(super) disk: MemoryDisk,
    fault: Arc<AtomicU8>,
    hit: Arc<AtomicU64>,
    // 0 for whatever there is.
    newest: Arc<AtomicU32>,
}

/// How the version of a command begins within an entry of the log, and that of the state within a snapshot.
const VERSION: &str = r#""{\"version\":"#;

impl FaultyDisk {
    pub(super) fn set(&self, fault: ReadFault) {
        self.fault.store(fault as u8, Ordering::SeqCst);
    }

    /// Refuses commands and states of a newer version of the metadata from now on, as a program that reads no newer
    /// one stops at them.
    pub(super) fn read_up_to(&self, version: u32) {
        self.newest.store(version, Ordering::SeqCst);
    }

    fn check_version(&self, content: &[u8]) -> io::Result<()> {
        let newest = self.newest.load(Ordering::SeqCst);
        match versions_in(content).max() {
            Some(version) if newest > 0 && version > newest => {
                Err(io::Error::other(format!("version {version} for one that reads {newest}")))
            }
            _ => Ok(()),
        }
    }

    /// How many reads were spoilt.
    pub(super) fn spoilt(&self) -> u64 {
        self.hit.load(Ordering::SeqCst)
    }
}

/// The versions of all commands and states in there.
pub(super) fn versions_in(content: &[u8]) -> impl Iterator<Item = u32> {
    let text = String::from_utf8_lossy(content).into_owned();
    let numbers: Vec<u32> = text
        .split(VERSION)
        .skip(1)
        .map(|rest| rest.split(',').next().unwrap().parse().expect("a version"))
        .collect();
    numbers.into_iter()
}

impl Disk for FaultyDisk {
    fn get(&self, space: Space, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        self.disk.get(space, key)
    }

    fn range(&self, space: Space, from: &[u8], to: &[u8]) -> io::Result<Vec<Pair>> {
        let mut pairs = self.disk.range(space, from, to)?;
        let fault = self.fault.load(Ordering::SeqCst);
        if space == Space::Log && fault != ReadFault::None as u8 {
            self.hit.fetch_add(1, Ordering::SeqCst);
            if fault == ReadFault::Error as u8 {
                return Err(io::Error::other("injected read error"));
            }
            if !pairs.is_empty() {
                pairs.remove(0);
            }
        }
        Ok(pairs)
    }

    fn last(&self, space: Space) -> io::Result<Option<Pair>> {
        self.disk.last(space)
    }

    fn write(&self, space: Space, changes: Vec<Change>) -> io::Result<()> {
        for change in &changes {
            if let Change::Put(_, value) = change {
                self.check_version(value)?;
            }
        }
        self.disk.write(space, changes)
    }

    fn sync(&self) -> Pending<'_, io::Result<()>> {
        self.disk.sync()
    }

    fn put_file<'a>(&'a self, name: &'a str, content: Vec<u8>) -> Pending<'a, io::Result<()>> {
        if let Err(error) = self.check_version(&content) {
            return Box::pin(std::future::ready(Err(error)));
        }
        self.disk.put_file(name, content)
    }

    fn get_file(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.disk.get_file(name)
    }
}
