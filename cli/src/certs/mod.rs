//! `predis certs`: a certificate authority of one's own, the certificates that it signs, and what a certificate says.
//!
//! For those who have no authority yet; a node takes certificates of any other as well. Knows nothing of a node
//! but the name that makes a certificate a member's.

mod files;
mod init;
mod issue;
mod make;
mod parsed;
mod show;

use crate::{failure::Failure, logging};
use clap::{Args, Subcommand};

/// Make and look at certificates for TLS.
#[derive(Debug, Args)]
#[command(
    after_help = "Begin with `predis certs init`: it makes all that one node and one client need, and says how \
                        to use it."
)]
pub(crate) struct CertsArgs {
    #[command(subcommand)]
    command: CertsCommand,
}

#[derive(Debug, Subcommand)]
enum CertsCommand {
    Init(init::InitArgs),
    /// Make one more certificate, signed by an authority that `init` made.
    #[command(subcommand)]
    Issue(issue::IssueCommand),
    Show(show::ShowArgs),
}

/// Runs one command.
pub(crate) fn run(args: &CertsArgs) -> Result<(), Failure> {
    logging::init(logging::Format::Text)?;
    match &args.command {
        CertsCommand::Init(args) => init::run(args),
        CertsCommand::Issue(command) => issue::run(command),
        CertsCommand::Show(args) => show::run(args),
    }
}
