//! What the demo found, as JSON or as a summary. The order and the names of the JSON's fields are stable.
//!
//! What was measured by the clock is in `measured`; without a live view everything else is the same whenever the same
//! seed runs.

use super::{
    cluster::{Look, Lost, NODES},
    recovery::Recovered,
    score::{Dip, Hits, POLICIES, Score},
    workload::Survey,
};
use crate::latencies::Latencies;
use predis_policy::PolicyKind;
use serde::Serialize;
use std::fmt;

/// The whole result.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    pub(super) mode: &'static str,
    pub(super) seed: u64,
    pub(super) workload: WorkloadReport,
    pub(super) cluster: ClusterReport,
    pub(super) requests: u64,
    pub(super) hits: u64,
    pub(super) hit_ratio: f64,
    pub(super) shadows: Vec<ShadowReport>,
    pub(super) kill: Option<KillReport>,
    pub(super) windows: Vec<WindowReport>,
    pub(super) measured: Measured,
}

/// What was asked.
#[derive(Clone, Debug, Serialize)]
pub(super) struct WorkloadReport {
    pub(super) source: String,
    pub(super) requests: u64,
    pub(super) footprint_bytes: u64,
}

/// Who was asked.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ClusterReport {
    pub(super) nodes: usize,
    pub(super) policy: &'static str,
    pub(super) memory_bytes_per_node: u64,
    pub(super) partitions: Vec<usize>,
}

/// What a plain policy scored.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ShadowReport {
    pub(super) policy: &'static str,
    pub(super) memory_bytes: u64,
    pub(super) hits: u64,
    pub(super) hit_ratio: f64,
}

/// What the death of a node did.
#[derive(Clone, Debug, Serialize)]
pub(super) struct KillReport {
    pub(super) node: String,
    pub(super) after_requests: u64,
    pub(super) partitions_lost: usize,
    pub(super) keys_lost: u64,
    pub(super) partitions: Vec<usize>,
    pub(super) hit_ratio: Dip,
}

/// A stretch of the run.
#[derive(Clone, Debug, Serialize)]
pub(super) struct WindowReport {
    requests: u64,
    hit_ratio: f64,
    shadows: [f64; POLICIES],
}

/// What depends on the machine and the moment.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Measured {
    pub(super) boot_seconds: f64,
    pub(super) seconds: f64,
    pub(super) requests_per_second: f64,
    pub(super) latency_us: LatencyReport,
    /// From the death of the node until every slot was served again.
    pub(super) recovery_seconds: Option<f64>,
    /// How many requests nobody served: each counts as a miss.
    pub(super) unserved: u64,
    /// How often something was sent in vain and sent again.
    pub(super) retries: u64,
    /// Whether a node that was not killed was taken to be dead, as when the machine stood still: nothing of this run
    /// compares with another one then.
    pub(super) disturbed: bool,
}

/// GETs, in microseconds.
#[derive(Clone, Debug, Serialize)]
pub(super) struct LatencyReport {
    p50: f64,
    p99: f64,
    max: f64,
}

impl LatencyReport {
    pub(super) fn of(latencies: &Latencies) -> LatencyReport {
        LatencyReport {
            p50: latencies.percentile_us(50.0),
            p99: latencies.percentile_us(99.0),
            max: latencies.longest_us(),
        }
    }
}

impl WindowReport {
    fn of(window: &Hits) -> WindowReport {
        let shadows = PolicyKind::ALL.map(|kind| window.shadow_ratio(kind));
        WindowReport { requests: window.requests, hit_ratio: window.ratio(), shadows }
    }
}

/// What a run was told.
pub(super) struct Run<'a> {
    pub(super) mode: &'static str,
    pub(super) seed: u64,
    pub(super) source: String,
    pub(super) survey: Survey,
    pub(super) policy: PolicyKind,
    pub(super) memory_bytes: u64,
    pub(super) placed: &'a Look,
}

/// The death of a node.
#[derive(Clone, Debug)]
pub(super) struct Killed {
    pub(super) node: String,
    pub(super) after_requests: u64,
    pub(super) lost: Lost,
    /// `None`: not every slot was served again.
    pub(super) recovered: Option<Recovered>,
}

impl Killed {
    /// From the death until every slot was served again.
    pub(super) fn recovery_seconds(&self) -> Option<f64> {
        self.recovered.as_ref().map(|recovered| recovered.after.as_secs_f64())
    }
}

/// What came of a run.
pub(super) struct Outcome {
    pub(super) score: Score,
    pub(super) killed: Option<Killed>,
    pub(super) measured: Measured,
}

impl Report {
    pub(super) fn new(run: &Run<'_>, outcome: Outcome) -> Report {
        let Outcome { score, killed, measured } = outcome;
        let (total, windows) = (score.total(), score.windows());
        let shadow = |(at, kind): (usize, PolicyKind)| ShadowReport {
            policy: kind.name(),
            memory_bytes: run.memory_bytes * NODES as u64,
            hits: total.shadows[at],
            hit_ratio: total.shadow_ratio(kind),
        };
        let kill = |killed: &Killed| KillReport {
            node: killed.node.clone(),
            after_requests: killed.after_requests,
            partitions_lost: killed.lost.partitions,
            keys_lost: killed.lost.keys,
            partitions: killed.recovered.as_ref().map_or_else(Vec::new, |at| at.look.placement()),
            hit_ratio: Dip::of(&windows, killed.after_requests),
        };
        Report {
            mode: run.mode,
            seed: run.seed,
            workload: WorkloadReport {
                source: run.source.clone(),
                requests: run.survey.requests,
                footprint_bytes: run.survey.footprint_bytes,
            },
            cluster: ClusterReport {
                nodes: NODES,
                policy: run.policy.name(),
                memory_bytes_per_node: run.memory_bytes,
                partitions: run.placed.placement(),
            },
            requests: total.requests,
            hits: total.cluster,
            hit_ratio: total.ratio(),
            shadows: PolicyKind::ALL.into_iter().enumerate().map(shadow).collect(),
            kill: killed.as_ref().map(kill),
            windows: windows.iter().map(WindowReport::of).collect(),
            measured,
        }
    }

    /// The hit ratios of the cluster and of the shadows in the windows that ended by then.
    fn before(&self, requests: u64) -> (f64, [f64; POLICIES]) {
        let (mut seen, mut cluster, mut shadows) = (0, 0.0, [0.0; POLICIES]);
        for window in &self.windows {
            if seen + window.requests > requests {
                break;
            }
            seen += window.requests;
            let weight = window.requests as f64;
            cluster += window.hit_ratio * weight;
            shadows.iter_mut().zip(window.shadows).for_each(|(sum, ratio)| *sum += ratio * weight);
        }
        let of_all = |sum: f64| sum / (seen as f64).max(1.0);
        (of_all(cluster), shadows.map(of_all))
    }

    fn write_kill(&self, f: &mut fmt::Formatter<'_>, kill: &KillReport) -> fmt::Result {
        writeln!(
            f,
            "\n{} was killed after {} requests, with {} partitions and {} keys.",
            kill.node, kill.after_requests, kill.partitions_lost, kill.keys_lost
        )?;
        match self.measured.recovery_seconds {
            Some(seconds) => {
                writeln!(f, "Every slot was served again after {seconds:.2} s, the lost ones empty.")?;
            }
            None => writeln!(f, "Not every slot was served again before the end.")?,
        }
        let dip = &kill.hit_ratio;
        writeln!(
            f,
            "The hit ratio was {:.3} before, {:.3} at its worst, and {:.3} at the end,\n\
             with a third of the memory gone.",
            dip.before(),
            dip.lowest(),
            dip.end()
        )?;
        if self.measured.unserved > 0 {
            writeln!(f, "{} requests were served by nobody and count as misses.", self.measured.unserved)?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measured { seconds, requests_per_second, latency_us, .. } = &self.measured;
        writeln!(
            f,
            "{} requests in {seconds:.1} s ({requests_per_second:.0}/s), GET p50 {:.0} us, p99 {:.0} us",
            self.requests, latency_us.p50, latency_us.p99
        )?;
        let share = (self.cluster.memory_bytes_per_node * NODES as u64) as f64
            / self.workload.footprint_bytes.max(1) as f64;
        writeln!(
            f,
            "{} nodes with {} KiB each: {:.0} % of all that was asked for\n",
            self.cluster.nodes,
            self.cluster.memory_bytes_per_node / 1024,
            100.0 * share,
        )?;
        let before = self.kill.as_ref().map(|kill| self.before(kill.after_requests));
        let head = if before.is_some() { "altogether   before the death" } else { "altogether" };
        writeln!(f, "{:<20}{head}", "hit ratio")?;
        let row = |f: &mut fmt::Formatter<'_>, name: &str, all: f64, before: Option<f64>| {
            write!(f, "  {name:<18}{all:.4}")?;
            before.map_or(Ok(()), |before| write!(f, "       {before:.4}"))?;
            writeln!(f)
        };
        let name = format!("cluster, {}", self.cluster.policy);
        row(f, &name, self.hit_ratio, before.map(|(cluster, _)| cluster))?;
        for (at, shadow) in self.shadows.iter().enumerate() {
            let name = format!("{} alone", shadow.policy);
            row(f, &name, shadow.hit_ratio, before.map(|(_, shadows)| shadows[at]))?;
        }
        writeln!(f, "  alone: one cache with the memory of all nodes, same requests, no death")?;
        if let Some(kill) = &self.kill {
            self.write_kill(f, kill)?;
        }
        if self.measured.disturbed {
            writeln!(f, "\nThe machine stood still for so long that a living node was taken to be dead.")?;
        }
        write!(
            f,
            "\nNext:\n  \
             predis up                                     such a cluster, to work with\n  \
             predis bench --addr 127.0.0.1:7001 --cluster  how fast it is\n  \
             predis replay TRACE --cache-size 10%          the policies on your trace"
        )
    }
}
