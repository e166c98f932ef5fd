//! Keeps the shards' budget what the node's tunables say.

use crate::serving::Serving;
use std::sync::Arc;

/// Takes over the budget as it is now, and every change of it, for as long as the life lasts.
pub async fn budget(serving: Arc<Serving>) -> String {
    let mut wanted = serving.tunables.watch_memory_bytes();
    loop {
        let bytes = *wanted.borrow_and_update();
        if serving.shards.memory_bytes() != bytes {
            serving.shards.set_memory_bytes(bytes);
        }
        if wanted.changed().await.is_err() {
            return "nobody holds the node's tunables any more".to_owned();
        }
    }
}
