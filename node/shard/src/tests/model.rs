//! What the commands mean, written down a second time in the simplest way: an ordered map and no effects.
//!
//! Shares no code with the shard. An error is merely an error here; its words are tested by the scripts.

use std::collections::BTreeMap;

use bytes::Bytes;
use predis_resp::Reply;

type Bytestring = Vec<u8>;

/// Why the model has no reply.
pub(super) enum Stop {
    /// The command fails and changes nothing.
    Refused,
    /// The numbers are beyond what the model calculates with.
    Beyond,
}
use Stop::{Beyond, Refused};

type Answer = Result<Reply, Stop>;

pub(super) struct Model {
    pub(super) map: BTreeMap<Bytestring, (Bytestring, Option<u64>)>,
    pub(super) now: u64,
}

fn int(text: &[u8]) -> Result<i128, Stop> {
    let number: i64 = std::str::from_utf8(text).map_err(|_| Refused)?.parse().map_err(|_| Refused)?;
    if number.to_string().as_bytes() == text { Ok(number.into()) } else { Err(Refused) }
}

/// A finite decimal in units of 10^-10.
fn decimal(text: &[u8]) -> Result<i128, Stop> {
    let text = std::str::from_utf8(text).map_err(|_| Refused)?;
    if !text.parse::<f64>().map_err(|_| Refused)?.is_finite() {
        return Err(Refused);
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || whole.len() > 20 || part.len() > 10 {
        return Err(Beyond);
    }
    format!("{whole}{part:0<10}").parse().map_err(|_| Beyond)
}

fn reply(number: i128) -> Answer {
    Ok(Reply::Integer(number as i64))
}

fn bulk(value: Option<Bytestring>) -> Reply {
    value.map_or(Reply::Null, |value| Reply::Bulk(Bytes::from(value)))
}

impl Model {
    fn value(&self, key: &[u8]) -> Option<Bytestring> {
        self.map.get(key).map(|(value, _)| value.clone())
    }

    fn expiry(&self, key: &[u8]) -> Option<u64> {
        self.map.get(key).and_then(|(_, at)| *at)
    }

    fn put(&mut self, key: &[u8], value: &[u8], at: Option<u64>) {
        self.map.insert(key.to_vec(), (value.to_vec(), at));
        if at.is_some_and(|at| at <= self.now) {
            self.map.remove(key);
        }
    }

    /// A positive time of expiry as SET and GETEX take it.
    fn deadline(&self, unit: &str, number: &[u8]) -> Result<u64, Stop> {
        let number = int(number)?;
        let scale = if unit.starts_with('E') { 1000 } else { 1 };
        let base = if unit.ends_with("AT") { 0 } else { i128::from(self.now) };
        let at = number * scale + base;
        if number > 0 && at <= i128::from(i64::MAX) { Ok(at as u64) } else { Err(Refused) }
    }

    pub(super) fn run(&mut self, args: &[Bytes]) -> Answer {
        let now = self.now;
        self.map.retain(|_, (_, at)| at.is_none_or(|at| now <= at));
        let words: Vec<&[u8]> = args.iter().map(|arg| &arg[..]).collect();
        match words[0] {
            b"GET" => Ok(bulk(self.value(words[1]))),
            b"MGET" => Ok(Reply::Array(words[1..].iter().map(|key| bulk(self.value(key))).collect())),
            b"STRLEN" => reply(self.value(words[1]).map_or(0, |value| value.len() as i128)),
            b"GETDEL" => Ok(bulk(self.map.remove(words[1]).map(|(value, _)| value))),
            b"GETEX" => self.getex(&words),
            b"SET" => self.set(&words),
            b"SETNX" | b"MSETNX" | b"MSET" => self.set_many(&words),
            b"SETEX" => {
                self.deadline("EX", words[2]).map(|at| self.put(words[1], words[3], Some(at))).map(ok)
            }
            b"PSETEX" => {
                self.deadline("PX", words[2]).map(|at| self.put(words[1], words[3], Some(at))).map(ok)
            }
            b"GETSET" => {
                let old = self.value(words[1]);
                self.put(words[1], words[2], None);
                Ok(bulk(old))
            }
            b"INCR" => self.add(words[1], 1),
            b"DECR" => self.add(words[1], -1),
            b"INCRBY" => self.add(words[1], int(words[2])?),
            b"DECRBY" => match int(words[2])? {
                number if number == i128::from(i64::MIN) => Err(Refused),
                number => self.add(words[1], -number),
            },
            b"INCRBYFLOAT" => self.add_float(words[1], words[2]),
            b"APPEND" => {
                let old = self.value(words[1]).unwrap_or_default();
                self.replace(words[1], &[&old, words[2]].concat());
                reply((old.len() + words[2].len()) as i128)
            }
            b"SETRANGE" => self.setrange(words[1], int(words[2])?, words[3]),
            b"GETRANGE" | b"SUBSTR" => self.getrange(words[1], int(words[2])?, int(words[3])?),
            _ => self.run_on_keys(&words),
        }
    }

    fn run_on_keys(&mut self, words: &[&[u8]]) -> Answer {
        let key = words[1];
        let present = |key: &&&[u8]| self.map.contains_key(**key);
        match words[0] {
            b"EXISTS" | b"TOUCH" => reply(words[1..].iter().filter(present).count() as i128),
            b"TYPE" => Ok(Reply::simple(if self.map.contains_key(key) { "string" } else { "none" })),
            b"DEL" | b"UNLINK" => {
                reply(words[1..].iter().filter(|key| self.map.remove(**key).is_some()).count() as i128)
            }
            b"EXPIRE" => self.expire(words, 1000, self.now),
            b"PEXPIRE" => self.expire(words, 1, self.now),
            b"EXPIREAT" => self.expire(words, 1000, 0),
            b"PEXPIREAT" => self.expire(words, 1, 0),
            b"TTL" => self.ttl(key, |at, now| (at - now + 500) / 1000),
            b"PTTL" => self.ttl(key, |at, now| at - now),
            b"EXPIRETIME" => self.ttl(key, |at, _| (at + 500) / 1000),
            b"PEXPIRETIME" => self.ttl(key, |at, _| at),
            b"PERSIST" => {
                let at = self.map.get_mut(key).and_then(|(_, at)| at.take());
                reply(i128::from(at.is_some()))
            }
            b"RENAME" | b"RENAMENX" => {
                let entry = self.map.get(key).cloned().ok_or(Refused)?;
                let only_new = words[0] == b"RENAMENX";
                if only_new && self.map.contains_key(words[2]) {
                    return reply(0);
                }
                self.map.remove(key);
                self.map.insert(words[2].to_vec(), entry);
                if only_new { reply(1) } else { Ok(Reply::ok()) }
            }
            b"COPY" => self.copy(words),
            other => panic!("the model does not know {}", other.escape_ascii()),
        }
    }

    fn getex(&mut self, words: &[&[u8]]) -> Answer {
        let (mut persist, mut unit, mut number) = (false, String::new(), &b""[..]);
        let mut at = 2;
        while at < words.len() {
            let option = String::from_utf8_lossy(words[at]).to_uppercase();
            if option == "PERSIST" && unit.is_empty() {
                persist = true;
            } else if ["EX", "PX", "EXAT", "PXAT"].contains(&&*option)
                && !persist
                && (unit.is_empty() || unit == option)
                && at + 1 < words.len()
            {
                number = words[at + 1];
                unit = option;
                at += 1;
            } else {
                return Err(Refused);
            }
            at += 1;
        }
        let Some(value) = self.value(words[1]) else { return Ok(Reply::Null) };
        let until = match (persist, unit.is_empty()) {
            (true, _) => None,
            (_, false) => Some(self.deadline(&unit, number)?),
            _ => self.expiry(words[1]),
        };
        // Left as it was, a key in its last millisecond is not deleted.
        if until != self.expiry(words[1]) {
            self.put(words[1], &value, until);
        }
        Ok(bulk(Some(value)))
    }

    fn set(&mut self, words: &[&[u8]]) -> Answer {
        let (mut flags, mut unit, mut number) = (Vec::new(), String::new(), &b""[..]);
        let mut at = 3;
        while at < words.len() {
            let option = String::from_utf8_lossy(words[at]).to_uppercase();
            let has = |flag: &str| flags.iter().any(|given: &String| given == flag);
            let fits = match &*option {
                "NX" => !has("XX"),
                "XX" => !has("NX"),
                "GET" => true,
                "KEEPTTL" => unit.is_empty(),
                "EX" | "PX" | "EXAT" | "PXAT" => {
                    !has("KEEPTTL") && (unit.is_empty() || unit == option) && at + 1 < words.len()
                }
                _ => false,
            };
            if !fits {
                return Err(Refused);
            }
            if option.len() != 3 && option.starts_with(['E', 'P']) {
                unit = option;
                number = words[at + 1];
                at += 1;
            } else {
                flags.push(option);
            }
            at += 1;
        }
        let has = |flag: &str| flags.iter().any(|given| given == flag);
        let until = if unit.is_empty() { None } else { Some(self.deadline(&unit, number)?) };
        let old = self.value(words[1]);
        let stopped = has("NX") && old.is_some() || has("XX") && old.is_none();
        if !stopped {
            // Kept as it was, a time that is just now does not delete the key: the map is written directly.
            if has("KEEPTTL") {
                let kept = self.expiry(words[1]);
                self.map.insert(words[1].to_vec(), (words[2].to_vec(), kept));
            } else {
                self.put(words[1], words[2], until);
            }
        }
        Ok(match (has("GET"), stopped) {
            (true, _) => bulk(old),
            (false, true) => Reply::Null,
            (false, false) => Reply::ok(),
        })
    }

    fn set_many(&mut self, words: &[&[u8]]) -> Answer {
        if words.len().is_multiple_of(2) {
            return Err(Refused);
        }
        let pairs: Vec<&[&[u8]]> = words[1..].chunks(2).collect();
        let only_new = words[0] != b"MSET";
        if only_new && pairs.iter().any(|pair| self.map.contains_key(pair[0])) {
            return reply(0);
        }
        pairs.iter().for_each(|pair| self.put(pair[0], pair[1], None));
        if only_new { reply(1) } else { Ok(Reply::ok()) }
    }

    fn add(&mut self, key: &[u8], increment: i128) -> Answer {
        let sum = self.value(key).map_or(Ok(0), |value| int(&value))? + increment;
        let text = i64::try_from(sum).map_err(|_| Refused)?.to_string();
        self.replace(key, text.as_bytes());
        reply(sum)
    }

    fn add_float(&mut self, key: &[u8], increment: &[u8]) -> Answer {
        let sum = self.value(key).map_or(Ok(0), |value| decimal(&value))? + decimal(increment)?;
        let (sign, size, unit) = (if sum < 0 { "-" } else { "" }, sum.abs(), 10i128.pow(10));
        let mut text = format!("{sign}{}.{:010}", size / unit, size % unit);
        while text.ends_with('0') {
            text.pop();
        }
        let text = text.trim_end_matches('.').as_bytes();
        self.replace(key, text);
        Ok(bulk(Some(text.to_vec())))
    }

    /// Changes the value and leaves the expiry alone.
    fn replace(&mut self, key: &[u8], value: &[u8]) {
        self.map.entry(key.to_vec()).or_default().0 = value.to_vec();
    }

    fn setrange(&mut self, key: &[u8], offset: i128, patch: &[u8]) -> Answer {
        let mut value = self.value(key).unwrap_or_default();
        if offset < 0 {
            return Err(Refused);
        }
        if patch.is_empty() {
            return reply(value.len() as i128);
        }
        if offset + patch.len() as i128 > 512 << 20 {
            return Err(Refused);
        }
        for (at, byte) in patch.iter().enumerate() {
            let at = at + offset as usize;
            value.resize(value.len().max(at + 1), 0);
            value[at] = *byte;
        }
        self.replace(key, &value);
        reply(value.len() as i128)
    }

    fn getrange(&self, key: &[u8], start: i128, end: i128) -> Answer {
        let value = self.value(key).unwrap_or_default();
        let len = value.len() as i128;
        let reversed = start < 0 && end < 0 && start > end;
        let absolute = |at: i128| if at < 0 { (len + at).max(0) } else { at };
        let inside = |at: &usize| absolute(start) <= *at as i128 && *at as i128 <= absolute(end) && !reversed;
        let part = value.iter().enumerate().filter(|(at, _)| inside(at)).map(|(_, byte)| *byte);
        Ok(bulk(Some(part.collect())))
    }

    fn expire(&mut self, words: &[&[u8]], scale: i128, base: u64) -> Answer {
        let options: Vec<String> =
            words[3..].iter().map(|w| String::from_utf8_lossy(w).to_uppercase()).collect();
        let has = |name: &str| options.iter().any(|option| option == name);
        let known = options.iter().all(|option| ["NX", "XX", "GT", "LT"].contains(&&**option));
        if !known || (has("NX") && (has("XX") || has("GT") || has("LT"))) || (has("GT") && has("LT")) {
            return Err(Refused);
        }
        let scaled = int(words[2])? * scale;
        let at = scaled + i128::from(base);
        if i64::try_from(scaled).is_err() || i64::try_from(at).is_err() {
            return Err(Refused);
        }
        if !self.map.contains_key(words[1]) {
            return reply(0);
        }
        let current = self.expiry(words[1]).map(i128::from);
        let refused = has("NX") && current.is_some()
            || has("XX") && current.is_none()
            || has("GT") && current.is_none_or(|current| at <= current)
            || has("LT") && current.is_some_and(|current| at >= current);
        if refused {
            return reply(0);
        }
        let value = self.value(words[1]).unwrap_or_default();
        self.put(words[1], &value, Some(at.max(0) as u64));
        reply(1)
    }

    fn ttl(&self, key: &[u8], show: fn(i128, i128) -> i128) -> Answer {
        match self.map.get(key) {
            None => reply(-2),
            Some((_, None)) => reply(-1),
            Some((_, Some(at))) => reply(show(i128::from(*at), i128::from(self.now))),
        }
    }

    fn copy(&mut self, words: &[&[u8]]) -> Answer {
        let (mut database, mut replace, mut at) = (0, false, 3);
        while at < words.len() {
            match words[at].to_ascii_uppercase().as_slice() {
                b"REPLACE" => replace = true,
                b"DB" if at + 1 < words.len() => {
                    database = int(words[at + 1])?;
                    at += 1;
                }
                _ => return Err(Refused),
            }
            at += 1;
        }
        if database != 0 || words[1] == words[2] {
            return Err(Refused);
        }
        match self.map.get(words[1]).cloned() {
            Some(entry) if replace || !self.map.contains_key(words[2]) => {
                self.map.insert(words[2].to_vec(), entry);
                reply(1)
            }
            _ => reply(0),
        }
    }
}

fn ok(_: ()) -> Reply {
    Reply::ok()
}
