//! Faults as a broken cluster would show them: each is caught by itself, and in the midst of a long good history.

use super::{
    generate::{Shape, history},
    *,
};
use predis_types::SplitMix64;

/// A fault's name and history, and the operation that gives it away.
type Fault = (&'static str, Vec<Operation>, &'static str);

fn faults() -> Vec<Fault> {
    let a = || op(0, 10, set("a"), Output::Done);
    vec![
        (
            "a stale read",
            vec![a(), op(20, 30, set("b"), Output::Done), op(40, 50, Input::Get, value("a"))],
            "[40..50] GET: \"a\"",
        ),
        (
            "a lost update: two added one to the same value",
            vec![
                op(0, 10, set("5"), Output::Done),
                op(20, 40, Input::Incr, Output::Number(6)),
                op(25, 45, Input::Incr, Output::Number(6)),
            ],
            "[25..45] INCR: 6",
        ),
        (
            "a write that comes back",
            vec![
                a(),
                op(20, 30, set("b"), Output::Done),
                op(40, 50, Input::Get, value("b")),
                op(60, 70, Input::Get, value("a")),
            ],
            "[60..70] GET: \"a\"",
        ),
        (
            "a write of unknown outcome that takes effect twice",
            vec![
                a(),
                Operation::open(20, append("x")),
                op(30, 40, Input::Get, value("ax")),
                op(50, 60, Input::Get, value("axx")),
            ],
            "[50..60] GET: \"axx\"",
        ),
        (
            "a value that was never written",
            vec![a(), op(20, 30, Input::Get, value("c"))],
            "[20..30] GET: \"c\"",
        ),
        ("an acknowledged write that is lost", vec![a(), op(20, 30, Input::Get, NIL)], "[20..30] GET: nil"),
        (
            "a removal that does not last",
            vec![a(), op(20, 30, Input::Del, Output::Number(1)), op(40, 50, Input::Get, value("a"))],
            "[40..50] GET: \"a\"",
        ),
    ]
}

#[test]
fn each_fault_is_caught_where_it_shows() {
    for (name, history, shown_by) in faults() {
        assert_eq!(stuck(&history), shown_by, "{name}");
    }
}

#[test]
fn each_fault_is_caught_within_a_long_history() {
    let shape = Shape { operations: 400, concurrency: 3, open_one_in: u64::MAX };
    let mut rng = SplitMix64::new(9);
    for (name, fault, _) in faults() {
        // Unknown outcomes besides, of a kind that explains none of the faults.
        let open =
            (0..8).map(|n| Operation::open(n * 1_500, if n % 2 == 0 { append("+") } else { Input::Incr }));
        let before: Vec<Operation> = history(&mut rng, shape).into_iter().chain(open).collect();
        let later = 1 + before.iter().filter_map(|operation| operation.ret).max().unwrap_or_default();
        let fault = fault.into_iter().map(|operation| shifted(operation, later));
        let mut history: Vec<Operation> = before.into_iter().chain(fault).collect();
        let expected = history.len() - 1;
        // What comes after begins with a write, so it fits to anything.
        history.push(op(later + 100, later + 101, set("later"), Output::Done));
        history.push(op(later + 102, later + 103, Input::Get, value("later")));
        let Verdict::Violation(explanation) = check(&history) else { panic!("{name} was not caught") };
        assert_eq!(explanation.stuck, expected, "{name}: {}", explanation.describe(&history));
    }
}

fn shifted(operation: Operation, by: Time) -> Operation {
    Operation { call: operation.call + by, ret: operation.ret.map(|ret| ret + by), ..operation }
}
