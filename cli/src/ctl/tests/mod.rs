//! Every command and the calls it makes, held against what the API offers; a recorder stands in for a node.

mod recorder;

use super::{CtlArgs, Session, Target, ask, contexts::Context};
use clap::{Command, CommandFactory, Parser};
use predis_types::PartitionCount;
use recorder::{CLUSTER, Recorder};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    ctl: CtlArgs,
}

/// A command line and the methods that it calls.
struct Row(&'static str, &'static [&'static str]);

const ROWS: &[Row] = &[
    Row("cluster status --partitions", &["Cluster/Status"]),
    Row("cluster watch --count 1", &["Cluster/Watch"]),
    Row("cluster drain one", &["Cluster/Status", "Cluster/SetMode", "Cluster/Watch"]),
    Row("cluster leave one --no-wait", &["Cluster/Status", "Cluster/SetMode"]),
    Row("cluster activate 1", &["Cluster/Status", "Cluster/SetMode"]),
    Row("cluster weight one 50", &["Cluster/Status", "Cluster/SetWeight"]),
    Row("cluster forget one", &["Cluster/Status", "Cluster/Forget"]),
    Row("cluster recover eu --lost one --yes", &["Cluster/Status", "Cluster/Recover"]),
    Row("nodes one", &["Cluster/Status"]),
    Row("partitions --node one", &["Cluster/Status"]),
    Row("topology", &["Topology/Follow"]),
    Row("tenants list", &["Tenants/List"]),
    Row("tenants create acme --memory 1gb --max-ops none", &["Tenants/Create"]),
    Row("tenants update acme --policy lru --memory none", &["Tenants/Update"]),
    Row("tenants remove acme", &["Tenants/Remove"]),
    Row("users list --tenant acme", &["Users/List"]),
    Row("users create ann --role admin --expires 7d", &["Users/Create"]),
    Row("users update ann --disable", &["Users/Update"]),
    Row("users remove ann", &["Users/Remove"]),
    Row("users rotate ann --overlap 10m", &["Users/AddToken"]),
    Row("users token add ann --token-id second", &["Users/AddToken"]),
    Row("users token revoke ann second", &["Users/RevokeToken"]),
    Row("config get", &["Config/Get"]),
    Row("config set require-auth yes", &["Config/Set"]),
    Row("config unset require-auth", &["Config/Set"]),
    Row("audit --limit 5", &["Audit/List"]),
    Row("watch --count 1", &["Cluster/Watch"]),
    Row(
        "backup create --to DIR/new",
        &["Cluster/Status", "Backup/Begin", "Backup/Read", "Config/Get", "Backup/End"],
    ),
    Row(
        "backup restore --from DIR/made",
        &["Cluster/Status", "Backup/Count", "Tenants/Create", "Backup/Begin", "Backup/Write", "Backup/End"],
    ),
];

/// A backup of a partition with one key, of a tenant that no cluster has.
fn make_backup(directory: &Path) {
    use predis_proto::replica::{Change, Effect, Set, effect::Kind};
    use prost::Message;
    let one = PartitionCount::new(1).unwrap();
    let create = predis_backup::Create::begin(directory, CLUSTER, one, 1).unwrap();
    let set = Kind::Set(Set { key: "key".into(), ..Set::default() });
    let page = Change { tenant: 3, at_ms: 1, effects: vec![Effect { kind: Some(set) }] };
    let mut file = create.partition(0).unwrap();
    file.page(&page.encode_to_vec().into()).unwrap();
    let tenant = predis_backup::Tenant {
        id: 3,
        name: "acme".to_owned(),
        placement: "spread".to_owned(),
        ack: "async".to_owned(),
        policy: "lru".to_owned(),
        memory_bytes: None,
        max_ops_per_second: None,
        max_connections: None,
    };
    create.finish(vec![file.finish(1, 1).unwrap()], vec![tenant], BTreeMap::new(), 1).unwrap();
}

/// The commands of a tree that do something, by their path.
fn leaves(command: &Command, path: &str) -> BTreeSet<String> {
    let below: Vec<&Command> = command.get_subcommands().filter(|c| c.get_name() != "help").collect();
    if below.is_empty() {
        return BTreeSet::from([path.trim().to_owned()]);
    }
    below.iter().flat_map(|c| leaves(c, &format!("{path} {}", c.get_name()))).collect()
}

/// The methods of the admin API, from the descriptors that reflection serves.
fn described() -> BTreeSet<String> {
    use prost::Message;
    let set = prost_types::FileDescriptorSet::decode(predis_proto::DESCRIPTORS).unwrap();
    let admin = set.file.iter().filter(|file| file.package() == "predis.admin.v1");
    let services = admin.flat_map(|file| &file.service);
    services.flat_map(|s| s.method.iter().map(move |m| format!("{}/{}", s.name(), m.name()))).collect()
}

#[test]
fn every_method_has_a_command_and_every_command_a_row() {
    let called: BTreeSet<String> =
        ROWS.iter().flat_map(|row| row.1).map(|&method| method.to_owned()).collect();
    assert_eq!(called, described());
    let mut commands = leaves(&Line::command(), "");
    // What is kept here needs no node.
    let here = ["backup show", "backup verify"];
    commands.retain(|command| !command.starts_with("context ") && !here.contains(&command.as_str()));
    let rows = ROWS.iter().map(|row| {
        let named = commands.iter().filter(|command| row.0.starts_with(command.as_str()));
        named.max_by_key(|command| command.len()).unwrap_or_else(|| panic!("{}", row.0)).clone()
    });
    assert_eq!(rows.collect::<BTreeSet<_>>(), commands);
}

#[tokio::test]
async fn every_command_calls_what_its_row_says_and_answers_in_both_forms() {
    for json in [false, true] {
        for Row(line, methods) in ROWS {
            let recorder = Recorder::start().await;
            let directory = tempfile::tempdir().unwrap();
            make_backup(&directory.path().join("made"));
            let typed = line.replace("DIR", directory.path().to_str().unwrap());
            let words = ["ctl"].into_iter().chain(typed.split(' ')).chain(json.then_some("--json"));
            let args = Line::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}")).ctl;
            let target = Target::read(Context { addr: recorder.addr(), ..Context::default() }).unwrap();
            let session = Session { channel: target.connect().await.unwrap(), target, json: args.json };
            let answer = ask(&session, &args.command).await.unwrap_or_else(|error| panic!("{line}: {error}"));
            let wanted: BTreeSet<String> = methods.iter().map(|&method| method.to_owned()).collect();
            assert_eq!(recorder.called(), wanted, "{line}");
            if let Some(answer) = answer {
                assert!(answer.json.is_object() && !answer.text.is_empty(), "{line}");
            }
        }
    }
}

#[test]
fn arguments_that_cannot_be_are_refused_with_the_rule() {
    for (line, rule) in [
        ("tenants create acme --memory much", "must be a number of bytes"),
        ("tenants update acme --max-ops 0", "must be a whole number above 0, or none"),
        ("users create ann --expires soon", "must be a whole number and one of s, m, h, d"),
        ("users update ann", "--role <ROLE>"),
        ("users update ann --enable --disable", "cannot be used with"),
        ("cluster drain one --no-wait --timeout 1s", "cannot be used with"),
        ("watch --count 0", "not in 1.."),
        ("backup create", "--to <DIR>"),
        ("backup restore", "--from <DIR>"),
    ] {
        let words = ["ctl"].into_iter().chain(line.split(' '));
        let refused = Line::try_parse_from(words).unwrap_err();
        assert_eq!(refused.exit_code(), 2, "{line}");
        assert!(refused.to_string().contains(rule), "{line}: {refused}");
    }
}
