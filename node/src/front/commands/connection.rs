//! PING, ECHO, HELLO, AUTH, SELECT, QUIT, RESET.
//!
//! Who a connection is, the node's register of users says; what a token is good for is not known here.

use super::client::valid_label;
use super::{Request, is};
use crate::access::{DEFAULT_USER, Identity, OverQuota, Reason, WrongPass};
use crate::front::error::{Error, quoted};
use crate::front::session::Door;
use bytes::Bytes;
use predis_resp::{CommandId, Protocol, Reply, parse_integer};
use predis_types::Secret;
use std::sync::Arc;

pub(super) fn run(request: &Request<'_>) -> Result<Reply, Error> {
    let (session, args) = (request.session, request.args);
    match request.spec.id {
        CommandId::Ping => ping(args),
        CommandId::Echo => Ok(Reply::Bulk(args[1].clone())),
        CommandId::Hello => hello(request),
        CommandId::Auth => auth(request, &args[1..]).map(|()| Reply::ok()),
        CommandId::Select => select(session.door, &args[1]),
        CommandId::Quit => {
            session.close_after_replies();
            Ok(Reply::ok())
        }
        CommandId::Reset => {
            let serving = &request.front.serving;
            serving.tracking.leave(session);
            let reset = session.reset(serving.access.anonymous(), serving.clock.mono_us());
            reset.map_err(|over| too_many(request, DEFAULT_USER, over))?;
            Ok(Reply::simple("RESET"))
        }
        _ => Err(Error::NotHere(request.spec.name)),
    }
}

fn ping(args: &[Bytes]) -> Result<Reply, Error> {
    match args {
        [_] => Ok(Reply::simple("PONG")),
        [_, message] => Ok(Reply::Bulk(message.clone())),
        _ => Err(predis_resp::WrongArity { name: "ping" }.into()),
    }
}

/// `AUTH [user] token`, the arguments behind the name. A token alone is as good: it belongs to one user.
fn auth(request: &Request<'_>, args: &[Bytes]) -> Result<(), Error> {
    let (user, token) = match args {
        [token] => (None, token),
        [user, token] => (Some(user), token),
        _ => return Err(Error::Syntax),
    };
    let access = &request.front.serving.access;
    let named = user.map(|user| String::from_utf8_lossy(user));
    match access.authenticate(named.as_deref(), token) {
        Ok(identity) => become_somebody(request, identity, token),
        Err(_) if named.is_none() && !access.required() => Err(Error::NoPassword),
        Err(wrong) => {
            // A token where the name belongs is a mistake that must not end in a log.
            let user =
                named.filter(|user| access.authenticate(None, user.as_bytes()).is_err()).unwrap_or_default();
            request.front.refused(request.session, Reason::Auth, request.spec.name, &user);
            Err(wrong.into())
        }
    }
}

/// Notes whose connection it would have been; by itself it is still who it was.
fn too_many(request: &Request<'_>, user: &str, over: OverQuota) -> Error {
    request.front.refused(request.session, Reason::Quota, "connections", user);
    over.into()
}

/// Acts as whoever the token belongs to from now on.
fn become_somebody(request: &Request<'_>, identity: Arc<Identity>, token: &Bytes) -> Result<(), Error> {
    let (session, serving) = (request.session, &request.front.serving);
    let presented = (!identity.proves_nothing()).then(|| Secret::new(String::from_utf8_lossy(token)));
    if session.tenant() != identity.tenant {
        // What it was to be told is of keys that are not its own any more.
        serving.tracking.leave(session);
    }
    session.assume(identity.clone()).map_err(|over| too_many(request, &identity.user, over))?;
    session.set_token(presented);
    // It may have been revoked between the question and now, when nobody saw that it concerned this connection.
    serving.access.still(&identity).map(|_| ()).ok_or_else(|| {
        session.kill();
        WrongPass.into()
    })
}

fn select(door: Door, database: &Bytes) -> Result<Reply, Error> {
    match parse_integer(database).and_then(|number| i32::try_from(number).ok()) {
        Some(0) => Ok(Reply::ok()),
        Some(_) if door == Door::Proxy => Err(Error::NoSuchDatabase),
        Some(_) => Err(Error::Select),
        None => Err(Error::NotAnInteger),
    }
}

/// `HELLO [protover [AUTH user password] [SETNAME name]]`: all of it or, with an error, nothing.
fn hello(request: &Request<'_>) -> Result<Reply, Error> {
    let (session, args) = (request.session, request.args);
    let protocol = match args.get(1) {
        None => session.protocol(),
        Some(version) => match parse_integer(version).ok_or(Error::ProtocolNotAnInteger)? {
            2 => Protocol::Resp2,
            3 => Protocol::Resp3,
            _ => return Err(Error::UnknownProtocol),
        },
    };
    let (mut name, mut login) = (None, None);
    let mut options = args.get(2..).unwrap_or_default();
    loop {
        options = match options {
            [] => break,
            [option, user, password, rest @ ..] if is(option, "AUTH") => {
                login = Some([user.clone(), password.clone()]);
                rest
            }
            [option, given, rest @ ..] if is(option, "SETNAME") => {
                name = Some(valid_label(given, "Client names")?);
                rest
            }
            [option, ..] => return Err(Error::HelloOption(quoted(option))),
        }
    }
    if let Some(login) = login {
        auth(request, &login)?;
    }
    if session.identity().is_none() {
        return Err(Error::HelloNotAuthenticated);
    }
    if let Some(name) = name {
        session.labels().name = name;
    }
    if protocol == Protocol::Resp2 {
        // Only RESP3 has a way to tell it.
        request.front.serving.tracking.leave(session);
    }
    session.set_protocol(protocol);
    Ok(greeting(request, protocol))
}

/// What a server calls itself: whoever comes by the proxy is told of no cluster.
pub(super) fn mode(door: Door) -> &'static str {
    match door {
        Door::Resp => "cluster",
        Door::Proxy => "standalone",
    }
}

fn greeting(request: &Request<'_>, protocol: Protocol) -> Reply {
    let version = if protocol == Protocol::Resp3 { 3 } else { 2 };
    Reply::Map(vec![
        // Clients look for this name; INFO tells what the server really is.
        (Reply::text("server"), Reply::text("redis")),
        (Reply::text("version"), Reply::text(super::info::REDIS_VERSION)),
        (Reply::text("proto"), Reply::Integer(version)),
        (Reply::text("id"), Reply::Integer(request.session.id as i64)),
        (Reply::text("mode"), Reply::text(mode(request.session.door))),
        (Reply::text("role"), Reply::text("master")),
        (Reply::text("modules"), Reply::Array(Vec::new())),
    ])
}
