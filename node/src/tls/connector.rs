//! Connections to other members: both sides prove that they are members of this cluster.

use super::{Tls, heard::Watched, peer, words};
use predis_raft::{BoxedStream, Connector, Pending};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tokio_rustls::TlsConnector;

/// Connects to members.
pub(super) struct MemberConnector {
    tls: Arc<Tls>,
    inner: Arc<dyn Connector>,
    complaints: Arc<Complaints>,
}

/// What was last wrong with each address: members call often, and each reason is logged once.
#[derive(Default)]
pub(super) struct Complaints(Mutex<BTreeMap<String, String>>);

impl Complaints {
    pub(super) fn log(&self, addr: &str, reason: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.get(addr).is_none_or(|known| known != reason) {
            tracing::warn!(addr, reason, "no TLS connection to a member");
            known.insert(addr.to_owned(), reason.to_owned());
        }
    }

    pub(super) fn forget(&self, addr: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(addr);
    }
}

impl MemberConnector {
    pub(super) fn new(tls: Arc<Tls>, inner: Arc<dyn Connector>) -> MemberConnector {
        MemberConnector { tls, inner, complaints: Arc::default() }
    }
}

impl Connector for MemberConnector {
    fn connect(&self, addr: &str) -> Pending<'static, io::Result<BoxedStream>> {
        let (tls, complaints, addr) = (self.tls.clone(), self.complaints.clone(), addr.to_owned());
        let connecting = self.inner.connect(&addr);
        Box::pin(async move {
            let stream = connecting.await?;
            let config = tls.current.load().member.clone();
            match TlsConnector::from(config).connect(peer::member_name(), stream).await {
                Ok(stream) => Ok(Box::new(Watched::new(stream, tls, complaints, addr)) as BoxedStream),
                Err(error) => {
                    let (outcome, reason) = words::explain(&error);
                    tls.handshakes.count(None, outcome);
                    complaints.log(&addr, &reason);
                    Err(io::Error::new(error.kind(), format!("TLS: {reason}")))
                }
            }
        })
    }
}
