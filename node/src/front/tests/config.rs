//! CONFIG: what is read, what can be set, and that what is set takes effect.

use super::*;
use predis_meta::{NewToken, NewUser, UserRole};
use predis_types::Secret;

async fn value(client: &mut Client, name: &str) -> String {
    let pair = items(client.call(&format!("CONFIG GET {name}")).await);
    assert_eq!(pair.len(), 2, "{name}");
    text_of(&pair[1])
}

#[tokio::test]
async fn parameters_are_found_by_patterns() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    for (name, expected) in [
        ("appendonly", "no"),
        ("save", ""),
        ("databases", "1"),
        ("cluster-enabled", "yes"),
        ("PORT", "7001"),
        ("bind", "127.0.0.1"),
        ("maxclients", "1000"),
        ("maxmemory", "67108864"),
        ("maxmemory-policy", "allkeys-lru"),
        ("proto-max-bulk-len", "536870912"),
        ("timeout", "0"),
    ] {
        assert_eq!(value(&mut client, name).await, expected, "{name}");
    }
    assert_eq!(client.call("CONFIG GET nonsense").await, Reply::Array(vec![]));
    assert_eq!(items(client.call("CONFIG GET max* maxmemory").await).len(), 6, "each once");
    client.call("HELLO 3").await;
    assert_eq!(client.call("CONFIG GET timeout").await, Reply::Map(vec![(bulk("timeout"), bulk("0"))]));
}

#[tokio::test]
async fn what_all_nodes_share_is_agreed_on() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    assert_eq!(client.call("CONFIG SET maxmemory 1mb maxmemory-policy S3FIFO").await, Reply::ok());
    let state = rig.serving.meta.published().state;
    let settings = &state.tenants()[&TenantId(0)].settings;
    assert_eq!((settings.memory_bytes, settings.policy.as_str()), (Some(1 << 20), "s3fifo"));
    assert_eq!(value(&mut client, "maxmemory").await, "1048576");
    assert_eq!(value(&mut client, "maxmemory-policy").await, "s3fifo");
    agent::apply(&rig.serving, &rig.serving.meta.published());
    let limit = rig.serving.shards.budget(TenantId(0)).unwrap().limit_bytes;
    assert_eq!(limit, Some(1 << 20));
    assert_eq!(client.call("CONFIG SET maxmemory 0 maxmemory-policy allkeys-lru").await, Reply::ok());
    assert_eq!(value(&mut client, "maxmemory").await, "67108864", "the node's own again");
    assert_eq!(value(&mut client, "maxmemory-policy").await, "allkeys-lru");
    let state = rig.serving.meta.published().state;
    assert_eq!(state.audit().back().unwrap().actor, "default");
}

#[tokio::test]
async fn what_cannot_be_set_changes_nothing() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    let failed = |name: &str, why: &str| {
        format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {why}")
    };
    let policies = "argument(s) must be one of the following: lru, fifo, s3fifo, allkeys-lru";
    for (line, words) in [
        ("nonsense 1", "ERR Unknown option or number of arguments for CONFIG SET - 'nonsense'".to_owned()),
        ("timeout 5 databases 2", failed("databases", "can't set immutable config")),
        ("timeout 5 maxmemory lots", failed("maxmemory", "argument must be a memory value")),
        ("timeout 5 maxmemory-policy noeviction", failed("maxmemory-policy", policies)),
        ("timeout 5 Timeout 6", failed("timeout", "duplicate parameter")),
        ("timeout 5 maxclients", "ERR syntax error".to_owned()),
        ("maxclients 0", failed("maxclients", "argument must be between 1 and 1000000 inclusive")),
    ] {
        assert_eq!(client.error(&format!("CONFIG SET {line}")).await, words);
    }
    assert_eq!(value(&mut client, "timeout").await, "0");
    assert_eq!(
        client.error("CONFIG SET timeout").await,
        "ERR wrong number of arguments for 'config|set' command"
    );
}

#[tokio::test]
async fn fewer_clients_may_connect_once_so_set() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    assert_eq!(client.call("CONFIG SET maxclients 1").await, Reply::ok());
    assert_eq!(rig.client().reply().await, Reply::error("ERR max number of clients reached"));
}

#[tokio::test]
async fn what_clients_set_and_what_the_node_is_told_is_one_thing() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    assert_eq!(client.call("CONFIG SET maxclients 5 timeout 60").await, Reply::ok());
    assert_eq!((rig.serving.tunables.max_clients(), rig.serving.tunables.timeout_s()), (5, 60));
    rig.serving.tunables.set_max_clients(6);
    rig.serving.tunables.set_timeout_s(61);
    assert_eq!(value(&mut client, "maxclients").await, "6");
    assert_eq!(value(&mut client, "timeout").await, "61");
}

#[tokio::test]
async fn no_parameter_shows_a_secret() {
    let rig = Rig::new().await;
    let token = Secret::token(&[9; 32]);
    let hash = token.digest().to_string();
    let tokens = vec![NewToken { id: "first".to_owned(), hash: hash.clone(), expires_at_ms: None }];
    let user = NewUser { name: "ann".to_owned(), tenant: TenantId(0), role: UserRole::Admin, tokens };
    rig.agree(Action::CreateUser { user }).await;
    let secrets = [token.expose().to_owned(), hash];
    let mut client = rig.client();
    let all = items(client.call("CONFIG GET *").await);
    assert!(all.len() >= 2 * 13, "every parameter is looked at: {all:?}");
    for pair in all.chunks(2) {
        let (name, value) = (text_of(&pair[0]), text_of(&pair[1]));
        let told = secrets.iter().any(|secret| value.contains(secret.as_str()));
        assert!(!told, "{name} shows a secret: {value}");
        // Redis has parameters that hold secrets; whoever adds one must not answer with what it holds.
        let secretive = ["pass", "auth", "token", "key-file", "user", "secret"];
        assert!(!secretive.iter().any(|word| name.contains(word)), "{name} is for secrets: leave it out");
    }
}

#[tokio::test]
async fn a_change_that_nobody_agrees_to_is_an_error() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    rig.serving.meta.shutdown().await;
    let error = client.error("CONFIG SET maxmemory 1mb").await;
    assert!(error.starts_with("ERR CONFIG SET failed - "), "{error}");
    assert_eq!(
        client.call("CONFIG SET timeout 5").await,
        Reply::ok(),
        "what is this node's alone is not affected"
    );
}
