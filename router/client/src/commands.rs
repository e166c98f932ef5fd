//! The common commands as methods: arguments in, values out.
//!
//! Whatever is not here goes through [`Client::call`]. Knows nothing of how calls find their way.

use crate::{client::Client, error::CallError};
use bytes::Bytes;
use predis_resp::{IntegerText, Reply};
use std::time::Duration;

/// When a key expires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expiry {
    /// Never.
    #[default]
    Never,
    /// So long from now, to the millisecond.
    After(Duration),
    /// At this time, in milliseconds since the Unix epoch.
    AtMs(u64),
    /// When it did before.
    Keep,
}

/// How a key is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetOptions {
    /// When it expires.
    pub expiry: Expiry,
    /// Only if it exists, or only if it does not.
    pub if_exists: Option<bool>,
}

impl Client {
    /// The value of a key.
    ///
    /// # Errors
    /// See [`CallError`], here and below.
    pub async fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Bytes>, CallError> {
        value("get", self.run(&[b"GET", key.as_ref()]).await?)
    }

    /// Sets a key, for good.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn set(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<(), CallError> {
        done("set", self.run(&[b"SET", key.as_ref(), value.as_ref()]).await?)
    }

    /// Sets a key as the options say; whether it was set.
    ///
    /// # Errors
    /// See [`CallError`]. With a condition the outcome may be [`CallError::Ambiguous`].
    pub async fn set_with(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        options: SetOptions,
    ) -> Result<bool, CallError> {
        let mut args: Vec<&[u8]> = vec![b"SET", key.as_ref(), value.as_ref()];
        let time;
        match options.expiry {
            Expiry::Never => {}
            Expiry::Keep => args.push(b"KEEPTTL"),
            Expiry::After(after) => {
                time = number(millis(after));
                args.extend([b"PX", time.as_bytes()]);
            }
            Expiry::AtMs(at_ms) => {
                time = number(i64::try_from(at_ms).unwrap_or(i64::MAX));
                args.extend([b"PXAT", time.as_bytes()]);
            }
        }
        if let Some(exists) = options.if_exists {
            args.push(if exists { b"XX" } else { b"NX" });
        }
        match self.run(&args).await? {
            Reply::Simple(_) => Ok(true),
            Reply::Null => Ok(false),
            _ => Err(CallError::Unexpected("set")),
        }
    }

    /// The value of a key, which is deleted.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn getdel(&self, key: impl AsRef<[u8]>) -> Result<Option<Bytes>, CallError> {
        value("getdel", self.run(&[b"GETDEL", key.as_ref()]).await?)
    }

    /// Deletes keys, wherever they are; how many there were. A repetition after a failure may count fewer.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn del<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> Result<u64, CallError> {
        self.over_keys("del", b"DEL", keys).await
    }

    /// How many of the keys exist, wherever they are; one that is named twice counts twice.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn exists<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> Result<u64, CallError> {
        self.over_keys("exists", b"EXISTS", keys).await
    }

    /// Marks keys as just used, wherever they are; how many exist.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn touch<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> Result<u64, CallError> {
        self.over_keys("touch", b"TOUCH", keys).await
    }

    /// The values of keys, wherever they are, each as of a moment of its own.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn mget<K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<Vec<Option<Bytes>>, CallError> {
        let keys: Vec<K> = keys.into_iter().collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let args: Vec<&[u8]> = [&b"MGET"[..]].into_iter().chain(keys.iter().map(AsRef::as_ref)).collect();
        match self.run(&args).await? {
            Reply::Array(items) => items.into_iter().map(|item| value("mget", item)).collect(),
            _ => Err(CallError::Unexpected("mget")),
        }
    }

    /// Sets keys, wherever they are. Not atomic: after an error some may be set.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn mset<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<(), CallError> {
        let pairs: Vec<(K, V)> = pairs.into_iter().collect();
        if pairs.is_empty() {
            return Ok(());
        }
        let mut args: Vec<&[u8]> = vec![b"MSET"];
        args.extend(pairs.iter().flat_map(|(key, value)| [key.as_ref(), value.as_ref()]));
        done("mset", self.run(&args).await?)
    }

    /// Adds to the integer in a key, 0 when absent; what it is then.
    ///
    /// # Errors
    /// See [`CallError`]; the outcome may be [`CallError::Ambiguous`].
    pub async fn incr(&self, key: impl AsRef<[u8]>, by: i64) -> Result<i64, CallError> {
        integer("incrby", self.run(&[b"INCRBY", key.as_ref(), number(by).as_bytes()]).await?)
    }

    /// Appends to the value of a key; how long it is then.
    ///
    /// # Errors
    /// See [`CallError`]; the outcome may be [`CallError::Ambiguous`].
    pub async fn append(&self, key: impl AsRef<[u8]>, more: impl AsRef<[u8]>) -> Result<u64, CallError> {
        count("append", self.run(&[b"APPEND", key.as_ref(), more.as_ref()]).await?)
    }

    /// Lets a key expire so long from now, to the millisecond; whether it exists.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn expire(&self, key: impl AsRef<[u8]>, after: Duration) -> Result<bool, CallError> {
        let after = number(millis(after));
        Ok(integer("pexpire", self.run(&[b"PEXPIRE", key.as_ref(), after.as_bytes()]).await?)? == 1)
    }

    /// Lets a key never expire; whether it would have.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn persist(&self, key: impl AsRef<[u8]>) -> Result<bool, CallError> {
        Ok(integer("persist", self.run(&[b"PERSIST", key.as_ref()]).await?)? == 1)
    }

    /// How long until a key expires; `None` when there is no such key, or it never does.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn ttl(&self, key: impl AsRef<[u8]>) -> Result<Option<Duration>, CallError> {
        let left = integer("pttl", self.run(&[b"PTTL", key.as_ref()]).await?)?;
        Ok(u64::try_from(left).ok().map(Duration::from_millis))
    }

    /// How many keys there are, each partition counted at a moment of its own.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn dbsize(&self) -> Result<u64, CallError> {
        count("dbsize", self.run(&[b"DBSIZE"]).await?)
    }

    async fn over_keys<K: AsRef<[u8]>>(
        &self,
        name: &'static str,
        command: &'static [u8],
        keys: impl IntoIterator<Item = K>,
    ) -> Result<u64, CallError> {
        let keys: Vec<K> = keys.into_iter().collect();
        if keys.is_empty() {
            return Ok(0);
        }
        let args: Vec<&[u8]> = [command].into_iter().chain(keys.iter().map(AsRef::as_ref)).collect();
        count(name, self.run(&args).await?)
    }
}

fn number(value: i64) -> IntegerText {
    IntegerText::new(value)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn value(name: &'static str, reply: Reply) -> Result<Option<Bytes>, CallError> {
    match reply {
        Reply::Bulk(bytes) => Ok(Some(bytes)),
        Reply::Null => Ok(None),
        _ => Err(CallError::Unexpected(name)),
    }
}

fn done(name: &'static str, reply: Reply) -> Result<(), CallError> {
    if let Reply::Simple(_) = reply { Ok(()) } else { Err(CallError::Unexpected(name)) }
}

fn integer(name: &'static str, reply: Reply) -> Result<i64, CallError> {
    if let Reply::Integer(value) = reply { Ok(value) } else { Err(CallError::Unexpected(name)) }
}

fn count(name: &'static str, reply: Reply) -> Result<u64, CallError> {
    u64::try_from(integer(name, reply)?).map_err(|_| CallError::Unexpected(name))
}
