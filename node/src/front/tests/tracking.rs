//! CLIENT TRACKING: who keeps copies is told when they are old, after the reply that made them.

use super::*;

async fn tracking(rig: &Rig, options: &str) -> Client {
    let mut client = rig.client();
    client.call("HELLO 3").await;
    assert_eq!(client.call(&format!("CLIENT TRACKING ON{options}")).await, Reply::ok());
    client
}

fn invalidated(keys: &[&str]) -> Reply {
    Reply::Push(vec![bulk("invalidate"), Reply::Array(keys.iter().map(|key| bulk(key)).collect())])
}

#[tokio::test]
async fn a_key_that_was_read_is_told_of_once() {
    let rig = Rig::new().await;
    let (mut reader, mut writer) = (tracking(&rig, "").await, rig.client());
    assert_eq!(reader.call("GET a").await, Reply::Null);
    assert_eq!(items(reader.call("MGET {t}1 {t}2").await).len(), 2);
    writer.call("SET a 1").await;
    assert_eq!(reader.reply().await, invalidated(&["a"]));
    // It has to read again to be told again.
    writer.call("SET a 2").await;
    writer.call("MSET {t}1 x {t}2 y {t}3 z").await;
    assert_eq!(reader.reply().await, invalidated(&["{t}1", "{t}2"]));
    assert_eq!(reader.call("GET a").await, bulk("2"));
    writer.call("DEL a").await;
    assert_eq!(reader.reply().await, invalidated(&["a"]));
    // Its own writes are told as well, behind the reply.
    assert_eq!(reader.call("GET a").await, Reply::Null);
    assert_eq!(reader.call("SET a 3").await, Reply::ok());
    assert_eq!(reader.reply().await, invalidated(&["a"]));
    assert_eq!(reader.call("CLIENT TRACKING OFF").await, Reply::ok());
    reader.call("GET a").await;
    writer.call("SET a 4").await;
    assert_eq!(reader.call("PING").await, Reply::simple("PONG"));
}

#[tokio::test]
async fn expiry_flushes_and_lost_partitions_are_told() {
    let rig = Rig::new().await;
    let (mut reader, mut writer) = (tracking(&rig, "").await, rig.client());
    writer.call("SET a 1 PX 50").await;
    reader.call("GET a").await;
    rig.clock.advance_ms(100);
    rig.serving.shards.expire(10);
    assert_eq!(reader.reply().await, invalidated(&["a"]));
    writer.call("SET b 1").await;
    reader.call("GET b").await;
    assert_eq!(writer.call("FLUSHALL").await, Reply::ok());
    assert_eq!(reader.reply().await, invalidated(&["b"]));
    reader.call("GET b").await;
    let partition = rig.serving.shards.partition_count().partition_of(predis_types::key_slot(b"b"));
    rig.give_away(&[partition.0]).await;
    assert_eq!(reader.reply().await, invalidated(&["b"]));
}

#[tokio::test]
async fn modes_decide_what_is_told() {
    let rig = Rig::new().await;
    let mut writer = rig.client();
    let mut all = tracking(&rig, " BCAST").await;
    let mut users = tracking(&rig, " BCAST PREFIX user: PREFIX cart:").await;
    let (mut asks, mut declines) = (tracking(&rig, " OPTIN").await, tracking(&rig, " OPTOUT").await);
    for client in [&mut asks, &mut declines] {
        client.call("GET first").await;
    }
    assert_eq!(asks.call("CLIENT CACHING YES").await, Reply::ok());
    assert_eq!(declines.call("CLIENT CACHING NO").await, Reply::ok());
    for client in [&mut asks, &mut declines] {
        client.call("GET second").await;
    }
    for key in ["first", "second", "user:1"] {
        writer.call(&format!("SET {key} 1")).await;
        assert_eq!(all.reply().await, invalidated(&[key]));
    }
    assert_eq!(users.reply().await, invalidated(&["user:1"]));
    assert_eq!(declines.reply().await, invalidated(&["first"]));
    assert_eq!(asks.reply().await, invalidated(&["second"]));
    assert!(asks.error("CLIENT CACHING NO").await.contains("only valid when tracking is enabled in OPTOUT"));
    let info = format!("{:?}", users.call("CLIENT TRACKINGINFO").await);
    assert!(info.contains("bcast") && info.contains("cart:"), "{info}");
    assert!(rig.client().text("INFO clients").await.contains("tracking_clients:4"));
}

#[tokio::test]
async fn what_cannot_be_tracked_is_said() {
    let rig = Rig::new().await;
    let mut old = rig.client();
    assert!(old.error("CLIENT TRACKING ON").await.starts_with("ERR CLIENT TRACKING needs RESP3"));
    let mut client = rig.client();
    client.call("HELLO 3").await;
    for (line, words) in [
        ("CLIENT TRACKING MAYBE", "ERR syntax error"),
        ("CLIENT TRACKING ON PREFIX a", "ERR PREFIX option requires BCAST mode to be enabled"),
        ("CLIENT TRACKING ON BCAST OPTIN", "ERR OPTIN and OPTOUT are not compatible with BCAST"),
        ("CLIENT TRACKING ON OPTIN OPTOUT", "ERR You can't specify both OPTIN mode and OPTOUT mode"),
        ("CLIENT TRACKING ON REDIRECT 3", "ERR CLIENT TRACKING takes neither REDIRECT nor NOLOOP here"),
    ] {
        assert_eq!(client.error(line).await, words);
    }
    assert!(client.error("CLIENT TRACKING ON BCAST PREFIX a PREFIX ab").await.contains("must not overlap"));
    assert!(client.error("CLIENT CACHING YES").await.contains("only when the client is in tracking mode"));
    assert_eq!(client.call("CLIENT GETREDIR").await, Reply::Integer(-1));
}

#[tokio::test]
async fn another_tenant_s_writes_are_told_to_nobody() {
    let rig = Rig::new().await;
    let settings = TenantSettings::unlimited(Ack::Async, "lru");
    let tenant =
        NewTenant { id: TenantId(1), name: "acme".into(), placement: TenantPlacement::Spread, settings };
    rig.agree(Action::CreateTenant { tenant }).await;
    rig.agree(super::users::create("acme", 1, predis_meta::UserRole::ReadWrite, 9)).await;
    let mut acme = rig.client();
    acme.call(&format!("AUTH {}", super::users::token(9).expose())).await;
    let (mut reader, mut all) = (tracking(&rig, "").await, tracking(&rig, " BCAST").await);
    reader.call("GET a").await;
    assert_eq!(acme.call("SET a theirs").await, Reply::ok());
    assert_eq!(rig.client().call("SET a ours").await, Reply::ok());
    assert_eq!(reader.reply().await, invalidated(&["a"]));
    assert_eq!(all.reply().await, invalidated(&["a"]));
    for client in [&mut reader, &mut all] {
        assert_eq!(client.call("PING").await, Reply::simple("PONG"), "nothing else was told");
    }
}

#[tokio::test]
async fn tracking_ends_with_who_somebody_is_and_with_the_protocol() {
    let rig = Rig::new().await;
    let settings = TenantSettings::unlimited(Ack::Async, "lru");
    let tenant =
        NewTenant { id: TenantId(1), name: "acme".into(), placement: TenantPlacement::Spread, settings };
    rig.agree(Action::CreateTenant { tenant }).await;
    rig.agree(super::users::create("acme", 1, predis_meta::UserRole::ReadWrite, 9)).await;
    let login = format!("AUTH {}", super::users::token(9).expose());
    let mut writer = rig.client();
    // A key that was read as one user is not told to the next one on the same connection, who tracks too.
    for ending in ["RESET", login.as_str(), "HELLO 2", "CLIENT TRACKING OFF"] {
        let mut client = tracking(&rig, "").await;
        client.call("GET secret").await;
        client.call(ending).await;
        assert_eq!(writer.call("SET secret 1").await, Reply::ok());
        client.call("HELLO 3").await;
        client.call(&login).await;
        assert_eq!(client.call("CLIENT TRACKING ON").await, Reply::ok());
        assert_eq!(writer.call("SET secret 2").await, Reply::ok());
        assert_eq!(client.call("PING").await, Reply::simple("PONG"), "nothing was told after {ending}");
    }
    let many: String = (0..65).map(|n| format!(" PREFIX p{n}:")).collect();
    let mut client = rig.client();
    client.call("HELLO 3").await;
    assert!(client.error(&format!("CLIENT TRACKING ON BCAST{many}")).await.contains("at most 64 prefixes"));
}

#[tokio::test]
async fn names_of_keys_that_are_read_take_bounded_room() {
    let rig = Rig::new().await;
    let mut reader = tracking(&rig, "").await;
    // One partition of sixteen may remember 4 MiB of names.
    let name = |n: usize| format!("{{t}}{n}{}", "x".repeat(512 * 1024));
    for n in 0..8 {
        assert_eq!(reader.call(&format!("GET {}", name(n))).await, Reply::Null);
    }
    // The eighth is a few bytes too many: the first has to go.
    let Reply::Push(told) = reader.reply().await else { panic!("a message") };
    assert_eq!(told, [bulk("invalidate"), Reply::Array(vec![bulk(&name(0))])]);
}
