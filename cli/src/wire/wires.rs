//! Connections to the nodes of a cluster, made when they are first needed. Does not know slots.

use super::{Dialer, Wire, WireError};
use std::collections::BTreeMap;

/// At most one connection a node.
#[derive(Default)]
pub(crate) struct Wires {
    dialer: Dialer,
    open: BTreeMap<String, Wire>,
}

impl Wires {
    /// The connection to a node, made if there is none.
    pub(crate) async fn to(&mut self, addr: &str) -> Result<&mut Wire, WireError> {
        if !self.open.contains_key(addr) {
            let wire = self.dialer.connect(addr).await?;
            self.open.insert(addr.to_owned(), wire);
        }
        Ok(self.open.get_mut(addr).expect("it is there or was just put there"))
    }

    /// Closes the connection to a node, of which it is not known any more what it will answer next.
    pub(crate) fn close(&mut self, addr: &str) {
        self.open.remove(addr);
    }
}
