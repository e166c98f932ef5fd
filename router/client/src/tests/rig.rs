//! A cluster of scripted nodes: each test says what they hear and answer.

use crate::{BoxedStream, CallError, Client, Connecting, Connector, Credentials, Parts, Settings, View};
use bytes::{Bytes, BytesMut};
use predis_resp::{Limits, Reply, RequestDecoder};
use predis_router::{Endpoint, NodeInfo, Owner, Topology};
use predis_types::{ClusterId, Epoch, NodeId, PartitionCount, SplitMix64};
use std::{
    collections::BTreeMap,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf},
    sync::{mpsc, watch},
    task::JoinHandle,
};

/// Connections that were opened to one address and not yet accepted.
#[derive(Default)]
struct Port {
    refuses: bool,
    dialled: usize,
    writes: Arc<AtomicUsize>,
    waiting: Option<mpsc::UnboundedSender<DuplexStream>>,
}

/// Pipes instead of a network.
#[derive(Clone, Default)]
pub(super) struct Net(Arc<Mutex<BTreeMap<String, Port>>>);

impl Net {
    /// A node that accepts at an address.
    pub(super) fn listen(&self, addr: &str) -> Node {
        let (sender, incoming) = mpsc::unbounded_channel();
        self.0.lock().unwrap().entry(addr.to_owned()).or_default().waiting = Some(sender);
        Node { incoming }
    }

    /// Refuses connections to an address, or no longer.
    pub(super) fn refuse(&self, addr: &str, refuses: bool) {
        self.0.lock().unwrap().entry(addr.to_owned()).or_default().refuses = refuses;
    }

    /// How often something was written to an address.
    pub(super) fn writes(&self, addr: &str) -> usize {
        self.0.lock().unwrap().get(addr).map_or(0, |port| port.writes.load(Relaxed))
    }

    /// How often a connection to an address was asked for.
    pub(super) fn dialled(&self, addr: &str) -> usize {
        self.0.lock().unwrap().get(addr).map_or(0, |port| port.dialled)
    }
}

/// The client's end of a pipe, with its writes counted.
struct Counted {
    stream: DuplexStream,
    writes: Arc<AtomicUsize>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.writes.fetch_add(usize::from(polled.is_ready()), Relaxed);
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Connector for Net {
    fn connect(&self, addr: &str) -> Connecting {
        let mut ports = self.0.lock().unwrap();
        let port = ports.entry(addr.to_owned()).or_default();
        port.dialled += 1;
        let open = port.waiting.as_ref().filter(|_| !port.refuses);
        let result = open.ok_or(io::ErrorKind::ConnectionRefused.into()).map(|waiting| {
            let (near, far) = tokio::io::duplex(1 << 20);
            waiting.send(far).unwrap();
            Box::new(Counted { stream: near, writes: port.writes.clone() }) as BoxedStream
        });
        Box::pin(async move { result })
    }
}

/// Accepts at one address.
pub(super) struct Node {
    incoming: mpsc::UnboundedReceiver<DuplexStream>,
}

impl Node {
    /// The next connection, as it comes.
    pub(super) async fn accept_raw(&mut self) -> Conversation {
        let stream = self.incoming.recv().await.unwrap();
        Conversation { stream, decoder: RequestDecoder::new(Limits::default()), input: BytesMut::new() }
    }

    /// The next connection, its first words exchanged.
    pub(super) async fn accept(&mut self) -> Conversation {
        let mut conversation = self.accept_raw().await;
        conversation.expect("HELLO 3").await;
        conversation.say("%1\r\n$5\r\nproto\r\n:3\r\n").await;
        conversation
    }

    /// Whether a connection waits to be accepted.
    pub(super) fn is_idle(&self) -> bool {
        self.incoming.is_empty()
    }
}

/// A node's end of one connection.
pub(super) struct Conversation {
    stream: DuplexStream,
    decoder: RequestDecoder,
    input: BytesMut,
}

impl Conversation {
    /// The next command, its arguments joined by spaces; `None` when the client has closed.
    pub(super) async fn hear(&mut self) -> Option<String> {
        loop {
            if let Some(args) = self.decoder.decode(&mut self.input).unwrap() {
                let words: Vec<_> = args.iter().map(|arg| String::from_utf8_lossy(arg)).collect();
                return Some(words.join(" "));
            }
            if self.stream.read_buf(&mut self.input).await.unwrap() == 0 {
                return None;
            }
        }
    }

    pub(super) async fn expect(&mut self, command: &str) {
        assert_eq!(self.hear().await.as_deref(), Some(command));
    }

    pub(super) async fn say(&mut self, raw: &str) {
        self.stream.write_all(raw.as_bytes()).await.unwrap();
    }

    /// Hears a command and answers it.
    pub(super) async fn answer(&mut self, command: &str, raw: &str) {
        self.expect(command).await;
        self.say(raw).await;
    }

    /// Hears nothing for so long.
    pub(super) async fn expect_silence(&mut self, limit: Duration) {
        let heard = tokio::time::timeout(limit, self.hear()).await;
        assert!(heard.is_err(), "{heard:?}");
    }
}

/// Some nodes and a client of them.
pub(super) struct Rig {
    pub(super) net: Net,
    pub(super) nodes: Vec<Node>,
    pub(super) view: watch::Sender<Arc<View>>,
    pub(super) client: Client,
}

/// Where a node's RESP port is.
pub(super) fn addr(node: u64) -> String {
    format!("node{node}:6379")
}

/// Sixteen partitions: of each the primary, 0 for nobody. Node `n` is in zone `z<n>`.
pub(super) fn view_of(version: u64, nodes: u64, primary: impl Fn(u16) -> u64) -> View {
    let mut topology = Topology::empty(ClusterId(1), PartitionCount::new(16).unwrap());
    topology.version = version;
    for node in 1..=nodes {
        let info = NodeInfo {
            resp: Endpoint::new(format!("node{node}"), 6379),
            grpc: Endpoint::new(format!("node{node}"), 7379),
            zone: format!("z{node}"),
            region: String::new(),
            up: true,
        };
        topology.nodes.insert(NodeId(node), info);
    }
    topology.owners = (0..16)
        .map(|partition| Owner {
            primary: Some(NodeId(primary(partition))).filter(|node| node.0 != 0),
            epoch: Epoch(version),
            ..Owner::default()
        })
        .collect();
    View::of(topology)
}

impl Rig {
    /// Two nodes: the first has the partitions below 8, the second the others. `foo` is in partition 11, `bar` in 4.
    pub(super) fn new() -> Rig {
        Rig::with(Settings::default(), view_of(1, 2, |partition| 1 + u64::from(partition >= 8)))
    }

    pub(super) fn with(settings: Settings, view: View) -> Rig {
        Rig::as_somebody(settings, view, Credentials::None)
    }

    pub(super) fn as_somebody(settings: Settings, view: View, credentials: Credentials) -> Rig {
        let net = Net::default();
        let nodes = view.topology.nodes.keys().map(|id| net.listen(&addr(id.0))).collect();
        let (view, receiver) = watch::channel(Arc::new(view));
        let client = Client::with_parts(Parts {
            view: receiver,
            connector: Arc::new(net.clone()),
            tls: None,
            credentials,
            settings,
            rng: Box::new(SplitMix64::new(1)),
        });
        Rig { net, nodes, view, client }
    }

    /// Begins a call within ten seconds.
    pub(super) fn call(&self, line: &str) -> JoinHandle<Result<Reply, CallError>> {
        self.call_within(line, Duration::from_secs(10))
    }

    pub(super) fn call_within(&self, line: &str, limit: Duration) -> JoinHandle<Result<Reply, CallError>> {
        let args: Vec<Bytes> = line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
        let client = self.client.clone();
        tokio::spawn(async move { client.call_raw(&args, limit).await })
    }
}
