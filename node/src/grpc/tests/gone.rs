//! A caller that is gone without a word.

use super::Rig;
use crate::{
    grpc::{KEEP_ALIVE, serve},
    io::{Incoming, Listener},
};
use predis_raft::Pending;
use std::{io, net::SocketAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::Instant,
};

const ADDR: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

/// Accepts one connection.
struct One(Option<DuplexStream>);

impl Listener for One {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(ADDR)
    }

    fn accept(&mut self) -> Pending<'_, io::Result<Incoming>> {
        match self.0.take() {
            Some(stream) => Box::pin(std::future::ready(Ok(Incoming::plain(Box::new(stream), ADDR)))),
            None => Box::pin(std::future::pending()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_let_go_when_it_does_not_answer() {
    let rig = Rig::new().await;
    let (mut caller, node) = duplex(1 << 16);
    let serving = tokio::spawn(serve(rig.shared.clone(), Box::new(One(Some(node))), rig.stop.subscribe()));
    let begun = Instant::now();
    // HTTP/2's first words and empty settings, and nothing after.
    caller.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    caller.read_to_end(&mut Vec::new()).await.unwrap();
    let lasted = begun.elapsed();
    assert!((2 * KEEP_ALIVE..3 * KEEP_ALIVE).contains(&lasted), "{lasted:?}");
    rig.stop.send_replace(true);
    serving.await.unwrap().unwrap();
}
