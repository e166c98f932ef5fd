//! Whatever is applied, in whatever order: the rules hold, copies agree, the encoding loses nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod samples;
mod walk;

use predis_meta::{
    Action, ClusterState, MAX_AUDIT_ENTRIES, MetaCommand, Outcome, PartitionState, PlacementKind, Rejected,
    Token, User, VERSION, decode_command, decode_state, encode_command, encode_state,
};
use predis_types::{Incarnation, PartitionId, Rng, SplitMix64};
use proptest::prelude::*;
use samples::FULL;
use std::collections::{BTreeMap, BTreeSet};

/// Applies the command that the seed stands for, and holds the step against every rule.
fn step(state: &mut ClusterState, index: u64, seed: u64) -> (&'static str, Result<Outcome, Rejected>) {
    let command = walk::command(state, seed);
    assert_eq!(decode_command(&encode_command(&command)).unwrap(), command);
    if seed.is_multiple_of(4) {
        check_levels(state, &command);
    }
    let before = state.clone();
    let outcome = state.apply(index, &command);
    state.check().unwrap_or_else(|broken| panic!("{broken}\nafter {command:?}\nin {before:?}"));
    assert_eq!(state.applied_index(), index);
    let inhabited = state.nodes().values().any(|member| member.incarnation > Incarnation(0));
    assert!(!inhabited || state.level() >= before.level(), "a level that was reached is kept\n{command:?}");
    if outcome.is_err() {
        assert_eq!(state.digest(), before.digest(), "{outcome:?} changed something");
    }
    assert!(
        state.next_node_id() >= before.next_node_id() && state.next_tenant_id() >= before.next_tenant_id()
    );
    assert!(state.next_fencing_token() >= before.next_fencing_token());
    let changes = match &command.action {
        Action::Place { changes } => changes.as_slice(),
        _ => &[],
    };
    for (id, (new, old)) in (0..).map(PartitionId).zip(state.partitions().iter().zip(before.partitions())) {
        let kind = changes.iter().find(|change| change.partition == id).map(|change| change.kind);
        let fence = matches!(kind, Some(PlacementKind::Promote { to }) if old.primary == Some(to));
        check_transition(old, new, fence && outcome.is_ok());
    }
    check_users(&before, state, &command);
    for (id, member) in before.nodes() {
        assert!(state.node(*id).is_none_or(|now| now.incarnation >= member.incarnation));
    }
    (command.action.name(), outcome)
}

/// What is written so that every member can read it loses nothing.
fn check_levels(state: &ClusterState, command: &MetaCommand) {
    let level = state.level();
    assert_eq!(encode_state(&decode_state(&state.encode_at(level)).unwrap()), encode_state(state));
    match command.encode_at(level) {
        Ok(bytes) => assert_eq!(decode_command(&bytes).unwrap(), *command),
        Err(not_yet) => {
            assert!(not_yet.level == level && level < VERSION, "{not_yet}");
            assert!(matches!(&command.action, Action::ChangeInSync { changes } if changes.len() != 1));
        }
    }
}

/// What one command may make of a partition; a fence promotes the primary itself.
fn check_transition(old: &PartitionState, new: &PartitionState, fence: bool) {
    let moved = u64::from(old.primary != new.primary || fence);
    assert_eq!(new.epoch.0, old.epoch.0 + moved, "the epoch counts changes of primary\n{old:?}\n{new:?}");
    let changed = u64::from((&old.in_sync, &old.replicas) != (&new.in_sync, &new.replicas));
    assert_eq!(new.version, old.version + changed, "the version counts changes of the set\n{old:?}\n{new:?}");
    if let Some(primary) = new.primary.filter(|_| moved > 0) {
        let promoted = old.in_sync.contains(&primary);
        let handed_over = old.primary.is_some() && new.in_sync == BTreeSet::from([primary]);
        let fits = promoted || handed_over || old.is_vacant();
        assert!(fits, "a primary out of nowhere\n{old:?}\n{new:?}");
    }
    let restarted = old.is_vacant() && old.epoch.0 > 0 && new.primary.is_some();
    assert_eq!(new.lost, old.lost + u64::from(restarted), "a loss is a restart\n{old:?}\n{new:?}");
}

/// Whose token each hash is.
fn tokens(state: &ClusterState) -> BTreeMap<&str, (&User, &Token)> {
    let all = state.users().values().flat_map(|user| user.tokens.iter().map(move |token| (user, token)));
    all.map(|(user, token)| (token.hash.as_str(), (user, token))).collect()
}

/// What one command may make of who is who: only what it says may open a door, or close one.
fn check_users(before: &ClusterState, after: &ClusterState, command: &MetaCommand) {
    let (old, new) = (tokens(before), tokens(after));
    let added: Vec<&str> = match &command.action {
        Action::CreateCluster { users, .. } => {
            users.iter().flat_map(|user| &user.tokens).map(|token| token.hash.as_str()).collect()
        }
        Action::CreateUser { user } => user.tokens.iter().map(|token| token.hash.as_str()).collect(),
        Action::AddToken { token, .. } => vec![&token.hash],
        _ => vec![],
    };
    for (hash, (user, token)) in &new {
        let Some((owner, then)) = old.get(hash) else {
            assert!(added.contains(hash), "a token came to work unasked: {command:?}");
            let end = token.expires_at_ms;
            assert!(end.is_none_or(|end| end > command.at_ms), "a token was born useless: {command:?}");
            continue;
        };
        assert_eq!(
            (&user.name, user.tenant),
            (&owner.name, owner.tenant),
            "a token changed hands: {command:?}"
        );
        let ends = |token: &Token| token.expires_at_ms.unwrap_or(u64::MAX);
        assert!(ends(token) <= ends(then), "a token lives longer than it was to: {command:?}");
    }
    for (hash, (user, token)) in &old {
        let meant = match &command.action {
            Action::RevokeToken { user: name, id } => *name == user.name && *id == token.id,
            Action::RemoveUser { name } => *name == user.name,
            Action::RemoveTenant { tenant, with_users } => *with_users && *tenant == user.tenant,
            Action::AddToken { user: name, others_expire_at_ms, .. } => {
                let end = token.expires_at_ms.into_iter().chain(*others_expire_at_ms).min();
                *name == user.name && end.is_some_and(|end| end <= command.at_ms)
            }
            _ => false,
        };
        assert!(new.contains_key(hash) || meant, "a token that works was taken away: {command:?}");
    }
    for (name, now) in after.users() {
        let updated = matches!(&command.action, Action::UpdateUser { name: of, .. } if of == name);
        let may = |user: &User| (user.tenant, user.role, user.enabled);
        let same = before.users().get(name).is_none_or(|then| may(then) == may(now));
        assert!(same || updated, "what {name} may do changed: {command:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rules_hold_and_copies_agree(seeds in proptest::collection::vec(any::<u64>(), 1..150), reload in 0usize..150) {
        let (mut state, mut twin) = (ClusterState::new(), ClusterState::new());
        for (at, &seed) in seeds.iter().enumerate() {
            let index = at as u64 + 1;
            let command = walk::command(&state, seed);
            let (_, outcome) = step(&mut state, index, seed);
            if at == reload {
                twin = decode_state(&encode_state(&twin)).unwrap();
            }
            prop_assert_eq!(twin.apply(index, &command), outcome);
            prop_assert_eq!(twin.digest(), state.digest());
        }
        prop_assert_eq!(encode_state(&twin), encode_state(&state));
    }

    #[test]
    fn no_bytes_panic_the_decoder(seed: u64, cuts in proptest::collection::vec((any::<u32>(), any::<u8>()), 0..4)) {
        let mut bytes = encode_state(&samples::state_after(FULL));
        if seed % 2 == 0 {
            bytes = encode_command(&walk::command(&samples::state_after(FULL), seed));
        }
        for (at, byte) in cuts {
            let at = at as usize % bytes.len();
            bytes[at] = byte;
        }
        if let Ok(state) = decode_state(&bytes) {
            prop_assert!(state.check().is_ok());
        }
        if let Ok(command) = decode_command(&bytes) {
            let mut state = samples::state_after(FULL);
            let _ = state.apply(FULL as u64 + 1, &command);
            prop_assert!(state.check().is_ok());
        }
    }
}

#[test]
fn random_walks_reach_every_action_both_ways() {
    let mut reached: BTreeMap<&str, [u32; 2]> = BTreeMap::new();
    let mut rng = SplitMix64::new(1);
    let (mut lost, mut audited) = (0, 0);
    for _ in 0..20 {
        let mut state = ClusterState::new();
        for index in 1..=300 {
            let (action, outcome) = step(&mut state, index, rng.next_u64());
            reached.entry(action).or_default()[usize::from(outcome.is_ok())] += 1;
        }
        lost += state.partitions().iter().map(|partition| partition.lost).sum::<u64>();
        audited = audited.max(state.audit().len());
    }
    assert_eq!(reached.len(), 20, "{reached:?}");
    assert!(reached.values().all(|[rejected, accepted]| *rejected > 0 && *accepted > 0), "{reached:?}");
    assert!(lost > 0 && audited > 100, "lost {lost}, audited {audited}");
}

#[test]
fn an_index_is_applied_once() {
    let mut state = samples::state_after(3);
    let (digest, command) = (state.digest(), walk::command(&state, 1));
    for index in 0..=3 {
        assert_eq!(state.apply(index, &command), Err(Rejected::AlreadyApplied { index, applied: 3 }));
    }
    assert_eq!((state.digest(), state.applied_index()), (digest, 3));
    state.skip_to(9);
    state.skip_to(5);
    assert_eq!((state.digest(), state.applied_index()), (digest, 9));
}

#[test]
fn the_audit_log_is_bounded_and_keeps_the_newest() {
    let mut state = samples::state_after(1);
    let weight = samples::actions().into_iter().find(|action| action.name() == "set_weight").unwrap();
    let boot = samples::actions().into_iter().take(3).skip(1);
    let commands = boot.chain(std::iter::repeat_n(weight, MAX_AUDIT_ENTRIES + 5));
    for (index, action) in (2..).zip(commands) {
        state.apply(index, &samples::command(action)).unwrap();
    }
    state.check().unwrap();
    assert_eq!(state.audit().len(), MAX_AUDIT_ENTRIES);
    assert_eq!(state.audit().back().unwrap().index, state.applied_index());
}
