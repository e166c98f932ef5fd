//! What a certificate says, read from PEM.

use predis_node::tls::MEMBER_NAME;
use rustls_pki_types::{
    CertificateDer,
    pem::{PemObject, SectionKind},
};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use x509_parser::prelude::{ASN1Time, FromDer, GeneralName, X509Certificate};

/// What a certificate can be used for in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It signs others.
    Authority,
    /// A node proves with it that it is a member.
    Member,
    /// A client proves with it who it is.
    Client,
    /// A server that is no member.
    Server,
    /// None of these.
    Other,
}

impl Kind {
    /// In a word.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Authority => "authority",
            Kind::Member => "member",
            Kind::Client => "client",
            Kind::Server => "server",
            Kind::Other => "other",
        }
    }
}

/// A certificate.
pub(super) struct Parsed {
    pub(super) subject: String,
    pub(super) issuer: String,
    pub(super) kind: Kind,
    /// DNS names and IP addresses, then what else there is, in the order of the certificate.
    pub(super) names: Vec<String>,
    pub(super) not_before: ASN1Time,
    pub(super) not_after: ASN1Time,
    /// SHA-256 of the certificate.
    pub(super) fingerprint: [u8; 32],
    /// The public key, as SubjectPublicKeyInfo.
    pub(super) public_key: Vec<u8>,
    /// All of it.
    pub(super) der: CertificateDer<'static>,
}

impl Parsed {
    /// The certificates in a PEM file.
    ///
    /// # Errors
    /// What it holds instead. A private key is never quoted.
    pub(super) fn all(pem: &str) -> Result<Vec<Parsed>, String> {
        let sections: Result<Vec<(SectionKind, Vec<u8>)>, _> =
            <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes()).collect();
        let sections = sections.map_err(|_| "is not PEM")?;
        let (certificates, others): (Vec<_>, Vec<_>) =
            sections.into_iter().partition(|(kind, _)| *kind == SectionKind::Certificate);
        if !certificates.is_empty() {
            return certificates.into_iter().map(|(_, der)| Parsed::of(der.into())).collect();
        }
        use SectionKind::{EcPrivateKey, PrivateKey, RsaPrivateKey};
        let is_key = |(kind, _): &(SectionKind, _)| matches!(kind, EcPrivateKey | PrivateKey | RsaPrivateKey);
        if others.iter().any(is_key) {
            return Err("holds a private key, which stays secret, and no certificate".to_owned());
        }
        Err("holds no certificate in PEM form".to_owned())
    }

    fn of(der: CertificateDer<'static>) -> Result<Parsed, String> {
        let (_, certificate) =
            X509Certificate::from_der(&der).map_err(|error| format!("cannot be decoded: {error}"))?;
        let bad = |error: x509_parser::error::X509Error| format!("cannot be decoded: {error}");
        let alternatives = certificate.subject_alternative_name().map_err(bad)?;
        let names: Vec<String> =
            alternatives.iter().flat_map(|names| &names.value.general_names).map(name).collect();
        let usage = certificate.extended_key_usage().map_err(bad)?;
        let may = |purpose: fn(&x509_parser::extensions::ExtendedKeyUsage<'_>) -> bool| {
            usage.as_ref().is_none_or(|usage| usage.value.any || purpose(usage.value))
        };
        let (serves, calls) = (may(|usage| usage.server_auth), may(|usage| usage.client_auth));
        let kind = match () {
            () if certificate.is_ca() => Kind::Authority,
            () if serves && calls && names.iter().any(|name| name.eq_ignore_ascii_case(MEMBER_NAME)) => {
                Kind::Member
            }
            () if serves && !names.is_empty() => Kind::Server,
            () if calls => Kind::Client,
            () => Kind::Other,
        };
        Ok(Parsed {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            kind,
            names,
            not_before: certificate.validity().not_before,
            not_after: certificate.validity().not_after,
            fingerprint: Sha256::digest(&der).into(),
            public_key: certificate.public_key().raw.to_vec(),
            der,
        })
    }

    /// Why it is of no use at this time, if it is not.
    pub(super) fn validity_problem(&self, now_s: u64) -> Option<String> {
        let now = i64::try_from(now_s).unwrap_or(i64::MAX);
        if self.not_after.timestamp() < now {
            return Some(format!("expired at {}", moment(self.not_after)));
        }
        (self.not_before.timestamp() > now)
            .then(|| format!("is not valid before {}", moment(self.not_before)))
    }

    /// The fingerprint as it is usually written.
    pub(super) fn fingerprint(&self) -> String {
        let bytes: Vec<String> = self.fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
        bytes.join(":")
    }
}

fn name(name: &GeneralName<'_>) -> String {
    let address = |bytes: &[u8]| match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    };
    match name {
        GeneralName::DNSName(name) => (*name).to_owned(),
        GeneralName::IPAddress(bytes) => {
            address(bytes).map_or_else(|| name.to_string(), |address| address.to_string())
        }
        other => other.to_string(),
    }
}

/// A moment in UTC, as RFC 3339 writes it.
pub(super) fn moment(time: ASN1Time) -> String {
    let time = time.to_datetime();
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}
