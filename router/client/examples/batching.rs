//! Calls that are made at the same time travel together: nothing to set up, nothing to flush.
//!
//! ```text
//! predis up                                          # a local cluster
//! cargo run --release -p predis-client --example batching -- 127.0.0.1:7201
//! ```

use futures_util::future::try_join_all;
use predis_client::{CallError, Client, Config};
use std::time::Instant;

const CALLS: u32 = 20_000;
const AT_ONCE: [u32; 4] = [1, 10, 100, 1000];

#[tokio::main]
async fn main() -> Result<(), CallError> {
    let seed = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7201".to_owned());
    let client = Client::connect(Config::new([seed])).await?;
    for at_once in AT_ONCE {
        let started = Instant::now();
        for round in 0..CALLS / at_once {
            let client = &client;
            let calls = (0..at_once).map(|call| async move {
                let key = format!("batching:{}", round * at_once + call);
                client.set(&key, "value").await
            });
            try_join_all(calls).await?;
        }
        let rate = f64::from(CALLS) / started.elapsed().as_secs_f64();
        println!("{at_once:>5} at once: {rate:>9.0} calls a second");
    }
    let keys = (0..CALLS).map(|call| format!("batching:{call}"));
    println!("deleted {} keys", client.del(keys).await?);
    Ok(())
}
