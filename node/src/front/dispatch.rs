//! From a request's arguments to who carries it out.
//!
//! ```text
//! arguments -> command -> arity -> user -> role -> keys -> slot            a shard carries it out
//!                 |         |      |       |       '---- no keys ----------> this node does
//!                 '---------'------'-------'---- refused, in Redis's words
//! ```
//! Whether this node may serve the partition is not decided here but where the partition is locked.

use super::error::Error;
use super::proxy::is_gathered;
use super::session::Door;
use crate::access::Identity;
use crate::shards::Call;
use bytes::Bytes;
use predis_resp::{CommandSpec, Flag, lookup};
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
    /// Several nodes do; only for those that know nothing of them.
    Gathered(Call),
    /// Nobody does.
    Refused {
        /// The command it meant, if it meant one.
        spec: Option<&'static CommandSpec>,
        /// Why.
        error: Error,
    },
}

/// Decides what is to be done with a request of somebody, or of nobody; `args` is never empty.
pub(super) fn plan(door: Door, identity: Option<&Identity>, args: Vec<Bytes>) -> Plan {
    let spec = match lookup(&args) {
        Ok(spec) => spec,
        Err(error) => return Plan::Refused { spec: None, error: error.into() },
    };
    match slot_of(identity, spec, &args) {
        Ok(Some(slot)) if Shard::executes(spec.id) => Plan::Keys(Call { spec, args }, slot),
        Ok(None) | Err(Error::CrossSlot(_)) if door == Door::Proxy && is_gathered(spec.id) => {
            Plan::Gathered(Call { spec, args })
        }
        Ok(_) => Plan::Node(Call { spec, args }),
        Err(error) => Plan::Refused { spec: Some(spec), error },
    }
}

fn slot_of(
    identity: Option<&Identity>,
    spec: &'static CommandSpec,
    args: &[Bytes],
) -> Result<Option<Slot>, Error> {
    spec.check_arity(args.len())?;
    let Some(identity) = identity else {
        return if spec.flags.contains(Flag::NoAuth) { Ok(None) } else { Err(Error::NotAuthenticated) };
    };
    if spec.role > identity.role {
        return Err(Error::NoPermission { user: identity.user.clone(), command: spec.name });
    }
    let mut slots = spec.keys_of(args).map(|index| key_slot(&args[index]));
    // Where all of a tenant's keys are kept together, any of them may meet in a command.
    if identity.gate.colocated.is_some() { Ok(slots.next()) } else { Ok(route_keys(slots)?) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::tests::identity;
    use predis_meta::TenantPlacement::{Colocated, Spread};
    use predis_resp::{CommandId, Role, commands, find};

    fn words(line: &str) -> Vec<Bytes> {
        line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect()
    }

    fn planned(line: &str) -> Plan {
        plan(Door::Resp, Some(&identity(Role::Admin, Spread)), words(line))
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

    #[test]
    fn the_proxy_gathers_what_several_nodes_have() {
        let somebody = identity(Role::ReadWrite, Spread);
        let gathered = |line| matches!(plan(Door::Proxy, Some(&somebody), words(line)), Plan::Gathered(_));
        for line in ["mget a b", "mset a 1 b 2", "del a b", "dbsize", "scan 0", "flushall", "partition len 1"]
        {
            assert!(gathered(line), "{line}");
        }
        for line in ["mget {a}1 {a}2", "get a", "ping", "msetnx a 1 b 2", "rename a b", "client id"] {
            assert!(!gathered(line), "{line}");
        }
        let reader = identity(Role::ReadOnly, Spread);
        assert!(matches!(plan(Door::Proxy, Some(&reader), words("flushall")), Plan::Refused { .. }));
    }

    #[test]
    fn keys_kept_together_may_meet_in_any_command() {
        let together = identity(Role::Admin, Colocated);
        let Plan::Keys(_, slot) = plan(Door::Resp, Some(&together), words("mget a b")) else {
            panic!("a shard's")
        };
        assert_eq!(slot, key_slot(b"a"));
    }

    /// A call of every command with as many arguments as it takes, by whoever `identity` is.
    fn every_command(identity: Option<&Identity>, judge: impl Fn(&'static CommandSpec, Plan)) {
        let mut judged = 0;
        for spec in commands().flat_map(|spec| std::iter::once(spec).chain(spec.subcommands)) {
            let mut args: Vec<Bytes> = spec.name.split('|').map(|part| part.as_bytes().into()).collect();
            while args.len() < spec.arity.unsigned_abs() as usize {
                // A container with a word behind it would be one of its subcommands.
                args.push(Bytes::from_static(b"help"));
            }
            judge(spec, plan(Door::Resp, identity, args));
            judged += 1;
        }
        assert_eq!(judged, CommandId::ALL.len());
    }

    #[test]
    fn nobody_may_do_nothing_but_say_who_it_is_or_leave() {
        every_command(None, |spec, plan| {
            let may = ["hello", "auth", "quit", "reset"].contains(&spec.name);
            match plan {
                Plan::Node(_) => assert!(may, "{}", spec.name),
                Plan::Refused { error: Error::NotAuthenticated, .. } => assert!(!may, "{}", spec.name),
                other => panic!("{}: {other:?}", spec.name),
            }
        });
    }

    #[test]
    fn roles_bound_every_command() {
        for role in [Role::ReadOnly, Role::ReadWrite, Role::Operator, Role::Admin] {
            every_command(Some(&identity(role, Spread)), |spec, plan| {
                let refused = matches!(plan, Plan::Refused { error: Error::NoPermission { .. }, .. });
                // A container's call became its HELP.
                let meant =
                    find(format!("{}|help", spec.name).as_bytes()).map_or(spec.role, |help| help.role);
                assert_eq!(refused, meant > role, "{} for {role:?}", spec.name);
            });
        }
    }
}
