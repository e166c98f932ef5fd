//! CLIENT KILL, in its old form (an address) and its new one (filters).

use super::acl;
use super::client::{is_normal, visible};
use super::{Request, is};
use crate::access::Identity;
use crate::front::error::{Error, quoted};
use crate::front::session::Session;
use bytes::Bytes;
use predis_resp::{Reply, parse_integer};
use std::sync::Arc;

/// Which connections are meant: those that pass all filters given.
#[derive(Default)]
struct Filters {
    id: Option<u64>,
    addr: Option<Bytes>,
    local_addr: Option<Bytes>,
    /// A type that no connection here has was asked for.
    other_type: bool,
    user: Option<Bytes>,
    spare_me: bool,
}

impl Filters {
    /// Reads `name value` pairs.
    fn parse(args: &[Bytes], users: &[Arc<Identity>]) -> Result<Filters, Error> {
        let mut filters = Filters { spare_me: true, ..Filters::default() };
        for pair in args.chunks(2) {
            let [name, value] = pair else { return Err(Error::Syntax) };
            if is(name, "ID") {
                let id = parse_integer(value).and_then(|id| u64::try_from(id).ok()).filter(|id| *id > 0);
                filters.id = Some(id.ok_or(Error::ClientIdNotPositive)?);
            } else if is(name, "TYPE") {
                filters.other_type |= !is_normal(value)?;
            } else if is(name, "ADDR") {
                filters.addr = Some(value.clone());
            } else if is(name, "LADDR") {
                filters.local_addr = Some(value.clone());
            } else if is(name, "USER") {
                if !users.iter().any(|user| user.user.as_bytes() == value) {
                    return Err(Error::NoSuchUser(quoted(value)));
                }
                filters.user = Some(value.clone());
            } else if is(name, "SKIPME") {
                filters.spare_me = is(value, "YES");
                if !filters.spare_me && !is(value, "NO") {
                    return Err(Error::Syntax);
                }
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(filters)
    }

    fn accept(&self, session: &Session, me: u64) -> bool {
        let at = |wanted: &Option<Bytes>, addr: std::net::SocketAddr| {
            wanted.as_ref().is_none_or(|wanted| wanted.as_ref() == addr.to_string().as_bytes())
        };
        !self.other_type
            && self.id.is_none_or(|id| id == session.id)
            && at(&self.addr, session.addr)
            && at(&self.local_addr, session.local_addr)
            && self.user.as_ref().is_none_or(|user| session.user().as_bytes() == user)
            && !(self.spare_me && session.id == me)
    }
}

/// `CLIENT KILL ip:port` or `CLIENT KILL filter value [filter value ...]`
pub(super) fn run(request: &Request<'_>) -> Result<Reply, Error> {
    match &request.args[2..] {
        [addr] => {
            let filters = Filters { addr: Some(addr.clone()), ..Filters::default() };
            if kill(request, &filters) > 0 { Ok(Reply::ok()) } else { Err(Error::NoSuchClient) }
        }
        args => Ok(Reply::Integer(kill(request, &Filters::parse(args, &acl::visible(request))?))),
    }
}

/// Ends the connections that are meant, this one only after its reply, and says how many they are.
fn kill(request: &Request<'_>, filters: &Filters) -> i64 {
    let me = request.session.id;
    let mut killed = 0;
    for session in visible(request) {
        if filters.accept(&session, me) {
            killed += 1;
            if session.id == me { session.close_after_replies() } else { session.kill() }
        }
    }
    killed
}
