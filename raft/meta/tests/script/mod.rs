//! Runs a script of commands and writes down what became of each: the language of the files in
//! `tests/golden/scripts`.
//!
//! ```text
//! # a comment is kept                      > at 5000          sets the time of the next command
//! > boot 2/1                               > actor alice      sets who proposes from now on
//! = ok done                                > show [audit]     writes the state down
//!                                          > level            writes down what all members can read
//!                                          > reload           encodes the state and goes on with the copy
//! ```
//! Lines that begin with neither `#` nor `>` are output, and are written anew on every run.

mod parse;
mod show;

use predis_meta::{ClusterState, MetaCommand, Outcome, decode_state, encode_state};
use std::fmt::Write;

/// The script with its output as it should be.
pub fn run(script: &str) -> String {
    let mut player = Player { state: ClusterState::new(), index: 0, at_ms: 1000, actor: "cli".to_owned() };
    let mut text = String::new();
    for line in script.lines() {
        match line.strip_prefix("> ") {
            Some(step) => {
                text += line;
                text += "\n";
                text += &player.step(step);
            }
            None if line.starts_with('#') || line.is_empty() => {
                text += line;
                text += "\n";
            }
            None => {}
        }
    }
    text
}

struct Player {
    state: ClusterState,
    index: u64,
    at_ms: u64,
    actor: String,
}

impl Player {
    fn step(&mut self, step: &str) -> String {
        let words: Vec<&str> = step.split_whitespace().collect();
        match words[..] {
            ["at", at_ms] => self.at_ms = at_ms.parse().expect("a time"),
            ["actor", actor] => self.actor = actor.to_owned(),
            ["show"] => return show::state(&self.state),
            ["level"] => return format!("  level {}\n", self.state.level()),
            ["show", "audit"] => return show::audit(&self.state),
            ["reload"] => {
                self.state = decode_state(&encode_state(&self.state)).expect("what was just encoded")
            }
            _ => return self.apply(&words),
        }
        String::new()
    }

    fn apply(&mut self, words: &[&str]) -> String {
        self.index += 1;
        let action = parse::action(words);
        let command = MetaCommand { at_ms: self.at_ms, actor: self.actor.clone(), action };
        self.at_ms += 10;
        let digest = self.state.digest();
        let outcome = self.state.apply(self.index, &command);
        self.state.check().unwrap_or_else(|broken| panic!("after {words:?}: {broken}"));
        assert_eq!(self.state.applied_index(), self.index);
        let mut text = String::new();
        match outcome {
            Ok(outcome) => writeln!(text, "= ok {}", told(&outcome)).unwrap(),
            Err(rejected) => {
                assert_eq!(self.state.digest(), digest, "{words:?} was rejected and changed something");
                let again = if rejected.may_retry() { " (may retry)" } else { "" };
                writeln!(text, "= rejected: {rejected}{again}").unwrap();
            }
        }
        text
    }
}

fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::NodeIssued { node } => format!("node {node}"),
        Outcome::Vacated { without_primary, without_survivor } => format!(
            "vacated, without primary [{}], without survivor [{}]",
            show::list(without_primary),
            show::list(without_survivor)
        ),
        Outcome::Placed { lost } => format!("placed, lost [{}]", show::list(lost)),
        Outcome::InSync { refused } => format!("in sync, refused [{}]", show::list(refused)),
        Outcome::TenantCreated { tenant } => format!("tenant {tenant}"),
        Outcome::RoleHeld { token } => format!("held under token {token}"),
    }
}
