//! Any command, put together argument by argument.
//!
//! Knows nothing of what a command means or where it goes.

use std::fmt;

/// A command: its name and its arguments, in one buffer.
///
/// ```
/// use predis_client::Command;
///
/// let command = Command::new("SET").arg("greeting").arg("hello").arg("EX").number(60);
/// assert_eq!(command.args().len(), 5);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Command {
    /// A command without arguments yet.
    pub fn new(name: &str) -> Command {
        Command { bytes: Vec::new(), ends: Vec::new() }.arg(name)
    }

    /// Adds an argument.
    pub fn arg(mut self, bytes: impl AsRef<[u8]>) -> Command {
        self.bytes.extend_from_slice(bytes.as_ref());
        self.ends.push(self.bytes.len());
        self
    }

    /// Adds several.
    pub fn arguments<A: AsRef<[u8]>>(self, all: impl IntoIterator<Item = A>) -> Command {
        all.into_iter().fold(self, Command::arg)
    }

    /// Adds a number.
    pub fn number(self, number: i64) -> Command {
        self.arg(number.to_string())
    }

    /// The name and the arguments.
    pub fn args(&self) -> Vec<&[u8]> {
        let begins = [0].into_iter().chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, end)| &self.bytes[begin..*end]).collect()
    }
}

impl fmt::Debug for Command {
    /// The name and how many arguments: they may be anybody's secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.args().first().map(|name| String::from_utf8_lossy(name).into_owned());
        write!(f, "Command({} and {} arguments)", name.unwrap_or_default(), self.ends.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_what_was_given_and_are_not_shown() {
        let command = Command::new("SET").arg("k").arg(b"\x00\xff").arguments(["", "x"]).number(-7);
        assert_eq!(command.args(), [&b"SET"[..], b"k", b"\x00\xff", b"", b"x", b"-7"]);
        assert_eq!(format!("{command:?}"), "Command(SET and 5 arguments)");
    }
}
