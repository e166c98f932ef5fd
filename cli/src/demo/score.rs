//! Who found how much: the cluster and each shadow, altogether and window by window. Pure.

use predis_policy::PolicyKind;
use serde::Serialize;

/// How many windows a run is cut into.
pub(super) const WINDOWS: u64 = 40;

/// How many policies have a shadow.
pub(super) const POLICIES: usize = PolicyKind::ALL.len();

/// Hits in some stretch of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Hits {
    /// How many requests there were.
    pub(super) requests: u64,
    /// How many of them the cluster found.
    pub(super) cluster: u64,
    /// How many each shadow found, in the order of [`PolicyKind::ALL`].
    pub(super) shadows: [u64; POLICIES],
}

impl Hits {
    /// The cluster's hit ratio; 0 without requests.
    pub(super) fn ratio(&self) -> f64 {
        ratio(self.cluster, self.requests)
    }

    /// A shadow's hit ratio; 0 without requests.
    pub(super) fn shadow_ratio(&self, kind: PolicyKind) -> f64 {
        PolicyKind::ALL
            .iter()
            .zip(self.shadows)
            .find(|(other, _)| **other == kind)
            .map_or(0.0, |(_, hits)| ratio(hits, self.requests))
    }

    /// What was counted since `before`.
    pub(super) fn since(&self, before: &Hits) -> Hits {
        Hits {
            requests: self.requests - before.requests,
            cluster: self.cluster - before.cluster,
            shadows: std::array::from_fn(|at| self.shadows[at] - before.shadows[at]),
        }
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The score of a run so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Score {
    total: Hits,
    /// The total at each window's end.
    ends: Vec<Hits>,
}

impl Score {
    /// Takes note of everything counted so far, altogether.
    pub(super) fn set(&mut self, total: Hits) {
        self.total = total;
    }

    /// Counts a request, given what all shadows found so far.
    pub(super) fn count(&mut self, hit: bool, shadows: [u64; POLICIES]) {
        self.total.requests += 1;
        self.total.cluster += u64::from(hit);
        self.total.shadows = shadows;
    }

    /// Ends a window, unless it is empty.
    pub(super) fn end_window(&mut self) {
        if self.ends.last().is_none_or(|last| last.requests < self.total.requests) {
            self.ends.push(self.total);
        }
    }

    /// Altogether.
    pub(super) fn total(&self) -> Hits {
        self.total
    }

    /// Window by window; the last one may be short.
    pub(super) fn windows(&self) -> Vec<Hits> {
        let ended = self.ends.last().map_or(0, |last| last.requests);
        let rest = ended < self.total.requests;
        let ends = self.ends.iter().copied().chain(rest.then_some(self.total));
        let mut before = Hits::default();
        let windows = ends.map(|end| {
            let window = end.since(&before);
            before = end;
            window
        });
        windows.collect()
    }
}

/// How the cluster's hit ratio went down with a node and up again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Dip {
    /// Over the windows before.
    before: f64,
    /// Of the worst window after.
    lowest: f64,
    /// Over the last windows.
    end: f64,
    /// How many requests after the death the first window ended that came within [`CLIMBED`] of `before`; `None`: none
    /// did.
    climbed_after_requests: Option<u64>,
}

/// How many windows are looked at before the death, and at the end.
const AROUND: usize = 4;

/// How near the hit ratio before is near enough.
const CLIMBED: f64 = 0.05;

impl Dip {
    /// From the windows of a run in which a node died after `at` requests.
    pub(super) fn of(windows: &[Hits], at: u64) -> Dip {
        let mut end = 0;
        let ends: Vec<(u64, &Hits)> = windows
            .iter()
            .map(|window| {
                end += window.requests;
                (end, window)
            })
            .collect();
        let split = ends.partition_point(|(end, _)| *end <= at);
        let (before, after) = ends.split_at(split);
        let mean = |windows: &[(u64, &Hits)]| {
            let requests = windows.iter().map(|(_, window)| window.requests).sum();
            ratio(windows.iter().map(|(_, window)| window.cluster).sum(), requests)
        };
        let level = mean(&before[before.len().saturating_sub(AROUND)..]);
        let lowest = after.iter().map(|(_, window)| window.ratio()).min_by(f64::total_cmp);
        let climbed = after.iter().find(|(_, window)| window.ratio() >= level - CLIMBED);
        Dip {
            before: level,
            lowest: lowest.unwrap_or(level),
            end: mean(&after[after.len().saturating_sub(AROUND)..]),
            climbed_after_requests: climbed.map(|(end, _)| end - at),
        }
    }

    /// Over the windows before.
    pub(super) fn before(&self) -> f64 {
        self.before
    }

    /// Of the worst window after.
    pub(super) fn lowest(&self) -> f64 {
        self.lowest
    }

    /// Over the last windows.
    pub(super) fn end(&self) -> f64 {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_add_up_to_the_total() {
        let mut score = Score::default();
        let mut shadows = [0; POLICIES];
        for number in 0..90 {
            shadows[1] += number % 2;
            score.count(number % 3 == 0, shadows);
            if number % 3 == 2 {
                score.end_window();
                score.end_window();
            }
        }
        let windows = score.windows();
        assert_eq!(windows.len(), 30, "of three requests each");
        assert_eq!(windows.iter().map(|window| window.cluster).sum::<u64>(), 30);
        assert_eq!(score.total().shadow_ratio(PolicyKind::ALL[1]), 0.5);
        assert_eq!((score.total().shadow_ratio(PolicyKind::ALL[0]), score.total().ratio()), (0.0, 1.0 / 3.0));
        score.count(true, shadows);
        assert_eq!(score.windows().last().unwrap().requests, 1);
        assert_eq!((Score::default().windows(), Hits::default().ratio()), (Vec::new(), 0.0));
    }

    #[test]
    fn a_dip_is_what_it_looks_like() {
        let window = |cluster| Hits { requests: 100, cluster, ..Hits::default() };
        let windows = [50, 80, 80, 80, 80, 30, 60, 76, 78, 70, 70, 70, 70].map(window);
        let dip = Dip::of(&windows, 500);
        let expected = Dip { before: 0.8, lowest: 0.3, end: 0.7, climbed_after_requests: Some(300) };
        assert_eq!(dip, expected);
        let never = [80, 80, 10, 20].map(window);
        assert_eq!(Dip::of(&never, 200).climbed_after_requests, None);
        assert_eq!(Dip::of(&[], 0), Dip::default());
    }
}
