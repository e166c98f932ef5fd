//! The smart client and the admin channel against a node with mutual TLS and users: who gets in, who does not, and that
//! a token is rotated under a client without an error.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use predis_client::{CallError, Client, Config, Setback, Tls, connect_admin};
use predis_proto::admin::{
    AddTokenRequest, ListUsersRequest, NewToken, RevokeTokenRequest, users_client::UsersClient,
};
use predis_types::Secret;
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(30);

/// A node that is killed when the test fails.
struct Node {
    process: Child,
    directory: TempDir,
    grpc: String,
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn predis(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_predis"));
    command.args(args).env("PREDIS_LOG", "off").stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// A port that nobody uses now.
fn free() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

impl Node {
    /// One that wants certificates and tokens.
    fn start() -> Node {
        let directory = tempfile::tempdir().unwrap();
        let certs = directory.path().join("certs");
        assert!(predis(&["certs", "init", "--out", certs.to_str().unwrap()]).status().unwrap().success());
        let (resp, grpc, metrics) = (free(), free(), free());
        let path = |name: &str| certs.join(name).to_str().unwrap().to_owned();
        let process = predis(&["server", "--bootstrap", "--require-auth", "--tls-clients", "required"])
            .args(["--listen", &resp, "--grpc", &grpc, "--metrics", &metrics])
            .args(["--tls-authority", &path("ca.crt"), "--tls-certificate", &path("node.crt")])
            .args(["--tls-key", &path("node.key"), "--data-dir"])
            .arg(directory.path().join("data"))
            .spawn()
            .unwrap();
        Node { process, directory, grpc }
    }

    fn cert(&self, name: &str) -> PathBuf {
        self.directory.path().join("certs").join(name)
    }

    fn tls(&self) -> Tls {
        let (certificate, key) = (self.cert("client.crt"), self.cert("client.key"));
        Tls::read(&self.cert("ca.crt"), Some((&certificate, &key))).unwrap()
    }

    fn config(&self) -> Config {
        Config::new([self.grpc.clone()]).tls(self.tls()).deadline(LIMIT)
    }
}

/// Waits until the node has written the first token.
async fn token(path: &Path) -> Secret {
    let until = Instant::now() + LIMIT;
    loop {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if text.ends_with('\n') || text.trim().len() > 40 {
            return Secret::new(text.trim());
        }
        assert!(Instant::now() < until, "there is no {}", path.display());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Makes another token the only one of `admin`.
async fn rotate(node: &Node, old: &Secret, new: &Secret) {
    let channel = connect_admin(&node.grpc, Some(&node.tls()), Some(old), LIMIT).await.unwrap();
    let mut users = UsersClient::new(channel);
    let token = NewToken { id: "second".into(), sha256: new.digest().to_string(), expires_at_ms: None };
    let add = AddTokenRequest { user: "admin".into(), token: Some(token), others_expire_at_ms: None };
    users.add_token(add).await.unwrap();
    let listed = users.list(ListUsersRequest::default()).await.unwrap().into_inner();
    let admin = listed.users.into_iter().find(|user| user.name == "admin").unwrap();
    let first = admin.tokens.into_iter().find(|token| token.id != "second").unwrap();
    std::fs::write(node.directory.path().join("token"), new.expose()).unwrap();
    users.revoke_token(RevokeTokenRequest { user: "admin".into(), id: first.id }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_and_tokens_open_the_door_and_are_replaced_without_an_error() {
    let node = Node::start();
    let first = token(&node.directory.path().join("data").join("admin.token")).await;
    let file = node.directory.path().join("token");
    std::fs::write(&file, first.expose()).unwrap();
    let client = Client::connect(node.config().token_file("admin", &file)).await.unwrap();
    client.set("k", "v").await.unwrap();

    let wrong = Client::connect(node.config().token("admin", Secret::new("predis_wrong"))).await;
    assert!(matches!(wrong, Err(CallError::Auth(_))), "{wrong:?}");
    let nobody = Client::connect(node.config()).await;
    assert!(matches!(nobody, Err(CallError::Auth(_))), "{nobody:?}");
    let bare = Tls::read(&node.cert("ca.crt"), None).unwrap();
    let bare = Config::new([node.grpc.clone()]).tls(bare).token_file("admin", &file);
    let bare = Client::connect(bare.deadline(Duration::from_secs(1))).await;
    let Err(CallError::Deadline { last: Some(Setback::Unreachable { reason, .. }), .. }) = &bare else {
        panic!("without a certificate: {bare:?}")
    };
    assert!(!reason.is_empty());

    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (working, count) = (stop.clone(), done.clone());
    let worker = tokio::spawn(async move {
        while !working.load(Relaxed) {
            client.set("k", "v").await?;
            assert!(client.get("k").await?.is_some());
            count.fetch_add(1, Relaxed);
        }
        Ok::<_, CallError>(())
    });
    rotate(&node, &first, &Secret::token(&[7; 32])).await;
    let (from, until) = (done.load(Relaxed), Instant::now() + LIMIT);
    while done.load(Relaxed) < from + 100 {
        assert!(Instant::now() < until && !worker.is_finished(), "calls stopped");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.store(true, Relaxed);
    worker.await.unwrap().unwrap();
    let old = Client::connect(node.config().token("admin", first)).await;
    assert!(matches!(old, Err(CallError::Auth(_))), "{old:?}");
}
