//! What is written is what is read, and whatever else is found is refused with words.

mod contents;
mod directory;
mod fates;

use ::bytes::Bytes;
use predis_proto::replica::{Change, Effect, Set, effect::Kind};
use prost::Message;

/// A change or a page, encoded as members encode them.
fn change(tenant: u32, kinds: Vec<Kind>) -> Bytes {
    let effects = kinds.into_iter().map(|kind| Effect { kind: Some(kind) }).collect();
    Change { tenant, at_ms: 1, effects }.encode_to_vec().into()
}

fn set(key: &str, value: &str, expire_at_ms: Option<u64>) -> Kind {
    let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    Kind::Set(Set { key: bytes(key), value: bytes(value), expire_at_ms })
}
