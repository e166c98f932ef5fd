//! Changes as bytes: what one step did to a tenant's keys, as it lies in a log and travels to replicas.
//!
//! Protocol buffers, so that a member of another version reads what it knows and notices what it does not. Knows no
//! partition and no sequence.

use bytes::Bytes;
use predis_proto::replica::{self as wire, effect::Kind};
use predis_shard::{DeleteReason, Effect, Value};
use predis_types::{
    TenantId,
    planted::{self, Bug},
};
use prost::Message;

/// What an entry takes in memory besides its bytes.
const ENTRY_BYTES: usize = 64;

/// What an entry with this change takes in memory, in bytes.
pub fn entry_size_bytes(change: &Bytes) -> usize {
    change.len() + ENTRY_BYTES
}

/// A change, decoded.
pub(super) struct Change {
    /// Whose keys.
    pub(super) tenant: TenantId,
    /// The partition's time at the primary, in milliseconds since the Unix epoch.
    pub(super) at_ms: u64,
    /// What was done to them, in order.
    pub(super) effects: Vec<Effect>,
}

/// Why bytes are no change.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// They are damaged.
    #[error("a change cannot be read: {0}")]
    Damaged(#[from] prost::DecodeError),
    /// They are of a version that knows more than this one.
    #[error("a change has an effect that this version does not know")]
    Unknown,
}

/// A change and its size in memory, in bytes.
pub(super) fn encode<'a>(
    tenant: TenantId,
    at_ms: u64,
    effects: impl Iterator<Item = &'a Effect>,
) -> (Bytes, usize) {
    let effects = effects.map(|effect| wire::Effect { kind: Some(kind(effect)) }).collect();
    let bytes = Bytes::from(wire::Change { tenant: tenant.0, at_ms, effects }.encode_to_vec());
    let size_bytes = entry_size_bytes(&bytes);
    (bytes, size_bytes)
}

/// The change in `bytes`, to be carried out at `now_ms`.
pub(super) fn decode(bytes: Bytes, now_ms: u64) -> Result<Change, ChangeError> {
    let change = wire::Change::decode(bytes)?;
    let effects =
        change.effects.into_iter().map(|effect| effect.kind.map(effect_of).ok_or(ChangeError::Unknown));
    let mut effects: Vec<Effect> = effects.collect::<Result<_, _>>()?;
    if planted::active(Bug::ExpiryRebased) {
        effects.iter_mut().for_each(|effect| rebase(effect, change.at_ms, now_ms));
    }
    Ok(Change { tenant: TenantId(change.tenant), at_ms: change.at_ms, effects })
}

fn kind(effect: &Effect) -> Kind {
    match effect {
        Effect::Set { key, value: Value::String(value), expire_at_ms } => {
            Kind::Set(wire::Set { key: key.clone(), value: value.clone(), expire_at_ms: *expire_at_ms })
        }
        Effect::Write { key, offset, bytes } => {
            Kind::Write(wire::Write { key: key.clone(), offset: *offset, bytes: bytes.clone() })
        }
        Effect::Expire { key, at } => Kind::Expire(wire::Expire { key: key.clone(), at_ms: *at }),
        Effect::Delete { key, reason } => {
            let reason = match reason {
                DeleteReason::Deleted => 0,
                DeleteReason::Expired => 1,
                DeleteReason::Evicted => 2,
            };
            Kind::Delete(wire::Delete { key: key.clone(), reason })
        }
        Effect::Flush => Kind::Flush(wire::Flush {}),
    }
}

fn effect_of(kind: Kind) -> Effect {
    match kind {
        Kind::Set(set) => {
            Effect::Set { key: set.key, value: Value::String(set.value), expire_at_ms: set.expire_at_ms }
        }
        Kind::Write(write) => Effect::Write { key: write.key, offset: write.offset, bytes: write.bytes },
        Kind::Expire(expire) => Effect::Expire { key: expire.key, at: expire.at_ms },
        Kind::Delete(delete) => {
            let reason = match delete.reason {
                1 => DeleteReason::Expired,
                2 => DeleteReason::Evicted,
                _ => DeleteReason::Deleted,
            };
            Effect::Delete { key: delete.key, reason }
        }
        Kind::Flush(_) => Effect::Flush,
    }
}

/// The planted bug: a time to live begins anew.
fn rebase(effect: &mut Effect, at_ms: u64, now_ms: u64) {
    let later = |at: &mut Option<u64>| *at = at.map(|at| now_ms.saturating_add(at.saturating_sub(at_ms)));
    match effect {
        Effect::Set { expire_at_ms, .. } => later(expire_at_ms),
        Effect::Expire { at, .. } => later(at),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_comes_back() {
        let key = Bytes::from_static(b"k\0y");
        let effects = vec![
            Effect::Set {
                key: key.clone(),
                value: Value::String(Bytes::from_static(b"v")),
                expire_at_ms: None,
            },
            Effect::Set { key: key.clone(), value: Value::String(Bytes::new()), expire_at_ms: Some(0) },
            Effect::Write { key: key.clone(), offset: u64::MAX, bytes: Bytes::from_static(b"x") },
            Effect::Expire { key: key.clone(), at: None },
            Effect::Expire { key: key.clone(), at: Some(7) },
            Effect::Delete { key: key.clone(), reason: DeleteReason::Deleted },
            Effect::Delete { key: key.clone(), reason: DeleteReason::Expired },
            Effect::Delete { key, reason: DeleteReason::Evicted },
            Effect::Flush,
        ];
        let (bytes, size_bytes) = encode(TenantId(3), 9, effects.iter());
        assert_eq!(size_bytes, bytes.len() + ENTRY_BYTES);
        let change = decode(bytes.clone(), 0).unwrap();
        assert_eq!((change.tenant, change.at_ms, change.effects), (TenantId(3), 9, effects));
        assert!(decode(bytes.slice(..bytes.len() - 1), 0).is_err());
        let unknown = wire::Change { tenant: 1, at_ms: 1, effects: vec![wire::Effect { kind: None }] };
        assert!(matches!(decode(unknown.encode_to_vec().into(), 0), Err(ChangeError::Unknown)));
    }
}
