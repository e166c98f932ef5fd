//! Any bytes as replies: no panic, limits hold, the pieces they arrive in change nothing, and a reply that
//! was read is read the same when it is written again.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use predis_resp::{Protocol, ProtocolError, Reply, ReplyDecoder, ReplyLimits};

fn decode(input: &[u8], piece: usize, limits: ReplyLimits) -> (Vec<Reply>, Option<ProtocolError>) {
    let mut decoder = ReplyDecoder::new(limits);
    let mut buf = BytesMut::new();
    let mut replies = Vec::new();
    for piece in input.chunks(piece) {
        buf.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut buf) {
                Ok(Some(reply)) => replies.push(reply),
                Ok(None) => break,
                Err(error) => return (replies, Some(error)),
            }
        }
    }
    (replies, None)
}

/// How deep a reply nests, and how many elements it has, itself not counted.
fn measure(reply: &Reply) -> (usize, usize) {
    let add = |(depth, count): (usize, usize), item: &Reply| {
        let (inner, elements) = measure(item);
        (depth.max(inner + 1), count + elements + 1)
    };
    match reply {
        Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => items.iter().fold((1, 0), add),
        Reply::Map(pairs) => pairs.iter().flat_map(|(key, value)| [key, value]).fold((1, 0), add),
        _ => (0, 0),
    }
}

/// Compares by Debug text, because NaN equals nothing.
fn same(left: &impl std::fmt::Debug, right: &impl std::fmt::Debug) {
    assert_eq!(format!("{left:?}"), format!("{right:?}"));
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, input)) = data.split_first() else { return };
    let small = ReplyLimits { max_depth: 3, max_bulk_bytes: 16, max_line_bytes: 12, max_elements: 12 };
    for limits in [ReplyLimits::default(), small] {
        let whole = decode(input, input.len().max(1), limits);
        for reply in &whole.0 {
            let (depth, elements) = measure(reply);
            // An empty aggregate holds nothing open, so it may lie one deeper.
            assert!(depth <= limits.max_depth + 1 && elements <= limits.max_elements);
        }
        same(&decode(input, 1, limits), &whole);
        same(&decode(input, usize::from(choice).max(2), limits), &whole);
    }
    for reply in decode(input, input.len().max(1), ReplyLimits::default()).0 {
        let mut first = BytesMut::new();
        reply.encode(Protocol::Resp3, &mut first);
        // What is written once is normal: reading and writing it again changes nothing.
        let (again, error) = decode(&first, first.len(), ReplyLimits::default());
        assert_eq!((again.len(), error), (1, None));
        let mut second = BytesMut::new();
        again.iter().for_each(|reply| reply.encode(Protocol::Resp3, &mut second));
        assert_eq!(first, second);
        reply.encode(Protocol::Resp2, &mut second);
    }
});
