//! A `predis server` as a process whose log is read. Does not know what is tested.

#![allow(dead_code, reason = "each test uses what it needs")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

/// How long anything may take.
pub const LIMIT: Duration = Duration::from_secs(30);

/// The command, in an environment that says nothing.
pub fn predis(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_predis"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PREDIS_") {
            command.env_remove(name);
        }
    }
    command.args(args).stdin(Stdio::null());
    command
}

/// A server that is killed when a test fails.
pub struct Server {
    child: Child,
    lines: Receiver<String>,
    /// Every line of its log so far.
    pub log: Vec<String>,
    /// Where it speaks RESP.
    pub addr: String,
    /// Where it speaks gRPC.
    pub grpc: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts one with this file and these flags on ports of its own, and waits until it serves.
    pub fn start(file: &Path, data_dir: &Path, more: &[&str]) -> Server {
        let any = ["--grpc", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--log-format", "json"];
        let mut args = vec!["server", "--config", file.to_str().unwrap()];
        args.extend(["--data-dir", data_dir.to_str().unwrap()]);
        args.extend(any);
        args.extend(more);
        let mut child = predis(&args).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut server = Server { child, lines, log: Vec::new(), addr: String::new(), grpc: String::new() };
        let listening = server.wait_for("listening");
        server.addr = listening["fields"]["resp"].as_str().unwrap().to_owned();
        server.grpc = listening["fields"]["grpc"].as_str().unwrap().to_owned();
        server.wait_for("serving");
        server
    }

    /// The next line of the log with this message.
    pub fn wait_for(&mut self, message: &str) -> serde_json::Value {
        let until = Instant::now() + LIMIT;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("no '{message}' in {:#?}", self.log));
            self.log.push(line.clone());
            let line: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if line["fields"]["message"] == message {
                return line;
            }
        }
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Stops it; its exit status.
    pub fn stop(&mut self) -> i32 {
        self.signal("-TERM");
        let status = self.child.wait().unwrap().code().unwrap();
        self.log.extend(self.lines.iter());
        status
    }

    /// Waits until it ends by itself; its exit status.
    pub fn ended(&mut self) -> i32 {
        let until = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.log.extend(self.lines.iter());
                return status.code().unwrap();
            }
            assert!(Instant::now() < until, "it goes on: {:#?}", self.log);
            // A process that ends tells nobody but its parent, when that asks.
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it answers to a command.
    pub fn command(&self, line: &str) -> String {
        let mut stream = TcpStream::connect(&self.addr).unwrap();
        stream.write_all(format!("{line}\r\nQUIT\r\n").as_bytes()).unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        said
    }
}
