//! Bytes: requests in every form and in pieces, pipelines, and what is no request at all.

use super::*;

#[tokio::test]
async fn inline_and_multibulk_requests_mix_and_may_come_in_pieces() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    client.raw(b"PING\r\n\r\n*0\r\nset k \"a b\"\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n").await;
    assert_eq!(client.reply().await, Reply::simple("PONG"));
    assert_eq!(client.reply().await, Reply::ok());
    assert_eq!(client.reply().await, bulk("a b"));
    for byte in b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\n\r\n\x00\xff\r\n" {
        client.raw(&[*byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(client.reply().await, Reply::ok());
    assert_eq!(client.call("GET k").await, Reply::bulk(&b"\r\n\x00\xff"[..]));
}

#[tokio::test]
async fn a_pipeline_keeps_its_order_across_partitions() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    let mut out = BytesMut::new();
    let mut expected = Vec::new();
    for n in 0..2_000 {
        let (key, value) = (format!("key{}", n % 37), n.to_string());
        encode_command(&["SET", &key, &value], &mut out);
        encode_command(&["GET", &key], &mut out);
        expected.extend([Reply::ok(), bulk(&value)]);
        if n % 10 == 0 {
            encode_command(&["ECHO", &value], &mut out);
            encode_command(&["NONSENSE"], &mut out);
            let unknown = "ERR unknown command 'NONSENSE', with args beginning with: ";
            expected.extend([bulk(&value), Reply::error(unknown)]);
        }
    }
    let (mut read, mut write) = tokio::io::split(client.stream);
    let writing = tokio::spawn(async move { write.write_all(&out).await.map(|()| write) });
    for (at, expected) in expected.into_iter().enumerate() {
        let reply = loop {
            if let Some(reply) = client.decoder.decode(&mut client.input).unwrap() {
                break reply;
            }
            assert!(read.read_buf(&mut client.input).await.unwrap() > 0);
        };
        assert_eq!(reply, expected, "reply {at}");
    }
    writing.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_sends_ahead_and_does_not_read_is_held_back_and_loses_nothing() {
    const COUNT: usize = 50_000;
    let rig = Rig::new().await;
    let mut client = rig.client();
    let mut out = BytesMut::new();
    (0..COUNT).for_each(|_| encode_command(&["INCR", "counter"], &mut out));
    let (mut read, mut write) = tokio::io::split(client.stream);
    let writing = tokio::spawn(async move { write.write_all(&out).await.map(|()| write) });
    // Nobody reads: the pipes fill up, and then nothing moves any more.
    let mut before = u64::MAX;
    while rig.front.stats().commands_processed() != before {
        before = rig.front.stats().commands_processed();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(before > 0 && before < COUNT as u64 && !writing.is_finished(), "{before}");
    let session = &rig.front.clients.all()[0];
    let mut line = Vec::new();
    session.describe(0, &mut line);
    let line = String::from_utf8(line).unwrap();
    let memory = line.split(' ').find_map(|field| field.strip_prefix("tot-mem=")).unwrap();
    assert!(memory.parse::<usize>().unwrap() < 256 * 1024, "{line}");
    for n in 1..=COUNT as i64 {
        let reply = loop {
            if let Some(reply) = client.decoder.decode(&mut client.input).unwrap() {
                break reply;
            }
            assert!(read.read_buf(&mut client.input).await.unwrap() > 0);
        };
        assert_eq!(reply, Reply::Integer(n));
    }
    writing.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_breaks_the_protocol_is_told_so_and_closed_while_others_live() {
    let rig = Rig::new().await;
    let mut bystander = rig.client();
    assert_eq!(bystander.call("SET a 1").await, Reply::ok());
    for (bytes, words) in [
        (&b"*x\r\n"[..], "invalid multibulk length"),
        (b"*2000000\r\n", "invalid multibulk length"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*2\r\n$3\r\nGET\r\n$629145600\r\nab", "invalid bulk length"),
        (b"*1\r\n:1\r\n", "expected '$', got ':'"),
        (b"set k \"unbalanced\r\n", "unbalanced quotes in request"),
    ] {
        let mut client = rig.client();
        client.raw(b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n").await;
        client.raw(bytes).await;
        assert_eq!(client.reply().await, bulk("1"), "what came before is answered");
        assert_eq!(client.reply().await, Reply::error(format!("ERR Protocol error: {words}")));
        assert!(client.is_closed().await, "{words}");
    }
    assert_eq!(bystander.call("GET a").await, bulk("1"));
    assert_eq!(rig.front.stats().errors(), [("ERR", 6)]);
}

#[tokio::test]
async fn hundred_thousand_nested_arrays_are_refused() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    let nested = b"*1\r\n".repeat(100_000);
    // The answer comes before all of it is sent; the rest is drained so that the answer is not lost.
    client.stream.write_all(&nested).await.unwrap();
    assert_eq!(client.reply().await, Reply::error("ERR Protocol error: expected '$', got '*'"));
    assert!(client.is_closed().await);
    assert_eq!(rig.client().call("PING").await, Reply::simple("PONG"));
}

#[tokio::test]
async fn a_line_without_end_is_refused() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    client.raw(&vec![b'a'; 70 * 1024]).await;
    assert_eq!(client.reply().await, Reply::error("ERR Protocol error: too big inline request"));
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_truncated_request_does_nothing() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    client.raw(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nab").await;
    drop(client);
    while rig.front.client_count() > 0 || rig.front.stats().connections_received() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(rig.client().call("EXISTS k").await, Reply::Integer(0));
}

#[tokio::test]
async fn a_large_value_goes_in_and_out() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    let value = "v".repeat(5 << 20);
    assert_eq!(client.call(&format!("SET big {value}")).await, Reply::ok());
    assert_eq!(client.call("STRLEN big").await, Reply::Integer(5 << 20));
    assert_eq!(client.call("GET big").await, bulk(&value));
}

#[tokio::test]
async fn an_idle_connection_has_no_read_buffer() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    assert_eq!(client.call("PING").await, Reply::simple("PONG"));
    let mut other = rig.client();
    let line = other.text("CLIENT LIST ID 1").await;
    assert!(line.contains(" qbuf=0 qbuf-free=0 "), "{line}");
}
