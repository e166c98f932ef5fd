//! What a node may do with one partition, now: answer its requests, and keep, make or drop its shard.
//!
//! The rule: a shard object belongs to (partition, epoch). It is made empty when the applied state first gives
//! this incarnation that epoch, it is served under that epoch only, and it is dropped when the state moves on.
//! So data can never surface under a generation that it was not written in.
//!
//! Knows no clock (the lease's validity is an argument) and no data.

use crate::hand_over::Hold;
use predis_types::{Epoch, Incarnation, NodeId};

/// A primary: not a node, but one life of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Primary {
    /// Which node.
    pub node: NodeId,
    /// In which life.
    pub incarnation: Incarnation,
}

/// What the applied state says of a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ownership {
    /// Who may write, if anyone.
    pub primary: Option<Primary>,
    /// The generation.
    pub epoch: Epoch,
}

/// What the node knows of itself at the moment of the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    /// Its id and its incarnation.
    pub identity: Primary,
    /// Whether its lease is valid now.
    pub lease_valid: bool,
    /// What a hand-over of this partition says; `Open` when there is none.
    pub hold: Hold,
    /// The epoch of the shard object that it has for the partition, if it has one.
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

/// What to do with the shard object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShardStep {
    /// Nothing.
    Keep,
    /// Make an empty one for this epoch.
    Create {
        /// The epoch that it belongs to.
        epoch: Epoch,
    },
    /// Drop the one there is, which belongs to another epoch, and make an empty one for this epoch.
    Replace {
        /// The epoch that the new one belongs to.
        epoch: Epoch,
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

/// What to do with the shard object, whenever the applied state or this incarnation changes. Needs no lease: a
/// shard that may not be served does no harm.
pub fn shard_step(local: &Local, owner: &Ownership) -> ShardStep {
    let mine = owner.primary == Some(local.identity);
    match local.shard {
        None if mine => ShardStep::Create { epoch: owner.epoch },
        Some(epoch) if mine && epoch == owner.epoch => ShardStep::Keep,
        Some(_) if mine => ShardStep::Replace { epoch: owner.epoch },
        Some(_) => ShardStep::Discard,
        None => ShardStep::Keep,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Primary = Primary { node: NodeId(1), incarnation: Incarnation(5) };
    const BEFORE: Primary = Primary { node: NodeId(1), incarnation: Incarnation(4) };
    const OTHER: Primary = Primary { node: NodeId(2), incarnation: Incarnation(9) };

    fn local() -> Local {
        Local { identity: ME, lease_valid: true, hold: Hold::Open, shard: Some(Epoch(7)) }
    }

    fn owner(primary: Option<Primary>, epoch: u64) -> Ownership {
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

    #[test]
    fn a_shard_belongs_to_one_epoch() {
        let none = Local { shard: None, ..local() };
        let at8 = owner(Some(ME), 8);
        assert_eq!(shard_step(&local(), &owner(Some(ME), 7)), ShardStep::Keep);
        assert_eq!(shard_step(&none, &at8), ShardStep::Create { epoch: Epoch(8) });
        assert_eq!(shard_step(&local(), &at8), ShardStep::Replace { epoch: Epoch(8) });
        for not_mine in [owner(Some(OTHER), 8), owner(Some(BEFORE), 7), owner(None, 8)] {
            assert_eq!(shard_step(&local(), &not_mine), ShardStep::Discard);
            assert_eq!(shard_step(&none, &not_mine), ShardStep::Keep);
        }
    }
}
