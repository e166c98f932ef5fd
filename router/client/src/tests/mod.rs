//! The client against scripted servers over pipes, in virtual time.

mod all_keys;
mod breaker;
mod calls;
mod connections;
mod failures;
mod follow;
mod near;
mod rig;
mod tls;
