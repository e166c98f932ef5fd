//! The request decoder from outside: what it takes, what it refuses and in which words, however the bytes are
//! cut into pieces.

use bytes::BytesMut;
use predis_resp::{Limits, Protocol, ProtocolError, Reply, RequestDecoder, encode_command};
use proptest::prelude::*;

type Command = Vec<Vec<u8>>;

/// Decodes all commands; `cuts` are the sizes of the pieces, repeated. The error, if any, comes last.
fn decode_in_pieces(input: &[u8], cuts: &[usize], limits: Limits) -> (Vec<Command>, Option<ProtocolError>) {
    let mut decoder = RequestDecoder::new(limits);
    let mut buf = BytesMut::new();
    let mut commands = Vec::new();
    let mut sizes = cuts.iter().copied().cycle();
    let mut rest = input;
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(sizes.next().unwrap_or(rest.len()).clamp(1, rest.len()));
        buf.extend_from_slice(piece);
        rest = later;
        loop {
            match decoder.decode(&mut buf) {
                Ok(Some(args)) => commands.push(args.iter().map(|arg| arg.to_vec()).collect()),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.decode(&mut buf), Err(error), "an error stays");
                    return (commands, Some(error));
                }
            }
        }
    }
    (commands, None)
}

fn decode_whole(input: &[u8]) -> (Vec<Command>, Option<ProtocolError>) {
    decode_in_pieces(input, &[], Limits::default())
}

fn error_of(input: &[u8]) -> String {
    decode_whole(input).1.expect("an error").to_string()
}

#[test]
fn multibulk_and_inline_commands_may_follow_each_other() {
    let input = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\r\n\r\n*0\r\n*-1\r\n\nset k \"a b\"\n*1\r\n$0\r\n\r\n";
    let (commands, error) = decode_whole(input);
    assert_eq!(error, None);
    let expected: Vec<Command> = vec![
        vec![b"GET".to_vec(), b"k".to_vec()],
        vec![b"PING".to_vec()],
        vec![b"set".to_vec(), b"k".to_vec(), b"a b".to_vec()],
        vec![Vec::new()],
    ];
    assert_eq!(commands, expected);
}

#[test]
fn errors_have_the_words_of_redis() {
    let long = "1".repeat(64 * 1024 + 1);
    for (input, words) in [
        ("*x\r\n".to_owned(), "invalid multibulk length"),
        ("*\r\n".to_owned(), "invalid multibulk length"),
        ("*1048577\r\n".to_owned(), "invalid multibulk length"),
        ("*20000000000000000000\r\n".to_owned(), "invalid multibulk length"),
        ("*1\r\n$-1\r\n".to_owned(), "invalid bulk length"),
        ("*1\r\n$x\r\n".to_owned(), "invalid bulk length"),
        ("*1\r\n$+1\r\n".to_owned(), "invalid bulk length"),
        ("*1\r\n$536870913\r\n".to_owned(), "invalid bulk length"),
        ("*1\r\n:1\r\n".to_owned(), "expected '$', got ':'"),
        ("*1\r\n\r\n".to_owned(), "expected '$', got ' '"),
        ("*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n".to_owned(), "expected '$', got 'f'"),
        ("get \"x\r\n".to_owned(), "unbalanced quotes in request"),
        (format!("*{long}"), "too big mbulk count string"),
        (format!("*1\r\n${long}"), "too big bulk count string"),
        (format!("a{long}"), "too big inline request"),
    ] {
        let shown: String = input.chars().take(40).collect();
        assert_eq!(error_of(input.as_bytes()), words, "{shown:?}");
    }
    let mut out = BytesMut::new();
    Reply::from(ProtocolError::ExpectedBulk(b'f')).encode(Protocol::Resp2, &mut out);
    assert_eq!(&out[..], b"-ERR Protocol error: expected '$', got 'f'\r\n");
}

#[test]
fn a_bulk_of_600_mb_is_refused_at_its_announcement() {
    assert_eq!(error_of(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$629145600\r\n"), "invalid bulk length");
}

#[test]
fn nested_arrays_are_no_request() {
    assert_eq!(error_of(&b"*1\r\n".repeat(100_000)), "expected '$', got '*'");
}

#[test]
fn limits_are_exact_whatever_the_pieces() {
    let limits = Limits {
        max_inline_bytes: 8,
        max_args: 2,
        max_bulk_bytes: 4,
        max_request_bytes: 24,
        authenticated: true,
    };
    let accepted = ["12345678\n", "1234567\r\n", "*2\r\n$4\r\nabcd\r\n$4\r\nabcd\r\n"];
    let refused = [
        ("123456789\n", ProtocolError::TooBigInline),
        ("a b c\n", ProtocolError::InvalidMultibulkLength),
        ("*3\r\n", ProtocolError::InvalidMultibulkLength),
        ("*1\r\n$5\r\n", ProtocolError::InvalidBulkLength),
        ("*000000001\r\n", ProtocolError::TooBigMultibulkCount),
        ("*1\r\n$000000001\r\n", ProtocolError::TooBigBulkCount),
    ];
    for piece in [1, 2, 3, 100] {
        for input in accepted {
            let (commands, error) = decode_in_pieces(input.as_bytes(), &[piece], limits);
            assert_eq!((commands.len(), error), (1, None), "{input:?} by {piece}");
        }
        for (input, error) in refused {
            let (commands, found) = decode_in_pieces(input.as_bytes(), &[piece], limits);
            assert_eq!((commands.len(), found), (0, Some(error)), "{input:?} by {piece}");
        }
    }
    let tight = Limits { max_request_bytes: 23, ..limits };
    let (_, error) = decode_in_pieces(accepted[2].as_bytes(), &[], tight);
    assert_eq!(error, Some(ProtocolError::TooBigRequest));
}

#[test]
fn little_may_be_sent_before_authentication() {
    let before = Limits::before_authentication();
    let refused =
        |input: &[u8]| decode_in_pieces(input, &[], before).1.map(|e| e.to_string()).unwrap_or_default();
    assert_eq!(refused(b"*11\r\n"), "unauthenticated multibulk length");
    assert_eq!(refused(b"*10\r\n$16385\r\n"), "unauthenticated bulk length");
    assert_eq!(refused(b"*1\r\n$629145600\r\n"), "invalid bulk length");
    assert_eq!(refused(b"*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n"), "");

    let mut decoder = RequestDecoder::new(before);
    decoder.set_limits(Limits::default());
    let mut buf = BytesMut::from(&b"*11\r\n"[..]);
    assert_eq!(decoder.decode(&mut buf), Ok(None), "authentication lifts the limits");
}

#[test]
fn arguments_share_the_buffers_memory() {
    let mut buf = BytesMut::from(&b"*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\nrest"[..]);
    let whole = buf.as_ptr() as usize..buf.as_ptr() as usize + buf.len();
    let args = RequestDecoder::new(Limits::default()).decode(&mut buf).unwrap().unwrap();
    assert_eq!(args, [&b"ECHO"[..], b"hello"]);
    assert!(args.iter().all(|arg| whole.contains(&(arg.as_ptr() as usize))));
    assert_eq!(&buf[..], b"rest");
}

/// Bytes that look enough like requests to get past the first check.
fn requestish() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(&b"*1\r\n"[..]).prop_map(<[u8]>::to_vec),
        Just(&b"*3\r\n"[..]).prop_map(<[u8]>::to_vec),
        Just(&b"$3\r\nfoo\r\n"[..]).prop_map(<[u8]>::to_vec),
        Just(&b"$0\r\n\r\n"[..]).prop_map(<[u8]>::to_vec),
        Just(&b"\r\n"[..]).prop_map(<[u8]>::to_vec),
        Just(&b"get 'a b' \"c\\x41\"\r\n"[..]).prop_map(<[u8]>::to_vec),
        "[*$][-+0-9]{0,3}\r\n".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn commands_round_trip_in_any_pieces(
        commands in prop::collection::vec(
            prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..6), 0..6),
        cuts in prop::collection::vec(1usize..30, 1..8),
    ) {
        let mut wire = BytesMut::new();
        commands.iter().for_each(|args| encode_command(args, &mut wire));
        prop_assert_eq!(decode_in_pieces(&wire, &cuts, Limits::default()), (commands, None));
    }

    #[test]
    fn pieces_change_nothing(input in requestish(), cuts in prop::collection::vec(1usize..9, 1..8)) {
        let small = Limits {
            max_args: 3, max_bulk_bytes: 3, max_inline_bytes: 24, max_request_bytes: 48, authenticated: true };
        for limits in [Limits::default(), small] {
            let whole = decode_in_pieces(&input, &[], limits);
            prop_assert_eq!(&decode_in_pieces(&input, &cuts, limits), &whole);
            prop_assert_eq!(&decode_in_pieces(&input, &[1], limits), &whole);
            prop_assert!(whole.0.iter().all(|args| !args.is_empty() && args.len() <= limits.max_args));
        }
    }
}
