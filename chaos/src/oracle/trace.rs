//! The trace of a run: every observation in order, as one hash, and as text when asked for.

use predis_types::mix64;
use std::{fmt::Debug, time::Duration};

/// A running hash over lines.
#[derive(Debug, Default)]
pub struct Trace {
    hash: u64,
    lines: u64,
    text: Option<Vec<String>>,
}

impl Trace {
    /// Keeps the lines from now on.
    pub fn keep(&mut self) {
        self.text = Some(Vec::new());
    }

    /// Adds a line.
    pub fn line(&mut self, at: Duration, line: impl FnOnce() -> String) {
        let line = format!("{:>10}us {}", at.as_micros(), line());
        // A chain of mixes: order counts, and so does every byte.
        for chunk in line.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.hash = mix64(self.hash ^ u64::from_le_bytes(word));
        }
        self.lines += 1;
        if let Some(text) = &mut self.text {
            text.push(line);
        }
    }

    /// The hash over all lines so far.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// How many lines there were.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The lines kept.
    pub fn text(&self) -> &[String] {
        self.text.as_deref().unwrap_or_default()
    }
}
