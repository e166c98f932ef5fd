//! Holds the encoding against files: what was ever written must be read the same for ever.
//!
//! ```text
//! encoding/v2/{state,commands/NAME}.json           what this version writes
//! encoding/v1/{state,commands/NAME}.json           what version 1 wrote; never to be changed
//! encoding/v1/migrated/{state,commands/NAME}.json  what becomes of it
//! ```
//! `PREDIS_BLESS=1` writes the files of the present version anew. Once a version has been released its files
//! move to a frozen folder, and the next version gets its own.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod samples;

use predis_meta::{
    Action, ClusterState, DecodeError, PlacementChange, PlacementKind, Replica, VERSION, decode_command,
    decode_state, encode_command, encode_state,
    limits::{MAX_PLACEMENT_CHANGES, MAX_SEATS},
};
use predis_types::{Epoch, Incarnation, NodeId, PartitionId};
use samples::{actions, command, create, state_after};
use std::{collections::BTreeSet, fs, path::PathBuf};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/encoding").join(name)
}

fn read(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The bytes must be those of the file but for its final newline.
fn compare(name: &str, bytes: &[u8]) {
    let mut line = bytes.to_vec();
    line.push(b'\n');
    if std::env::var_os("PREDIS_BLESS").is_some() {
        fs::create_dir_all(path(name).parent().unwrap()).unwrap();
        fs::write(path(name), line).unwrap();
        return;
    }
    let written = String::from_utf8(read(name)).unwrap();
    assert_eq!(String::from_utf8(line).unwrap(), written, "{name}; PREDIS_BLESS=1 accepts it");
}

/// The names of all actions there are, as the decoder lists them when it meets one it does not know.
fn known_actions() -> BTreeSet<String> {
    let error = serde_json::from_str::<Action>(r#"{"no_such_action":{}}"#).unwrap_err().to_string();
    let (_, list) = error.split_once("expected one of").expect("a list of variants");
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_command_is_written_as_in_its_file() {
    let samples = actions();
    let sampled: BTreeSet<String> = samples.iter().map(|action| action.name().to_owned()).collect();
    assert_eq!(sampled, known_actions(), "an action without a sample, or with another name in the encoding");
    let mut written = BTreeSet::new();
    for action in samples {
        let name = action.name();
        let sample = command(action);
        let bytes = encode_command(&sample);
        assert_eq!(decode_command(&bytes).unwrap(), sample);
        // The second placement is there to make the sequence acceptable; the first one is the sample.
        if written.insert(name) {
            compare(&format!("v2/commands/{name}.json"), &bytes);
        }
    }
}

#[test]
fn a_state_is_written_as_in_its_file_and_read_back_equal() {
    for count in 0..=actions().len() {
        let state = state_after(count);
        let again = decode_state(&encode_state(&state)).unwrap();
        assert_eq!(encode_state(&again), encode_state(&state));
        assert_eq!((again.digest(), again.applied_index()), (state.digest(), state.applied_index()));
    }
    // Before things are given back and removed, so that there is something of everything.
    compare("v2/state.json", &encode_state(&state_after(13)));
}

#[test]
fn version_1_is_read_and_becomes_the_present_version() {
    let mut count = 0;
    for entry in fs::read_dir(path("v1/commands")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let command = decode_command(&read(&format!("v1/commands/{name}"))).unwrap();
        assert_eq!(format!("{}.json", command.action.name()), name);
        compare(&format!("v1/migrated/commands/{name}"), &encode_command(&command));
        count += 1;
    }
    assert_eq!(count, 11, "version 1 had eleven actions");
    let state = decode_state(&read("v1/state.json")).unwrap();
    compare("v1/migrated/state.json", &encode_state(&state));
    assert!(
        state.nodes().values().all(|member| member.weight == 100 && member.addrs.grpc.ends_with(":7379"))
    );
}

#[test]
fn a_log_of_version_1_can_be_applied() {
    let mut state = ClusterState::new();
    for (index, name) in (1..).zip(["create_cluster", "issue_node", "boot", "create_tenant", "node_down"]) {
        let command = decode_command(&read(&format!("v1/commands/{name}.json"))).unwrap();
        state.apply(index, &command).unwrap_or_else(|rejected| panic!("{name}: {rejected}"));
        state.check().unwrap();
    }
}

#[test]
fn a_newer_version_is_refused_by_name() {
    let body = String::from_utf8(encode_state(&ClusterState::new())).unwrap();
    let newer = body.replace(&format!("\"version\":{VERSION}"), "\"version\":3");
    assert_ne!(body, newer);
    let error = decode_state(newer.as_bytes()).unwrap_err();
    assert!(matches!(error, DecodeError::TooNew { found: 3, newest: VERSION }));
    let words = "it was written in version 3, and this program reads versions 1 to 2: upgrade it";
    assert_eq!(error.to_string(), words);
    // Even when a newer version has put something else beside the body.
    let error = decode_command(br#"{"version":9,"checksum":1,"body":{}}"#).unwrap_err();
    assert!(matches!(error, DecodeError::TooNew { found: 9, .. }));
    assert!(matches!(decode_command(br#"{"version":0,"body":{}}"#), Err(DecodeError::NoSuchVersion(0))));
}

#[test]
fn unknown_fields_are_refused_wherever_they_are() {
    let bytes = encode_state(&state_after(13));
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let places = [
        "",
        "/body",
        "/body/cluster",
        "/body/nodes/1",
        "/body/nodes/1/addrs",
        "/body/partitions/0",
        "/body/partitions/0/primary",
        "/body/tenants/1",
        "/body/tenants/1/settings",
        "/body/tenants/1/token_hashes/0",
        "/body/roles/trainer",
        "/body/audit/0",
    ];
    for place in places {
        let mut changed = value.clone();
        let object = changed.pointer_mut(place).unwrap_or_else(|| panic!("{place}")).as_object_mut().unwrap();
        object.insert("surprise".into(), 1.into());
        let error = decode_state(changed.to_string().as_bytes()).unwrap_err().to_string();
        assert!(error.contains("unknown field `surprise`"), "{place}: {error}");
    }
    for action in actions() {
        let mut changed: serde_json::Value =
            serde_json::from_slice(&encode_command(&command(action))).unwrap();
        let fields = changed["body"]["action"].as_object_mut().unwrap().values_mut().next().unwrap();
        fields.as_object_mut().unwrap().insert("surprise".into(), 1.into());
        let error = decode_command(changed.to_string().as_bytes()).unwrap_err().to_string();
        assert!(error.contains("unknown field `surprise`"), "{error}");
    }
}

#[test]
fn a_state_that_breaks_a_rule_is_refused() {
    let bytes = String::from_utf8(encode_state(&state_after(13))).unwrap();
    for (from, to, broken) in [
        ("\"incarnation\":3},\"replicas\"", "\"incarnation\":2},\"replicas\"", "partition 0: primary 2/2"),
        ("\"next_node_id\":3", "\"next_node_id\":2", "node 2 has an id that was not issued"),
        ("\"replicas\":[1,2]", "\"replicas\":[1,1]", "partition 3: seats"),
        ("\"replicas\":[1,2]", "\"replicas\":[1,9]", "partition 3: a seat of node 9"),
        ("\"replicas\":[1,2]", "\"replicas\":[2,1]", "partition 3: primary 1/1 is not in the first seat"),
        ("\"status\":\"up\"", "\"status\":\"down\"", "is in sync, but not live"),
        ("\"partitions\":4", "\"partitions\":8", "4 partitions instead of 8"),
        ("\"next_fencing_token\":2", "\"next_fencing_token\":1", "role trainer: token 1 was not issued"),
        ("\"applied_index\":13", "\"applied_index\":2", "was not applied"),
        ("\"name\":\"shop\"", "\"name\":\"default\"", "two tenants are named default"),
    ] {
        let changed = bytes.replacen(from, to, 1);
        assert_ne!(changed, bytes, "{from} is not there");
        let error = decode_state(changed.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("inconsistent state: ") && error.contains(broken), "{to}: {error}");
    }
}

#[test]
fn the_largest_placement_stays_below_128_kib() {
    let to = Replica { node: NodeId(u64::MAX), incarnation: Incarnation(u64::MAX) };
    let change = PlacementChange {
        partition: PartitionId(16383),
        epoch: Epoch(u64::MAX),
        version: u64::MAX,
        replicas: vec![to.node; MAX_SEATS],
        kind: PlacementKind::HandOver { from: to, to },
    };
    let largest = command(Action::Place { changes: vec![change; MAX_PLACEMENT_CHANGES] });
    assert!(encode_command(&largest).len() < 128 * 1024);
    assert!(encode_command(&command(create(16384))).len() < 128 * 1024);
}
