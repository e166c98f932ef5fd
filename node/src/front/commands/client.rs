//! CLIENT ID, INFO, LIST, SETNAME, GETNAME, SETINFO, NO-EVICT.

use super::{Request, is, text};
use crate::front::error::{Error, quoted};
use crate::front::session::Session;
use bytes::Bytes;
use predis_resp::{CommandId, Reply, parse_integer};
use std::sync::Arc;

pub(super) fn run(request: &Request<'_>) -> Result<Reply, Error> {
    let (session, args) = (request.session, request.args);
    match request.spec.id {
        CommandId::ClientId => Ok(Reply::Integer(session.id as i64)),
        CommandId::ClientInfo => Ok(text(lines(request, std::slice::from_ref(session)))),
        CommandId::ClientList => list(request),
        CommandId::ClientSetname => {
            session.labels().name = valid_label(&args[2], "Client names")?;
            Ok(Reply::ok())
        }
        CommandId::ClientGetname => {
            let name = session.labels().name.clone();
            Ok(if name.is_empty() { Reply::Null } else { Reply::Bulk(name) })
        }
        CommandId::ClientSetinfo => set_info(session, &args[2], &args[3]),
        CommandId::ClientNoEvict => {
            let on = is(&args[2], "ON");
            if !on && !is(&args[2], "OFF") {
                return Err(Error::Syntax);
            }
            session.set_no_evict(on);
            Ok(Reply::ok())
        }
        _ => Err(Error::NotHere(request.spec.name)),
    }
}

/// A name as it is to be stored: it must not break the line that describes the connection. Copied, because the
/// argument shares the memory of the buffer it was read into.
pub(super) fn valid_label(given: &Bytes, what: &'static str) -> Result<Bytes, Error> {
    if given.iter().all(|byte| (b'!'..=b'~').contains(byte)) {
        Ok(Bytes::copy_from_slice(given))
    } else {
        Err(Error::BadLabel(what))
    }
}

fn set_info(session: &Session, option: &Bytes, value: &Bytes) -> Result<Reply, Error> {
    if is(option, "LIB-NAME") {
        session.labels().lib_name = valid_label(value, "lib-name")?;
    } else if is(option, "LIB-VER") {
        session.labels().lib_ver = valid_label(value, "lib-ver")?;
    } else {
        return Err(Error::UnknownLabel(quoted(option)));
    }
    Ok(Reply::ok())
}

/// `CLIENT LIST [TYPE type] [ID id ...]`
fn list(request: &Request<'_>) -> Result<Reply, Error> {
    let all = visible(request);
    let sessions = match &request.args[2..] {
        [] => all,
        [option, kind] if is(option, "TYPE") => {
            if is_normal(kind)? {
                all
            } else {
                Vec::new()
            }
        }
        [option, ids @ ..] if is(option, "ID") && !ids.is_empty() => {
            let ids = ids.iter().map(client_id).collect::<Result<Vec<u64>, Error>>()?;
            all.into_iter().filter(|session| ids.contains(&session.id)).collect()
        }
        _ => return Err(Error::Syntax),
    };
    Ok(text(lines(request, &sessions)))
}

/// The connections that the user may see: its tenant's, or, for who looks after the cluster, all.
pub(super) fn visible(request: &Request<'_>) -> Vec<Arc<Session>> {
    let tenant = request.session.tenant();
    let mut all = request.front.clients.all();
    if !request.is_of_cluster() {
        all.retain(|session| session.identity().is_some() && session.tenant() == tenant);
    }
    all
}

fn client_id(arg: &Bytes) -> Result<u64, Error> {
    let id = parse_integer(arg).and_then(|id| u64::try_from(id).ok());
    id.filter(|id| *id > 0).ok_or(Error::InvalidClientId)
}

/// Whether a client type is the one that every connection here has.
pub(super) fn is_normal(kind: &Bytes) -> Result<bool, Error> {
    if is(kind, "normal") {
        return Ok(true);
    }
    let known = ["master", "replica", "slave", "pubsub"].iter().any(|name| is(kind, name));
    if known { Ok(false) } else { Err(Error::UnknownClientType(quoted(kind))) }
}

fn lines(request: &Request<'_>, sessions: &[Arc<Session>]) -> Vec<u8> {
    let now_us = request.front.serving.clock.mono_us();
    let mut out = Vec::new();
    for session in sessions {
        session.describe(now_us, &mut out);
        out.push(b'\n');
    }
    out
}
