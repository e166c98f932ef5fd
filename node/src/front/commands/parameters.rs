//! The parameters that CONFIG knows: what each is now, and how a new value of those that can be set is read.
//!
//! Only what has an effect can be set. A parameter is here without that when clients read it and the answer is
//! true. Knows nothing of how a change is carried out.

use super::Request;
use crate::front::session::Door;
use predis_meta::TenantSettings;
use predis_policy::PolicyKind;
use predis_types::limits::MAX_BULK_BYTES;

/// A parameter that can be set, with its new value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The default tenant's budget on each node; `None` shares the node's. Agreed on by all nodes.
    MaxMemory(Option<u64>),
    /// The default tenant's eviction policy. Agreed on by all nodes.
    Policy(PolicyKind),
    /// The most connections of this node.
    MaxClients(usize),
    /// After how many seconds this node closes an idle connection.
    Timeout(u64),
}

type Parse = fn(&str) -> Result<Change, String>;

/// One parameter.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// Its value now.
    pub(super) get: fn(&Request<'_>) -> String,
    /// Reads a new value, or says what one must look like. `None` when it cannot be set.
    pub(super) parse: Option<Parse>,
}

impl Parameter {
    const fn fixed(name: &'static str, get: fn(&Request<'_>) -> String) -> Parameter {
        Parameter { name, get, parse: None }
    }
}

/// All parameters, by name.
pub(super) static PARAMETERS: [Parameter; 13] = [
    Parameter::fixed("appendonly", |_| "no".to_owned()),
    Parameter::fixed("bind", |request| listening(request).0),
    Parameter::fixed("cluster-enabled", |request| {
        if request.session.door == Door::Proxy { "no" } else { "yes" }.to_owned()
    }),
    Parameter::fixed("cluster-require-full-coverage", |_| "no".to_owned()),
    Parameter::fixed("databases", |_| "1".to_owned()),
    Parameter {
        name: "maxclients",
        get: |request| request.front.serving.tunables.max_clients().to_string(),
        parse: Some(parse_max_clients),
    },
    Parameter {
        name: "maxmemory",
        get: |request| max_memory(request).unwrap_or(0).to_string(),
        parse: Some(parse_max_memory),
    },
    Parameter { name: "maxmemory-policy", get: policy_name, parse: Some(parse_policy) },
    Parameter::fixed("notify-keyspace-events", |_| String::new()),
    Parameter::fixed("port", |request| listening(request).1.to_string()),
    Parameter::fixed("proto-max-bulk-len", |_| MAX_BULK_BYTES.to_string()),
    Parameter::fixed("save", |_| String::new()),
    Parameter {
        name: "timeout",
        get: |request| request.front.serving.tunables.timeout_s().to_string(),
        parse: Some(parse_timeout),
    },
];

/// The parameter of this name, in whatever case.
pub(super) fn named(name: &[u8]) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|parameter| parameter.name.as_bytes().eq_ignore_ascii_case(name))
}

/// The host and the port that this node accepts connections on.
pub(super) fn listening(request: &Request<'_>) -> (String, u16) {
    match request.front.listening[request.session.door as usize].get() {
        Some(addr) => (addr.ip().to_string(), addr.port()),
        None => (String::new(), 0),
    }
}

/// The settings of the connection's tenant, as last agreed on and applied here.
pub(super) fn settings(request: &Request<'_>) -> Option<TenantSettings> {
    let published = request.front.serving.meta.published();
    published.state.tenants().get(&request.session.tenant()).map(|tenant| tenant.settings.clone())
}

/// What the tenant's keys may take on this node, in bytes.
pub(super) fn max_memory(request: &Request<'_>) -> Option<u64> {
    let own = settings(request).and_then(|settings| settings.memory_bytes);
    own.or_else(|| request.front.serving.shards.memory_bytes())
}

/// The policy's name; lru has the one by which Redis clients know it.
pub(super) fn policy_name(request: &Request<'_>) -> String {
    let name = settings(request).map(|settings| settings.policy).unwrap_or_default();
    if name == PolicyKind::Lru.name() { ALLKEYS_LRU.to_owned() } else { name }
}

const ALLKEYS_LRU: &str = "allkeys-lru";

fn parse_policy(value: &str) -> Result<Change, String> {
    let name = value.to_ascii_lowercase();
    let name = if name == ALLKEYS_LRU { PolicyKind::Lru.name() } else { &name };
    let known: Vec<&str> = PolicyKind::ALL.iter().map(|kind| kind.name()).chain([ALLKEYS_LRU]).collect();
    let rule = |_| format!("argument(s) must be one of the following: {}", known.join(", "));
    name.parse().map(Change::Policy).map_err(rule)
}

fn parse_max_memory(value: &str) -> Result<Change, String> {
    let bytes = memory_bytes(value).ok_or("argument must be a memory value")?;
    Ok(Change::MaxMemory(Some(bytes).filter(|bytes| *bytes > 0)))
}

fn parse_max_clients(value: &str) -> Result<Change, String> {
    let rule = "argument must be between 1 and 1000000 inclusive";
    let count = value.parse().ok().filter(|count| (1..=1_000_000).contains(count));
    count.map(Change::MaxClients).ok_or(rule.to_owned())
}

fn parse_timeout(value: &str) -> Result<Change, String> {
    let rule = "argument must be between 0 and 2147483647 inclusive";
    let seconds = value.parse().ok().filter(|seconds| *seconds <= i32::MAX as u64);
    seconds.map(Change::Timeout).ok_or(rule.to_owned())
}

/// A size as Redis writes it: `1k` is 1000, `1kb` 1024, likewise m and g; `b` or nothing for bytes.
fn memory_bytes(value: &str) -> Option<u64> {
    let value = value.to_ascii_lowercase();
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = value.split_at(digits);
    let scale: u64 = match unit {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_with_redis_s_units_and_rules() {
        for (text, bytes) in
            [("0", 0), ("100", 100), ("1k", 1000), ("2KB", 2048), ("3mb", 3 << 20), ("1gb", 1 << 30)]
        {
            assert_eq!(memory_bytes(text), Some(bytes), "{text}");
        }
        for text in ["", "kb", "-1", "1tb", "1.5gb", "99999999999gb"] {
            assert_eq!(memory_bytes(text), None, "{text}");
        }
        assert_eq!(parse_policy("allkeys-LRU"), Ok(Change::Policy(PolicyKind::Lru)));
        assert_eq!(parse_policy("s3fifo"), Ok(Change::Policy(PolicyKind::S3fifo)));
        assert!(parse_policy("volatile-ttl").unwrap_err().ends_with("lru, fifo, s3fifo, allkeys-lru"));
        assert_eq!(parse_max_memory("0"), Ok(Change::MaxMemory(None)));
        assert!(parse_max_clients("0").is_err() && parse_timeout("-1").is_err());
    }

    #[test]
    fn names_are_sorted_and_small() {
        assert!(PARAMETERS.windows(2).all(|pair| pair[0].name < pair[1].name));
        assert!(named(b"MaxMemory").is_some() && named(b"maxmemory2").is_none());
    }
}
