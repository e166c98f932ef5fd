//! A backup on disk: who may read it, what is in it, and every way in which it may not be what it was.

use super::{change, set};
use crate::{Backup, Create, CreateError, FileEntry, INDEX, Index, Key, Tenant, file_name};
use bytes::Bytes;
use predis_proto::replica::{Delete, effect::Kind};
use predis_types::{ClusterId, PartitionCount};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
};

const CLUSTER: ClusterId = ClusterId(0xabcd);

fn tenant(id: u32, name: &str, placement: &str) -> Tenant {
    Tenant {
        id,
        name: name.to_owned(),
        placement: placement.to_owned(),
        ack: "async".to_owned(),
        policy: "lru".to_owned(),
        memory_bytes: Some(5),
        max_ops_per_second: None,
        max_connections: None,
    }
}

/// A key of each of two partitions: `foo` is of slot 12182, `bar` of 5061.
const KEYS: [&str; 2] = ["bar", "foo"];

fn write(create: &Create, partition: u16) -> (FileEntry, BTreeSet<u32>) {
    let mut file = create.partition(partition).unwrap();
    let key = KEYS[usize::from(partition)];
    file.page(&change(0, vec![set(key, "old", None)])).unwrap();
    file.page(&change(3, vec![set("anywhere", "x", Some(9))])).unwrap();
    file.change(&change(0, vec![set(key, "new", None), set("more", "", None)])).unwrap();
    file.change(&change(0, vec![Kind::Delete(Delete { key: "more".into(), reason: 0 })])).unwrap();
    file.finish(u64::from(partition) + 1, 7).unwrap()
}

fn make(directory: &Path) -> Index {
    let create = Create::begin(directory, CLUSTER, PartitionCount::new(2).unwrap(), 10).unwrap();
    let files = vec![write(&create, 1), write(&create, 0)];
    let tenants = vec![tenant(3, "together", "colocated"), tenant(0, "default", "spread")];
    let settings = BTreeMap::from([("min-in-sync".to_owned(), "auto".to_owned())]);
    create.finish(files, tenants, settings, 20).unwrap()
}

/// What checking a whole backup says.
fn check(directory: &Path) -> Result<Vec<Key>, String> {
    let backup = Backup::open(directory).map_err(|error| error.to_string())?;
    let mut keys = Vec::new();
    for file in &backup.index().files {
        let mut bytes = 0;
        let checked = backup.check(file, |more| bytes += more).map_err(|error| error.to_string())?;
        assert_eq!(bytes, file.size_bytes);
        keys.extend(backup.keys(checked).unwrap().map(Result::unwrap));
    }
    Ok(keys)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_was_written_is_read_for_its_owner_alone() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("backup");
    let index = make(&path);
    assert_eq!(mode(&path), 0o700);
    for name in [INDEX, &file_name(0), &file_name(1)] {
        assert_eq!(mode(&path.join(name)), 0o600, "{name}");
    }
    assert_eq!(fs::read_dir(&path).unwrap().count(), 3, "nothing else is left");
    let opened = Backup::open(&path).unwrap();
    assert_eq!(opened.index().files, index.files);
    assert_eq!((opened.index().cluster, opened.index().files[1].epoch), (CLUSTER, 2));
    assert_eq!((index.files[0].paged_keys, index.files[0].changes), (2, 2));
    assert_eq!(opened.index().tenants[1], tenant(3, "together", "colocated"));
    let key = |tenant, key: &str, value: &str, expire_at_ms| {
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        Key { tenant, key: bytes(key), value: bytes(value), expire_at_ms }
    };
    let together = key(3, "anywhere", "x", Some(9));
    let wanted = [together.clone(), key(0, "bar", "new", None), together, key(0, "foo", "new", None)];
    assert_eq!(check(&path).unwrap(), wanted);
}

#[test]
fn a_directory_that_is_not_empty_or_open_to_others_is_refused_and_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("backup");
    let begin = |path: &Path| {
        Create::begin(path, CLUSTER, PartitionCount::new(2).unwrap(), 10).map(drop).map_err(|e| e.to_string())
    };
    make(&path);
    let refused = begin(&path).unwrap_err();
    assert!(refused.contains("is not empty, it holds a backup: name a directory"), "{refused}");
    assert!(check(&path).is_ok());
    let other = root.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o755)).unwrap();
    let refused = begin(&other).unwrap_err();
    assert!(refused.contains("is open to others (mode 755)"), "{refused}");
    fs::write(other.join("file"), "x").unwrap();
    let refused = begin(&other).unwrap_err();
    assert!(refused.contains("is not empty: name"), "{refused}");
    assert!(begin(&root.path().join("no/where")).unwrap_err().contains("cannot write"), "no parent");
}

#[test]
fn one_that_is_given_up_or_unfinished_is_none() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("backup");
    let create = Create::begin(&path, CLUSTER, PartitionCount::new(2).unwrap(), 10).unwrap();
    write(&create, 0);
    // A file is begun again from its beginning.
    let files = vec![write(&create, 0), write(&create, 1)];
    let refused = Backup::open(&path).unwrap_err().to_string();
    assert!(refused.contains("is not a backup: it has no index.json"), "{refused}");
    let refused = create.finish(files, vec![tenant(0, "default", "spread")], BTreeMap::new(), 20);
    assert!(matches!(refused, Err(CreateError::Tenant(3))));
    create.give_up();
    assert!(!path.exists());
    let create = Create::begin(&path, CLUSTER, PartitionCount::new(2).unwrap(), 10).unwrap();
    let tenants = vec![tenant(0, "default", "spread"), tenant(3, "together", "colocated")];
    let files = vec![write(&create, 0), write(&create, 1)];
    create.finish(files, tenants, BTreeMap::new(), 20).unwrap();
    create.give_up();
    assert!(!path.exists(), "one that was finished can be given up as well");
    let create = Create::begin(&path, CLUSTER, PartitionCount::new(2).unwrap(), 10).unwrap();
    let mut partition = create.partition(0).unwrap();
    let refused = partition.page(&Bytes::from_static(&[0xff])).unwrap_err().to_string();
    assert!(refused.contains("partition 0: the node sent what is no page"), "{refused}");
}

#[test]
fn every_byte_of_every_file_counts() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("backup");
    make(&path);
    for name in [INDEX, &file_name(0), &file_name(1)] {
        let file = path.join(name);
        let good = fs::read(&file).unwrap();
        for at in 0..good.len() {
            let mut flipped = good.clone();
            flipped[at] ^= 1;
            fs::write(&file, &flipped).unwrap();
            // White space between the words of the index says nothing.
            let spaces =
                name == INDEX && (good[at].is_ascii_whitespace() || flipped[at].is_ascii_whitespace());
            match check(&path) {
                Err(said) => assert!(said.contains(name), "{name} byte {at}: {said}"),
                Ok(_) => assert!(spaces, "{name} byte {at}"),
            }
        }
        fs::write(&file, &good[..good.len() - 1]).unwrap();
        // The index ends with a line break.
        assert_eq!(check(&path).is_err(), name != INDEX, "{name}");
        fs::write(&file, &good).unwrap();
    }
    check(&path).unwrap();
}

#[test]
fn a_file_that_shrinks_after_it_was_checked_gives_an_error() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("backup");
    make(&path);
    let backup = Backup::open(&path).unwrap();
    let checked = backup.check(&backup.index().files[0], |_| {}).unwrap();
    let file = path.join(file_name(0));
    let good = fs::read(&file).unwrap();
    for length in 0..good.len() {
        fs::write(&file, &good[..length]).unwrap();
        let read: Result<Vec<Key>, _> = backup.keys(checked).and_then(Iterator::collect);
        let said = read.unwrap_err().to_string();
        assert!(said.contains("partition-00000.pbk"), "{length}: {said}");
        // As soon as it is opened: no key goes out before.
        assert!(backup.keys(checked).is_err(), "{length}");
    }
    fs::write(&file, &good).unwrap();
    assert!(backup.keys(checked).unwrap().all(|key| key.is_ok()));
}

#[test]
fn what_is_foreign_newer_or_missing_is_said_by_name() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("backup");
    make(&path);
    let (first, second) = (path.join(file_name(0)), path.join(file_name(1)));
    let keep = |file: &Path| fs::read(file).unwrap();
    let (one, two, index) = (keep(&first), keep(&second), keep(&path.join(INDEX)));
    fs::write(&first, &two).unwrap();
    let said = check(&path).unwrap_err();
    assert!(said.contains("partition-00000.pbk is of partition 1 of 2 of cluster"), "{said}");
    fs::write(&first, &one).unwrap();
    fs::remove_file(&second).unwrap();
    let said = check(&path).unwrap_err();
    assert!(said.contains("partition-00001.pbk cannot be read"), "{said}");
    fs::write(&second, b"short").unwrap();
    let said = check(&path).unwrap_err();
    assert!(said.contains("partition-00001.pbk has 5 bytes, the index says"), "{said}");
    fs::write(&second, &two).unwrap();
    check(&path).unwrap();

    let text = String::from_utf8(index).unwrap();
    for (from, to, words) in [
        ("\"format\": 1", "\"format\": 2", "index.json is of format 2, and this program reads up to 1"),
        ("\"default\"", "\"defaults\"", "index.json is damaged: it fails its checksum"),
        ("\"files\"", "\"filed\"", "index.json is damaged: unknown field"),
        ("{", "", "index.json is damaged"),
    ] {
        fs::write(path.join(INDEX), text.replacen(from, to, 1)).unwrap();
        let said = check(&path).unwrap_err();
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn an_index_that_names_other_files_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("backup");
    let index = make(&path);
    let refused = |change: &dyn Fn(&mut Index)| {
        let mut changed = index.clone();
        change(&mut changed);
        fs::write(path.join(INDEX), changed.encode().unwrap()).unwrap();
        check(&path).unwrap_err()
    };
    let outside = refused(&|index| index.files[0].name = "../../etc/passwd".to_owned());
    assert!(
        outside.contains("names \"../../etc/passwd\" where the file of partition 0 must be"),
        "{outside}"
    );
    assert!(refused(&|index| drop(index.files.pop())).contains("names 1 files for 2 partitions"));
    assert!(refused(&|index| index.tenants.swap(0, 1)).contains("not in the order of their ids"));
    assert!(refused(&|index| drop(index.tenants.pop())).contains("is of tenant 3 among others"));
    let cut = refused(&|index| index.files[1].sequence = 8);
    assert!(cut.contains("is of epoch 2, sequence 7, the index says epoch 2, sequence 8"), "{cut}");
    let digest = refused(&|index| index.files[1].sha256 = "00".to_owned());
    assert!(digest.contains("has SHA-256"), "{digest}");
    let slots = refused(&|index| {
        index.files.swap(0, 1);
        index.files[0].partition = 0;
    });
    assert!(slots.contains("names \"partition-00001.pbk\" where the file of partition 0 must be"), "{slots}");
    // A tenant whose keys are spread has none where it must not.
    let stray = refused(&|index| index.tenants[1].placement = "spread".to_owned());
    assert!(stray.contains("by one of its keys"), "{stray}");
}
