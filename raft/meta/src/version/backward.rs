//! The present shapes written in version 3, for members that read no other.
//!
//! Only the version before the present one is written: a cluster runs across one version. When the present shapes
//! are frozen in their turn, this is written anew against them.

mod command;
mod state;

use super::v3;
use crate::{Ack, Addresses, ClusterInfo, Mode, Replica, TenantPlacement, TenantSettings, UserRole, limits};

pub(crate) use command::Unsayable;

/// A present shape that has a counterpart in version 3.
pub(crate) trait Backward {
    /// The counterpart.
    type Past;

    /// The same in version 3.
    fn backward(&self) -> Self::Past;
}

impl<T: Backward> Backward for Option<T> {
    type Past = Option<T::Past>;

    fn backward(&self) -> Self::Past {
        self.as_ref().map(T::backward)
    }
}

/// All items of a list, a set or the like.
fn each<'a, T: Backward + 'a, C: FromIterator<T::Past>>(items: impl IntoIterator<Item = &'a T>) -> C {
    items.into_iter().map(T::backward).collect()
}

/// The addresses, with the version that whoever states them understands behind them: see [`v3`]. Members of
/// version 3 refuse an address that is too long with it, so then it stays unsaid.
fn stated(addrs: &Addresses, metadata_version: u32) -> v3::Addresses {
    let Addresses { resp, grpc, metrics } = addrs.clone();
    let with_version = format!("{metrics};{metadata_version}");
    let fits = with_version.len() <= limits::MAX_ADDRESS_BYTES && v3::understanding(&with_version).is_some();
    v3::Addresses { resp, grpc, metrics: if fits { with_version } else { metrics } }
}

impl Backward for ClusterInfo {
    type Past = v3::ClusterInfo;

    fn backward(&self) -> v3::ClusterInfo {
        let ClusterInfo { id, created_at_ms, partitions, copies, hash_key } = self.clone();
        v3::ClusterInfo { id, created_at_ms, partitions, copies, hash_key }
    }
}

impl Backward for Replica {
    type Past = v3::Replica;

    fn backward(&self) -> v3::Replica {
        v3::Replica { node: self.node, incarnation: self.incarnation }
    }
}

impl Backward for Mode {
    type Past = v3::Mode;

    fn backward(&self) -> v3::Mode {
        match self {
            Mode::Active => v3::Mode::Active,
            Mode::Draining => v3::Mode::Draining,
            Mode::Leaving => v3::Mode::Leaving,
        }
    }
}

impl Backward for UserRole {
    type Past = v3::UserRole;

    fn backward(&self) -> v3::UserRole {
        match self {
            UserRole::ReadOnly => v3::UserRole::ReadOnly,
            UserRole::ReadWrite => v3::UserRole::ReadWrite,
            UserRole::Operator => v3::UserRole::Operator,
            UserRole::Admin => v3::UserRole::Admin,
        }
    }
}

impl Backward for TenantPlacement {
    type Past = v3::TenantPlacement;

    fn backward(&self) -> v3::TenantPlacement {
        match self {
            TenantPlacement::Spread => v3::TenantPlacement::Spread,
            TenantPlacement::Colocated => v3::TenantPlacement::Colocated,
        }
    }
}

impl Backward for TenantSettings {
    type Past = v3::TenantSettings;

    fn backward(&self) -> v3::TenantSettings {
        let TenantSettings { ack, policy, memory_bytes, max_ops_per_second, max_connections } = self.clone();
        let ack = match ack {
            Ack::Async => v3::Ack::Async,
            Ack::Quorum => v3::Ack::Quorum,
        };
        v3::TenantSettings { ack, policy, memory_bytes, max_ops_per_second, max_connections }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(metrics: &str, version: u32) -> (String, String, u32) {
        let addrs = Addresses { resp: "a:1".into(), grpc: "a:2".into(), metrics: metrics.into() };
        let past = stated(&addrs, version);
        let written = past.metrics.clone();
        let (back, said) = past.into_next();
        (written, back.metrics, said)
    }

    #[test]
    fn what_a_member_understands_is_said_behind_its_address() {
        assert_eq!(there_and_back("h:9090", 3), ("h:9090".into(), "h:9090".into(), 3));
        assert_eq!(there_and_back("h:9090", 4), ("h:9090;4".into(), "h:9090".into(), 4));
        assert_eq!(there_and_back("h:9090;4", 12), ("h:9090;4;12".into(), "h:9090;4".into(), 12));
        for other in ["h:9090;04", "h:9090;+4", "h:9090;3", ";4", "h:9090;", "h:9090;4 ", "h;4294967296"] {
            assert_eq!(there_and_back(other, 3), (other.into(), other.into(), 3));
        }
    }

    #[test]
    fn an_address_never_grows_beyond_what_version_3_accepts() {
        let longest = "h".repeat(253) + ":65535";
        assert_eq!(there_and_back(&longest, 4).2, 4, "of what a name and a port can be");
        let beyond = "h".repeat(limits::MAX_ADDRESS_BYTES - 1);
        assert_eq!(there_and_back(&beyond, 4), (beyond.clone(), beyond, 3));
    }
}
