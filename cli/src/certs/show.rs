//! `predis certs show`: what the certificates in a file say.

use super::{
    files,
    make::now_s,
    parsed::{Parsed, moment},
};
use crate::{failure::Failure, output};
use anyhow::anyhow;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Show what a certificate says: whose it is, for which hosts, and until when.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// A PEM file with one or more certificates.
    file: PathBuf,
    /// Answer in JSON: an array of certificates.
    #[arg(long)]
    json: bool,
}

/// Reads and prints.
pub(super) fn run(args: &ShowArgs) -> Result<(), Failure> {
    let text = files::read_certificates(&args.file)?;
    let certificates = Parsed::all(&text)
        .map_err(|problem| Failure::failed(anyhow!("{} {problem}", args.file.display())))?;
    if args.json {
        let values: Vec<Value> = certificates.iter().map(value).collect();
        output::print(format_args!("{:#}", Value::from(values)))
    } else {
        let texts: Vec<String> = certificates.iter().map(shown).collect();
        output::print(texts.join("\n\n"))
    }
}

fn shown(certificate: &Parsed) -> String {
    let names = match certificate.names.as_slice() {
        [] => "-".to_owned(),
        names => names.join(", "),
    };
    let problem = certificate.validity_problem(now_s());
    format!(
        "kind         {}\nsubject      {}\nissuer       {}\nnames        {names}\nvalid        {} to {}{}\nSHA-256      {}",
        certificate.kind.name(),
        certificate.subject,
        certificate.issuer,
        moment(certificate.not_before),
        moment(certificate.not_after),
        problem.map_or_else(String::new, |problem| format!(" - {problem}")),
        certificate.fingerprint(),
    )
}

fn value(certificate: &Parsed) -> Value {
    json!({
        "kind": certificate.kind.name(),
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "names": certificate.names,
        "not_before": moment(certificate.not_before),
        "not_after": moment(certificate.not_after),
        "valid": certificate.validity_problem(now_s()).is_none(),
        "sha256": certificate.fingerprint(),
    })
}
