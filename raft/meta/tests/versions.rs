//! Holds every frozen version against files: what was ever written must be read the same for ever.
//!
//! ```text
//! encoding/vN/{state,commands/NAME}.json           what version N wrote; never to be changed
//! encoding/vN/migrated/{state,commands/NAME}.json  what becomes of it
//! encoding/vN/walk/log.jsonl                       240 commands that version N wrote, one a line, fit or not
//! encoding/vN/walk/state-M.json                    the state that version N had after the first M
//! ```
//! `PREDIS_BLESS=1` writes anew what becomes of a version, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod files;

use files::{compare, path, read};
use predis_meta::{Action, ClusterState, decode_command, decode_state, encode_command, encode_state};
use std::{collections::BTreeSet, fs};

/// Reads all files of a version, and compares what becomes of them. Answers with the number of commands.
fn check_version(version: &str) -> (usize, ClusterState) {
    let mut count = 0;
    for entry in fs::read_dir(path(&format!("{version}/commands"))).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let command = decode_command(&read(&format!("{version}/commands/{name}"))).unwrap();
        compare(&format!("{version}/migrated/commands/{name}"), &encode_command(&command));
        count += 1;
    }
    let state = decode_state(&read(&format!("{version}/state.json"))).unwrap();
    compare(&format!("{version}/migrated/state.json"), &encode_state(&state));
    (count, state)
}

/// Applies the commands of the files, which must fit.
fn replay(version: &str, names: &[&str]) -> ClusterState {
    let mut state = ClusterState::new();
    for (index, name) in (1..).zip(names) {
        let command = decode_command(&read(&format!("{version}/commands/{name}.json"))).unwrap();
        state.apply(index, &command).unwrap_or_else(|rejected| panic!("{name}: {rejected}"));
        state.check().unwrap();
    }
    state
}

#[test]
fn version_1_is_read_and_becomes_the_present_version() {
    let (count, state) = check_version("v1");
    assert_eq!(count, 11, "version 1 had eleven actions");
    assert!(
        state.nodes().values().all(|member| member.weight == 100 && member.addrs.grpc.ends_with(":7379"))
    );
    replay("v1", &["create_cluster", "issue_node", "boot", "create_tenant", "node_down"]);
}

#[test]
fn version_2_is_read_and_becomes_the_present_version() {
    let (count, state) = check_version("v2");
    assert_eq!(count, 17, "version 2 had seventeen actions");
    let user = &state.users()["tenant-1.ci"];
    assert!(!user.enabled && user.tokens[0].hash == "0a".repeat(32), "a revoked token must stay known");
    // The state of the file is what version 2 came to after these.
    let order = [
        "create_cluster",
        "issue_node",
        "boot",
        "set_weight",
        "set_mode",
        "place",
        "change_in_sync",
        "create_tenant",
        "update_tenant",
        "add_token",
        "revoke_token",
        "set_config",
        "acquire_role",
    ];
    assert_eq!(text(&replay("v2", &order)), text(&state));
}

#[test]
fn version_3_is_read_and_becomes_the_present_version() {
    let (count, state) = check_version("v3");
    assert_eq!(count, 20, "version 3 had twenty actions");
    assert!(state.nodes().values().all(|member| member.metadata_version == 3));
    // The state of the file is what version 3 came to after these.
    let order = [
        "create_cluster",
        "issue_node",
        "boot",
        "set_weight",
        "set_mode",
        "place",
        "change_in_sync",
        "create_tenant",
        "update_tenant",
        "create_user",
        "update_user",
        "add_token",
        "revoke_token",
        "set_config",
        "acquire_role",
    ];
    assert_eq!(text(&replay("v3", &order)), text(&state));
}

fn text(state: &ClusterState) -> String {
    String::from_utf8(encode_state(state)).unwrap()
}

/// A state in words, but for the one thing that may be forgotten: what role a token had whose tenant is gone.
fn comparable(state: &ClusterState) -> String {
    let mut value: serde_json::Value = serde_json::from_slice(&encode_state(state)).unwrap();
    for entry in value["body"]["audit"].as_array_mut().unwrap() {
        let subject = entry["subject"].as_str().unwrap().to_owned();
        let words: Vec<&str> = subject.split(' ').collect();
        if let ["user", name, "tenant", tenant, ..] = words[..]
            && !state.tenants().keys().any(|id| id.to_string() == tenant)
        {
            entry["subject"] = format!("user {name} tenant {tenant}").into();
        }
    }
    value.to_string()
}

/// A member may apply a log of version 2 to a snapshot of any age: all must come to the same.
#[test]
fn what_version_2_did_comes_out_the_same_from_every_snapshot() {
    let log = String::from_utf8(read("v2/walk/log.jsonl")).unwrap();
    let commands: Vec<_> = log.lines().map(|line| decode_command(line.as_bytes()).unwrap()).collect();
    let states = [80, 160, 240].map(|at| decode_state(&read(&format!("v2/walk/state-{at}.json"))).unwrap());
    assert_eq!(commands.len(), 240);
    for mut state in [ClusterState::new(), states[0].clone(), states[1].clone()] {
        let from = state.applied_index() as usize;
        for (index, command) in (1..).zip(&commands).skip(from) {
            let _ = state.apply(index, command);
            state.check().unwrap();
            if let Some(then) = states.iter().find(|then| then.applied_index() == index) {
                assert_eq!(comparable(&state), comparable(then), "from {from} to {index}");
            }
        }
    }
    // What it is a test of.
    let users: Vec<_> = states[2].users().values().collect();
    assert!(users.iter().any(|user| user.enabled) && users.iter().any(|user| !user.enabled));
    assert!(users.iter().any(|user| user.name.len() == 64), "a name that was cut");
    let tenants: BTreeSet<_> = states.iter().map(|state| state.tenants().len()).collect();
    assert!(tenants.len() > 1 && commands.iter().any(|c| matches!(c.action, Action::RemoveTenant { .. })));
}

/// Members of version 3, and of this one beside them, must come to the same from a snapshot of any age, whoever wrote
/// it: what the latter write for the former is, to the byte, what the former write themselves.
#[test]
fn what_version_3_did_comes_out_the_same_and_can_be_written_back() {
    let log = String::from_utf8(read("v3/walk/log.jsonl")).unwrap();
    let commands: Vec<_> = log.lines().map(|line| decode_command(line.as_bytes()).unwrap()).collect();
    let files = [80, 160, 240].map(|at| read(&format!("v3/walk/state-{at}.json")));
    let states = files.each_ref().map(|file| decode_state(file).unwrap());
    assert_eq!(commands.len(), 240);
    for (line, command) in log.lines().zip(&commands) {
        assert_eq!(String::from_utf8(command.encode_at(3).unwrap()).unwrap(), line);
    }
    for mut state in [ClusterState::new(), states[0].clone(), states[1].clone()] {
        let from = state.applied_index() as usize;
        for (index, command) in (1..).zip(&commands).skip(from) {
            let _ = state.apply(index, command);
            state.check().unwrap();
            assert_eq!(state.level(), 3, "version 3 would not run beside a higher one");
            if let Some(at) = states.iter().position(|then| then.applied_index() == index) {
                assert_eq!(text(&state), text(&states[at]), "from {from} to {index}");
                let written = [state.encode_at(3), b"\n".to_vec()].concat();
                assert_eq!(
                    String::from_utf8(written).unwrap(),
                    String::from_utf8(files[at].clone()).unwrap()
                );
            }
        }
    }
    // What it is a test of.
    let understood: BTreeSet<_> = states[2].nodes().values().map(|member| member.metadata_version).collect();
    assert_eq!(understood, BTreeSet::from([3, 4]));
    assert!(states[2].partitions().iter().any(|partition| partition.in_sync.len() > 1));
}

#[test]
fn a_token_that_was_revoked_cannot_be_added_again() {
    let mut state = decode_state(&read("v2/state.json")).unwrap();
    let again = decode_command(&read("v2/commands/add_token.json")).unwrap();
    assert!(state.apply(state.applied_index() + 1, &again).is_err(), "its name is taken");
    let elsewhere =
        String::from_utf8(read("v2/commands/add_token.json")).unwrap().replace("\"ci\"", "\"cd\"");
    let elsewhere = decode_command(elsewhere.as_bytes()).unwrap();
    let rejected = state.apply(state.applied_index() + 1, &elsewhere).unwrap_err();
    assert_eq!(rejected.to_string(), "that token is in use already");
}
