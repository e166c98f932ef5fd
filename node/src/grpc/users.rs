//! The admin API's `Users` service: users and the digests of their tokens.
//!
//! An admin of another tenant than the default one sees and changes that tenant's users only, and hears the same of
//! a user that is another tenant's as of one that does not exist.

use super::{change::Admin, guard::Permit, tenants};
use crate::access::DEFAULT_USER;
use predis_meta::{Action, ClusterState, NewToken, NewUser, Rejected, User, UserRole};
use predis_proto::admin::{
    self, AddTokenReply, AddTokenRequest, CreateUserReply, CreateUserRequest, ListUsersReply,
    ListUsersRequest, RemoveUserReply, RemoveUserRequest, RevokeTokenReply, RevokeTokenRequest,
    UpdateUserReply, UpdateUserRequest, users_server,
};
use predis_types::TokenDigest;
use tonic::{Request, Response, Status};

/// The service.
pub(super) struct Users(pub(super) Admin);

impl Users {
    /// The user of this name, if the caller may know of it.
    fn find<'a>(&self, permit: &Permit, state: &'a ClusterState, name: &str) -> Result<&'a User, Status> {
        let user = state.users().get(name);
        let shown: String = name.chars().take(80).collect();
        if permit.identity.is_of_cluster() {
            return user.ok_or_else(|| super::codes::refused(&Rejected::UnknownUser { name: shown }));
        }
        user.filter(|user| permit.covers(user.tenant)).ok_or_else(|| {
            let words = format!("tenant {} has no user {shown:?}", permit.identity.gate.name);
            permit.crossing(&self.0.shared.access, words)
        })
    }

    /// The tenant that a request names; the caller's when it names none.
    fn tenant(
        &self,
        permit: &Permit,
        state: &ClusterState,
        name: &str,
    ) -> Result<predis_types::TenantId, Status> {
        let own = &permit.identity;
        if name.is_empty() || name == own.gate.name {
            return Ok(own.tenant);
        }
        if !own.is_of_cluster() {
            let words = format!("tenant: must be {}, the caller's", own.gate.name);
            return Err(permit.crossing(&self.0.shared.access, words));
        }
        Ok(tenants::find(state, name)?.id)
    }
}

#[tonic::async_trait]
impl users_server::Users for Users {
    async fn list(&self, request: Request<ListUsersRequest>) -> Result<Response<ListUsersReply>, Status> {
        let permit = Permit::of(&request)?;
        let name = request.into_inner().tenant;
        let state = self.0.read_for(&permit).await?.state;
        let all = name.is_empty() && permit.identity.is_of_cluster();
        let tenant = self.tenant(&permit, &state, &name)?;
        let seen = state.users().values().filter(|user| all || user.tenant == tenant);
        Ok(Response::new(ListUsersReply { users: seen.map(|user| message(&state, user)).collect() }))
    }

    async fn create(&self, request: Request<CreateUserRequest>) -> Result<Response<CreateUserReply>, Status> {
        let permit = Permit::of(&request)?;
        let CreateUserRequest { name, tenant, role, tokens } = request.into_inner();
        if name == DEFAULT_USER {
            let rule = "must not be default: that is whoever need not authenticate";
            return Err(Status::invalid_argument(format!("name: {rule}")));
        }
        let role = parse_role(&role)?;
        let tokens: Vec<NewToken> = tokens.into_iter().map(new_token).collect::<Result<_, _>>()?;
        let changed = self.0.change(&permit, |state, _| {
            let tenant = self.tenant(&permit, state, &tenant)?;
            let user = NewUser { name: name.clone(), tenant, role, tokens: tokens.clone() };
            Ok(Some(Action::CreateUser { user }))
        });
        changed.await?;
        Ok(Response::new(CreateUserReply {}))
    }

    async fn update(&self, request: Request<UpdateUserRequest>) -> Result<Response<UpdateUserReply>, Status> {
        let permit = Permit::of(&request)?;
        let UpdateUserRequest { name, role, enabled } = request.into_inner();
        let role = role.as_deref().map(parse_role).transpose()?;
        let changed = self.0.change(&permit, |state, _| {
            let user = self.find(&permit, state, &name)?;
            let same = role.is_none_or(|role| role == user.role)
                && enabled.is_none_or(|enabled| enabled == user.enabled);
            Ok((!same).then(|| Action::UpdateUser { name: name.clone(), role, enabled }))
        });
        changed.await?;
        Ok(Response::new(UpdateUserReply {}))
    }

    async fn remove(&self, request: Request<RemoveUserRequest>) -> Result<Response<RemoveUserReply>, Status> {
        let permit = Permit::of(&request)?;
        let name = request.into_inner().name;
        let changed = self.0.change(&permit, |state, _| {
            self.find(&permit, state, &name)?;
            Ok(Some(Action::RemoveUser { name: name.clone() }))
        });
        changed.await?;
        Ok(Response::new(RemoveUserReply {}))
    }

    async fn add_token(&self, request: Request<AddTokenRequest>) -> Result<Response<AddTokenReply>, Status> {
        let permit = Permit::of(&request)?;
        let AddTokenRequest { user, token, others_expire_at_ms } = request.into_inner();
        let token = token.ok_or_else(|| Status::invalid_argument("token: must be given"))?;
        let token = new_token(token)?;
        let changed = self.0.change(&permit, |state, _| {
            self.find(&permit, state, &user)?;
            Ok(Some(Action::AddToken { user: user.clone(), token: token.clone(), others_expire_at_ms }))
        });
        changed.await?;
        Ok(Response::new(AddTokenReply {}))
    }

    async fn revoke_token(
        &self,
        request: Request<RevokeTokenRequest>,
    ) -> Result<Response<RevokeTokenReply>, Status> {
        let permit = Permit::of(&request)?;
        let RevokeTokenRequest { user, id } = request.into_inner();
        let changed = self.0.change(&permit, |state, _| {
            self.find(&permit, state, &user)?;
            Ok(Some(Action::RevokeToken { user: user.clone(), id: id.clone() }))
        });
        changed.await?;
        Ok(Response::new(RevokeTokenReply {}))
    }
}

fn parse_role(text: &str) -> Result<UserRole, Status> {
    let text: String = text.chars().take(80).collect();
    text.parse().map_err(Status::invalid_argument)
}

fn new_token(token: admin::NewToken) -> Result<NewToken, Status> {
    let admin::NewToken { id, sha256, expires_at_ms } = token;
    // What was sent in its place may be the token itself: it is not repeated.
    if TokenDigest::from_hex(&sha256).is_none() {
        let (rule, seen) = ("must be 64 lower-case hexadecimal digits", sha256.len());
        return Err(Status::invalid_argument(format!("sha256: {rule}, got {seen} bytes")));
    }
    Ok(NewToken { id, hash: sha256, expires_at_ms })
}

fn message(state: &ClusterState, user: &User) -> admin::User {
    let token = |token: &predis_meta::Token| admin::Token {
        id: token.id.clone(),
        created_at_ms: token.created_at_ms,
        expires_at_ms: token.expires_at_ms,
    };
    admin::User {
        name: user.name.clone(),
        tenant: state.tenants().get(&user.tenant).map(|tenant| tenant.name.clone()).unwrap_or_default(),
        role: user.role.to_string(),
        enabled: user.enabled,
        created_at_ms: user.created_at_ms,
        tokens: user.tokens.iter().map(token).collect(),
    }
}
