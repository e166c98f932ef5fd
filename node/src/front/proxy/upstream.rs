//! One caller's way to the nodes that have its keys.

use super::ToMembers;
use crate::{access::Gate, serving::Serving, topology};
use bytes::Bytes;
use predis_client::{CallError, Client, Credentials, Parts, Settings, View};
use predis_meta::Ack;
use predis_raft::Published;
use predis_resp::Reply;
use predis_types::SplitMix64;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long a proxied command may take.
const LIMIT: Duration = Duration::from_secs(5);

/// A client of this very cluster.
pub(in crate::front) struct Upstream(Client);

impl Upstream {
    /// A client that follows the topology as this node has it, and acts as the caller.
    pub(super) fn new(serving: &Arc<Serving>, gate: Arc<Gate>, credentials: Credentials) -> Upstream {
        let mut published = serving.meta.watch();
        let first = view(&published.borrow_and_update(), &gate, &serving.topology.load());
        let (sender, view_of) = watch::channel(Arc::new(first));
        // Ends with the client, which holds the other end.
        tokio::spawn(follow(published, gate, sender));
        Upstream(Client::with_parts(Parts {
            view: view_of,
            connector: Arc::new(ToMembers(serving.connector.clone())),
            // Where there is TLS, the connector speaks it.
            tls: None,
            credentials,
            settings: Settings { deadline: LIMIT, ..Settings::default() },
            rng: Box::new(SplitMix64::new(serving.random())),
        }))
    }

    /// Has a command carried out by whichever nodes it takes.
    pub(super) async fn call(&self, args: &[Bytes]) -> Reply {
        match self.0.call_raw(args, LIMIT).await {
            Ok(reply) => reply,
            Err(CallError::CrossSlot(error)) => Reply::error(error.to_string()),
            Err(error) => Reply::error(format!("ERR proxy: {error}")),
        }
    }
}

/// Hands on every topology that differs from the one before, until nobody wants it.
async fn follow(mut published: watch::Receiver<Published>, gate: Arc<Gate>, views: watch::Sender<Arc<View>>) {
    loop {
        tokio::select! {
            changed = published.changed() => if changed.is_err() { return },
            () = views.closed() => return,
        }
        let now = published.borrow_and_update().clone();
        let before = views.borrow().clone();
        let now = view(&now, &gate, &before.topology);
        views.send_if_modified(|view| {
            let modified = **view != now;
            if modified {
                *view = Arc::new(now);
            }
            modified
        });
    }
}

/// The cluster as a tenant sees it; before there is one, as it was known.
fn view(published: &Published, gate: &Gate, known: &predis_router::Topology) -> View {
    let tenant = published.state.tenants().get(&gate.id);
    View {
        topology: topology::of(published).unwrap_or_else(|| known.clone()),
        tenant: gate.id,
        colocated_in: gate.colocated,
        quorum: tenant.is_some_and(|tenant| tenant.settings.ack == Ack::Quorum),
    }
}
