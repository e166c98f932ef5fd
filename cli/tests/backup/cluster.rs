//! Clusters as processes, and `predis ctl` on them. Does not know what is tested.

use crate::process::{LIMIT, Server, predis};
use predis_client::{Client, Config};
use serde_json::Value;
use std::{
    fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

/// The tenants that have clients.
pub const TENANTS: [&str; 3] = ["default", "acme", "pair"];

/// A cluster that ends when a test fails.
pub struct Cluster {
    pub nodes: Vec<Server>,
    pub directory: tempfile::TempDir,
}

impl Cluster {
    pub fn start(nodes: usize, partitions: &str) -> Cluster {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("predis.toml");
        fs::write(&file, "listen = '127.0.0.1:0'\n").unwrap();
        let mut cluster = Cluster { nodes: Vec::new(), directory };
        for number in 0..nodes {
            let (name, data) = (format!("n{number}"), cluster.path(&format!("data{number}")));
            let first = cluster.nodes.first().map(|node| node.grpc.clone());
            let how = match &first {
                None => ["--bootstrap", "--partitions", partitions],
                Some(first) => ["--join", first, "--weight=100"],
            };
            let server = Server::start(&file, &data, &[&how[..], &["--name", &name]].concat());
            cluster.nodes.push(server);
        }
        let until = Instant::now() + LIMIT;
        // That comes in the end; of it nobody is told.
        while !cluster.is_shared_out() {
            assert!(Instant::now() < until, "the partitions are not shared out");
            std::thread::sleep(Duration::from_millis(50));
        }
        cluster
    }

    /// Whether each node has its part of the primaries. For a moment nobody may lead who could say.
    fn is_shared_out(&self) -> bool {
        let said = self.command("nodes").output().unwrap();
        let shared =
            |said: Value| said["nodes"].as_array().unwrap().iter().all(|node| node["primaries"] != 0);
        said.status.success() && shared(serde_json::from_slice(&said.stdout).unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn command(&self, line: &str) -> Command {
        let mut command = predis(&["ctl", "--json", "--addr", &self.nodes.last().unwrap().grpc]);
        command.args(line.split(' ')).env("XDG_CONFIG_HOME", self.directory.path());
        command
    }

    pub fn ctl(&self, line: &str) -> Value {
        json(&mut self.command(line))
    }

    pub fn refused(&self, line: &str, status: i32) -> String {
        refused(&mut self.command(line), status)
    }

    /// Each tenant's client, in the order of the tenants; users are made where there are none.
    pub async fn clients(&self) -> Vec<Client> {
        let mut clients = Vec::new();
        for tenant in TENANTS {
            let mut config = Config::new(self.nodes.iter().map(|node| node.grpc.clone())).deadline(LIMIT);
            if tenant != "default" {
                let token = self.path(&format!("{tenant}.token"));
                let to = token.display();
                self.ctl(&format!("users create u-{tenant} --tenant {tenant} --token-out {to}"));
                config = config.token_file(format!("u-{tenant}"), token);
            }
            clients.push(Client::connect(config).await.unwrap());
        }
        clients
    }
}

pub fn json(command: &mut Command) -> Value {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

pub fn refused(command: &mut Command, status: i32) -> String {
    let out = command.output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(status), "{command:?}: {said}");
    assert!(out.stdout.is_empty(), "{command:?}");
    said
}

/// A command that needs no node.
pub fn here(line: &str) -> Command {
    let mut command = predis(&["ctl", "--json"]);
    command.args(line.split(' '));
    command
}
