//! What a client can be told: where to begin, how long to wait, how hard to try.
//!
//! Plain values; knows nothing of what uses them.

use crate::{credentials::Credentials, tls::Tls};
use predis_types::Secret;
use std::{path::PathBuf, time::Duration};

/// Where reads go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadFrom {
    /// To the primary: what was written last is read.
    #[default]
    Primary,
    /// To a replica in the client's own zone, or else in its own region, where there is one and the primary is farther
    /// away. What is read may be a little old; from another region's copies, some round trips.
    Nearest,
}

/// How a client behaves, whatever cluster it talks to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a call may take when nothing else is said.
    pub deadline: Duration,
    /// How many connections to each node; calls on one key share one.
    pub connections: usize,
    /// How long opening a connection may take, TLS and authentication included.
    pub connect_limit: Duration,
    /// How long a connection with unanswered calls on keys may be silent before it is given up.
    pub silence_limit: Duration,
    /// The most unanswered calls on one connection; more wait.
    pub max_in_flight: usize,
    /// Where reads go.
    pub read_from: ReadFrom,
    /// The client's own zone and region, for [`ReadFrom::Nearest`].
    pub zone: String,
    /// See [`Settings::zone`].
    pub region: String,
    /// How calls are repeated.
    pub retry: RetrySettings,
    /// When a node is left alone.
    pub breaker: BreakerSettings,
    /// Whether copies of values are kept in the client, and how many.
    pub near: Option<NearSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            deadline: Duration::from_secs(5),
            connections: 1,
            connect_limit: Duration::from_secs(1),
            silence_limit: Duration::from_secs(2),
            max_in_flight: 16 * 1024,
            read_from: ReadFrom::Primary,
            zone: String::new(),
            region: String::new(),
            retry: RetrySettings::default(),
            breaker: BreakerSettings::default(),
            near: None,
        }
    }
}

/// How calls are repeated. The pause before the n-th repetition is drawn between nothing and `first_pause` doubled
/// n - 1 times, at most `longest_pause`. Each call that is sent again costs a token of the client's; so do not those
/// that follow a redirection, or that wait without sending anything.
#[derive(Clone, Copy, Debug)]
pub struct RetrySettings {
    /// The longest first pause.
    pub first_pause: Duration,
    /// The longest pause of all.
    pub longest_pause: Duration,
    /// The most tokens there can be, and how many there are at first.
    pub tokens: u32,
    /// How many tokens each call brings.
    pub tokens_per_call: f64,
    /// How many tokens each second brings.
    pub tokens_per_second: f64,
}

impl Default for RetrySettings {
    fn default() -> Self {
        RetrySettings {
            first_pause: Duration::from_millis(10),
            longest_pause: Duration::from_millis(250),
            tokens: 1000,
            tokens_per_call: 0.1,
            tokens_per_second: 50.0,
        }
    }
}

/// When a node is left alone: after `failures` in a row, for a pause that begins at `first_pause` and doubles with
/// each single call that is then let through and fails too. What the pauses last is drawn from their second half.
#[derive(Clone, Copy, Debug)]
pub struct BreakerSettings {
    /// How many failures in a row.
    pub failures: u32,
    /// The first pause.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        BreakerSettings {
            failures: 3,
            first_pause: Duration::from_millis(50),
            longest_pause: Duration::from_secs(1),
        }
    }
}

/// How copies of values are kept in the client. Nodes tell when a key changes, so a copy is old for no longer than that
/// takes to arrive, and in the worst case, when a node is cut off without noticing, for as long as `trust`.
#[derive(Clone, Copy, Debug)]
pub struct NearSettings {
    /// The most bytes that copies may take, keys included.
    pub max_bytes: usize,
    /// Whether copies are kept although the tenant wants writes to be read by everybody at once.
    pub under_quorum: bool,
    /// How often a node that copies were read from is asked whether it still serves.
    pub heartbeat: Duration,
    /// How long after it was last asked with success its copies are used.
    pub trust: Duration,
}

impl Default for NearSettings {
    fn default() -> Self {
        NearSettings {
            max_bytes: 64 * 1024 * 1024,
            under_quorum: false,
            heartbeat: Duration::from_secs(1),
            trust: Duration::from_secs(3),
        }
    }
}

/// Which cluster a client talks to, as whom, and how it behaves.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// gRPC addresses of any nodes, `host:port`; one that answers is enough.
    pub seeds: Vec<String>,
    /// TLS, where the cluster has it.
    pub tls: Option<Tls>,
    /// As whom.
    pub credentials: Credentials,
    /// How it behaves.
    pub settings: Settings,
}

impl Config {
    /// A client of the cluster that these gRPC addresses belong to, with defaults for the rest.
    pub fn new<S: Into<String>>(seeds: impl IntoIterator<Item = S>) -> Config {
        Config { seeds: seeds.into_iter().map(Into::into).collect(), ..Config::default() }
    }

    /// Speaks TLS.
    pub fn tls(mut self, tls: Tls) -> Config {
        self.tls = Some(tls);
        self
    }

    /// Authenticates as `user` with a token.
    pub fn token(mut self, user: impl Into<String>, token: Secret) -> Config {
        self.credentials = Credentials::Token { user: Some(user.into()), token };
        self
    }

    /// Authenticates as `user` with the token in a file, read for each new connection.
    pub fn token_file(mut self, user: impl Into<String>, path: impl Into<PathBuf>) -> Config {
        self.credentials = Credentials::File { user: Some(user.into()), path: path.into() };
        self
    }

    /// Gives each call so much time.
    pub fn deadline(mut self, limit: Duration) -> Config {
        self.settings.deadline = limit;
        self
    }

    /// Keeps so many connections to each node.
    pub fn connections(mut self, count: usize) -> Config {
        self.settings.connections = count;
        self
    }

    /// Keeps copies of values that GET reads, at most so many bytes of them.
    pub fn near_cache(mut self, max_bytes: usize) -> Config {
        self.settings.near = Some(NearSettings { max_bytes, ..NearSettings::default() });
        self
    }

    /// Reads from replicas in this zone, or else in this region, where that spares leaving it. An empty zone is none.
    /// What is read may be a little old.
    pub fn read_nearest(mut self, region: impl Into<String>, zone: impl Into<String>) -> Config {
        self.settings.read_from = ReadFrom::Nearest;
        self.settings.region = region.into();
        self.settings.zone = zone.into();
        self
    }
}
