//! The node's seam to the world, simulated: sockets of its machine's kernel behind the traits that production uses.

use super::kernel::{Accepted, Call};
use predis_node::{Binder, Incoming, Listener};
use predis_raft::{BoxedStream, Connector, Courier, Pending};
use std::{io, net::SocketAddr, sync::Arc};
use tokio::sync::{mpsc, oneshot};

/// Simulated TCP.
#[derive(Clone)]
pub(super) struct SimNet {
    kernel: mpsc::UnboundedSender<Call>,
    courier: Arc<dyn Courier>,
}

struct Accepting {
    local: SocketAddr,
    accepted: mpsc::UnboundedReceiver<Accepted>,
}

/// What a process hears when its machine goes off.
fn off() -> io::Error {
    io::Error::new(io::ErrorKind::NetworkDown, "the machine is off")
}

impl SimNet {
    /// The sockets of a process whose calls the kernel takes, and whose gRPC calls the courier carries.
    pub(super) fn new(kernel: mpsc::UnboundedSender<Call>, courier: Arc<dyn Courier>) -> SimNet {
        SimNet { kernel, courier }
    }
}

impl Listener for Accepting {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    fn accept(&mut self) -> Pending<'_, io::Result<Incoming>> {
        Box::pin(async {
            let (stream, peer) = self.accepted.recv().await.ok_or_else(off)?;
            Ok(Incoming::plain(Box::new(stream), peer))
        })
    }
}

impl Binder for SimNet {
    fn bind<'a>(&'a self, addr: &'a str) -> Pending<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            let _ = self.kernel.send(Call::Bind { addr: addr.to_owned(), answer });
            let (local, accepted) = answered.await.map_err(|_| off())??;
            Ok(Box::new(Accepting { local, accepted }) as Box<dyn Listener>)
        })
    }
}

impl Connector for SimNet {
    fn connect(&self, addr: &str) -> Pending<'static, io::Result<BoxedStream>> {
        let (kernel, addr) = (self.kernel.clone(), addr.to_owned());
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            let _ = kernel.send(Call::Connect { addr, answer });
            Ok(Box::new(answered.await.map_err(|_| off())??) as BoxedStream)
        })
    }

    fn courier(&self) -> Option<Arc<dyn Courier>> {
        Some(self.courier.clone())
    }
}
