//! What rustls is told, for each port and for connections to members, once the files have proved to be of use.
//!
//! The certificate is verified here as other members will: one that they would refuse is refused at once. Sessions
//! are not resumed, so that every connection proves what it is by a certificate that is valid now.

use super::{
    ClientCertificates, Port, TlsConfig, TlsError,
    files::{self, AUTHORITY, CERTIFICATE, KEY, Material, unusable},
    peer::member_name,
    time::NodeTime,
    words,
};
use predis_types::Clock;
use rustls::{
    ClientConfig, ServerConfig,
    client::{Resumption, WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
};
use std::sync::Arc;
use x509_parser::prelude::{FromDer, X509Certificate};

/// All configurations made from one reading of the files.
pub(super) struct Configs {
    resp: Arc<ServerConfig>,
    grpc: Arc<ServerConfig>,
    metrics: Arc<ServerConfig>,
    /// For connections to members.
    pub(super) member: Arc<ClientConfig>,
    /// When the node's certificate expires, in seconds since the Unix epoch.
    pub(super) expires_at_s: i64,
}

/// Who verifies whoever connects, and whomever is connected to.
struct Verifiers {
    clients: Arc<dyn ClientCertVerifier>,
    members: Arc<WebPkiServerVerifier>,
}

impl Configs {
    /// Reads the files and checks what they hold.
    pub(super) fn read(config: &TlsConfig, clock: Arc<dyn Clock>) -> Result<Configs, TlsError> {
        let material = files::read(config)?;
        let provider = Arc::new(ring::default_provider());
        let time = Arc::new(NodeTime(clock));
        let verifiers = Verifiers::new(config, &material, &provider)?;
        verifiers
            .check(&material, &time)
            .map_err(|problem| unusable(CERTIFICATE, &config.certificate, problem))?;
        let build = || {
            let server = |alpn: &[&[u8]]| server(&material, &verifiers, &provider, &time, alpn);
            Ok(Configs {
                resp: server(&[])?,
                grpc: server(&[b"h2"])?,
                metrics: server(&[b"http/1.1"])?,
                member: member(&material, &verifiers, &provider, &time)?,
                expires_at_s: expires_at_s(&material),
            })
        };
        build().map_err(|error: rustls::Error| {
            let certificate = config.certificate.display();
            unusable(KEY, &config.key, format!("must be the key of {certificate}: {}", words::plain(&error)))
        })
    }

    /// For connections to one of the node's ports.
    pub(super) fn server(&self, port: Port) -> Arc<ServerConfig> {
        match port {
            Port::Resp | Port::Proxy => self.resp.clone(),
            Port::Grpc => self.grpc.clone(),
            Port::Metrics => self.metrics.clone(),
        }
    }
}

impl Verifiers {
    fn new(
        config: &TlsConfig,
        material: &Material,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Verifiers, TlsError> {
        let of_no_use = |error| unusable(AUTHORITY, &config.authority, format!("{error}"));
        let clients = WebPkiClientVerifier::builder_with_provider(material.roots.clone(), provider.clone());
        let clients = match config.clients {
            ClientCertificates::Optional => clients.allow_unauthenticated(),
            ClientCertificates::Required => clients,
        };
        let members = WebPkiServerVerifier::builder_with_provider(material.roots.clone(), provider.clone());
        Ok(Verifiers {
            clients: clients.build().map_err(of_no_use)?,
            members: members.build().map_err(of_no_use)?,
        })
    }

    /// Whether other members will take the node's own certificate for a member's, in both directions.
    fn check(&self, material: &Material, time: &NodeTime) -> Result<(), String> {
        let Some((first, rest)) = material.chain.split_first() else { return Err("is empty".to_owned()) };
        let now = time.now();
        let as_server = self.members.verify_server_cert(first, rest, &member_name(), &[], now);
        as_server.map_err(|error| words::own(&error))?;
        self.clients.verify_client_cert(first, rest, now).map_err(|error| words::own(&error))?;
        Ok(())
    }
}

fn server(
    material: &Material,
    verifiers: &Verifiers,
    provider: &Arc<CryptoProvider>,
    time: &Arc<NodeTime>,
    alpn: &[&[u8]],
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_details(provider.clone(), time.clone())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifiers.clients.clone())
        .with_single_cert(material.chain.clone(), material.key.clone_key())?;
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

fn member(
    material: &Material,
    verifiers: &Verifiers,
    provider: &Arc<CryptoProvider>,
    time: &Arc<NodeTime>,
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut config = ClientConfig::builder_with_details(provider.clone(), time.clone())
        .with_safe_default_protocol_versions()?
        .with_webpki_verifier(verifiers.members.clone())
        .with_client_auth_cert(material.chain.clone(), material.key.clone_key())?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// 0 for a certificate that cannot be parsed, which has been refused before.
fn expires_at_s(material: &Material) -> i64 {
    let parsed = material.chain.first().and_then(|first| X509Certificate::from_der(first).ok());
    parsed.map_or(0, |(_, certificate)| certificate.validity().not_after.timestamp())
}
