//! CLIENT TRACKING, CACHING, TRACKINGINFO, GETREDIR: what a client that keeps copies wants to be told.
//!
//! Messages go to the connection itself, so it must speak RESP3; REDIRECT, which is for those that do not, and NOLOOP
//! are refused.

use super::{Request, is};
use crate::front::error::Error;
use crate::front::session::Door;
use crate::front::tracking::Mode;
use bytes::Bytes;
use predis_resp::{CommandId, Protocol, Reply};

/// Every write looks at all of them.
const MOST_PREFIXES: usize = 64;

pub(super) fn run(request: &Request<'_>) -> Result<Reply, Error> {
    match request.spec.id {
        CommandId::ClientTracking => tracking(request),
        CommandId::ClientCaching => caching(request, &request.args[2]),
        CommandId::ClientTrackinginfo => Ok(info(request)),
        CommandId::ClientGetredir => {
            Ok(Reply::Integer(if request.session.tracking().is_some() { 0 } else { -1 }))
        }
        _ => Err(Error::NotHere(request.spec.name)),
    }
}

/// `CLIENT TRACKING ON|OFF [PREFIX prefix ...] [BCAST] [OPTIN] [OPTOUT]`
fn tracking(request: &Request<'_>) -> Result<Reply, Error> {
    let (session, tracking) = (request.session, &request.front.serving.tracking);
    let on = is(&request.args[2], "ON");
    if !on && !is(&request.args[2], "OFF") {
        return Err(Error::Syntax);
    }
    let mode = parse(&request.args[3..])?;
    if !on {
        tracking.leave(session);
        return Ok(Reply::ok());
    }
    if session.door == Door::Proxy {
        return Err(Error::Tracking("is not available through the proxy endpoint"));
    }
    if session.protocol() != Protocol::Resp3 {
        return Err(Error::Tracking("needs RESP3 here: say HELLO 3 first"));
    }
    let before = session.tracking().as_deref().cloned();
    let mode = before.map_or(Ok(mode.clone()), |before| join(before, mode))?;
    tracking.enter(session, mode);
    Ok(Reply::ok())
}

fn parse(args: &[Bytes]) -> Result<Mode, Error> {
    let (mut prefixes, mut broadcast, mut mode) = (Vec::new(), false, Mode::default());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if is(arg, "PREFIX") {
            let prefix: &Bytes = args.next().ok_or(Error::Syntax)?;
            add_prefix(&mut prefixes, prefix)?;
        } else if is(arg, "BCAST") {
            broadcast = true;
        } else if is(arg, "OPTIN") {
            mode.opt_in = true;
        } else if is(arg, "OPTOUT") {
            mode.opt_out = true;
        } else if is(arg, "REDIRECT") || is(arg, "NOLOOP") {
            return Err(Error::Tracking("takes neither REDIRECT nor NOLOOP here"));
        } else {
            return Err(Error::Syntax);
        }
    }
    if !prefixes.is_empty() && !broadcast {
        return Err(Error::Plain("PREFIX option requires BCAST mode to be enabled"));
    }
    if broadcast && (mode.opt_in || mode.opt_out) {
        return Err(Error::Plain("OPTIN and OPTOUT are not compatible with BCAST"));
    }
    if mode.opt_in && mode.opt_out {
        return Err(Error::Plain("You can't specify both OPTIN mode and OPTOUT mode"));
    }
    if broadcast {
        // No prefix is the one that every key begins with.
        mode.broadcast = Some(if prefixes.is_empty() { vec![Bytes::new()] } else { prefixes });
    }
    Ok(mode)
}

/// Two prefixes of which one begins with the other would have keys told twice.
fn add_prefix(prefixes: &mut Vec<Bytes>, prefix: &Bytes) -> Result<(), Error> {
    if prefixes.len() == MOST_PREFIXES {
        return Err(Error::Tracking("takes at most 64 prefixes a connection"));
    }
    let overlaps = |known: &Bytes| known.starts_with(prefix) || prefix.starts_with(known);
    if prefixes.iter().any(overlaps) {
        return Err(Error::Plain("Prefixes must not overlap, or the same keys would be told more than once"));
    }
    prefixes.push(Bytes::copy_from_slice(prefix));
    Ok(())
}

/// What a client that tracks already adds to that.
fn join(before: Mode, more: Mode) -> Result<Mode, Error> {
    if before.broadcast.is_some() != more.broadcast.is_some() {
        return Err(Error::Plain(
            "You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it \
             with a different mode.",
        ));
    }
    if (before.opt_in, before.opt_out) != (more.opt_in, more.opt_out) {
        return Err(Error::Plain(
            "You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it \
             with a different mode.",
        ));
    }
    let (Some(mut prefixes), Some(added)) = (before.broadcast, more.broadcast) else {
        return Ok(Mode { broadcast: None, ..before });
    };
    for prefix in added.iter().filter(|prefix| !prefixes.contains(prefix)).cloned().collect::<Vec<_>>() {
        add_prefix(&mut prefixes, &prefix)?;
    }
    Ok(Mode { broadcast: Some(prefixes), ..before })
}

/// `CLIENT CACHING YES|NO`: of the next command alone.
fn caching(request: &Request<'_>, word: &Bytes) -> Result<Reply, Error> {
    let yes = is(word, "YES");
    if !yes && !is(word, "NO") {
        return Err(Error::Syntax);
    }
    match request.session.tracking().as_deref() {
        Some(Mode { opt_in: true, .. }) if !yes => {
            Err(Error::Plain("CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."))
        }
        Some(Mode { opt_out: true, .. }) if yes => {
            Err(Error::Plain("CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."))
        }
        Some(Mode { opt_in: true, .. } | Mode { opt_out: true, .. }) => {
            request.session.set_caching_next();
            Ok(Reply::ok())
        }
        _ => Err(Error::Plain(
            "CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
        )),
    }
}

fn info(request: &Request<'_>) -> Reply {
    let mode = request.session.tracking().as_deref().cloned();
    let (mut flags, mut prefixes) = (Vec::new(), Vec::new());
    match &mode {
        None => flags.push("off"),
        Some(mode) => {
            flags.push("on");
            flags.extend(
                [("bcast", mode.broadcast.is_some()), ("optin", mode.opt_in), ("optout", mode.opt_out)]
                    .iter()
                    .filter(|(_, set)| *set)
                    .map(|(name, _)| *name),
            );
            prefixes = mode.broadcast.clone().unwrap_or_default();
        }
    }
    prefixes.retain(|prefix| !prefix.is_empty());
    Reply::Map(vec![
        (Reply::text("flags"), Reply::Set(flags.into_iter().map(Reply::text).collect())),
        (Reply::text("redirect"), Reply::Integer(if mode.is_some() { 0 } else { -1 })),
        (Reply::text("prefixes"), Reply::Array(prefixes.into_iter().map(Reply::Bulk).collect())),
    ])
}
