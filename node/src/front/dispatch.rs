//! From a request's arguments to who carries it out.
//!
//! ```text
//! arguments -> command -> arity -> role -> keys -> slot -> partition        a shard carries it out
//!                 |         |        |       '---- no keys ---------------> this node does
//!                 '---------'--------'---- refused, in Redis's words
//! ```
//! Whether this node may serve the partition is not decided here but where the partition is locked.

use super::error::Error;
use super::session::Session;
use crate::shards::Call;
use bytes::Bytes;
use predis_resp::{CommandSpec, lookup};
use predis_router::route_keys;
use predis_shard::Shard;
use predis_types::{Slot, key_slot};

/// What is to be done with a request.
#[derive(Debug)]
pub(super) enum Plan {
    /// A shard carries it out.
    Keys(Call, Slot),
    /// The node does.
    Node(Call),
    /// Nobody does.
    Refused {
        /// The command it meant, if it meant one.
        spec: Option<&'static CommandSpec>,
        /// Why.
        error: Error,
    },
}

/// Decides what is to be done with a request; `args` is never empty.
pub(super) fn plan(session: &Session, args: Vec<Bytes>) -> Plan {
    let spec = match lookup(&args) {
        Ok(spec) => spec,
        Err(error) => return Plan::Refused { spec: None, error: error.into() },
    };
    match slot_of(session, spec, &args) {
        Ok(Some(slot)) if Shard::executes(spec.id) => Plan::Keys(Call { spec, args }, slot),
        Ok(_) => Plan::Node(Call { spec, args }),
        Err(error) => Plan::Refused { spec: Some(spec), error },
    }
}

fn slot_of(session: &Session, spec: &CommandSpec, args: &[Bytes]) -> Result<Option<Slot>, Error> {
    spec.check_arity(args.len())?;
    if spec.role > session.role {
        return Err(Error::NoPermission(spec.name));
    }
    Ok(route_keys(spec.keys_of(args).map(|index| key_slot(&args[index])))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use predis_resp::CommandId;

    fn planned(line: &str) -> Plan {
        let addr = ([127, 0, 0, 1], 1).into();
        let session = Session::new(1, addr, addr, 0);
        plan(&session, line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect())
    }

    #[test]
    fn requests_find_who_carries_them_out() {
        let Plan::Keys(call, slot) = planned("mget {a}1 {a}2") else { panic!("a shard's") };
        assert_eq!((call.spec.id, slot), (CommandId::Mget, key_slot(b"a")));
        let Plan::Node(call) = planned("client id") else { panic!("the node's") };
        assert_eq!(call.spec.id, CommandId::ClientId);
        for (line, message) in [
            ("get", "ERR wrong number of arguments for 'get' command"),
            ("mget a b", "CROSSSLOT Keys in request don't hash to the same slot"),
            ("nonsense a", "ERR unknown command 'nonsense', with args beginning with: 'a' "),
            ("cluster nonsense", "ERR unknown subcommand 'nonsense'. Try CLUSTER HELP."),
        ] {
            let Plan::Refused { error, .. } = planned(line) else { panic!("{line} is refused") };
            assert_eq!(error.to_string(), message);
        }
    }
}
