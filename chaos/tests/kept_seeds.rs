//! Seeds that once showed a bug of the product: they hold now.

use predis_chaos::{run::run, scenario};

/// Scenario, seed, and what was wrong under it.
const KEPT: [(&str, u64, &str); 3] = [
    (
        "disk-faults",
        9695,
        "a leader that lost its power led on in its term, without entries of it that were committed",
    ),
    ("partition-and-heal", 3111, "a change of an in-sync set was waited for from a leader that was cut off"),
    ("partition-and-heal", 4077, "the same"),
];

#[test]
fn what_was_wrong_once_is_right() {
    for (name, seed, was) in KEPT {
        let scenario = scenario::named(name).expect("a scenario of this name");
        assert_eq!(run(scenario, seed, false).violation, None, "{name} {seed}: {was}");
    }
}
