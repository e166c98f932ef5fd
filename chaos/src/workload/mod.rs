//! What the cluster is asked to do while faults happen.
//!
//! ```text
//! clients 0..3   keys: one writer each           default tenant, async     no-lost-data
//!         3..6   registers: keys that they share       tenant q, quorum    linearizable
//!         6      journal: keys written once            tenant q, quorum    durable
//!         7      deadlines: keys that expire           tenant q, quorum    expiry
//! inside nodes   metadata; and one of them makes the tenant
//! ```
//! Every third client comes by the nodes' proxy endpoints.

mod deadlines;
mod journal;
mod keys;
mod metadata;
mod registers;
mod session;
mod tenant;

pub use metadata::{PREFIX as METADATA_PREFIX, metadata};

use crate::{
    oracle::Oracle,
    world::{Names, PROXY_PORT, RESP_PORT},
};
use predis_types::mix64;
use session::Session;
use std::sync::{Arc, Mutex};

/// How many clients there are.
pub const CLIENTS: u64 = 8;

/// What a client does, until told to be quiet and done with its last reads.
///
/// # Errors
/// None.
pub(crate) async fn client(
    client: u64,
    names: Names,
    seed: u64,
    oracle: Arc<Mutex<Oracle>>,
) -> turmoil::Result {
    let who = 1000 + client;
    let proxied = client % 3 == 2 && client < 6;
    let port = if proxied { PROXY_PORT } else { RESP_PORT };
    let login = (client >= 3).then_some(tenant::LOGIN);
    let session = Session::new(names, port, login, mix64(seed ^ 1));
    match client {
        0..3 => keys::keys(who, session, seed, oracle).await,
        6 => journal::journal(who, session, seed, oracle).await,
        7 => deadlines::deadlines(who, session, seed, oracle).await,
        _ => registers::registers((who, proxied, client == 3), session, seed, oracle).await,
    }
    Ok(())
}
