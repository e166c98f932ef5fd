//! The connection itself: HELLO, AUTH, RESET, QUIT, SELECT, and CLIENT.

use super::*;

#[tokio::test]
async fn hello_switches_the_protocol_and_reset_switches_back() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    assert_eq!(items(client.call("HELLO").await).len(), 14);
    let Reply::Map(fields) = client.call("HELLO 3 AUTH default any SETNAME me").await else {
        panic!("a map")
    };
    let expected = [
        ("server", bulk("redis")),
        ("version", bulk("7.2.4")),
        ("proto", Reply::Integer(3)),
        ("id", Reply::Integer(1)),
        ("mode", bulk("cluster")),
        ("role", bulk("master")),
        ("modules", Reply::Array(vec![])),
    ];
    assert_eq!(fields, expected.map(|(name, value)| (bulk(name), value)));
    assert_eq!(client.call("CLIENT GETNAME").await, bulk("me"));
    client.raw(b"GET none\r\n").await;
    client.reply().await;
    for (line, words) in [
        ("HELLO 4", "NOPROTO unsupported protocol version"),
        ("HELLO x", "ERR Protocol version is not an integer or out of range"),
        ("HELLO 2 NONSENSE", "ERR Syntax error in HELLO option 'NONSENSE'"),
        ("HELLO 2 AUTH bob any", "WRONGPASS invalid username-password pair or user is disabled."),
    ] {
        assert_eq!(client.error(line).await, words);
    }
    assert!(client.text("CLIENT INFO").await.contains(" resp=3 "), "an error changes nothing");
    assert_eq!(client.call("RESET").await, Reply::simple("RESET"));
    assert!(client.text("CLIENT INFO").await.contains(" name= "));
    assert!(matches!(client.call("HELLO").await, Reply::Array(_)), "RESP2 again");
}

#[tokio::test]
async fn simple_commands_answer_as_redis_without_a_password() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    let no_password = "ERR AUTH <password> called without any password configured for the default user. Are you \
                       sure your configuration is correct?";
    for (line, words) in [
        ("AUTH secret", no_password),
        ("AUTH bob secret", "WRONGPASS invalid username-password pair or user is disabled."),
        ("AUTH a b c", "ERR syntax error"),
        ("SELECT 1", "ERR SELECT is not allowed in cluster mode"),
        ("SELECT x", "ERR value is not an integer or out of range"),
        ("PING a b", "ERR wrong number of arguments for 'ping' command"),
        ("GET", "ERR wrong number of arguments for 'get' command"),
        ("FOO bar", "ERR unknown command 'FOO', with args beginning with: 'bar' "),
        ("MULTI", "ERR unknown command 'MULTI', with args beginning with: "),
    ] {
        assert_eq!(client.error(line).await, words);
    }
    assert_eq!(client.call("AUTH default secret").await, Reply::ok());
    assert_eq!(client.call("SELECT 0").await, Reply::ok());
    assert_eq!(client.call("PING hi").await, bulk("hi"));
    assert_eq!(client.call("ECHO hi").await, bulk("hi"));
    assert_eq!(client.call("TIME").await, Reply::Array(vec![bulk("1700000000"), bulk("124000")]));
    client.raw(b"QUIT\r\nPING\r\n").await;
    assert_eq!(client.reply().await, Reply::ok());
    assert!(client.is_closed().await, "and nothing behind QUIT is answered");
}

#[tokio::test]
async fn labels_are_kept_and_checked() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    assert_eq!(client.call("CLIENT GETNAME").await, Reply::Null);
    assert_eq!(client.call("CLIENT SETNAME w-1").await, Reply::ok());
    assert_eq!(client.call("CLIENT SETINFO lib-name redis-py(x)").await, Reply::ok());
    assert_eq!(client.call("CLIENT SETINFO LIB-VER 5.0").await, Reply::ok());
    assert_eq!(client.call("CLIENT NO-EVICT on").await, Reply::ok());
    let line = client.text("CLIENT INFO").await;
    for part in
        ["id=1 addr=10.0.0.9:50000 laddr=127.0.0.1:7001 ", " name=w-1 ", " flags=e ", " cmd=client|info "]
    {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert!(line.ends_with(" lib-name=redis-py(x) lib-ver=5.0\n"), "{line}");
    let integers =
        "id age idle db sub psub ssub multi qbuf qbuf-free argv-mem multi-mem obl oll omem tot-mem resp";
    for name in integers.split(' ') {
        let value = line.split(' ').find_map(|field| field.strip_prefix(&format!("{name}=")));
        assert!(value.is_some_and(|value| value.parse::<i64>().is_ok()), "{name} in {line}");
    }
    client.raw(b"CLIENT SETNAME \"a b\"\r\n").await;
    let words = "ERR Client names cannot contain spaces, newlines or special characters.";
    assert_eq!(client.reply().await, Reply::error(words));
    client.raw(b"CLIENT SETINFO LIB-NAME \"a b\"\r\n").await;
    let words = "ERR lib-name cannot contain spaces, newlines or special characters.";
    assert_eq!(client.reply().await, Reply::error(words));
    assert_eq!(client.error("CLIENT SETINFO color red").await, "ERR Unrecognized option 'color'");
    assert_eq!(client.error("CLIENT NO-EVICT maybe").await, "ERR syntax error");
}

#[tokio::test]
async fn clients_are_listed_by_id_and_type() {
    let rig = Rig::new().await;
    let (mut a, mut b, mut c) = (rig.client(), rig.client(), rig.client());
    for client in [&mut a, &mut b, &mut c] {
        client.call("PING").await;
    }
    assert_eq!(a.text("CLIENT LIST").await.lines().count(), 3);
    assert_eq!(a.text("CLIENT LIST TYPE normal").await.lines().count(), 3);
    assert_eq!(a.text("CLIENT LIST TYPE pubsub").await, "");
    let listed = a.text("CLIENT LIST ID 1 3 99").await;
    assert!(listed.lines().count() == 2 && listed.contains("id=3 "), "{listed}");
    assert_eq!(a.error("CLIENT LIST TYPE nonsense").await, "ERR Unknown client type 'nonsense'");
    assert_eq!(a.error("CLIENT LIST ID x").await, "ERR Invalid client ID");
    assert_eq!(a.error("CLIENT LIST ID").await, "ERR syntax error");
}

#[tokio::test]
async fn clients_are_killed_by_address_and_by_filters() {
    let rig = Rig::new().await;
    let mut a = rig.client();
    a.call("PING").await;
    let (mut b, mut c, mut d) = (rig.client(), rig.client(), rig.client());
    for client in [&mut b, &mut c, &mut d] {
        client.call("PING").await;
    }
    assert_eq!(a.error("CLIENT KILL 1.2.3.4:5").await, "ERR No such client");
    assert_eq!(a.call("CLIENT KILL 10.0.0.9:50001").await, Reply::ok());
    assert!(b.is_closed().await);
    assert_eq!(a.call("CLIENT KILL ID 3 ADDR 1.2.3.4:5").await, Reply::Integer(0));
    assert_eq!(a.call("CLIENT KILL ID 3 USER default TYPE normal").await, Reply::Integer(1));
    assert!(c.is_closed().await);
    assert_eq!(a.call("CLIENT KILL TYPE pubsub").await, Reply::Integer(0));
    assert_eq!(a.call("CLIENT KILL LADDR 127.0.0.1:7001").await, Reply::Integer(1), "all but this one");
    assert!(d.is_closed().await);
    for (line, words) in [
        ("CLIENT KILL ID 0", "ERR client-id should be greater than 0"),
        ("CLIENT KILL USER bob", "ERR No such user 'bob'"),
        ("CLIENT KILL ID 1 ADDR", "ERR syntax error"),
        ("CLIENT KILL SKIPME maybe", "ERR syntax error"),
    ] {
        assert_eq!(a.error(line).await, words);
    }
    assert_eq!(a.call("CLIENT KILL ID 1 SKIPME no").await, Reply::Integer(1), "it hears of its own end");
    assert!(a.is_closed().await);
}

#[tokio::test]
async fn a_client_that_does_not_read_can_be_killed() {
    let rig = Rig::new().await;
    let (stuck, mut operator) = (rig.client(), rig.client());
    let (_read, mut write) = tokio::io::split(stuck.stream);
    let mut out = BytesMut::new();
    (0..200).for_each(|_| encode_command(&["ECHO", &"x".repeat(1000)], &mut out));
    let sent = tokio::time::timeout(Duration::from_millis(50), write.write_all(&out)).await;
    assert!(sent.is_err(), "both pipes are full");
    assert_eq!(operator.call("CLIENT KILL ID 1").await, Reply::Integer(1));
    while rig.front.client_count() > 1 {
        tokio::task::yield_now().await;
    }
}
