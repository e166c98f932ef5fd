//! Replies there and back: every reply survives encoding and decoding in any pieces, and no bytes break the
//! decoder.

use bytes::{Bytes, BytesMut};
use predis_resp::{Protocol, ProtocolError, Reply, ReplyDecoder, ReplyLimits};
use proptest::prelude::*;

/// Decodes all replies; `cuts` are the sizes of the pieces, repeated. The error, if any, comes last.
fn decode_in_pieces(
    input: &[u8],
    cuts: &[usize],
    limits: ReplyLimits,
) -> (Vec<Reply>, Option<ProtocolError>) {
    let mut decoder = ReplyDecoder::new(limits);
    let mut buf = BytesMut::new();
    let mut replies = Vec::new();
    let mut sizes = cuts.iter().copied().cycle();
    let mut rest = input;
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(sizes.next().unwrap_or(rest.len()).clamp(1, rest.len()));
        buf.extend_from_slice(piece);
        rest = later;
        loop {
            match decoder.decode(&mut buf) {
                Ok(Some(reply)) => replies.push(reply),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.decode(&mut buf), Err(error), "an error stays");
                    return (replies, Some(error));
                }
            }
        }
    }
    (replies, None)
}

fn decode(input: &[u8]) -> Result<Option<Reply>, ProtocolError> {
    ReplyDecoder::default().decode(&mut BytesMut::from(input))
}

#[test]
fn kinds_that_are_not_written_are_read() {
    for (input, reply) in [
        (&b"!9\r\nERR a\r\nbc\r\n"[..], Reply::error("ERR a\r\nbc")),
        (b":+5\r\n", Reply::Integer(5)),
        (b"(-123456789012345678901234567890\r\n", Reply::BigNumber("-123456789012345678901234567890".into())),
        (b",-inf\r\n", Reply::Double(f64::NEG_INFINITY)),
        (b",10\r\n", Reply::Double(10.0)),
        (b",1.5e-9\r\n", Reply::Double(1.5e-9)),
        (b"|1\r\n+ttl\r\n:5\r\n+OK\r\n", Reply::ok()),
        (b"|0\r\n+OK\r\n", Reply::ok()),
        (
            b"*2\r\n|1\r\n+a\r\n*1\r\n:1\r\n:1\r\n:2\r\n",
            Reply::Array(vec![Reply::Integer(1), Reply::Integer(2)]),
        ),
    ] {
        assert_eq!(decode(input), Ok(Some(reply)), "{}", String::from_utf8_lossy(input));
    }
    assert!(matches!(decode(b",nan\r\n"), Ok(Some(Reply::Double(value))) if value.is_nan()));
}

#[test]
fn malformed_replies_are_refused() {
    use ProtocolError as E;
    for (input, error) in [
        (&b"@1\r\n"[..], E::UnknownType(b'@')),
        (b"\r\n", E::ExpectedLineEnd),
        (b"+O\rK\r\n", E::ExpectedLineEnd),
        (b"$1\r\nabc", E::ExpectedLineEnd),
        (b"$536870913\r\n", E::InvalidBulkLength),
        (b"$629145600\r\n", E::InvalidBulkLength),
        (b"$-2\r\n", E::InvalidBulkLength),
        (b"$?\r\n", E::InvalidBulkLength),
        (b"!-1\r\n", E::InvalidBulkLength),
        (b"*-2\r\n", E::InvalidAggregateLength),
        (b"%-1\r\n", E::InvalidAggregateLength),
        (b"*?\r\n", E::InvalidAggregateLength),
        (b"*16777217\r\n", E::TooManyElements),
        (b"%9223372036854775807\r\n", E::TooManyElements),
        (b"*9000000\r\n*9000000\r\n", E::TooManyElements),
        (b":\r\n", E::InvalidValue),
        (b":+-5\r\n", E::InvalidValue),
        (b":1.5\r\n", E::InvalidValue),
        (b"_1\r\n", E::InvalidValue),
        (b"#x\r\n", E::InvalidValue),
        (b",one\r\n", E::InvalidValue),
        (b"(\r\n", E::InvalidValue),
        (b"(1x\r\n", E::InvalidValue),
        (b"=3\r\ntxt\r\n", E::InvalidValue),
        (b"=4\r\ntxt-\r\n", E::InvalidValue),
    ] {
        assert_eq!(decode(input), Err(error), "{}", String::from_utf8_lossy(input));
    }
    let long = "a".repeat(64 * 1024 + 1);
    assert_eq!(decode(format!("+{long}").as_bytes()), Err(E::TooBigLine));
    assert!(matches!(decode(format!("+{}\r\n", &long[1..]).as_bytes()), Ok(Some(Reply::Simple(_)))));
}

#[test]
fn deep_nesting_is_an_error_and_never_an_overflow() {
    for opener in ["*1\r\n", "~1\r\n", ">1\r\n", "%1\r\n+k\r\n", "|1\r\n+k\r\n"] {
        assert_eq!(decode(opener.repeat(100_000).as_bytes()), Err(ProtocolError::TooDeep), "{opener:?}");
    }
    let deepest = "*1\r\n".repeat(64) + ":1\r\n";
    assert!(matches!(decode(deepest.as_bytes()), Ok(Some(Reply::Array(_)))));
    assert_eq!(decode(("*1\r\n".to_owned() + &deepest).as_bytes()), Err(ProtocolError::TooDeep));
}

#[test]
fn the_element_limit_is_each_replys_own() {
    let limits = ReplyLimits { max_elements: 3, ..ReplyLimits::default() };
    let (replies, error) = decode_in_pieces(&b"*2\r\n:1\r\n*1\r\n:2\r\n".repeat(5), &[], limits);
    assert_eq!((replies.len(), error), (5, None));
    let (_, error) = decode_in_pieces(b"*2\r\n:1\r\n*2\r\n", &[], limits);
    assert_eq!(error, Some(ProtocolError::TooManyElements));
}

#[test]
fn a_bulk_is_not_copied() {
    let mut buf = BytesMut::from(&b"$5\r\nhello\r\n"[..]);
    let start = buf.as_ptr() as usize;
    let Ok(Some(Reply::Bulk(bytes))) = ReplyDecoder::default().decode(&mut buf) else { panic!("a bulk") };
    assert_eq!(bytes.as_ptr() as usize, start + 4);
}

fn line() -> impl Strategy<Value = String> {
    "[^\r\n]{0,20}"
}

/// Any reply, without NaN, which equals nothing.
fn reply() -> impl Strategy<Value = Reply> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..30).prop_map(Bytes::from);
    let leaf = prop_oneof![
        line().prop_map(|text| Reply::Simple(text.into())),
        line().prop_map(Reply::error),
        any::<i64>().prop_map(Reply::Integer),
        bytes().prop_map(Reply::Bulk),
        Just(Reply::Null),
        Just(Reply::NullArray),
        any::<f64>().prop_filter("NaN equals nothing", |v| !v.is_nan()).prop_map(Reply::Double),
        any::<bool>().prop_map(Reply::Boolean),
        "-?[0-9]{1,30}".prop_map(|digits| Reply::BigNumber(digits.into())),
        ("[a-z]{3}", bytes()).prop_map(|(format, text)| Reply::Verbatim {
            format: format.as_bytes().try_into().expect("three letters"),
            text,
        }),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let items = || prop::collection::vec(inner.clone(), 0..5);
        prop_oneof![
            items().prop_map(Reply::Array),
            items().prop_map(Reply::Set),
            items().prop_map(Reply::Push),
            prop::collection::vec((inner.clone(), inner.clone()), 0..4).prop_map(Reply::Map),
        ]
    })
}

/// What a reader can know of a reply that was written in a protocol.
fn as_read(reply: Reply, protocol: Protocol) -> Reply {
    let all = |items: Vec<Reply>| items.into_iter().map(|item| as_read(item, protocol)).collect();
    match (protocol, reply) {
        (_, Reply::Array(items)) => Reply::Array(all(items)),
        (Protocol::Resp3, Reply::Set(items)) => Reply::Set(all(items)),
        (Protocol::Resp3, Reply::Push(items)) => Reply::Push(all(items)),
        (Protocol::Resp3, Reply::Map(pairs)) => Reply::Map(
            pairs
                .into_iter()
                .map(|(key, value)| (as_read(key, protocol), as_read(value, protocol)))
                .collect(),
        ),
        (Protocol::Resp3, Reply::NullArray) => Reply::Null,
        (Protocol::Resp2, Reply::Set(items) | Reply::Push(items)) => Reply::Array(all(items)),
        (Protocol::Resp2, Reply::Map(pairs)) => {
            Reply::Array(all(pairs.into_iter().flat_map(|(key, value)| [key, value]).collect()))
        }
        (Protocol::Resp2, Reply::Boolean(value)) => Reply::Integer(value.into()),
        (Protocol::Resp2, Reply::BigNumber(digits)) => Reply::bulk(digits.into_owned()),
        (Protocol::Resp2, Reply::Verbatim { text, .. }) => Reply::Bulk(text),
        (_, other) => other,
    }
}

/// Doubles become bulk strings in RESP2; this reads them back so that the two sides compare.
fn doubles_read(expected: &Reply, found: Reply) -> Reply {
    match (expected, found) {
        (Reply::Double(_), Reply::Bulk(bytes)) => {
            Reply::Double(std::str::from_utf8(&bytes).expect("text").parse().expect("a number"))
        }
        (Reply::Array(expected), Reply::Array(found)) if expected.len() == found.len() => {
            Reply::Array(expected.iter().zip(found).map(|(e, f)| doubles_read(e, f)).collect())
        }
        (_, found) => found,
    }
}

/// Bytes that look enough like replies to get past the first check.
fn replyish() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        "[*~>%|$!=:][-+0-9]{0,2}\r\n".prop_map(String::into_bytes),
        "[-+(,_#][-+.0-9a-z]{0,4}\r\n".prop_map(String::into_bytes),
        Just(b"$3\r\nfoo\r\n".to_vec()),
        Just(b"=5\r\ntxt:a\r\n".to_vec()),
        prop::collection::vec(any::<u8>(), 0..3),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn replies_round_trip_in_any_pieces(
        replies in prop::collection::vec(reply(), 0..5),
        cuts in prop::collection::vec(1usize..30, 1..8),
    ) {
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let mut wire = BytesMut::new();
            replies.iter().for_each(|reply| reply.encode(protocol, &mut wire));
            let (found, error) = decode_in_pieces(&wire, &cuts, ReplyLimits::default());
            prop_assert_eq!(error, None);
            let expected: Vec<Reply> = replies.iter().map(|reply| as_read(reply.clone(), protocol)).collect();
            prop_assert_eq!(found.len(), expected.len());
            for (expected, found) in expected.iter().zip(found) {
                prop_assert_eq!(expected, &doubles_read(expected, found));
            }
        }
    }

    #[test]
    fn pieces_change_nothing(input in replyish(), cuts in prop::collection::vec(1usize..9, 1..8)) {
        let limits = ReplyLimits { max_depth: 3, max_bulk_bytes: 20, max_line_bytes: 10, max_elements: 12 };
        // Debug text, because NaN equals nothing.
        let whole = format!("{:?}", decode_in_pieces(&input, &[], limits));
        prop_assert_eq!(&format!("{:?}", decode_in_pieces(&input, &cuts, limits)), &whole);
        prop_assert_eq!(&format!("{:?}", decode_in_pieces(&input, &[1], limits)), &whole);
    }
}
