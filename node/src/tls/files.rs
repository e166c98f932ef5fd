//! PEM files: read, and refused where they hold nothing of use, or others may read a key.

use super::{TlsConfig, TlsError};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::Arc,
};
use zeroize::Zeroizing;

/// The names of the settings, as people write them.
pub(super) const AUTHORITY: &str = "tls.authority";
pub(super) const CERTIFICATE: &str = "tls.certificate";
pub(super) const KEY: &str = "tls.key";

/// The largest file that is read; a bundle of a hundred authorities takes a quarter of that.
const MAX_BYTES: u64 = 1 << 20;

/// What the files hold.
pub(super) struct Material {
    /// The authorities.
    pub(super) roots: Arc<RootCertStore>,
    /// The node's certificate and those behind it; at least one.
    pub(super) chain: Vec<CertificateDer<'static>>,
    /// Its key.
    pub(super) key: PrivateKeyDer<'static>,
}

/// Reads all files.
pub(super) fn read(config: &TlsConfig) -> Result<Material, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(AUTHORITY, &config.authority)? {
        roots.add(certificate).map_err(|error| {
            unusable(AUTHORITY, &config.authority, format!("not the certificate of an authority: {error}"))
        })?;
    }
    Ok(Material {
        roots: Arc::new(roots),
        chain: certificates(CERTIFICATE, &config.certificate)?,
        key: key(&config.key)?,
    })
}

/// An error about what one file holds.
pub(super) fn unusable(field: &'static str, path: &Path, problem: impl Into<String>) -> TlsError {
    TlsError::Unusable { field, path: path.to_owned(), problem: problem.into() }
}

fn certificates(field: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = content(field, path, |_| Ok(()))?;
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let found = parsed.map_err(|error| unusable(field, path, format!("must be PEM: {error}")))?;
    if found.is_empty() {
        return Err(unusable(field, path, "must hold a certificate in PEM form, and holds none"));
    }
    Ok(found)
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let bytes = content(KEY, path, |file| {
        let mode = file.metadata()?.permissions().mode() & 0o777;
        if mode & 0o077 == 0 { Ok(()) } else { Err(Refused::Exposed(mode)) }
    })?;
    // What the parser says may quote the file, so it is not repeated.
    let rule = "must hold one private key in PEM form, not encrypted";
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| unusable(KEY, path, rule))
}

/// Why a file that was opened is not read.
enum Refused {
    Io(io::Error),
    Exposed(u32),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Refused {
        Refused::Io(error)
    }
}

/// What a file holds, after a look at the file that was opened, and no other.
fn content(
    field: &'static str,
    path: &Path,
    look: impl FnOnce(&File) -> Result<(), Refused>,
) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let read = || {
        let file = File::open(path)?;
        look(&file)?;
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) if bytes.len() as u64 > MAX_BYTES => {
            Err(unusable(field, path, format!("larger than {MAX_BYTES} bytes, as no PEM file here is")))
        }
        Ok(bytes) => Ok(bytes),
        Err(Refused::Io(source)) => Err(TlsError::Unreadable { field, path: path.to_owned(), source }),
        Err(Refused::Exposed(mode)) => Err(TlsError::Exposed { field, path: path.to_owned(), mode }),
    }
}
