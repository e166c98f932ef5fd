//! One key as a register: what each operation makes of it and answers. The specification that histories are held
//! against, written apart from the product's own commands.

use bytes::Bytes;
use std::fmt;

/// What the key holds; none when it is absent.
pub type State = Option<Bytes>;

/// What may happen to a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Reads it.
    Get,
    /// Sets it.
    Set(Bytes),
    /// Sets it if it is absent.
    SetNx(Bytes),
    /// Sets it and answers what it held.
    GetSet(Bytes),
    /// Appends to it.
    Append(Bytes),
    /// Adds one to the integer that it holds.
    Incr,
    /// Removes it.
    Del,
    /// It becomes absent without anybody asking: evicted, expired, or lost with its partition and declared so.
    Vanish,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// It is done.
    Done,
    /// What the key held.
    Value(State),
    /// A count, a length, a sum.
    Number(i64),
    /// The key holds no integer, or one that cannot grow; it stays as it is.
    NotAnInteger,
}

impl Input {
    /// What becomes of a key that is as in `state`, and the answer.
    pub fn apply(&self, state: &State) -> (State, Output) {
        match self {
            Input::Get => (state.clone(), Output::Value(state.clone())),
            Input::Set(value) => (Some(value.clone()), Output::Done),
            Input::SetNx(value) => match state {
                None => (Some(value.clone()), Output::Number(1)),
                Some(_) => (state.clone(), Output::Number(0)),
            },
            Input::GetSet(value) => (Some(value.clone()), Output::Value(state.clone())),
            Input::Append(tail) => {
                let whole: Bytes = [state.as_deref().unwrap_or_default(), tail].concat().into();
                let length = whole.len() as i64;
                (Some(whole), Output::Number(length))
            }
            Input::Incr => match incremented(state) {
                Some(sum) => (Some(sum.to_string().into()), Output::Number(sum)),
                None => (state.clone(), Output::NotAnInteger),
            },
            Input::Del => (None, Output::Number(i64::from(state.is_some()))),
            Input::Vanish => (None, Output::Done),
        }
    }

    /// Whether an operation that answered this has changed nothing, whenever it took effect.
    pub(super) fn only_read(&self, output: Option<&Output>) -> bool {
        match self {
            Input::Get => true,
            Input::SetNx(_) | Input::Del => output == Some(&Output::Number(0)),
            Input::Incr => output == Some(&Output::NotAnInteger),
            Input::Set(_) | Input::GetSet(_) | Input::Append(_) | Input::Vanish => false,
        }
    }

    /// Whether neither what it leaves nor what it answers depends on what the key held, the answer being `known` or
    /// nobody's business.
    pub(super) fn is_blind(&self, known: bool) -> bool {
        match self {
            Input::Set(_) | Input::Vanish => true,
            Input::GetSet(_) | Input::Del => !known,
            Input::Get | Input::SetNx(_) | Input::Append(_) | Input::Incr => false,
        }
    }
}

/// One more than the integer in decimal, as Redis writes them; an absent key holds 0.
fn incremented(state: &State) -> Option<i64> {
    let Some(text) = state else { return Some(1) };
    let number: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    // Redis knows one way to write a number: no sign before a positive one, no zeros before others.
    (number.to_string().as_bytes() == text.as_ref()).then_some(number)?.checked_add(1)
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |value: &Bytes| format!("\"{}\"", value.escape_ascii());
        match self {
            Input::Get => f.write_str("GET"),
            Input::Set(value) => write!(f, "SET {}", quoted(value)),
            Input::SetNx(value) => write!(f, "SETNX {}", quoted(value)),
            Input::GetSet(value) => write!(f, "GETSET {}", quoted(value)),
            Input::Append(value) => write!(f, "APPEND {}", quoted(value)),
            Input::Incr => f.write_str("INCR"),
            Input::Del => f.write_str("DEL"),
            Input::Vanish => f.write_str("vanished"),
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Output::Done => f.write_str("done"),
            Output::Value(Some(value)) => write!(f, "\"{}\"", value.escape_ascii()),
            Output::Value(None) => f.write_str("nil"),
            Output::Number(number) => write!(f, "{number}"),
            Output::NotAnInteger => f.write_str("not an integer"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(text: &'static str) -> State {
        Some(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn answers_as_redis_does() {
        let value = || Bytes::from_static(b"new");
        let cases = [
            (some("a"), Input::Get, some("a"), Output::Value(some("a"))),
            (None, Input::Get, None, Output::Value(None)),
            (some("a"), Input::Set(value()), some("new"), Output::Done),
            (None, Input::SetNx(value()), some("new"), Output::Number(1)),
            (some("a"), Input::SetNx(value()), some("a"), Output::Number(0)),
            (some("a"), Input::GetSet(value()), some("new"), Output::Value(some("a"))),
            (None, Input::GetSet(value()), some("new"), Output::Value(None)),
            (some("a"), Input::Append(value()), some("anew"), Output::Number(4)),
            (None, Input::Append(value()), some("new"), Output::Number(3)),
            (some("41"), Input::Incr, some("42"), Output::Number(42)),
            (some("-1"), Input::Incr, some("0"), Output::Number(0)),
            (None, Input::Incr, some("1"), Output::Number(1)),
            (some("a"), Input::Del, None, Output::Number(1)),
            (None, Input::Del, None, Output::Number(0)),
            (some("a"), Input::Vanish, None, Output::Done),
        ];
        for (before, input, after, answer) in cases {
            assert_eq!(input.apply(&before), (after, answer), "{input} on {before:?}");
        }
        for odd in ["", "a", "+1", "01", "-0", " 1", "9223372036854775807", "9223372036854775808"] {
            assert_eq!(Input::Incr.apply(&some(odd)), (some(odd), Output::NotAnInteger), "{odd}");
        }
    }
}
