//! One gRPC channel per address, opened lazily, dropped when a call on it fails.

use super::{
    Connector,
    courier::{Courier, Line},
};
use hyper_util::rt::TokioIo;
use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tonic::transport::{Endpoint, Uri};

/// How long opening a connection may take, unless something else is said.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(300);

/// Why a call gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No answer in time: the receiver may or may not have acted.
    #[error("no answer from {addr} within {limit:?}")]
    TimedOut {
        /// Who was called.
        addr: String,
        /// The time limit.
        limit: Duration,
    },
    /// The connection or the receiver failed.
    #[error("{addr}: {}", told(status))]
    Failed {
        /// Who was called.
        addr: String,
        /// What gRPC said.
        status: Box<tonic::Status>,
    },
    /// The address cannot be one.
    #[error("{addr:?} is not host:port")]
    BadAddress {
        /// What was given.
        addr: String,
    },
}

/// What a status says, and the first cause of it where that says more.
fn told(status: &tonic::Status) -> String {
    let said = match status.message() {
        "" => status.code().description(),
        message => message,
    };
    let mut causes = std::iter::successors(std::error::Error::source(status), |error| error.source());
    match causes.by_ref().last().map(ToString::to_string) {
        Some(cause) if !said.contains(&cause) => format!("{said}: {cause}"),
        _ => said.to_owned(),
    }
}

/// Channels by address.
pub struct Channels {
    connector: Arc<dyn Connector>,
    courier: Option<Arc<dyn Courier>>,
    connect_timeout: Duration,
    open: Mutex<BTreeMap<String, Line>>,
}

impl Channels {
    /// No channels yet; connections come from `connector`.
    pub fn new(connector: Arc<dyn Connector>) -> Channels {
        let (courier, open) = (connector.courier(), Mutex::new(BTreeMap::new()));
        Channels { connector, courier, connect_timeout: CONNECT_TIMEOUT, open }
    }

    /// Others like these, with connections of their own.
    pub fn anew(&self) -> Channels {
        Channels::new(self.connector.clone()).connect_within(self.connect_timeout)
    }

    /// Gives up opening a connection after another time.
    #[must_use]
    pub fn connect_within(self, connect_timeout: Duration) -> Channels {
        Channels { connect_timeout, ..self }
    }

    /// Calls the service at `addr`, within `limit`, and drops the channel unless the call succeeds or the
    /// service itself refused it.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call<T, F>(
        &self,
        addr: &str,
        limit: Duration,
        call: impl FnOnce(Line) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    {
        let channel = self.channel(addr)?;
        match tokio::time::timeout(limit, call(channel)).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => {
                if !is_refusal(status.code()) {
                    self.forget(addr);
                }
                Err(CallError::Failed { addr: addr.to_owned(), status: Box::new(status) })
            }
            Err(_) => {
                self.forget(addr);
                Err(CallError::TimedOut { addr: addr.to_owned(), limit })
            }
        }
    }

    fn channel(&self, addr: &str) -> Result<Line, CallError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = open.get(addr) {
            return Ok(line.clone());
        }
        let endpoint = Endpoint::from_shared(format!("http://{addr}"))
            .map_err(|_| CallError::BadAddress { addr: addr.to_owned() })?
            .connect_timeout(self.connect_timeout)
            .tcp_nodelay(true);
        let (connector, target) = (self.connector.clone(), addr.to_owned());
        let channel = endpoint.connect_with_connector_lazy(tower::service_fn(move |_: Uri| {
            let connecting = connector.connect(&target);
            async move { connecting.await.map(TokioIo::new) }
        }));
        let line = Line::new(channel, self.courier.clone(), addr);
        open.insert(addr.to_owned(), line.clone());
        Ok(line)
    }

    /// Drops every channel: later calls connect anew.
    pub fn forget_all(&self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn forget(&self, addr: &str) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(addr);
    }
}

/// Codes with which a service answers on a connection that works.
fn is_refusal(code: tonic::Code) -> bool {
    use tonic::Code::{
        AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, Unauthenticated,
        Unimplemented,
    };
    matches!(
        code,
        AlreadyExists
            | FailedPrecondition
            | InvalidArgument
            | NotFound
            | PermissionDenied
            | Unauthenticated
            | Unimplemented
    )
}
