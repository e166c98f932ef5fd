//! CONFIG GET, SET and RESETSTAT.
//!
//! A change of what all nodes agree on is proposed to the metadata and answered once it is agreed on and
//! applied here; all of a request's values are read before any of them is changed.

use super::Request;
use super::parameters::{Change, PARAMETERS, Parameter, named};
use crate::front::error::{Error, quoted};
use crate::front::glob;
use bytes::Bytes;
use predis_meta::Action;
use predis_raft::ProposeError;
use predis_resp::{CommandId, Reply};

/// How often a change is computed anew because the settings changed under it.
const ATTEMPTS: usize = 5;

pub(super) async fn run(request: &Request<'_>) -> Result<Reply, Error> {
    match request.spec.id {
        CommandId::ConfigGet => Ok(get(request)),
        CommandId::ConfigSet => set(request).await,
        CommandId::ConfigResetstat => {
            if request.is_of_cluster() {
                request.front.stats.reset();
            }
            request.front.serving.shards.reset_counters(request.session.tenant());
            Ok(Reply::ok())
        }
        _ => Err(Error::NotHere(request.spec.name)),
    }
}

fn get(request: &Request<'_>) -> Reply {
    let patterns = &request.args[2..];
    let asked = |parameter: &&Parameter| patterns.iter().any(|glob| glob::matches(glob, parameter.name));
    let value = |parameter: &Parameter| (Reply::text(parameter.name), Reply::bulk((parameter.get)(request)));
    Reply::Map(PARAMETERS.iter().filter(asked).map(value).collect())
}

/// `CONFIG SET name value [name value ...]`
async fn set(request: &Request<'_>) -> Result<Reply, Error> {
    let changes = parse(&request.args[2..])?;
    // A tenant's operator chooses how its keys are evicted, not how much of the nodes it may have.
    if changes.iter().any(|change| !matches!(change, Change::Policy(_))) {
        request.ensure_of_cluster()?;
    }
    agree(request, &changes).await?;
    for change in changes {
        match change {
            Change::MaxClients(count) => request.front.serving.tunables.set_max_clients(count),
            Change::Timeout(seconds) => request.front.serving.tunables.set_timeout_s(seconds),
            Change::MaxMemory(_) | Change::Policy(_) => {}
        }
    }
    Ok(Reply::ok())
}

fn parse(args: &[Bytes]) -> Result<Vec<Change>, Error> {
    let mut seen: Vec<&str> = Vec::new();
    let mut changes = Vec::new();
    for pair in args.chunks(2) {
        let [name, value] = pair else { return Err(Error::Syntax) };
        let parameter = named(name).ok_or_else(|| Error::UnknownParameter(quoted(name)))?;
        let bad = |reason: String| Error::BadParameter { name: parameter.name, reason };
        if seen.contains(&parameter.name) {
            return Err(bad("duplicate parameter".to_owned()));
        }
        seen.push(parameter.name);
        let parse = parameter.parse.ok_or_else(|| bad("can't set immutable config".to_owned()))?;
        changes.push(parse(&String::from_utf8_lossy(value)).map_err(bad)?);
    }
    Ok(changes)
}

/// Has the cluster agree on those changes that concern all nodes, in one step.
async fn agree(request: &Request<'_>, changes: &[Change]) -> Result<(), Error> {
    if !changes.iter().any(|change| matches!(change, Change::MaxMemory(_) | Change::Policy(_))) {
        return Ok(());
    }
    let (serving, tenant) = (&request.front.serving, request.session.tenant());
    let identity = request.session.identity().as_ref().cloned().ok_or(Error::NotAuthenticated)?;
    let mut attempts = 0..ATTEMPTS;
    loop {
        // Settings are replaced as a whole, so the ones to build on must not be old.
        let published = serving.meta.read(serving.propose_limit).await?;
        let current = published.state.tenants().get(&tenant).map(|tenant| tenant.settings.clone());
        let current =
            current.ok_or_else(|| ProposeError::Unavailable("there is no cluster yet".to_owned()))?;
        let mut settings = current.clone();
        for change in changes {
            match change {
                Change::MaxMemory(bytes) => settings.memory_bytes = *bytes,
                Change::Policy(kind) => settings.policy = kind.name().to_owned(),
                Change::MaxClients(_) | Change::Timeout(_) => {}
            }
        }
        let update = Action::UpdateTenant { tenant, settings, expect: Some(current) };
        match serving.propose(&identity.actor(), update).await {
            Ok(_) => return Ok(()),
            // Somebody else was faster: what they set stays.
            Err(ProposeError::Rejected(moved)) if moved.may_retry() && attempts.next().is_some() => {}
            Err(error) => return Err(error.into()),
        }
    }
}
