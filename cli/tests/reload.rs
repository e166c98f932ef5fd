//! SIGHUP on a real server: what may change changes at once, and what is refused changes nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod process;

use process::{LIMIT, Server, predis};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{
    fs::write,
    net::TcpStream,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

const REREAD: &str = "the configuration was read again";
const REFUSED: &str = "the configuration was read again and nothing is changed";

/// Waits until a parameter is this.
fn parameter_is(server: &Server, name: &str, value: &str) {
    let until = Instant::now() + LIMIT;
    let expected = format!("\r\n{value}\r\n");
    loop {
        let said = server.command(&format!("CONFIG GET {name}"));
        if said.contains(&expected) {
            return;
        }
        assert!(Instant::now() < until, "{name} is not {value}: {said}");
        // Clients are told of no change.
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_running_server_takes_what_may_change_and_refuses_the_rest_whole() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("predis.toml");
    let base = "listen = '127.0.0.1:0'\n";
    write(&file, format!("{base}memory = '64mb'\n")).unwrap();
    let mut server = Server::start(&file, &directory.path().join("data"), &["--bootstrap"]);
    parameter_is(&server, "maxmemory", "67108864");
    // What clients set stays as long as nobody changes the setting itself.
    assert!(server.command("CONFIG SET timeout 300").starts_with("+OK"));

    write(&file, format!("{base}memory = '32mb'\nmax_clients = 50\n")).unwrap();
    server.signal("-HUP");
    assert_eq!(server.wait_for("a setting changes")["fields"]["setting"], "memory");
    let line = server.wait_for("a setting changes");
    let changed = &line["fields"];
    assert_eq!((&changed["old"], &changed["new"]), (&"10000".into(), &"50".into()), "{line}");
    assert_eq!(server.wait_for(REREAD)["fields"]["count"], 2);
    parameter_is(&server, "maxmemory", "33554432");
    parameter_is(&server, "maxclients", "50");
    parameter_is(&server, "timeout", "300");

    for (text, parts) in [
        (
            "listen = '127.0.0.1:1'\nmemory = '16mb'\nmax_clients = 50\n",
            ["listen: cannot change while the node runs; restart it, got \"127.0.0.1:1\"", "line 1"],
        ),
        (
            "listen = '127.0.0.1:0'\nmemory = 'lots'\nmax_clients = 9\n",
            ["memory: must be a number", "line 2"],
        ),
        ("listen = '127.0.0.1:0'\nmax_clients = 9\nmemory = \n", ["TOML parse error", "line 3"]),
        ("listen = '127.0.0.1:0'\nmax_clients = 9\nmemroy = '1gb'\n", ["unknown field `memroy`", "line 3"]),
        ("listen = '0.0.0.0:0'\nmax_clients = 9\n", ["listen: must be a loopback address", "line 1"]),
    ] {
        write(&file, text).unwrap();
        server.signal("-HUP");
        let line = server.wait_for(REFUSED);
        let problem = line["fields"]["problem"].as_str().unwrap();
        parts.iter().for_each(|part| assert!(problem.contains(part), "{problem}"));
        parameter_is(&server, "maxmemory", "33554432");
        parameter_is(&server, "maxclients", "50");
    }
    std::fs::remove_file(&file).unwrap();
    server.signal("-HUP");
    let line = server.wait_for(REFUSED);
    assert!(line["fields"]["problem"].as_str().unwrap().contains("predis.toml"), "{line}");

    write(&file, format!("{base}timeout = 7\nlog = 'warn'\n")).unwrap();
    server.signal("-HUP");
    server.wait_for(REREAD);
    parameter_is(&server, "maxmemory", "0");
    parameter_is(&server, "maxclients", "10000");
    parameter_is(&server, "timeout", "7");
    assert_eq!(server.stop(), 0);
    let last = server.log.last().unwrap();
    assert!(!last.contains("stopped"), "the filter is another one now: {last}");
}

/// The certificate that a server shows, verified against the authority.
fn shown(addr: &str, certs: &Path) -> Vec<u8> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certs.join("ca.crt")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let host = ServerName::try_from("localhost").unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), host).unwrap();
    let mut stream = TcpStream::connect(addr).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).unwrap();
    }
    connection.peer_certificates().unwrap()[0].to_vec()
}

#[test]
fn certificates_are_read_again_and_bad_ones_keep_everything_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let certs = directory.path().join("certs");
    let dir = certs.to_str().unwrap();
    let make = |args: &[&str]| assert!(predis(args).output().unwrap().status.success(), "{args:?}");
    make(&["certs", "init", "--out", dir]);
    let of = |name: &str| certs.join(name).display().to_string();
    let tls = format!(
        "[tls]\nauthority = '{}'\ncertificate = '{}'\nkey = '{}'\n",
        of("ca.crt"),
        of("node.crt"),
        of("node.key")
    );
    let file = directory.path().join("predis.toml");
    write(&file, format!("listen = '127.0.0.1:0'\n{tls}")).unwrap();
    let mut server = Server::start(&file, &directory.path().join("data"), &["--bootstrap"]);
    let first = shown(&server.addr, &certs);

    make(&["certs", "issue", "member", "--name", "node", "--authority-dir", dir, "--out", dir, "--force"]);
    assert_eq!(shown(&server.addr, &certs), first, "nobody has told the server");
    server.signal("-HUP");
    assert_eq!(server.wait_for(REREAD)["fields"]["count"], 0);
    let second = shown(&server.addr, &certs);
    assert_ne!(second, first);

    write(certs.join("node.key"), "no key").unwrap();
    write(&file, format!("listen = '127.0.0.1:0'\nlog = 'error'\n{tls}")).unwrap();
    server.signal("-HUP");
    let line = server.wait_for(REFUSED);
    let problem = line["fields"]["problem"].as_str().unwrap();
    assert!(problem.starts_with(&format!("tls.key {}", of("node.key"))), "{problem}");
    assert!(!problem.contains("no key"), "what is in a key's file is nobody's business: {problem}");
    assert_eq!(shown(&server.addr, &certs), second);
    assert_eq!(server.stop(), 0);
    assert!(server.log.last().unwrap().contains("stopped"), "the filter is what it was: {:#?}", server.log);
}
