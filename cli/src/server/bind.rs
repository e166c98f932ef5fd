//! The safe-bind rule: beyond loopback only with TLS and authentication, or when told to be insecure.

use std::net::IpAddr;

/// Checks one address to listen on.
///
/// # Errors
/// The field, the value, and the rule.
pub(super) fn check(field: &str, addr: &str, insecure: bool) -> Result<(), String> {
    let host = addr
        .rsplit_once(':')
        .filter(|(_, port)| port.parse::<u16>().is_ok())
        .map(|(host, _)| host.trim_start_matches('[').trim_end_matches(']'))
        .filter(|host| !host.is_empty())
        .ok_or_else(|| format!("{field} {addr:?}: must be host:port"))?;
    if insecure || is_loopback(host) {
        return Ok(());
    }
    Err(format!(
        "{field} {addr:?}: not a loopback address, and this version has neither TLS nor users: clients could read \
         and write everything. Listen on 127.0.0.1, or pass --insecure if the network is yours alone"
    ))
}

/// Whether a host stands for every address of the machine, so that others need to be told another one.
pub(super) fn is_unspecified(addr: &str) -> bool {
    let host = addr.rsplit_once(':').map_or(addr, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse().is_ok_and(|ip: IpAddr| ip.is_unspecified())
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_free_and_the_rest_is_not() {
        for addr in ["127.0.0.1:1", "127.8.9.1:0", "localhost:6379", "[::1]:6379"] {
            assert_eq!(check("listen", addr, false), Ok(()), "{addr}");
        }
        for addr in ["0.0.0.0:1", "192.0.2.1:6379", "[::]:1", "example.org:1"] {
            let refused = check("listen", addr, false).unwrap_err();
            assert!(refused.contains("listen") && refused.contains("--insecure"), "{refused}");
            assert_eq!(check("listen", addr, true), Ok(()), "{addr}");
        }
        for addr in ["", "6379", ":6379", "localhost", "localhost:port", "localhost:99999"] {
            assert!(check("grpc", addr, true).unwrap_err().contains("host:port"), "{addr}");
        }
    }
}
