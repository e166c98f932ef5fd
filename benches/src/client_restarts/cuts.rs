//! Ends client connections on living nodes: a call that was under way on one may or may not have been carried out,
//! and unlike after a crash what it did is still there.

use predis_types::{Rng, SplitMix64};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{interval, timeout},
};

/// How long a node may take to answer.
const LIMIT: Duration = Duration::from_secs(1);

/// Cuts the connections of one node after the other, by chance, for as long as the task lives.
pub(crate) async fn cut(addrs: Vec<String>, every: Duration, mut rng: SplitMix64) {
    let mut ticks = interval(every);
    loop {
        ticks.tick().await;
        let addr = &addrs[rng.below(addrs.len() as u64) as usize];
        // A node that is down has no connections.
        let _ = timeout(LIMIT, kill(addr)).await;
    }
}

async fn kill(addr: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.write_all(b"CLIENT KILL TYPE normal SKIPME yes\r\nQUIT\r\n").await?;
    stream.read_to_end(&mut Vec::new()).await.map(|_| ())
}
