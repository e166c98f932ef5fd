//! Who may call what: every method of the descriptors, every role, tenants, tokens, and what is noted of refusals.

use super::{Rig, START_MS, by, new_token, token};
use crate::{
    access::{Entry, Reason},
    grpc::{
        Caller,
        guard::{Guarded, METHODS, Method, Scope},
    },
    io::Peer,
};
use predis_meta::Action;
use predis_proto::admin::{
    AddTokenRequest, ListAuditRequest, ListTenantsRequest, ListUsersRequest, SetWeightRequest, StatusRequest,
    UpdateUserRequest, WatchRequest,
};
use predis_resp::Role;
use std::{
    collections::BTreeSet,
    convert::Infallible,
    future::{Ready, ready},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    task::{Context, Poll},
};
use tonic::{Code, Request, body::Body, codegen::Service};

/// Answers everything, and counts what reached it.
#[derive(Clone)]
struct Answers(std::sync::Arc<AtomicUsize>);

impl Service<http::Request<Body>> for Answers {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        self.0.fetch_add(1, Relaxed);
        ready(Ok(http::Response::new(Body::empty())))
    }
}

/// Calls a path with somebody's token; the code that the guard answered, or OK when it let the call pass.
async fn knock(rig: &Rig, path: &str, who: &str) -> Code {
    let reached = std::sync::Arc::new(AtomicUsize::new(0));
    let mut guarded = Guarded::new(&rig.shared.access, Answers(reached.clone()));
    let mut request = http::Request::builder().uri(path).body(Body::empty()).unwrap();
    request.extensions_mut().insert(Caller { addr: ([10, 0, 0, 9], 5).into(), peer: Peer::Member });
    if !who.is_empty() {
        let header = format!("bearer {}", token(who).expose()).parse().unwrap();
        request.headers_mut().insert("authorization", header);
    }
    let answer = guarded.call(request).await.unwrap();
    let status = answer.headers().get("grpc-status").map(|code| Code::from_bytes(code.as_bytes()));
    assert_eq!(reached.load(Relaxed), usize::from(status.is_none()), "{path} by {who:?}");
    status.unwrap_or(Code::Ok)
}

/// The paths of all methods of the admin API, from the descriptors that reflection serves.
fn described() -> BTreeSet<String> {
    use prost::Message;
    let set = prost_types::FileDescriptorSet::decode(predis_proto::DESCRIPTORS).unwrap();
    let admin = set.file.iter().filter(|file| file.package() == "predis.admin.v1");
    let services = admin.flat_map(|file| &file.service);
    let path = |service: &str, method: &str| format!("/predis.admin.v1.{service}/{method}");
    services.flat_map(|s| s.method.iter().map(move |m| path(s.name(), m.name()))).collect()
}

#[tokio::test]
async fn every_method_has_a_row_and_every_row_a_method() {
    let rows: BTreeSet<String> =
        METHODS.iter().map(|m| format!("/predis.admin.v1.{}/{}", m.service, m.name)).collect();
    assert_eq!(rows.len(), METHODS.len());
    assert_eq!(rows, described());
    let rig = Rig::with_users().await;
    for path in &rows {
        assert_eq!(knock(&rig, path, "").await, Code::Unauthenticated, "{path}");
        assert_eq!(knock(&rig, path, "nobody").await, Code::Unauthenticated, "{path}");
        assert_eq!(knock(&rig, path, "admin").await, Code::Ok, "{path}");
    }
    for unknown in ["/predis.admin.v1.Cluster/Nope", "/predis.admin.v1.Nope/Status", "/x.Cluster/Status", "/"]
    {
        assert_eq!(knock(&rig, unknown, "admin").await, Code::Unimplemented, "{unknown}");
    }
}

#[tokio::test]
async fn roles_and_tenants_are_held_against_the_row() {
    let rig = Rig::with_users().await;
    let roles = [
        ("read_only", Role::ReadOnly),
        ("read_write", Role::ReadWrite),
        ("operator", Role::Operator),
        ("admin", Role::Admin),
    ];
    for path in &described() {
        let method = Method::of(path).unwrap();
        for (who, role) in roles {
            let wanted = if role >= method.role { Code::Ok } else { Code::PermissionDenied };
            assert_eq!(knock(&rig, path, who).await, wanted, "{path} by {who}");
        }
        let admin_of_acme = if method.scope == Scope::Tenant { Code::Ok } else { Code::PermissionDenied };
        assert_eq!(knock(&rig, path, "eve").await, admin_of_acme, "{path}");
    }
    // The rows say what the comments of the .proto say.
    let row = |service: &str, name: &str| Method::of(&format!("/predis.admin.v1.{service}/{name}")).unwrap();
    assert_eq!(row("Cluster", "Status").role, Role::Operator);
    assert_eq!(row("Cluster", "Status").scope, Scope::Cluster);
    assert_eq!(row("Users", "Create").scope, Scope::Tenant);
    assert_eq!(row("Audit", "List").role, Role::Admin);
}

#[tokio::test]
async fn without_required_authentication_everybody_is_an_admin_but_a_wrong_token_is_wrong() {
    let rig = Rig::new().await;
    for path in &described() {
        assert_eq!(knock(&rig, path, "").await, Code::Ok, "{path}");
        assert_eq!(knock(&rig, path, "nobody").await, Code::Unauthenticated, "{path}");
    }
    // Whoever shows a token is who it says, with no more than that.
    rig.create_user("", "reader", "", "read_only").await.unwrap();
    let refused = rig.cluster().status(by("reader", StatusRequest::default())).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert_eq!(refused.message(), "Cluster.Status needs role operator, user reader has read_only");
}

#[tokio::test]
async fn an_authorization_that_is_no_bearer_is_refused_and_never_repeated() {
    let rig = Rig::with_users().await;
    for header in ["Basic YWRtaW46YWRtaW4=", "predis_token-of-admin", "Bearer", "Bearer  "] {
        let mut request = Request::new(ListTenantsRequest {});
        request.metadata_mut().insert("authorization", header.parse().unwrap());
        let refused = rig.tenants().list(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{header}");
        assert!(!refused.message().contains("token-of") && !refused.message().contains("YWRt"), "{refused}");
    }
    for scheme in ["bearer", "BEARER"] {
        let mut request = Request::new(ListTenantsRequest {});
        let header = format!("{scheme} {}", token("admin").expose());
        request.metadata_mut().insert("authorization", header.parse().unwrap());
        assert_eq!(rig.tenants().list(request).await.unwrap().into_inner().tenants.len(), 2);
    }
}

#[tokio::test]
async fn refusals_are_noted_with_who_what_and_why() {
    let rig = Rig::with_users().await;
    assert_eq!(knock(&rig, "/predis.admin.v1.Cluster/Status", "stranger").await, Code::Unauthenticated);
    assert_eq!(knock(&rig, "/predis.admin.v1.Cluster/SetMode", "operator").await, Code::PermissionDenied);
    assert_eq!(knock(&rig, "/predis.admin.v1.Cluster/Status", "eve").await, Code::PermissionDenied);
    let role = Some("admin".to_owned());
    let crossing = UpdateUserRequest { name: "read_only".into(), role, enabled: None };
    let refused = rig.users().update(by("eve", crossing)).await.unwrap_err();
    assert_eq!(refused.message(), "tenant acme has no user \"read_only\"");
    let noted = |entry: &Entry| {
        let refusal = entry.refusal.clone();
        assert_eq!(refusal.context, "grpc");
        (refusal.reason, refusal.object, refusal.user, refusal.client)
    };
    let noted: Vec<_> = rig.shared.access.refusals().iter().map(noted).collect();
    let wanted = [
        (Reason::Auth, "Cluster/Status", "", "10.0.0.9:5"),
        (Reason::Command, "Cluster/SetMode", "operator", "10.0.0.9:5"),
        (Reason::Tenant, "Cluster/Status", "eve", "10.0.0.9:5"),
        (Reason::Tenant, "Users/Update", "eve", ""),
    ];
    let wanted = wanted.map(|(reason, object, user, client)| {
        (reason, format!("predis.admin.v1.{object}"), user.to_owned(), client.to_owned())
    });
    assert_eq!(noted, wanted);
    // The admin sees them, and what was agreed on.
    let listed = rig.audit().list(by("admin", ListAuditRequest { limit: 2 })).await.unwrap().into_inner();
    let reasons: Vec<&str> = listed.refusals.iter().map(|refusal| refusal.reason.as_str()).collect();
    assert_eq!((listed.node_id, reasons), (1, vec!["tenant", "tenant"]));
    let changes: Vec<&str> = listed.changes.iter().map(|change| change.subject.as_str()).collect();
    assert_eq!(changes, ["user rob tenant 1 read_only", "config require-auth"]);
}

#[tokio::test]
async fn an_admin_of_a_tenant_manages_its_users_only() {
    let rig = Rig::with_users().await;
    let names = |listed: predis_proto::admin::ListUsersReply| {
        listed.users.into_iter().map(|user| (user.name, user.tenant)).collect::<Vec<_>>()
    };
    let mine = rig.users().list(by("eve", ListUsersRequest::default())).await.unwrap().into_inner();
    assert_eq!(names(mine), [("eve".into(), "acme".into()), ("rob".into(), "acme".into())]);
    let theirs = ListUsersRequest { tenant: "default".into() };
    assert_eq!(rig.users().list(by("eve", theirs)).await.unwrap_err().code(), Code::PermissionDenied);
    // Another tenant's user, one that does not exist: the same answer.
    for name in ["read_only", "nobody"] {
        let update = UpdateUserRequest { name: name.into(), role: None, enabled: Some(false) };
        let refused = rig.users().update(by("eve", update)).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{name}");
        assert_eq!(refused.message(), format!("tenant acme has no user {name:?}"));
    }
    assert_eq!(
        rig.create_user("eve", "spy", "default", "admin").await.unwrap_err().code(),
        Code::PermissionDenied
    );
    rig.create_user("eve", "tom", "", "read_write").await.unwrap();
    assert_eq!(rig.state().users()["tom"].tenant.0, 1, "the caller's tenant is meant");
    let tenants = rig.tenants().list(by("rob", ListTenantsRequest {})).await.unwrap().into_inner().tenants;
    assert_eq!(tenants.iter().map(|t| (t.name.as_str(), t.users)).collect::<Vec<_>>(), [("acme", 3)]);
    let actors: BTreeSet<String> = rig.state().audit().iter().map(|entry| entry.actor.clone()).collect();
    assert!(actors.contains("user:eve") && actors.contains("default"), "{actors:?}");
}

#[tokio::test]
async fn a_token_that_is_revoked_elsewhere_changes_nothing_any_more() {
    let rig = Rig::with_users().await;
    // This node's directory has not heard yet; what is changed is decided by the state that a majority has.
    let action = Action::RevokeToken { user: "eve".into(), id: "first".into() };
    let command = predis_meta::MetaCommand { at_ms: START_MS, actor: "test".to_owned(), action };
    rig.shared.meta.propose(&command, super::LIMIT).await.unwrap();
    let more = AddTokenRequest {
        user: "eve".into(),
        token: Some(new_token("second", &token("again"))),
        others_expire_at_ms: None,
    };
    let refused = rig.users().add_token(by("eve", more)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated, "{refused}");
    assert_eq!(rig.state().users()["eve"].tokens, []);
}

#[tokio::test]
async fn a_watch_shows_what_is_agreed_on_and_ends_with_the_right_to_watch() {
    let rig = Rig::with_users().await;
    let mut events = rig.cluster().watch(by("operator", WatchRequest {})).await.unwrap().into_inner();
    let weight = |weight| by("admin", SetWeightRequest { node_id: 1, weight });
    rig.cluster().set_weight(weight(50)).await.unwrap();
    rig.cluster().set_weight(weight(50)).await.unwrap();
    rig.cluster().set_weight(weight(60)).await.unwrap();
    for subject in ["node 1 50", "node 1 60"] {
        let event = events.message().await.unwrap().unwrap();
        assert_eq!((event.action.as_str(), event.subject.as_str()), ("set_weight", subject));
        assert_eq!((event.actor.as_str(), event.at_ms), ("user:admin", START_MS));
    }
    let role = Some("read_write".to_owned());
    let demoted = UpdateUserRequest { name: "operator".into(), role, enabled: None };
    rig.users().update(by("admin", demoted)).await.unwrap();
    let ended = events.message().await.unwrap_err();
    assert_eq!(ended.code(), Code::PermissionDenied, "{ended}");

    let mut events = rig.cluster().watch(by("admin", WatchRequest {})).await.unwrap().into_inner();
    rig.stop.send_replace(true);
    assert!(events.message().await.unwrap().is_none(), "it ends when the node stops");
}
