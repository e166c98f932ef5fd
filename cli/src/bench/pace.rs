//! When requests are to be sent, and waking up in time for it: a timer of the operating system, because the runtime's
//! own are exact to a millisecond only. Does not know requests.

use rustix::{
    io::read,
    time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    },
};
use std::{
    io,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};
use tokio::io::unix::AsyncFd;

/// The times at which one connection sends.
pub(super) struct Pace {
    timer: AsyncFd<OwnedFd>,
    next: Instant,
    every: Duration,
}

impl Pace {
    /// Times from `first` on, `every` apart.
    pub(super) fn new(first: Instant, every: Duration) -> io::Result<Pace> {
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        // Deprecated for types whose descriptor may change under it, which an owned descriptor's does not; what
        // replaces it is unsafe to call.
        #[allow(deprecated, reason = "the timer keeps its descriptor")]
        let timer = AsyncFd::new(timer)?;
        Ok(Pace { timer, next: first, every })
    }

    /// The next time, if it has come.
    pub(super) fn due(&mut self, now: Instant) -> Option<Instant> {
        let due = self.next;
        (due <= now).then(|| {
            self.next += self.every;
            due
        })
    }

    /// The next time, which may have passed.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Returns once the next time has come.
    pub(super) async fn wait(&mut self) -> io::Result<()> {
        let left = self.next.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        let once = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) },
        };
        timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::empty(), &once)?;
        loop {
            let mut ready = self.timer.readable().await?;
            match ready.try_io(|timer| Ok(read(timer.get_ref(), &mut [0; 8])?)) {
                Ok(read) => return read.map(|_| ()),
                Err(_woken_too_early) => continue,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_is_woken_early_and_nothing_is_skipped() {
        let begin = Instant::now();
        let mut pace = Pace::new(begin + Duration::from_micros(300), Duration::from_micros(300)).unwrap();
        assert_eq!(pace.due(begin), None);
        for step in 1..=20 {
            pace.wait().await.unwrap();
            let due = pace.due(Instant::now()).expect("it has come");
            assert_eq!(due, begin + Duration::from_micros(300) * step);
        }
        // What was missed is due at once, one after the other.
        let late = pace.next() + Duration::from_millis(1);
        assert_eq!(std::iter::from_fn(|| pace.due(late)).count(), 4);
    }
}
