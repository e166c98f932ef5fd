//! What a node is booted with, out of the settings that were resolved. Knows no source of them, and no rule.

use super::{bind, size};
use crate::config::{Clients, File};
use predis_node::{
    Founding, NodeConfig, Profile, Start,
    config::Ack,
    tls::{ClientCertificates, TlsConfig},
};
use predis_types::PartitionCount;

/// The time constants of a cluster whose members are near each other.
pub(crate) fn profile() -> Profile {
    Profile::lan()
}

/// How much memory the node's keys may take, in bytes.
pub(super) fn memory_bytes(file: &File) -> Option<u64> {
    file.memory.as_deref().and_then(|text| size::parse(text).ok())
}

/// The node that checked settings describe.
pub(super) fn node(file: &File, bootstrap: bool) -> NodeConfig {
    let start = match &file.join {
        _ if bootstrap => Start::Bootstrap(founding(file)),
        Some(seeds) => Start::Join(seeds.clone()),
        None => Start::Resume,
    };
    NodeConfig {
        name: file.name.clone().unwrap_or_default(),
        listen: file.listen.clone(),
        proxy_listen: file.proxy_listen.clone(),
        grpc: file.grpc.clone(),
        metrics: file.metrics.clone(),
        advertise: file.advertise.clone(),
        zone: file.zone.clone(),
        region: file.region.clone(),
        weight: file.weight,
        memory_bytes: memory_bytes(file),
        tls: tls(file),
        start,
        max_clients: file.max_clients as usize,
        timeout_s: u64::from(file.timeout),
        exposed: !file.insecure && file.ports().any(|(_, addr)| bind::is_exposed(addr)),
        profile: profile(),
    }
}

/// The TLS of a node, if it is configured.
pub(crate) fn tls(file: &File) -> Option<TlsConfig> {
    let tls = &file.tls;
    let (Some(authority), Some(certificate), Some(key)) = (&tls.authority, &tls.certificate, &tls.key) else {
        return None;
    };
    Some(TlsConfig {
        authority: authority.clone(),
        certificate: certificate.clone(),
        key: key.clone(),
        clients: match tls.clients {
            Clients::Optional => ClientCertificates::Optional,
            Clients::Required => ClientCertificates::Required,
        },
    })
}

/// What is founded; the digest of the first user's token is added by whoever makes the token.
fn founding(file: &File) -> Founding {
    Founding {
        partitions: PartitionCount::new(file.partitions).unwrap_or_default(),
        copies: file.copies,
        policy: file.policy.clone(),
        // The schema allows for nothing else.
        ack: file.ack.parse().unwrap_or(Ack::Async),
        round_trip_ms: file.round_trip_ms,
        admin: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposed(addr: &str, insecure: bool) -> bool {
        node(&File { metrics: addr.to_owned(), insecure, ..File::default() }, false).exposed
    }

    #[test]
    fn a_node_knows_whether_others_reach_it_and_that_must_not_be() {
        assert!(exposed("192.0.2.1:9090", false));
        assert!(!exposed("192.0.2.1:9090", true) && !exposed("127.0.0.1:9090", false));
    }

    #[test]
    fn a_node_founds_or_joins_or_goes_on() {
        let seeds = vec!["192.0.2.1:7379".to_owned()];
        let file = File { join: Some(seeds.clone()), copies: 3, ..File::default() };
        assert_eq!(node(&File::default(), false).start, Start::Resume);
        assert_eq!(node(&file, false).start, Start::Join(seeds));
        let Start::Bootstrap(founding) = node(&file, true).start else { panic!("it founds") };
        assert_eq!((founding.copies, founding.partitions), (3, PartitionCount::default()));
    }

    #[test]
    fn the_defaults_are_those_of_a_founding() {
        assert_eq!(node(&File::default(), true).start, Start::Bootstrap(Founding::default()));
    }
}
