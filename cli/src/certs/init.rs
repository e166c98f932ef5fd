//! `predis certs init`: an authority, a member's certificate and a client's.

use super::{
    files::{Outputs, typed},
    make::{Authority, Purpose, host},
};
use crate::{failure::Failure, output};
use anyhow::anyhow;
use clap::Args;
use std::path::PathBuf;

/// The names of the files, without their ends.
pub(super) const AUTHORITY: &str = "ca";
const MEMBER: &str = "node";
const CLIENT: &str = "client";

/// Make an authority, a certificate for the first node, and one for a client.
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Where the files go.
    #[arg(long, value_name = "DIR", default_value = "certs")]
    out: PathBuf,
    /// A name or address by which clients reach the node, besides localhost, 127.0.0.1 and ::1; may be repeated.
    #[arg(long, value_name = "NAME|IP", value_delimiter = ',', value_parser = host)]
    host: Vec<String>,
    /// How long the certificates of the node and the client are valid.
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
    /// How long the authority is valid.
    #[arg(long, value_name = "N", default_value_t = 3650, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    authority_days: u32,
    /// Overwrite files that are there. A new authority makes worthless what the old one signed.
    #[arg(long)]
    force: bool,
}

/// Makes and writes all of it.
pub(super) fn run(args: &InitArgs) -> Result<(), Failure> {
    if args.days > args.authority_days {
        return Err(Failure::usage(anyhow!(
            "--days {}: must be at most --authority-days {}, for nothing is valid longer than who signed it",
            args.days,
            args.authority_days
        )));
    }
    let outputs = Outputs::new(&args.out, &[AUTHORITY, MEMBER, CLIENT], args.force)?;
    let failed = |error: rcgen::Error| Failure::failed(anyhow!(error).context("cannot make a certificate"));
    let (authority, own) = Authority::make(args.authority_days).map_err(failed)?;
    let member = authority.issue(MEMBER, &Purpose::Member(args.host.clone()), args.days).map_err(failed)?;
    let client = authority.issue(CLIENT, &Purpose::Client, args.days).map_err(failed)?;
    for (name, pair) in [(AUTHORITY, own), (MEMBER, member), (CLIENT, client)] {
        outputs.write(name, &pair)?;
    }
    output::print(said(args, &outputs))
}

fn said(args: &InitArgs, outputs: &Outputs) -> String {
    let certificate = |name| typed(&outputs.certificate(name));
    let key = |name| typed(&outputs.key(name));
    let (ca, out) = (certificate(AUTHORITY), typed(&args.out));
    let hosts: Vec<&str> = args.host.iter().map(String::as_str).chain(["localhost"]).collect();
    format!(
        "In {out}:\n\
         \n  ca.crt      whom nodes and clients trust; give it to all of them, for {authority_days} days\
         \n  ca.key      signs further certificates; nodes do not need it: keep it where nobody else gets at it\
         \n  node.crt    for a node that is reached as {hosts}; valid for {days} days\
         \n  node.key    its private key\
         \n  client.crt  for a client; valid for {days} days\
         \n  client.key  its private key\n\
         \nA node that lets in only who has a certificate, and a client of it:\n\
         \n  predis server --bootstrap --tls-authority {ca} --tls-certificate {node} --tls-key {node_key} \
         --tls-clients required\
         \n  redis-cli --tls --cacert {ca} --cert {client} --key {client_key} ping\n\
         \nFor each further node, and each further client:\n\
         \n  predis certs issue member --name NAME --host HOST --authority-dir {out} --out DIR\
         \n  predis certs issue client --name NAME --authority-dir {out} --out DIR",
        authority_days = args.authority_days,
        days = args.days,
        hosts = hosts.join(", "),
        node = certificate(MEMBER),
        node_key = key(MEMBER),
        client = certificate(CLIENT),
        client_key = key(CLIENT),
    )
}
