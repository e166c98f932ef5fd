//! What a verified certificate proves: that it is a member's, or just one of the cluster's authority.

use super::MEMBER_NAME;
use crate::io::Peer;
use rustls::pki_types::{CertificateDer, ServerName};
use webpki::EndEntityCert;

/// The name that members verify.
pub(super) fn member_name() -> ServerName<'static> {
    ServerName::try_from(MEMBER_NAME).expect("a constant that is a DNS name")
}

/// Who presented this chain, which has been verified.
pub(super) fn of(chain: Option<&[CertificateDer<'_>]>) -> Peer {
    let Some(certificate) = chain.and_then(<[_]>::first) else { return Peer::Unproven };
    let is_member = EndEntityCert::try_from(certificate)
        .is_ok_and(|certificate| certificate.verify_is_valid_for_subject_name(&member_name()).is_ok());
    if is_member { Peer::Member } else { Peer::Client }
}
