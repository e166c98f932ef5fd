//! `predis bench` as a user meets it: arguments, output, exit status, against real nodes. Runs the built command;
//! knows nothing of what is inside it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod process;

use process::{Server, predis};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Output, Stdio},
};

fn bench(addr: &str, args: &str) -> Output {
    let args: Vec<&str> = ["bench", "--addr", addr].into_iter().chain(args.split_whitespace()).collect();
    predis(&args).output().unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "no progress where there is no terminal");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The exit status and what was said about it.
fn refusal(output: &Output) -> (i32, String) {
    (output.status.code().unwrap(), String::from_utf8(output.stderr.clone()).unwrap())
}

/// A cluster that is killed when a test ends.
struct Cluster {
    child: Child,
    addr: String,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Cluster {
    fn up() -> Cluster {
        // Below the range that outgoing connections are given ports from.
        let base = 21_000 + (std::process::id() % 100) as u16 * 100;
        let base_port = base.to_string();
        let mut command = predis(&["up", "--base-port", &base_port, "--memory", "64kb"]);
        command.env("PREDIS_LOG", "error,openraft=off");
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let cluster = Cluster { child, addr: format!("127.0.0.1:{}", base + 1) };
        let first = lines.next().unwrap().unwrap();
        assert!(first.contains("3 nodes is up"), "{first}");
        cluster
    }
}

#[test]
fn a_cluster_is_driven_slot_by_slot() {
    let cluster = Cluster::up();
    let small = "--cluster --connections 2 --keys 50 --fill --requests 3000 --pipeline 8 --json";
    let report = json(&bench(&cluster.addr, small));
    assert_eq!(report["nodes"].as_array().unwrap().len(), 3);
    assert_eq!((&report["requests"], &report["failed"]), (&3000.into(), &0.into()), "{report}");
    assert_eq!(report["hit_ratio"], 1.0, "every key was filled in");
    let latency = &report["latency_us"];
    assert_eq!(latency["get"]["count"].as_u64().unwrap() + latency["set"]["count"].as_u64().unwrap(), 3000);
    assert!(latency["all"]["p50"].as_f64().unwrap() <= latency["all"]["p99"].as_f64().unwrap());
    let again = json(&bench(&cluster.addr, small));
    assert_eq!(
        latency["get"]["count"], again["latency_us"]["get"]["count"],
        "a seed draws the same requests"
    );

    // An open loop lasts as long as its requests are to take.
    let paced = "--cluster --connections 2 --keys 50 --requests 200 --rate 400 --warmup 20 --json";
    let report = json(&bench(&cluster.addr, paced));
    let seconds = report["seconds"].as_f64().unwrap();
    assert!((0.4..3.0).contains(&seconds), "{seconds}");
    assert_eq!((&report["requests"], &report["rate"]), (&200.into(), &400.into()));

    // One node of a cluster serves a third of the keys, and says so about the others.
    let output = bench(&cluster.addr, "--keys 300 --requests 900 --distribution uniform");
    assert!(output.status.success());
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("MOVED") && table.contains("the first: MOVED "), "{table}");

    // What never fits is refused each time, and a run of refusals has failed.
    let output = bench(&cluster.addr, "--cluster --ratio 0:1 --value-size 100000 --requests 10");
    let (status, said) = refusal(&output);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("every request was answered with an error"), "{said}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("OOM"));

    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "wrong-token\n").unwrap();
    let with_token = format!("--requests 1 --user nobody --token-file {}", token.path().display());
    let (status, said) = refusal(&bench(&cluster.addr, &with_token));
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("refused AUTH: WRONGPASS") && !said.contains("wrong-token"), "{said}");
}

#[test]
fn a_server_with_tls_and_users_is_driven_by_who_may() {
    let directory = tempfile::tempdir().unwrap();
    let (certs, data) = (directory.path().join("certs"), directory.path().join("data"));
    let made = predis(&["certs", "init", "--out", certs.to_str().unwrap()]).output().unwrap();
    assert!(made.status.success());
    let file = |name: &str| certs.join(name).to_str().unwrap().to_owned();
    let config = directory.path().join("predis.toml");
    let tls = format!(
        "[tls]\nauthority = '{}'\ncertificate = '{}'\nkey = '{}'\nclients = 'required'\n",
        file("ca.crt"),
        file("node.crt"),
        file("node.key"),
    );
    std::fs::write(&config, format!("listen = '127.0.0.1:0'\n{tls}")).unwrap();
    let mut server = Server::start(&config, &data, &["--bootstrap", "--require-auth"]);

    let shown = format!("--tls-certificate {} --tls-key {}", file("client.crt"), file("client.key"));
    let trusted = format!("--tls-authority {} {shown}", file("ca.crt"));
    let small = "--connections 2 --keys 10 --fill --requests 100 --json";
    let token = format!("--user admin --token-file {}", data.join("admin.token").display());
    let report = json(&bench(&server.addr, &format!("{small} {trusted} {token}")));
    assert_eq!((&report["requests"], &report["failed"]), (&100.into(), &0.into()), "{report}");

    let (status, said) = refusal(&bench(&server.addr, &format!("{small} {trusted}")));
    assert_eq!(status, 1, "{said}");
    let (status, said) =
        refusal(&bench(&server.addr, &format!("{small} --tls-authority {}", file("ca.crt"))));
    assert_eq!(status, 1, "{said}");
    let other = format!("{small} {token} --tls-authority {} {shown}", file("client.crt"));
    let (status, said) = refusal(&bench(&server.addr, &other));
    assert!(status == 1 && said.contains("cannot connect to"), "{said}");
    let (status, said) = refusal(&bench(&server.addr, &format!("{small} --tls-authority /nowhere.crt")));
    assert!(status == 2 && said.contains("/nowhere.crt"), "{said}");
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (status, said) = refusal(&bench(&free, "--requests 1"));
    assert_eq!(status, 1, "{said}");
    assert!(said.contains(&format!("cannot connect to {free}")) && said.contains("refused"), "{said}");
}

#[test]
fn a_server_of_another_kind_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let (status, said) = refusal(&bench(&addr, "--cluster"));
    serving.join().unwrap();
    assert_eq!(status, 1, "{said}");
    assert!(said.contains(&addr) && said.contains("Redis protocol"), "{said}");
}

#[test]
fn bad_arguments_are_usage_errors_with_their_rule() {
    for (args, rule) in [
        ("--ratio 0:0", "GET:SET"),
        ("--distribution zipf:99", "THETA"),
        ("--connections 0", "1..=10000"),
        ("--pipeline 0", "1..=10000"),
        ("--keys 0", "1..=1000000000"),
        ("--value-size 1k", "bytes"),
        ("--requests 0", "1"),
        ("--requests 1 --seconds 1", "cannot be used with"),
        ("--rate 0", "1..=100000000"),
        ("--user a", "--token-file"),
        ("--token-file /nowhere/token", "/nowhere/token"),
    ] {
        let (status, said) = refusal(&bench("127.0.0.1:1", args));
        assert_eq!(status, 2, "{args}: {said}");
        assert!(said.contains(rule), "{args}: {said}");
    }
}
