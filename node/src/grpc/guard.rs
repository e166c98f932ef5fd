//! Who may call which method of the admin API: one table, asked before a call reaches its service.
//!
//! ```text
//! request --token--> Access --> role and tenant against the method's row --> Permit, among the request's extensions
//!                                   '--> refused: the caller hears why, and the node's log of refusals has it
//! ```
//! A method without a row is not served. What a request may touch within the caller's tenant is for its service.

use super::Caller;
use crate::access::{Access, Identity, Reason, Refusal};
use futures_util::future::{Either, Ready, ready};
use http::{HeaderMap, header::AUTHORIZATION};
use predis_resp::Role;
use predis_types::TenantId;
use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};
use tonic::{Request, Status, body::Body, codegen::Service, server::NamedService};

/// The package of the services that are guarded.
const PACKAGE: &str = "predis.admin.v1";

/// Whose business a method is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The whole cluster's: only users of the default tenant may call it.
    Cluster,
    /// Any tenant's; what of it the caller may see or change is for the service.
    Tenant,
}

/// One method and who may call it.
#[derive(Debug)]
pub(super) struct Method {
    pub(super) service: &'static str,
    pub(super) name: &'static str,
    /// The least the caller must be.
    pub(super) role: Role,
    pub(super) scope: Scope,
}

const fn row(service: &'static str, name: &'static str, role: Role, scope: Scope) -> Method {
    Method { service, name, role, scope }
}

/// All methods of the admin API.
pub(super) static METHODS: [Method; 25] = [
    row("Cluster", "Status", Role::Operator, Scope::Cluster),
    row("Cluster", "Watch", Role::Operator, Scope::Cluster),
    row("Cluster", "SetMode", Role::Admin, Scope::Cluster),
    row("Cluster", "SetWeight", Role::Admin, Scope::Cluster),
    row("Cluster", "Forget", Role::Admin, Scope::Cluster),
    row("Cluster", "Recover", Role::Admin, Scope::Cluster),
    row("Topology", "Follow", Role::Any, Scope::Tenant),
    row("Tenants", "List", Role::ReadOnly, Scope::Tenant),
    row("Tenants", "Create", Role::Admin, Scope::Cluster),
    row("Tenants", "Update", Role::Admin, Scope::Cluster),
    row("Tenants", "Remove", Role::Admin, Scope::Cluster),
    row("Users", "List", Role::Admin, Scope::Tenant),
    row("Users", "Create", Role::Admin, Scope::Tenant),
    row("Users", "Update", Role::Admin, Scope::Tenant),
    row("Users", "Remove", Role::Admin, Scope::Tenant),
    row("Users", "AddToken", Role::Admin, Scope::Tenant),
    row("Users", "RevokeToken", Role::Admin, Scope::Tenant),
    row("Config", "Get", Role::Operator, Scope::Cluster),
    row("Config", "Set", Role::Admin, Scope::Cluster),
    row("Audit", "List", Role::Admin, Scope::Cluster),
    row("Backup", "Begin", Role::Admin, Scope::Cluster),
    row("Backup", "End", Role::Admin, Scope::Cluster),
    row("Backup", "Read", Role::Admin, Scope::Cluster),
    row("Backup", "Write", Role::Admin, Scope::Cluster),
    row("Backup", "Count", Role::Admin, Scope::Cluster),
];

impl Method {
    /// The row of a request's path, `/package.Service/Method`.
    pub(super) fn of(path: &str) -> Option<&'static Method> {
        let (service, name) =
            path.strip_prefix('/')?.strip_prefix(PACKAGE)?.strip_prefix('.')?.split_once('/')?;
        METHODS.iter().find(|method| method.service == service && method.name == name)
    }

    /// As it is written in a log: `package.Service/Method`.
    fn full_name(&self) -> String {
        format!("{PACKAGE}.{}/{}", self.service, self.name)
    }
}

/// A caller that may call what it called.
#[derive(Clone, Debug)]
pub struct Permit {
    /// Who it is.
    pub identity: Arc<Identity>,
    method: &'static Method,
    client: String,
}

impl Permit {
    /// The permit that the guard gave a request.
    pub(super) fn of<T>(request: &Request<T>) -> Result<Permit, Status> {
        let permit = request.extensions().get::<Permit>().cloned();
        permit.ok_or_else(|| Status::internal("the service is not guarded"))
    }

    /// The same as of now, if the user may still do this.
    pub(super) fn renewed(&self, access: &Access) -> Result<Permit, Status> {
        let identity = access.still(&self.identity).ok_or_else(|| {
            let words = "the token was revoked or has expired, or its user was disabled";
            self.refuse(access, Reason::Auth, Status::unauthenticated(words))
        })?;
        admit(access, self.method, identity, self.client.clone())
    }

    /// In whose name changes are proposed.
    pub(super) fn actor(&self) -> String {
        self.identity.actor()
    }

    /// Whether the caller may see and change what is this tenant's.
    pub(super) fn covers(&self, tenant: TenantId) -> bool {
        self.identity.is_of_cluster() || self.identity.tenant == tenant
    }

    /// The refusal of what is another tenant's, noted.
    pub(super) fn crossing(&self, access: &Access, words: String) -> Status {
        self.refuse(access, Reason::Tenant, Status::permission_denied(words))
    }

    fn refuse(&self, access: &Access, reason: Reason, status: Status) -> Status {
        note(access, reason, self.method, &self.identity.user, &self.client);
        status
    }
}

fn note(access: &Access, reason: Reason, method: &Method, user: &str, client: &str) {
    access.refused(Refusal {
        reason,
        context: "grpc",
        object: method.full_name(),
        user: user.to_owned(),
        client: client.to_owned(),
    });
}

/// Who calls, by the token of the request, if there is one.
fn identify(access: &Access, headers: &HeaderMap) -> Result<Arc<Identity>, Status> {
    let Some(header) = headers.get(AUTHORIZATION) else {
        return access.anonymous().ok_or_else(|| {
            Status::unauthenticated(
                "authentication is required: send the metadata authorization: Bearer <token>",
            )
        });
    };
    let token = header.to_str().ok().and_then(|text| text.split_once(' '));
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = token else {
        return Err(Status::unauthenticated("the metadata authorization must be: Bearer <token>"));
    };
    access.authenticate(None, token.trim().as_bytes()).map_err(|_| {
        Status::unauthenticated("the token is unknown, revoked or expired, or its user is disabled")
    })
}

/// Holds a caller against the method's row.
fn admit(
    access: &Access,
    method: &'static Method,
    identity: Arc<Identity>,
    client: String,
) -> Result<Permit, Status> {
    let permit = Permit { identity, method, client };
    let Identity { user, role, .. } = &*permit.identity;
    if *role < method.role {
        let (has, needs) = (role.name(), method.role.name());
        let words = format!("{}.{} needs role {needs}, user {user} has {has}", method.service, method.name);
        return Err(permit.refuse(access, Reason::Command, Status::permission_denied(words)));
    }
    if method.scope == Scope::Cluster && !permit.identity.is_of_cluster() {
        let words = format!(
            "{}.{} concerns the whole cluster: it is for users of the default tenant, user {user} is of {}",
            method.service, method.name, permit.identity.gate.name
        );
        return Err(permit.crossing(access, words));
    }
    Ok(permit)
}

/// A service behind its guard.
#[derive(Clone)]
pub(super) struct Guarded<S> {
    inner: S,
    access: Arc<Access>,
}

impl<S> Guarded<S> {
    pub(super) fn new(access: &Arc<Access>, inner: S) -> Guarded<S> {
        Guarded { inner, access: access.clone() }
    }

    fn check<B>(&self, request: &http::Request<B>) -> Result<Permit, Status> {
        let Some(method) = Method::of(request.uri().path()) else {
            return Err(Status::unimplemented("there is no such method"));
        };
        let client = request.extensions().get::<Caller>();
        let client = client.map(|caller| caller.addr.to_string()).unwrap_or_default();
        let access = &self.access;
        if access.version() == 0 {
            return Err(Status::unavailable("this node knows no cluster yet"));
        }
        let identity = identify(access, request.headers())
            .inspect_err(|_| note(access, Reason::Auth, method, "", &client))?;
        admit(access, method, identity, client)
    }
}

impl<S: NamedService> NamedService for Guarded<S> {
    const NAME: &'static str = S::NAME;
}

impl<S, B> Service<http::Request<B>> for Guarded<S>
where
    S: Service<http::Request<B>, Response = http::Response<Body>, Error = Infallible>,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<Self::Response, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        match self.check(&request) {
            Ok(permit) => {
                request.extensions_mut().insert(permit);
                Either::Left(self.inner.call(request))
            }
            Err(status) => Either::Right(ready(Ok(status.into_http()))),
        }
    }
}
