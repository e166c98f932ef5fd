//! `predis config`, and the settings of `predis server`, as processes: sources, words and exit statuses.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod process;

use process::{Server, predis};
use serde_json::Value;
use std::{fs::write, os::unix::fs::PermissionsExt, path::Path, process::Output};

fn run(args: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = predis(args).envs(variables.iter().copied()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// Whether the docs folder has this under this name.
fn published(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)).unwrap()
}

#[test]
fn check_says_where_each_value_is_from() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("predis.toml");
    write(&file, "weight = 5\n\nzone = 'a'\nmemory = '1gb'\n").unwrap();
    let path = file.to_str().unwrap();
    let variables =
        [("PREDIS_ZONE", "b"), ("PREDIS_MEMORY", "2gb"), ("PREDIS_MEMROY", "3gb"), ("PREDIS_NAME", "")];
    let (status, said, _) = run(&["config", "check", path, "--memory", "4gb"], &variables);
    assert_eq!(status, 0, "{said}");
    let row = |name: &str| {
        let line = said.lines().find(|line| line.split_whitespace().next() == Some(name)).unwrap();
        line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(row("memory"), "4gb --memory");
    assert_eq!(row("zone"), "b PREDIS_ZONE");
    assert_eq!(row("weight"), format!("5 {path}, line 1"));
    assert_eq!(row("copies"), "2 default");
    assert_eq!(row("name"), "predis-6379 default");
    assert!(said.contains("No setting of a server: PREDIS_MEMROY\n"), "{said}");
    assert!(said.ends_with("The configuration is valid.\n"), "{said}");

    let variables = [("PREDIS_CONFIG", path)];
    let (status, said, _) = run(&["config", "check", "--json"], &variables);
    let json: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((status, &json["valid"], &json["file"]), (0, &true.into(), &path.into()));
    let of = |name: &str| json["settings"].as_array().unwrap().iter().find(|s| s["setting"] == name).unwrap();
    assert_eq!(
        *of("weight"),
        serde_json::json!({"setting": "weight", "value": 5, "from": "file", "line": 1})
    );
    assert_eq!((&of("memory")["line"], &of("advertise")["value"]), (&4.into(), &Value::Null));
    assert_eq!(json["problems"], serde_json::json!([]));
}

#[test]
fn check_and_server_refuse_the_same_with_the_same_words() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("predis.toml");
    let path = file.to_str().unwrap();
    for (text, flags, variables, parts) in [
        ("\ncopies = 9\n", &[][..], &[][..], ["copies: must be from 1 to 5, got 9", "line 2)"]),
        ("memroy = '1gb'", &[], &[], ["unknown field `memroy`, expected one of name", "line 1)"]),
        ("", &["--weight", "x"], &[], ["weight: must be from 1 to 10000, got \"x\"", "(--weight)"]),
        ("", &[], &[("PREDIS_WEIGHT", "0")], ["weight: must be from 1 to 10000, got 0", "(PREDIS_WEIGHT)"]),
        (
            "",
            &["--listen", "0.0.0.0:1", "--bootstrap"],
            &[],
            ["listen: must be a loopback address", "require_auth"],
        ),
        ("", &["--require-auth"], &[], ["require_auth: only with --bootstrap", "(--require-auth)"]),
        ("tls.key = 'k'", &["--tls-authority", "a"], &[], ["tls.certificate: must be set", "key"]),
        (
            "tls = { authority = '/nonexistent.crt', certificate = 'c', key = 'k' }",
            &["--listen", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--bootstrap"],
            &[],
            ["tls.authority /nonexistent.crt: cannot be read", "No such file"],
        ),
    ] {
        write(&file, text).unwrap();
        let data = directory.path().join("data");
        let server = ["server", "--config", path, "--data-dir", data.to_str().unwrap()];
        let check = ["config", "check", path, "--data-dir", data.to_str().unwrap()];
        let [of_server, of_check] = [&server[..], &check].map(|args| run(&[args, flags].concat(), variables));
        assert_eq!((of_server.0, of_check.0), (2, 2), "{of_server:?} {of_check:?}");
        for (_, said, refused) in [&of_server, &of_check] {
            assert_eq!(said, "");
            parts.iter().for_each(|part| assert!(refused.contains(part), "{refused}"));
        }
        let (status, said, _) = run(&[&check[..], &["--json"], flags].concat(), variables);
        let json: Value = serde_json::from_str(&said).unwrap();
        assert_eq!((status, &json["valid"]), (2, &false.into()));
        let message = json["problems"][0]["message"].as_str().unwrap();
        assert!(of_check.2.contains(message), "{message}");
    }
    write(&file, "\nmax_clients = 0").unwrap();
    let (_, said, _) = run(&["config", "check", "--json", path], &[]);
    let json: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        json["problems"],
        serde_json::json!([{
            "setting": "max_clients",
            "rule": "must be from 1 to 1000000",
            "value": 0,
            "from": "file",
            "line": 2,
            "message": format!("max_clients: must be from 1 to 1000000, got 0 ({path}, line 2)"),
        }])
    );
}

#[test]
fn schema_and_reference_are_what_is_published() {
    let (status, schema, _) = run(&["config", "schema"], &[]);
    assert_eq!((status, schema), (0, published("predis.schema.json")));
    let (status, reference, _) = run(&["config", "reference"], &[]);
    assert_eq!(status, 0);
    assert!(published("configuration.md").contains(&reference));
}

#[test]
fn help_lists_every_variable() {
    let (status, help, _) = run(&["server", "--help"], &[]);
    assert_eq!(status, 0);
    let schema: Value = serde_json::from_str(&published("predis.schema.json")).unwrap();
    let mut names = vec!["CONFIG".to_owned()];
    for (name, property) in schema["properties"].as_object().unwrap() {
        match property["properties"].as_object() {
            None => names.push(name.to_uppercase()),
            Some(inner) => names.extend(inner.keys().map(|key| format!("{name}_{key}").to_uppercase())),
        }
    }
    assert!(names.len() > 20);
    for name in names {
        assert!(help.contains(&format!("[env: PREDIS_{name}]")), "{name}: {help}");
    }
}

#[test]
fn the_first_token_is_in_a_file_and_nowhere_else() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("predis.toml");
    write(&file, "listen = '127.0.0.1:0'\nrequire_auth = true\nlog = 'debug,h2=off,sled=off'\n").unwrap();
    let data = directory.path().join("data");
    let path = data.join("admin.token");
    let mut server = Server::start(&file, &data, &["--bootstrap"]);
    assert!(server.log.iter().any(|line| line.contains("admin.token")), "{:#?}", server.log);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let token = std::fs::read_to_string(&path).unwrap().trim_end().to_owned();
    assert!(server.command("PING").starts_with("-NOAUTH"), "the cluster requires authentication");
    let said = server.command(&format!("AUTH admin {token}\r\nACL WHOAMI"));
    assert!(said.starts_with("+OK\r\n$5\r\nadmin\r\n"), "{said}");
    assert_eq!(server.stop(), 0);
    assert!(!server.log.iter().any(|line| line.contains(&token)), "the log has the token");
    let identity = std::fs::read_to_string(data.join("node.json")).unwrap();
    assert!(!identity.contains(&token), "only its digest is kept");

    // The same file again, without --bootstrap: the cluster is what it was.
    let mut server = Server::start(&file, &data, &[]);
    assert!(server.command(&format!("AUTH admin {token}")).starts_with("+OK"));
    assert_eq!(server.stop(), 0);
    assert_eq!(std::fs::read_to_string(&path).unwrap().trim_end(), token);
}
