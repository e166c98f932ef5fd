//! `predis ctl tenants`: namespaces and their quotas.

use super::{answer::Answer, session::Session, table};
use crate::{failure::Failure, server::parse_size};
use clap::{Args, Subcommand};
use predis_proto::admin::{
    CreateTenantRequest, ListTenantsRequest, RemoveTenantRequest, Tenant, UpdateTenantRequest,
    tenants_client::TenantsClient,
};
use serde_json::{Value, json};

/// Tenants: namespaces with settings and quotas of their own.
#[derive(Debug, Subcommand)]
pub(super) enum TenantsCommand {
    /// All of them, or, to a user of another tenant than the default one, the user's own.
    List,
    /// Make one.
    Create(CreateArgs),
    /// Change its settings.
    Update(UpdateArgs),
    /// End one that has no users; its keys are dropped.
    Remove {
        /// The tenant.
        name: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// 1 to 64 letters, digits, dots, underscores or hyphens.
    name: String,
    /// How keys are laid over partitions, for good: spread, or colocated for multi-key commands over any keys.
    #[arg(long, default_value = "spread")]
    placement: String,
    /// The eviction policy: lru, fifo or s3fifo [default: the default tenant's].
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    policy: String,
    /// When a write is acknowledged.
    #[arg(long, default_value = "async")]
    ack: String,
    #[command(flatten)]
    quotas: QuotaArgs,
}

#[derive(Debug, Args)]
pub(super) struct UpdateArgs {
    /// The tenant.
    name: String,
    /// The eviction policy: lru, fifo or s3fifo.
    #[arg(
        long,
        value_name = "NAME",
        required_unless_present_any = ["ack", "memory", "max_ops", "max_connections"]
    )]
    policy: Option<String>,
    /// When a write is acknowledged.
    #[arg(long)]
    ack: Option<String>,
    #[command(flatten)]
    quotas: QuotaArgs,
}

/// Quotas on each node; `none` is no limit.
#[derive(Debug, Args)]
struct QuotaArgs {
    /// How much memory its keys may take on each node, as 512mb or 8gb, or none.
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    memory: Option<u64>,
    /// How many commands a second each node executes for it, or none.
    #[arg(long, value_name = "N", value_parser = quota)]
    max_ops: Option<u64>,
    /// How many connections it may have on each node, or none.
    #[arg(long, value_name = "N", value_parser = quota)]
    max_connections: Option<u64>,
}

/// 0 stands for no limit, as in the API.
fn memory(text: &str) -> Result<u64, String> {
    if text == "none" { Ok(0) } else { parse_size(text) }
}

fn quota(text: &str) -> Result<u64, String> {
    match text.parse() {
        _ if text == "none" => Ok(0),
        Ok(limit) if limit > 0 => Ok(limit),
        _ => Err(format!("must be a whole number above 0, or none, got {text:?}")),
    }
}

/// Asks.
pub(super) async fn run(session: &Session, command: &TenantsCommand) -> Result<Answer, Failure> {
    let mut client = TenantsClient::new(session.channel.clone());
    let refused = |status| session.failure(&status);
    match command {
        TenantsCommand::List => {
            let tenants = client.list(ListTenantsRequest {}).await.map_err(refused)?.into_inner().tenants;
            Ok(Answer::new(
                table(&tenants),
                json!({ "tenants": tenants.iter().map(json).collect::<Vec<_>>() }),
            ))
        }
        TenantsCommand::Create(args) => {
            let limit = |quota: Option<u64>| quota.filter(|limit| *limit > 0);
            let request = CreateTenantRequest {
                name: args.name.clone(),
                placement: args.placement.clone(),
                policy: args.policy.clone(),
                ack: args.ack.clone(),
                memory_bytes: limit(args.quotas.memory),
                max_ops_per_second: limit(args.quotas.max_ops),
                max_connections: limit(args.quotas.max_connections),
            };
            let id = client.create(request).await.map_err(refused)?.into_inner().id;
            let name = &args.name;
            Ok(Answer::new(format!("tenant {name} created, id {id}"), json!({ "tenant": name, "id": id })))
        }
        TenantsCommand::Update(args) => {
            let request = UpdateTenantRequest {
                name: args.name.clone(),
                policy: args.policy.clone(),
                ack: args.ack.clone(),
                memory_bytes: args.quotas.memory,
                max_ops_per_second: args.quotas.max_ops,
                max_connections: args.quotas.max_connections,
            };
            client.update(request).await.map_err(refused)?;
            Ok(Answer::new(format!("tenant {} updated", args.name), json!({ "tenant": args.name })))
        }
        TenantsCommand::Remove { name } => {
            client.remove(RemoveTenantRequest { name: name.clone() }).await.map_err(refused)?;
            Ok(Answer::new(format!("tenant {name} removed"), json!({ "tenant": name })))
        }
    }
}

fn table(tenants: &[Tenant]) -> String {
    let head = ["ID", "NAME", "PLACEMENT", "ACK", "POLICY", "MEMORY", "OPS/S", "CONNECTIONS", "USERS"];
    let row = |tenant: &Tenant| {
        vec![
            tenant.id.to_string(),
            tenant.name.clone(),
            tenant.placement.clone(),
            tenant.ack.clone(),
            tenant.policy.clone(),
            table::limit(tenant.memory_bytes),
            table::limit(tenant.max_ops_per_second),
            table::limit(tenant.max_connections),
            tenant.users.to_string(),
        ]
    };
    table::render(&head, &tenants.iter().map(row).collect::<Vec<_>>())
}

/// A tenant for programs; no limit is null.
pub(super) fn json(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id, "name": tenant.name, "placement": tenant.placement, "ack": tenant.ack,
        "policy": tenant.policy, "memory_bytes": tenant.memory_bytes,
        "max_ops_per_second": tenant.max_ops_per_second, "max_connections": tenant.max_connections,
        "created_at_ms": tenant.created_at_ms, "users": tenant.users,
    })
}
