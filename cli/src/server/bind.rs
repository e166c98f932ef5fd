//! The safe-bind rule: beyond loopback a port needs TLS, and a cluster that requires authentication.

use std::net::IpAddr;

/// The host of an address to listen on or to dial, without brackets; `None` unless it is `host:port`.
pub(crate) fn host(addr: &str) -> Option<&str> {
    let (host, port) = addr.rsplit_once(':')?;
    let is_bare = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_host = is_bare && !host.is_empty() && !host.contains(char::is_whitespace);
    (is_host && port.parse::<u16>().is_ok()).then_some(host)
}

/// Whether others reach what listens on this address.
pub(crate) fn is_exposed(addr: &str) -> bool {
    let is_loopback =
        |host: &str| host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    !host(addr).is_some_and(is_loopback)
}

/// Whether a host stands for every address of the machine, so that others need to be told another one.
pub(crate) fn is_unspecified(addr: &str) -> bool {
    host(addr).is_some_and(|host| host.parse().is_ok_and(|ip: IpAddr| ip.is_unspecified()))
}

/// What guards a node's ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Guard {
    /// Whether they speak TLS.
    pub(crate) tls: bool,
    /// Whether the cluster that is founded requires authentication; `None` for a node that belongs to a cluster or joins
    /// one, which finds out when it knows the cluster's state.
    pub(crate) auth: Option<bool>,
}

impl Guard {
    /// The rule that a port beyond loopback breaks, if it does.
    pub(crate) fn broken_rule(self) -> Option<String> {
        let missing: Vec<&str> = [
            (!self.tls).then_some("TLS (set tls.authority, tls.certificate and tls.key)"),
            (self.auth == Some(false)).then_some("authentication (set require_auth)"),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!missing.is_empty()).then(|| {
            format!(
                "must be a loopback address for want of {}: others could read and write everything. Set insecure \
                 (--insecure) if the network is yours alone",
                missing.join(" and "),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_free_and_the_rest_is_not() {
        for addr in ["127.0.0.1:1", "127.8.9.1:0", "localhost:6379", "[::1]:6379"] {
            assert!(host(addr).is_some() && !is_exposed(addr), "{addr}");
        }
        for addr in ["0.0.0.0:1", "192.0.2.1:6379", "[::]:1", "example.org:1"] {
            assert!(host(addr).is_some() && is_exposed(addr), "{addr}");
        }
        let none = [
            "",
            "6379",
            ":6379",
            "localhost",
            "localhost:port",
            "localhost:99999",
            "::1:6379",
            "a b:1",
            "[::1]",
        ];
        assert!(none.iter().all(|addr| host(addr).is_none()));
    }

    #[test]
    fn beyond_loopback_takes_tls_and_authentication() {
        let rule = |tls, auth| Guard { tls, auth }.broken_rule();
        assert_eq!(rule(true, None), None);
        assert_eq!(rule(true, Some(true)), None);
        for (tls, auth, wanted) in
            [(false, None, "TLS"), (false, Some(true), "TLS"), (true, Some(false), "auth")]
        {
            let rule = rule(tls, auth).unwrap();
            assert!(rule.contains(wanted) && rule.contains("--insecure"), "{rule}");
            assert!(!rule.contains(" and auth"), "{rule}");
        }
        let rule = rule(false, Some(false)).unwrap();
        assert!(rule.contains("TLS") && rule.contains(" and authentication (set require_auth)"), "{rule}");
    }

    #[test]
    fn every_address_of_the_machine_is_none_to_tell() {
        assert!(is_unspecified("0.0.0.0:1") && is_unspecified("[::]:1"));
        assert!(!is_unspecified("127.0.0.1:1") && !is_unspecified("example.org:1"));
    }
}
