//! Tenants: each sees its own keys and nothing of another's, and has no more than its quotas.

use super::users::{create, token};
use super::*;
use predis_meta::UserRole;

const SMALL: u64 = 1 << 20;

/// A node with the tenants `acme` (1, spread), `beta` (2, colocated) and `tiny` (3, with quotas), a user each.
async fn shared() -> Rig {
    let rig = Rig::new().await;
    let limited = TenantSettings {
        memory_bytes: Some(SMALL),
        max_ops_per_second: Some(10),
        max_connections: Some(2),
        ..TenantSettings::unlimited(Ack::Async, "lru")
    };
    let free = TenantSettings::unlimited(Ack::Async, "lru");
    for (id, name, placement, settings) in [
        (1, "acme", TenantPlacement::Spread, free.clone()),
        (2, "beta", TenantPlacement::Colocated, free),
        (3, "tiny", TenantPlacement::Spread, limited),
    ] {
        let tenant = NewTenant { id: TenantId(id), name: name.to_owned(), placement, settings };
        rig.agree(Action::CreateTenant { tenant }).await;
        rig.agree(create(&format!("{name}-app"), id, UserRole::Admin, id as u8)).await;
    }
    rig
}

async fn user(rig: &Rig, number: u8) -> Client {
    let mut client = rig.client();
    assert_eq!(client.call(&format!("AUTH {}", token(number).expose())).await, Reply::ok());
    client
}

#[tokio::test]
async fn a_tenant_sees_its_own_keys_alone() {
    let rig = shared().await;
    let (mut acme, mut beta, mut default) = (user(&rig, 1).await, user(&rig, 2).await, rig.client());
    for (client, value) in [(&mut acme, "1"), (&mut beta, "2"), (&mut default, "3")] {
        assert_eq!(client.call(&format!("SET shared {value}")).await, Reply::ok());
        assert_eq!(client.call(&format!("SET only:{value} x")).await, Reply::ok());
    }
    for (client, value) in [(&mut acme, "1"), (&mut beta, "2"), (&mut default, "3")] {
        assert_eq!(client.text("GET shared").await, value);
        assert_eq!(client.call("DBSIZE").await, Reply::Integer(2));
        let mut keys: Vec<String> = items(client.call("KEYS *").await).iter().map(text_of).collect();
        keys.sort();
        assert_eq!(keys, [format!("only:{value}"), "shared".to_owned()]);
        let info = client.text("INFO keyspace").await;
        assert!(info.contains("db0:keys=2,"), "{info}");
    }
    assert_eq!(acme.call("FLUSHALL").await, Reply::ok());
    assert_eq!(
        (acme.call("DBSIZE").await, beta.call("DBSIZE").await),
        (Reply::Integer(0), Reply::Integer(2))
    );
    assert_eq!(default.text("GET shared").await, "3");
}

#[tokio::test]
async fn keys_kept_together_meet_in_any_command_and_have_one_node() {
    let rig = shared().await;
    let mut beta = user(&rig, 2).await;
    assert_eq!(beta.call("MSET a 1 b 2 c 3").await, Reply::ok());
    assert_eq!(items(beta.call("MGET c b a").await), ["3", "2", "1"].map(bulk));
    assert_eq!(beta.call("RENAME a d").await, Reply::ok());
    assert_eq!(beta.call("MSETNX e 1 d 2").await, Reply::Integer(0));
    let page = items(beta.call("SCAN 0").await);
    assert_eq!((&page[0], items(page[1].clone()).len()), (&bulk("0"), 3), "nothing is looked for elsewhere");
    assert_eq!(beta.call("DEL b c d").await, Reply::Integer(3));
    let mut acme = user(&rig, 1).await;
    assert!(acme.error("MGET a b").await.starts_with("CROSSSLOT"));
    // Once another node serves the one partition that has them, it serves every slot of this tenant.
    let home = predis_router::colocated_partition(TenantId(2), PartitionCount::new(16).unwrap());
    rig.give_away(&[home.0]).await;
    let slots = items(beta.call("CLUSTER SLOTS").await);
    assert_eq!(slots.len(), 1, "{slots:?}");
    let range = items(slots[0].clone());
    assert_eq!((&range[0], &range[1]), (&Reply::Integer(0), &Reply::Integer(16383)));
    assert_eq!(items(range[2].clone())[0], bulk("10.0.0.2"));
    assert_eq!(beta.error("GET a").await, "MOVED 15495 10.0.0.2:7002");
    assert!(items(acme.call("CLUSTER SLOTS").await).len() > 1);
}

#[tokio::test]
async fn what_tenants_share_is_for_users_of_the_default_one() {
    let rig = shared().await;
    let (mut acme, mut beta, mut default) = (user(&rig, 1).await, user(&rig, 2).await, rig.client());
    let words =
        "NOPERM User acme-app has no permissions to run the 'config|set' command on what tenants share";
    for line in ["CONFIG SET maxclients 5", "CONFIG SET maxmemory 1gb", "CONFIG SET timeout 1"] {
        assert_eq!(acme.error(line).await, words);
    }
    assert!(acme.error("ACL LOG").await.contains("on what tenants share"));
    // How its own keys are evicted is its own affair.
    assert_eq!(acme.call("CONFIG SET maxmemory-policy fifo").await, Reply::ok());
    assert_eq!(items(acme.call("CONFIG GET maxmemory-policy").await)[1], bulk("fifo"));
    assert_eq!(items(beta.call("CONFIG GET maxmemory-policy").await)[1], bulk("allkeys-lru"));
    // It sees, and ends, its own connections and users alone.
    assert_eq!(acme.text("CLIENT LIST").await.lines().count(), 1);
    assert_eq!(default.text("CLIENT LIST").await.lines().count(), 3);
    let id = beta.call("CLIENT ID").await;
    let Reply::Integer(id) = id else { panic!("a number") };
    assert_eq!(acme.call(&format!("CLIENT KILL ID {id}")).await, Reply::Integer(0));
    assert_eq!(acme.error("CLIENT KILL USER beta-app").await, "ERR No such user 'beta-app'");
    assert_eq!(beta.call("PING").await, Reply::simple("PONG"));
    assert_eq!(items(acme.call("ACL USERS").await), [bulk("acme-app")]);
    assert_eq!(acme.call("ACL GETUSER beta-app").await, Reply::Null);
    let info = acme.text("INFO everything").await;
    assert!(!info.contains("cmdstat") && !info.contains("total_commands_processed"), "{info}");
    let log = format!("{:?}", default.call("ACL LOG").await);
    assert!(log.contains("\"tenant\"") && log.contains("config|set"), "{log}");
}

#[tokio::test]
async fn quotas_bound_commands_and_connections() {
    let rig = shared().await;
    let (mut one, _two) = (user(&rig, 3).await, user(&rig, 3).await);
    let mut third = rig.client();
    let login = format!("AUTH {}", token(3).expose());
    assert_eq!(third.error(&login).await, "ERR max number of clients of tenant 'tiny' reached");
    assert_eq!(third.text("ACL WHOAMI").await, "default", "it is who it was");
    let log = format!("{:?}", third.call("ACL LOG").await);
    assert!(log.contains("\"connections\"") && log.contains("\"tiny-app\""), "{log}");
    let words = "BUSY tenant 'tiny' is over its limit of 10 operations per second";
    let replies = futures(&mut one, "PING", 11).await;
    assert_eq!(replies.iter().filter(|reply| **reply == Reply::simple("PONG")).count(), 10);
    assert_eq!(replies[10], Reply::error(words));
    rig.clock.advance_ms(500);
    let replies = futures(&mut one, "SET a 1", 6).await;
    assert_eq!(replies.iter().filter(|reply| **reply == Reply::ok()).count(), 5);
    // It may still say who it is, and others are not concerned.
    let mut default = rig.client();
    let replies = futures(&mut default, "PING", 100).await;
    assert!(replies.iter().all(|reply| *reply == Reply::simple("PONG")));
}

/// The replies of a command that is sent so many times at once.
async fn futures(client: &mut Client, line: &str, times: usize) -> Vec<Reply> {
    for _ in 0..times {
        client.send(line).await;
    }
    let mut replies = Vec::new();
    for _ in 0..times {
        replies.push(client.reply().await);
    }
    replies
}

#[tokio::test]
async fn a_tenant_evicts_its_own_keys_alone() {
    let rig = shared().await;
    let mut default = rig.client();
    for n in 0..100 {
        default.call(&format!("SET keep:{n} {}", "x".repeat(100))).await;
    }
    let mut tiny = user(&rig, 3).await;
    let value = "y".repeat(20_000);
    for n in 0..200 {
        rig.clock.advance_ms(200);
        assert_eq!(tiny.call(&format!("SET mine:{n} {value}")).await, Reply::ok());
    }
    let used = rig.serving.shards.budget(TenantId(3)).unwrap();
    assert!(used.used_bytes <= SMALL && used.used_bytes > SMALL / 2, "{used:?}");
    assert_eq!(default.call("DBSIZE").await, Reply::Integer(100));
}

#[tokio::test]
async fn partitions_are_asked_one_by_one() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    let mut total = 0;
    for n in 0..200 {
        assert_eq!(client.call(&format!("SET k:{n} v")).await, Reply::ok());
    }
    let mut keys = Vec::new();
    for partition in 0..16 {
        let Reply::Integer(len) = client.call(&format!("PARTITION LEN {partition}")).await else {
            panic!("a number")
        };
        total += len;
        let listed = items(client.call(&format!("PARTITION KEYS {partition} *")).await);
        assert_eq!(listed.len() as i64, len);
        let mut from = "0".to_owned();
        let before = keys.len();
        loop {
            let page = items(client.call(&format!("PARTITION SCAN {partition} {from} COUNT 3")).await);
            keys.extend(items(page[1].clone()).iter().map(text_of));
            from = text_of(&page[0]);
            if from == "0" {
                break;
            }
        }
        assert_eq!((keys.len() - before) as i64, len);
        let random = client.call(&format!("PARTITION RANDOMKEY {partition}")).await;
        assert!(len == 0 || listed.contains(&random));
    }
    keys.sort();
    keys.dedup();
    assert_eq!((total, keys.len()), (200, 200));
    assert_eq!(client.call("PARTITION FLUSH 3").await, Reply::ok());
    assert_eq!(client.call("PARTITION LEN 3").await, Reply::Integer(0));
    assert_eq!(client.error("PARTITION LEN 16").await, "ERR Invalid partition: must be a number below 16");
    assert_eq!(client.error("PARTITION SCAN 1 x").await, "ERR invalid cursor");
    rig.give_away(&[3]).await;
    assert_eq!(client.error("PARTITION LEN 3").await, "MOVED 3072 10.0.0.2:7002");
}
