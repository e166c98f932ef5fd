//! Which version of the protocol a connection speaks. Knows nothing of how it is negotiated.

/// A version of RESP. Connections begin with RESP2 and may ask for RESP3 with HELLO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// RESP2, which every client speaks.
    #[default]
    Resp2,
    /// RESP3, which adds maps, sets, doubles, booleans, pushes and more.
    Resp3,
}

impl Protocol {
    /// The number HELLO takes and tells: 2 or 3.
    pub const fn version(self) -> u8 {
        match self {
            Protocol::Resp2 => 2,
            Protocol::Resp3 => 3,
        }
    }

    /// The protocol with this number, if there is one.
    pub const fn from_version(version: i64) -> Option<Protocol> {
        match version {
            2 => Some(Protocol::Resp2),
            3 => Some(Protocol::Resp3),
            _ => None,
        }
    }
}
