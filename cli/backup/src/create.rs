//! Making a backup's directory: files for their owner alone, the index last and at once.
//!
//! ```text
//! begin: an empty directory --> a file a partition, synced --> index written beside, synced, renamed, directory synced
//! ```
//! What is given up is taken away again. Does not know where pages come from.

use crate::{
    FORMAT, FileEntry, INDEX, Index, Tenant,
    contents::{Header, Trailer, changes_of, page_of},
    file_name,
    frame::{Kind, head, prefix},
    index::hex,
};
use bytes::Bytes;
use predis_types::{ClusterId, PartitionCount};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufWriter, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Why a backup is not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// There is something in the directory.
    #[error("{} is not empty{}: name a directory that is empty, or does not exist", path.display(), what)]
    NotEmpty {
        /// The directory.
        path: PathBuf,
        /// What is in it, as far as it is known.
        what: &'static str,
    },
    /// Others could read what is written there.
    #[error("{} is open to others (mode {mode:o}): it must be for its owner alone (chmod 700)", path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The disk refuses.
    #[error("cannot write {}: {error}", path.display())]
    Io {
        /// What was to be written.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// What the cluster sent is nothing that can be kept.
    #[error("partition {partition}: the node sent what is no {what}: is it of a newer version?")]
    Unknown {
        /// Of which partition.
        partition: u16,
        /// What it should have been.
        what: &'static str,
    },
    /// Keys of a tenant that the index would not name.
    #[error(
        "there are keys of tenant {0}, which was made and removed while the backup was made: make it again"
    )]
    Tenant(u32),
}

/// A backup in the making.
pub struct Create {
    directory: PathBuf,
    made: bool,
    cluster: ClusterId,
    partitions: PartitionCount,
    begun_at_ms: u64,
}

impl Create {
    /// Takes a directory that is empty, or makes it.
    ///
    /// # Errors
    /// See [`CreateError`]; then nothing is changed.
    pub fn begin(
        directory: &Path,
        cluster: ClusterId,
        partitions: PartitionCount,
        begun_at_ms: u64,
    ) -> Result<Create, CreateError> {
        let failed = |error| CreateError::Io { path: directory.to_owned(), error };
        let made = match DirBuilder::new().mode(0o700).create(directory) {
            Ok(()) => {
                sync_parent(directory).map_err(|error| {
                    let _ = fs::remove_dir(directory);
                    failed(error)
                })?;
                true
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
            Err(error) => return Err(failed(error)),
        };
        if fs::read_dir(directory).map_err(failed)?.next().is_some() {
            let is_backup = directory.join(INDEX).exists();
            let what = if is_backup { ", it holds a backup" } else { "" };
            return Err(CreateError::NotEmpty { path: directory.to_owned(), what });
        }
        let mode = fs::metadata(directory).map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(CreateError::Open { path: directory.to_owned(), mode });
        }
        Ok(Create { directory: directory.to_owned(), made, cluster, partitions, begun_at_ms })
    }

    /// Begins, or begins again, a partition's file.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn partition(&self, partition: u16) -> Result<PartitionFile, CreateError> {
        let header = Header { cluster: self.cluster, partition, partition_count: self.partitions.get() };
        PartitionFile::begin(&self.directory, header)
    }

    /// Writes the index: from now on it is a backup.
    ///
    /// # Errors
    /// When there are keys of a tenant that is not among `tenants`, or the disk refuses.
    pub fn finish(
        &self,
        mut files: Vec<(FileEntry, BTreeSet<u32>)>,
        tenants: Vec<Tenant>,
        settings: BTreeMap<String, String>,
        finished_at_ms: u64,
    ) -> Result<Index, CreateError> {
        let unknown = |id: &&u32| tenants.iter().all(|tenant| tenant.id != **id);
        if let Some(id) = files.iter().flat_map(|(_, ids)| ids).find(unknown) {
            return Err(CreateError::Tenant(*id));
        }
        files.sort_by_key(|(file, _)| file.partition);
        let mut index = Index {
            format: FORMAT,
            product_version: env!("CARGO_PKG_VERSION").to_owned(),
            cluster: self.cluster,
            begun_at_ms: self.begun_at_ms,
            finished_at_ms,
            partition_count: self.partitions,
            tenants,
            settings,
            files: files.into_iter().map(|(file, _)| file).collect(),
            checksum: String::new(),
        };
        index.tenants.sort_by_key(|tenant| tenant.id);
        let path = self.directory.join(INDEX);
        let beside = path.with_extension("new");
        let write = || {
            let mut file = create(&beside)?;
            file.write_all(&index.clone().encode()?)?;
            file.sync_all()?;
            fs::rename(&beside, &path)?;
            File::open(&self.directory)?.sync_all()
        };
        write().map_err(|error| CreateError::Io { path: path.clone(), error })?;
        Ok(index)
    }

    /// Takes away what was written. Whatever cannot be is left; there is no index, so it is no backup.
    pub fn give_up(&self) {
        // First what makes it a backup.
        let _ = fs::remove_file(self.directory.join(INDEX));
        for partition in self.partitions.iter() {
            let _ = fs::remove_file(self.directory.join(file_name(partition.0)));
        }
        let _ = fs::remove_file(self.directory.join(INDEX).with_extension("new"));
        if self.made {
            let _ = fs::remove_dir(&self.directory);
        }
    }
}

/// Has the disk keep that a directory is there.
fn sync_parent(directory: &Path) -> io::Result<()> {
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// A new file for its owner alone, in place of what may be left of an attempt before.
fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// One partition's file in the making.
pub struct PartitionFile {
    path: PathBuf,
    header: Header,
    out: BufWriter<File>,
    digest: Sha256,
    size_bytes: u64,
    trailer: Trailer,
    tenants: BTreeSet<u32>,
}

impl PartitionFile {
    fn begin(directory: &Path, header: Header) -> Result<PartitionFile, CreateError> {
        let path = directory.join(file_name(header.partition));
        let file = create(&path).map_err(|error| CreateError::Io { path: path.clone(), error })?;
        let mut begun = PartitionFile {
            path,
            header,
            out: BufWriter::new(file),
            digest: Sha256::new(),
            size_bytes: 0,
            trailer: Trailer::default(),
            tenants: BTreeSet::new(),
        };
        begun.put(&prefix())?;
        begun.frame(Kind::Header, &header.encode())?;
        Ok(begun)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), CreateError> {
        self.digest.update(bytes);
        self.size_bytes += bytes.len() as u64;
        self.out.write_all(bytes).map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> CreateError {
        CreateError::Io { path: self.path.clone(), error }
    }

    fn unknown(&self, what: &'static str) -> CreateError {
        CreateError::Unknown { partition: self.header.partition, what }
    }

    fn frame(&mut self, kind: Kind, payload: &[u8]) -> Result<(), CreateError> {
        let head = head(kind, payload).ok_or_else(|| self.unknown("frame that can be kept"))?;
        self.put(&head)?;
        self.put(payload)
    }

    /// Adds a page: an encoded change that sets keys. No pages come behind changes.
    ///
    /// # Errors
    /// When it is none, or the disk refuses.
    pub fn page(&mut self, page: &Bytes) -> Result<(), CreateError> {
        let read = page_of(page.clone()).filter(|_| self.trailer.changes == 0);
        let read = read.ok_or_else(|| self.unknown("page"))?;
        self.trailer.pages += 1;
        self.trailer.keys += read.effects.len() as u64;
        self.tenants.insert(read.tenant);
        self.frame(Kind::Page, page)
    }

    /// Adds a change.
    ///
    /// # Errors
    /// When it is none, or the disk refuses.
    pub fn change(&mut self, change: &Bytes) -> Result<(), CreateError> {
        let read = changes_of(change.clone()).ok_or_else(|| self.unknown("change"))?;
        self.trailer.changes += 1;
        self.tenants.insert(read.tenant);
        self.frame(Kind::Change, change)
    }

    /// How many bytes it has by now.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Writes the end, and has the disk keep it. What the index is to say of it, and whose keys are in it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(mut self, epoch: u64, sequence: u64) -> Result<(FileEntry, BTreeSet<u32>), CreateError> {
        let trailer = Trailer { epoch, sequence, ..self.trailer };
        self.frame(Kind::Trailer, &trailer.encode())?;
        let synced = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        synced.map_err(|error| self.failed(error))?;
        let partition = self.header.partition;
        let entry = FileEntry {
            partition,
            name: file_name(partition),
            size_bytes: self.size_bytes,
            sha256: hex(&self.digest.finalize()),
            epoch,
            sequence,
            paged_keys: trailer.keys,
            changes: trailer.changes,
        };
        Ok((entry, self.tenants))
    }
}
