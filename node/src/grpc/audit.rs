//! The admin API's `Audit` service: what was agreed on, and what this node refused.

use super::{Shared, events::event, guard::Permit};
use crate::access::Entry;
use predis_proto::admin::{self, ListAuditReply, ListAuditRequest, audit_server};
use tonic::{Request, Response, Status};

/// How many entries of each kind are listed when the request does not say.
const USUAL: u32 = 100;

/// The service.
pub(super) struct Audit(pub(super) Shared);

#[tonic::async_trait]
impl audit_server::Audit for Audit {
    async fn list(&self, request: Request<ListAuditRequest>) -> Result<Response<ListAuditReply>, Status> {
        Permit::of(&request)?;
        let limit = request.get_ref().limit;
        let limit = if limit == 0 { USUAL } else { limit } as usize;
        // This node's copy: whoever looks for what went wrong may have no majority to ask.
        let state = self.0.meta.published().state;
        let changes = state.audit();
        let refusals = self.0.access.refusals();
        Ok(Response::new(ListAuditReply {
            changes: changes.iter().skip(changes.len().saturating_sub(limit)).map(event).collect(),
            refusals: refusals.iter().skip(refusals.len().saturating_sub(limit)).map(refusal).collect(),
            node_id: self.0.node.0,
        }))
    }
}

fn refusal(entry: &Entry) -> admin::Refusal {
    let Entry { id, refusal, count, first_at_ms, last_at_ms } = entry.clone();
    admin::Refusal {
        id,
        reason: refusal.reason.name().to_owned(),
        context: refusal.context.to_owned(),
        object: refusal.object,
        user: refusal.user,
        client: refusal.client,
        count,
        first_at_ms,
        last_at_ms,
    }
}
