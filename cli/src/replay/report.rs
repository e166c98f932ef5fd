//! What a replay found, as JSON or as a table. The order and the names of the JSON's fields are stable.

use std::fmt;
use std::time::Duration;

use predis_policy::PolicyKind;
use serde::Serialize;

use super::args::SizeUnit;
use crate::cache::Tally;

/// The whole result.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// The trace as it was named.
    pub(crate) trace: String,
    /// How many requests it has.
    pub(crate) requests: u64,
    /// How much fitted, in the unit of `by`.
    pub(crate) cache_size: u64,
    /// One entry a policy, in the order asked for.
    pub(crate) policies: Vec<PolicyReport>,
    /// What the cache size counts.
    pub(crate) by: SizeUnit,
    /// How many partitions shared the cache.
    pub(crate) partitions: u16,
    /// All that the trace asks for, in the unit of `by`; only measured for a cache size in percent.
    pub(crate) footprint: Option<u64>,
}

/// What one policy achieved.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PolicyReport {
    policy: &'static str,
    hit_ratio: f64,
    byte_hit_ratio: f64,
    miss_ratio: f64,
    requests: u64,
    hits: u64,
    evictions: u64,
    refused: u64,
    seconds: f64,
    requests_per_second: f64,
}

impl PolicyReport {
    /// From what became of the requests and the time that took.
    pub(crate) fn new(policy: PolicyKind, tally: &Tally, took: Duration) -> Self {
        let seconds = took.as_secs_f64();
        PolicyReport {
            policy: policy.name(),
            hit_ratio: tally.hit_ratio(),
            byte_hit_ratio: tally.byte_hit_ratio(),
            miss_ratio: 1.0 - tally.hit_ratio(),
            requests: tally.requests,
            hits: tally.hits,
            evictions: tally.evictions,
            refused: tally.refused,
            seconds,
            requests_per_second: if seconds > 0.0 { tally.requests as f64 / seconds } else { 0.0 },
        }
    }
}

impl fmt::Display for Report {
    /// A heading, then a table with one line a policy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { trace, requests, cache_size, by, partitions, .. } = self;
        write!(f, "{trace}: {requests} requests, cache of {cache_size} {}", by.name())?;
        if let Some(footprint) = self.footprint {
            write!(f, " of {footprint}")?;
        }
        let plural = if *partitions == 1 { "" } else { "s" };
        writeln!(f, ", {partitions} partition{plural}")?;
        writeln!(
            f,
            "{:<8}{:>11}{:>12}{:>16}{:>12}{:>12}{:>10}{:>12}",
            "policy",
            "hit ratio",
            "miss ratio",
            "byte hit ratio",
            "requests",
            "evictions",
            "seconds",
            "requests/s"
        )?;
        for row in &self.policies {
            writeln!(
                f,
                "{:<8}{:>11.4}{:>12.4}{:>16.4}{:>12}{:>12}{:>10.2}{:>12.0}",
                row.policy,
                row.hit_ratio,
                row.miss_ratio,
                row.byte_hit_ratio,
                row.requests,
                row.evictions,
                row.seconds,
                row.requests_per_second,
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let tally = Tally { requests: 8, hits: 2, bytes: 170, hit_bytes: 17, evictions: 3, refused: 1 };
        Report {
            trace: "t.csv".to_owned(),
            requests: 8,
            cache_size: 3,
            policies: vec![PolicyReport::new(PolicyKind::Lru, &tally, Duration::from_secs(2))],
            by: SizeUnit::Objects,
            partitions: 1,
            footprint: Some(4),
        }
    }

    #[test]
    fn the_json_has_its_fields_in_their_order() {
        let expected = concat!(
            r#"{"trace":"t.csv","requests":8,"cache_size":3,"policies":["#,
            r#"{"policy":"lru","hit_ratio":0.25,"byte_hit_ratio":0.1,"miss_ratio":0.75,"requests":8,"hits":2,"#,
            r#""evictions":3,"refused":1,"seconds":2.0,"requests_per_second":4.0}"#,
            r#"],"by":"objects","partitions":1,"footprint":4}"#,
        );
        assert_eq!(serde_json::to_string(&report()).unwrap(), expected);
    }

    #[test]
    fn the_table_has_a_line_a_policy() {
        let expected = "\
t.csv: 8 requests, cache of 3 objects of 4, 1 partition
policy    hit ratio  miss ratio  byte hit ratio    requests   evictions   seconds  requests/s
lru          0.2500      0.7500          0.1000           8           3      2.00           4
";
        assert_eq!(report().to_string(), expected);
    }
}
