//! Services that members call on each other: with TLS, only who presented a member's certificate may.
//!
//! A client's certificate is of the same authority, so that it was verified says nothing here.

use super::{Caller, Shared};
use crate::{
    access::{Access, Reason, Refusal},
    io::Peer,
    tls::MEMBER_NAME,
};
use std::sync::Arc;
use tonic::{
    Request, Status,
    service::interceptor::{InterceptedService, Interceptor},
};

/// Refuses those who are no members.
#[derive(Clone)]
pub(super) struct MembersOnly {
    enforced: bool,
    access: Arc<Access>,
    service: &'static str,
}

impl Shared {
    /// The service called `name`, which only members may call.
    pub(super) fn for_members<S>(
        &self,
        name: &'static str,
        service: S,
    ) -> InterceptedService<S, MembersOnly> {
        let (enforced, access) = (self.members_only, self.access.clone());
        InterceptedService::new(service, MembersOnly { enforced, access, service: name })
    }
}

impl Interceptor for MembersOnly {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let caller = request.extensions().get::<Caller>().copied();
        if !self.enforced || caller.is_some_and(|caller| caller.peer == Peer::Member) {
            return Ok(request);
        }
        self.access.refused(Refusal {
            reason: Reason::Certificate,
            context: "grpc",
            object: self.service.to_owned(),
            user: String::new(),
            client: caller.map(|caller| caller.addr.to_string()).unwrap_or_default(),
        });
        let service = self.service;
        Err(Status::permission_denied(format!(
            "{service} is for members: the connection has no certificate with the DNS name {MEMBER_NAME}"
        )))
    }
}
