//! Reading a backup's directory: the index first, every file held against it, then its keys.
//!
//! Nothing is taken on trust: a file that is not whole gives no key to whoever checked it first. Does not know what
//! becomes of keys.

use crate::{
    Damage, FileEntry, INDEX, Index, Key,
    contents::{Contents, Header, Item, changes_of, set_of},
    fate::Fates,
    frame::{Frame, Frames, Kind},
    index::hex,
};
use predis_types::{PartitionId, key_slot};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// The largest index that is read, in bytes: 16384 partitions and 1024 tenants take less.
const MAX_INDEX_BYTES: u64 = 16 << 20;

/// Why a backup cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no index.
    #[error("{} is not a backup: it has no {INDEX}; one that was not finished has none", .0.display())]
    NotABackup(PathBuf),
    /// The index cannot be used.
    #[error("{} {reason}", path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A file is not what it should be.
    #[error("{} {damage}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        damage: Damage,
    },
}

/// A backup whose index was read.
#[derive(Debug)]
pub struct Backup {
    directory: PathBuf,
    index: Index,
}

/// A partition's file that was found whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    partition: u16,
    /// Where its changes begin, if it has any.
    changes_at: Option<u64>,
}

impl Backup {
    /// Reads the index.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(directory: &Path) -> Result<Backup, OpenError> {
        let path = directory.join(INDEX);
        let refused = |reason: String| OpenError::Index { path: path.clone(), reason };
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(OpenError::NotABackup(directory.to_owned()));
            }
            opened => opened.map_err(|error| refused(format!("cannot be read: {error}")))?,
        };
        let mut bytes = Vec::new();
        let read = file.take(MAX_INDEX_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|error| refused(format!("cannot be read: {error}")))?;
        if bytes.len() as u64 > MAX_INDEX_BYTES {
            return Err(refused(format!("is longer than {MAX_INDEX_BYTES} bytes")));
        }
        let index = Index::decode(&bytes).map_err(refused)?;
        Ok(Backup { directory: directory.to_owned(), index })
    }

    /// What it is of.
    pub fn index(&self) -> &Index {
        &self.index
    }

    fn path(&self, file: &FileEntry) -> PathBuf {
        self.directory.join(&file.name)
    }

    /// Reads a whole file and holds it against the index and its own rules; `read` is told of bytes as they are read.
    ///
    /// # Errors
    /// Which file, and what is wrong with it.
    pub fn check(&self, file: &FileEntry, read: impl FnMut(u64)) -> Result<Checked, OpenError> {
        let path = self.path(file);
        let checked =
            File::open(&path).map_err(Damage::from).and_then(|open| self.check_file(file, open, read));
        checked.map_err(|damage| OpenError::File { path, damage })
    }

    fn check_file(&self, file: &FileEntry, open: File, read: impl FnMut(u64)) -> Result<Checked, Damage> {
        let (found, expected) = (open.metadata()?.len(), file.size_bytes);
        if found != expected {
            return Err(Damage::Size { found, expected });
        }
        let mut hashed = Hashed { from: open, digest: Sha256::new(), read };
        let mut contents = Contents::begin(BufReader::with_capacity(1 << 16, &mut hashed))?;
        self.check_header(file, contents.header())?;
        while let Some(item) = contents.next()? {
            self.check_item(file, &item)?;
        }
        let (trailer, changes_at) = (contents.trailer().unwrap_or_default(), contents.changes_at());
        drop(contents);
        // The end was come to: nothing is left that was not hashed.
        let (found, expected) = (hex(&hashed.digest.finalize()), &file.sha256);
        if found != *expected {
            return Err(Damage::Digest { found, expected: expected.clone() });
        }
        let cut = |epoch, sequence| format!("epoch {epoch}, sequence {sequence}");
        let (found, expected) = (cut(trailer.epoch, trailer.sequence), cut(file.epoch, file.sequence));
        if found != expected {
            return Err(Damage::Foreign { found, expected });
        }
        Ok(Checked { partition: file.partition, changes_at })
    }

    fn check_header(&self, file: &FileEntry, header: Header) -> Result<(), Damage> {
        let of = |header: Header| {
            let Header { cluster, partition, partition_count } = header;
            format!("partition {partition} of {partition_count} of cluster {cluster}")
        };
        let partition_count = self.index.partition_count.get();
        let expected = Header { cluster: self.index.cluster, partition: file.partition, partition_count };
        match header == expected {
            true => Ok(()),
            false => Err(Damage::Foreign { found: of(header), expected: of(expected) }),
        }
    }

    /// Whether keys are those of a tenant that there is, and of this partition.
    fn check_item(&self, file: &FileEntry, item: &Item) -> Result<(), Damage> {
        let (Item::Page(change) | Item::Change(change)) = item;
        let Some(tenant) = self.index.tenant(change.tenant) else {
            let found = format!("tenant {} among others", change.tenant);
            return Err(Damage::Foreign { found, expected: "none of that number".to_owned() });
        };
        let Item::Page(page) = item else { return Ok(()) };
        let count = self.index.partition_count;
        let stray = |key: &[u8]| count.partition_of(key_slot(key)) != PartitionId(file.partition);
        let mut sets = page.effects.iter().filter_map(|effect| set_of(effect.clone()));
        if tenant.placement == "spread" && sets.any(|set| stray(&set.key)) {
            let found = format!("another partition than {}, by one of its keys", file.partition);
            return Err(Damage::Foreign { found, expected: format!("partition {}", file.partition) });
        }
        Ok(())
    }

    /// The keys of a file that was checked, each once, as they were at the cut.
    ///
    /// # Errors
    /// When the file is not what it was when it was checked.
    pub fn keys(&self, checked: Checked) -> Result<Keys, OpenError> {
        let Some(file) = self.index.files.get(usize::from(checked.partition)) else {
            return Err(OpenError::NotABackup(self.directory.clone()));
        };
        let path = self.path(file);
        match Keys::begin(&path, checked.changes_at) {
            Ok((contents, fates)) => Ok(Keys {
                path,
                source: Source::Pages(Box::new(contents), fates),
                page: (0, Vec::new().into_iter()),
            }),
            Err(damage) => Err(OpenError::File { path, damage }),
        }
    }
}

/// A reader whose bytes are hashed and counted on their way.
struct Hashed<F> {
    from: File,
    digest: Sha256,
    read: F,
}

impl<F: FnMut(u64)> Read for Hashed<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.digest.update(&buffer[..count]);
        (self.read)(count as u64);
        Ok(count)
    }
}

type Open = Contents<BufReader<File>>;

/// Where keys come from.
enum Source {
    Pages(Box<Open>, Fates),
    Rest(Box<dyn Iterator<Item = Key> + Send>),
}

/// The keys of one partition.
pub struct Keys {
    path: PathBuf,
    source: Source,
    page: (u32, std::vec::IntoIter<predis_proto::replica::Effect>),
}

impl Keys {
    /// Reads what was done while pages were read, and opens the pages.
    fn begin(path: &Path, changes_at: Option<u64>) -> Result<(Open, Fates), Damage> {
        let mut fates = Fates::default();
        if let Some(at) = changes_at {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(at))?;
            let mut frames = Frames::resume(BufReader::new(file), at);
            loop {
                match frames.next()? {
                    Some(Frame { kind: Kind::Change, at, payload }) => {
                        let change = changes_of(payload);
                        fates.add(change.ok_or(Damage::Frame { at, rule: "is no change" })?);
                    }
                    Some(Frame { kind: Kind::Trailer, .. }) => break,
                    // It was whole when it was checked.
                    _ => return Err(Damage::Truncated(frames.at())),
                }
            }
        }
        Ok((Contents::begin(BufReader::new(File::open(path)?))?, fates))
    }

    fn advance(&mut self) -> Result<Option<Key>, OpenError> {
        loop {
            let (contents, fates) = match &mut self.source {
                Source::Rest(rest) => return Ok(rest.next()),
                Source::Pages(contents, fates) => (contents, fates),
            };
            let (tenant, effects) = &mut self.page;
            if let Some(effect) = effects.next() {
                match set_of(effect).and_then(|set| fates.settle(*tenant, set)) {
                    Some(key) => return Ok(Some(key)),
                    None => continue,
                }
            }
            let item = contents.next();
            match item.map_err(|damage| OpenError::File { path: self.path.clone(), damage })? {
                Some(Item::Page(page)) => self.page = (page.tenant, page.effects.into_iter()),
                // Changes are known already; behind the last page all that is left is what became of other keys.
                _ => self.source = Source::Rest(Box::new(std::mem::take(fates).rest())),
            }
        }
    }
}

impl Iterator for Keys {
    type Item = Result<Key, OpenError>;

    /// The next key; an error when the file is not what it was when it was checked.
    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}
