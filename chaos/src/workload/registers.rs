//! A client that shares a few keys with others under `quorum`: their histories must be linearizable.
//!
//! What it writes, nothing else writes. Some keys hold strings, others integers. After a while all clients go on to
//! fresh keys, so that unknown outcomes do not pile up on one.

use super::session::{Ending, Session};
use crate::{
    checker::{Input, Operation, Output, Time},
    oracle::{Observed, Oracle, lock},
};
use bytes::Bytes;
use predis_resp::{Reply, Retry, lookup};
use predis_types::{Rng, SplitMix64};
use std::{
    str,
    sync::{Arc, Mutex},
    time::Duration,
};

/// How many keys are in use at a time.
const KEYS: u64 = 4;

/// How long they are.
const GENERATION: Duration = Duration::from_secs(4);

/// How often a command is sent that may be sent again.
const ATTEMPTS: u64 = 2;

struct Client {
    who: u64,
    // A proxy carries out what may be repeated more than once, and nobody is told: a value that was overwritten comes
    // back. Of writes such a client sends those alone that are never repeated.
    proxied: bool,
    session: Session,
    oracle: Arc<Mutex<Oracle>>,
    rng: SplitMix64,
    count: u64,
}

/// Runs until told to be quiet; then the client that is to `look_back` reads every key that ever was.
pub(super) async fn registers(
    (who, proxied, look_back): (u64, bool, bool),
    session: Session,
    seed: u64,
    oracle: Arc<Mutex<Oracle>>,
) {
    let mut client = Client { who, proxied, session, oracle, rng: SplitMix64::new(seed), count: 0 };
    while !lock(&client.oracle).is_quiet() {
        tokio::time::sleep(Duration::from_millis(client.rng.below(8))).await;
        let (generation, at) = (generation(), client.rng.below(KEYS));
        let input = client.draw(at);
        client.ask(&name(generation, at), input).await;
    }
    if look_back {
        for key in (0..=generation()).flat_map(|generation| (0..KEYS).map(move |at| name(generation, at))) {
            while !client.ask(&key, Input::Get).await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

fn generation() -> u64 {
    turmoil::sim_elapsed().unwrap_or_default().as_secs() / GENERATION.as_secs()
}

fn name(generation: u64, at: u64) -> String {
    format!("register-{generation}-{at}")
}

fn now() -> Time {
    turmoil::sim_elapsed().unwrap_or_default().as_micros() as Time
}

impl Client {
    /// What to do to a key: every other one counts.
    fn draw(&mut self, at: u64) -> Input {
        self.count += 1;
        let counts = at % 2 == 1;
        let value: Bytes = match counts {
            true => (self.who * 1_000_000_000 + self.count * 1_000).to_string().into(),
            false => format!("{}-{}", self.who, self.count).into(),
        };
        match self.rng.below(20) {
            0..7 => Input::Get,
            7..11 if !self.proxied => Input::Set(value),
            7..13 => Input::GetSet(value),
            13..15 => Input::SetNx(value),
            15..17 if !self.proxied => Input::Del,
            15..17 => Input::Get,
            _ if counts => Input::Incr,
            _ => Input::Append(format!("+{}-{}", self.who, self.count).into()),
        }
    }

    /// Sends a command, more than once if it may be; false when there was no answer. Every attempt is an operation
    /// of its own, and one whose outcome is unknown may yet take effect.
    async fn ask(&mut self, key: &str, input: Input) -> bool {
        for _ in 0..ATTEMPTS {
            let (call, args) = (now(), args(key, &input));
            let ending = self.session.request(key, &args).await;
            let operation = match ending {
                Ending::Refused => return false,
                Ending::Unknown => Operation::open(call, input.clone()),
                Ending::Answer(reply) => match output(&input, &reply) {
                    Some(output) => Operation::ended(call, now(), input.clone(), output),
                    None => Operation::open(call, input.clone()),
                },
            };
            let ended = operation.ret.is_some();
            let observed = Observed::Operation { key: key.to_owned(), operation };
            lock(&self.oracle).observe(self.who, observed);
            let may_repeat = lookup(&args).is_ok_and(|spec| spec.retry_of(&args) == Retry::Safe);
            if ended || !may_repeat {
                return ended;
            }
        }
        false
    }
}

fn args<'a>(key: &'a str, input: &'a Input) -> Vec<&'a str> {
    let (command, value) = match input {
        Input::Get => ("GET", None),
        Input::Set(value) => ("SET", Some(value)),
        Input::SetNx(value) => ("SETNX", Some(value)),
        Input::GetSet(value) => ("GETSET", Some(value)),
        Input::Append(value) => ("APPEND", Some(value)),
        Input::Incr => ("INCR", None),
        Input::Del | Input::Vanish => ("DEL", None),
    };
    let value = value.and_then(|value| str::from_utf8(value).ok());
    [command, key].into_iter().chain(value).collect()
}

/// What a reply means; none when it cannot be an answer to this.
fn output(input: &Input, reply: &Reply) -> Option<Output> {
    match (input, reply) {
        (Input::Set(_), Reply::Simple(_)) => Some(Output::Done),
        (Input::Get | Input::GetSet(_), Reply::Null) => Some(Output::Value(None)),
        (Input::Get | Input::GetSet(_), Reply::Bulk(value)) => Some(Output::Value(Some(value.clone()))),
        (Input::SetNx(_) | Input::Append(_) | Input::Incr | Input::Del, Reply::Integer(number)) => {
            Some(Output::Number(*number))
        }
        (Input::Incr, Reply::Error(_)) => Some(Output::NotAnInteger),
        _ => None,
    }
}
