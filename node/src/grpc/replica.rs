//! Replication, as other members call it: passed on to the life that runs.

use super::Shared;
use crate::{replication, serving::Serving};
use predis_proto::replica::{
    ReplicateReply, ReplicateRequest, SurveyReply, SurveyRequest, replica_server::Replica,
};
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// The service.
pub(super) struct Replication(pub(super) Shared);

impl Replication {
    fn serving(&self) -> Result<Arc<Serving>, Status> {
        let running = self.0.status.running();
        running
            .map(|running| running.serving.clone())
            .ok_or_else(|| Status::unavailable("this node does not serve"))
    }
}

#[tonic::async_trait]
impl Replica for Replication {
    async fn replicate(
        &self,
        request: Request<ReplicateRequest>,
    ) -> Result<Response<ReplicateReply>, Status> {
        replication::receive(&*self.serving()?, request.into_inner()).await.map(Response::new)
    }

    async fn survey(&self, request: Request<SurveyRequest>) -> Result<Response<SurveyReply>, Status> {
        replication::survey(&*self.serving()?, request.into_inner()).await.map(Response::new)
    }
}
