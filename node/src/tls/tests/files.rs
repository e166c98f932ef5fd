//! Files that cannot be used: which one, why, and nothing of what a key file holds.

use super::*;
use std::{fs, os::unix::fs::PermissionsExt};

/// What is said of the rig's files, read anew.
pub(super) fn said(rig: &Rig) -> String {
    let error = rig.tls.reload().unwrap_err();
    match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let rig = Rig::new(ClientCertificates::Optional);
    let key = rig.directory.path().join("node.key");
    for mode in [0o640, 0o604, 0o660, 0o644, 0o610] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let said = said(&rig);
        let parts = ["tls.key", key.to_str().unwrap(), &format!("{mode:o}"), "chmod 600"];
        parts.iter().for_each(|part| assert!(said.contains(part), "{said}"));
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o400)).unwrap();
    rig.tls.reload().unwrap();
}

#[test]
fn what_a_file_does_not_hold_is_said() {
    for (name, content, field, rule) in [
        ("ca.crt", "", "tls.authority", "holds none"),
        ("ca.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n", "tls.authority", "must be PEM"),
        (
            "ca.crt",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "tls.authority",
            "not the certificate",
        ),
        ("node.crt", "hello", "tls.certificate", "holds none"),
        ("node.key", "", "tls.key", "one private key in PEM form"),
    ] {
        let rig = Rig::new(ClientCertificates::Optional);
        fs::write(rig.directory.path().join(name), content).unwrap();
        let said = said(&rig);
        assert!([field, name, rule].iter().all(|part| said.contains(part)), "{said}");
    }
    let rig = Rig::new(ClientCertificates::Optional);
    fs::remove_file(rig.directory.path().join("node.crt")).unwrap();
    let missing = said(&rig);
    assert!(missing.contains("tls.certificate") && missing.contains("No such file"), "{missing}");
    fs::write(rig.directory.path().join("ca.crt"), vec![b'x'; 2 << 20]).unwrap();
    let large = said(&rig);
    assert!(large.contains("tls.authority") && large.contains("larger"), "{large}");
}

#[test]
fn a_broken_key_is_not_quoted() {
    let rig = Rig::new(ClientCertificates::Optional);
    let path = rig.directory.path().join("node.key");
    for broken in ["-----BEGIN sesame\n", "-----BEGIN PRIVATE KEY-----\nsesame!\n-----END PRIVATE KEY-----\n"]
    {
        fs::write(&path, broken).unwrap();
        let error = rig.tls.reload().unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(said.contains("node.key") && !said.contains("sesame"), "{said}");
    }
}

#[test]
fn a_certificate_that_others_would_refuse_is_refused() {
    type Make = fn(&Rig) -> Issued;
    let cases: [(Make, &str); 5] = [
        (|_| Authority::new().issue(Kind::Member, ALWAYS), "is not of this cluster's authority"),
        (|rig| rig.authority.issue(Kind::Member, 0..NOW_S - 2 * DAY_S), "expired 2 days ago"),
        (
            |rig| rig.authority.issue(Kind::Member, NOW_S + 3_600..NOW_S + DAY_S),
            "is not valid yet, but in 60 min",
        ),
        (|rig| rig.issue(Kind::Server), "member.predis.internal is not among its DNS names"),
        (|rig| rig.issue(Kind::Client), "is not made for this use"),
    ];
    for (make, expected) in cases {
        let rig = Rig::new(ClientCertificates::Optional);
        make(&rig).write(rig.directory.path(), "node");
        let said = said(&rig);
        assert!(said.contains("tls.certificate") && said.contains(expected), "{said}");
    }
    let rig = Rig::new(ClientCertificates::Optional);
    let Issued { key, .. } = rig.issue(Kind::Member);
    fs::write(rig.directory.path().join("node.key"), key).unwrap();
    let said = said(&rig);
    assert!(said.contains("tls.key") && said.contains("do not belong together"), "{said}");
}
