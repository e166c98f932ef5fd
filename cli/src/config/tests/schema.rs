//! The schema against the rules: what a node takes is valid, and what is wrong in form is not.
//!
//! Validates with the part of JSON schema that the schema uses, and fails on any other.

use super::{
    super::{document::Document, fields::schema},
    resolve,
};
use serde_json::{Map, Value};

/// What is wrong with a value.
fn violations(schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (keyword, rule) in schema.as_object().unwrap() {
        let holds = match keyword.as_str() {
            "type" => is_of_type(rule.as_str().unwrap(), value),
            "enum" => rule.as_array().unwrap().contains(value),
            "oneOf" => {
                let fits = |option: &&Value| violations(option, value, path).is_empty();
                rule.as_array().unwrap().iter().filter(fits).count() == 1
            }
            "const" => rule == value,
            "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
            "minLength" => {
                value.as_str().is_none_or(|text| text.chars().count() as u64 >= rule.as_u64().unwrap())
            }
            "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
            "pattern" => value.as_str().is_none_or(|text| matches(rule.as_str().unwrap(), text)),
            "items" => {
                let items = value.as_array().into_iter().flatten();
                found.extend(items.flat_map(|item| violations(rule, item, &format!("{path}[]"))));
                true
            }
            "properties" => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    let schema = rule.get(key);
                    found.extend(
                        schema.into_iter().flat_map(|rule| violations(rule, value, &format!("{path}{key}."))),
                    );
                }
                true
            }
            "additionalProperties" => {
                assert_eq!(*rule, false);
                let known = schema["properties"].as_object().unwrap();
                value.as_object().is_none_or(|object| object.keys().all(|key| known.contains_key(key)))
            }
            "$schema" | "title" | "description" | "default" | "format" => true,
            other => {
                assert!(other.starts_with("x-"), "the validator does not know {other}");
                true
            }
        };
        if !holds {
            found.push(format!("{path} {keyword}"));
        }
    }
    found
}

fn is_of_type(name: &str, value: &Value) -> bool {
    match name {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the validator does not know the type {other}"),
    }
}

/// Whether a pattern of the form `^...$` matches: characters, classes, and how often they come.
fn matches(pattern: &str, text: &str) -> bool {
    let inner =
        pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$')).expect("an anchored pattern");
    let chars: Vec<char> = text.chars().collect();
    matches_from(inner, &chars)
}

fn matches_from(pattern: &str, text: &[char]) -> bool {
    let Some(first) = pattern.chars().next() else { return text.is_empty() };
    let (class, rest) = match first {
        '[' => pattern[1..].split_once(']').expect("a class ends"),
        _ => pattern.split_at(first.len_utf8()),
    };
    let fits = |c: char| {
        let (class, negated) = class.strip_prefix('^').map_or((class, false), |class| (class, true));
        is_in(class, c) != negated
    };
    let (range, rest) = match rest.chars().next() {
        Some('?') => (0..=1, &rest[1..]),
        Some('+') => (1..=usize::MAX, &rest[1..]),
        Some('{') => {
            let (range, rest) = rest[1..].split_once('}').expect("a count ends");
            let (from, to) = range.split_once(',').expect("a count has two numbers");
            (from.parse().unwrap()..=to.parse().unwrap(), rest)
        }
        _ => (1..=1, rest),
    };
    let most = text.iter().take_while(|c| fits(**c)).count();
    (0..=most).rev().filter(|count| range.contains(count)).any(|count| matches_from(rest, &text[count..]))
}

fn is_in(class: &str, c: char) -> bool {
    let class: Vec<char> = class.chars().collect();
    let mut at = 0;
    while at < class.len() {
        if at + 2 < class.len() && class[at + 1] == '-' {
            if (class[at]..=class[at + 2]).contains(&c) {
                return true;
            }
            at += 3;
        } else if class[at] == c {
            return true;
        } else {
            at += 1;
        }
    }
    false
}

/// A file as JSON.
fn json(text: &str) -> Value {
    let mut root = Map::new();
    for (key, value, _) in Document::parse("predis.toml", text).unwrap().entries {
        match key.split_once('.') {
            None => drop(root.insert(key, value)),
            Some((table, key)) => root.entry(table).or_insert_with(|| Map::new().into())[key] = value,
        }
    }
    root.into()
}

#[test]
fn patterns_are_matched() {
    for (pattern, text, expected) in [
        ("^[a-c]{1,2}$", "ab", true),
        ("^[a-c]{1,2}$", "abc", false),
        ("^[^ ]+:[0-9]{1,5}$", "[::1]:6379", true),
        ("^[^ ]+:[0-9]{1,5}$", "::1:", false),
        ("^[0-9]+ ?[kK]?b?$", "12 kb", true),
        ("^[0-9]+ ?[kK]?b?$", "12  kb", false),
        ("^[a-z.-]+$", "a-b.c", true),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn what_a_node_takes_is_valid() {
    let schema = schema();
    let example = include_str!("../../../../docs/predis.example.toml");
    for text in [
        example,
        "",
        "memory = '8 GiB'",
        "memory = '100'",
        "zone = ''",
        "advertise = '[2001:db8::1]'",
        "join = ['a:1']",
        "log_format = 'json'",
        "tls = { authority = 'a', certificate = 'c', key = 'k', clients = 'required' }",
        "timeout = 2147483647",
        "partitions = 16384",
    ] {
        assert!(resolve(text).is_ok(), "{text}");
        assert_eq!(violations(schema.as_value(), &json(text), ""), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_is_wrong_in_form_is_not() {
    let schema = schema();
    for text in [
        "memroy = '1gb'",
        "tls.keys = 'k'",
        "name = ''",
        "name = 'a b'",
        "zone = 'a/b'",
        "listen = '6379'",
        "listen = 6379",
        "proxy_listen = 'localhost:port'",
        "join = []",
        "join = ['a']",
        "memory = 'lots'",
        "max_clients = 0",
        "timeout = -1",
        "weight = 10001",
        "weight = '5'",
        "copies = 6",
        "partitions = 0",
        "policy = 'mru'",
        "insecure = 'yes'",
        "log = ''",
        "log_format = 'xml'",
        "data_dir = ''",
        "tls.clients = 'some'",
    ] {
        assert!(resolve(text).is_err(), "{text}");
        assert!(!violations(schema.as_value(), &json(text), "").is_empty(), "{text}");
    }
}
