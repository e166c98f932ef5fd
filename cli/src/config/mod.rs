//! The configuration of a node: what it may be, where it comes from, and `predis config`, which looks at it.
//!
//! ```text
//! File (fields, comments, defaults) --> schema --> fields: flags, variables, rules --> reference
//! flags, variables, file, defaults  --> Sources::resolve --> Resolved: each value and its origin, checked
//! ```
//! Does not know what a node does with its settings.

mod check;
mod document;
mod fields;
mod file;
mod flags;
mod problem;
mod reference;
mod resolved;
mod rules;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use document::Document;
pub(crate) use fields::Change;
#[cfg(test)]
pub(crate) use fields::fields;
pub(crate) use file::{Clients, File};
pub(crate) use flags::Flags;
pub(crate) use problem::{Origin, Problem, Problems};
pub(crate) use resolved::{Resolved, Setting, Sources, Variables};

use crate::{failure::Failure, output, server::ServerArgs};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Look at the configuration of a node.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(Box<CheckArgs>),
    /// Print the JSON schema of the configuration file
    Schema,
    /// Print the reference of all settings as Markdown
    Reference,
}

/// Check the settings that `predis server` with the same arguments would have, and print where each is from.
#[derive(Debug, Args)]
struct CheckArgs {
    /// The configuration file, as --config
    #[arg(value_name = "FILE", conflicts_with = "config")]
    file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Runs the command.
pub(crate) fn run(args: ConfigArgs) -> Result<(), Failure> {
    match args.command {
        Command::Check(args) => {
            let mut sources = args.server.sources();
            sources.config = args.file.or(sources.config);
            check::run(&sources, args.json)
        }
        Command::Schema => output::print(schema_text()),
        Command::Reference => output::print(reference::render(fields::fields())),
    }
}

/// The published schema.
fn schema_text() -> String {
    serde_json::to_string_pretty(&fields::schema()).expect("a schema is JSON")
}
