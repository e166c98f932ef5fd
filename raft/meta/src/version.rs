//! The chain of versions of everything that is kept: each type knows its number and its predecessor.
//!
//! ```text
//! v1::ClusterState --migrate--> v2:: --migrate--> v3:: --migrate--> ClusterState (4), and MetaCommand alike
//!                                                          <--backward--
//! ```
//! To change a kept type: copy the present shape into a module of its own under `version/`, never to be touched
//! again, raise [`VERSION`], and write how the old becomes the new, and the new the old (`backward`): a cluster is
//! upgraded while it runs, so members of both versions apply the same commands. Until all members read the new version
//! a command must do in it what it does in the old one.

mod backward;
mod v1;
mod v2;
mod v3;

pub(crate) use backward::{Backward, Unsayable};

use crate::{ClusterState, MetaCommand};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The newest version this code writes. It reads this one and all before it.
pub const VERSION: u32 = 4;

/// The oldest version this code writes, for members that read no newer one.
pub const OLDEST_WRITTEN: u32 = 3;

/// A kept type in one of its versions.
pub(crate) trait Versioned: DeserializeOwned {
    /// Which version this is.
    const VERSION: u32;
    /// The version before.
    type Previous: Versioned;

    /// What the version before becomes in this one. Total: whatever was kept can be read.
    fn migrate(previous: Self::Previous) -> Self;
}

/// What came before the first version: there is no value of it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Nothing {}

impl Versioned for Nothing {
    const VERSION: u32 = 0;
    type Previous = Nothing;

    fn migrate(previous: Nothing) -> Self {
        previous
    }
}

impl Versioned for ClusterState {
    const VERSION: u32 = VERSION;
    type Previous = v3::ClusterState;

    fn migrate(previous: v3::ClusterState) -> Self {
        previous.into_next()
    }
}

impl Versioned for MetaCommand {
    const VERSION: u32 = VERSION;
    type Previous = v3::MetaCommand;

    fn migrate(previous: v3::MetaCommand) -> Self {
        previous.into_next()
    }
}
