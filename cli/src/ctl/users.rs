//! `predis ctl users`: who may do what, and with which tokens.

use super::{
    answer::Answer,
    session::Session,
    table,
    time::{from_now_ms, parse_duration, utc},
    token::NewTokenArgs,
};
use crate::failure::Failure;
use clap::{Args, Subcommand};
use predis_proto::admin::{
    AddTokenRequest, CreateUserRequest, ListUsersRequest, RemoveUserRequest, RevokeTokenRequest,
    UpdateUserRequest, User, users_client::UsersClient,
};
use serde_json::{Value, json};
use std::time::Duration;

/// Users and their tokens.
#[derive(Debug, Subcommand)]
pub(super) enum UsersCommand {
    /// All that the caller may see.
    List {
        /// Only this tenant's.
        #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
        tenant: String,
    },
    /// Make a user, with a token that is shown once.
    Create(CreateArgs),
    /// Change what a user may do.
    Update(UpdateArgs),
    /// End a user and its tokens.
    Remove {
        /// The user.
        name: String,
    },
    /// Give a user a new token and let its others end, after a while in which both work.
    Rotate(RotateArgs),
    /// Single tokens.
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// 1 to 64 letters, digits, dots, underscores or hyphens.
    name: String,
    /// The tenant whose keys its commands mean, for good [default: the caller's].
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    tenant: String,
    /// read_only, read_write, operator or admin.
    #[arg(long, default_value = "read_write")]
    role: String,
    #[command(flatten)]
    token: NewTokenArgs,
}

#[derive(Debug, Args)]
pub(super) struct UpdateArgs {
    /// The user.
    name: String,
    /// read_only, read_write, operator or admin.
    #[arg(long, required_unless_present_any = ["enable", "disable"])]
    role: Option<String>,
    /// Let it do things again.
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Let it do nothing.
    #[arg(long)]
    disable: bool,
}

#[derive(Debug, Args)]
pub(super) struct RotateArgs {
    /// The user.
    name: String,
    /// For how long the other tokens still work, as 30s, 10m, 1h or 7d.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = parse_duration)]
    overlap: Duration,
    #[command(flatten)]
    token: NewTokenArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Give a user another token; the others stay.
    Add {
        /// The user.
        name: String,
        #[command(flatten)]
        token: NewTokenArgs,
    },
    /// Make a token useless at once.
    Revoke {
        /// The user.
        name: String,
        /// The token's id.
        id: String,
    },
}

/// Asks.
pub(super) async fn run(session: &Session, command: &UsersCommand) -> Result<Answer, Failure> {
    let mut client = UsersClient::new(session.channel.clone());
    let refused = |status| session.failure(&status);
    match command {
        UsersCommand::List { tenant } => {
            let request = ListUsersRequest { tenant: tenant.clone() };
            let users = client.list(request).await.map_err(refused)?.into_inner().users;
            Ok(Answer::new(table(&users), json!({ "users": users.iter().map(json).collect::<Vec<_>>() })))
        }
        UsersCommand::Create(CreateArgs { name, tenant, role, token }) => {
            let drawn = token.draw()?;
            let request = CreateUserRequest {
                name: name.clone(),
                tenant: tenant.clone(),
                role: role.clone(),
                tokens: vec![drawn.message.clone()],
            };
            client.create(request).await.inspect_err(|status| drawn.refused(status)).map_err(refused)?;
            Ok(drawn
                .answer(format!("user      {name} created, {role}"), json!({ "user": name, "role": role })))
        }
        UsersCommand::Update(UpdateArgs { name, role, enable, disable }) => {
            let enabled = if *enable || *disable { Some(*enable) } else { None };
            let request = UpdateUserRequest { name: name.clone(), role: role.clone(), enabled };
            client.update(request).await.map_err(refused)?;
            Ok(Answer::new(format!("user {name} updated"), json!({ "user": name })))
        }
        UsersCommand::Remove { name } => {
            client.remove(RemoveUserRequest { name: name.clone() }).await.map_err(refused)?;
            Ok(Answer::new(format!("user {name} removed"), json!({ "user": name })))
        }
        UsersCommand::Rotate(RotateArgs { name, overlap, token }) => {
            let end = from_now_ms(*overlap);
            let what = format!("its other tokens end {}", utc(end));
            add(session, client, name, token, Some(end), &what).await
        }
        UsersCommand::Token(TokenCommand::Add { name, token }) => {
            add(session, client, name, token, None, "its other tokens stay").await
        }
        UsersCommand::Token(TokenCommand::Revoke { name, id }) => {
            let request = RevokeTokenRequest { user: name.clone(), id: id.clone() };
            client.revoke_token(request).await.map_err(refused)?;
            Ok(Answer::new(
                format!("token {id} of user {name} revoked"),
                json!({ "user": name, "token_id": id }),
            ))
        }
    }
}

async fn add(
    session: &Session,
    mut client: UsersClient<predis_client::AdminChannel>,
    name: &str,
    token: &NewTokenArgs,
    others_expire_at_ms: Option<u64>,
    what: &str,
) -> Result<Answer, Failure> {
    let drawn = token.draw()?;
    let request =
        AddTokenRequest { user: name.to_owned(), token: Some(drawn.message.clone()), others_expire_at_ms };
    let added = client.add_token(request).await;
    added.inspect_err(|status| drawn.refused(status)).map_err(|status| session.failure(&status))?;
    let json = json!({ "user": name, "others_expire_at_ms": others_expire_at_ms });
    Ok(drawn.answer(format!("user      {name} has a new token, {what}"), json))
}

fn table(users: &[User]) -> String {
    let head = ["NAME", "TENANT", "ROLE", "ENABLED", "CREATED", "TOKENS"];
    let row = |user: &User| {
        let tokens = user.tokens.iter().map(|token| match token.expires_at_ms {
            Some(end) => format!("{} until {}", token.id, utc(end)),
            None => token.id.clone(),
        });
        vec![
            user.name.clone(),
            user.tenant.clone(),
            user.role.clone(),
            if user.enabled { "yes" } else { "no" }.to_owned(),
            utc(user.created_at_ms),
            tokens.collect::<Vec<_>>().join(", "),
        ]
    };
    table::render(&head, &users.iter().map(row).collect::<Vec<_>>())
}

/// A user for programs; a token without an end has null for it.
fn json(user: &User) -> Value {
    let token = |token: &predis_proto::admin::Token| json!({ "id": token.id, "created_at_ms": token.created_at_ms, "expires_at_ms": token.expires_at_ms });
    json!({
        "name": user.name, "tenant": user.tenant, "role": user.role, "enabled": user.enabled,
        "created_at_ms": user.created_at_ms, "tokens": user.tokens.iter().map(token).collect::<Vec<_>>(),
    })
}
