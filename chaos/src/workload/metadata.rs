//! Metadata writes and reads from inside each node, through the same calls that its own agents use.

use super::tenant;
use crate::oracle::{Observed, Oracle, lock};
use predis_meta::{Action, Expect, MetaCommand};
use predis_raft::MetaRaft;
use predis_types::{Rng, SplitMix64};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// What the settings written here begin with.
pub const PREFIX: &str = "chaos-";

const SETTINGS: u64 = 3;
const LIMIT: Duration = Duration::from_secs(1);

/// Has the clients' tenant made, then writes and reads settings until told to be quiet.
pub async fn metadata(node: u64, meta: MetaRaft, seed: u64, oracle: Arc<Mutex<Oracle>>) {
    tenant::make(&meta).await;
    let mut rng = SplitMix64::new(seed);
    let mut count = 0;
    while !lock(&oracle).is_quiet() {
        tokio::time::sleep(Duration::from_millis(20 + rng.below(120))).await;
        let started = lock(&oracle).now();
        if rng.below(2) == 0 {
            let key = format!("{PREFIX}{}", rng.below(SETTINGS));
            count += 1;
            let value = format!("{node}-{seed:x}-{count}");
            let (k, v) = (key.clone(), value.clone());
            lock(&oracle).observe(node, Observed::MetaTried { key: k, value: v });
            let action =
                Action::SetConfig { key: key.clone(), value: Some(value.clone()), expect: Expect::Any };
            let command = MetaCommand { at_ms: 1, actor: "chaos".to_owned(), action };
            if let Ok(agreed) = meta.propose(&command, LIMIT).await {
                let index = agreed.index;
                lock(&oracle).observe(node, Observed::MetaWritten { started, key, value, index });
            }
        } else if let Ok(read) = meta.read(LIMIT).await {
            let ours = read.state.config().iter().filter(|(key, _)| key.starts_with(PREFIX));
            let values = ours.map(|(key, value)| (key.clone(), value.clone())).collect();
            lock(&oracle).observe(node, Observed::MetaRead { started, index: read.index, values });
        }
    }
}
