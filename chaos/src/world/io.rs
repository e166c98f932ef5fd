//! The node's seam to the world, simulated: turmoil's TCP behind the traits that production uses.

use predis_node::{Binder, Incoming, Listener};
use predis_raft::{BoxedStream, Connector, Pending};
use std::{io, net::SocketAddr};
use turmoil::net::{TcpListener, TcpStream};

/// Simulated TCP.
pub(super) struct SimNet;

struct Accepting(TcpListener);

impl Listener for Accepting {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    fn accept(&mut self) -> Pending<'_, io::Result<Incoming>> {
        Box::pin(async {
            let (stream, peer) = self.0.accept().await?;
            Ok(Incoming::plain(Box::new(stream), peer))
        })
    }
}

impl Binder for SimNet {
    fn bind<'a>(&'a self, addr: &'a str) -> Pending<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move { Ok(Box::new(Accepting(TcpListener::bind(addr).await?)) as Box<dyn Listener>) })
    }
}

impl Connector for SimNet {
    fn connect(&self, addr: &str) -> Pending<'static, io::Result<BoxedStream>> {
        let addr = addr.to_owned();
        Box::pin(async move { Ok(Box::new(TcpStream::connect(addr).await?) as BoxedStream) })
    }
}
