//! One operation of a history.

use super::{Input, Output};
use std::fmt;

/// Microseconds since some moment that all operations of a history share.
pub type Time = u64;

/// What was asked of a key, when, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// When it was asked for.
    pub call: Time,
    /// When the answer was there. None when there was none: it may take effect at any time after its call, or never.
    pub ret: Option<Time>,
    /// What was asked.
    pub input: Input,
    /// The answer. None when nobody knows it, though the operation may well have ended.
    pub output: Option<Output>,
}

impl Operation {
    /// One whose answer is known.
    pub fn ended(call: Time, ret: Time, input: Input, output: Output) -> Operation {
        Operation { call, ret: Some(ret), input, output: Some(output) }
    }

    /// One that may have been carried out or not, or is so later.
    pub fn open(call: Time, input: Input) -> Operation {
        Operation { call, ret: None, input, output: None }
    }

    /// The key became absent by itself between two moments.
    pub fn vanished(from: Time, to: Time) -> Operation {
        Operation::ended(from, to, Input::Vanish, Output::Done)
    }

    /// When it had ended, never before its call.
    pub(super) fn end(&self) -> Option<Time> {
        self.ret.map(|ret| ret.max(self.call))
    }
}

impl fmt::Display for Operation {
    /// `[1000..2500] SET "a": OK`, in microseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}..", self.call)?;
        if let Some(ret) = self.ret {
            write!(f, "{ret}")?;
        }
        write!(f, "] {}", self.input)?;
        match &self.output {
            Some(output) => write!(f, ": {output}"),
            None => f.write_str(": outcome unknown"),
        }
    }
}
