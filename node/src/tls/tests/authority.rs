//! Authorities and certificates for tests, as PEM files.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use std::{fs, ops::Range, os::unix::fs::PermissionsExt, path::Path, time::Duration};

/// When certificates are valid unless a test says otherwise, in seconds since the Unix epoch: until 2096.
pub const ALWAYS: Range<u64> = 1_000_000_000..4_000_000_000;

/// What a certificate is made for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A member's: for both directions, with the name that members verify.
    Member,
    /// A client's.
    Client,
    /// A server's that is no member.
    Server,
}

/// A certificate and its key.
#[derive(Clone)]
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// The key.
    pub key: String,
}

impl Issued {
    /// Writes both beside each other, as `name.crt` and `name.key`.
    pub fn write(&self, directory: &Path, name: &str) {
        fs::write(directory.join(format!("{name}.crt")), &self.certificate).unwrap();
        let key = directory.join(format!("{name}.key"));
        fs::write(&key, &self.key).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// An authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A new one; all have the same name.
    pub fn new() -> Authority {
        let mut params = params(&[], ALWAYS);
        params.distinguished_name.push(DnType::CommonName, "authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its certificate.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate that it signs.
    pub fn issue(&self, kind: Kind, valid: Range<u64>) -> Issued {
        use ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
        let (names, purposes): (&[&str], _) = match kind {
            Kind::Member => (&["member.predis.internal", "127.0.0.1"], vec![ServerAuth, ClientAuth]),
            Kind::Client => (&[], vec![ClientAuth]),
            Kind::Server => (&["127.0.0.1"], vec![ServerAuth]),
        };
        let mut params = params(names, valid);
        params.extended_key_usages = purposes;
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Issued { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

fn params(names: &[&str], valid: Range<u64>) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    let at = |seconds| date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
    (params.not_before, params.not_after) = (at(valid.start), at(valid.end));
    params
}
