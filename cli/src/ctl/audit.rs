//! `predis ctl audit`: what was agreed on, and what the asked node refused.

use super::{answer::Answer, events, session::Session, table, time::utc};
use crate::failure::Failure;
use clap::Args;
use predis_proto::admin::{ListAuditRequest, Refusal, audit_client::AuditClient};
use serde_json::{Value, json};

/// The newest agreed changes, and what the asked node refused.
#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    /// The most entries of each kind.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

/// Asks.
pub(super) async fn run(session: &Session, args: &AuditArgs) -> Result<Answer, Failure> {
    let asked = AuditClient::new(session.channel.clone()).list(ListAuditRequest { limit: args.limit }).await;
    let reply = asked.map_err(|status| session.failure(&status))?.into_inner();
    let head = ["INDEX", "TIME", "ACTOR", "ACTION", "SUBJECT"];
    let changes = table::render(&head, &reply.changes.iter().map(events::row).collect::<Vec<_>>());
    let head = ["ID", "LAST", "REASON", "WHERE", "WHAT", "USER", "CLIENT", "COUNT"];
    let refusals = table::render(&head, &reply.refusals.iter().map(row).collect::<Vec<_>>());
    let text = format!("{changes}\n\nrefused by node {}:\n{refusals}", reply.node_id);
    let json = json!({
        "node_id": reply.node_id,
        "changes": reply.changes.iter().map(events::json).collect::<Vec<_>>(),
        "refusals": reply.refusals.iter().map(json).collect::<Vec<_>>(),
    });
    Ok(Answer::new(text, json))
}

fn row(refusal: &Refusal) -> Vec<String> {
    let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    vec![
        refusal.id.to_string(),
        utc(refusal.last_at_ms),
        refusal.reason.clone(),
        refusal.context.clone(),
        or_dash(&refusal.object),
        or_dash(&refusal.user),
        or_dash(&refusal.client),
        refusal.count.to_string(),
    ]
}

fn json(refusal: &Refusal) -> Value {
    json!({
        "id": refusal.id, "reason": refusal.reason, "context": refusal.context, "object": refusal.object,
        "user": refusal.user, "client": refusal.client, "count": refusal.count,
        "first_at_ms": refusal.first_at_ms, "last_at_ms": refusal.last_at_ms,
    })
}
