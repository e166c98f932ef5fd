//! Authorities and the certificates that they sign. Knows no files.

use super::{files::Pair, parsed::Parsed};
use predis_node::tls::MEMBER_NAME;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, date_time_ymd,
};
use sha2::{Digest, Sha256};
use std::{
    net::IpAddr,
    ops::Range,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use zeroize::Zeroizing;

/// Seconds of a day.
const DAY_S: u64 = 86_400;

/// How long ago certificates begin to be valid, in seconds, so that a clock that is behind takes them.
const BACKDATED_S: u64 = 3_600;

/// By these names a machine reaches itself.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What a certificate is for.
pub(super) enum Purpose {
    /// For a node that others reach by these hosts.
    Member(Vec<String>),
    /// For a client.
    Client,
}

/// Now, in seconds since the Unix epoch.
pub(super) fn now_s() -> u64 {
    // A clock before 1970 makes certificates that nobody accepts; there is nothing better to do about it.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs())
}

/// From a moment ago for so many days, in seconds since the Unix epoch.
pub(super) fn validity(days: u32) -> Range<u64> {
    let now = now_s();
    now.saturating_sub(BACKDATED_S)..now + u64::from(days) * DAY_S
}

/// The host that somebody wants a certificate for: an IP address or a DNS name.
///
/// # Errors
/// The rule.
pub(super) fn host(text: &str) -> Result<String, String> {
    if text.parse::<IpAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let name = text.strip_prefix("*.").unwrap_or(text);
    if text.len() <= 253 && name.split('.').all(label) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("must be a DNS name or an IP address, without a port".to_owned())
    }
}

/// Who signs.
pub(super) enum Authority {
    /// One made just now.
    New(Box<CertifiedIssuer<'static, KeyPair>>),
    /// One that was made before.
    Known(Box<Issuer<'static, KeyPair>>),
}

impl Authority {
    /// A new one, and its files' content.
    pub(super) fn make(days: u32) -> Result<(Authority, Pair), rcgen::Error> {
        let key = KeyPair::generate()?;
        // Two authorities never share a name, so that an error names the right one.
        let digest = Sha256::digest(key.subject_public_key_info());
        let name: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let mut params = params(&format!("predis authority {name}"), validity(days));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key_pem = Zeroizing::new(key.serialize_pem());
        let issuer = CertifiedIssuer::self_signed(params, key)?;
        let pair = Pair { certificate: issuer.pem(), key: key_pem };
        Ok((Authority::New(Box::new(issuer)), pair))
    }

    /// One whose certificate and key were read from files.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn read(certificate: &str, key: &str) -> Result<Authority, String> {
        let parsed = Parsed::all(certificate)?.into_iter().next().ok_or("holds no certificate")?;
        if parsed.kind != super::parsed::Kind::Authority {
            return Err(format!("is the certificate of a {}, not of an authority", parsed.kind.name()));
        }
        if let Some(problem) = parsed.validity_problem(now_s()) {
            return Err(problem);
        }
        // What the parser says of a key may quote it.
        let key = KeyPair::from_pem(key).map_err(|_| "the key beside it is not a private key in PEM form")?;
        if key.subject_public_key_info() != parsed.public_key {
            return Err("does not belong to the key beside it".to_owned());
        }
        let issuer = Issuer::from_ca_cert_der(&parsed.der, key).map_err(|error| error.to_string())?;
        Ok(Authority::Known(Box::new(issuer)))
    }

    /// A new key, and a certificate for it.
    pub(super) fn issue(&self, name: &str, purpose: &Purpose, days: u32) -> Result<Pair, rcgen::Error> {
        let mut params = params(name, validity(days));
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if let Purpose::Member(hosts) = purpose {
            params.extended_key_usages.insert(0, ExtendedKeyUsagePurpose::ServerAuth);
            params.subject_alt_names = CertificateParams::new(names(hosts))?.subject_alt_names;
        }
        let key = KeyPair::generate()?;
        let issuer = match self {
            Authority::New(issuer) => issuer,
            Authority::Known(issuer) => issuer.as_ref(),
        };
        let certificate = params.signed_by(&key, issuer)?;
        Ok(Pair { certificate: certificate.pem(), key: Zeroizing::new(key.serialize_pem()) })
    }
}

/// A member's names: what makes it one, its hosts, and itself; each once.
fn names(hosts: &[String]) -> Vec<String> {
    let mut names = vec![MEMBER_NAME.to_owned()];
    for name in hosts.iter().map(String::as_str).chain(LOCAL) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn params(name: &str, valid: Range<u64>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let at = |seconds| date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
    (params.not_before, params.not_after) = (at(valid.start), at(valid.end));
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses() {
        for good in ["a", "node-1.example.org", "*.example.org", "10.0.0.1", "::1", "fe80::1"] {
            assert_eq!(host(good).as_deref(), Ok(good));
        }
        assert_eq!(host("Node.Example").as_deref(), Ok("node.example"));
        for bad in ["", "-a", "a-", "a..b", "a:7379", "a b", "*", "*.", "a.*.b", &"a".repeat(64)] {
            assert!(host(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_member_has_each_name_once() {
        let hosts = ["10.0.0.1", "localhost", "10.0.0.1"].map(str::to_owned);
        assert_eq!(names(&hosts), [MEMBER_NAME, "10.0.0.1", "localhost", "127.0.0.1", "::1"]);
    }
}
