//! INFO: which sections are asked for, and how they are put together.
//!
//! Every field is counted, measured or a fact; what this version does not have is reported as none only where
//! clients look for it.

mod node;
mod statistics;

use super::{Request, is, text};
use crate::front::error::Error;
use bytes::Bytes;
use predis_resp::Reply;
use std::fmt::Write;

/// The Redis level that clients check for.
pub(super) const REDIS_VERSION: &str = "7.2.4";

/// Writes a section's fields.
type Writer = fn(&Request<'_>, &mut Fields);

struct Section {
    name: &'static str,
    heading: &'static str,
    /// Whether it is given when nothing is asked for.
    default: bool,
    /// Whether it tells of all tenants together, so that it is for those alone who look after the cluster.
    shared: bool,
    write: Writer,
}

static SECTIONS: [Section; 12] = [
    Section { shared: false, name: "server", heading: "Server", default: true, write: node::server },
    Section { shared: false, name: "clients", heading: "Clients", default: true, write: node::clients },
    Section { shared: false, name: "memory", heading: "Memory", default: true, write: node::memory },
    Section {
        shared: false,
        name: "persistence",
        heading: "Persistence",
        default: true,
        write: node::persistence,
    },
    Section { shared: false, name: "stats", heading: "Stats", default: true, write: statistics::stats },
    Section {
        shared: false,
        name: "replication",
        heading: "Replication",
        default: true,
        write: node::replication,
    },
    Section { shared: true, name: "cpu", heading: "CPU", default: true, write: node::cpu },
    Section {
        shared: true,
        name: "commandstats",
        heading: "Commandstats",
        default: false,
        write: statistics::commands,
    },
    Section {
        shared: true,
        name: "errorstats",
        heading: "Errorstats",
        default: true,
        write: statistics::errors,
    },
    Section {
        shared: true,
        name: "latencystats",
        heading: "Latencystats",
        default: false,
        write: statistics::latency,
    },
    Section { shared: false, name: "cluster", heading: "Cluster", default: true, write: node::cluster },
    Section {
        shared: false,
        name: "keyspace",
        heading: "Keyspace",
        default: true,
        write: statistics::keyspace,
    },
];

/// The lines of one section.
#[derive(Default)]
struct Fields(String);

impl Fields {
    fn put(&mut self, name: &str, value: impl std::fmt::Display) {
        let written = write!(self.0, "{name}:{value}\r\n");
        debug_assert!(written.is_ok(), "a string takes everything");
    }
}

/// `INFO [section ...]`; sections that do not exist are skipped, as in Redis.
pub(super) fn run(request: &Request<'_>) -> Result<Reply, Error> {
    let asked = &request.args[1..];
    let mut out = String::new();
    let all = request.is_of_cluster();
    for section in SECTIONS.iter().filter(|section| is_asked(section, asked) && (all || !section.shared)) {
        let mut fields = Fields::default();
        (section.write)(request, &mut fields);
        if !out.is_empty() {
            out.push_str("\r\n");
        }
        out.extend(["# ", section.heading, "\r\n", &fields.0]);
    }
    Ok(text(out))
}

fn is_asked(section: &Section, asked: &[Bytes]) -> bool {
    let names = |arg: &Bytes| {
        is(arg, section.name)
            || is(arg, "all")
            || is(arg, "everything")
            || (section.default && is(arg, "default"))
    };
    if asked.is_empty() { section.default } else { asked.iter().any(names) }
}

/// A size for people: two decimals and a binary unit, as Redis writes it.
fn human(bytes: u64) -> String {
    const UNITS: [char; 4] = ['K', 'M', 'G', 'T'];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{amount:.2}{}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_for_people() {
        let texts = [0, 1023, 1024, 1536, 5 << 20, 3 << 30, 2 << 50].map(human);
        assert_eq!(texts, ["0B", "1023B", "1.00K", "1.50K", "5.00M", "3.00G", "2048.00T"]);
    }
}
