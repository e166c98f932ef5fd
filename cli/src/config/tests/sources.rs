//! Every field through flag, variable, file and default, and which of them wins.

use super::super::{
    document::{Document, typed},
    fields::{Field, fields},
    flags::Flags,
    problem::Origin,
    resolved::{Sources, Variables},
};
use clap::{Args, Command, FromArgMatches};
use serde_json::Value;
use std::{ffi::OsString, os::unix::ffi::OsStringExt};

/// Three values for a field, for its flag, its variable and the file. A field that is not here fails the test.
fn samples(field: &Field) -> [&'static str; 3] {
    match field.key.as_str() {
        "name" | "region" | "zone" => ["a", "b.c", "D_e-1"],
        "listen" | "proxy_listen" | "grpc" | "metrics" => ["127.0.0.1:1", "localhost:2", "[::1]:3"],
        "advertise" => ["one.example.org", "192.0.2.1", "[2001:db8::1]"],
        "data_dir" | "tls.authority" | "tls.certificate" | "tls.key" => ["one", "./two", "/three"],
        "join" => ["a:1,b:2", "c:3", "[::1]:4,d:5"],
        "memory" => ["1", "512mb", "8 GB"],
        "max_clients" => ["1", "1000000", "7"],
        "timeout" => ["0", "2147483647", "60"],
        "weight" => ["1", "10000", "50"],
        "copies" => ["1", "5", "3"],
        "round_trip_ms" => ["0", "500", "200"],
        "partitions" => ["1", "16384", "512"],
        "policy" => ["lru", "fifo", "lru"],
        "ack" => ["quorum", "async", "quorum"],
        "require_auth" | "insecure" => ["true", "false", "true"],
        "log" => ["debug", "predis_node=trace,warn", "off"],
        "log_format" => ["json", "text", "json"],
        "tls.clients" => ["required", "optional", "required"],
        key => panic!("say what {key} may be"),
    }
}

/// A file that says this and nothing else.
fn file(field: &Field, value: &Value) -> String {
    match field.key.split_once('.') {
        None => format!("# a comment\n{} = {value}\n", field.key),
        Some((table, key)) => format!("[{table}]\n{key} = {value}\n"),
    }
}

fn typed_value(file: &Value, key: &str) -> Value {
    key.split('.').fold(file.clone(), |value, part| value[part].clone())
}

#[test]
fn flags_win_over_variables_over_the_file_over_defaults() {
    for field in fields() {
        let [flag, variable, in_file] = samples(field);
        for chosen in 0..8 {
            let (by_flag, by_variable, by_file) = (chosen & 1 != 0, chosen & 2 != 0, chosen & 4 != 0);
            // Founding, so that a flag that needs it is taken.
            let mut sources = Sources { bootstrap: true, ..Sources::default() };
            let tls = ["tls.authority", "tls.certificate", "tls.key"];
            for other in tls.into_iter().filter(|key| field.key.starts_with("tls.") && *key != field.key) {
                sources.flags.0.insert(other, "other.pem".to_owned());
            }
            let mut document = Document::default();
            let (mut expected, mut origin) = (field.default.clone(), Origin::Default);
            if by_file {
                let value = typed(&field.kind, in_file);
                document = Document::parse("predis.toml", &file(field, &value)).unwrap();
                (expected, origin) = (Some(value), Origin::File("predis.toml".to_owned(), 2));
            }
            if by_variable {
                sources.variables.0.insert(field.variable.clone(), variable.into());
                expected = Some(typed(&field.kind, variable));
                origin = Origin::Variable(field.variable.clone());
            }
            if by_flag {
                sources.flags.0.insert(&field.key, flag.to_owned());
                (expected, origin) = (Some(typed(&field.kind, flag)), Origin::Flag(&field.flag));
            }
            let resolved = sources.resolve_with(&document);
            if chosen == 0 && tls.contains(&field.key.as_str()) {
                // Nobody says anything about one of three that belong together.
                assert!(resolved.unwrap_err().to_string().contains(&field.key));
                continue;
            }
            let resolved = resolved.unwrap_or_else(|problems| panic!("{}: {problems}", field.key));
            let setting = resolved.setting(&field.key);
            assert_eq!(setting.origin, origin, "{} from {chosen:03b}", field.key);
            let name = field.key == "name" && chosen == 0;
            let expected = if name { Some("predis-6379".into()) } else { expected };
            assert_eq!(setting.value, expected, "{} from {chosen:03b}", field.key);
            let file = serde_json::to_value(&resolved.file).unwrap();
            assert_eq!(typed_value(&file, &field.key), expected.unwrap_or_default(), "{}", field.key);
        }
    }
}

fn parsed(args: &[&str]) -> Flags {
    let command = Flags::augment_args(Command::new("test").no_binary_name(true));
    Flags::from_arg_matches(&command.try_get_matches_from(args).unwrap()).unwrap()
}

#[test]
fn every_field_is_a_flag() {
    for field in fields() {
        let [value, ..] = samples(field);
        let given = parsed(&[&format!("--{}={value}", field.flag)]);
        assert_eq!(given.0.get(&*field.key).map(String::as_str), Some(value), "{}", field.key);
    }
    assert_eq!(parsed(&[]), Flags::default());
    let given = parsed(&["--insecure", "--join", "a:1", "--join", "b:2,c:3", "--tls-clients", "required"]);
    let given: Vec<(&str, &str)> = given.0.iter().map(|(key, text)| (*key, text.as_str())).collect();
    assert_eq!(given, [("insecure", "true"), ("join", "a:1,b:2,c:3"), ("tls.clients", "required")]);
}

#[test]
fn variables_are_text_and_switches_understand_words() {
    let resolve = |name: &str, value: OsString| {
        let variables = Variables([(name.to_owned(), value)].into());
        Sources { variables, ..Sources::default() }.resolve_with(&Document::default())
    };
    for (text, expected) in
        [("1", true), ("Yes", true), ("on", true), ("0", false), ("OFF", false), ("n", false)]
    {
        assert_eq!(resolve("PREDIS_INSECURE", text.into()).unwrap().file.insecure, expected, "{text}");
    }
    for (name, text, parts) in [
        (
            "PREDIS_INSECURE",
            "perhaps",
            ["insecure: must be true or false", "\"perhaps\"", "(PREDIS_INSECURE)"],
        ),
        ("PREDIS_WEIGHT", "heavy", ["weight: must be from 1 to 10000", "\"heavy\"", "(PREDIS_WEIGHT)"]),
        ("PREDIS_TLS_CLIENTS", "some", ["tls.clients: must be one of", "optional, required", "\"some\""]),
    ] {
        let refused = resolve(name, text.into()).unwrap_err().to_string();
        parts.iter().for_each(|part| assert!(refused.contains(part), "{refused}"));
    }
    let refused = resolve("PREDIS_ZONE", OsString::from_vec(vec![0xff])).unwrap_err().to_string();
    assert_eq!(refused, "zone: must be UTF-8 (PREDIS_ZONE)");
}

#[test]
fn a_variable_that_is_no_setting_is_told_of() {
    let names = ["PREDIS_CONFIG", "PREDIS_MEMORY", "PREDIS_MEMROY", "PREDIS_TLS_KEY"];
    let variables = Variables(names.map(|name| (name.to_owned(), "x".into())).into());
    assert_eq!(variables.others(), ["PREDIS_MEMROY"]);
}
