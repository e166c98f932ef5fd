//! TIME. MEMORY USAGE is on a key, so the shard carries it out.

use super::Request;
use predis_resp::Reply;

/// Seconds and microseconds since the Unix epoch, by the node's clock, which counts milliseconds.
pub(super) fn time(request: &Request<'_>) -> Reply {
    let now_ms = request.front.serving.clock.wall_ms();
    let part = |number: u64| Reply::bulk(number.to_string());
    Reply::Array(vec![part(now_ms / 1000), part(now_ms % 1000 * 1000)])
}
