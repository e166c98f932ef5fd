//! What a long run amounts to, for a person and for a program.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// From so many seeds on every kind of fault must have fired.
const FULL: u64 = 1_000;

/// The simulator's report on many runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Runs {
    pub(super) seeds: u64,
    pub(super) simulated_s: f64,
    pub(super) operations: u64,
    pub(super) faults: u64,
    pub(super) faults_by_kind: BTreeMap<String, u64>,
    pub(super) failures: Vec<String>,
    pub(super) seeds_per_min: f64,
}

/// What came of one planted bug.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Hunted {
    pub(super) bug: String,
    pub(super) scenario: String,
    pub(super) invariants: Vec<String>,
    pub(super) runs: u64,
    pub(super) caught: u64,
    pub(super) seed: Option<u64>,
    pub(super) text: String,
}

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Long {
    pub(super) short: Runs,
    pub(super) long: Runs,
    pub(super) planted: Vec<Hunted>,
}

impl Long {
    /// What is not as it must be.
    pub(super) fn complaints(&self) -> Vec<String> {
        let mut complaints: Vec<String> = self.failures().cloned().collect();
        if self.short.seeds + self.long.seeds >= FULL {
            let never = self.faults_by_kind().into_iter().filter(|(_, fired)| *fired == 0);
            complaints.extend(never.map(|(kind, _)| format!("the fault {kind} never fired")));
        }
        let missed = self.planted.iter().filter(|case| case.caught == 0);
        complaints
            .extend(missed.map(|case| format!("the planted bug {} was not caught: {}", case.bug, case.text)));
        complaints
    }

    fn failures(&self) -> impl Iterator<Item = &String> {
        self.short.failures.iter().chain(&self.long.failures)
    }

    fn faults_by_kind(&self) -> BTreeMap<&str, u64> {
        let mut sum = BTreeMap::new();
        for (kind, fired) in self.short.faults_by_kind.iter().chain(&self.long.faults_by_kind) {
            *sum.entry(kind.as_str()).or_default() += fired;
        }
        sum
    }

    /// For a program.
    pub(super) fn json(&self) -> anyhow::Result<String> {
        let complaints = self.complaints();
        let document = serde_json::json!({
            "ok": complaints.is_empty(),
            "complaints": complaints,
            "short": self.short,
            "long": self.long,
            "planted": self.planted,
        });
        Ok(serde_json::to_string_pretty(&document)?)
    }

    /// For a person.
    pub(super) fn markdown(&self) -> String {
        let mut text = String::from("# A long run of the simulator\n\n");
        text.push_str(
            "| runs | seeds | simulated hours | operations checked | faults fired | failures | seeds/min |\n",
        );
        text.push_str("|---|---:|---:|---:|---:|---:|---:|\n");
        for (name, runs) in [("short", &self.short), ("long", &self.long)] {
            let _ = writeln!(
                text,
                "| {name} | {} | {:.2} | {} | {} | {} | {:.0} |",
                runs.seeds,
                runs.simulated_s / 3_600.0,
                runs.operations,
                runs.faults,
                runs.failures.len(),
                runs.seeds_per_min
            );
        }
        text.push_str("\n## Faults\n\n| kind | fired |\n|---|---:|\n");
        for (kind, fired) in self.faults_by_kind() {
            let _ = writeln!(text, "| {kind} | {fired} |");
        }
        text.push_str("\n## Planted bugs\n\n| bug | scenario | caught in | of runs |\n|---|---|---:|---:|\n");
        for case in &self.planted {
            let _ = writeln!(text, "| {} | {} | {} | {} |", case.bug, case.scenario, case.caught, case.runs);
        }
        let complaints = self.complaints();
        text.push_str("\n## Verdict\n\n");
        if complaints.is_empty() {
            text.push_str("Everything held.\n");
        }
        complaints.iter().for_each(|complaint| {
            let _ = writeln!(text, "- {complaint}");
        });
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(seeds: u64, kinds: &[(&str, u64)], failures: &[&str]) -> Runs {
        Runs {
            seeds,
            simulated_s: 7_200.0,
            operations: 5,
            faults: kinds.iter().map(|(_, fired)| fired).sum(),
            faults_by_kind: kinds.iter().map(|(kind, fired)| ((*kind).to_owned(), *fired)).collect(),
            failures: failures.iter().map(|&failure| failure.to_owned()).collect(),
            seeds_per_min: 300.0,
        }
    }

    fn hunted(caught: u64) -> Hunted {
        Hunted {
            bug: "AckBeforeSync".into(),
            scenario: "power-loss".into(),
            invariants: vec!["converged".into()],
            runs: 201,
            caught,
            seed: None,
            text: "nobody complained".into(),
        }
    }

    #[test]
    fn a_full_run_must_have_fired_every_fault() {
        let kinds = [("crash", 1), ("pause", 0)];
        let report =
            |seeds| Long { short: runs(seeds, &kinds, &[]), long: runs(0, &[], &[]), planted: vec![] };
        assert_eq!(report(FULL).complaints(), ["the fault pause never fired"]);
        assert_eq!(report(FULL - 1).complaints(), [""; 0]);
        let other = Long { long: runs(1, &[("pause", 3)], &[]), ..report(FULL) };
        assert_eq!(other.complaints(), [""; 0], "either kind of run will do");
    }

    #[test]
    fn failures_and_bugs_that_nobody_noticed_are_complaints() {
        let report = Long {
            short: runs(1, &[], &["--scenario a"]),
            long: runs(1, &[], &["--scenario b"]),
            planted: vec![hunted(0), hunted(7)],
        };
        let complaints = report.complaints();
        assert_eq!(complaints[..2], ["--scenario a", "--scenario b"]);
        assert!(complaints[2].contains("AckBeforeSync") && complaints.len() == 3);
        assert!(report.markdown().contains("- --scenario b\n"));
        assert!(report.json().unwrap().contains("\"ok\": false"));
    }

    #[test]
    fn the_report_sums_up() {
        let report = Long {
            short: runs(10_000, &[("crash", 4)], &[]),
            long: runs(500, &[("crash", 3)], &[]),
            planted: vec![hunted(7)],
        };
        let text = report.markdown();
        for line in [
            "| short | 10000 | 2.00 | 5 | 4 | 0 | 300 |\n",
            "| crash | 7 |\n",
            "| AckBeforeSync | power-loss | 7 | 201 |\n",
            "Everything held.\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
