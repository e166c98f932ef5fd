//! Reads a key over and over, from the node and from a copy that the client keeps, and shows that the copy goes when
//! another client writes.
//!
//! ```text
//! predis up                                          # a local cluster
//! cargo run --release -p predis-client --example near_cache -- 127.0.0.1:7201
//! ```

use predis_client::{CallError, Client, Config};
use std::time::Instant;

const READS: u32 = 10_000;

#[tokio::main]
async fn main() -> Result<(), CallError> {
    let seed = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7201".to_owned());
    let plain = Client::connect(Config::new([seed.clone()])).await?;
    let near = Client::connect(Config::new([seed]).near_cache(16 * 1024 * 1024)).await?;
    plain.set("motto", "first").await?;
    for (name, client) in [("from the node", &plain), ("from the copy", &near)] {
        let started = Instant::now();
        for _ in 0..READS {
            client.get("motto").await?;
        }
        println!("{name}: {:>10.0} reads a second", f64::from(READS) / started.elapsed().as_secs_f64());
    }

    plain.set("motto", "second").await?;
    let started = Instant::now();
    while near.get("motto").await?.as_deref() != Some(b"second") {
        tokio::task::yield_now().await;
    }
    println!("the other client's write was read after {:?}", started.elapsed());
    plain.del(["motto"]).await?;
    Ok(())
}
