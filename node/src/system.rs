//! The world as the operating system gives it: TCP, CLOCK_BOOTTIME, a data directory.
//!
//! What production, `predis up` and tests over real sockets pass to [`crate::boot`].

use crate::{
    identity,
    io::{Binder, Incoming, Io, Listener},
};
use predis_raft::{BoxedStream, Connector, Pending, SledDisk};
use predis_types::{Clock, Rng, SplitMix64, probe::NoProbe};
use rustix::time::{ClockId, clock_gettime};
use std::{
    fs::DirBuilder,
    io,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use tokio::net::{TcpListener, TcpStream};

/// The name of the file in a data directory with the token of the first user of a cluster that requires
/// authentication. Whoever has the cluster founded writes it; the node only takes it for its own.
pub const ADMIN_TOKEN_FILE: &str = "admin.token";

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It cannot be created, listed or written.
    #[error("data directory {path} cannot be used")]
    Unusable {
        /// Which one.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It holds something else.
    #[error("data directory {path} holds {found:?}, which is not Predis's: use an empty directory")]
    Foreign {
        /// Which one.
        path: PathBuf,
        /// One of the strange files.
        found: String,
    },
    /// Another process uses it.
    #[error("data directory {path} is in use by another process")]
    InUse {
        /// Which one.
        path: PathBuf,
    },
}

/// The system, with this data directory, created if it is missing.
///
/// # Errors
/// See [`DataDirError`].
pub fn open(data_dir: &Path) -> Result<Io, DataDirError> {
    let unusable = |source| DataDirError::Unusable { path: data_dir.to_owned(), source };
    // What is in it is nobody else's business: digests of tokens, the key that orders keys.
    DirBuilder::new().recursive(true).mode(0o700).create(data_dir).map_err(unusable)?;
    check_ours(data_dir)?;
    let disk = SledDisk::open(data_dir).map_err(|source| {
        let text = source.to_string();
        if source.kind() == io::ErrorKind::WouldBlock || text.contains("could not acquire lock") {
            DataDirError::InUse { path: data_dir.to_owned() }
        } else {
            unusable(source)
        }
    })?;
    Ok(Io {
        binder: Arc::new(Tcp),
        connector: Arc::new(Tcp),
        clock: Arc::new(SystemClock),
        rng: Mutex::new(os_rng()),
        disk: Arc::new(disk),
        probe: Arc::new(NoProbe),
    })
}

/// Descriptors that a node needs besides those of its clients: listeners, members, metrics, files.
const RESERVED_DESCRIPTORS: u64 = 128;

/// Descriptors of connections whose TLS handshake is under way, which count as nobody's yet; had if the hard limit
/// allows it.
const SPARE_DESCRIPTORS: u64 = 1024;

/// How many client connections of the `wanted` the process may have, having raised its soft limit on open files
/// as far as that takes, and can.
pub fn affordable_clients(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let needed = (wanted as u64).saturating_add(RESERVED_DESCRIPTORS);
    let limit = getrlimit(Resource::Nofile);
    let mut soft = limit.current.unwrap_or(u64::MAX);
    let comfortable = needed.saturating_add(SPARE_DESCRIPTORS);
    if soft < comfortable {
        let raised = comfortable.min(limit.maximum.unwrap_or(u64::MAX));
        if setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum }).is_ok() {
            soft = raised;
        }
    }
    let affordable = soft.saturating_sub(RESERVED_DESCRIPTORS).clamp(1, wanted as u64);
    usize::try_from(affordable).unwrap_or(wanted)
}

/// Sees to it that no core dump of this process is written, which would hold keys, values and secrets, and that no
/// other process of the same user can read its memory.
///
/// # Errors
/// When the system does not allow it.
pub fn forbid_core_dumps() -> io::Result<()> {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// Refuses a directory that has files but none of ours.
fn check_ours(path: &Path) -> Result<(), DataDirError> {
    let unusable = |source| DataDirError::Unusable { path: path.to_owned(), source };
    let mut strange = None;
    for entry in std::fs::read_dir(path).map_err(unusable)? {
        let name = entry.map_err(unusable)?.file_name().to_string_lossy().into_owned();
        match name.as_str() {
            identity::FILE | "raft" => return Ok(()),
            // A token that was written before the founding that it is for says nothing of other files.
            ADMIN_TOKEN_FILE | "lost+found" => {}
            _ => strange = strange.or(Some(name)),
        }
    }
    match strange {
        Some(found) => Err(DataDirError::Foreign { path: path.to_owned(), found }),
        None => Ok(()),
    }
}

/// A generator seeded by the operating system.
fn os_rng() -> Box<dyn Rng> {
    let mut seed = [0; 8];
    // The flag-less call blocks until the pool is ready and then always fills a buffer this small.
    let filled = rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty());
    if filled != Ok(seed.len()) {
        tracing::warn!("the operating system gave no randomness: seeding from the clock");
        seed = SystemClock.mono_us().to_le_bytes();
    }
    Box::new(SplitMix64::new(u64::from_le_bytes(seed)))
}

/// The system's clocks: CLOCK_REALTIME and CLOCK_BOOTTIME.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

fn read(clock: ClockId) -> (u64, u64) {
    let now = clock_gettime(clock);
    // Both clocks read zero or later on any system this runs on.
    (u64::try_from(now.tv_sec).unwrap_or(0), u64::try_from(now.tv_nsec).unwrap_or(0))
}

impl Clock for SystemClock {
    fn wall_ms(&self) -> u64 {
        let (seconds, nanos) = read(ClockId::Realtime);
        seconds * 1_000 + nanos / 1_000_000
    }

    fn mono_us(&self) -> u64 {
        let (seconds, nanos) = read(ClockId::Boottime);
        seconds * 1_000_000 + nanos / 1_000
    }
}

/// Kernel TCP.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

struct Accepting(TcpListener);

impl Listener for Accepting {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    fn accept(&mut self) -> Pending<'_, io::Result<Incoming>> {
        Box::pin(async {
            let (stream, peer) = self.0.accept().await?;
            stream.set_nodelay(true)?;
            Ok(Incoming::plain(Box::new(stream), peer))
        })
    }
}

impl Binder for Tcp {
    fn bind<'a>(&'a self, addr: &'a str) -> Pending<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let listener = TcpListener::bind(addr).await?;
            Ok(Box::new(Accepting(listener)) as Box<dyn Listener>)
        })
    }
}

impl Connector for Tcp {
    fn connect(&self, addr: &str) -> Pending<'static, io::Result<BoxedStream>> {
        let addr = addr.to_owned();
        Box::pin(async move {
            let stream = TcpStream::connect(addr).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as BoxedStream)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_with_other_files_is_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("holiday.jpg"), "x").unwrap();
        let refused = open(directory.path()).err().unwrap().to_string();
        assert!(refused.contains("holiday.jpg"), "{refused}");
    }

    #[test]
    fn a_process_without_core_dumps_still_sees_itself() {
        use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};
        forbid_core_dumps().unwrap();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        // INFO reads these.
        assert!(std::fs::read_to_string("/proc/self/status").is_ok());
        assert!(std::fs::read_to_string("/proc/self/stat").is_ok());
    }

    #[test]
    fn a_token_that_waits_for_its_founding_is_ours() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(ADMIN_TOKEN_FILE), "x").unwrap();
        assert!(check_ours(directory.path()).is_ok());
        std::fs::write(directory.path().join("holiday.jpg"), "x").unwrap();
        assert!(check_ours(directory.path()).is_err());
    }

    #[test]
    fn a_directory_in_use_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let first = open(directory.path()).unwrap();
        let second = open(directory.path()).err().unwrap();
        assert!(matches!(second, DataDirError::InUse { .. }), "{second}");
        drop(first);
    }

    #[test]
    fn a_path_that_cannot_be_a_directory_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let refused = open(&file.path().join("data")).err().unwrap();
        assert!(matches!(refused, DataDirError::Unusable { .. }), "{refused}");
    }
}
