//! What may be changed, what is refused with which code and words, and what comes of it.

use super::{Rig, START_MS, new_token, token};
use predis_meta::{Ack, Action, Mode, TenantPlacement};
use predis_proto::admin::{
    AddTokenRequest, CreateTenantRequest, CreateUserRequest, ForgetRequest, GetConfigRequest,
    ListUsersRequest, RecoverRequest, RemoveTenantRequest, RemoveUserRequest, RevokeTokenRequest,
    SetConfigRequest, SetModeRequest, SetWeightRequest, StatusRequest, UpdateTenantRequest,
    UpdateUserRequest,
};
use predis_types::{Incarnation, NodeId};
use tonic::{Code, Status};

fn said(refused: Result<impl Sized, Status>) -> (Code, String) {
    let refused = refused.err().expect("refused");
    (refused.code(), refused.message().to_owned())
}

fn is(code: Code, words: &str) -> (Code, String) {
    (code, words.to_owned())
}

#[tokio::test]
async fn members_are_drained_and_called_back_while_somebody_is_left() {
    let rig = Rig::new().await;
    let mode = |node_id, mode: &str| SetModeRequest { node_id, mode: mode.into() };
    let alone = said(rig.cluster().set_mode(mode(1, "draining")).await);
    let words = "mode: must be active, got draining: no other node is active and up to take over from node 1";
    assert_eq!(alone, is(Code::FailedPrecondition, words));
    rig.join(2).await;
    rig.cluster().set_mode(mode(1, "draining")).await.unwrap();
    assert_eq!(rig.state().node(NodeId(1)).unwrap().mode, Mode::Draining);
    let words = "mode: must be active, got leaving: no other node is active and up to take over from node 2";
    assert_eq!(said(rig.cluster().set_mode(mode(2, "leaving")).await), is(Code::FailedPrecondition, words));
    let before = rig.state().applied_index();
    rig.cluster().set_mode(mode(1, "draining")).await.unwrap();
    assert_eq!(rig.state().applied_index(), before, "what is so already needs no agreement");
    rig.cluster().set_mode(mode(1, "active")).await.unwrap();
    let wrong = said(rig.cluster().set_mode(mode(1, "Active")).await);
    assert_eq!(wrong, is(Code::InvalidArgument, "mode: must be active, draining or leaving, got \"Active\""));
    assert_eq!(
        said(rig.cluster().set_mode(mode(9, "active")).await),
        is(Code::NotFound, "there is no node 9")
    );

    let weight = |node_id, weight| SetWeightRequest { node_id, weight };
    rig.cluster().set_weight(weight(2, 300)).await.unwrap();
    let wrong = said(rig.cluster().set_weight(weight(2, 0)).await);
    assert_eq!(wrong, is(Code::InvalidArgument, "weight: must be 1 to 10000, got 0"));
    let active = said(rig.cluster().forget(ForgetRequest { node_id: 2 }).await);
    assert_eq!(active, is(Code::FailedPrecondition, "node 2 is active and up: let it leave first"));
    rig.cluster().set_mode(mode(2, "leaving")).await.unwrap();
    let status = rig.cluster().status(StatusRequest { stale: true }).await.unwrap().into_inner();
    let second = &status.nodes[1];
    assert_eq!((second.mode.as_str(), second.weight, second.seats), ("leaving", 300, 0));
    rig.cluster().forget(ForgetRequest { node_id: 2 }).await.unwrap();
    let held = said(rig.cluster().forget(ForgetRequest { node_id: 2 }).await);
    assert_eq!(held, is(Code::NotFound, "there is no node 2"));
}

#[tokio::test]
async fn who_is_given_up_has_to_be_named_and_to_be_down() {
    let rig = Rig::new().await;
    let ask = |region: &str, lost: &[u64]| RecoverRequest {
        region: region.into(),
        lost: lost.to_vec(),
        dry_run: false,
    };
    let homeless = said(rig.cluster().recover(ask("us", &[])).await);
    assert_eq!(homeless.0, Code::FailedPrecondition);
    for (node, region) in [(2, "eu"), (3, "eu"), (4, "us")] {
        rig.join_in(node, region).await;
    }
    let home = SetConfigRequest { name: "home-region".into(), value: Some("eu".into()) };
    rig.config().set(home).await.unwrap();
    let itself = said(rig.cluster().recover(ask("eu", &[])).await);
    assert_eq!(itself, is(Code::InvalidArgument, "region: must be another one than the home, got \"eu\""));
    let nobody = said(rig.cluster().recover(ask("ap", &[])).await);
    assert_eq!(nobody, is(Code::FailedPrecondition, "region: must have a member that is up, got \"ap\""));
    rig.agree(Action::NodeDown { node: NodeId(3), incarnation: Incarnation(1) }).await;
    let rule = "lost: must name the members of the home eu that are down: 3 node-3";
    for named in [&[][..], &[2], &[2, 3], &[3, 9]] {
        assert_eq!(said(rig.cluster().recover(ask("us", named)).await), is(Code::InvalidArgument, rule));
    }
    // One of eu is up, so it stays the home; nothing is lost, so nothing is recovered.
    let reply = rig.cluster().recover(ask("us", &[3])).await.unwrap().into_inner();
    assert_eq!((reply.recovered, reply.without_copy, reply.lost_entries), (0, 0, 0));
    assert_eq!(rig.state().config().get("home-region").map(String::as_str), Some("eu"));
    rig.agree(Action::NodeDown { node: NodeId(2), incarnation: Incarnation(1) }).await;
    rig.cluster().recover(RecoverRequest { dry_run: true, ..ask("us", &[2, 3]) }).await.unwrap();
    assert_eq!(rig.state().config().get("home-region").map(String::as_str), Some("eu"), "only asked");
    rig.cluster().recover(ask("us", &[2, 3])).await.unwrap();
    assert_eq!(rig.state().config().get("home-region").map(String::as_str), Some("us"));
}

#[tokio::test]
async fn tenants_are_created_changed_and_removed() {
    let rig = Rig::new().await;
    let acme = CreateTenantRequest {
        name: "acme".into(),
        placement: "colocated".into(),
        memory_bytes: Some(1 << 20),
        ..CreateTenantRequest::default()
    };
    let id = rig.tenants().create(acme.clone()).await.unwrap().into_inner().id;
    let state = rig.state();
    let tenant = state.tenant_named("acme").unwrap();
    assert_eq!((tenant.id.0, tenant.placement), (id, TenantPlacement::Colocated));
    assert_eq!(tenant.settings.policy, "lru", "that of the default tenant");
    assert_eq!((tenant.settings.ack, tenant.settings.memory_bytes), (Ack::Async, Some(1 << 20)));

    assert_eq!(said(rig.tenants().create(acme.clone()).await).0, Code::AlreadyExists);
    let wrong = [
        (CreateTenantRequest { name: "a b".into(), ..acme.clone() }, Code::InvalidArgument, "got a b"),
        (
            CreateTenantRequest { name: "b".into(), policy: "LRU".into(), ..acme.clone() },
            Code::InvalidArgument,
            "policy: unknown policy 'LRU': expected one of lru, fifo, s3fifo",
        ),
        (
            CreateTenantRequest { name: "b".into(), placement: "x".into(), ..acme.clone() },
            Code::InvalidArgument,
            "placement must be one of spread colocated, got \"x\"",
        ),
        (
            CreateTenantRequest { name: "b".into(), ack: "all".into(), ..acme.clone() },
            Code::InvalidArgument,
            "ack must be one of async quorum, got \"all\"",
        ),
        (
            CreateTenantRequest { name: "b".into(), memory_bytes: Some(0), ..acme },
            Code::InvalidArgument,
            "memory_bytes: must be above 0, or absent for no limit, got 0",
        ),
    ];
    for (request, code, words) in wrong {
        let (said_code, said_words) = said(rig.tenants().create(request).await);
        assert!(said_code == code && said_words.contains(words), "{said_code:?} {said_words}");
    }

    let change = UpdateTenantRequest {
        name: "acme".into(),
        policy: Some("s3fifo".into()),
        memory_bytes: Some(0),
        max_ops_per_second: Some(1000),
        ..UpdateTenantRequest::default()
    };
    rig.tenants().update(change.clone()).await.unwrap();
    let settings = rig.state().tenant_named("acme").unwrap().settings.clone();
    assert_eq!((settings.policy.as_str(), settings.memory_bytes), ("s3fifo", None));
    assert_eq!(settings.max_ops_per_second, Some(1000));
    let unknown = UpdateTenantRequest { name: "b".into(), ..change };
    assert_eq!(said(rig.tenants().update(unknown).await), is(Code::NotFound, "there is no tenant \"b\""));

    rig.create_user("", "eve", "acme", "admin").await.unwrap();
    let remove = || RemoveTenantRequest { name: "acme".into() };
    let used = said(rig.tenants().remove(remove()).await);
    assert_eq!(used, is(Code::FailedPrecondition, "tenant 1 still has the user eve"));
    rig.users().remove(RemoveUserRequest { name: "eve".into() }).await.unwrap();
    rig.tenants().remove(remove()).await.unwrap();
    let default = RemoveTenantRequest { name: "default".into() };
    let kept = said(rig.tenants().remove(default).await);
    assert_eq!(kept, is(Code::FailedPrecondition, "the default tenant cannot be removed"));
}

#[tokio::test]
async fn users_and_tokens_come_and_go() {
    let rig = Rig::new().await;
    rig.create_user("", "ann", "", "read_write").await.unwrap();
    assert_eq!(said(rig.create_user("", "ann", "", "admin").await).0, Code::AlreadyExists);
    let wrong = [
        ("bob", "", "owner", "role must be one of read_only read_write operator admin, got \"owner\""),
        ("default", "", "admin", "name: must not be default: that is whoever need not authenticate"),
        ("b b", "", "admin", "name: must be 1 to 64 letters, digits, '.', '_' or '-', got b b"),
    ];
    for (name, tenant, role, words) in wrong {
        assert_eq!(said(rig.create_user("", name, tenant, role).await), is(Code::InvalidArgument, words));
    }
    let stranger = said(rig.create_user("", "bob", "nowhere", "admin").await);
    assert_eq!(stranger, is(Code::NotFound, "there is no tenant \"nowhere\""));

    // The token in place of its digest is refused, and not repeated.
    let mut slip = new_token("second", &token("slip"));
    slip.sha256 = token("slip").expose().to_owned();
    let slip = AddTokenRequest { user: "ann".into(), token: Some(slip), others_expire_at_ms: None };
    let refused = said(rig.users().add_token(slip).await);
    let words = "sha256: must be 64 lower-case hexadecimal digits, got 20 bytes";
    assert_eq!(refused, is(Code::InvalidArgument, words));
    let taken = AddTokenRequest {
        user: "ann".into(),
        token: Some(new_token("second", &token("ann"))),
        others_expire_at_ms: None,
    };
    assert_eq!(
        said(rig.users().add_token(taken.clone()).await),
        is(Code::AlreadyExists, "that token is in use already")
    );
    let second = AddTokenRequest {
        token: Some(new_token("second", &token("ann's second"))),
        others_expire_at_ms: Some(START_MS + 60_000),
        ..taken
    };
    rig.users().add_token(second).await.unwrap();
    let listed = rig.users().list(ListUsersRequest::default()).await.unwrap().into_inner();
    let tokens: Vec<_> = listed.users[0].tokens.iter().map(|t| (t.id.as_str(), t.expires_at_ms)).collect();
    assert_eq!(tokens, [("first", Some(START_MS + 60_000)), ("second", None)]);
    assert!(rig.shared.access.authenticate(Some("ann"), token("ann").expose().as_bytes()).is_ok());
    rig.clock.advance_ms(60_000);
    assert!(rig.shared.access.authenticate(Some("ann"), token("ann").expose().as_bytes()).is_err());

    let revoke = |id: &str| RevokeTokenRequest { user: "ann".into(), id: id.into() };
    rig.users().revoke_token(revoke("second")).await.unwrap();
    assert_eq!(
        said(rig.users().revoke_token(revoke("second")).await),
        is(Code::NotFound, "user ann has no token second")
    );
    let off = UpdateUserRequest { name: "ann".into(), role: None, enabled: Some(false) };
    rig.users().update(off).await.unwrap();
    assert!(!rig.state().users()["ann"].enabled);
    rig.users().remove(RemoveUserRequest { name: "ann".into() }).await.unwrap();
    let gone = said(rig.users().remove(RemoveUserRequest { name: "ann".into() }).await);
    assert_eq!(gone, is(Code::NotFound, "there is no user ann"));
}

#[tokio::test]
async fn whose_name_is_as_long_as_one_may_be_can_act_in_it() {
    let rig = Rig::new().await;
    let tokens = vec![new_token("t", &token("long"))];
    let long = CreateUserRequest { name: "x".repeat(64), role: "admin".into(), tokens, ..Default::default() };
    rig.users().create(long).await.unwrap();
    rig.create_user("long", "y", "", "read_only").await.unwrap();
    assert_eq!(rig.state().audit().back().unwrap().actor, format!("user:{}", "x".repeat(64)));
}

#[tokio::test]
async fn settings_are_named_explained_and_checked() {
    let rig = Rig::new().await;
    let all = rig.config().get(GetConfigRequest {}).await.unwrap().into_inner().settings;
    let require_auth = all.iter().find(|setting| setting.name == "require-auth").unwrap();
    assert_eq!((require_auth.value.as_str(), require_auth.rule.as_str()), ("no", "yes or no"));
    let set = |name: &str, value: &str| SetConfigRequest { name: name.into(), value: Some(value.into()) };
    let wrong = said(rig.config().set(set("require-auth", "true")).await);
    assert_eq!(wrong, is(Code::InvalidArgument, "require-auth: must be yes or no, got \"true\""));
    let unknown = said(rig.config().set(set("colour", "red")).await);
    assert_eq!(
        unknown,
        is(
            Code::NotFound,
            "name: must be one of home-region max-staleness-ms min-in-sync region-copies \
         require-auth, got \"colour\""
        )
    );
    rig.config().set(set("require-auth", "no")).await.unwrap();
    assert_eq!(rig.state().config().get("require-auth").map(String::as_str), Some("no"));
    rig.config().set(SetConfigRequest { name: "require-auth".into(), value: None }).await.unwrap();
    assert!(rig.state().config().is_empty());
}
