//! Nodes as processes: started, stopped with a signal, started again on the same directory.

use anyhow::{Context, bail};
use std::{
    fmt,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep},
};

/// How long a node may take to come up.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// How often it is looked whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How far the ports of each kind lie from the base.
const GRPC_OFFSET: u16 = 200;
const METRICS_OFFSET: u16 = 300;

/// How a node is made to end.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    /// SIGTERM.
    Term,
    /// SIGKILL.
    Kill,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Signal::Term => "SIGTERM",
            Signal::Kill => "SIGKILL",
        })
    }
}

/// The nodes, killed when it is dropped.
pub struct Cluster {
    binary: PathBuf,
    directory: TempDir,
    base_port: u16,
    nodes: Vec<Child>,
}

impl Cluster {
    /// Starts nodes that make one cluster, and waits until all of them serve. The first is founded with the flags.
    ///
    /// # Errors
    /// When a process cannot be started, ends, or does not come up in time.
    pub async fn start(
        binary: &Path,
        base_port: u16,
        count: usize,
        founding: &[&str],
    ) -> anyhow::Result<Cluster> {
        let directory = tempfile::tempdir().context("cannot create a temporary directory")?;
        let mut cluster = Cluster { binary: binary.to_owned(), directory, base_port, nodes: Vec::new() };
        let founder = [&["--bootstrap"], founding].concat();
        cluster.nodes.push(cluster.spawn(0, &founder)?);
        cluster.ready(0).await?;
        for _ in 1..count {
            cluster.join().await?;
        }
        Ok(cluster)
    }

    /// One more node joins; waits until it serves.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub async fn join(&mut self) -> anyhow::Result<()> {
        let node = self.nodes.len();
        let founder = self.grpc(0);
        self.nodes.push(self.spawn(node, &["--join", &founder])?);
        self.ready(node).await
    }

    /// Where the nodes' RESP fronts listen.
    pub fn resp_addresses(&self) -> Vec<String> {
        (0..self.nodes.len()).map(|node| self.at(node, 0)).collect()
    }

    /// Where the nodes' gRPC listens.
    pub fn grpc_addresses(&self) -> Vec<String> {
        (0..self.nodes.len()).map(|node| self.grpc(node)).collect()
    }

    /// Ends a node, starts it again at once, and waits until it serves.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub async fn restart(&mut self, node: usize, signal: Signal) -> anyhow::Result<()> {
        let child = &mut self.nodes[node];
        match signal {
            Signal::Kill => child.kill()?,
            Signal::Term => {
                let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
                anyhow::ensure!(sent.context("cannot run kill")?.success(), "kill failed");
            }
        }
        let deadline = Instant::now() + READY_LIMIT;
        while child.try_wait()?.is_none() {
            anyhow::ensure!(Instant::now() < deadline, "node {} does not end", node + 1);
            sleep(LOOK_EVERY).await;
        }
        self.nodes[node] = self.spawn(node, &[])?;
        self.ready(node).await
    }

    fn grpc(&self, node: usize) -> String {
        self.at(node, GRPC_OFFSET)
    }

    fn at(&self, node: usize, offset: u16) -> String {
        format!("127.0.0.1:{}", self.base_port + offset + node as u16)
    }

    fn spawn(&self, node: usize, how: &[&str]) -> anyhow::Result<Child> {
        let name = format!("node-{}", node + 1);
        let log = File::options()
            .append(true)
            .create(true)
            .open(self.directory.path().join(format!("{name}.log")))
            .context("cannot write a log")?;
        Command::new(&self.binary)
            .arg("server")
            .args(["--name", &name])
            .args(["--listen", &self.at(node, 0)])
            .args(["--grpc", &self.grpc(node)])
            .args(["--metrics", &self.at(node, METRICS_OFFSET)])
            .arg("--data-dir")
            .arg(self.directory.path().join(&name))
            .args(how)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", self.binary.display()))
    }

    async fn ready(&mut self, node: usize) -> anyhow::Result<()> {
        let addr = self.at(node, METRICS_OFFSET);
        let deadline = Instant::now() + READY_LIMIT;
        while !is_ready(&addr).await {
            if let Some(status) = self.nodes[node].try_wait()? {
                bail!("node {} ended: {status}", node + 1);
            }
            anyhow::ensure!(Instant::now() < deadline, "node {} does not come up", node + 1);
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in &mut self.nodes {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

async fn is_ready(addr: &str) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(addr).await?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        std::io::Result::Ok(answer.starts_with("HTTP/1.1 200"))
    };
    matches!(tokio::time::timeout(Duration::from_secs(1), asked).await, Ok(Ok(true)))
}
