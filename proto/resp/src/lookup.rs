//! From a request's arguments to the command it means, and Redis's words when it means none.
//!
//! Knows nothing of who may call what.

use crate::table::{command_named, subcommand_named};
use crate::{CommandSpec, Reply};

/// How much of what a client sent is quoted back to it, in bytes.
const QUOTED_BYTES: usize = 128;

/// A request that names no command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// There is no such command.
    #[error("ERR unknown command '{name}', with args beginning with: {args}")]
    UnknownCommand {
        /// The beginning of the name.
        name: String,
        /// The beginning of the arguments, each in quotes and followed by a space.
        args: String,
    },
    /// There is such a command, but it has no such subcommand.
    #[error("ERR unknown subcommand '{subcommand}'. Try {container} HELP.")]
    UnknownSubcommand {
        /// The beginning of the subcommand's name.
        subcommand: String,
        /// The container's name in capitals.
        container: String,
    },
}

/// A command that was called with too many or too few arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ERR wrong number of arguments for '{name}' command")]
pub struct WrongArity {
    /// The command's full name.
    pub name: &'static str,
}

impl From<LookupError> for Reply {
    fn from(error: LookupError) -> Reply {
        Reply::error(error.to_string())
    }
}

impl From<WrongArity> for Reply {
    fn from(error: WrongArity) -> Reply {
        Reply::error(error.to_string())
    }
}

/// The command that a request means: a container's subcommand when there is a second argument. A container
/// called alone is itself, and its arity then says that something is missing.
///
/// # Errors
/// [`LookupError`], which has Redis's words; also for a request without arguments.
pub fn lookup<A: AsRef<[u8]>>(args: &[A]) -> Result<&'static CommandSpec, LookupError> {
    let name = args.first().map_or(&b""[..], AsRef::as_ref);
    let Some(spec) = command_named(name) else {
        return Err(unknown_command(name, &args[args.len().min(1)..]));
    };
    match args.get(1) {
        Some(sub) if !spec.subcommands.is_empty() => {
            subcommand_named(spec, sub.as_ref()).ok_or_else(|| LookupError::UnknownSubcommand {
                subcommand: quotable(sub.as_ref(), QUOTED_BYTES),
                container: quotable(name, QUOTED_BYTES).to_uppercase(),
            })
        }
        _ => Ok(spec),
    }
}

/// The command or subcommand with this full name, in whatever case: `get`, `client|id`. What COMMAND INFO and
/// COMMAND DOCS take.
pub fn find(name: &[u8]) -> Option<&'static CommandSpec> {
    match name.iter().position(|byte| *byte == b'|') {
        None => command_named(name),
        Some(bar) => subcommand_named(command_named(&name[..bar])?, &name[bar + 1..]),
    }
}

#[cold]
fn unknown_command<A: AsRef<[u8]>>(name: &[u8], args: &[A]) -> LookupError {
    let mut quoted = String::new();
    for arg in args {
        if quoted.len() >= QUOTED_BYTES {
            break;
        }
        let text = quotable(arg.as_ref(), QUOTED_BYTES - quoted.len());
        quoted.extend(["'", &text, "' "]);
    }
    LookupError::UnknownCommand { name: quotable(name, QUOTED_BYTES), args: quoted }
}

/// The first `limit` bytes as text that fits on one line.
fn quotable(bytes: &[u8], limit: usize) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(limit)]).replace(['\r', '\n'], " ")
}
