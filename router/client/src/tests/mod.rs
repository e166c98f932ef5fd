//! The client against scripted servers over pipes, in virtual time.

mod tls;
