//! The arguments of `predis bench`. Does not know what is done with them.

use super::plan::{Distribution, Mix};
use crate::{
    failure::Failure,
    wire::{Credentials, Dialer},
};
use anyhow::{Context, anyhow};
use clap::Args;
use predis_client::Tls;
use predis_types::{Secret, limits::MAX_BULK_BYTES};
use std::path::PathBuf;

/// Drive a Redis-compatible server and print its throughput and latency.
///
/// Without --rate each connection waits for the replies to its batch before it sends the next one.
#[derive(Args, Clone, Debug)]
pub(crate) struct BenchArgs {
    /// The server, or any node of a cluster.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:6379")]
    pub(super) addr: String,
    /// Ask for the slots of a cluster, and send each request to the node that serves its key.
    #[arg(long)]
    pub(super) cluster: bool,
    /// How many connections, to each node of a cluster.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) connections: u32,
    /// How many requests a connection sends before it waits for their replies.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) pipeline: u32,
    /// How many requests to send.
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) requests: Option<u64>,
    /// How long to send requests [default: 10, unless --requests is given].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(super) seconds: Option<u64>,
    /// How many keys there are.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    pub(super) keys: u32,
    /// How long each value is.
    #[arg(long, value_name = "BYTES", default_value_t = 100, value_parser = value_size)]
    pub(super) value_size: usize,
    /// How many GETs come with how many SETs.
    #[arg(long, value_name = "GET:SET", default_value = "9:1")]
    pub(super) ratio: Mix,
    /// How keys are chosen: uniform, or zipf with an exponent.
    #[arg(long, value_name = "zipf[:THETA]|uniform", default_value = "zipf:0.99")]
    pub(super) distribution: Distribution,
    /// What the choice of keys and of commands begins with.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Set every key once before anything else, so that GETs find something.
    #[arg(long)]
    pub(super) fill: bool,
    /// How many requests to send before anything is measured.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) warmup: u64,
    /// Send so many requests a second, and measure each from when it was to be sent.
    #[arg(long, value_name = "OPS", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(super) rate: Option<u64>,
    /// Authenticate as this user; --token-file has the token.
    #[arg(long, value_name = "NAME", requires = "token_file")]
    pub(super) user: Option<String>,
    /// The file with the token, or the password.
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// Speak TLS, and trust the authority whose certificates are in this file.
    #[arg(long, value_name = "FILE")]
    pub(super) tls_authority: Option<PathBuf>,
    /// The certificate to show to servers that ask for one; --tls-key has its key.
    #[arg(long, value_name = "FILE", requires = "tls_key", requires = "tls_authority")]
    pub(super) tls_certificate: Option<PathBuf>,
    /// The key of --tls-certificate.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(super) tls_key: Option<PathBuf>,
    /// Print JSON instead of a table.
    #[arg(long)]
    pub(super) json: bool,
}

impl BenchArgs {
    /// How connections are made.
    pub(super) fn dialer(&self) -> Result<Dialer, Failure> {
        let identity = self.tls_certificate.as_deref().zip(self.tls_key.as_deref());
        let tls = self.tls_authority.as_deref().map(|authority| Tls::read(authority, identity));
        Ok(Dialer { tls: tls.transpose().map_err(Failure::usage)?, credentials: self.credentials()? })
    }

    fn credentials(&self) -> Result<Option<Credentials>, Failure> {
        let Some(path) = &self.token_file else { return Ok(None) };
        let read = std::fs::read_to_string(path);
        let text = read.with_context(|| format!("--token-file {}: cannot be read", path.display()));
        let text = text.map_err(Failure::usage)?;
        let token = Secret::new(text.trim());
        if token.expose().is_empty() {
            return Err(Failure::usage(anyhow!("--token-file {}: must hold a token", path.display())));
        }
        Ok(Some(Credentials { user: self.user.clone(), token }))
    }
}

fn value_size(text: &str) -> Result<usize, String> {
    let size = text.parse().ok().filter(|size| *size <= MAX_BULK_BYTES);
    size.ok_or_else(|| format!("must be a number of bytes from 0 to {MAX_BULK_BYTES}"))
}
