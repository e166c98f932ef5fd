//! What is refused, with which words.

use super::{
    super::{
        fields::fields,
        problem::Origin,
        resolved::{Resolved, Sources},
        rules,
    },
    refused, resolve,
};

#[test]
fn a_bad_value_is_refused_with_field_value_rule_and_line() {
    let line = "(predis.toml, line 2)";
    for (text, parts) in [
        ("name = ''", ["name: must be 1 to 64 letters", "got \"\""]),
        ("name = 'a b'", ["name: must be 1 to 64 letters", "got \"a b\""]),
        ("zone = 'a/b'", ["zone: must be empty, or 1 to 64 letters", "a/b"]),
        ("region = 'ü'", ["region: must be empty", "ü"]),
        ("listen = '6379'", ["listen: must be host:port", "6379"]),
        ("proxy_listen = 'localhost'", ["proxy_listen: must be host:port", "localhost"]),
        ("grpc = 'localhost:port'", ["grpc: must be host:port", "localhost:port"]),
        ("metrics = 'localhost:99999'", ["metrics: must be host:port", "99999"]),
        ("advertise = 'example.org:1'", ["advertise: must be a host without a port", "example.org:1"]),
        ("advertise = '2001:db8::1'", ["advertise: must be a host", "in brackets"]),
        ("data_dir = ''", ["data_dir: must be a path", "\"\""]),
        ("join = []", ["join: must be at least one member's gRPC address", "[]"]),
        ("join = ['a:1', 'b']", ["join: must be at least one", "[\"a:1\",\"b\"]"]),
        ("join = 'a:1'", ["join: must be at least one", "\"a:1\""]),
        ("memory = 'lots'", ["memory: must be a number of bytes", "lots"]),
        ("memory = '0'", ["memory: must be a number of bytes", "\"0\""]),
        ("memory = 1024", ["memory: must be a number of bytes", "1024"]),
        ("max_clients = 0", ["max_clients: must be from 1 to 1000000", "0"]),
        ("max_clients = 1000001", ["max_clients: must be from 1 to 1000000", "1000001"]),
        ("timeout = -1", ["timeout: must be from 0 to 2147483647", "-1"]),
        ("timeout = 1.5", ["timeout: must be from 0", "1.5"]),
        ("weight = 0", ["weight: must be from 1 to 10000", "0"]),
        ("weight = 99999999999999999999", ["weight: must be from 1 to 10000", "99999999999999999999"]),
        ("weight = 'heavy'", ["weight: must be from 1 to 10000", "\"heavy\""]),
        ("weight = [1]", ["weight: must be from 1 to 10000", "[1]"]),
        ("weight = { of = 1 }", ["weight: must be from 1 to 10000", "{\"of\":1}"]),
        ("copies = 9", ["copies: must be from 1 to 5", "9"]),
        ("partitions = 100", ["partitions: must be a power of two from 1 to 16384", "100"]),
        ("partitions = 32768", ["partitions: must be a power of two", "32768"]),
        ("policy = 'mru'", ["policy: must be one of lru, fifo, s3fifo", "mru"]),
        ("require_auth = 'yes'", ["require_auth: must be true or false", "\"yes\""]),
        ("insecure = 1", ["insecure: must be true or false", "1"]),
        ("log = ''", ["log: must be a level or a list of target=level", "\"\""]),
        ("log = 'info,=='", ["log: must be a level or a list of target=level", "info,=="]),
        ("log_format = 'xml'", ["log_format: must be one of text, json", "xml"]),
        ("tls = 'on'", ["tls: must be a table, [tls]", "\"on\""]),
        ("tls.key = ''", ["tls.key: must be a path", "\"\""]),
        ("tls.clients = 'some'", ["tls.clients: must be one of optional, required", "some"]),
        ("'tls.key' = 'k'", ["unknown field `\"tls.key\"`", "tls.key"]),
        ("[[tls]]", ["tls: must be a table, [tls]", "[{}]"]),
        ("tls.keys = 'x'", ["unknown field `tls.keys`", "tls.key"]),
        ("memroy = '1gb'", ["unknown field `memroy`, expected one of name, listen", "memory"]),
        ("[server]", ["unknown field `server`", "name"]),
        ("weight = ", ["TOML parse error", ""]),
    ] {
        let refused = refused(&format!("\n{text}\n"));
        parts.iter().for_each(|part| assert!(refused.contains(part), "{text}: {refused}"));
        assert!(refused.ends_with(line), "{text}: {refused}");
        assert_eq!(refused.lines().count(), 1, "{refused}");
    }
    let twice = refused("weight = 1\nweight = 2");
    assert!(twice.contains("TOML parse error: duplicate key (predis.toml, line 2)"), "{twice}");
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let refused = refused("copies = 0\nweight = 'x'\nnonsense = 1\n");
    let lines: Vec<&str> = refused.lines().collect();
    assert_eq!(lines.len(), 3, "{refused}");
    assert!(lines[0].starts_with("unknown field `nonsense`") && lines[0].ends_with("line 3)"), "{refused}");
    assert!(lines[1].starts_with("weight") && lines[2].starts_with("copies"), "{refused}");
}

#[test]
fn every_default_keeps_to_its_own_rule() {
    for field in fields() {
        let broken = field.default.as_ref().and_then(|value| rules::broken(field, value, &Origin::Default));
        assert_eq!(broken, None);
    }
}

const TLS: &str = "[tls]\nauthority = 'a'\ncertificate = 'c'\nkey = 'k'\n";

fn founds(text: &str) -> Result<Resolved, String> {
    let document = super::Document::parse("predis.toml", text).unwrap();
    let sources = Sources { bootstrap: true, ..Sources::default() };
    sources.resolve_with(&document).map_err(|problems| problems.to_string())
}

#[test]
fn beyond_loopback_a_port_needs_tls_and_a_new_cluster_authentication() {
    for port in ["listen", "proxy_listen", "grpc", "metrics"] {
        let open = format!("{port} = '192.0.2.1:1'\n");
        let refused = refused(&open);
        assert!(
            refused.starts_with(&format!("{port}: must be a loopback address for want of TLS")),
            "{refused}"
        );
        assert!(refused.contains("--insecure") && refused.contains("\"192.0.2.1:1\""), "{refused}");
        assert!(resolve(&format!("{open}insecure = true")).is_ok());
        // Whether the cluster that it belongs to requires authentication, the node sees when it knows the cluster.
        assert!(resolve(&format!("{open}{TLS}")).is_ok());

        let refused = founds(&format!("{open}{TLS}")).unwrap_err();
        assert!(refused.contains("for want of authentication (set require_auth)"), "{refused}");
        let refused = founds(&format!("{open}require_auth = true")).unwrap_err();
        assert!(refused.contains("for want of TLS (set tls.authority"), "{refused}");
        let refused = founds(&open).unwrap_err();
        assert!(refused.contains("TLS") && refused.contains("and authentication"), "{refused}");
        assert!(founds(&format!("{open}require_auth = true\n{TLS}")).is_ok());
        assert!(founds(&format!("{open}insecure = true\n")).is_ok());
    }
}

#[test]
fn listening_everywhere_needs_an_address_to_tell() {
    for port in ["listen", "proxy_listen", "grpc", "metrics"] {
        for addr in ["0.0.0.0:1", "[::]:1"] {
            let open = format!("insecure = true\n{port} = '{addr}'\n");
            let refused = refused(&open);
            let expected =
                format!("{port}: is no address that others can dial: set advertise, got \"{addr}\"");
            assert!(refused.starts_with(&expected), "{refused}");
            assert!(resolve(&format!("{open}advertise = '10.0.0.1'")).is_ok());
        }
    }
}

#[test]
fn tls_takes_all_of_its_files() {
    for (text, missing) in [
        ("tls.key = 'k'", vec!["tls.authority", "tls.certificate"]),
        ("tls.authority = 'a'\ntls.key = 'k'", vec!["tls.certificate"]),
        ("tls.authority = 'a'\ntls.certificate = 'c'", vec!["tls.key"]),
    ] {
        let refused = refused(text);
        let fields: Vec<&str> =
            refused.lines().filter_map(|line| line.split_once(':')).map(|(f, _)| f).collect();
        assert_eq!(fields, missing, "{refused}");
    }
    let alone = refused("tls.clients = 'required'");
    assert!(alone.starts_with("tls.clients: means something only with tls.authority"), "{alone}");
    assert!(resolve(TLS).unwrap().file.tls.is_on());
}

#[test]
fn a_flag_that_asks_an_old_cluster_for_authentication_is_refused_and_a_file_may_keep_it() {
    assert!(resolve("require_auth = true").is_ok());
    let mut sources = Sources::default();
    sources.flags.0.insert("require_auth", "true".to_owned());
    let refused = sources.resolve_with(&super::Document::default()).unwrap_err().to_string();
    assert!(refused.starts_with("require_auth: only with --bootstrap"), "{refused}");
    sources.bootstrap = true;
    assert!(sources.resolve_with(&super::Document::default()).is_ok());
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let sources = Sources { config: Some("/nonexistent.toml".into()), ..Sources::default() };
    let refused = sources.resolve().unwrap_err().to_string();
    assert!(refused.starts_with("config: must be a file that can be read (No such file"), "{refused}");
    assert!(refused.contains("/nonexistent.toml"), "{refused}");
}
