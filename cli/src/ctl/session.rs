//! A connection to a node, as commands use it, and what a refusal is to whoever typed the command.

use super::target::Target;
use crate::failure::Failure;
use anyhow::anyhow;
use predis_client::AdminChannel;
use predis_proto::admin::{Node, StatusReply, StatusRequest, cluster_client::ClusterClient};
use std::error::Error;
use tonic::{Code, Status};

/// What a command works with.
pub(super) struct Session {
    pub(super) channel: AdminChannel,
    pub(super) target: Target,
    /// Whether a program reads the answer.
    pub(super) json: bool,
}

impl Session {
    /// The cluster as of now, or, `stale`, as the node last knew it.
    pub(super) async fn status(&self, stale: bool) -> Result<StatusReply, Failure> {
        let answered = ClusterClient::new(self.channel.clone()).status(StatusRequest { stale }).await;
        answered.map(tonic::Response::into_inner).map_err(|status| self.failure(&status))
    }

    /// The member that an id or a name means, and the cluster it was found in.
    pub(super) async fn node(&self, node: &str) -> Result<(Node, StatusReply), Failure> {
        let status = self.status(false).await?;
        Ok((find(&status.nodes, node)?.clone(), status))
    }

    /// What a refusal is to whoever typed the command: status 2 for what cannot be asked for.
    pub(super) fn failure(&self, status: &Status) -> Failure {
        self.failure_of(&self.target.addr, status)
    }

    /// The same where the node at `addr` was asked.
    pub(super) fn failure_of(&self, addr: &str, status: &Status) -> Failure {
        if let Some(cause) = status.source() {
            return Failure::failed(anyhow!(self.broken(addr, cause)));
        }
        let words = match (status.code(), status.message()) {
            (code, "") => code.to_string(),
            (Code::Unauthenticated, words) if !self.target.has_token() => {
                format!("{words}; give a token by --token-file, PREDIS_TOKEN_FILE, PREDIS_TOKEN or a context")
            }
            (_, words) => words.to_owned(),
        };
        match status.code() {
            Code::InvalidArgument => Failure::usage(anyhow!(words)),
            _ => Failure::failed(anyhow!(words)),
        }
    }

    /// What broke the connection, innermost last: a node that misses a certificate says so only after the handshake.
    fn broken(&self, addr: &str, cause: &dyn Error) -> String {
        let mut words = format!("the connection to {addr} broke");
        let mut next = Some(cause);
        while let Some(cause) = next {
            let said = cause.to_string();
            if !words.ends_with(&said) {
                words = format!("{words}: {said}");
            }
            next = cause.source();
        }
        if !self.target.has_tls() {
            words += "; if the node speaks TLS, give --tls-authority";
        }
        words
    }
}

/// The member of this id or name. Of several with the name, the one that is up, else the one that joined last.
pub(super) fn find<'a>(nodes: &'a [Node], wanted: &str) -> Result<&'a Node, Failure> {
    let by_id = || wanted.parse().ok().and_then(|id: u64| nodes.iter().find(|node| node.id == id));
    let named = nodes.iter().filter(|node| node.name == wanted);
    let found = named.max_by_key(|node| (node.status == "up", node.id)).or_else(by_id);
    found.ok_or_else(|| {
        let known: Vec<String> = nodes.iter().map(|node| format!("{} {}", node.id, node.name)).collect();
        Failure::failed(anyhow!("there is no node {wanted:?}: {}", known.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_found_by_name_or_id() {
        let node = |id, name: &str, status: &str| Node {
            id,
            name: name.to_owned(),
            status: status.to_owned(),
            ..Node::default()
        };
        let nodes = [
            node(1, "a", "down"),
            node(2, "b", "up"),
            node(3, "a", "up"),
            node(4, "a", "down"),
            node(5, "2", "up"),
        ];
        let id = |wanted| find(&nodes, wanted).unwrap().id;
        assert_eq!((id("a"), id("b"), id("1"), id("4")), (3, 2, 1, 4));
        assert_eq!(id("2"), 5, "a name comes first");
        assert!(find(&nodes, "c").unwrap_err().to_string().contains("1 a, 2 b"));
    }
}
