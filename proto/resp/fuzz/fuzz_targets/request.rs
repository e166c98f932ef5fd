//! Any bytes as requests: no panic, limits hold, the pieces they arrive in change nothing, and a command that
//! was read is read the same when it is written again. Every command is also looked up, as a server would.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use predis_resp::{Limits, ProtocolError, RequestDecoder, encode_command, lookup};

type Outcome = (Vec<Vec<Bytes>>, Option<ProtocolError>);

fn decode(input: &[u8], piece: usize, limits: Limits) -> Outcome {
    let mut decoder = RequestDecoder::new(limits);
    let mut buf = BytesMut::new();
    let mut commands = Vec::new();
    for piece in input.chunks(piece) {
        buf.extend_from_slice(piece);
        loop {
            let capacity = buf.capacity();
            match decoder.decode(&mut buf) {
                Ok(Some(args)) => commands.push(args),
                Ok(None) => break,
                Err(error) => return (commands, Some(error)),
            }
            assert!(buf.capacity() <= capacity, "the decoder never grows the buffer");
        }
    }
    (commands, None)
}

fn check(commands: &[Vec<Bytes>], limits: Limits) {
    for args in commands {
        assert!(!args.is_empty() && args.len() <= limits.max_args);
        let longest = limits.max_bulk_bytes.max(limits.max_inline_bytes);
        assert!(args.iter().all(|arg| arg.len() <= longest));
        if let Ok(spec) = lookup(args) {
            assert!(spec.keys_of(args).all(|index| index < args.len()));
            let _ = (spec.check_arity(args.len()), spec.retry_of(args));
        }
        let mut wire = BytesMut::new();
        encode_command(args, &mut wire);
        let length = wire.len();
        assert_eq!(decode(&wire, length, Limits::default()), (vec![args.clone()], None));
    }
}

fuzz_target!(|data: &[u8]| {
    // The first byte chooses the pieces, the rest is the input.
    let Some((&choice, input)) = data.split_first() else { return };
    let small = Limits {
        max_args: 4,
        max_bulk_bytes: 16,
        max_inline_bytes: 32,
        max_request_bytes: 96,
        authenticated: choice & 1 == 0,
    };
    for limits in [Limits::default(), Limits::before_authentication(), small] {
        let whole = decode(input, input.len().max(1), limits);
        check(&whole.0, limits);
        assert_eq!(decode(input, 1, limits), whole);
        assert_eq!(decode(input, usize::from(choice).max(2), limits), whole);
    }
});
