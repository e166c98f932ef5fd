//! RESP2 and RESP3 frames and the command table, sans-io.
//!
//! ```text
//! bytes --RequestDecoder--> [name, arguments ...] --lookup--> CommandSpec     (a server reads)
//! bytes <-----------------------Reply::encode---------------- Reply           (a server answers)
//! bytes <--encode_command-- [name, arguments ...]                             (a client asks)
//! bytes -------------------ReplyDecoder---------------------> Reply           (a client reads)
//! ```
//!
//! Owns the bytes of the protocol, its limits, and the facts about every command: arity, flags, key
//! positions, who may call it, whether it may be repeated. Deliberately knows nothing of sockets, of storage,
//! or of what a command does.

mod command_id;
mod describe;
mod encode;
mod error;
mod inline;
mod limits;
mod lookup;
mod number;
mod protocol;
mod reply;
mod reply_decoder;
mod request;
mod spec;
mod table;
mod traits;

pub use command_id::CommandId;
pub use describe::{command_docs_reply, command_getkeys_reply, command_info_reply, help_reply};
pub use encode::encode_command;
pub use error::ProtocolError;
pub use limits::{Limits, ReplyLimits};
pub use lookup::{LookupError, WrongArity, find, lookup};
pub use number::{IntegerText, parse_integer};
pub use protocol::Protocol;
pub use reply::Reply;
pub use reply_decoder::ReplyDecoder;
pub use request::RequestDecoder;
pub use spec::{CommandSpec, Deprecation, KeyRange, KeySpec};
pub use table::{command_count, commands};
pub use traits::{Categories, Category, Flag, Flags, Group, KeyFlag, Retry, Role, UNACKNOWLEDGED};
