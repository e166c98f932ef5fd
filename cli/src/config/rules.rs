//! The rules of a configuration: for one value, and for values together. Does not know how values are found.

use super::{
    fields::{Field, Kind},
    problem::{Origin, Problem},
    resolved::Resolved,
};
use crate::{
    logging,
    server::{
        bind::{self, Guard},
        parse_size,
    },
};
use predis_types::{PartitionCount, limits::MAX_NAME_BYTES};
use serde_json::Value;

/// What is wrong with one value, if anything is.
pub(super) fn broken(field: &Field, value: &Value, origin: &Origin) -> Option<Problem> {
    (!holds(field, value)).then(|| Problem {
        field: Some(field.key.clone()),
        rule: format!("must be {}", field.rule),
        value: Some(value.clone()),
        origin: origin.clone(),
    })
}

fn holds(field: &Field, value: &Value) -> bool {
    match (&field.kind, value) {
        (Kind::Switch, Value::Bool(_)) => true,
        (Kind::Whole(from, to), Value::Number(number)) => {
            let in_range = |number: u64| (*from..=*to).contains(&number) && whole_fits(&field.key, number);
            number.as_u64().is_some_and(in_range)
        }
        (Kind::Choice(choices), Value::String(text)) => choices.contains(text),
        (Kind::List, Value::Array(values)) => {
            let fits = |value: &Value| value.as_str().is_some_and(|text| bind::host(text).is_some());
            !values.is_empty() && values.iter().all(fits)
        }
        (Kind::Text, Value::String(text)) => text_fits(&field.key, text),
        _ => false,
    }
}

fn whole_fits(key: &str, number: u64) -> bool {
    key != "partitions" || u16::try_from(number).is_ok_and(|count| PartitionCount::new(count).is_some())
}

fn text_fits(key: &str, text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let is_name = plain && text.len() <= MAX_NAME_BYTES;
    match key {
        "listen" | "proxy_listen" | "grpc" | "metrics" => bind::host(text).is_some(),
        // A host is one when it makes an address together with a port.
        "advertise" => bind::host(&format!("{text}:1")).is_some(),
        "name" => is_name && !text.is_empty(),
        "region" | "zone" => is_name,
        "memory" => parse_size(text).is_ok(),
        "log" => !text.is_empty() && logging::filter(text).is_ok(),
        _ => !text.is_empty(),
    }
}

/// What is wrong with values that are right one by one.
pub(super) fn together(resolved: &Resolved, bootstrap: bool) -> Vec<Problem> {
    let mut problems = tls(resolved);
    problems.extend(addresses(resolved, bootstrap));
    let require_auth = resolved.setting("require_auth");
    if let (Some(Value::Bool(true)), Origin::Flag(_), false) =
        (&require_auth.value, &require_auth.origin, bootstrap)
    {
        problems.push(Problem {
            value: None,
            ..require_auth
                .problem("only with --bootstrap: an existing cluster says itself whether it requires it")
        });
    }
    problems
}

/// All three files of TLS or none.
fn tls(resolved: &Resolved) -> Vec<Problem> {
    let files = ["tls.authority", "tls.certificate", "tls.key"].map(|key| resolved.setting(key));
    let given = files.iter().filter(|file| file.value.is_some()).count();
    if given == files.len() {
        return Vec::new();
    }
    let clients = resolved.setting("tls.clients");
    if given == 0 {
        let alone = clients.origin != Origin::Default;
        let rule = "means something only with tls.authority, tls.certificate and tls.key";
        return alone.then(|| clients.problem(rule)).into_iter().collect();
    }
    let missing = files.iter().filter(|file| file.value.is_none());
    missing.map(|file| file.problem("must be set: TLS takes an authority, a certificate and a key")).collect()
}

/// Ports are safe to reach, and others can be told where they are.
fn addresses(resolved: &Resolved, bootstrap: bool) -> Vec<Problem> {
    let file = &resolved.file;
    let guard = Guard { tls: file.tls.is_on(), auth: bootstrap.then_some(file.require_auth) };
    let mut problems = Vec::new();
    for (key, addr) in file.ports() {
        let setting = resolved.setting(key);
        let is_unsafe = bind::is_exposed(addr) && !file.insecure;
        if let Some(rule) = guard.broken_rule().filter(|_| is_unsafe) {
            problems.push(setting.problem(rule));
        }
        if file.advertise.is_none() && bind::is_unspecified(addr) {
            problems.push(setting.problem("is no address that others can dial: set advertise"));
        }
    }
    problems
}
