//! `predis ctl` against real servers: who may do what, what is shown once, contexts, and a node that leaves.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod process;

use process::{LIMIT, Server, predis};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

/// A cluster of one that requires authentication, and the admin's token.
struct Cluster {
    server: Server,
    directory: tempfile::TempDir,
    admin: PathBuf,
}

fn empty(directory: &Path) -> PathBuf {
    let file = directory.join("predis.toml");
    fs::write(&file, "listen = '127.0.0.1:0'\n").unwrap();
    file
}

impl Cluster {
    fn start() -> Cluster {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let server = Server::start(&empty(directory.path()), &data, &["--bootstrap", "--require-auth"]);
        Cluster { server, directory, admin: data.join("admin.token") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `predis ctl` with the token in a file.
    fn ctl(&self, token: &Path, line: &str) -> Command {
        let token = token.to_str().unwrap();
        let mut command = predis(&["ctl", "--addr", &self.server.grpc, "--token-file", token]);
        command.args(line.split(' ')).env("XDG_CONFIG_HOME", self.directory.path());
        command
    }

    fn admin(&self, line: &str) -> Value {
        json(&mut self.ctl(&self.admin, &format!("{line} --json")))
    }

    /// What somebody is told who is refused.
    fn refused(&self, token: &Path, line: &str) -> String {
        refused(&mut self.ctl(token, line), 1)
    }
}

fn json(command: &mut Command) -> Value {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

fn refused(command: &mut Command, status: i32) -> String {
    let out = command.output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(status), "{command:?}: {said}");
    assert!(out.stdout.is_empty(), "{command:?}");
    said
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn who_shows_no_token_a_wrong_one_or_too_small_a_one_is_told_so_and_noted() {
    let cluster = Cluster::start();
    let said = refused(&mut predis(&["ctl", "--addr", &cluster.server.grpc, "nodes"]), 1);
    assert!(said.contains("authentication is required") && said.contains("--token-file"), "{said}");
    let wrong = cluster.path("wrong");
    fs::write(&wrong, "predis_wrong\n").unwrap();
    let said = cluster.refused(&wrong, "nodes");
    assert!(said.contains("unknown, revoked or expired") && !said.contains("predis_wrong"), "{said}");
    fs::write(&wrong, "").unwrap();
    let said = refused(&mut cluster.ctl(&wrong, "nodes"), 2);
    assert!(said.contains("must hold a token"), "{said}");

    cluster.admin("tenants create acme --memory 64mb");
    let reader = cluster.path("reader");
    let made = cluster
        .admin(&format!("users create ann --tenant acme --role read_only --token-out {}", reader.display()));
    assert_eq!((&made["user"], &made["token_file"]), (&"ann".into(), &reader.to_str().unwrap().into()));
    assert!(made["token"].is_null() && mode(&reader) == 0o600, "{made}");
    let said = cluster.refused(&reader, "users list");
    assert!(said.contains("Users.List needs role admin, user ann has read_only"), "{said}");
    let tenants = json(&mut cluster.ctl(&reader, "tenants list --json"));
    let tenants = tenants["tenants"].as_array().unwrap();
    assert_eq!(tenants.len(), 1, "only its own");
    let acme = &tenants[0];
    assert_eq!((&acme["name"], &acme["memory_bytes"]), (&"acme".into(), &(64 << 20).into()));
    assert!(acme["max_connections"].is_null() && acme["users"] == 1, "{acme}");

    // Another user is made with a token that goes to standard output; a variable presents it.
    let eve = cluster.admin("users create eve --tenant acme --role admin --expires 7d");
    let token = eve["token"].as_str().unwrap();
    assert!(token.starts_with("predis_") && eve["token_expires_at_ms"].is_u64(), "{eve}");
    let mut by_eve = predis(&["ctl", "--addr", &cluster.server.grpc, "cluster", "status"]);
    let said = refused(by_eve.env("PREDIS_TOKEN", token), 1);
    assert!(said.contains("concerns the whole cluster") && said.contains("eve is of acme"), "{said}");

    let audit = cluster.admin("audit");
    let reasons: Vec<&str> =
        audit["refusals"].as_array().unwrap().iter().map(|r| r["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["auth", "command", "tenant"], "{audit}");
    assert_eq!(audit["refusals"][0]["count"], 2, "{audit}");
    let change = audit["changes"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&change["actor"], &change["subject"]),
        (&"user:admin".into(), &"user eve tenant 1 admin".into())
    );
    let log = cluster.server.log.join("\n");
    assert!(!log.contains(token), "no token in a log");
}

#[test]
fn tokens_rotate_and_the_last_admin_stays() {
    let cluster = Cluster::start();
    for line in ["users remove admin", "users update admin --role operator", "users update admin --disable"] {
        let said = cluster.refused(&cluster.admin, line);
        assert!(said.contains("require-auth is yes") && said.contains("must be left"), "{line}: {said}");
    }
    let taken = cluster.path("taken");
    fs::write(&taken, "something else").unwrap();
    let said =
        cluster.refused(&cluster.admin, &format!("users rotate admin --token-out {}", taken.display()));
    assert!(said.contains("--token-out") && said.contains("taken"), "{said}");
    assert_eq!(fs::read_to_string(&taken).unwrap(), "something else");
    // A token that the server does not take leaves no file.
    let file = cluster.path("second");
    let said =
        cluster.refused(&cluster.admin, &format!("users rotate nobody --token-out {}", file.display()));
    assert!(said.contains("there is no user nobody") && !file.exists(), "{said}");

    let rotate = format!("users rotate admin --overlap 0s --token-id second --token-out {}", file.display());
    assert_eq!(cluster.admin(&rotate)["token_id"], "second");
    let said = cluster.refused(&cluster.admin, "nodes");
    assert!(said.contains("revoked or expired"), "{said}");
    // This time both work for a while.
    let third = json(&mut cluster.ctl(&file, "users rotate admin --overlap 1h --json"));
    assert!(third["others_expire_at_ms"].is_u64(), "{third}");
    let users = json(&mut cluster.ctl(&file, "users list --json"));
    let tokens = &users["users"][0]["tokens"];
    assert_eq!(tokens.as_array().unwrap().len(), 2, "{users}");
    assert!(tokens[0]["expires_at_ms"].is_u64() && tokens[1]["expires_at_ms"].is_null(), "{users}");

    let said = refused(&mut cluster.ctl(&file, "config set require-auth maybe"), 2);
    assert!(said.contains("require-auth: must be yes or no, got \"maybe\""), "{said}");
    let setting = json(&mut cluster.ctl(&file, "config get require-auth --json"));
    assert_eq!((&setting["value"], &setting["rule"]), (&"yes".into(), &"yes or no".into()));
    json(&mut cluster.ctl(&file, "config unset require-auth --json"));
    let open = json(&mut predis(&["ctl", "--addr", &cluster.server.grpc, "--json", "nodes"]));
    assert_eq!(open["nodes"][0]["status"], "up");
}

#[test]
fn a_context_stands_for_address_and_token() {
    let cluster = Cluster::start();
    let contexts = |line: &str| {
        let mut command = predis(&["ctl", "--json"]);
        command.args(line.split(' ')).env("XDG_CONFIG_HOME", cluster.directory.path());
        command
    };
    assert!(refused(&mut contexts("nodes --context prod"), 2).contains("there is no context \"prod\""));
    assert!(refused(&mut contexts("context add prod"), 2).contains("--addr"));
    let added = json(&mut cluster.ctl(&cluster.admin, "context add prod --json"));
    assert_eq!((&added["current"], &added["addr"]), (&true.into(), &cluster.server.grpc.as_str().into()));
    let file = cluster.path("predis/contexts.toml");
    let token = fs::read_to_string(&cluster.admin).unwrap();
    assert!(mode(&file) == 0o600 && !fs::read_to_string(&file).unwrap().contains(token.trim()));
    json(&mut contexts("context add other --addr 127.0.0.1:1"));
    assert_eq!(json(&mut contexts("nodes"))["nodes"][0]["role"], "leader");
    let listed = json(&mut contexts("context ls"));
    assert_eq!((&listed["current"], listed["contexts"].as_array().unwrap().len()), (&"prod".into(), 2));
    json(&mut contexts("context use other"));
    assert!(refused(&mut contexts("nodes"), 1).contains("cannot connect to 127.0.0.1:1"));
    assert_eq!(json(&mut contexts("nodes --context prod"))["nodes"][0]["id"], 1);
    // An address given by itself takes no token of a context along.
    json(&mut contexts("context use prod"));
    let said = refused(&mut contexts(&format!("nodes --addr {}", cluster.server.grpc)), 1);
    assert!(said.contains("authentication is required"), "{said}");
    json(&mut contexts("context rm prod"));
    assert!(json(&mut contexts("context ls"))["current"].is_null());
}

#[test]
fn a_watch_shows_changes_as_they_come_and_the_topology_is_told() {
    let cluster = Cluster::start();
    let mut watch = cluster.ctl(&cluster.admin, "watch --count 2 --json");
    let mut watching = watch.stdout(Stdio::piped()).spawn().unwrap();
    let until = Instant::now() + LIMIT;
    let mut weight = 100;
    // It begins with what comes after it has connected, and nobody tells when that is.
    while watching.try_wait().unwrap().is_none() {
        assert!(Instant::now() < until);
        weight += 1;
        cluster.admin(&format!("cluster weight 1 {weight}"));
    }
    let out = watching.wait_with_output().unwrap();
    let shown = String::from_utf8(out.stdout).unwrap();
    let lines: Vec<Value> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "one object a line: {shown}");
    for line in &lines {
        assert_eq!((&line["action"], &line["actor"]), (&"set_weight".into(), &"user:admin".into()));
    }
    assert_eq!(cluster.admin("nodes 1")["weight"], weight);
    let view = cluster.admin("topology");
    assert_eq!(view["owners"].as_array().unwrap().len(), 256);
    assert_eq!(view["nodes"][0]["resp_addr"], cluster.server.addr.as_str());
    let partitions = cluster.admin("partitions --node 1");
    assert_eq!(partitions["partitions"][255]["last_slot"], 16383);
}

#[test]
fn the_leader_leaves_and_its_process_ends_well() {
    let directory = tempfile::tempdir().unwrap();
    let file = empty(directory.path());
    let (first_data, second_data) = (directory.path().join("first"), directory.path().join("second"));
    let mut first = Server::start(&file, &first_data, &["--bootstrap", "--name", "first"]);
    let second = Server::start(&file, &second_data, &["--join", &first.grpc, "--name", "second"]);
    let ctl = |addr: &str, line: &str| {
        let mut command = predis(&["ctl", "--addr", addr, "--json"]);
        command.args(line.split(' '));
        command
    };
    let left = json(&mut ctl(&first.grpc, "cluster leave first --timeout 60s"));
    assert_eq!((&left["node"], &left["member"], &left["seats"]), (&1.into(), &false.into(), &0.into()));
    assert_eq!(first.ended(), 0);
    assert!(first.log.join("\n").contains("this node has left the cluster"), "{:#?}", first.log);

    let status = json(&mut ctl(&second.grpc, "cluster status"));
    assert_eq!(status["nodes"].as_array().unwrap().len(), 1, "{status}");
    assert_eq!((&status["nodes"][0]["role"], &status["slots_served"]), (&"leader".into(), &16384.into()));
    assert_eq!(status["partitions_lost"], 0);
    let until = Instant::now() + LIMIT;
    while !second.command("SET key value").starts_with("+OK") {
        assert!(Instant::now() < until, "{}", second.command("SET key value"));
    }
    let said = refused(&mut ctl(&second.grpc, "cluster drain second"), 1);
    assert!(said.contains("no other node is active"), "{said}");

    let args = ["server", "--config", file.to_str().unwrap(), "--data-dir", first_data.to_str().unwrap()];
    let said = refused(predis(&args).args(["--grpc", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]), 2);
    assert!(said.contains("left cluster"), "{said}");
}

#[test]
fn a_drain_moves_keys_to_whoever_is_left_and_takes_none_where_nobody_is() {
    let directory = tempfile::tempdir().unwrap();
    let file = empty(directory.path());
    let first = Server::start(&file, &directory.path().join("first"), &["--bootstrap", "--name", "first"]);
    assert!(first.command("SET key value").starts_with("+OK"));
    let join = ["--join", &first.grpc, "--name", "second"];
    let second = Server::start(&file, &directory.path().join("second"), &join);
    let ctl = |line: &str| {
        let mut command = predis(&["ctl", "--addr", &second.grpc, "--json"]);
        command.args(line.split(' '));
        command
    };
    let asked = json(&mut ctl("cluster drain first --no-wait"));
    assert_eq!((&asked["node"], &asked["mode"]), (&1.into(), &"draining".into()));
    assert_eq!(json(&mut ctl("cluster drain first --timeout 30s"))["seats"], 0);
    assert!(second.command("GET key").contains("value"), "it moved with its partition");
    // The last one that holds anything has nobody to give it to.
    let said = refused(&mut ctl("cluster drain second --timeout 3s"), 1);
    assert!(said.contains("no other node is active and up to take over from node 2"), "{said}");
    assert!(second.command("GET key").contains("value"));
    json(&mut ctl("cluster activate first"));
    assert_eq!(json(&mut ctl("nodes first"))["mode"], "active");
}
