//! Certificates read anew while connections are open.

use super::{files::said, *};
use std::fs;

impl Rig {
    /// Connects as a client that trusts this authority; both ends, and the certificate that the node presented.
    async fn presented(&self, trusted: &Authority) -> (Incoming, ClientStream, Vec<u8>) {
        let (mut listener, feed) = self.port(Port::Resp);
        let client = Client::new(trusted, None);
        let attempt = feed.connect();
        let (accepted, connected) = tokio::join!(listener.accept(), client.connect(attempt));
        let (incoming, stream) = (accepted.unwrap(), connected.unwrap());
        let certificate = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
        (incoming, stream, certificate)
    }
}

#[tokio::test]
async fn new_connections_get_the_new_certificate_and_old_ones_go_on() {
    let rig = Rig::new(ClientCertificates::Optional);
    let (mut server, mut client, old) = rig.presented(&rig.authority).await;
    rig.authority.issue(Kind::Member, ALWAYS.start..NOW_S + DAY_S).write(rig.directory.path(), "node");
    assert_eq!(rig.presented(&rig.authority).await.2, old, "not before it is told");
    assert_eq!(rig.tls.expires_at_s(), 4_000_000_000);
    rig.tls.reload().unwrap();
    assert_ne!(rig.presented(&rig.authority).await.2, old);
    assert_eq!(rig.tls.expires_at_s(), (NOW_S + DAY_S) as i64);
    converse(&mut server.stream, &mut client).await;
}

#[tokio::test]
async fn a_broken_file_keeps_the_old_certificate() {
    let rig = Rig::new(ClientCertificates::Optional);
    let (.., old) = rig.presented(&rig.authority).await;
    for name in ["node.key", "node.crt", "ca.crt"] {
        fs::write(rig.directory.path().join(name), "-----BEGIN").unwrap();
        assert!(said(&rig).contains(name));
        assert_eq!(rig.presented(&rig.authority).await.2, old);
    }
    // A pair of which only one half is written yet is a broken file, too.
    fs::write(rig.directory.path().join("ca.crt"), rig.authority.pem()).unwrap();
    let next = rig.issue(Kind::Member);
    next.write(rig.directory.path(), "node");
    fs::write(rig.directory.path().join("node.crt"), rig.issue(Kind::Member).certificate).unwrap();
    assert!(said(&rig).contains("do not belong together"));
    assert_eq!(rig.presented(&rig.authority).await.2, old);
    next.write(rig.directory.path(), "node");
    rig.tls.reload().unwrap();
    assert_ne!(rig.presented(&rig.authority).await.2, old);
}

#[tokio::test]
async fn one_authority_takes_over_from_another() {
    let rig = Rig::new(ClientCertificates::Optional);
    let next = Authority::new();
    let ca = rig.directory.path().join("ca.crt");
    fs::write(&ca, format!("{}{}", rig.authority.pem(), next.pem())).unwrap();
    rig.tls.reload().unwrap();
    next.issue(Kind::Member, ALWAYS).write(rig.directory.path(), "node");
    rig.tls.reload().unwrap();
    rig.presented(&next).await;
    fs::write(&ca, next.pem()).unwrap();
    rig.tls.reload().unwrap();
    rig.presented(&next).await;
    // What the old one signed is worth nothing any more.
    rig.issue(Kind::Member).write(rig.directory.path(), "node");
    assert!(said(&rig).contains("is not of this cluster's authority"));
}
