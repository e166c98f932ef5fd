//! A tenant at this node's door: where its keys live, how many commands and connections it may have.
//!
//! Counts are this node's own. Memory is not bounded here but where the keys are.

use predis_meta::{Tenant, TenantPlacement, TenantSettings};
use predis_router::colocated_partition;
use predis_types::{PartitionCount, PartitionId, TenantId};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// No limit, as it is kept.
const UNLIMITED: u64 = u64::MAX;

/// One tenant's door.
pub struct Gate {
    /// Which tenant.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// The partition of all its keys, when they are kept together.
    pub colocated: Option<PartitionId>,
    max_connections: AtomicU64,
    connections: AtomicU64,
    max_ops_per_second: AtomicU64,
    allowance: Mutex<Allowance>,
}

/// A token bucket: it fills at the rate of the quota and holds a second's worth.
struct Allowance {
    /// In millionths of a command, so that nothing is lost to rounding.
    micro_ops: u64,
    as_of_us: u64,
}

/// A tenant has used up a quota.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverQuota {
    /// Of connections.
    #[error("ERR max number of clients of tenant '{0}' reached")]
    Connections(String),
    /// Of commands.
    #[error("BUSY tenant '{0}' is over its limit of {1} operations per second")]
    Operations(String, u64),
}

impl Gate {
    pub(super) fn new(tenant: &Tenant, partitions: Option<PartitionCount>) -> Gate {
        let together = tenant.placement == TenantPlacement::Colocated;
        Gate {
            id: tenant.id,
            name: tenant.name.clone(),
            colocated: partitions.filter(|_| together).map(|count| colocated_partition(tenant.id, count)),
            max_connections: AtomicU64::new(UNLIMITED),
            connections: AtomicU64::new(0),
            max_ops_per_second: AtomicU64::new(UNLIMITED),
            // As full as it can be.
            allowance: Mutex::new(Allowance { micro_ops: u64::MAX, as_of_us: 0 }),
        }
    }

    pub(super) fn set_limits(&self, settings: &TenantSettings) {
        self.max_connections.store(settings.max_connections.unwrap_or(UNLIMITED), Relaxed);
        self.max_ops_per_second.store(settings.max_ops_per_second.unwrap_or(UNLIMITED), Relaxed);
    }

    /// How many connections its users have here.
    pub fn connections(&self) -> u64 {
        self.connections.load(Relaxed)
    }

    /// One connection more, for as long as the seat is kept.
    ///
    /// # Errors
    /// When it has all that it may.
    pub fn enter(self: &Arc<Self>) -> Result<Seat, OverQuota> {
        let limit = self.max_connections.load(Relaxed);
        let entered =
            self.connections.fetch_update(Relaxed, Relaxed, |count| (count < limit).then_some(count + 1));
        match entered {
            Ok(_) => Ok(Seat(self.clone())),
            Err(_) => Err(OverQuota::Connections(self.name.clone())),
        }
    }

    /// What is said when there were too many commands.
    pub fn over(&self) -> OverQuota {
        OverQuota::Operations(self.name.clone(), self.max_ops_per_second.load(Relaxed))
    }

    /// One command more, at a moment of the node's monotonic clock.
    ///
    /// # Errors
    /// When the tenant has had all that it may have by then.
    pub fn admit(&self, now_us: u64) -> Result<(), OverQuota> {
        const OP: u64 = 1_000_000;
        let limit = self.max_ops_per_second.load(Relaxed);
        if limit == UNLIMITED {
            return Ok(());
        }
        let mut allowance = self.allowance.lock().unwrap_or_else(PoisonError::into_inner);
        let full = limit.saturating_mul(OP);
        let passed_us = now_us.saturating_sub(allowance.as_of_us);
        allowance.micro_ops = allowance.micro_ops.saturating_add(passed_us.saturating_mul(limit)).min(full);
        allowance.as_of_us = allowance.as_of_us.max(now_us);
        match allowance.micro_ops.checked_sub(OP) {
            Some(left) => {
                allowance.micro_ops = left;
                Ok(())
            }
            None => Err(self.over()),
        }
    }
}

/// A connection's place among its tenant's, given up when dropped.
pub struct Seat(Arc<Gate>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use predis_meta::{Ack, NewTenant};

    fn gate(max_ops_per_second: Option<u64>, max_connections: Option<u64>) -> Arc<Gate> {
        let settings = TenantSettings {
            max_ops_per_second,
            max_connections,
            ..TenantSettings::unlimited(Ack::Async, "lru")
        };
        let tenant = NewTenant {
            id: TenantId(3),
            name: "acme".into(),
            placement: TenantPlacement::Spread,
            settings: settings.clone(),
        };
        let NewTenant { id, name, placement, settings } = tenant;
        let tenant = Tenant { id, name, placement, settings, created_at_ms: 1 };
        let gate = Gate::new(&tenant, None);
        gate.set_limits(&tenant.settings);
        Arc::new(gate)
    }

    #[test]
    fn commands_are_admitted_at_the_rate_of_the_quota() {
        let gate = gate(Some(100), None);
        let start_us = 5_000_000;
        let admitted = |from_us: u64, to_us: u64| {
            (from_us..to_us).step_by(100).filter(|now_us| gate.admit(*now_us).is_ok()).count()
        };
        // A second's worth at once, then the rate.
        assert_eq!(admitted(start_us, start_us + 1_000_000), 199);
        assert_eq!(admitted(start_us + 1_000_000, start_us + 2_000_000), 100);
        let refused = gate.admit(start_us + 2_000_000 - 1).unwrap_err().to_string();
        assert_eq!(refused, "BUSY tenant 'acme' is over its limit of 100 operations per second");
        let free = self::gate(None, None);
        assert!((0..1000).all(|_| free.admit(1).is_ok()));
    }

    #[test]
    fn seats_are_limited_and_given_back() {
        let gate = gate(None, Some(2));
        let first = gate.enter().unwrap();
        let _second = gate.enter().unwrap();
        let refused = gate.enter().err().unwrap().to_string();
        assert_eq!(refused, "ERR max number of clients of tenant 'acme' reached");
        drop(first);
        assert!(gate.enter().is_ok());
        assert_eq!(gate.connections(), 1);
    }
}
