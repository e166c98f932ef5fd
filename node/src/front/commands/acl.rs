//! ACL WHOAMI, USERS, LIST, GETUSER, CAT, LOG: who is who, in Redis's forms.
//!
//! What a user may do follows from its role, so the rules that are shown are those of the role: `-@all` and then
//! every command by name. Users of another tenant than the default one are shown their own tenant's users alone.

use super::{Request, is};
use crate::access::{Entry, Identity};
use crate::front::error::{Error, quoted};
use bytes::Bytes;
use predis_resp::{Category, CommandId, CommandSpec, Reply, Role, commands, parse_integer};
use std::sync::Arc;

/// How many entries ACL LOG shows when it is not told, as in Redis.
const LOGGED: usize = 10;

pub(super) fn run(request: &Request<'_>) -> Result<Reply, Error> {
    match request.spec.id {
        CommandId::AclWhoami => Ok(Reply::bulk(request.session.user().to_string())),
        CommandId::AclUsers => {
            let name = |user: Arc<Identity>| Reply::bulk(user.user.to_string());
            Ok(Reply::Array(visible(request).into_iter().map(name).collect()))
        }
        CommandId::AclList => {
            let lines = visible(request).into_iter().map(|user| Reply::bulk(line(request, &user)));
            Ok(Reply::Array(lines.collect()))
        }
        CommandId::AclGetuser => Ok(get_user(request, &request.args[2])),
        CommandId::AclCat => cat(&request.args[2..]),
        CommandId::AclLog => log(request),
        _ => Err(Error::NotHere(request.spec.name)),
    }
}

/// The users that the user may know of: its tenant's, or, for who looks after the cluster, all.
pub(super) fn visible(request: &Request<'_>) -> Vec<Arc<Identity>> {
    let mut users = request.front.serving.access.users();
    if !request.is_of_cluster() {
        users.retain(|user| user.tenant == request.session.tenant());
    }
    users
}

/// Whether the user is enabled, and the digests of its tokens.
fn facts(request: &Request<'_>, user: &Identity) -> (bool, Vec<String>) {
    let (enabled, digests) = request.front.serving.access.user_facts(&user.user).unwrap_or_default();
    (enabled, digests.iter().map(ToString::to_string).collect())
}

/// `user NAME on #DIGEST ~* resetchannels -@all +get ...`
fn line(request: &Request<'_>, user: &Identity) -> String {
    let (enabled, digests) = facts(request, user);
    let mut line = format!("user {} {}", user.user, if enabled { "on" } else { "off" });
    if user.proves_nothing() {
        line += " nopass";
    }
    for digest in digests {
        line += &format!(" #{digest}");
    }
    line + " ~* resetchannels " + &rules(user.role)
}

fn rules(role: Role) -> String {
    if role == Role::Admin {
        return "+@all".to_owned();
    }
    let mut rules = "-@all".to_owned();
    for spec in commands() {
        let allowed = |spec: &&CommandSpec| spec.role <= role;
        if spec.subcommands.is_empty() {
            if allowed(&spec) {
                rules += &format!(" +{}", spec.name);
            }
            continue;
        }
        for sub in spec.subcommands.iter().filter(allowed) {
            rules += &format!(" +{}", sub.name);
        }
    }
    rules
}

fn get_user(request: &Request<'_>, name: &Bytes) -> Reply {
    let Some(user) = visible(request).into_iter().find(|user| user.user.as_bytes() == name) else {
        return Reply::Null;
    };
    let (enabled, digests) = facts(request, &user);
    let mut flags = vec![Reply::text(if enabled { "on" } else { "off" })];
    if user.proves_nothing() {
        flags.push(Reply::text("nopass"));
    }
    Reply::Map(vec![
        (Reply::text("flags"), Reply::Set(flags)),
        (Reply::text("passwords"), Reply::Array(digests.into_iter().map(Reply::bulk).collect())),
        (Reply::text("commands"), Reply::bulk(rules(user.role))),
        (Reply::text("keys"), Reply::text("~*")),
        (Reply::text("channels"), Reply::text("")),
        (Reply::text("selectors"), Reply::Array(Vec::new())),
        (Reply::text("role"), Reply::text(user.role.name())),
        (Reply::text("tenant"), Reply::bulk(user.gate.name.clone())),
    ])
}

/// `ACL CAT [category]`
fn cat(args: &[Bytes]) -> Result<Reply, Error> {
    match args {
        [] => Ok(Reply::Array(Category::ALL.iter().map(|category| Reply::text(category.name())).collect())),
        [name] => {
            let known = Category::ALL.iter().find(|category| is(name, category.name()));
            let category = *known.ok_or_else(|| Error::UnknownCategory(quoted(name)))?;
            let all = commands().flat_map(|spec| std::iter::once(spec).chain(spec.subcommands));
            let of = all.filter(|spec| spec.categories.contains(category));
            Ok(Reply::Array(of.map(|spec| Reply::text(spec.name)).collect()))
        }
        _ => Err(predis_resp::WrongArity { name: "acl|cat" }.into()),
    }
}

/// `ACL LOG [count | RESET]`, the newest first.
fn log(request: &Request<'_>) -> Result<Reply, Error> {
    request.ensure_of_cluster()?;
    let access = &request.front.serving.access;
    let count = match &request.args[2..] {
        [] => LOGGED,
        [word] if is(word, "RESET") => {
            access.reset_refusals();
            return Ok(Reply::ok());
        }
        [count] => {
            let count = parse_integer(count).ok_or(Error::NotAnInteger)?;
            usize::try_from(count).map_err(|_| Error::NotAnInteger)?
        }
        _ => return Err(predis_resp::WrongArity { name: "acl|log" }.into()),
    };
    let now_ms = request.front.serving.clock.wall_ms();
    let newest = access.refusals().into_iter().rev().take(count);
    Ok(Reply::Array(newest.map(|entry| logged(&entry, now_ms)).collect()))
}

fn logged(entry: &Entry, now_ms: u64) -> Reply {
    let age_s = now_ms.saturating_sub(entry.last_at_ms) as f64 / 1000.0;
    let refusal = &entry.refusal;
    Reply::Map(vec![
        (Reply::text("count"), Reply::Integer(entry.count as i64)),
        (Reply::text("reason"), Reply::text(refusal.reason.name())),
        (Reply::text("context"), Reply::text(refusal.context)),
        (Reply::text("object"), Reply::bulk(refusal.object.clone())),
        (Reply::text("username"), Reply::bulk(refusal.user.clone())),
        (Reply::text("age-seconds"), Reply::Double(age_s)),
        (Reply::text("client-info"), Reply::bulk(format!("addr={}", refusal.client))),
        (Reply::text("entry-id"), Reply::Integer(entry.id as i64)),
        (Reply::text("timestamp-created"), Reply::Integer(entry.first_at_ms as i64)),
        (Reply::text("timestamp-last-updated"), Reply::Integer(entry.last_at_ms as i64)),
    ])
}
