//! Why a handshake failed, in words for whoever reads the log, not for whoever wrote the TLS library.

use super::{MEMBER_NAME, Outcome};
use rustls::{AlertDescription, CertificateError, Error, pki_types::UnixTime};
use std::io;

/// How a handshake ended that failed with this error, and why.
pub(super) fn explain(error: &io::Error) -> (Outcome, String) {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(error) => (outcome(error), plain(error)),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            (Outcome::Closed, "it was closed before the handshake was over".to_owned())
        }
        None => (Outcome::Closed, format!("the connection broke: {error}")),
    }
}

fn outcome(error: &Error) -> Outcome {
    match error {
        Error::NoCertificatesPresented | Error::InvalidCertificate(_) => Outcome::Refused,
        Error::AlertReceived(_) => Outcome::Rejected,
        _ => Outcome::Protocol,
    }
}

/// What a TLS error means.
pub(super) fn plain(error: &Error) -> String {
    match error {
        Error::NoCertificatesPresented => "it presented no certificate, and one is required".to_owned(),
        Error::InvalidCertificate(error) => format!("its certificate {}", certificate(error)),
        Error::AlertReceived(alert) => alert_text(*alert),
        Error::InvalidMessage(_) => format!("what it sent is not TLS ({error})"),
        Error::PeerIncompatible(_) => format!("no TLS version or cipher suite is common ({error})"),
        Error::NoApplicationProtocol => "it speaks none of the protocols of this port".to_owned(),
        Error::InconsistentKeys(_) => "certificate and key do not belong together".to_owned(),
        _ => error.to_string(),
    }
}

/// What is wrong with the node's own certificate.
pub(super) fn own(error: &Error) -> String {
    let text = match error {
        Error::InvalidCertificate(error) => certificate(error),
        _ => error.to_string(),
    };
    format!("{text}; members and clients would refuse it")
}

/// What is wrong with a certificate, as the end of a sentence that begins with it.
fn certificate(error: &CertificateError) -> String {
    use CertificateError as E;
    match error {
        E::UnknownIssuer | E::BadSignature => "is not of this cluster's authority".to_owned(),
        E::Expired => "has expired".to_owned(),
        E::ExpiredContext { time, not_after } => format!("expired {} ago", between(not_after, time)),
        E::NotValidYet => "is not valid yet".to_owned(),
        E::NotValidYetContext { time, not_before } => {
            format!("is not valid yet, but in {}: are the clocks right?", between(time, not_before))
        }
        E::NotValidForName | E::NotValidForNameContext { .. } => {
            format!("is not a member's: {MEMBER_NAME} is not among its DNS names")
        }
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => {
            format!("is not made for this use ({error})")
        }
        E::BadEncoding => "cannot be decoded".to_owned(),
        _ => format!("is not accepted ({error})"),
    }
}

/// The time from one moment to a later one, in the largest unit that it has two of.
fn between(from: &UnixTime, to: &UnixTime) -> String {
    let seconds = to.as_secs().saturating_sub(from.as_secs());
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn alert_text(alert: AlertDescription) -> String {
    use AlertDescription as A;
    match alert {
        A::UnknownCA | A::BadCertificate | A::CertificateUnknown | A::CertificateExpired => {
            format!("it does not accept this node's certificate ({alert:?})")
        }
        A::CertificateRequired => "it requires a certificate".to_owned(),
        _ => format!("it ended the handshake ({alert:?})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_are_said_in_the_largest_unit_that_fits_twice() {
        let at = |s| UnixTime::since_unix_epoch(Duration::from_secs(s));
        for (seconds, said) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_200, "2 h"),
            (172_799, "47 h"),
            (172_800, "2 days"),
        ] {
            assert_eq!(between(&at(10), &at(10 + seconds)), said);
        }
        assert_eq!(between(&at(10), &at(3)), "0 s");
    }
}
