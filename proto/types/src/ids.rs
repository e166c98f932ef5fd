//! Identifiers, each its own type so that one can never be passed for another.
//!
//! Knows their text form and their order, and nothing of who issues them.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// A member of the cluster, issued by the cluster when it joins, starting at 1, never re-used.
    NodeId(u64)
}
number! {
    /// One boot of one node. Grows with every boot of that node; 0 is never a live incarnation.
    Incarnation(u64)
}
number! {
    /// A partition's generation: grows whenever its primary changes or its data starts anew.
    Epoch(u64)
}
number! {
    /// The place of a change among all changes of a partition since it last began empty, starting at 1.
    Sequence(u64)
}
number! {
    /// A namespace. 0 is the default tenant that unauthenticated connections use.
    TenantId(u32)
}

impl Sequence {
    /// The one after.
    #[must_use]
    pub fn next(self) -> Sequence {
        Sequence(self.0 + 1)
    }
}

impl NodeId {
    /// The 40 hexadecimal digits by which Redis Cluster clients know a node.
    pub fn to_cluster_hex(self) -> String {
        // Clients treat it as opaque; spreading the bits keeps two nodes' names from looking alike.
        let a = crate::mix64(self.0);
        let b = crate::mix64(a ^ 0x7072_6564_6973);
        format!("{a:016x}{b:016x}{:08x}", self.0 as u32)
    }
}

/// 128 random bits that tell one cluster from another, written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterId(pub u128);

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClusterId({self})")
    }
}

impl std::str::FromStr for ClusterId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(ClusterId)
    }
}

impl Serialize for ClusterId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ClusterId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cluster_hex_is_forty_digits_and_distinct() {
        let names: std::collections::BTreeSet<String> =
            (0..1000).map(|n| NodeId(n).to_cluster_hex()).collect();
        assert_eq!(names.len(), 1000);
        assert!(names.iter().all(|n| n.len() == 40 && n.bytes().all(|b| b.is_ascii_hexdigit())));
    }

    #[test]
    fn cluster_id_text_round_trips() {
        for raw in [0, 1, u128::MAX, 0x1234 << 64] {
            assert_eq!(ClusterId(raw).to_string().parse::<ClusterId>().unwrap(), ClusterId(raw));
        }
    }
}
