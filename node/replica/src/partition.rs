//! What a node may do with one partition, now: answer its requests, and keep, make or drop its shard.
//!
//! The rule: a shard is served under the epoch that its copy was last found good in, and under no other. From one
//! epoch into the next only copies go on that were in sync throughout ([`copy_step`]).
//!
//! Knows no clock (the lease's validity is an argument) and no data.

use crate::{hand_over::Hold, stream::Members};
use predis_types::{Epoch, Incarnation, NodeId};

/// Who holds a copy: not a node, but one life of it. Memory dies with the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Life {
    /// Which node.
    pub node: NodeId,
    /// In which life.
    pub incarnation: Incarnation,
}

/// What the applied state says of a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ownership {
    /// Who may write, if anyone.
    pub primary: Option<Life>,
    /// The generation.
    pub epoch: Epoch,
}

/// What the node knows of itself at the moment of the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    /// Its id and its incarnation.
    pub identity: Life,
    /// Whether its lease is valid now.
    pub lease_valid: bool,
    /// What a hand-over of this partition says; `Open` when there is none.
    pub hold: Hold,
    /// The epoch in which the copy that it has is the primary's, if it has one that is.
    pub shard: Option<Epoch>,
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// Run it on the shard of this epoch; ask [`may_reply`] before the reply is queued.
    Serve {
        /// The epoch of that shard.
        epoch: Epoch,
    },
    /// Answer MOVED to this node.
    Moved(NodeId),
    /// Answer CLUSTERDOWN: nobody serves it, or this node would but has no lease.
    ClusterDown,
    /// Hold it: a hand-over decides soon.
    Wait,
    /// Answer TRYAGAIN.
    TryAgain,
}

/// What to do with a request that only reads, of a client to whom a replica will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reading {
    /// Answer it from the copy, though this node does not serve the partition.
    Copy,
    /// Answer that the copy is too old, and that nobody has a better one.
    TooOld,
    /// As any other request.
    As(Access),
}

/// The copy that a node has of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Held {
    /// The epoch in which it was last known to be good.
    pub epoch: Epoch,
    /// [`Members::lost`] then.
    pub lost: u64,
    /// Whether it is whole, not a copy in the making.
    pub whole: bool,
    /// Whether it is whole and shows nothing but what is committed: so it does in the epoch in which it was last known
    /// to be good, and in all later ones until the partition begins anew.
    pub clean: bool,
    /// As what.
    pub role: Role,
}

/// What a copy is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It is the primary's.
    Lead {
        /// The primary has stopped, and everybody in sync has everything: a hand-over was asked for.
        drained: bool,
    },
    /// It is a replica's.
    Follow,
}

/// What to do with the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CopyStep {
    /// Nothing: there is none, and none is wanted.
    None,
    /// It goes on as it is.
    Keep,
    /// It becomes, or goes on as, the primary's in the state's epoch.
    Lead {
        /// Whether it begins empty, whatever there is.
        empty: bool,
    },
    /// It becomes, or goes on as, a replica's in the state's epoch.
    Follow {
        /// Whether it begins empty, whatever there is.
        empty: bool,
    },
    /// Drop it.
    Discard,
}

/// What to do with a request to a partition.
///
/// Another node's partition is answered with MOVED even without a lease: that promises nothing about data. A
/// primaryship of an earlier life of this node is nobody's until the state has moved on.
pub fn access(local: &Local, owner: &Ownership) -> Access {
    let Some(primary) = owner.primary else { return Access::ClusterDown };
    if primary.node != local.identity.node {
        return Access::Moved(primary.node);
    }
    if primary.incarnation != local.identity.incarnation {
        return Access::ClusterDown;
    }
    match local.hold {
        Hold::Moved(target) => Access::Moved(target),
        _ if !local.lease_valid => Access::ClusterDown,
        Hold::Wait => Access::Wait,
        Hold::TryAgain => Access::TryAgain,
        Hold::Open if local.shard == Some(owner.epoch) => Access::Serve { epoch: owner.epoch },
        // The state is ahead of the shard for as long as it takes to make one.
        Hold::Open => Access::TryAgain,
    }
}

/// Whether the reply of a command that ran on the shard of `executed` may be queued: asked after execution
/// with everything read anew, so that a pause in between cannot let a deposed primary acknowledge. A hand-over
/// that began meanwhile does not forbid it: it waits for running commands before it asks for anything.
pub fn may_reply(local: &Local, owner: &Ownership, executed: Epoch) -> bool {
    owner.primary == Some(local.identity)
        && owner.epoch == executed
        && local.lease_valid
        && !matches!(local.hold, Hold::Moved(_))
}

/// What to do with a request that only reads, when `access` is what any other one gets: the copy here may be answered
/// from if it lacks at most `bound_us` of what happened. `stale_us` is `None` where there is no copy to be read.
pub fn reading(access: Access, stale_us: Option<u64>, bound_us: u64) -> Reading {
    match (access, stale_us) {
        (Access::Moved(_) | Access::ClusterDown, Some(stale_us)) if stale_us <= bound_us => Reading::Copy,
        (Access::ClusterDown, Some(_)) => Reading::TooOld,
        _ => Reading::As(access),
    }
}

/// What to do with the copy that `me` has, whenever the applied state changes. Needs no lease: a copy that may not be
/// served does no harm.
///
/// What is held goes on into another epoch only if this replica is in sync there, and the partition did not begin anew
/// in between. Nobody is put into the set without having taken part in the epoch that it happens in: so a replica that
/// is in sync in an epoch in which it has not taken part yet has been in sync since the last one in which it did, and
/// has everything that is committed. It may never have heard of it: states are skipped. A deposed primary may have
/// what nobody else has, so its copy goes on only if it was drained.
///
/// A replica that is not in sync goes on too if it shows nothing but what is committed: whoever becomes primary was in
/// sync, so has all of that, in the same order. It lacks what came after, and gets it, if that is kept still.
///
/// Where it was decided that a partition that was lost goes on from the copy of one replica, that one keeps it as the
/// primary. Nobody else's is worth anything then, however much it has: it may have what that one lacks.
pub fn copy_step(me: Life, held: Option<&Held>, owner: &Ownership, members: &Members) -> CopyStep {
    let mine = owner.primary == Some(me);
    if !mine && !members.seated.contains(&me) {
        return if held.is_some() { CopyStep::Discard } else { CopyStep::None };
    }
    let goes_on = held.is_some_and(|held| {
        let through = held.whole && members.in_sync.contains(&me);
        let shared = mine || held.role != Role::Lead { drained: false };
        let behind = held.clean && held.role == Role::Follow && !mine;
        let recovered = mine && members.recovered && held.whole && held.lost + 1 == members.lost;
        let unbroken =
            held.lost == members.lost && (held.epoch == owner.epoch || through && shared || behind);
        unbroken || recovered && held.role == Role::Follow
    });
    if goes_on && held.is_some_and(|held| held.epoch == owner.epoch) {
        return CopyStep::Keep;
    }
    if mine { CopyStep::Lead { empty: !goes_on } } else { CopyStep::Follow { empty: !goes_on } }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Life = Life { node: NodeId(1), incarnation: Incarnation(5) };
    const BEFORE: Life = Life { node: NodeId(1), incarnation: Incarnation(4) };
    const OTHER: Life = Life { node: NodeId(2), incarnation: Incarnation(9) };

    fn local() -> Local {
        Local { identity: ME, lease_valid: true, hold: Hold::Open, shard: Some(Epoch(7)) }
    }

    fn owner(primary: Option<Life>, epoch: u64) -> Ownership {
        Ownership { primary, epoch: Epoch(epoch) }
    }

    #[test]
    fn a_request_is_served_only_with_everything_in_order() {
        let mine = owner(Some(ME), 7);
        assert_eq!(access(&local(), &mine), Access::Serve { epoch: Epoch(7) });
        let no_lease = Local { lease_valid: false, ..local() };
        assert_eq!(access(&no_lease, &mine), Access::ClusterDown);
        assert_eq!(access(&local(), &owner(Some(BEFORE), 7)), Access::ClusterDown);
        assert_eq!(access(&local(), &owner(None, 7)), Access::ClusterDown);
        assert_eq!(access(&local(), &owner(Some(OTHER), 8)), Access::Moved(NodeId(2)));
        assert_eq!(access(&no_lease, &owner(Some(OTHER), 8)), Access::Moved(NodeId(2)));
        assert_eq!(access(&local(), &owner(Some(ME), 8)), Access::TryAgain, "shard of another epoch");
        assert_eq!(access(&Local { shard: None, ..local() }, &mine), Access::TryAgain);
        for (hold, expected) in [
            (Hold::Wait, Access::Wait),
            (Hold::TryAgain, Access::TryAgain),
            (Hold::Moved(NodeId(2)), Access::Moved(NodeId(2))),
        ] {
            assert_eq!(access(&Local { hold, ..local() }, &mine), expected);
        }
        let waiting = Local { hold: Hold::Wait, lease_valid: false, ..local() };
        assert_eq!(access(&waiting, &mine), Access::ClusterDown, "holding promises an answer");
    }

    #[test]
    fn a_reply_needs_the_same_epoch_and_a_lease_still() {
        let mine = owner(Some(ME), 7);
        assert!(may_reply(&local(), &mine, Epoch(7)));
        assert!(may_reply(&Local { hold: Hold::Wait, ..local() }, &mine, Epoch(7)));
        assert!(!may_reply(&local(), &mine, Epoch(6)));
        assert!(!may_reply(&Local { lease_valid: false, ..local() }, &mine, Epoch(7)));
        assert!(!may_reply(&Local { hold: Hold::Moved(NodeId(2)), ..local() }, &mine, Epoch(7)));
        assert!(!may_reply(&local(), &owner(Some(OTHER), 8), Epoch(7)));
        assert!(!may_reply(&local(), &owner(Some(BEFORE), 7), Epoch(7)));
    }

    fn members(in_sync: &[Life], seated: &[Life], lost: u64) -> Members {
        let set = |lives: &[Life]| lives.iter().copied().collect();
        Members { version: 1, lost, in_sync: set(in_sync), seated: set(seated), ..Members::default() }
    }

    #[test]
    fn a_copy_goes_on_only_in_sync_and_without_a_break() {
        let held = Held { epoch: Epoch(7), lost: 2, whole: true, clean: false, role: Role::Follow };
        let both = members(&[ME, OTHER], &[ME, OTHER], 2);
        let step = |held: &Held, owner, members: &Members| copy_step(ME, Some(held), &owner, members);
        assert_eq!(step(&held, owner(Some(OTHER), 7), &both), CopyStep::Keep);
        assert_eq!(step(&held, owner(None, 8), &both), CopyStep::Follow { empty: false });
        assert_eq!(step(&held, owner(Some(ME), 8), &both), CopyStep::Lead { empty: false });
        let anew = CopyStep::Follow { empty: true };
        assert_eq!(step(&Held { whole: false, ..held }, owner(Some(OTHER), 8), &both), anew);
        assert_eq!(step(&held, owner(Some(OTHER), 8), &members(&[OTHER], &[ME, OTHER], 2)), anew);
        // It fell behind before, and the set of epoch 8 is the one that it was taken out of.
        assert_eq!(step(&held, owner(None, 8), &members(&[OTHER], &[ME, OTHER], 2)), anew);
        // It began anew in between, on this very node: nothing of what is there belongs to it.
        let mine = members(&[ME], &[ME], 3);
        assert_eq!(step(&held, owner(Some(ME), 9), &mine), CopyStep::Lead { empty: true });
        // One that is not in sync waits for its copy to go on, as long as the epoch lasts.
        let late = Held { whole: false, ..held };
        assert_eq!(step(&late, owner(Some(OTHER), 7), &both), CopyStep::Keep);
        assert_eq!(step(&held, owner(Some(OTHER), 8), &members(&[OTHER], &[OTHER], 2)), CopyStep::Discard);
        assert_eq!(copy_step(ME, None, &owner(Some(OTHER), 8), &members(&[], &[OTHER], 0)), CopyStep::None);
        assert_eq!(copy_step(ME, None, &owner(Some(ME), 1), &mine), CopyStep::Lead { empty: true });
        assert_eq!(copy_step(ME, None, &owner(Some(OTHER), 8), &both), anew);
    }

    #[test]
    fn a_copy_that_shows_only_what_is_committed_goes_on_behind_the_others() {
        let held = Held { epoch: Epoch(7), lost: 2, whole: true, clean: true, role: Role::Follow };
        let step =
            |held: Held, primary, members: &Members| copy_step(ME, Some(&held), &owner(primary, 9), members);
        let behind = members(&[OTHER], &[ME, OTHER], 2);
        assert_eq!(step(held, Some(OTHER), &behind), CopyStep::Follow { empty: false });
        assert_eq!(step(held, None, &members(&[], &[ME], 2)), CopyStep::Follow { empty: false });
        assert_eq!(
            step(held, Some(OTHER), &members(&[OTHER], &[ME, OTHER], 3)),
            CopyStep::Follow { empty: true }
        );
        assert_eq!(step(held, Some(OTHER), &members(&[OTHER], &[OTHER], 2)), CopyStep::Discard);
        let drained = Held { role: Role::Lead { drained: true }, ..held };
        assert_eq!(step(drained, Some(OTHER), &behind), CopyStep::Follow { empty: true });
        let lost = members(&[ME], &[ME], 3);
        assert_eq!(step(held, Some(ME), &lost), CopyStep::Lead { empty: true });
        let recovered = |members: Members| Members { recovered: true, ..members };
        assert_eq!(step(held, Some(ME), &recovered(lost.clone())), CopyStep::Lead { empty: false });
        let in_the_making = Held { whole: false, clean: false, ..held };
        assert_eq!(step(in_the_making, Some(ME), &recovered(lost)), CopyStep::Lead { empty: true });
        let twice = members(&[ME], &[ME], 4);
        assert_eq!(step(held, Some(ME), &recovered(twice)), CopyStep::Lead { empty: true });
        let others = members(&[OTHER], &[ME, OTHER], 3);
        assert_eq!(step(held, Some(OTHER), &recovered(others)), CopyStep::Follow { empty: true });
    }

    #[test]
    fn a_read_is_answered_from_a_copy_that_is_fresh_enough() {
        let moved = Access::Moved(NodeId(2));
        for elsewhere in [moved, Access::ClusterDown] {
            assert_eq!(reading(elsewhere, Some(5), 5), Reading::Copy);
            assert_eq!(reading(elsewhere, None, 5), Reading::As(elsewhere));
        }
        assert_eq!(reading(moved, Some(6), 5), Reading::As(moved), "the primary has a better one");
        assert_eq!(reading(Access::ClusterDown, Some(6), 5), Reading::TooOld);
        for here in [Access::Serve { epoch: Epoch(1) }, Access::Wait, Access::TryAgain] {
            assert_eq!(reading(here, Some(0), 5), Reading::As(here));
        }
    }

    #[test]
    fn a_deposed_primary_keeps_only_what_everybody_has() {
        let role = |drained| Role::Lead { drained };
        let lead = |drained| Held { epoch: Epoch(7), lost: 0, whole: true, clean: true, role: role(drained) };
        let both = members(&[ME, OTHER], &[ME, OTHER], 0);
        let step =
            |held: Held, primary, epoch| copy_step(ME, Some(&held), &owner(Some(primary), epoch), &both);
        assert_eq!(step(lead(true), OTHER, 8), CopyStep::Follow { empty: false });
        assert_eq!(step(lead(false), OTHER, 8), CopyStep::Follow { empty: true });
        assert_eq!(step(lead(false), ME, 8), CopyStep::Lead { empty: false });
        assert_eq!(step(lead(false), ME, 7), CopyStep::Keep);
    }
}
