//! Whether operations of unknown outcome could turn what a key holds into what an answer demands: an estimate that
//! errs on the side of yes, to spare the search what leads nowhere.
//!
//! Each of them is thought to be there as often as it is useful, up to how many there are of its kind; in truth each
//! is there once.

use super::{Input, Operation, Output, State};
use bytes::Bytes;

/// From so many bytes on, an integer may be too large for 64 bits.
const LONGEST_INTEGER: usize = 19;

/// What is there to help, of the kinds that depend on what the key holds: what others make of it is known at once.
#[derive(Default)]
pub(super) struct Help<'a> {
    incrs: usize,
    tails: Vec<&'a Bytes>,
    firsts: Vec<&'a Bytes>,
}

impl<'a> Help<'a> {
    pub(super) fn add(&mut self, input: &'a Input) {
        match input {
            Input::Incr => self.incrs += 1,
            Input::Append(tail) => self.tails.push(tail),
            Input::SetNx(first) => self.firsts.push(first),
            _ => {}
        }
    }

    /// Whether an operation that ended could tell a key that an open one has made of `before` what is in `state` from
    /// one that is as before: it fits, at once or after some of these.
    pub(super) fn may_notice(&self, before: &State, state: &State, operation: &Operation) -> bool {
        let Operation { input, output, .. } = operation;
        if input.is_blind(output.is_some()) {
            return false;
        }
        let after = |value: Option<Bytes>| self.leads(state, &value, self.incrs, self.tails.len());
        match (input, output) {
            (Input::Get | Input::GetSet(_), Some(Output::Value(value))) => after(value.clone()),
            (Input::Incr, Some(Output::Number(1))) => after(None) || after(Some("0".into())),
            (Input::Incr, Some(Output::Number(sum))) => {
                sum.checked_sub(1).is_some_and(|number| after(Some(number.to_string().into())))
            }
            (Input::Append(tail), Some(Output::Number(length))) => {
                let wanted = usize::try_from(*length).unwrap_or_default().checked_sub(tail.len());
                wanted.is_some_and(|wanted| self.may_be_as_long(state, wanted))
            }
            // It leaves nothing, so it tells nothing but that there was something.
            (Input::Del, Some(Output::Number(1))) => before.is_none() && state.is_some(),
            (Input::SetNx(_), Some(Output::Number(0))) => state.is_some(),
            (Input::Del | Input::SetNx(_), Some(_)) => state.is_none(),
            (Input::Incr, Some(Output::NotAnInteger)) => self.may_be_no_integer(state),
            _ => true,
        }
    }

    /// What begins as an integer stays one until something else is appended, or it is too large.
    fn may_be_no_integer(&self, state: &State) -> bool {
        let Some(value) = state else { return true };
        let most = value.len() + self.tails.iter().map(|tail| tail.len()).sum::<usize>();
        let is_digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
        let is_number = is_digits(value.strip_prefix(b"-").unwrap_or(value));
        !is_number || most >= LONGEST_INTEGER || self.tails.iter().any(|tail| !is_digits(tail))
    }

    /// Strings grow, but for a negative number that comes nearer to zero.
    fn may_be_as_long(&self, state: &State, wanted: usize) -> bool {
        let length = state.as_ref().map_or(0, Bytes::len);
        let is_negative = state.as_ref().is_some_and(|value| value.starts_with(b"-"));
        let may_grow = self.incrs + self.tails.len() > 0 || (state.is_none() && !self.firsts.is_empty());
        length == wanted || (may_grow && (length < wanted || is_negative))
    }

    /// Whether up to so many increments and tails lead from one value to the other: looked for backwards, where
    /// there is less choice.
    fn leads(&self, from: &State, to: &State, incrs: usize, tails: usize) -> bool {
        if from == to {
            return true;
        }
        let Some(to) = to else { return false };
        let first = from.is_none() && self.firsts.contains(&to);
        first || self.leads_by_tail(from, to, incrs, tails) || self.leads_by_incr(from, to, incrs, tails)
    }

    fn leads_by_tail(&self, from: &State, to: &Bytes, incrs: usize, tails: usize) -> bool {
        let Some(fewer) = tails.checked_sub(1) else { return false };
        self.tails.iter().filter(|tail| !tail.is_empty() && to.ends_with(tail)).any(|tail| {
            let head = to.slice(..to.len() - tail.len());
            (head.is_empty() && from.is_none()) || self.leads(from, &Some(head), incrs, fewer)
        })
    }

    fn leads_by_incr(&self, from: &State, to: &Bytes, incrs: usize, tails: usize) -> bool {
        let Some(fewer) = incrs.checked_sub(1) else { return false };
        let number = std::str::from_utf8(to).ok().and_then(|text| text.parse::<i64>().ok());
        let Some(before) = number.and_then(|number| number.checked_sub(1)) else { return false };
        (before == 0 && from.is_none()) || self.leads(from, &Some(before.to_string().into()), fewer, tails)
    }
}
