//! `predis server` and `predis up` as processes: what they refuse, with which words and status, and that they
//! start, serve and stop.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

fn predis(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_predis"));
    command.args(args).env("PREDIS_LOG", "warn").stdin(Stdio::null());
    command
}

/// Runs a server that is expected to refuse; its status and what it said.
fn refused(args: &[&str]) -> (i32, String) {
    let Output { status, stderr, .. } = predis(args).output().unwrap();
    (status.code().unwrap(), String::from_utf8_lossy(&stderr).into_owned())
}

fn server<'a>(data_dir: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let any = ["--listen", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
    let mut args = vec!["server", "--data-dir", data_dir.to_str().unwrap()];
    args.extend(any.iter().filter(|_| !more.contains(&"--listen")));
    args.extend(more);
    args
}

#[test]
fn a_misspelt_configuration_key_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("predis.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:0\"\nmemroy = \"1gb\"\n").unwrap();
    let (status, said) = refused(&["server", "--config", file.to_str().unwrap()]);
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("unknown field `memroy`") && said.contains("memory"), "{said}");
}

#[test]
fn an_address_beyond_loopback_is_refused_unless_told() {
    let directory = tempfile::tempdir().unwrap();
    let any = "127.0.0.1:0";
    let listen = ["--listen", "0.0.0.0:0", "--grpc", any, "--metrics", any, "--bootstrap"];
    let (status, said) = refused(&server(directory.path(), &listen));
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("0.0.0.0:0") && said.contains("--insecure"), "{said}");
}

#[test]
fn a_port_in_use_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let any = "127.0.0.1:0";
    let listen = ["--listen", &addr, "--grpc", any, "--metrics", any, "--bootstrap"];
    let (status, said) = refused(&server(directory.path(), &listen));
    assert_eq!(status, 1, "{said}");
    assert!(said.contains(&addr), "{said}");
}

#[test]
fn a_data_directory_must_be_ours_and_have_a_cluster() {
    let foreign = tempfile::tempdir().unwrap();
    std::fs::write(foreign.path().join("thesis.tex"), "x").unwrap();
    let (status, said) = refused(&server(foreign.path(), &["--bootstrap"]));
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("thesis.tex"), "{said}");

    let empty = tempfile::tempdir().unwrap();
    let (status, said) = refused(&server(empty.path(), &[]));
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("--bootstrap") && said.contains("--join"), "{said}");

    let file = tempfile::NamedTempFile::new().unwrap();
    let (status, said) = refused(&server(&file.path().join("data"), &["--bootstrap"]));
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("data directory"), "{said}");
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

impl Guard {
    fn stop(mut self) -> i32 {
        let stopped = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        assert!(stopped.success());
        self.0.wait().unwrap().code().unwrap()
    }
}

fn command(addr: &str, line: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.write_all(format!("{line}\r\nQUIT\r\n").as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said
}

#[test]
fn a_cluster_comes_up_serves_and_stops() {
    let data_dir = tempfile::tempdir().unwrap();
    // Three nodes with three ports each, below the range that outgoing connections are given ports from.
    let base = 10_000 + (std::process::id() % 200) as u16 * 100;
    let directory = data_dir.path().to_str().unwrap();
    let up = || {
        let mut child = predis(&["up", "--base-port", &base.to_string(), "--data-dir", directory])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let guard = Guard(child);
        let first = lines.next().unwrap().unwrap();
        assert!(first.contains("3 nodes is up"), "{first}");
        guard
    };
    let status = || {
        let addr = format!("127.0.0.1:{}", base + 200);
        let out = predis(&["ctl", "--addr", &addr, "--json", "cluster", "status"]).output().unwrap();
        serde_json::from_slice::<serde_json::Value>(&out.stdout).unwrap()
    };

    let running = up();
    let before = status();
    assert_eq!(before["slots_served"], 16384);
    assert_eq!(before["nodes"].as_array().unwrap().len(), 3);
    let replies: Vec<String> =
        (0..3).map(|node| command(&format!("127.0.0.1:{}", base + node), "SET key value")).collect();
    assert_eq!(replies.iter().filter(|reply| reply.starts_with("+OK")).count(), 1, "{replies:?}");
    assert_eq!(replies.iter().filter(|reply| reply.starts_with("-MOVED")).count(), 2, "{replies:?}");
    assert_eq!(running.stop(), 0);

    // The same directories again: the same cluster, every node in its next life.
    let running = up();
    let after = status();
    assert_eq!(after["cluster"], before["cluster"]);
    assert_eq!(after["slots_served"], 16384);
    assert!(after["nodes"].as_array().unwrap().iter().all(|node| node["incarnation"] == 2), "{after}");
    assert_eq!(running.stop(), 0);

    let node = data_dir.path().join("node-1");
    let (status, said) = refused(&server(&node, &["--bootstrap"]));
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("without --bootstrap"), "{said}");
}
