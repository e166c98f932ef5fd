//! Many runs, several at once: each in one of several processes, since a run may not share one with another that is
//! under way.
//!
//! ```text
//! run_all --job a line--> process that was started with --worker --outcome a line--> in the order of the jobs
//! ```

use crate::{
    planted::CASES,
    run::{Outcome, Violation, run_for, run_planted},
    scenario,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

/// The flag that makes a process a worker.
pub const WORKER: &str = "--worker";

/// How long one run may take, in real time: one that takes longer will never end.
const LIMIT: Duration = Duration::from_secs(600);

/// One run to be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// How long, in simulated seconds.
    pub seconds: u64,
    /// Whether the trace is kept.
    pub trace: bool,
    /// Which planted case it is, if it is one.
    pub planted: Option<usize>,
}

impl Job {
    /// Makes the run, here.
    pub fn run(&self) -> Outcome {
        let Some(scenario) = scenario::named(&self.scenario) else {
            return self.failed("there is no such scenario".to_owned());
        };
        match self.planted.and_then(|case| CASES.get(case)) {
            None => run_for(scenario, self.seed, self.seconds, self.trace),
            Some(case) => run_planted(scenario, self.seed, self.trace, case.bug, case.invariants),
        }
    }

    /// The outcome of a run of which nobody knows what came of it.
    fn failed(&self, text: String) -> Outcome {
        Outcome {
            scenario: self.scenario.clone(),
            seed: self.seed,
            violation: Some(Violation { invariant: "run-ends".to_owned(), at: Duration::ZERO, text }),
            trace: (0, 0),
            simulated: Duration::ZERO,
            operations: 0,
            faults: BTreeMap::new(),
            text: Vec::new(),
        }
    }
}

/// Makes the runs that are asked for on standard input, until that ends.
///
/// # Errors
/// When a line is no job or nobody listens.
pub fn work() -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let job: Job = serde_json::from_str(&line?)?;
        println!("{}", serde_json::to_string(&job.run())?);
    }
    Ok(())
}

/// Makes all runs, `count` at once, and shows their outcomes in the order of the jobs.
pub fn run_all(jobs: &[Job], count: usize, mut show: impl FnMut(&Job, Outcome)) {
    if count <= 1 {
        jobs.iter().for_each(|job| show(job, job.run()));
        return;
    }
    let next = AtomicUsize::new(0);
    let (done, outcomes) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..count.min(jobs.len()) {
            let (next, done) = (&next, done.clone());
            scope.spawn(move || serve(jobs, next, &done));
        }
        drop(done);
        let (mut waiting, mut shown) = (BTreeMap::new(), 0);
        for (at, outcome) in outcomes {
            waiting.insert(at, outcome);
            while let Some(outcome) = waiting.remove(&shown) {
                show(&jobs[shown], outcome);
                shown += 1;
            }
        }
    });
}

/// Has a worker make one run after the other, and another one when it does not answer.
fn serve(jobs: &[Job], next: &AtomicUsize, done: &Sender<(usize, Outcome)>) {
    let mut worker = None;
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(job) = jobs.get(at) else { break };
        let outcome = match &mut worker {
            Some(worker) => Worker::ask(worker, job),
            None => Worker::start().and_then(|started| worker.insert(started).ask(job)),
        };
        let outcome = outcome.unwrap_or_else(|error| {
            worker = None;
            job.failed(error.to_string())
        });
        if done.send((at, outcome)).is_err() {
            break;
        }
    }
}

struct Worker {
    child: Child,
    answers: Receiver<io::Result<String>>,
}

impl Worker {
    fn start() -> io::Result<Worker> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.arg(WORKER).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let said = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let (answer, answers) = mpsc::channel();
        thread::spawn(move || BufReader::new(said).lines().try_for_each(|line| answer.send(line)));
        Ok(Worker { child, answers })
    }

    fn ask(&mut self, job: &Job) -> io::Result<Outcome> {
        let stdin = self.child.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(stdin, "{}", serde_json::to_string(job)?)?;
        let answer = self.answers.recv_timeout(LIMIT).map_err(|error| match error {
            mpsc::RecvTimeoutError::Timeout => {
                io::Error::other(format!("no end after {LIMIT:?} of real time"))
            }
            mpsc::RecvTimeoutError::Disconnected => io::Error::other("the process that ran it died"),
        })?;
        Ok(serde_json::from_str(&answer?)?)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Without input it ends; one that hangs has to be told.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
