//! Nobody locks everybody out: the last admin stays one while authentication is required.

use super::{Rig, START_MS, by, new_token, token};
use predis_proto::admin::{
    AddTokenRequest, RemoveUserRequest, RevokeTokenRequest, SetConfigRequest, UpdateUserRequest,
};
use tonic::Code;

#[tokio::test]
async fn authentication_is_not_required_before_somebody_could_pass_it() {
    let rig = Rig::new().await;
    let refused = rig.require_auth("", "yes").await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let rule = "an enabled admin of the default tenant with a token that is valid must be left";
    assert_eq!(refused.message(), format!("require-auth is yes: {rule}"));
    // Neither a lesser role nor another tenant's admin will do.
    let acme = predis_proto::admin::CreateTenantRequest { name: "acme".into(), ..Default::default() };
    rig.tenants().create(acme).await.unwrap();
    rig.create_user("", "ops", "", "operator").await.unwrap();
    rig.create_user("", "eve", "acme", "admin").await.unwrap();
    assert!(rig.require_auth("", "yes").await.is_err());
    rig.create_user("", "ann", "", "admin").await.unwrap();
    rig.require_auth("", "yes").await.unwrap();
    assert!(rig.shared.access.required());
}

#[tokio::test]
async fn the_last_admin_is_neither_removed_nor_disabled_nor_demoted_nor_left_without_a_token() {
    let rig = Rig::with_users().await;
    let named = |name: &str| name.to_owned();
    let refused = [
        rig.users().remove(by("admin", RemoveUserRequest { name: named("admin") })).await.err(),
        rig.users()
            .update(by("admin", UpdateUserRequest { name: named("admin"), role: None, enabled: Some(false) }))
            .await
            .err(),
        rig.users()
            .update(by(
                "admin",
                UpdateUserRequest { name: named("admin"), role: Some(named("operator")), enabled: None },
            ))
            .await
            .err(),
        rig.users()
            .revoke_token(by("admin", RevokeTokenRequest { user: named("admin"), id: named("first") }))
            .await
            .err(),
    ];
    for refused in refused {
        assert_eq!(refused.unwrap().code(), Code::FailedPrecondition);
    }
    // A new token may take the old one's place at once.
    let rotated = AddTokenRequest {
        user: named("admin"),
        token: Some(new_token("second", &token("admin again"))),
        others_expire_at_ms: Some(START_MS),
    };
    rig.users().add_token(by("admin", rotated)).await.unwrap();
    let gone = rig.users().remove(by("admin", RemoveUserRequest { name: named("rob") })).await;
    assert_eq!(gone.unwrap_err().code(), Code::Unauthenticated, "the first token has ended");
    rig.users().remove(by("admin again", RemoveUserRequest { name: named("rob") })).await.unwrap();

    // With another one, the first may go; without the requirement, anyone may.
    rig.create_user("admin again", "ann", "", "admin").await.unwrap();
    rig.users().remove(by("ann", RemoveUserRequest { name: named("admin") })).await.unwrap();
    let unset = SetConfigRequest { name: named("require-auth"), value: None };
    rig.config().set(by("ann", unset)).await.unwrap();
    rig.users().remove(by("", RemoveUserRequest { name: named("ann") })).await.unwrap();
}

#[tokio::test]
async fn a_token_that_has_expired_does_not_count() {
    let rig = Rig::new().await;
    rig.create_user("", "ann", "", "admin").await.unwrap();
    let short = AddTokenRequest {
        user: "ann".into(),
        token: Some(predis_proto::admin::NewToken {
            expires_at_ms: Some(START_MS + 1000),
            ..new_token("short", &token("short"))
        }),
        others_expire_at_ms: Some(START_MS),
    };
    rig.users().add_token(by("", short)).await.unwrap();
    rig.clock.advance_ms(1000);
    assert_eq!(rig.require_auth("", "yes").await.unwrap_err().code(), Code::FailedPrecondition);
}
