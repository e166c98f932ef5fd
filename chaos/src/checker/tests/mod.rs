//! The checker on histories made by hand, on histories with a fault in them, and against all orders there are.

mod by_hand;
mod exhaustive;
mod faults;
mod generate;

use super::*;
use bytes::Bytes;

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn value(text: &str) -> Output {
    Output::Value(Some(bytes(text)))
}

const NIL: Output = Output::Value(None);

fn set(text: &str) -> Input {
    Input::Set(bytes(text))
}

fn append(text: &str) -> Input {
    Input::Append(bytes(text))
}

/// An operation that took from one time to another.
fn op(call: Time, ret: Time, input: Input, output: Output) -> Operation {
    Operation::ended(call, ret, input, output)
}

/// The operation that nothing lets follow, told in words.
fn stuck(history: &[Operation]) -> String {
    match check(history) {
        Verdict::Violation(explanation) => history[explanation.stuck].to_string(),
        verdict => panic!("{verdict:?}"),
    }
}
