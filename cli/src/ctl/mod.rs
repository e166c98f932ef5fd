//! `predis ctl`: the admin API on the command line, and the contexts that say which cluster is meant.
//!
//! One file a group of commands. A command asks through a [`session::Session`] and gives an [`answer::Answer`], which
//! is printed here; only what goes on for long prints for itself.

mod answer;
mod audit;
mod backup;
mod bar;
mod cluster;
mod config;
mod context;
mod contexts;
mod drain;
mod events;
mod nodes;
mod partitions;
mod recover;
mod session;
mod status;
pub(crate) mod table;
mod target;
mod tenants;
mod time;
mod token;
mod topology;
mod users;

#[cfg(test)]
mod tests;

use crate::{failure::Failure, logging, output};
use answer::Answer;
use anyhow::Context;
use clap::{Args, Subcommand};
use contexts::ContextsFile;
use session::Session;
use target::{Target, TargetArgs};

/// See and change a cluster, through any of its nodes.
#[derive(Debug, Args)]
pub(crate) struct CtlArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// The context to use instead of the one in use.
    #[arg(long, value_name = "NAME", env = "PREDIS_CONTEXT", global = true)]
    context: Option<String>,
    /// Answer in JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: CtlCommand,
}

#[derive(Debug, Subcommand)]
enum CtlCommand {
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    Nodes(nodes::NodesArgs),
    Partitions(partitions::PartitionsArgs),
    Topology(topology::TopologyArgs),
    #[command(subcommand)]
    Tenants(tenants::TenantsCommand),
    #[command(subcommand)]
    Users(users::UsersCommand),
    #[command(subcommand)]
    Config(config::ConfigCommand),
    Audit(audit::AuditArgs),
    #[command(subcommand)]
    Backup(backup::BackupCommand),
    Watch(events::WatchArgs),
    #[command(subcommand)]
    Context(context::ContextCommand),
}

/// Runs one command.
pub(crate) fn run(args: &CtlArgs) -> Result<(), Failure> {
    logging::init(logging::Format::Text)?;
    if let CtlCommand::Context(command) = &args.command {
        let answer = context::run(&ContextsFile::of_user()?, &args.target, command)?;
        return show(&answer, args.json);
    }
    if let CtlCommand::Backup(command) = &args.command
        && let Some(answer) = backup::run_here(command)?
    {
        return show(&answer, args.json);
    }
    let target = Target::read(args.target.settle(args.context.as_deref())?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start").map_err(Failure::failed)?;
    runtime.block_on(async {
        let session = Session { channel: target.connect().await?, target, json: args.json };
        match ask(&session, &args.command).await? {
            Some(answer) => show(&answer, args.json),
            None => Ok(()),
        }
    })
}

/// What a command that needs a node answers; `None` when it has shown it all.
async fn ask(session: &Session, command: &CtlCommand) -> Result<Option<Answer>, Failure> {
    Ok(Some(match command {
        CtlCommand::Cluster(command) => return cluster::run(session, command).await,
        CtlCommand::Nodes(args) => nodes::run(session, args).await?,
        CtlCommand::Partitions(args) => partitions::run(session, args).await?,
        CtlCommand::Tenants(command) => tenants::run(session, command).await?,
        CtlCommand::Users(command) => users::run(session, command).await?,
        CtlCommand::Config(command) => config::run(session, command).await?,
        CtlCommand::Audit(args) => audit::run(session, args).await?,
        CtlCommand::Backup(command) => return backup::run(session, command).await,
        CtlCommand::Topology(args) => {
            topology::run(session, args).await?;
            return Ok(None);
        }
        CtlCommand::Watch(args) => {
            events::run(session, args).await?;
            return Ok(None);
        }
        CtlCommand::Context(_) => return Ok(None),
    }))
}

fn show(answer: &Answer, as_json: bool) -> Result<(), Failure> {
    if as_json { output::print(format_args!("{:#}", answer.json)) } else { output::print(&answer.text) }
}
