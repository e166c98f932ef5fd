//! What a node can be told: the fields of its configuration file.
//!
//! The one source of everything that names settings. Flags, variables, the schema, the reference and the rules for single
//! values are made from this type and its comments (see [`super::fields`]). Beside what JSON schema knows, a field
//! says in `x-value` how its value is called in help, in `x-rule` what it must be, where the schema cannot say it in
//! words, and in `x-change` what it takes to change it. Does not know where values come from.

use crate::logging;
use predis_node::{
    Founding,
    config::{MAX_WEIGHT, MOST_ROUND_TRIP_MS},
};
use predis_policy::PolicyKind;
use predis_types::{SLOTS, limits::MAX_COPIES};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A name, as cluster metadata takes it.
const NAME: &str = r"^[A-Za-z0-9._-]{1,64}$";
/// A name or nothing.
const PLACE: &str = r"^[A-Za-z0-9._-]{0,64}$";
/// An address to listen on or to dial.
const ADDRESS: &str = r"^[^ ]+:[0-9]{1,5}$";
/// A size of memory.
const SIZE: &str = r"^[0-9]+ ?[kmgtKMGT]?[iI]?[bB]?$";
/// A host without a port.
const HOST: &str = r"^[^ ]+$";

/// The settings of one Predis node. Flags and variables of the same names win over the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "Predis node")]
pub(crate) struct File {
    /// The node's name, unique among the nodes that are up. Without it, `predis-` and the RESP port.
    #[schemars(regex(pattern = NAME), extend("x-value" = "NAME", "x-change" = "restart",
        "x-rule" = "1 to 64 letters, digits, dots, underscores or hyphens"))]
    pub(crate) name: Option<String>,
    /// Where clients speak RESP. Port 0 lets the system choose.
    #[schemars(regex(pattern = ADDRESS), extend("x-value" = "HOST:PORT", "x-change" = "restart", "x-rule" = "host:port"))]
    pub(crate) listen: String,
    /// Where clients that know nothing of clusters speak RESP. Without it there is no such port.
    #[schemars(regex(pattern = ADDRESS), extend("x-value" = "HOST:PORT", "x-change" = "restart", "x-rule" = "host:port"))]
    pub(crate) proxy_listen: Option<String>,
    /// Where members and operators speak gRPC.
    #[schemars(regex(pattern = ADDRESS), extend("x-value" = "HOST:PORT", "x-change" = "restart", "x-rule" = "host:port"))]
    pub(crate) grpc: String,
    /// Where /metrics, /healthz and /readyz are served.
    #[schemars(regex(pattern = ADDRESS), extend("x-value" = "HOST:PORT", "x-change" = "restart", "x-rule" = "host:port"))]
    pub(crate) metrics: String,
    /// The host by which others reach this node, when it is not the one it listens on. Needed with `0.0.0.0` or `[::]`.
    #[schemars(regex(pattern = HOST), extend("x-value" = "HOST", "x-change" = "restart",
        "x-rule" = "a host without a port; an IPv6 address in brackets"))]
    pub(crate) advertise: Option<String>,
    /// Where the node keeps who it is and the cluster's metadata; cached data is only in memory. Empty, missing, or
    /// this node's own.
    #[schemars(length(min = 1), extend("x-value" = "DIR", "x-change" = "restart", "x-rule" = "a path"))]
    pub(crate) data_dir: PathBuf,
    /// The cluster to join: gRPC addresses of members, asked in turn for up to 60 seconds. Commas between them in a flag
    /// or a variable. Of no effect with --bootstrap.
    #[schemars(length(min = 1), inner(regex(pattern = ADDRESS)), extend("x-value" = "HOST:PORT,...",
        "x-change" = "restart", "x-rule" = "at least one member's gRPC address, host:port"))]
    pub(crate) join: Option<Vec<String>>,
    /// How much memory the node's keys may take, as 512mb or 8gb. Without it there is no bound.
    #[schemars(regex(pattern = SIZE), extend("x-value" = "SIZE", "x-change" = "reload",
        "x-rule" = "a number of bytes, or one with k, kb, m, mb, g, gb, t or tb"))]
    pub(crate) memory: Option<String>,
    /// The most client connections at a time; fewer where the limit on open files allows no more.
    #[schemars(range(min = 1, max = 1_000_000), extend("x-value" = "N", "x-change" = "reload"))]
    pub(crate) max_clients: u32,
    /// After how many seconds without a request a client is disconnected; 0 for never.
    #[schemars(range(min = 0, max = i32::MAX), extend("x-value" = "SECONDS", "x-change" = "reload"))]
    pub(crate) timeout: u32,
    /// The region the node runs in.
    #[schemars(regex(pattern = PLACE), extend("x-value" = "NAME", "x-change" = "restart",
        "x-rule" = "empty, or 1 to 64 letters, digits, dots, underscores or hyphens"))]
    pub(crate) region: String,
    /// The failure zone the node runs in; replicas are put into distinct ones.
    #[schemars(regex(pattern = PLACE), extend("x-value" = "NAME", "x-change" = "restart",
        "x-rule" = "empty, or 1 to 64 letters, digits, dots, underscores or hyphens"))]
    pub(crate) zone: String,
    /// The node's share of the partitions relative to others. Counts when the node joins.
    #[schemars(range(min = 1, max = MAX_WEIGHT), extend("x-value" = "N", "x-change" = "restart"))]
    pub(crate) weight: u32,
    /// With --bootstrap: how many seats a partition has, the primary's included.
    #[schemars(range(min = 1, max = MAX_COPIES), extend("x-value" = "N", "x-change" = "founding"))]
    pub(crate) copies: u8,
    /// With --bootstrap: how many partitions the slots are cut into.
    #[schemars(range(min = 1, max = SLOTS), extend("x-value" = "N", "x-change" = "founding",
        "x-rule" = "a power of two from 1 to 16384"))]
    pub(crate) partitions: u16,
    /// With --bootstrap: the default tenant's eviction policy.
    #[schemars(extend("enum" = PolicyKind::ALL.map(PolicyKind::name), "x-value" = "NAME", "x-change" = "founding"))]
    pub(crate) policy: String,
    /// With --bootstrap: when the default tenant's replies are given: at once, or when every copy in sync has what they
    /// tell of.
    #[schemars(extend("enum" = ["async", "quorum"], "x-value" = "MODE", "x-change" = "founding"))]
    pub(crate) ack: String,
    /// With --bootstrap: the longest round trip between members that is taken for granted, in milliseconds: by it they
    /// judge who is gone. 0 for members near each other.
    #[schemars(range(min = 0, max = MOST_ROUND_TRIP_MS), extend("x-value" = "N", "x-change" = "founding"))]
    pub(crate) round_trip_ms: u32,
    /// With --bootstrap: everyone must authenticate. The token of the user `admin` is written to `admin.token` in the
    /// data directory.
    #[schemars(extend("x-change" = "founding"))]
    pub(crate) require_auth: bool,
    /// Listen beyond loopback even without TLS and authentication: for a network that is yours alone.
    #[schemars(extend("x-change" = "restart"))]
    pub(crate) insecure: bool,
    /// What is logged: a level, or a list of target=level.
    #[schemars(length(min = 1), extend("x-value" = "FILTER", "x-change" = "reload",
        "x-rule" = "a level or a list of target=level"))]
    pub(crate) log: String,
    /// How log lines are written.
    #[schemars(extend("x-value" = "FORMAT", "x-change" = "restart"))]
    pub(crate) log_format: logging::Format,
    /// TLS on every port and between members: all three files or none.
    pub(crate) tls: Tls,
}

/// The files of TLS, all PEM. They are read again by SIGHUP; their names stay until a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct Tls {
    /// The certificate of the cluster's authority, which signs those of members and clients.
    #[schemars(length(min = 1), extend("x-value" = "FILE", "x-change" = "restart", "x-rule" = "a path"))]
    pub(crate) authority: Option<PathBuf>,
    /// This node's certificate.
    #[schemars(length(min = 1), extend("x-value" = "FILE", "x-change" = "restart", "x-rule" = "a path"))]
    pub(crate) certificate: Option<PathBuf>,
    /// The key of this node's certificate.
    #[schemars(length(min = 1), extend("x-value" = "FILE", "x-change" = "restart", "x-rule" = "a path"))]
    pub(crate) key: Option<PathBuf>,
    /// Whether clients must present a certificate of the authority.
    #[schemars(extend("x-value" = "WHEN", "x-change" = "restart"))]
    pub(crate) clients: Clients,
}

/// Whether clients must present a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Clients {
    #[default]
    Optional,
    Required,
}

impl File {
    /// The addresses to listen on, by the names of their fields.
    pub(crate) fn ports(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let proxy = self.proxy_listen.as_deref().map(|addr| ("proxy_listen", addr));
        let always = [("listen", &*self.listen), ("grpc", &*self.grpc), ("metrics", &*self.metrics)];
        always.into_iter().chain(proxy)
    }
}

impl Tls {
    /// Whether it is configured.
    pub(crate) fn is_on(&self) -> bool {
        self.authority.is_some() && self.certificate.is_some() && self.key.is_some()
    }
}

impl Default for File {
    fn default() -> File {
        let founding = Founding::default();
        File {
            name: None,
            listen: "127.0.0.1:6379".to_owned(),
            proxy_listen: None,
            grpc: "127.0.0.1:7379".to_owned(),
            metrics: "127.0.0.1:9090".to_owned(),
            advertise: None,
            data_dir: PathBuf::from("predis-data"),
            join: None,
            memory: None,
            max_clients: 10_000,
            timeout: 0,
            region: String::new(),
            zone: String::new(),
            weight: 100,
            copies: founding.copies,
            partitions: founding.partitions.get(),
            policy: founding.policy,
            ack: founding.ack.to_string(),
            round_trip_ms: founding.round_trip_ms,
            require_auth: false,
            insecure: false,
            log: logging::DEFAULT.to_owned(),
            log_format: logging::Format::default(),
            tls: Tls::default(),
        }
    }
}
