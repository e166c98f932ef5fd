//! The sequence of requests: seeded, skewed as asked, shared out without loss.

use super::*;
use predis_resp::{Limits, RequestDecoder};

fn mix(get: u32, set: u32) -> Mix {
    Mix { get, set }
}

#[test]
fn ratios_and_distributions_are_read_or_refused_with_their_rule() {
    assert_eq!("9:1".parse::<Mix>().unwrap(), mix(9, 1));
    assert_eq!("0:1".parse::<Mix>().unwrap(), mix(0, 1));
    for wrong in ["", "9", "0:0", "1:-1", "a:b", "1:2:3", "1.5:1"] {
        let refused = wrong.parse::<Mix>().unwrap_err().to_string();
        assert!(refused.contains("GET:SET"), "{wrong}");
    }
    assert_eq!("uniform".parse::<Distribution>().unwrap(), Distribution::Uniform);
    assert_eq!("zipf".parse::<Distribution>().unwrap(), Distribution::Zipf(0.99));
    assert_eq!("zipf:1.2".parse::<Distribution>().unwrap().to_string(), "zipf:1.2");
    for wrong in ["", "zipf:", "zipf:0", "zipf:-1", "zipf:11", "zipf:nan", "zipf:inf", "normal"] {
        let refused = wrong.parse::<Distribution>().unwrap_err().to_string();
        assert!(refused.contains("THETA"), "{wrong}");
    }
}

#[test]
fn a_seed_gives_one_sequence_and_another_seed_another() {
    let drawn = |seed| draw(1000, Distribution::Zipf(0.99), mix(9, 1), seed, Some(10_000));
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
}

#[test]
fn commands_and_keys_come_as_often_as_asked() {
    let ops = draw(1000, Distribution::Uniform, mix(9, 1), 3, Some(100_000));
    let sets = ops.iter().filter(|op| op.is_set()).count();
    assert!((9_500..10_500).contains(&sets), "{sets}");
    assert!(ops.iter().all(|op| op.key() < 1000));
    let first = |ops: &[Op]| ops.iter().filter(|op| op.key() == 0).count();
    assert!(first(&ops) < 200);
    let skewed = draw(1000, Distribution::Zipf(0.99), mix(9, 1), 3, Some(100_000));
    // 1 / sum of k^-0.99 for k up to 1000 is 0.131.
    assert!((12_600..13_600).contains(&first(&skewed)), "{}", first(&skewed));
    assert!(draw(10, Distribution::Uniform, mix(1, 0), 1, Some(100)).iter().all(|op| !op.is_set()));
}

#[test]
fn requests_are_whole_commands() {
    let encoder = Encoder::new(5, 1);
    let mut out = BytesMut::new();
    encoder.encode(Op(123_456_789), &mut out);
    encoder.encode(Op::set(42), &mut out);
    let mut decoder = RequestDecoder::new(Limits::default());
    let get = decoder.decode(&mut out).unwrap().unwrap();
    assert_eq!(get, [&b"GET"[..], b"key:000123456789"]);
    let set = decoder.decode(&mut out).unwrap().unwrap();
    assert_eq!((&set[0][..], &set[1][..], set[2].len()), (&b"SET"[..], &b"key:000000000042"[..], 5));
    assert!(out.is_empty());
}

#[test]
fn connections_share_a_sequence_without_loss() {
    let ops: Arc<[Op]> = (0..10).map(Op).collect();
    for (connections, requests, times) in [(3, 10, 1), (1, 10, 1), (20, 10, 1), (4, 30, 3)] {
        let mut seen = vec![0; ops.len()];
        for mut feed in Feed::share(ops.clone(), connections, Some(requests)) {
            while let Some(op) = feed.next() {
                seen[op.key() as usize] += 1;
            }
        }
        assert_eq!(seen, vec![times; ops.len()], "{connections} connections, {requests} requests");
    }
    let mut endless = Feed::share(ops, 2, None);
    let keys: Vec<u32> = (0..7).map(|_| endless[1].next().unwrap().key()).collect();
    assert_eq!(keys, [5, 6, 7, 8, 9, 0, 1]);
    assert_eq!(Feed::share(Arc::new([]), 1, None)[0].next(), None, "a node without keys is sent nothing");
}

#[test]
fn a_single_server_gets_all_of_it() {
    let ops = draw(100, Distribution::Uniform, mix(1, 1), 1, Some(50));
    let shares = split(ops.clone(), &SlotMap::single("a:1"), Some(1000));
    assert_eq!((&*shares[0].ops, shares[0].requests), (&*ops, Some(1000)));
}
