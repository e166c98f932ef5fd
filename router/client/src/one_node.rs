//! Commands for one particular node, whoever their keys belong to: sent together, once.
//!
//! For whoever looks after routing and repetition itself. Knows nothing of either.

use crate::{
    connection::Broken,
    core::{Core, note},
    error::{CallError, Setback},
    upstream::{Mode, NoConnection},
    view::dialled,
};
use bytes::Bytes;
use predis_resp::Reply;
use predis_types::NodeId;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

impl Core {
    /// Sends commands to one node, once.
    pub(crate) async fn call_many_on(
        &self,
        node: NodeId,
        commands: &[Vec<Bytes>],
        limit: Duration,
    ) -> Result<Vec<Result<Reply, CallError>>, CallError> {
        let deadline = Instant::now() + limit;
        let late = |_| CallError::Deadline { limit, last: None };
        let view = self.routing().view.clone();
        let addr = view.topology.node(node).map(|info| dialled(&info.resp));
        let addr = addr.ok_or(CallError::Unavailable { cause: Setback::NoNode })?;
        let upstream = self.upstreams.at(&addr);
        let lost = || Setback::Lost { addr: upstream.addr.clone() };
        let commands: Vec<Vec<&[u8]>> =
            commands.iter().map(|args| args.iter().map(AsRef::as_ref).collect()).collect();
        let sending = async {
            let connection = upstream.connection(Mode::Primary, 0).await.map_err(|reason| match reason {
                NoConnection::Auth(line) => CallError::Auth(line),
                NoConnection::Setback(cause) => CallError::Unavailable { cause },
                NoConnection::LeftAlone(_) => {
                    CallError::Unavailable { cause: Setback::LeftAlone { addr: upstream.addr.clone() } }
                }
            })?;
            let answers = connection.send_run(&commands, deadline).await;
            let answers = answers.map_err(|_| CallError::Unavailable { cause: lost() })?;
            Ok::<_, CallError>((answers, connection))
        };
        let (answers, connection) = timeout_at(deadline, sending).await.map_err(late)??;
        let mut replies = Vec::with_capacity(answers.len());
        for answer in answers {
            replies.push(match timeout_at(deadline, answer).await {
                Ok(Ok(Ok(reply))) => {
                    note(&upstream, &connection, &reply);
                    Ok(reply)
                }
                Ok(Ok(Err(Broken { sent: false, .. }))) => Err(CallError::Unavailable { cause: lost() }),
                Ok(_) => Err(CallError::Ambiguous { cause: lost() }),
                Err(_) => Err(CallError::Ambiguous { cause: Setback::Unanswered(limit) }),
            });
        }
        Ok(replies)
    }
}
