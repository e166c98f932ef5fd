//! TLS as a client: whom it trusts, what it shows of itself, and the handshake.
//!
//! ```text
//! authority.pem --trust--> whoever serves     certificate.pem + key.pem --shown to whoever asks for them
//! ```
//! The host that was dialled must be among the names of the certificate that answers. RESP has no ALPN name, gRPC has
//! `h2`. Knows nothing of what is sent.

use crate::net::{BoxedStream, host_of};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem, pem::PemObject},
};
use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio_rustls::TlsConnector;

/// What a client needs to speak TLS; clones share it.
#[derive(Clone)]
pub struct Tls {
    resp: Arc<ClientConfig>,
    grpc: Arc<ClientConfig>,
}

/// Why files do not make TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{what} {path}: cannot be read")]
    Unreadable {
        /// What the file was to be.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{what} {path}: {rule}")]
    Malformed {
        /// What the file was to be.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// What a proper one has.
        rule: &'static str,
    },
    /// An authority, or a certificate and its key, cannot be used.
    #[error("{what} {path}: {reason}")]
    Unusable {
        /// What the file was to be.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        reason: rustls::Error,
    },
}

const AUTHORITY: &str = "authority";
const CERTIFICATE: &str = "certificate";
const KEY: &str = "key";

impl Tls {
    /// Trusts the authority whose certificates are in the file, and nobody else; shows the certificate, given with
    /// its key, to servers that ask for one. All files are PEM.
    ///
    /// # Errors
    /// See [`TlsError`]; no error has a word of what a key file holds.
    pub fn read(authority: &Path, identity: Option<(&Path, &Path)>) -> Result<Tls, TlsError> {
        let unusable = |what, path: &Path| {
            let path = path.to_owned();
            move |reason| TlsError::Unusable { what, path, reason }
        };
        let mut roots = RootCertStore::empty();
        for root in certificates(AUTHORITY, authority)? {
            roots.add(root).map_err(unusable(AUTHORITY, authority))?;
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has ciphers for the default versions of TLS")
            .with_root_certificates(roots);
        let resp = match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(certificates(CERTIFICATE, certificate)?, private_key(key)?)
                .map_err(unusable(CERTIFICATE, certificate))?,
        };
        let mut grpc = resp.clone();
        grpc.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Tls { resp: Arc::new(resp), grpc: Arc::new(grpc) })
    }

    /// Speaks TLS over a connection to the RESP port of `addr`, `host:port`.
    ///
    /// # Errors
    /// When the handshake fails, or the certificate that answers is not one of `addr`'s host.
    pub async fn resp(&self, addr: &str, stream: BoxedStream) -> io::Result<BoxedStream> {
        handshake(self.resp.clone(), addr, stream).await
    }

    /// Speaks TLS over a connection to the gRPC port of `addr`, `host:port`.
    pub(crate) async fn grpc(&self, addr: &str, stream: BoxedStream) -> io::Result<BoxedStream> {
        handshake(self.grpc.clone(), addr, stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(..)")
    }
}

async fn handshake(config: Arc<ClientConfig>, addr: &str, stream: BoxedStream) -> io::Result<BoxedStream> {
    let host = host_of(addr);
    let name = ServerName::try_from(host.to_owned()).map_err(|_| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{host:?} cannot be the name of a certificate"))
    })?;
    Ok(Box::new(TlsConnector::from(config).connect(name, stream).await?))
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| refused(what, path, error, "must be certificates in PEM"))?;
    if found.is_empty() {
        let rule = "must hold at least one certificate in PEM";
        return Err(TlsError::Malformed { what, path: path.to_owned(), rule });
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|error| refused(KEY, path, error, "must hold a private key in PEM"))
}

fn refused(what: &'static str, path: &Path, error: pem::Error, rule: &'static str) -> TlsError {
    let path = path.to_owned();
    match error {
        pem::Error::Io(source) => TlsError::Unreadable { what, path, source },
        _ => TlsError::Malformed { what, path, rule },
    }
}
