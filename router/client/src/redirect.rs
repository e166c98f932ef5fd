//! What an error line asks a client to do: go elsewhere, come again, or take it as the answer.
//!
//! The one place that knows the words. Knows nothing of how a client goes about it.

use crate::{
    error::code,
    view::{dialled, parse_endpoint},
};
use predis_resp::{Reply, UNACKNOWLEDGED};

/// What a reply means to a client.
#[derive(Debug, PartialEq)]
pub(crate) enum Told {
    /// It is the answer.
    Reply(Reply),
    /// The keys are served at this address, `host:port`; empty host for that of whoever says so.
    Moved(String),
    /// Not now.
    Later {
        /// The error line.
        line: String,
        /// Whether the command may have been carried out all the same.
        may_have_run: bool,
    },
    /// The connection is nobody's.
    NoAuth(String),
}

/// Takes a reply apart.
pub(crate) fn told(reply: Reply) -> Told {
    let Reply::Error(line) = reply else { return Told::Reply(reply) };
    let may_have_run = match code(&line) {
        "MOVED" => {
            return match moved_to(&line) {
                Some(addr) => Told::Moved(addr),
                None => Told::Reply(Reply::Error(line)),
            };
        }
        "NOAUTH" => return Told::NoAuth(line.into_owned()),
        "CLUSTERDOWN" => line == UNACKNOWLEDGED,
        "TRYAGAIN" | "LOADING" | "MASTERDOWN" | "NOREPLICAS" => false,
        _ => return Told::Reply(Reply::Error(line)),
    };
    Told::Later { line: line.into_owned(), may_have_run }
}

/// Whether the node cannot serve anything now.
pub(crate) fn is_down(line: &str) -> bool {
    line == "CLUSTERDOWN The cluster is down" || code(line) == "LOADING"
}

/// Whether the node wants to know who is calling.
pub(crate) fn is_unknown_caller(line: &str) -> bool {
    code(line) == "NOAUTH"
}

/// The address of `MOVED slot host:port` as it is dialled.
fn moved_to(line: &str) -> Option<String> {
    let endpoint = parse_endpoint(line.split(' ').nth(2)?)?;
    Some(dialled(&endpoint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_mean_what_they_say() {
        let of = |line: &'static str| told(Reply::error(line));
        assert_eq!(of("MOVED 12182 10.0.0.7:6379"), Told::Moved("10.0.0.7:6379".into()));
        assert_eq!(of("MOVED 12182 ::1:6379"), Told::Moved("[::1]:6379".into()));
        assert!(matches!(of("MOVED nowhere"), Told::Reply(_)));
        assert!(matches!(of("TRYAGAIN Multiple keys"), Told::Later { may_have_run: false, .. }));
        for (line, may) in [("CLUSTERDOWN Hash slot not served", false), (UNACKNOWLEDGED, true)] {
            assert!(matches!(of(line), Told::Later { may_have_run, .. } if may_have_run == may), "{line}");
        }
        assert!(matches!(of("NOAUTH Authentication required."), Told::NoAuth(_)));
        assert!(matches!(of("WRONGTYPE no"), Told::Reply(_)));
        assert!(matches!(told(Reply::ok()), Told::Reply(_)));
    }

    #[test]
    fn one_slot_that_nobody_serves_does_not_make_a_node_down() {
        assert!(is_down("CLUSTERDOWN The cluster is down") && is_down("LOADING"));
        assert!(!is_down("CLUSTERDOWN Hash slot not served") && !is_down("TRYAGAIN"));
    }
}
