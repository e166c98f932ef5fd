//! Who gets in, who does not, and that nobody waits for anybody else.

use super::{
    listener::{LIMIT, MOST},
    *,
};
use crate::io::Peer;
use futures_util::FutureExt;
use std::time::Duration;

static TLS12_ONLY: [&SupportedProtocolVersion; 1] = [&rustls::version::TLS12];
static TLS13_ONLY: [&SupportedProtocolVersion; 1] = [&rustls::version::TLS13];

/// Hands a connection with this client to the port; what the port takes it for.
async fn arrive(listener: &mut Box<dyn Listener>, feed: &Feed, client: Client) -> Peer {
    let connecting = feed.connect();
    let (accepted, connected) = tokio::join!(listener.accept(), client.connect(connecting));
    let mut incoming = accepted.unwrap();
    converse(&mut incoming.stream, &mut connected.unwrap()).await;
    incoming.peer
}

/// Hands a connection to the port that it must refuse; what it says of it.
async fn refused(rig: &Rig, client: Client) -> String {
    let (mut listener, feed) = rig.port(Port::Resp);
    let attempt = feed.connect();
    let client = async {
        // With TLS 1.3 a client learns what the server thinks of its certificate when it reads.
        let Ok(mut stream) = client.connect(attempt).await else { return };
        let read = stream.read(&mut [0; 1]).await;
        assert!(!matches!(read, Ok(1..)), "{read:?}");
    };
    tokio::select! {
        biased;
        _ = listener.accept() => panic!("accepted"),
        () = client => {}
    }
    rig.refusal()
}

#[tokio::test]
async fn a_certificate_says_who_connects() {
    let rig = Rig::new(ClientCertificates::Optional);
    let (mut listener, feed) = rig.port(Port::Resp);
    for (presented, expected) in [
        (None, Peer::Unproven),
        (Some(rig.issue(Kind::Client)), Peer::Client),
        (Some(rig.issue(Kind::Member)), Peer::Member),
    ] {
        for versions in [&TLS12_ONLY, &TLS13_ONLY] {
            let client = Client { versions, ..Client::new(&rig.authority, presented.clone()) };
            assert_eq!(arrive(&mut listener, &feed, client).await, expected);
        }
    }
    assert_eq!(rig.count("resp", "completed"), 6);
    assert_eq!(rig.access.refusals(), []);
}

#[tokio::test]
async fn where_a_certificate_is_required_one_must_be_presented() {
    let rig = Rig::new(ClientCertificates::Required);
    let (mut listener, feed) = rig.port(Port::Resp);
    let client = Client::new(&rig.authority, Some(rig.issue(Kind::Client)));
    assert_eq!(arrive(&mut listener, &feed, client).await, Peer::Client);
    let said = refused(&rig, Client::new(&rig.authority, None)).await;
    assert!(said.contains("presented no certificate"), "{said}");
    assert_eq!((rig.count("resp", "completed"), rig.count("resp", "refused")), (1, 1));
}

#[tokio::test]
async fn a_certificate_that_proves_nothing_is_refused_even_where_none_is_required() {
    let (yesterday, tomorrow) = (NOW_S - DAY_S, NOW_S + DAY_S);
    let other = Authority::new();
    type Make<'a> = &'a dyn Fn(&Rig) -> Issued;
    let cases: [(Make<'_>, &str); 5] = [
        (&|_| other.issue(Kind::Client, ALWAYS), "is not of this cluster's authority"),
        (&|_| other.issue(Kind::Member, ALWAYS), "is not of this cluster's authority"),
        (&|rig| rig.authority.issue(Kind::Client, 0..yesterday - DAY_S), "expired 2 days ago"),
        (
            &|rig| rig.authority.issue(Kind::Client, tomorrow..tomorrow + DAY_S),
            "is not valid yet, but in 24 h",
        ),
        (&|rig| rig.issue(Kind::Server), "is not made for this use"),
    ];
    for (make, expected) in cases {
        let rig = Rig::new(ClientCertificates::Optional);
        let said = refused(&rig, Client::new(&rig.authority, Some(make(&rig)))).await;
        assert!(said.contains(expected), "{said}");
        assert_eq!((rig.count("resp", "completed"), rig.count("resp", "refused")), (0, 1));
    }
}

#[tokio::test]
async fn a_certificate_is_held_against_the_nodes_clock() {
    let rig = Rig::new(ClientCertificates::Optional);
    let (mut listener, feed) = rig.port(Port::Resp);
    let issued = rig.authority.issue(Kind::Client, NOW_S - DAY_S..NOW_S + DAY_S);
    let client = || Client::new(&rig.authority, Some(issued.clone()));
    assert_eq!(arrive(&mut listener, &feed, client()).await, Peer::Client);
    rig.clock.advance_ms((DAY_S + 60) * 1000);
    let said = refused(&rig, client()).await;
    assert!(said.contains("expired 60 s ago"), "{said}");
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_node_is_counted_and_not_accused() {
    let rig = Rig::new(ClientCertificates::Optional);
    let (mut listener, feed) = rig.port(Port::Metrics);
    let attempt = feed.connect();
    let stranger = Client::new(&Authority::new(), None);
    tokio::select! {
        _ = listener.accept() => panic!("accepted"),
        connected = stranger.connect(attempt) => assert!(connected.is_err()),
    }
    tokio::select! {
        biased;
        _ = listener.accept() => panic!("accepted"),
        () = tokio::task::yield_now() => {}
    }
    assert_eq!(rig.count("metrics", "rejected"), 1);
    assert_eq!(rig.access.refusals(), []);
}

#[tokio::test]
async fn what_is_not_tls_is_answered_by_an_alert() {
    let rig = Rig::new(ClientCertificates::Optional);
    let (mut listener, feed) = rig.port(Port::Resp);
    let mut plain = feed.connect();
    let talk = async {
        plain.write_all(b"*1\r\n$4\r\nPING\r\n").await.unwrap();
        let mut said = Vec::new();
        plain.read_to_end(&mut said).await.unwrap();
        said
    };
    tokio::select! {
        _ = listener.accept() => panic!("accepted"),
        said = talk => assert_eq!(said[0], 21, "an alert record: {said:?}"),
    }
    assert_eq!(rig.count("resp", "protocol"), 1);
}

#[tokio::test]
async fn each_port_speaks_its_protocol_only() {
    let rig = Rig::new(ClientCertificates::Optional);
    for (port, offered, spoken) in [
        (Port::Grpc, "h2", Some("h2")),
        (Port::Metrics, "http/1.1", Some("http/1.1")),
        (Port::Resp, "h2", None),
    ] {
        let (mut listener, feed) = rig.port(port);
        let client = Client { alpn: vec![offered.into()], ..Client::new(&rig.authority, None) };
        let attempt = feed.connect();
        let (_accepted, connected) = tokio::join!(listener.accept(), client.connect(attempt));
        let chosen = connected.unwrap().get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        assert_eq!(chosen.as_deref(), spoken.map(str::as_bytes));
    }
    let (mut listener, feed) = rig.port(Port::Grpc);
    let client = Client { alpn: vec!["http/1.1".into()], ..Client::new(&rig.authority, None) };
    let attempt = feed.connect();
    tokio::select! {
        _ = listener.accept() => panic!("accepted"),
        connected = client.connect(attempt) => assert!(connected.is_err()),
    }
}

#[tokio::test(start_paused = true)]
async fn silent_clients_delay_nobody_and_are_dropped_in_time() {
    let rig = Rig::new(ClientCertificates::Optional);
    let (mut listener, feed) = rig.port(Port::Resp);
    let mut silent: Vec<_> = (0..MOST - 1).map(|_| feed.connect()).collect();
    let started = tokio::time::Instant::now();
    arrive(&mut listener, &feed, Client::new(&rig.authority, None)).await;
    assert_eq!(started.elapsed(), Duration::ZERO, "one place is left");

    // With every place taken a newcomer waits, until those who had them are out of time.
    silent.push(feed.connect());
    arrive(&mut listener, &feed, Client::new(&rig.authority, None)).await;
    assert_eq!(started.elapsed(), LIMIT);
    assert_eq!(rig.count("resp", "timed_out"), MOST as u64);
    for stream in &mut silent {
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0, "closed");
    }
}

#[tokio::test]
async fn a_dropped_accept_loses_nobody() {
    let rig = Rig::new(ClientCertificates::Optional);
    let (mut listener, feed) = rig.port(Port::Resp);
    let client = Client::new(&rig.authority, None);
    let mut connecting = Box::pin(client.connect(feed.connect_through(64)));
    let (mut drops, mut connected) = (0, None);
    let mut incoming = loop {
        // The client moves on by as much as the pipe takes, then a future of `accept` is polled once and dropped.
        if connected.is_none() {
            connected = (&mut connecting).now_or_never();
        }
        if let Some(accepted) = listener.accept().now_or_never() {
            break accepted.unwrap();
        }
        drops += 1;
        tokio::task::yield_now().await;
    };
    assert!(drops > 10, "the handshake takes more than a few turns: {drops}");
    let connected = match connected {
        Some(connected) => connected,
        None => connecting.await,
    };
    converse(&mut incoming.stream, &mut connected.unwrap()).await;
}

#[tokio::test]
async fn a_listener_that_fails_says_so() {
    let rig = Rig::new(ClientCertificates::Optional);
    let (mut listener, feed) = rig.port(Port::Resp);
    assert_eq!(listener.local_addr().unwrap(), addr(1));
    drop(feed);
    assert_eq!(listener.accept().await.err().unwrap().kind(), io::ErrorKind::ConnectionAborted);
}
