//! gRPC to one node: a channel that connects over TLS and presents a token with each call.
//!
//! Not balanced and not shared between nodes: who falls back to which node is up to the caller. Knows no service.

use crate::{
    net::{Connector, Tcp},
    tls::Tls,
};
use hyper_util::rt::TokioIo;
use predis_types::Secret;
use std::{io, sync::Arc, time::Duration};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint, Uri},
};

/// How often a connection that is in use is asked whether it still works, and how long it has to answer.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// A channel to one node's gRPC port, usable with every generated client.
pub type AdminChannel = InterceptedService<Channel, Bearer>;

/// Presents a token with each call, if there is one.
#[derive(Clone)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

/// Why there is no channel.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address cannot be one.
    #[error("{addr:?} is not host:port")]
    BadAddress {
        /// What was given.
        addr: String,
    },
    /// The token has characters that no token has.
    #[error("the token must be printable ASCII without spaces")]
    BadToken,
    /// Nobody answers, or TLS fails.
    #[error("cannot connect to {addr}: {reason}")]
    Unreachable {
        /// Who was called.
        addr: String,
        /// The causes, outermost first.
        reason: String,
    },
}

/// Connects to the gRPC port at `addr`, `host:port`, within `limit`; over TLS and with a token, where given.
///
/// ```no_run
/// # async fn status() -> Result<(), Box<dyn std::error::Error>> {
/// use predis_proto::admin::{StatusRequest, cluster_client::ClusterClient};
///
/// let limit = std::time::Duration::from_secs(3);
/// let channel = predis_client::connect_admin("127.0.0.1:7379", None, None, limit).await?;
/// let status = ClusterClient::new(channel).status(StatusRequest { stale: false }).await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// See [`ConnectError`].
pub async fn connect_admin(
    addr: &str,
    tls: Option<&Tls>,
    token: Option<&Secret>,
    limit: Duration,
) -> Result<AdminChannel, ConnectError> {
    connect(Arc::new(Tcp), addr, tls, token, limit).await
}

/// The same over connections that somebody else opens.
pub(crate) async fn connect(
    connector: Arc<dyn Connector>,
    addr: &str,
    tls: Option<&Tls>,
    token: Option<&Secret>,
    limit: Duration,
) -> Result<AdminChannel, ConnectError> {
    let bearer = Bearer::of(token)?;
    let endpoint = Endpoint::from_shared(format!("http://{addr}"))
        .map_err(|_| ConnectError::BadAddress { addr: addr.to_owned() })?
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .connect_timeout(limit);
    let (dialled, tls) = (addr.to_owned(), tls.cloned());
    let connecting = endpoint.connect_with_connector(tower::service_fn(move |_: Uri| {
        let (connecting, dialled, tls) = (connector.connect(&dialled), dialled.clone(), tls.clone());
        async move {
            let stream = connecting.await?;
            let stream = match tls {
                Some(tls) => tls.grpc(&dialled, stream).await?,
                None => stream,
            };
            Ok::<_, io::Error>(TokioIo::new(stream))
        }
    }));
    let unreachable = |reason| ConnectError::Unreachable { addr: addr.to_owned(), reason };
    match tokio::time::timeout(limit, connecting).await {
        Ok(Ok(channel)) => Ok(InterceptedService::new(channel, bearer)),
        Ok(Err(error)) => Err(unreachable(causes(&error))),
        Err(_) => Err(unreachable(format!("no answer within {limit:?}"))),
    }
}

impl Bearer {
    fn of(token: Option<&Secret>) -> Result<Bearer, ConnectError> {
        let Some(token) = token else { return Ok(Bearer(None)) };
        if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConnectError::BadToken);
        }
        let mut value = MetadataValue::try_from(format!("Bearer {}", token.expose()))
            .map_err(|_| ConnectError::BadToken)?;
        // Keeps it out of what Debug shows, and out of HTTP/2's table of repeated headers.
        value.set_sensitive(true);
        Ok(Bearer(Some(value)))
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}

/// An error and what caused it: tonic's own words say nothing.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut next = error.source().or(Some(error));
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text += if text.is_empty() { "" } else { ": " };
            text += &words;
        }
        next = cause.source();
    }
    text
}
