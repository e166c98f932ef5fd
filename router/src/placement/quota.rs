//! How many seats and primaries each node may have: its weighted share, rounded down or up.
//!
//! A share of seats is a water level: every node gets its weight times the level, but no node more than one
//! seat a partition, and every zone between what the distinct-zones rule forces on it and what it permits.
//! Such shares, rounded, can always be dealt out: they are a fractional flow partition -> zone -> node with
//! integral capacities. Knows no partition's seats.

/// The least and the most that a node may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) least: usize,
    pub(super) most: usize,
}

impl Bounds {
    /// A share rounded down and up; one that is whole but for rounding errors is itself.
    pub(super) fn around(share: f64) -> Bounds {
        let whole = share.round();
        if (share - whole).abs() < 1e-6 {
            return Bounds { least: whole as usize, most: whole as usize };
        }
        Bounds { least: share.floor() as usize, most: share.ceil() as usize }
    }
}

/// Each node's share of the primaries, `partitions` x weight / all weights, rounded.
pub(super) fn primary_bounds(weights: &[u32], partitions: usize) -> Vec<Bounds> {
    let all: u64 = weights.iter().map(|&w| u64::from(w)).sum();
    let bounds = |&weight: &u32| {
        let scaled = u128::from(weight) * partitions as u128;
        let all = u128::from(all.max(1));
        Bounds { least: (scaled / all) as usize, most: scaled.div_ceil(all) as usize }
    };
    weights.iter().map(bounds).collect()
}

/// Each node's share of the `copies` x `partitions` seats.
pub(super) fn seat_shares(
    weights: &[u32],
    zone_of: &[usize],
    zones: usize,
    copies: usize,
    partitions: usize,
) -> Vec<f64> {
    let partitions = partitions as f64;
    let mut members: Vec<Vec<f64>> = vec![Vec::new(); zones];
    for (&weight, &zone) in weights.iter().zip(zone_of) {
        members[zone].push(f64::from(weight));
    }
    // With a zone for every copy, a zone holds each partition at most once; with fewer, at least once, and the
    // copies left over may share a zone.
    let most_a_partition = (copies + 1).saturating_sub(zones).max(1);
    let least = if copies >= zones { partitions } else { 0.0 };
    let filled = |zone: &Vec<f64>, level: f64| zone.iter().map(|w| (w * level).min(partitions)).sum::<f64>();
    let zone_share = |zone: &Vec<f64>, level: f64| {
        let most = zone.len().min(most_a_partition) as f64 * partitions;
        filled(zone, level).clamp(least, most)
    };

    let lightest = weights.iter().min().copied().unwrap_or(1);
    let full = partitions / f64::from(lightest.max(1));
    let total = copies as f64 * partitions;
    let level = find_level(full, total, |level| members.iter().map(|zone| zone_share(zone, level)).sum());
    let levels: Vec<f64> = members
        .iter()
        .map(|zone| find_level(full, zone_share(zone, level), |level| filled(zone, level)))
        .collect();
    let share = |(&weight, &zone): (&u32, &usize)| (f64::from(weight) * levels[zone]).min(partitions);
    weights.iter().zip(zone_of).map(share).collect()
}

/// Whether groups with these shares can hold every partition in as many distinct groups as possible.
pub(super) fn spread_fits(shares: &[f64], copies: usize, partitions: usize) -> bool {
    let partitions = partitions as f64;
    let slack = 1e-6;
    shares.iter().all(|&share| {
        let not_too_many = copies > shares.len() || share <= partitions + slack;
        let not_too_few = copies < shares.len() || share >= partitions - slack;
        not_too_many && not_too_few
    })
}

/// The level from 0 to `full` at which a growing function reaches `total`, by halving until the two ends meet.
fn find_level(full: f64, total: f64, reached: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, full);
    for _ in 0..128 {
        let middle = (low + high) / 2.0;
        if reached(middle) < total { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(weights: &[u32], zone_of: &[usize], zones: usize, copies: usize) -> Vec<f64> {
        let shares = seat_shares(weights, zone_of, zones, copies, 1000);
        shares.iter().map(|s| (s * 1000.0).round() / 1000.0).collect()
    }

    #[test]
    fn shares_follow_weights() {
        assert_eq!(rounded(&[100, 100, 200], &[0; 3], 1, 1), [250.0, 250.0, 500.0]);
        assert_eq!(rounded(&[100, 100, 200], &[0; 3], 1, 2), [500.0, 500.0, 1000.0]);
    }

    #[test]
    fn no_node_gets_more_than_one_seat_a_partition() {
        assert_eq!(rounded(&[100, 100, 900], &[0; 3], 1, 2), [500.0, 500.0, 1000.0]);
        assert_eq!(rounded(&[7, 5], &[0, 0], 1, 2), [1000.0, 1000.0]);
    }

    #[test]
    fn zones_force_shares() {
        // Two copies, two zones: each zone holds every partition once, however many nodes it has.
        assert_eq!(rounded(&[100; 3], &[0, 1, 1], 2, 2), [1000.0, 500.0, 500.0]);
        // Three copies, two zones: each zone at least once, the third copy where there is room.
        assert_eq!(rounded(&[100; 4], &[0, 1, 1, 1], 2, 3), [1000.0, 666.667, 666.667, 666.667]);
        // One zone much heavier than its one seat a partition.
        assert_eq!(rounded(&[100; 6], &[0, 0, 0, 0, 1, 2], 3, 2), [250.0, 250.0, 250.0, 250.0, 500.0, 500.0]);
    }

    #[test]
    fn bounds_are_floor_and_ceil_and_whole_shares_are_exact() {
        let b = |least, most| Bounds { least, most };
        assert_eq!(Bounds::around(85.3), b(85, 86));
        assert_eq!(Bounds::around(128.000_000_01), b(128, 128));
        assert_eq!(primary_bounds(&[100, 200, 100], 256), [b(64, 64), b(128, 128), b(64, 64)]);
        assert_eq!(primary_bounds(&[1, 1, 1], 256), [b(85, 86); 3]);
    }

    #[test]
    fn regions_are_required_only_where_they_cost_no_balance() {
        assert!(spread_fits(&[1000.0, 1000.0], 2, 1000));
        assert!(!spread_fits(&[1200.0, 800.0], 2, 1000));
        assert!(spread_fits(&[900.0, 700.0, 400.0], 2, 1000));
        assert!(spread_fits(&[2000.0], 2, 1000));
    }
}
