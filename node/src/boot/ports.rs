//! The sockets that a node listens on.

use super::BootError;
use crate::{
    config::NodeConfig,
    io::{Io, Listener},
    life::SharedListener,
    tls::{Port, Tls},
};
use predis_meta::Addresses;
use std::{io as stdio, sync::Arc};

/// One listener a port, finished with TLS where there is some.
pub(super) struct Ports {
    pub(super) resp: SharedListener,
    pub(super) proxy: Option<SharedListener>,
    pub(super) grpc: Box<dyn Listener>,
    pub(super) metrics: Box<dyn Listener>,
    /// As others should dial them.
    pub(super) addrs: Addresses,
}

impl Ports {
    pub(super) async fn bind(
        config: &NodeConfig,
        io: &Io,
        tls: Option<&Arc<Tls>>,
    ) -> Result<Ports, BootError> {
        let bind = async |what: &'static str, port: Port, addr: &str| {
            let bound = io.binder.bind(addr).await;
            let bound = bound.map_err(|source| BootError::Bind { what, addr: addr.to_owned(), source })?;
            Ok::<_, BootError>(match tls {
                Some(tls) => tls.listener(port, bound),
                None => bound,
            })
        };
        let resp = bind("RESP", Port::Resp, &config.listen).await?;
        let grpc = bind("gRPC", Port::Grpc, &config.grpc).await?;
        let metrics = bind("metrics", Port::Metrics, &config.metrics).await?;
        let proxy = match &config.proxy_listen {
            Some(addr) => Some(SharedListener::new(bind("the proxy endpoint", Port::Proxy, addr).await?)?),
            None => None,
        };
        let addrs = Addresses {
            resp: advertised(config, &config.listen, resp.as_ref())?,
            grpc: advertised(config, &config.grpc, grpc.as_ref())?,
            metrics: advertised(config, &config.metrics, metrics.as_ref())?,
        };
        Ok(Ports { resp: SharedListener::new(resp)?, proxy, grpc, metrics, addrs })
    }
}

/// The advertised host, or the one listened on, with the port bound.
fn advertised(config: &NodeConfig, asked: &str, listener: &dyn Listener) -> stdio::Result<String> {
    let host = asked.rsplit_once(':').map_or(asked, |(host, _)| host);
    let host = config.advertise.as_deref().unwrap_or(host);
    Ok(format!("{host}:{}", listener.local_addr()?.port()))
}
