//! COMMAND and its subcommands, and HELP.

use super::*;
use predis_resp::command_count;

#[tokio::test]
async fn the_table_is_described_in_redis_s_shapes() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    let count = command_count();
    assert_eq!(client.call("COMMAND COUNT").await, Reply::Integer(count as i64));
    assert_eq!(items(client.call("COMMAND").await).len(), count);
    let described = items(client.call("COMMAND INFO get nonsense config|get").await);
    assert_eq!(described[1], Reply::Null);
    let get = items(described[0].clone());
    assert_eq!(
        (get.len(), &get[0], &get[1], &get[3]),
        (10, &bulk("get"), &Reply::Integer(2), &Reply::Integer(1))
    );
    assert_eq!(items(described[2].clone())[0], bulk("config|get"));
    assert_eq!(items(client.call("COMMAND DOCS").await).len(), 2 * count, "flat in RESP2");

    client.call("HELLO 3").await;
    let Reply::Map(docs) = client.call("COMMAND DOCS set nonsense client").await else { panic!("a map") };
    assert_eq!(docs.iter().map(|(name, _)| text_of(name)).collect::<Vec<_>>(), ["set", "client"]);
    for (_, doc) in &docs {
        let Reply::Map(fields) = doc else { panic!("a map") };
        let names: Vec<String> = fields.iter().map(|(name, _)| text_of(name)).collect();
        assert_eq!(names[..4], ["summary", "since", "group", "complexity"]);
    }
}

#[tokio::test]
async fn keys_of_a_command_are_found() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    assert_eq!(
        client.call("COMMAND GETKEYS MSET a 1 b 2").await,
        Reply::Array(vec![bulk("a"), bulk("b")]),
        "whatever slots they are in"
    );
    for (line, words) in [
        ("COMMAND GETKEYS NONSENSE a", "ERR Invalid command specified"),
        ("COMMAND GETKEYS PING a", "ERR The command has no key arguments"),
        ("COMMAND GETKEYS GET a b", "ERR Invalid number of arguments specified for command"),
    ] {
        assert_eq!(client.error(line).await, words);
    }
}

#[tokio::test]
async fn names_are_listed_and_filtered() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    let all = items(client.call("COMMAND LIST").await);
    assert!(all.contains(&bulk("get")) && all.contains(&bulk("client|id")));
    let listed = items(client.call("COMMAND LIST FILTERBY PATTERN *GET").await);
    assert!(listed.contains(&bulk("mget")) && !listed.contains(&bulk("set")) && listed.len() < all.len());
    let reads = items(client.call("COMMAND LIST FILTERBY ACLCAT read").await);
    assert!(reads.contains(&bulk("get")) && !reads.contains(&bulk("set")));
    assert_eq!(client.call("COMMAND LIST FILTERBY MODULE m").await, Reply::Array(vec![]));
    assert_eq!(client.error("COMMAND LIST FILTERBY NONSENSE m").await, "ERR syntax error");
}

#[tokio::test]
async fn every_container_helps() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    for container in ["CLIENT", "COMMAND", "CONFIG", "MEMORY", "OBJECT", "CLUSTER"] {
        let lines = items(client.call(&format!("{container} HELP")).await);
        let heading = format!("{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
        assert_eq!(lines[0], Reply::Simple(heading.into()));
        assert!(lines.contains(&Reply::simple("HELP")), "{container}");
    }
}

#[tokio::test]
async fn every_command_of_the_table_is_carried_out_somewhere() {
    let rig = Rig::new().await;
    let with_subcommands =
        predis_resp::commands().flat_map(|spec| std::iter::once(spec).chain(spec.subcommands));
    for spec in with_subcommands.filter(|spec| spec.subcommands.is_empty()) {
        let name = spec.name.replace('|', " ");
        let words = name.split(' ').count();
        let missing = (spec.arity.unsigned_abs() as usize).saturating_sub(words);
        let line = name + &" 1".repeat(missing);
        let reply = rig.client().call(&line).await;
        let absent =
            matches!(&reply, Reply::Error(message) if message.contains("cannot be carried out here"));
        assert!(!absent, "{line}: {reply:?}");
    }
}
