//! Where the demo's requests come from: its generator, or the beginning of a trace.
//!
//! Read once to know how many requests there are and what they ask for altogether, then once more while the demo
//! runs. Values are cut to a bound. Does not know what is done with a request.

use super::generator::Generator;
use crate::{
    footprint::Footprint,
    trace::{Request, Trace, TraceError},
};
use indicatif::ProgressBar;
use predis_shard::Cost;
use std::path::{Path, PathBuf};

/// Larger objects of a trace are stored as if they had this size.
pub(super) const MAX_VALUE_BYTES: u64 = 4096;

/// Which requests there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Workload {
    /// The generator's for a seed.
    Generated {
        /// Its seed.
        seed: u64,
    },
    /// A trace's.
    Trace {
        /// Its file.
        path: PathBuf,
    },
}

/// What a workload amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Survey {
    /// How many requests there are.
    pub(super) requests: u64,
    /// What it would cost to keep every object, in bytes as a node counts them.
    pub(super) footprint_bytes: u64,
}

impl Workload {
    /// How it is named in reports.
    pub(super) fn name(&self) -> String {
        match self {
            Workload::Generated { .. } => "generator".to_owned(),
            Workload::Trace { path } => path.display().to_string(),
        }
    }

    /// Counts the first `limit` requests; at least one.
    pub(super) fn survey(&self, limit: u64, seconds: f64) -> Result<Survey, TraceError> {
        let mut footprint = Footprint::new(Cost::Memory);
        let mut requests = 0;
        let mut source = self.open(limit, seconds)?;
        while let Some(request) = source.next()? {
            footprint.count(&request);
            requests += 1;
        }
        if requests == 0
            && let Source::Trace(lines) = &source
        {
            return Err(lines.trace.empty());
        }
        Ok(Survey { requests, footprint_bytes: footprint.total() })
    }

    /// The first `requests` requests, spread over so many seconds.
    pub(super) fn open(&self, requests: u64, seconds: f64) -> Result<Source, TraceError> {
        match self {
            Workload::Generated { seed } => {
                Ok(Source::Generated(Box::new(Generator::new(*seed, requests, seconds))))
            }
            Workload::Trace { path } => Ok(Source::Trace(Lines::open(path, requests, seconds)?)),
        }
    }
}

/// Requests in order.
pub(super) enum Source {
    Generated(Box<Generator>),
    Trace(Lines),
}

impl Source {
    /// The next one.
    pub(super) fn next(&mut self) -> Result<Option<Request>, TraceError> {
        let next = match self {
            Source::Generated(generator) => generator.next(),
            Source::Trace(lines) => lines.next()?,
        };
        Ok(next.map(|request| Request { size_bytes: request.size_bytes.min(MAX_VALUE_BYTES), ..request }))
    }

    /// Whether the generator scans just now.
    pub(super) fn is_scanning(&self) -> bool {
        match self {
            Source::Generated(generator) => generator.is_scanning(),
            Source::Trace(_) => false,
        }
    }
}

/// The beginning of a trace. Its own times are left aside: its requests are spread evenly.
pub(super) struct Lines {
    trace: Trace,
    batch: Vec<Request>,
    at: usize,
    issued: u64,
    requests: u64,
    seconds: f64,
}

impl Lines {
    fn open(path: &Path, requests: u64, seconds: f64) -> Result<Lines, TraceError> {
        let trace = Trace::open(path, &ProgressBar::hidden())?;
        Ok(Lines { trace, batch: Vec::new(), at: 0, issued: 0, requests, seconds })
    }

    fn next(&mut self) -> Result<Option<Request>, TraceError> {
        if self.issued == self.requests {
            return Ok(None);
        }
        if self.at == self.batch.len() {
            self.trace.next_batch(&mut self.batch)?;
            self.at = 0;
        }
        let Some(request) = self.batch.get(self.at) else { return Ok(None) };
        let time_ms = (self.seconds * 1000.0 * self.issued as f64 / self.requests as f64) as u64;
        self.at += 1;
        self.issued += 1;
        Ok(Some(Request { time_ms, ..request.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut source: Source) -> Vec<Request> {
        std::iter::from_fn(|| source.next().unwrap()).collect()
    }

    #[test]
    fn a_survey_sees_what_will_be_asked() {
        let workload = Workload::Generated { seed: 1 };
        let survey = workload.survey(5000, 10.0).unwrap();
        let requests = all(workload.open(survey.requests, 10.0).unwrap());
        let mut footprint = Footprint::new(Cost::Memory);
        requests.iter().for_each(|request| footprint.count(request));
        assert_eq!(survey, Survey { requests: 5000, footprint_bytes: footprint.total() });
    }

    #[test]
    fn a_trace_is_cut_to_its_beginning_and_spread_evenly() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "time,key,size\n7,a,10\n7,b,100000\n9,c,1\n9,d,1\n").unwrap();
        let workload = Workload::Trace { path: file.path().to_owned() };
        let survey = workload.survey(3, 6.0).unwrap();
        let cost = |bytes| Cost::Memory.of(1, bytes, false);
        let footprint_bytes = cost(10) + cost(MAX_VALUE_BYTES as usize) + cost(1);
        assert_eq!(survey, Survey { requests: 3, footprint_bytes });
        let requests = all(workload.open(3, 6.0).unwrap());
        let times: Vec<u64> = requests.iter().map(|request| request.time_ms).collect();
        let sizes: Vec<u64> = requests.iter().map(|request| request.size_bytes).collect();
        assert_eq!((times, sizes), (vec![0, 2000, 4000], vec![10, MAX_VALUE_BYTES, 1]));
        assert_eq!(workload.survey(100, 1.0).unwrap().requests, 4, "a short trace is taken whole");
    }

    #[test]
    fn a_trace_without_requests_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "time,key,size\n").unwrap();
        let workload = Workload::Trace { path: file.path().to_owned() };
        assert!(workload.survey(3, 6.0).unwrap_err().to_string().contains("is empty"));
    }
}
