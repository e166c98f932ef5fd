//! `predis certs issue`: one more certificate of an authority that is there.

use super::{
    files::{self, Outputs, typed},
    init::AUTHORITY,
    make::{Authority, Purpose, host, validity},
    parsed::{Parsed, moment},
};
use crate::{failure::Failure, output};
use anyhow::anyhow;
use clap::{Args, Subcommand};
use predis_types::limits::MAX_NAME_BYTES;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum IssueCommand {
    /// For a node: it proves that it is a member, and to clients that it is at its hosts.
    Member {
        #[command(flatten)]
        common: IssueArgs,
        /// A name or address by which clients reach the node, besides localhost, 127.0.0.1 and ::1; may be repeated.
        #[arg(long, value_name = "NAME|IP", value_delimiter = ',', value_parser = host)]
        host: Vec<String>,
    },
    /// For a client: it proves that the cluster's authority knows it, and not that it is a member.
    Client {
        #[command(flatten)]
        common: IssueArgs,
    },
}

#[derive(Debug, Args)]
pub(super) struct IssueArgs {
    /// What the files are called, and whom the certificate names.
    #[arg(long, value_parser = name)]
    name: String,
    /// How long the certificate is valid.
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
    /// Where the authority's ca.crt and ca.key are.
    #[arg(long, value_name = "DIR", default_value = "certs")]
    authority_dir: PathBuf,
    /// Where the files go.
    #[arg(long, value_name = "DIR", default_value = "certs")]
    out: PathBuf,
    /// Overwrite files that are there, for instance to renew a certificate.
    #[arg(long)]
    force: bool,
}

/// A name that is one of a file, too.
fn name(text: &str) -> Result<String, String> {
    let letters = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if text.is_empty() || text.len() > MAX_NAME_BYTES || !letters || text.starts_with(['.', '-']) {
        return Err(format!(
            "must be 1 to {MAX_NAME_BYTES} letters, digits, dots, underscores or hyphens, and begin with none of \
             the last"
        ));
    }
    if text == AUTHORITY {
        return Err("is the authority's own: choose another one".to_owned());
    }
    Ok(text.to_owned())
}

/// Makes and writes the certificate.
pub(super) fn run(command: &IssueCommand) -> Result<(), Failure> {
    let (common, purpose) = match command {
        IssueCommand::Member { common, host } => (common, Purpose::Member(host.clone())),
        IssueCommand::Client { common } => (common, Purpose::Client),
    };
    let authority = authority(common)?;
    let outputs = Outputs::new(&common.out, &[&common.name], common.force)?;
    let pair = authority
        .issue(&common.name, &purpose, common.days)
        .map_err(|error| Failure::failed(anyhow!(error).context("cannot make a certificate")))?;
    outputs.write(&common.name, &pair)?;
    output::print(said(common, &purpose, &outputs))
}

/// The authority, if it outlives what it is to sign.
fn authority(common: &IssueArgs) -> Result<Authority, Failure> {
    let path = common.authority_dir.join(format!("{AUTHORITY}.crt"));
    let certificate = files::read_certificates(&path)?;
    let key = files::read_key(&common.authority_dir.join(format!("{AUTHORITY}.key")))?;
    let problem = |problem: String| Failure::usage(anyhow!("{} {problem}", path.display()));
    let authority = Authority::read(&certificate, &key).map_err(problem)?;
    let ends = Parsed::all(&certificate).map_err(problem)?.first().map(|parsed| parsed.not_after);
    match ends {
        Some(ends) if ends.timestamp() < validity(common.days).end as i64 => Err(Failure::usage(anyhow!(
            "--days {}: must end before the authority does, at {}",
            common.days,
            moment(ends)
        ))),
        _ => Ok(authority),
    }
}

fn said(common: &IssueArgs, purpose: &Purpose, outputs: &Outputs) -> String {
    let ca = typed(&common.authority_dir.join(format!("{AUTHORITY}.crt")));
    let (certificate, key) = (outputs.certificate(&common.name), outputs.key(&common.name));
    let (certificate, key) = (typed(&certificate), typed(&key));
    let made = format!("{certificate} and {key} are made, valid for {} days.\n", common.days);
    match purpose {
        Purpose::Member(hosts) => {
            let unreachable = "\nClients can verify it as localhost only: make it with --host HOST if they reach it from \
                               elsewhere.\n";
            format!(
                "{made}{}\nA new node with it:\n\
                 \n  predis server --join HOST:7379 --tls-authority {ca} --tls-certificate {certificate} --tls-key \
                 {key}\n\
                 \nA running node that has these files takes a renewed certificate over when its process gets SIGHUP.",
                if hosts.is_empty() { unreachable } else { "" },
            )
        }
        Purpose::Client => format!(
            "{made}\nA client with it:\n\n  redis-cli -h HOST --tls --cacert {ca} --cert {certificate} --key {key}"
        ),
    }
}
