//! What the values in a command must look like, and how many of anything there may be.
//!
//! Knows values alone, not the state they are to fit. A proposer may call these checks early; applying a
//! command calls them in any case.

use crate::{Addresses, NewMember, NewTenant, OLDEST_WRITTEN, Rejected, TenantSettings};
use predis_types::limits::{MAX_COPIES, MAX_NAME_BYTES};

/// The most tenants a cluster may have.
pub const MAX_TENANTS: usize = 1024;

/// The most users a cluster may have.
pub const MAX_USERS: usize = 1024;

/// The most users a cluster may be created with, so that the command still fits into an entry of the log.
pub const MAX_FOUNDING_USERS: usize = 16;

/// The most users a tenant may have, but for the default one.
pub const MAX_TENANT_USERS: usize = 64;

/// How many of the cluster's users can be of the default tenant alone.
pub const RESERVED_USERS: usize = 128;

/// The longest name of who proposes, in bytes: a user's, and what says that it is one.
pub const MAX_ACTOR_BYTES: usize = 80;

/// The most tokens a user may have.
pub const MAX_TOKENS: usize = 8;

/// The most dynamic settings a cluster may have.
pub const MAX_CONFIG_KEYS: usize = 1024;

/// The longest value of a dynamic setting, in bytes.
pub const MAX_CONFIG_VALUE_BYTES: usize = 4096;

/// The most roles that may be held at a time.
pub const MAX_ROLES: usize = 64;

/// The longest address, in bytes: a DNS name, a colon, a port.
pub const MAX_ADDRESS_BYTES: usize = 261;

/// The greatest weight of a member.
pub const MAX_WEIGHT: u32 = 10_000;

/// The most changes one placement command may carry, so that its encoding stays below 128 KiB.
pub const MAX_PLACEMENT_CHANGES: usize = 256;

/// How many partitions whoever has many to change puts into one command.
pub const CHANGES_PER_COMMAND: usize = 64;

/// The most seats a partition may have: a full set of copies on its way from old nodes to new ones.
pub const MAX_SEATS: usize = 2 * MAX_COPIES as usize;

fn invalid(field: &'static str, value: impl ToString, rule: &'static str) -> Rejected {
    // A refused value comes back in a message, so a huge one is cut.
    let value = value.to_string().chars().take(80).collect();
    Rejected::Invalid { field: field.into(), value, rule: rule.into() }
}

/// Refuses whatever does not hold, naming field, value and rule.
pub(crate) fn ensure(
    holds: bool,
    field: &'static str,
    value: impl ToString,
    rule: &'static str,
) -> Result<(), Rejected> {
    if holds { Ok(()) } else { Err(invalid(field, value, rule)) }
}

/// Refuses one more when there are `limit` already.
pub(crate) fn ensure_room(what: &'static str, count: usize, limit: usize) -> Result<(), Rejected> {
    if count < limit { Ok(()) } else { Err(Rejected::Full { what: what.into(), limit }) }
}

/// A name: 1 to 64 bytes of letters, digits, `.`, `_`, `-`.
pub fn name(field: &'static str, text: &str) -> Result<(), Rejected> {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    let fits = (1..=MAX_NAME_BYTES).contains(&text.len()) && plain;
    ensure(fits, field, text, "must be 1 to 64 letters, digits, '.', '_' or '-'")
}

/// A zone or region: a name, or empty for none.
pub fn location(field: &'static str, text: &str) -> Result<(), Rejected> {
    if text.is_empty() { Ok(()) } else { name(field, text) }
}

/// Who proposes: 1 to 80 visible ASCII characters.
pub fn actor(text: &str) -> Result<(), Rejected> {
    let fits = (1..=MAX_ACTOR_BYTES).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    ensure(fits, "actor", text, "must be 1 to 80 visible ASCII characters")
}

/// All addresses are given, and none could break a line of a reply or a log.
pub fn addresses(addrs: &Addresses) -> Result<(), Rejected> {
    for (field, text) in
        [("addrs.resp", &addrs.resp), ("addrs.grpc", &addrs.grpc), ("addrs.metrics", &addrs.metrics)]
    {
        let fits =
            (1..=MAX_ADDRESS_BYTES).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        ensure(fits, field, text, "must be 1 to 261 visible ASCII characters")?;
    }
    Ok(())
}

/// A member's weight.
pub fn weight(weight: u32) -> Result<(), Rejected> {
    ensure((1..=MAX_WEIGHT).contains(&weight), "weight", weight, "must be 1 to 10000")
}

/// What a member understands of the metadata.
pub fn metadata_version(version: u32) -> Result<(), Rejected> {
    ensure(version >= OLDEST_WRITTEN, "metadata_version", version, "must be at least 3")
}

/// Everything a new member states but its id.
pub fn member(member: &NewMember) -> Result<(), Rejected> {
    name("name", &member.name)?;
    addresses(&member.addrs)?;
    location("zone", &member.zone)?;
    location("region", &member.region)?;
    weight(member.weight)?;
    metadata_version(member.metadata_version)
}

/// A tenant's settings. Which policies exist is for the nodes to say.
pub fn settings(settings: &TenantSettings) -> Result<(), Rejected> {
    name("policy", &settings.policy)?;
    let lower = settings.policy.bytes().all(|b| !b.is_ascii_uppercase());
    ensure(lower, "policy", &settings.policy, "must be lower case")?;
    for (field, limit) in [
        ("memory_bytes", settings.memory_bytes),
        ("max_ops_per_second", settings.max_ops_per_second),
        ("max_connections", settings.max_connections),
    ] {
        ensure(limit != Some(0), field, 0, "must be above 0, or absent for no limit")?;
    }
    Ok(())
}

/// Everything a new tenant states but its id.
pub fn tenant(tenant: &NewTenant) -> Result<(), Rejected> {
    name("name", &tenant.name)?;
    settings(&tenant.settings)
}

/// A token's hash: SHA-256 in lower-case hexadecimal digits. The value itself is kept out of the message.
pub fn token_hash(hash: &str) -> Result<(), Rejected> {
    let fits = hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let seen = format!("{} bytes", hash.len());
    ensure(fits, "hash", seen, "must be 64 lower-case hexadecimal digits")
}

/// The value of a dynamic setting.
pub fn config_value(value: &str) -> Result<(), Rejected> {
    ensure(value.len() <= MAX_CONFIG_VALUE_BYTES, "value", value, "must be at most 4096 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_bounded() {
        for good in ["a", "node-1.eu_west", &"x".repeat(64)] {
            assert_eq!(name("name", good), Ok(()));
        }
        for bad in ["", "a b", "a\n", "ä", "a/b", &"x".repeat(65)] {
            assert!(name("name", bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            name("name", "a b").unwrap_err().to_string(),
            "name: must be 1 to 64 letters, digits, '.', '_' or '-', got a b"
        );
    }

    #[test]
    fn a_refused_value_is_cut_in_the_message() {
        let error = config_value(&"v".repeat(5000)).unwrap_err().to_string();
        assert!(error.len() < 200, "{error}");
    }

    #[test]
    fn a_refused_hash_is_not_repeated() {
        let error = token_hash("my-secret-token").unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
        assert!(token_hash(&"0a".repeat(32)).is_ok() && token_hash(&"0A".repeat(32)).is_err());
    }
}
