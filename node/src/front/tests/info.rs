//! INFO: the sections, and that the numbers are of what happened.

use super::*;

fn field<'a>(info: &'a str, name: &str) -> &'a str {
    let found = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    found.unwrap_or_else(|| panic!("no {name} in {info}"))
}

fn headings(info: &str) -> Vec<&str> {
    info.lines().filter_map(|line| line.strip_prefix("# ")).collect()
}

#[tokio::test]
async fn sections_are_given_as_asked() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    let usual = headings(&client.text("INFO").await).join(" ");
    let expected = "Server Clients Memory Persistence Stats Replication CPU Errorstats Cluster Keyspace";
    assert_eq!(usual, expected);
    assert_eq!(headings(&client.text("INFO default").await).join(" "), expected);
    for all in ["INFO all", "INFO everything"] {
        assert_eq!(headings(&client.text(all).await).len(), 12);
    }
    let some = client.text("INFO keyspace SERVER nonsense server").await;
    assert_eq!(headings(&some), ["Server", "Keyspace"]);
    assert_eq!(client.text("INFO nonsense").await, "");
    client.call("HELLO 3").await;
    let Reply::Verbatim { format, .. } = client.call("INFO server").await else { panic!("verbatim") };
    assert_eq!(&format, b"txt");
}

#[tokio::test]
async fn what_clients_check_for_is_there() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    rig.clock.advance_ms(90_000);
    let info = client.text("INFO everything").await;
    for (name, value) in [
        ("redis_version", "7.2.4"),
        ("server_name", "predis"),
        ("predis_version", env!("CARGO_PKG_VERSION")),
        ("redis_mode", "cluster"),
        ("tcp_port", "7001"),
        ("uptime_in_seconds", "90"),
        ("role", "master"),
        ("cluster_enabled", "1"),
        ("cluster_state", "ok"),
        ("loading", "0"),
        ("connected_clients", "1"),
        ("maxclients", "1000"),
        ("maxmemory", "67108864"),
        ("maxmemory_policy", "allkeys-lru"),
        ("connected_slaves", "0"),
    ] {
        assert_eq!(field(&info, name), value, "{name}");
    }
    assert_eq!(field(&info, "run_id").len(), 40);
}

#[tokio::test]
async fn numbers_follow_what_happened_until_they_are_reset() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    for line in ["SET a 1", "SET b 2 PX 60000", "GET a", "GET none", "INCR a", "DEL none"] {
        client.call(line).await;
    }
    client.error("GET").await;
    client.error("NONSENSE").await;
    client.error("SET a 1 NONSENSE").await;
    let info = client.text("INFO everything").await;
    assert_eq!(field(&info, "db0"), "keys=2,expires=1,avg_ttl=60000");
    assert_eq!((field(&info, "keyspace_hits"), field(&info, "keyspace_misses")), ("1", "1"));
    assert_eq!(field(&info, "total_commands_processed"), "7");
    assert_eq!(field(&info, "total_error_replies"), "3");
    assert_eq!(field(&info, "errorstat_ERR"), "count=3");
    let get = field(&info, "cmdstat_get");
    assert!(get.starts_with("calls=2,usec=") && get.ends_with(",rejected_calls=1,failed_calls=0"), "{get}");
    let set = field(&info, "cmdstat_set");
    assert!(set.starts_with("calls=3,") && set.ends_with(",rejected_calls=0,failed_calls=1"), "{set}");
    assert!(field(&info, "latency_percentiles_usec_get").starts_with("p50="));
    assert!(field(&info, "used_memory").parse::<u64>().unwrap() > 0);
    assert!(field(&info, "total_net_input_bytes").parse::<u64>().unwrap() > 100);
    assert!(field(&info, "total_net_output_bytes").parse::<u64>().unwrap() > 30);

    assert_eq!(client.call("CONFIG RESETSTAT").await, Reply::ok());
    let info = client.text("INFO everything").await;
    assert_eq!(field(&info, "keyspace_hits"), "0");
    assert_eq!(field(&info, "total_commands_processed"), "1", "the reset itself");
    assert!(!info.contains("errorstat_") && !info.contains("cmdstat_get"));
    assert!(field(&info, "db0").starts_with("keys=2,"));
}

#[tokio::test]
async fn operations_a_second_are_sampled() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    for _ in 0..5 {
        for _ in 0..10 {
            client.call("PING").await;
        }
        rig.clock.advance_ms(100);
        // A sample is taken every 100 ms of the runtime's time.
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
    let info = client.text("INFO stats").await;
    let rate: u64 = field(&info, "instantaneous_ops_per_sec").parse().unwrap();
    assert!((50..=200).contains(&rate), "{rate} of about 100");
}
