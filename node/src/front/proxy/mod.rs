//! The proxy endpoint: for clients that know nothing of clusters.
//!
//! ```text
//! client -> Connection -> round: keys of this node's own partitions ---> its shards
//!                           '---- everything else --> Upstream (predis-client) --> RESP ports of the owners
//! ```
//! The caller's identity travels along: upstream connections authenticate with the caller's own token, so a proxy
//! lends nobody anything, and what a user may do is decided where the keys are. Callers with the same token share
//! their upstream connections. Knows nothing of how a call finds its way: the client does.

mod round;
mod upstream;

pub(super) use round::is_gathered;
pub(super) use upstream::Upstream;

use super::error::Error;
use super::session::Session;
use crate::serving::Serving;
use predis_client::{Connector, Credentials};
use predis_types::Secret;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Clients of the cluster, one for each caller that is connected.
pub(super) struct Proxy {
    serving: Arc<Serving>,
    /// By the caller's user and the digest of its token; empty for callers that have none.
    upstreams: Mutex<BTreeMap<String, Weak<Upstream>>>,
}

impl Proxy {
    pub(super) fn new(serving: Arc<Serving>) -> Proxy {
        Proxy { serving, upstreams: Mutex::default() }
    }

    /// The way to the other nodes in the name of a caller; kept with its session.
    fn upstream(&self, session: &Session) -> Result<Arc<Upstream>, Error> {
        if let Some(known) = session.upstream() {
            return Ok(known);
        }
        let identity = session.identity().as_ref().cloned().ok_or(Error::NotAuthenticated)?;
        let (key, credentials) = match session.token() {
            None => (String::new(), Credentials::None),
            Some(token) => {
                let key = format!("{} {}", identity.user, token.digest());
                (key, Credentials::Token { user: Some(identity.user.to_string()), token })
            }
        };
        let mut upstreams = self.upstreams.lock().unwrap_or_else(PoisonError::into_inner);
        upstreams.retain(|_, upstream| upstream.strong_count() > 0);
        let upstream = match upstreams.get(&key).and_then(Weak::upgrade) {
            Some(shared) => shared,
            None => {
                let opened = Arc::new(Upstream::new(&self.serving, identity.gate.clone(), credentials));
                upstreams.insert(key, Arc::downgrade(&opened));
                opened
            }
        };
        session.set_upstream(Some(upstream.clone()));
        Ok(upstream)
    }
}

/// What a proxied session presents upstream.
#[derive(Default)]
pub(super) struct Caller {
    pub(super) token: Option<Secret>,
    pub(super) upstream: Option<Arc<Upstream>>,
}

/// Connections to other nodes' RESP ports, as members make them.
struct ToMembers(Arc<dyn predis_raft::Connector>);

impl Connector for ToMembers {
    fn connect(&self, addr: &str) -> predis_client::Connecting {
        let connecting = self.0.connect(addr);
        Box::pin(async move {
            let stream: io::Result<predis_raft::BoxedStream> = connecting.await;
            Ok(Box::new(stream?) as predis_client::BoxedStream)
        })
    }
}
