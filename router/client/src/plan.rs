//! From a command's arguments to where it goes: to one partition, in pieces to several, or to all of them.
//!
//! Knows the command table and the tenant, and nothing of nodes.

use crate::{core::Place, error::CallError, view::View};
use predis_resp::{CommandId, CommandSpec, Reply, lookup};
use predis_router::CrossSlot;
use predis_types::{PartitionId, Slot, key_slot};

/// What is to be done with a command.
#[derive(Debug)]
pub(crate) enum Plan {
    /// It goes as it is.
    Whole(&'static CommandSpec, Place),
    /// Its keys lie in several slots: it is cut up, and not carried out as one.
    Pieces(&'static CommandSpec),
    /// It is about all keys there are.
    AllKeys(CommandId),
    /// Any node would refuse it: so.
    Refused(Reply),
}

/// Decides what is to be done with a command.
///
/// # Errors
/// When its keys lie in several slots and it cannot be cut up, or when it would change a shared connection's state.
pub(crate) fn plan(args: &[&[u8]], view: &View) -> Result<Plan, CallError> {
    let spec = match lookup(args) {
        Ok(spec) => spec,
        Err(error) => return Ok(Plan::Refused(error.into())),
    };
    if let Err(error) = spec.check_arity(args.len()) {
        return Ok(Plan::Refused(error.into()));
    }
    let mut slots = spec.keys_of(args).map(|index| key_slot(args[index]));
    let Some(first) = slots.next() else { return keyless(spec, args, view) };
    if let Some(home) = view.colocated_in {
        return Ok(Plan::Whole(spec, Place::Partition { partition: home, lane: lane_of(first) }));
    }
    if slots.all(|slot| slot == first) {
        return Ok(Plan::Whole(spec, place_of(first, view)));
    }
    use CommandId::{Del, Exists, Mget, Mset, Touch, Unlink};
    match spec.id {
        Mget | Mset | Del | Unlink | Exists | Touch => Ok(Plan::Pieces(spec)),
        _ => Err(CrossSlot.into()),
    }
}

/// Where the keys of a slot are.
pub(crate) fn place_of(slot: Slot, view: &View) -> Place {
    Place::Partition { partition: view.topology.partitions.partition_of(slot), lane: lane_of(slot) }
}

/// Where a partition is, for commands about the whole of it.
pub(crate) fn partition_place(partition: PartitionId) -> Place {
    Place::Partition { partition, lane: usize::from(partition.0) }
}

fn lane_of(slot: Slot) -> usize {
    usize::from(slot.number())
}

fn keyless(spec: &'static CommandSpec, args: &[&[u8]], view: &View) -> Result<Plan, CallError> {
    use CommandId::{
        Asking, Auth, ClientCaching, ClientNoEvict, ClientSetinfo, ClientSetname, ClientTracking,
        ClusterCountkeysinslot, ClusterGetkeysinslot, Dbsize, Flushall, Flushdb, Hello, Keys, PartitionFlush,
        PartitionKeys, PartitionLen, PartitionRandomkey, PartitionScan, Quit, Randomkey, Readonly, Readwrite,
        Reset, Scan, Select,
    };
    let number = || {
        let text = std::str::from_utf8(args.get(2)?).ok()?;
        text.parse::<u16>().ok()
    };
    let place = match spec.id {
        Dbsize | Flushall | Flushdb | Keys | Randomkey | Scan => return Ok(Plan::AllKeys(spec.id)),
        Asking | Auth | Hello | Quit | Readonly | Readwrite | Reset | Select | ClientCaching
        | ClientNoEvict | ClientSetinfo | ClientSetname | ClientTracking => {
            return Err(CallError::Stateful(spec.name));
        }
        PartitionFlush | PartitionKeys | PartitionLen | PartitionRandomkey | PartitionScan => number()
            .filter(|number| *number < view.topology.partitions.get())
            .map(|number| partition_place(PartitionId(number))),
        ClusterCountkeysinslot | ClusterGetkeysinslot => {
            number().and_then(Slot::new).map(|slot| place_of(slot, view))
        }
        _ => None,
    };
    // A number that is none is refused by any node.
    Ok(Plan::Whole(spec, place.unwrap_or(Place::Any)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use predis_router::Topology;
    use predis_types::{ClusterId, PartitionCount};

    fn view(colocated_in: Option<u16>) -> View {
        let partitions = PartitionCount::new(16).unwrap();
        let colocated_in = colocated_in.map(PartitionId);
        View { colocated_in, ..View::of(Topology::empty(ClusterId(1), partitions)) }
    }

    fn planned(line: &str, colocated_in: Option<u16>) -> Result<Plan, CallError> {
        let args: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        plan(&args, &view(colocated_in))
    }

    fn place(line: &str, colocated_in: Option<u16>) -> Place {
        match planned(line, colocated_in) {
            Ok(Plan::Whole(_, place)) => place,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn keys_decide_where_a_command_goes() {
        // 12182 / 1024 = 11
        let foo = Place::Partition { partition: PartitionId(11), lane: 12182 };
        assert_eq!(place("get foo", None), foo);
        assert_eq!(place("mset {foo}1 a {foo}2 b", None), foo);
        assert_eq!(place("cluster countkeysinslot 12182", None), foo);
        assert_eq!(place("partition len 3", None), Place::Partition { partition: PartitionId(3), lane: 3 });
        for line in ["ping", "partition len 16", "cluster countkeysinslot x", "cluster info"] {
            assert_eq!(place(line, None), Place::Any, "{line}");
        }
    }

    #[test]
    fn what_spans_slots_is_cut_up_or_refused_unless_it_lives_together() {
        assert!(matches!(planned("mget foo bar", None), Ok(Plan::Pieces(_))));
        assert_eq!(planned("msetnx foo 1 bar 2", None).unwrap_err(), CallError::CrossSlot(CrossSlot));
        for line in ["mget foo bar", "msetnx foo 1 bar 2", "rename foo bar"] {
            let Place::Partition { partition, .. } = place(line, Some(5)) else { panic!("{line}") };
            assert_eq!(partition, PartitionId(5), "{line}");
        }
    }

    #[test]
    fn what_would_change_the_connection_is_refused_here_and_nonsense_in_the_words_of_a_node() {
        for line in ["auth a b", "hello 3", "select 0", "client setname x", "readonly", "quit"] {
            assert!(matches!(planned(line, None), Err(CallError::Stateful(_))), "{line}");
        }
        for (line, words) in [
            ("nonsense", "ERR unknown command"),
            ("get", "ERR wrong number of arguments for 'get' command"),
            ("cluster nonsense", "ERR unknown subcommand"),
        ] {
            let Ok(Plan::Refused(Reply::Error(error))) = planned(line, None) else { panic!("{line}") };
            assert!(error.starts_with(words), "{error}");
        }
        assert!(matches!(planned("dbsize", None), Ok(Plan::AllKeys(CommandId::Dbsize))));
    }
}
