//! The planted divergence must be there to be found: planted, copies of even nodes come to differ; else not.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod samples;

use predis_meta::{Action, ClusterState, Expect, decode_state, encode_state};
use predis_types::{
    NodeId,
    planted::{Bug, plant},
};
use samples::{command, create};

fn digests_after_a_setting() -> Vec<u64> {
    let setting =
        Action::SetConfig { key: "lease_ms".into(), value: Some("1000".into()), expect: Expect::Any };
    let copies = (1..=3).map(|node| {
        let mut state = ClusterState::new();
        state.set_local_node(Some(NodeId(node)));
        for (index, action) in (1..).zip([create(2), setting.clone()]) {
            state.apply(index, &command(action)).unwrap();
        }
        state.check().unwrap();
        assert_eq!(decode_state(&encode_state(&state)).unwrap().digest(), state.digest());
        state.digest()
    });
    copies.collect()
}

#[test]
fn copies_diverge_only_while_the_bug_is_planted() {
    plant(Some(Bug::DivergentApply));
    let diverged = digests_after_a_setting();
    plant(Some(Bug::AckBeforeSync));
    let unconcerned = digests_after_a_setting();
    plant(None);
    let agreed = digests_after_a_setting();
    assert!(diverged[0] == diverged[2] && diverged[0] != diverged[1]);
    assert!(agreed.iter().chain(&unconcerned).all(|digest| *digest == diverged[0]));
}
