//! `predis certs` as a process: what it makes, what it refuses, and that a node and a client get along with it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use serde_json::Value;
use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a node may take to come up on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

/// Runs a command; its status and what it said where.
fn predis(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_predis"));
    let Output { status, stdout, stderr } =
        command.args(args).env("PREDIS_LOG", "warn").stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn succeeds(args: &[&str]) -> String {
    let (status, said, complaint) = predis(args);
    assert_eq!((status, complaint.as_str()), (0, ""), "{args:?}");
    said
}

/// Runs a command that refuses as a wrong use; what it said.
fn refused(args: &[&str]) -> String {
    let (status, said, complaint) = predis(args);
    assert_eq!((status, said.as_str()), (2, ""), "{args:?}: {complaint}");
    complaint
}

fn show(path: &Path) -> Value {
    let said = succeeds(&["certs", "show", "--json", path.to_str().unwrap()]);
    let shown: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(shown.as_array().unwrap().len(), 1, "{shown}");
    shown[0].clone()
}

#[test]
fn init_makes_what_a_node_and_a_client_need() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("certs");
    let dir = out.to_str().unwrap();
    let said =
        succeeds(&["certs", "init", "--out", dir, "--host", "10.0.0.7", "--host", "a.example,b.example"]);
    assert!(said.contains("predis server --bootstrap --tls-authority"), "{said}");
    assert!(said.contains("predis certs issue member"), "{said}");
    let mut files: Vec<_> =
        fs::read_dir(&out).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files, ["ca.crt", "ca.key", "client.crt", "client.key", "node.crt", "node.key"]);
    for key in ["ca.key", "client.key", "node.key"] {
        assert_eq!(fs::metadata(out.join(key)).unwrap().permissions().mode() & 0o777, 0o600, "{key}");
    }

    let [ca, node, client] = ["ca", "node", "client"].map(|name| show(&out.join(format!("{name}.crt"))));
    assert_eq!([&ca["kind"], &node["kind"], &client["kind"]], ["authority", "member", "client"]);
    let names =
        ["member.predis.internal", "10.0.0.7", "a.example", "b.example", "localhost", "127.0.0.1", "::1"];
    assert_eq!(node["names"], serde_json::json!(names));
    assert_eq!(client["names"], serde_json::json!([]));
    for leaf in [&node, &client] {
        assert_eq!((&leaf["issuer"], &leaf["valid"]), (&ca["subject"], &Value::Bool(true)));
    }
    let text = succeeds(&["certs", "show", out.join("node.crt").to_str().unwrap()]);
    assert!(
        text.contains("member.predis.internal") && text.contains(node["sha256"].as_str().unwrap()),
        "{text}"
    );
}

#[test]
fn nothing_is_overwritten_unasked() {
    let directory = tempfile::tempdir().unwrap();
    let dir = directory.path().to_str().unwrap();
    let node = directory.path().join("node.crt");
    fs::write(&node, "mine").unwrap();
    let said = refused(&["certs", "init", "--out", dir]);
    assert!(said.contains("node.crt") && said.contains("--force"), "{said}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing was written");
    assert_eq!(fs::read_to_string(&node).unwrap(), "mine");

    succeeds(&["certs", "init", "--out", dir, "--force"]);
    let before = show(&node);
    let renew = ["certs", "issue", "member", "--name", "node", "--authority-dir", dir, "--out", dir];
    assert!(refused(&renew).contains("node.key"));
    succeeds(&[&renew[..], &["--force"]].concat());
    let after = show(&node);
    assert_ne!(before["sha256"], after["sha256"]);
    assert_eq!(before["issuer"], after["issuer"]);
}

#[test]
fn what_cannot_be_is_refused_by_rule() {
    let directory = tempfile::tempdir().unwrap();
    let dir = directory.path().to_str().unwrap();
    let say = |args: &[&str], parts: &[&str]| {
        let said = refused(args);
        parts.iter().for_each(|part| assert!(said.contains(part), "{part}: {said}"));
    };
    say(
        &["certs", "init", "--out", dir, "--days", "9", "--authority-days", "8"],
        &["--days 9", "at most", "8"],
    );
    say(&["certs", "init", "--out", dir, "--host", "a:7379"], &["a:7379", "without a port"]);
    succeeds(&["certs", "init", "--out", dir, "--days", "5", "--authority-days", "10"]);
    let issue = |kind, more: &[&'static str]| {
        let from = ["certs", "issue", kind, "--authority-dir", dir, "--out", dir];
        [&from[..], more].concat()
    };
    say(&issue("client", &["--name", "x", "--days", "11"]), &["--days 11", "before the authority does"]);
    say(&issue("client", &["--name", "ca", "--days", "1"]), &["ca", "the authority's own"]);
    say(&issue("client", &["--name", "../x", "--days", "1"]), &["../x", "letters"]);
    say(&issue("client", &["--name", "x", "--host", "y", "--days", "1"]), &["--host"]);
    succeeds(&issue("client", &["--name", "x", "--days", "1"]));
    assert_eq!(show(&directory.path().join("x.crt"))["kind"], "client");

    let key = directory.path().join("ca.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    say(&issue("member", &["--name", "y", "--days", "1"]), &["ca.key", "640", "chmod 600"]);
    fs::copy(directory.path().join("node.key"), &key).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    say(&issue("member", &["--name", "y", "--days", "1"]), &["ca.crt", "does not belong to the key"]);
    fs::copy(directory.path().join("node.crt"), directory.path().join("ca.crt")).unwrap();
    say(&issue("member", &["--name", "y", "--days", "1"]), &["ca.crt", "certificate of a member"]);
}

#[test]
fn a_private_key_is_not_shown() {
    let directory = tempfile::tempdir().unwrap();
    let dir = directory.path().to_str().unwrap();
    succeeds(&["certs", "init", "--out", dir]);
    let key = directory.path().join("node.key");
    let content = fs::read_to_string(&key).unwrap();
    let (status, said, complaint) = predis(&["certs", "show", key.to_str().unwrap()]);
    assert_eq!((status, said.as_str()), (1, ""));
    assert!(complaint.contains("private key"), "{complaint}");
    let secret = content.lines().nth(1).unwrap();
    assert!(!complaint.contains(secret));
}

/// A process that is killed when a test fails.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A node with the certificates of a directory, and where it speaks RESP.
fn serve(data_dir: &Path, certs: &Path) -> (Guard, String) {
    let any = "127.0.0.1:0";
    let file = |name: &str| certs.join(name).to_str().unwrap().to_owned();
    let mut child = Command::new(env!("CARGO_BIN_EXE_predis"))
        .args([
            "server",
            "--bootstrap",
            "--listen",
            any,
            "--grpc",
            any,
            "--metrics",
            any,
            "--log-format",
            "json",
        ])
        .args(["--data-dir", data_dir.to_str().unwrap(), "--tls-clients", "required"])
        .args(["--tls-authority", &file("ca.crt"), "--tls-certificate", &file("node.crt")])
        .args(["--tls-key", &file("node.key")])
        .env("PREDIS_LOG", "info,openraft=off")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let guard = Guard(child);
    let addr = lines.by_ref().find_map(|line| {
        let line: Value = serde_json::from_str(&line).ok()?;
        line["fields"]["resp"].as_str().map(str::to_owned)
    });
    // Nobody may find the pipe full.
    std::thread::spawn(move || lines.for_each(drop));
    (guard, addr.expect("a line that says where it listens"))
}

/// Sends one command to `localhost` as whoever this certificate is for.
fn ask(addr: &str, certs: &Path, name: Option<&str>) -> io::Result<String> {
    let certificate = |name: &str| CertificateDer::from_pem_file(certs.join(name)).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate("ca.crt")).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match name {
        None => builder.with_no_client_auth(),
        Some(name) => {
            let key = PrivateKeyDer::from_pem_file(certs.join(format!("{name}.key"))).unwrap();
            builder.with_client_auth_cert(vec![certificate(&format!("{name}.crt"))], key).unwrap()
        }
    };
    let host = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), host).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(addr)?);
    stream.write_all(b"PING\r\n")?;
    let mut said = String::new();
    BufReader::new(stream).read_line(&mut said)?;
    Ok(said)
}

#[test]
fn a_node_and_a_client_get_along_with_what_was_made() {
    let directory = tempfile::tempdir().unwrap();
    let certs = directory.path().join("certs");
    let dir = certs.to_str().unwrap();
    succeeds(&["certs", "init", "--out", dir]);
    succeeds(&["certs", "issue", "client", "--name", "second", "--authority-dir", dir, "--out", dir]);
    let (_node, addr) = serve(&directory.path().join("data"), &certs);
    for name in ["client", "second"] {
        // While it comes up, a node refuses or breaks off.
        let started = Instant::now();
        while !ask(&addr, &certs, Some(name)).is_ok_and(|said| said == "+PONG\r\n") {
            assert!(started.elapsed() < LIMIT, "{:?}", ask(&addr, &certs, Some(name)));
        }
    }
    let refused_by = ask(&addr, &certs, None).unwrap_err().to_string();
    assert!(refused_by.contains("CertificateRequired"), "{refused_by}");

    // As a node would be started with a certificate that is none of a member.
    fs::copy(certs.join("client.crt"), certs.join("node.crt")).unwrap();
    fs::copy(certs.join("client.key"), certs.join("node.key")).unwrap();
    let [ca, crt, key] = ["ca.crt", "node.crt", "node.key"].map(|name| format!("{dir}/{name}"));
    let other = directory.path().join("other");
    let said = refused(&[
        "server",
        "--bootstrap",
        "--data-dir",
        other.to_str().unwrap(),
        "--tls-authority",
        &ca,
        "--tls-certificate",
        &crt,
        "--tls-key",
        &key,
    ]);
    assert!(said.contains("tls.certificate") && said.contains("node.crt"), "{said}");
}
