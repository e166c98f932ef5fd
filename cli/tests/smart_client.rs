//! The smart client on three real processes under quorum, one of which is killed and started again: nothing that was
//! acknowledged is lost, no wrong value, no increment twice, and an unknown outcome only where the command table allows
//! for one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use predis_client::{CallError, Client, Config};
use predis_types::{NodeId, Rng, SplitMix64};
use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

const NODES: usize = 3;
const WORKERS: u64 = 16;
const KEYS: usize = 20;
const LIMIT: Duration = Duration::from_secs(60);
/// How long an operation may take, and how much later it may end on a busy machine.
const DEADLINE: Duration = Duration::from_secs(10);
const SLACK: Duration = Duration::from_secs(1);

/// A node that is killed when the test fails.
struct Node(Child);

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// RESP, gRPC and metrics of a node.
type Addresses = [String; 3];

/// Ports that nobody uses now.
fn free() -> Addresses {
    let bound = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    bound.map(|listener| listener.local_addr().unwrap().to_string())
}

fn start(number: usize, addrs: &Addresses, root: &Path, how: &[&str]) -> Node {
    let (name, [resp, grpc, metrics]) = (format!("n{number}"), addrs);
    let data_dir = root.join(&name);
    let ports = ["--listen", resp, "--grpc", grpc, "--metrics", metrics];
    let mut command = Command::new(env!("CARGO_BIN_EXE_predis"));
    command.args(["server", "--name", &name, "--data-dir", data_dir.to_str().unwrap()]).args(ports).args(how);
    command.env("PREDIS_LOG", "off").stdin(Stdio::null());
    Node(command.spawn().unwrap())
}

/// Waits until a node's metrics port says that it is ready.
async fn ready(addrs: &Addresses) {
    let until = Instant::now() + LIMIT;
    loop {
        let asked = async {
            let mut stream = TcpStream::connect(&addrs[2]).await?;
            stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n").await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            std::io::Result::Ok(answer.starts_with("HTTP/1.1 200"))
        };
        if matches!(asked.await, Ok(true)) {
            return;
        }
        assert!(Instant::now() < until, "{} does not come up", addrs[0]);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until every node has its share of the partitions: those with keys in them stay where they are.
async fn shared_out(client: &Client) {
    let until = Instant::now() + LIMIT;
    loop {
        let view = client.view();
        let topology = &view.topology;
        let of = |node: &NodeId| topology.owners.iter().filter(|owner| owner.primary == Some(*node)).count();
        if topology.nodes.len() == NODES
            && topology.nodes.keys().all(|node| of(node) >= topology.owners.len() / 4)
        {
            return;
        }
        assert!(Instant::now() < until, "the partitions are not shared out");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A key and what it may hold.
struct Key {
    name: String,
    settled: Option<u64>,
    /// Increments that may have happened.
    open: u64,
}

struct Worker {
    client: Client,
    rng: SplitMix64,
    keys: Vec<Key>,
    ambiguous: u64,
}

impl Worker {
    fn new(number: u64, client: Client) -> Worker {
        let key = |key| Key { name: format!("{number}:{key}"), settled: None, open: 0 };
        let keys = (0..KEYS).map(key).collect();
        Worker { client, rng: SplitMix64::new(number), keys, ambiguous: 0 }
    }

    async fn run(mut self, stop: Arc<AtomicBool>, done: Arc<AtomicU64>) -> u64 {
        while !stop.load(Relaxed) {
            let started = Instant::now();
            self.operate().await;
            let took = started.elapsed();
            assert!(took < DEADLINE + SLACK, "an operation took {took:?}");
            done.fetch_add(1, Relaxed);
        }
        for at in 0..KEYS {
            self.read(at).await;
        }
        self.ambiguous
    }

    async fn operate(&mut self) {
        let at = self.rng.below(KEYS as u64) as usize;
        match self.rng.below(10) {
            0..4 => self.read(at).await,
            4..6 => self.set(at).await,
            6 => self.delete(at).await,
            _ => self.increment(at).await,
        }
    }

    async fn set(&mut self, at: usize) {
        let value = self.rng.below(1000);
        let key = &mut self.keys[at];
        // It may be repeated, so there is no unknown outcome; what a node was slow to do is waited for.
        self.client.set(&key.name, value.to_string()).await.unwrap();
        (key.settled, key.open) = (Some(value), 0);
    }

    async fn delete(&mut self, at: usize) {
        let key = &mut self.keys[at];
        self.client.del([&key.name]).await.unwrap();
        (key.settled, key.open) = (None, 0);
    }

    async fn increment(&mut self, at: usize) {
        match self.client.incr(&self.keys[at].name, 1).await {
            Ok(now) => {
                let before = u64::try_from(now).unwrap() - 1;
                self.check(at, (before > 0).then_some(before), true).await;
                let key = &mut self.keys[at];
                (key.settled, key.open) = (Some(before + 1), 0);
            }
            Err(CallError::Ambiguous { .. }) => {
                self.ambiguous += 1;
                self.keys[at].open += 1;
            }
            Err(error) => panic!("{}: {error}", self.keys[at].name),
        }
    }

    async fn read(&mut self, at: usize) {
        let value = self.client.get(&self.keys[at].name).await.unwrap();
        let value = value.map(|bytes| std::str::from_utf8(&bytes).unwrap().parse().unwrap());
        self.check(at, value, false).await;
    }

    /// Holds a value against what the key may hold. An increment cannot tell no value from 0.
    async fn check(&mut self, at: usize, value: Option<u64>, none_is_zero: bool) {
        let key = &self.keys[at];
        let (least, found) = (key.settled.unwrap_or(0), value.unwrap_or(0));
        let same_kind = none_is_zero || value.is_some() == key.settled.is_some() || key.open > 0;
        if same_kind && (least..=least + key.open).contains(&found) {
            let counted = found - least;
            let key = &mut self.keys[at];
            // How many of the open ones are yet to come is not known: none of them, after the node has answered.
            (key.settled, key.open) = (value.or(key.settled), key.open - counted);
            return;
        }
        panic!("{}: {value:?} instead of {:?} + {}", key.name, key.settled, key.open);
    }
}

async fn until(done: &AtomicU64, more: u64) {
    let (from, until) = (done.load(Relaxed), Instant::now() + LIMIT);
    while done.load(Relaxed) < from + more {
        assert!(Instant::now() < until, "operations stopped at {}", done.load(Relaxed));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_wrong_is_read_while_a_node_is_killed_and_comes_back() {
    let root = tempfile::tempdir().unwrap();
    let addrs = [(); NODES].map(|()| free());
    let mut nodes = Vec::new();
    for (number, own) in addrs.iter().enumerate() {
        let how =
            if number == 0 { vec!["--bootstrap", "--ack", "quorum"] } else { vec!["--join", &addrs[0][1]] };
        nodes.push(start(number, own, root.path(), &how));
        ready(own).await;
    }
    let last = NODES - 1;
    let mut config = Config::new(addrs.iter().rev().map(|addrs| addrs[1].clone())).deadline(DEADLINE);
    // On a busy machine a node may be slow; it is not to be given up for that.
    config.settings.silence_limit = DEADLINE;
    let client = Client::connect(config).await.unwrap();
    shared_out(&client).await;
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut workers = JoinSet::new();
    for number in 0..WORKERS {
        workers.spawn(Worker::new(number, client.clone()).run(stop.clone(), done.clone()));
    }
    until(&done, 2000).await;
    // The client follows the topology through this node. Without the first one the cluster could do only once all
    // nodes vote, and whether they do is not to be seen.
    drop(nodes.pop());
    until(&done, 2000).await;
    nodes.push(start(last, &addrs[last], root.path(), &[]));
    ready(&addrs[last]).await;
    until(&done, 2000).await;
    stop.store(true, Relaxed);
    let mut ambiguous = 0;
    while let Some(finished) = workers.join_next().await {
        ambiguous += finished.unwrap();
    }
    assert!(ambiguous <= WORKERS * 2, "{ambiguous} unknown outcomes: at most what was under way");
}
