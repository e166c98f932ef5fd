//! Dynamic settings: what nodes must agree on and operators may change while they run.
//!
//! Knows no setting: which exist, and what their values mean, is for the nodes.

use crate::{
    ClusterState, Expect, Outcome, Rejected,
    limits::{self, MAX_CONFIG_KEYS, ensure_room},
};

pub(super) fn set(
    state: &mut ClusterState,
    key: &str,
    value: Option<&str>,
    expect: &Expect,
) -> Result<Outcome, Rejected> {
    limits::name("key", key)?;
    let present = state.config.get(key);
    let expected = match expect {
        Expect::Any => true,
        Expect::Absent => present.is_none(),
        Expect::Value(value) => present == Some(value),
    };
    if !expected {
        return Err(Rejected::ConfigMoved { key: key.to_owned() });
    }
    let Some(value) = value else {
        state.config.remove(key);
        return Ok(Outcome::Done);
    };
    limits::config_value(value)?;
    if present.is_none() {
        ensure_room("setting", state.config.len(), MAX_CONFIG_KEYS)?;
    }
    state.config.insert(key.to_owned(), value.to_owned());
    Ok(Outcome::Done)
}
