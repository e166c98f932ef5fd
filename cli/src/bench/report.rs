//! What a run found, as JSON or as a table. The order and the names of the JSON's fields are stable.

use super::{args::BenchArgs, plan::Mix, tally::Tally};
use crate::latencies::Latencies;
use serde::Serialize;
use std::{fmt, time::Duration};

/// The whole result.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    addr: String,
    nodes: Vec<String>,
    connections_per_node: u32,
    pipeline: u32,
    keys: u32,
    value_size: usize,
    ratio: Mix,
    distribution: String,
    seed: u64,
    warmup: u64,
    /// Requests a second that were asked for; `None`: a closed loop.
    rate: Option<u64>,
    requests: u64,
    seconds: f64,
    requests_per_second: f64,
    hits: u64,
    misses: u64,
    /// `None` without GETs.
    hit_ratio: Option<f64>,
    failed: u64,
    errors: Vec<ErrorReport>,
    latency_us: LatencyReport,
}

/// Errors of one code.
#[derive(Clone, Debug, Serialize)]
struct ErrorReport {
    code: String,
    count: u64,
    first: String,
}

/// Percentiles in microseconds.
#[derive(Clone, Debug, Serialize)]
struct LatencyReport {
    all: Row,
    get: Row,
    set: Row,
}

/// The percentiles of some requests; all 0 when there were none.
#[derive(Clone, Debug, Serialize)]
struct Row {
    count: u64,
    mean: f64,
    p50: f64,
    p75: f64,
    p90: f64,
    p99: f64,
    #[serde(rename = "p99.9")]
    p99_9: f64,
    #[serde(rename = "p99.99")]
    p99_99: f64,
    max: f64,
}

impl Row {
    fn of(latencies: &Latencies) -> Row {
        let at = |percent| latencies.percentile_us(percent);
        Row {
            count: latencies.count(),
            mean: latencies.mean_us(),
            p50: at(50.0),
            p75: at(75.0),
            p90: at(90.0),
            p99: at(99.0),
            p99_9: at(99.9),
            p99_99: at(99.99),
            max: latencies.longest_us(),
        }
    }

    fn numbers(&self) -> [f64; 8] {
        [self.mean, self.p50, self.p75, self.p90, self.p99, self.p99_9, self.p99_99, self.max]
    }
}

/// The heads of the table's columns, in the order of [`Row::numbers`].
const COLUMNS: [&str; 8] = ["mean", "p50", "p75", "p90", "p99", "p99.9", "p99.99", "max"];

impl Report {
    pub(super) fn new(args: &BenchArgs, nodes: &[String], tally: &Tally, took: Duration) -> Report {
        let mut all = tally.gets.clone();
        all.add(&tally.sets);
        let error = |(code, errors): (&String, &super::tally::Errors)| ErrorReport {
            code: code.clone(),
            count: errors.count,
            first: errors.first.clone(),
        };
        let gets = tally.hits + tally.misses;
        Report {
            addr: args.addr.clone(),
            nodes: nodes.to_vec(),
            connections_per_node: args.connections,
            pipeline: args.pipeline,
            keys: args.keys,
            value_size: args.value_size,
            ratio: args.ratio,
            distribution: args.distribution.to_string(),
            seed: args.seed,
            warmup: args.warmup,
            rate: args.rate,
            requests: tally.answered(),
            seconds: took.as_secs_f64(),
            requests_per_second: tally.answered() as f64 / took.as_secs_f64().max(f64::MIN_POSITIVE),
            hits: tally.hits,
            misses: tally.misses,
            hit_ratio: (gets > 0).then(|| tally.hits as f64 / gets as f64),
            failed: tally.failed(),
            errors: tally.errors.iter().map(error).collect(),
            latency_us: LatencyReport {
                all: Row::of(&all),
                get: Row::of(&tally.gets),
                set: Row::of(&tally.sets),
            },
        }
    }

    /// Whether every request was answered with an error.
    pub(super) fn is_failure(&self) -> bool {
        self.requests > 0 && self.failed == self.requests
    }

    fn write_latencies(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{:<12}", "latency, ms")?;
        COLUMNS.iter().try_for_each(|column| write!(f, "{column:>9}"))?;
        let LatencyReport { all, get, set } = &self.latency_us;
        for (name, row) in [("all", all), ("GET", get), ("SET", set)] {
            if row.count > 0 {
                write!(f, "\n{name:<12}")?;
                row.numbers().iter().try_for_each(|us| write!(f, "{:>9.3}", us / 1000.0))?;
            }
        }
        writeln!(f)
    }

    /// What the latencies mean.
    fn write_note(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rate {
            None => writeln!(
                f,
                "\nClosed loop: latency is counted from when a batch was sent, and a server that stalls is asked\n\
                 less meanwhile, so the high percentiles are too kind (coordinated omission). --rate corrects it."
            ),
            Some(rate) => {
                writeln!(
                    f,
                    "\nOpen loop at {rate} requests/s: latency is counted from when a request was to be sent, so it\n\
                     has the time that requests waited behind others (no coordinated omission)."
                )?;
                if self.requests_per_second < 0.98 * rate as f64 {
                    writeln!(f, "The rate was not reached: latencies grow with the length of the run.")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connections = self.nodes.len() * self.connections_per_node as usize;
        writeln!(
            f,
            "{}: {} requests in {:.2} s, {connections} connections to {}, pipeline {}",
            self.addr,
            self.requests,
            self.seconds,
            if self.nodes.len() == 1 { "one node".to_owned() } else { format!("{} nodes", self.nodes.len()) },
            self.pipeline,
        )?;
        writeln!(
            f,
            "{} keys ({}), values of {} bytes, GET:SET {}:{}, seed {}",
            self.keys, self.distribution, self.value_size, self.ratio.get, self.ratio.set, self.seed,
        )?;
        writeln!(f, "\n{:<12}{:>9.0} requests/s", "throughput", self.requests_per_second)?;
        if let Some(hit_ratio) = self.hit_ratio {
            writeln!(f, "{:<12}{hit_ratio:>9.4} of {} GETs", "hit ratio", self.hits + self.misses)?;
        }
        writeln!(f, "{:<12}{:>9}", "errors", self.failed)?;
        for ErrorReport { code, count, first } in &self.errors {
            writeln!(f, "  {code:<10}{count:>9} the first: {first}")?;
        }
        self.write_latencies(f)?;
        self.write_note(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use predis_resp::Reply;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        bench: BenchArgs,
    }

    fn report(args: &[&str]) -> Report {
        let args = Only::parse_from([&["bench"], args].concat()).bench;
        let mut tally = Tally::default();
        (1..=1000).for_each(|us| tally.count(false, &Reply::text("x"), Duration::from_micros(us)));
        tally.count(false, &Reply::Null, Duration::from_micros(500));
        tally.count(true, &Reply::error("OOM command not allowed"), Duration::ZERO);
        Report::new(&args, &["a:1".to_owned()], &tally, Duration::from_secs(2))
    }

    #[test]
    fn the_table_has_every_percentile_and_says_what_they_mean() {
        let text = report(&[]).to_string();
        for part in [
            "127.0.0.1:6379: 1002 requests in 2.00 s, 50 connections to one node, pipeline 1",
            "throughput        501 requests/s",
            "hit ratio      0.9990 of 1001 GETs",
            "errors              1\n  OOM               1 the first: OOM command not allowed",
            "latency, ms      mean      p50      p75      p90      p99    p99.9   p99.99      max",
            "GET             0.501    0.500    0.750    0.900    0.990",
            "coordinated omission",
        ] {
            assert!(text.contains(part), "{part:?} is missing in:\n{text}");
        }
        assert!(!text.contains("\nSET"), "there is no row for what was not measured");
        let open = report(&["--rate", "10000"]).to_string();
        assert!(open.contains("no coordinated omission") && open.contains("was not reached"), "{open}");
    }

    #[test]
    fn the_json_has_its_fields_in_their_order() {
        let json = serde_json::to_value(report(&["--cluster", "--rate", "7"])).unwrap();
        let fields: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = [
            "addr",
            "nodes",
            "connections_per_node",
            "pipeline",
            "keys",
            "value_size",
            "ratio",
            "distribution",
            "seed",
            "warmup",
            "rate",
            "requests",
            "seconds",
            "requests_per_second",
            "hits",
            "misses",
            "hit_ratio",
            "failed",
            "errors",
            "latency_us",
        ];
        let mut found = fields.clone();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
        assert_eq!(json["latency_us"]["get"]["count"], 1001);
        assert_eq!(json["errors"][0]["code"], "OOM");
        assert!(json["latency_us"]["all"]["p99.99"].as_f64().unwrap() > 990.0);
    }
}
