//! Flags, file and defaults, merged and checked: what a node is booted with.

use super::{
    ServerArgs, bind,
    file::{self, File},
    size,
};
use crate::failure::Failure;
use predis_node::{
    Founding, NodeConfig, Profile, Start,
    config::MAX_WEIGHT,
    tls::{ClientCertificates, TlsConfig},
};
use predis_policy::PolicyKind;
use predis_types::{PartitionCount, limits::MAX_COPIES};
use std::path::PathBuf;

/// What `predis server` works with.
pub(super) struct Settings {
    pub(super) data_dir: PathBuf,
    pub(super) node: NodeConfig,
}

fn bad(field: &str, problem: impl std::fmt::Display) -> Failure {
    Failure::usage(anyhow::anyhow!("{field}: {problem}"))
}

/// The time constants of a cluster whose members are near each other.
pub(crate) fn profile() -> Profile {
    Profile::lan()
}

/// Merges and checks.
pub(super) fn merge(args: ServerArgs) -> Result<Settings, Failure> {
    let file = args.config.as_deref().map(file::read).transpose()?.unwrap_or_default();
    let or = |flag: Option<String>, file: Option<String>, default: &str| {
        flag.or(file).unwrap_or_else(|| default.to_owned())
    };
    let insecure = args.insecure || file.insecure.unwrap_or(false);
    let founding = founding(&args, &file)?;
    let tls = tls(&args)?;
    let advertise = args.advertise.or(file.advertise);
    let listen = or(args.listen, file.listen, "127.0.0.1:6379");
    let grpc = or(args.grpc, file.grpc, "127.0.0.1:7379");
    let metrics = or(args.metrics, file.metrics, "127.0.0.1:9090");
    for (field, addr) in [("listen", &listen), ("grpc", &grpc), ("metrics", &metrics)] {
        bind::check(field, addr, insecure).map_err(|problem| Failure::usage(anyhow::anyhow!(problem)))?;
        if advertise.is_none() && bind::is_unspecified(addr) {
            return Err(bad(field, format!("{addr} is no address that others can dial: set advertise")));
        }
    }
    let memory = args.memory.or(file.memory);
    let memory_bytes =
        memory.map(|text| size::parse(&text)).transpose().map_err(|rule| bad("memory", rule))?;
    let max_clients = args.max_clients.or(file.max_clients).unwrap_or(10_000);
    if max_clients == 0 {
        return Err(bad("max_clients", "must be at least 1, got 0"));
    }
    let start = match (args.bootstrap, args.join.or(file.join)) {
        (true, _) => Start::Bootstrap(founding),
        (false, Some(seeds)) if seeds.iter().any(|seed| !seed.is_empty()) => Start::Join(seeds),
        (false, Some(_)) => return Err(bad("join", "must name at least one member's gRPC address")),
        (false, None) => Start::Resume,
    };
    let port = listen.rsplit_once(':').map_or("0", |(_, port)| port).to_owned();
    let name = or(args.name, file.name, &format!("predis-{port}"));
    let region = or(args.region, file.region, "");
    let zone = or(args.zone, file.zone, "");
    let weight = args.weight.or(file.weight).unwrap_or(100);
    check_names(&name, &zone, &region)?;
    if !(1..=MAX_WEIGHT).contains(&weight) {
        return Err(bad("weight", format!("must be from 1 to {MAX_WEIGHT}, got {weight}")));
    }
    let data_dir = args.data_dir.or(file.data_dir).unwrap_or_else(|| PathBuf::from("predis-data"));
    let node = NodeConfig {
        name,
        listen,
        grpc,
        metrics,
        advertise,
        zone,
        region,
        weight,
        memory_bytes,
        tls,
        start,
        max_clients,
        timeout_s: 0,
        exposed: false,
        proxy_listen: None,
        profile: profile(),
    };
    Ok(Settings { data_dir, node })
}

/// All three files or none.
fn tls(args: &ServerArgs) -> Result<Option<TlsConfig>, Failure> {
    let clients = match args.tls_clients.as_deref() {
        None | Some("optional") => ClientCertificates::Optional,
        Some("required") => ClientCertificates::Required,
        Some(other) => {
            return Err(bad("tls-clients", format!("must be optional or required, got {other:?}")));
        }
    };
    match (&args.tls_authority, &args.tls_certificate, &args.tls_key) {
        (None, None, None) => Ok(None),
        (Some(authority), Some(certificate), Some(key)) => Ok(Some(TlsConfig {
            authority: authority.clone(),
            certificate: certificate.clone(),
            key: key.clone(),
            clients,
        })),
        _ => Err(bad("tls-authority, tls-certificate, tls-key", "all three are needed, or none")),
    }
}

fn founding(args: &ServerArgs, file: &File) -> Result<Founding, Failure> {
    let default = Founding::default();
    let copies = args.copies.or(file.copies).unwrap_or(default.copies);
    if !(1..=MAX_COPIES).contains(&copies) {
        return Err(bad("copies", format!("must be from 1 to {MAX_COPIES}, got {copies}")));
    }
    let partitions = args.partitions.or(file.partitions).unwrap_or(default.partitions.get());
    let partitions =
        PartitionCount::try_from(partitions).map_err(|rule| Failure::usage(anyhow::anyhow!(rule)))?;
    let policy = args.policy.clone().or(file.policy.clone()).unwrap_or(default.policy);
    policy.parse::<PolicyKind>().map_err(|unknown| bad("policy", unknown))?;
    Ok(Founding { partitions, copies, policy, admin: None })
}

fn check_names(name: &str, zone: &str, region: &str) -> Result<(), Failure> {
    for (field, text, may_be_empty) in [("name", name, false), ("zone", zone, true), ("region", region, true)]
    {
        let letters = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        let fits = letters && text.len() <= predis_types::limits::MAX_NAME_BYTES;
        if !fits || (text.is_empty() && !may_be_empty) {
            let rule = "must be 1 to 64 letters, digits, dots, underscores or hyphens";
            return Err(bad(field, format!("{rule}, got {text:?}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(args: ServerArgs) -> String {
        merge(args).err().unwrap().to_string()
    }

    #[test]
    fn defaults_are_loopback() {
        let settings = merge(ServerArgs::default()).unwrap();
        assert_eq!(settings.node.listen, "127.0.0.1:6379");
        assert_eq!(settings.node.name, "predis-6379");
        assert_eq!(settings.node.start, Start::Resume);
    }

    #[test]
    fn a_bad_value_is_refused_with_field_value_and_rule() {
        let text = |text: &str| Some(text.to_owned());
        for (args, parts) in [
            (ServerArgs { copies: Some(9), ..Default::default() }, ["copies", "9", "from 1 to 5"]),
            (
                ServerArgs { partitions: Some(100), ..Default::default() },
                ["partitions", "100", "power of two"],
            ),
            (ServerArgs { policy: text("mru"), ..Default::default() }, ["policy", "mru", "lru"]),
            (ServerArgs { memory: text("lots"), ..Default::default() }, ["memory", "lots", "bytes"]),
            (ServerArgs { name: text("a b"), ..Default::default() }, ["name", "a b", "letters"]),
            (ServerArgs { weight: Some(0), ..Default::default() }, ["weight", "0", "from 1"]),
            (
                ServerArgs { listen: text("0.0.0.0:1"), ..Default::default() },
                ["listen", "0.0.0.0:1", "loopback"],
            ),
        ] {
            let refused = refused(args);
            parts.iter().for_each(|part| assert!(refused.contains(part), "{refused}"));
        }
    }

    #[test]
    fn listening_everywhere_needs_an_address_to_tell() {
        let args = || ServerArgs { listen: Some("0.0.0.0:1".into()), insecure: true, ..Default::default() };
        assert!(refused(args()).contains("advertise"));
        assert!(merge(ServerArgs { advertise: Some("10.0.0.1".into()), ..args() }).is_ok());
    }
}
