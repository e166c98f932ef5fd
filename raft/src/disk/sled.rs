//! A disk on sled, with the durability that sled's own flush does not give.
//!
//! sled's `flush` hands its pages to the operating system but does not fsync on Linux, so every sync is a
//! flush followed by `sync_data` on a second handle to sled's file. Values must stay small: sled moves those
//! above about 128 KiB to files that it never syncs, hence [`super::MAX_VALUE_BYTES`]. Files are written beside their
//! final name, synced, renamed, and their directory synced.

use super::{Change, Disk, Pair, Pending, Space, check_sizes};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

const CACHE_BYTES: u64 = 16 << 20;

/// A data directory: sled under `raft/`, files beside it.
#[derive(Clone)]
pub struct SledDisk {
    inner: Arc<Inner>,
}

struct Inner {
    directory: PathBuf,
    db: ::sled::Db,
    log: ::sled::Tree,
    vote: ::sled::Tree,
    // The second handle through which the database file is fsynced.
    raw: File,
}

impl SledDisk {
    /// Opens the directory, creating what is missing.
    ///
    /// # Errors
    /// When the directory cannot be written or another process has it open.
    pub fn open(directory: &Path) -> io::Result<SledDisk> {
        let path = directory.join("raft");
        fs::create_dir_all(&path)?;
        let db = ::sled::Config::new().path(&path).flush_every_ms(None).cache_capacity(CACHE_BYTES).open()?;
        let raw = File::options().read(true).write(true).open(path.join("db"))?;
        sync_directory(&path)?;
        sync_directory(directory)?;
        let (log, vote) = (db.open_tree("log")?, db.open_tree("vote")?);
        Ok(SledDisk { inner: Arc::new(Inner { directory: directory.to_owned(), db, log, vote, raw }) })
    }

    fn tree(&self, space: Space) -> &::sled::Tree {
        match space {
            Space::Log => &self.inner.log,
            Space::Vote => &self.inner.vote,
        }
    }
}

impl Inner {
    fn sync(&self) -> io::Result<()> {
        self.db.flush()?;
        self.raw.sync_data()
    }

    fn put_file(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let temporary = self.directory.join(format!("{name}.tmp"));
        let mut file = File::create(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, self.directory.join(name))?;
        sync_directory(&self.directory)
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn pair((key, value): (::sled::IVec, ::sled::IVec)) -> Pair {
    (key.to_vec(), value.to_vec())
}

async fn blocking(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

impl Disk for SledDisk {
    fn get(&self, space: Space, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        Ok(self.tree(space).get(key)?.map(|value| value.to_vec()))
    }

    fn range(&self, space: Space, from: &[u8], to: &[u8]) -> io::Result<Vec<Pair>> {
        if from >= to {
            return Ok(Vec::new());
        }
        self.tree(space).range(from..to).map(|found| Ok(pair(found?))).collect()
    }

    fn last(&self, space: Space) -> io::Result<Option<Pair>> {
        Ok(self.tree(space).last()?.map(pair))
    }

    fn write(&self, space: Space, changes: Vec<Change>) -> io::Result<()> {
        check_sizes(&changes)?;
        let mut batch = ::sled::Batch::default();
        for change in changes {
            match change {
                Change::Put(key, value) => batch.insert(key, value),
                Change::Remove(key) => batch.remove(key),
            }
        }
        Ok(self.tree(space).apply_batch(batch)?)
    }

    fn sync(&self) -> Pending<'_, io::Result<()>> {
        let inner = self.inner.clone();
        Box::pin(blocking(move || inner.sync()))
    }

    fn put_file<'a>(&'a self, name: &'a str, content: Vec<u8>) -> Pending<'a, io::Result<()>> {
        let (inner, name) = (self.inner.clone(), name.to_owned());
        Box::pin(blocking(move || inner.put_file(&name, &content)))
    }

    fn get_file(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.inner.directory.join(name)) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
