//! Every planted bug is caught under its stored seed, by an invariant that guards what it breaks; and the same
//! seed holds without it.

use predis_chaos::{
    planted::CASES,
    run::{run, run_planted},
};

#[test]
fn stored_seeds_catch_their_bugs() {
    for case in CASES {
        let caught = run_planted(case.scenario(), case.seed, false, case.bug, case.invariants).violation;
        let caught = caught.unwrap_or_else(|| panic!("{:?} was not caught", case.bug));
        assert!(case.invariants.contains(&caught.invariant.as_str()), "{:?}: {caught:?}", case.bug);
        assert_eq!(run(case.scenario(), case.seed, false).violation, None, "{:?}", case.bug);
    }
}
