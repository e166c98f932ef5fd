//! Connects to a cluster, sets and reads keys, and shows what errors say.
//!
//! ```text
//! predis up                                          # a local cluster
//! cargo run -p predis-client --example basics -- 127.0.0.1:7201
//! ```

use predis_client::{CallError, Client, Command, Config, Expiry, SetOptions};
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<(), CallError> {
    let seed = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7201".to_owned());
    let client = Client::connect(Config::new([seed]).deadline(Duration::from_secs(2))).await?;
    let topology = &client.view().topology;
    println!("cluster {} has {} nodes", topology.cluster, topology.nodes.len());

    client.set("greeting", "hello").await?;
    println!("greeting = {:?}", client.get("greeting").await?);

    let options = SetOptions { expiry: Expiry::After(Duration::from_secs(60)), if_exists: Some(false) };
    println!("session was set: {}", client.set_with("session", "1234", options).await?);
    println!("session expires in {:?}", client.ttl("session").await?);

    // Keys of several slots: each is set and read on its own, whichever node has it.
    client.mset([("a", "1"), ("b", "2"), ("c", "3")]).await?;
    println!("a, b, c = {:?}", client.mget(["a", "b", "c"]).await?);

    // Whatever has no method of its own.
    let range = client.call(&Command::new("GETRANGE").arg("greeting").number(0).number(1)).await?;
    println!("greeting[0..=1] = {range:?}");
    println!("keys: {}", client.dbsize().await?);

    match client.incr("greeting", 1).await {
        Err(error @ CallError::Server(_)) => println!("refused: {error}"),
        Err(error) if error.may_repeat() => println!("try again: {error}"),
        // An increment that was lost on the way may have happened.
        Err(error @ CallError::Ambiguous { .. }) => println!("look before you repeat: {error}"),
        other => println!("{other:?}"),
    }
    client.del(["greeting", "session", "a", "b", "c"]).await?;
    Ok(())
}
