//! openraft's own storage suite against our stores, on both disks.

use crate::{
    disk::{Disk, MemoryDisk, SledDisk},
    log_store::LogStore,
    state_machine::StateMachine,
    types::{StorageError, TypeConfig},
};
use openraft::{StorageIOError, testing::StoreBuilder, testing::Suite};
use predis_types::{NodeId, probe::NoProbe};
use std::sync::Arc;

struct InMemory;
struct OnSled;

fn stores(disk: Arc<dyn Disk>) -> Result<(LogStore, StateMachine), StorageError> {
    let probe = Arc::new(NoProbe);
    let machine = StateMachine::open(NodeId(1), disk.clone(), probe.clone())
        .map_err(|error| StorageIOError::read_state_machine(&error))?;
    Ok((LogStore::new(NodeId(1), disk, probe), machine))
}

impl StoreBuilder<TypeConfig, LogStore, StateMachine, ()> for InMemory {
    async fn build(&self) -> Result<((), LogStore, StateMachine), StorageError> {
        let (log, machine) = stores(Arc::new(MemoryDisk::new()))?;
        Ok(((), log, machine))
    }
}

impl StoreBuilder<TypeConfig, LogStore, StateMachine, tempfile::TempDir> for OnSled {
    async fn build(&self) -> Result<(tempfile::TempDir, LogStore, StateMachine), StorageError> {
        let directory = tempfile::tempdir().map_err(|error| StorageIOError::read(&error))?;
        let disk = SledDisk::open(directory.path()).map_err(|error| StorageIOError::read(&error))?;
        let (log, machine) = stores(Arc::new(disk))?;
        Ok((directory, log, machine))
    }
}

#[test]
fn storage_suite_holds_in_memory() {
    Suite::test_all(InMemory).unwrap();
}

#[test]
fn storage_suite_holds_on_sled() {
    Suite::test_all(OnSled).unwrap();
}
