//! The words of a script's commands.
//!
//! ```text
//! create [partitions=4] [copies=2] [unplaced] [incarnation=1] [config=KEY:VALUE,...] [users=NAME:BYTE,...] [of=0]
//!     [understands=]
//! issue ID NAME [weight=] [zone=] [region=] [addr=] [understands=]
//! boot NODE/INCARNATION [zone=] [region=] [addr=] [understands=]    down NODE/INCARNATION
//! mode NODE active|draining|leaving    weight NODE N    remove NODE
//! place P@EPOCHvVERSION SEAT,SEAT promote R | restart R | hand_over R R | seats   [; another]...
//! in_sync P@EPOCHvVERSION R,R [; another]...
//! tenant ID NAME [placement=] [ack=] [policy=] [memory=] [ops=] [connections=]
//! update ID [ack=] [policy=] [memory=] [ops=] [connections=]    remove_tenant ID [with_users]
//! user NAME TENANT [role=] [tokens=ID:BYTE[:END],...]           (a hash is BYTE, two digits, 32 times)
//! update_user NAME [role=] [enabled=]  remove_user NAME
//! token USER ID BYTE [until=] [others_until=]                   revoke USER ID
//! set KEY VALUE [expect=absent|=VALUE] unset KEY [expect=...]
//! acquire ROLE R token=N until=N       release ROLE R token=N
//! ```

use predis_meta::{
    Ack, Action, Addresses, ClusterInfo, DEFAULT_WEIGHT, Expect, InSyncChange, Mode, NewMember, NewTenant,
    NewToken, NewUser, PlacementChange, PlacementKind, Replica, TenantPlacement, TenantSettings, UserRole,
    VERSION,
};
use predis_types::{ClusterId, Epoch, Incarnation, NodeId, PartitionCount, PartitionId, TenantId};
use std::{fmt::Debug, str::FromStr};

fn number<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn node(text: &str) -> NodeId {
    NodeId(number(text))
}

fn replica(text: &str) -> Replica {
    let (id, incarnation) = text.split_once('/').unwrap_or_else(|| panic!("{text}: NODE/INCARNATION"));
    Replica { node: node(id), incarnation: Incarnation(number(incarnation)) }
}

fn replicas<T: FromIterator<Replica>>(text: &str) -> T {
    text.split(',').map(replica).collect()
}

/// `P@EPOCHvVERSION`.
fn seen(text: &str) -> (PartitionId, Epoch, u64) {
    let (partition, at) = text.split_once('@').unwrap_or_else(|| panic!("{text}: P@EPOCHvVERSION"));
    let (epoch, version) = at.split_once('v').unwrap_or_else(|| panic!("{text}: P@EPOCHvVERSION"));
    (PartitionId(number(partition)), Epoch(number(epoch)), number(version))
}

/// The value of `name=value` among the words.
fn option<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

fn addresses(words: &[&str], id: NodeId) -> Addresses {
    let host = option(words, "addr").map_or(format!("h{id}"), str::to_owned);
    if host.is_empty() {
        return Addresses { resp: String::new(), grpc: String::new(), metrics: String::new() };
    }
    Addresses { resp: format!("{host}:6379"), grpc: format!("{host}:7379"), metrics: format!("{host}:9090") }
}

fn text(words: &[&str], name: &str) -> String {
    option(words, name).unwrap_or_default().to_owned()
}

fn understands(words: &[&str]) -> u32 {
    option(words, "understands").map_or(VERSION, number)
}

fn member(words: &[&str], id: NodeId, name: &str) -> NewMember {
    NewMember {
        id,
        name: name.to_owned(),
        addrs: addresses(words, id),
        zone: text(words, "zone"),
        region: text(words, "region"),
        weight: option(words, "weight").map_or(DEFAULT_WEIGHT, number),
        metadata_version: understands(words),
    }
}

fn settings(words: &[&str]) -> TenantSettings {
    TenantSettings {
        ack: number(option(words, "ack").unwrap_or("async")),
        policy: option(words, "policy").unwrap_or("s3fifo").to_owned(),
        memory_bytes: option(words, "memory").map(number),
        max_ops_per_second: option(words, "ops").map(number),
        max_connections: option(words, "connections").map(number),
    }
}

fn new_tenant(words: &[&str], id: TenantId, name: &str) -> NewTenant {
    let placement = option(words, "placement").map_or(TenantPlacement::Spread, number);
    NewTenant { id, name: name.to_owned(), placement, settings: settings(words) }
}

fn create(words: &[&str]) -> Action {
    let partitions = PartitionCount::new(option(words, "partitions").map_or(4, number)).unwrap();
    let copies = option(words, "copies").map_or(2, number);
    let seats = if words.contains(&"unplaced") { vec![] } else { vec![NodeId(1)] };
    Action::CreateCluster {
        info: ClusterInfo { id: ClusterId(7), created_at_ms: 1000, partitions, copies, hash_key: [1, 2] },
        founder: member(words, NodeId(1), "n1"),
        incarnation: Incarnation(option(words, "incarnation").map_or(1, number)),
        tenant: new_tenant(words, TenantId(0), "default"),
        placement: vec![seats; usize::from(partitions.get())],
        config: list(words, "config").map(pair).map(|(key, value)| (key.into(), value.into())).collect(),
        users: list(words, "users").map(|founded| founded_user(words, founded)).collect(),
    }
}

/// The items of `name=item,item` among the words.
fn list<'a>(words: &[&'a str], name: &str) -> impl Iterator<Item = &'a str> {
    option(words, name).into_iter().flat_map(|items| items.split(','))
}

fn pair(text: &str) -> (&str, &str) {
    text.split_once(':').unwrap_or_else(|| panic!("{text}: two words with a colon between"))
}

fn founded_user(words: &[&str], text: &str) -> NewUser {
    let (name, byte) = pair(text);
    let (tenant, tokens) =
        (TenantId(option(words, "of").map_or(0, number)), vec![token("first", byte, None)]);
    NewUser { name: name.to_owned(), tenant, role: UserRole::Admin, tokens }
}

fn token(id: &str, byte: &str, expires_at_ms: Option<u64>) -> NewToken {
    NewToken { id: id.to_owned(), hash: byte.repeat(32), expires_at_ms }
}

fn new_user(words: &[&str], name: &str, tenant: TenantId) -> NewUser {
    let role = option(words, "role").map_or(UserRole::ReadWrite, number);
    let tokens = list(words, "tokens").map(|text| match text.split(':').collect::<Vec<_>>()[..] {
        [id, byte] => token(id, byte, None),
        [id, byte, end] => token(id, byte, Some(number(end))),
        _ => panic!("{text}: ID:BYTE[:END]"),
    });
    NewUser { name: name.to_owned(), tenant, role, tokens: tokens.collect() }
}

fn change(words: &[&str]) -> PlacementChange {
    let [at, seats, kind, rest @ ..] = words else { panic!("{words:?}: P@EPOCHvVERSION SEATS KIND") };
    let (partition, epoch, version) = seen(at);
    let kind = match (*kind, rest) {
        ("promote", [to]) => PlacementKind::Promote { to: replica(to) },
        ("restart", [to]) => PlacementKind::Restart { to: replica(to) },
        ("hand_over", [from, to]) => PlacementKind::HandOver { from: replica(from), to: replica(to) },
        ("seats", []) => PlacementKind::Seats,
        _ => panic!("{words:?}: not a kind of change"),
    };
    let replicas = seats.split(',').filter(|seat| *seat != "-").map(node).collect();
    PlacementChange { partition, epoch, version, replicas, kind }
}

fn in_sync(words: &[&str]) -> InSyncChange {
    let [at, set] = words else { panic!("{words:?}: P@EPOCHvVERSION R,R") };
    let (partition, epoch, version) = seen(at);
    InSyncChange { partition, epoch, version, in_sync: replicas(set) }
}

fn expect(words: &[&str]) -> Expect {
    match option(words, "expect") {
        None => Expect::Any,
        Some("absent") => Expect::Absent,
        Some(value) => Expect::Value(value.trim_start_matches('=').to_owned()),
    }
}

/// The action that the words ask for. Panics on a word it does not know: the script is wrong.
pub fn action(words: &[&str]) -> Action {
    match *words {
        ["create", ..] => create(words),
        ["issue", id, name, ..] => Action::IssueNode { member: member(words, node(id), name) },
        ["boot", boot, ..] => {
            let Replica { node, incarnation } = replica(boot);
            let (zone, region) = (text(words, "zone"), text(words, "region"));
            let (addrs, metadata_version) = (addresses(words, node), understands(words));
            Action::Boot { node, incarnation, addrs, zone, region, metadata_version }
        }
        ["down", boot] => {
            let Replica { node, incarnation } = replica(boot);
            Action::NodeDown { node, incarnation }
        }
        ["mode", id, mode] => {
            let mode = match mode {
                "active" => Mode::Active,
                "draining" => Mode::Draining,
                "leaving" => Mode::Leaving,
                _ => panic!("{mode}: not a mode"),
            };
            Action::SetMode { node: node(id), mode }
        }
        ["weight", id, weight] => Action::SetWeight { node: node(id), weight: number(weight) },
        ["remove", id] => Action::RemoveNode { node: node(id) },
        ["place", ref rest @ ..] => {
            Action::Place { changes: rest.split(|word| *word == ";").map(change).collect() }
        }
        ["in_sync", ref rest @ ..] => {
            Action::ChangeInSync { changes: rest.split(|word| *word == ";").map(in_sync).collect() }
        }
        _ => other(words),
    }
}

/// Actions on tenants and users, if it is one.
fn who(words: &[&str]) -> Option<Action> {
    let tenant = |id: &str| TenantId(number(id));
    Some(match *words {
        ["tenant", id, name, ..] => Action::CreateTenant { tenant: new_tenant(words, tenant(id), name) },
        ["update", id, ..] => Action::UpdateTenant {
            tenant: tenant(id),
            settings: settings(words),
            expect: option(words, "was").map(|policy| TenantSettings::unlimited(Ack::Async, policy)),
        },
        ["remove_tenant", id] => Action::RemoveTenant { tenant: tenant(id), with_users: false },
        ["remove_tenant", id, "with_users"] => Action::RemoveTenant { tenant: tenant(id), with_users: true },
        ["user", name, of, ..] => Action::CreateUser { user: new_user(words, name, tenant(of)) },
        ["update_user", name, ..] => Action::UpdateUser {
            name: name.to_owned(),
            role: option(words, "role").map(number),
            enabled: option(words, "enabled").map(number),
        },
        ["remove_user", name] => Action::RemoveUser { name: name.to_owned() },
        ["token", user, id, byte, ..] => Action::AddToken {
            user: user.to_owned(),
            token: token(id, byte, option(words, "until").map(number)),
            others_expire_at_ms: option(words, "others_until").map(number),
        },
        ["revoke", user, id] => Action::RevokeToken { user: user.to_owned(), id: id.to_owned() },
        _ => return None,
    })
}

/// Actions on tenants, users, settings and roles.
fn other(words: &[&str]) -> Action {
    if let Some(action) = who(words) {
        return action;
    }
    let required = |name: &str| number(option(words, name).unwrap_or_else(|| panic!("{words:?}: no {name}")));
    match *words {
        ["set", key, value, ..] => {
            Action::SetConfig { key: key.to_owned(), value: Some(value.to_owned()), expect: expect(words) }
        }
        ["unset", key, ..] => Action::SetConfig { key: key.to_owned(), value: None, expect: expect(words) },
        ["acquire", role, holder, ..] => Action::AcquireRole {
            role: role.to_owned(),
            holder: replica(holder),
            token: required("token"),
            until_ms: required("until"),
        },
        ["release", role, holder, ..] => {
            Action::ReleaseRole { role: role.to_owned(), holder: replica(holder), token: required("token") }
        }
        _ => panic!("{words:?}: not a command"),
    }
}
