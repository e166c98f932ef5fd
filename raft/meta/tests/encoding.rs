//! Holds the encoding of the present version against files: `encoding/v4/{state,commands/NAME}.json`.
//!
//! `PREDIS_BLESS=1` writes them anew. Once a version has been released its files are frozen (see `versions.rs`),
//! and the next version gets its own.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod files;
mod samples;

use files::compare;
use predis_meta::{
    Action, ClusterState, DecodeError, InSyncChange, NewToken, PlacementChange, PlacementKind, Replica,
    UserRole, VERSION, decode_command, decode_state, encode_command, encode_state,
    limits::{MAX_FOUNDING_USERS, MAX_PLACEMENT_CHANGES, MAX_SEATS, MAX_TOKENS},
};
use predis_types::{Epoch, Incarnation, NodeId, PartitionId, limits::MAX_COPIES};
use samples::{FULL, actions, command, create, replica, state_after, user};
use std::collections::BTreeSet;

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
            compare(&format!("v4/commands/{name}.json"), &bytes);
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
    compare("v4/state.json", &encode_state(&state_after(FULL)));
}

#[test]
fn a_newer_version_is_refused_by_name() {
    let body = String::from_utf8(encode_state(&ClusterState::new())).unwrap();
    let newer = body.replace(&format!("\"version\":{VERSION}"), "\"version\":5");
    assert_ne!(body, newer);
    let error = decode_state(newer.as_bytes()).unwrap_err();
    assert!(matches!(error, DecodeError::TooNew { found: 5, newest: VERSION }));
    let words =
        "it was written in version 5 of the metadata, and this program reads versions 1 to 4: upgrade it";
    assert_eq!(error.to_string(), words);
    // Even when a newer version has put something else beside the body.
    let error = decode_command(br#"{"version":9,"checksum":1,"body":{}}"#).unwrap_err();
    assert!(matches!(error, DecodeError::TooNew { found: 9, .. }));
    assert!(matches!(decode_command(br#"{"version":0,"body":{}}"#), Err(DecodeError::NoSuchVersion(0))));
}

#[test]
fn unknown_fields_are_refused_wherever_they_are() {
    let bytes = encode_state(&state_after(FULL));
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
        "/body/users/ann",
        "/body/users/ann/tokens/0",
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
    let bytes = String::from_utf8(encode_state(&state_after(FULL))).unwrap();
    for (from, to, broken) in [
        ("\"incarnation\":3},\"replicas\"", "\"incarnation\":2},\"replicas\"", "partition 0: primary 2/2"),
        ("\"next_node_id\":3", "\"next_node_id\":2", "node 2 has an id that was not issued"),
        ("\"replicas\":[1,2]", "\"replicas\":[1,1]", "partition 3: seats"),
        ("\"replicas\":[1,2]", "\"replicas\":[1,9]", "partition 3: a seat of node 9"),
        ("\"replicas\":[1,2]", "\"replicas\":[2,1]", "partition 3: primary 1/1 is not in the first seat"),
        ("\"status\":\"up\"", "\"status\":\"down\"", "is in sync, but not live"),
        ("\"partitions\":4", "\"partitions\":8", "4 partitions instead of 8"),
        ("\"next_fencing_token\":2", "\"next_fencing_token\":1", "role trainer: token 1 was not issued"),
        ("\"applied_index\":15", "\"applied_index\":2", "was not applied"),
        ("\"name\":\"shop\"", "\"name\":\"default\"", "two tenants are named default"),
        ("\"ann\":{\"name\":\"ann\"", "\"ann\":{\"name\":\"bob\"", "user ann calls itself bob"),
        ("\"name\":\"ann\",\"tenant\":1", "\"name\":\"ann\",\"tenant\":7", "user ann: there is no tenant 7"),
        ("\"id\":\"new\"", "\"id\":\"me\"", "user ann has two tokens named me"),
        (&"0b".repeat(32), &"ff".repeat(32), "user root: token first exists twice"),
    ] {
        let changed = bytes.replacen(from, to, 1);
        assert_ne!(changed, bytes, "{from} is not there");
        let error = decode_state(changed.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("inconsistent state: ") && error.contains(broken), "{to}: {error}");
    }
}

#[test]
fn users_without_a_cluster_are_refused() {
    let body = String::from_utf8(encode_state(&ClusterState::new())).unwrap();
    let user = r#""users":{"a":{"name":"a","tenant":0,"role":"admin","enabled":true,"tokens":[],"created_at_ms":1}}"#;
    let changed = body.replace("\"users\":{}", user);
    let error = decode_state(changed.as_bytes()).unwrap_err().to_string();
    assert_eq!(error, "inconsistent state: something exists without a cluster");
}

/// An entry of the log holds the command as a text within JSON, in 116 KiB.
fn bytes_of_entry(action: Action) -> usize {
    let text = String::from_utf8(encode_command(&command(action))).unwrap();
    serde_json::to_string(&text).unwrap().len()
}

#[test]
fn as_many_in_sync_changes_as_allowed_fit_into_an_entry() {
    let copies = 9001..=9000 + u64::from(MAX_COPIES);
    let change = |partition| InSyncChange {
        partition: PartitionId(partition),
        epoch: Epoch(1_000_000_000),
        version: 1_000_000_000,
        in_sync: copies.clone().map(|node| replica(node, 1_000_000_000)).collect(),
    };
    let changes = (0..MAX_PLACEMENT_CHANGES as u16).map(change).collect();
    let bytes = bytes_of_entry(Action::ChangeInSync { changes });
    assert!(bytes < 112 * 1024, "{bytes}");
}

#[test]
fn what_a_version_has_no_words_for_is_not_written_in_it() {
    let change = |partition| InSyncChange {
        partition: PartitionId(partition),
        epoch: Epoch(1),
        version: 1,
        in_sync: [replica(1, 1)].into(),
    };
    let batch = |count| command(Action::ChangeInSync { changes: (0..count).map(change).collect() });
    for level in [0, 3] {
        assert!(batch(1).encode_at(level).unwrap().starts_with(br#"{"version":3,"#));
        let not_yet = batch(2).encode_at(level).unwrap_err();
        assert!(not_yet.to_string().contains("other than one change of an in-sync set"), "{not_yet}");
        assert!(ClusterState::new().encode_at(level).starts_with(br#"{"version":3,"#));
    }
    for level in [VERSION, VERSION + 1] {
        assert_eq!(batch(2).encode_at(level).unwrap(), encode_command(&batch(2)));
        assert_eq!(state_after(FULL).encode_at(level), encode_state(&state_after(FULL)));
    }
}

#[test]
fn the_largest_placement_and_the_largest_founding_fit_into_an_entry() {
    let to = Replica { node: NodeId(u64::MAX), incarnation: Incarnation(u64::MAX) };
    let change = PlacementChange {
        partition: PartitionId(16383),
        epoch: Epoch(u64::MAX),
        version: u64::MAX,
        replicas: vec![to.node; MAX_SEATS],
        kind: PlacementKind::HandOver { from: to, to },
    };
    let largest = Action::Place { changes: vec![change; MAX_PLACEMENT_CHANGES] };
    assert!(encode_command(&command(largest)).len() < 128 * 1024);
    let mut founding = create(16384);
    if let Action::CreateCluster { users, .. } = &mut founding {
        let long = |number: usize| format!("{number:064}");
        let token = |number| NewToken { id: long(number), hash: long(number), expires_at_ms: Some(u64::MAX) };
        let tokens = |of: usize| (0..MAX_TOKENS).map(|number| token(of * MAX_TOKENS + number)).collect();
        let founded = |number| user(&long(number), 0, UserRole::ReadWrite, tokens(number));
        *users = (0..MAX_FOUNDING_USERS).map(founded).collect();
    }
    ClusterState::new().apply(1, &command(founding.clone())).unwrap();
    let bytes = bytes_of_entry(founding);
    assert!(bytes < 112 * 1024, "{bytes} leave no room for settings");
}
