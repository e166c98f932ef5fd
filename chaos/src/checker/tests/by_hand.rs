//! Small histories, each of which shows one rule.

use super::*;

fn holds(history: &[Operation]) {
    assert_eq!(check(history), Verdict::Linearizable, "{history:#?}");
}

#[test]
fn an_empty_history_and_an_untouched_key_hold() {
    holds(&[]);
    holds(&[op(1, 2, Input::Get, NIL), op(3, 4, Input::Del, Output::Number(0))]);
}

#[test]
fn what_overlaps_may_take_effect_in_either_order() {
    let writes = [op(0, 10, set("a"), Output::Done), op(0, 10, set("b"), Output::Done)];
    for last in ["a", "b"] {
        let other = if last == "a" { "b" } else { "a" };
        let mut history = writes.to_vec();
        history.extend([op(4, 6, Input::Get, value(other)), op(20, 21, Input::Get, value(last))]);
        holds(&history);
        history.push(op(22, 23, Input::Get, value(other)));
        assert_eq!(stuck(&history), format!("[22..23] GET: \"{other}\""));
    }
}

#[test]
fn an_end_and_a_beginning_in_the_same_microsecond_overlap() {
    holds(&[op(0, 5, set("a"), Output::Done), op(5, 6, Input::Get, NIL)]);
    assert_eq!(stuck(&[op(0, 5, set("a"), Output::Done), op(6, 7, Input::Get, NIL)]), "[6..7] GET: nil");
}

#[test]
fn every_operation_has_its_place_in_the_order() {
    holds(&[
        op(0, 1, Input::Incr, Output::Number(1)),
        op(2, 9, Input::Incr, Output::Number(3)),
        op(2, 9, Input::Incr, Output::Number(2)),
        op(2, 9, Input::GetSet(bytes("x")), value("3")),
        op(10, 11, append("y"), Output::Number(2)),
        op(12, 13, Input::Incr, Output::NotAnInteger),
        op(14, 19, Input::SetNx(bytes("z")), Output::Number(1)),
        op(14, 19, Input::Del, Output::Number(1)),
        op(20, 21, Input::Get, value("z")),
    ]);
}

#[test]
fn an_unknown_outcome_may_take_effect_late_or_never() {
    let open = Operation::open(0, set("a"));
    holds(std::slice::from_ref(&open));
    holds(&[open.clone(), op(1, 2, Input::Get, NIL), op(100, 101, Input::Get, value("a"))]);
    holds(&[open.clone(), op(1, 2, Input::Get, NIL), op(100, 101, Input::Get, NIL)]);
    // Not before its call.
    let late = Operation::open(50, set("a"));
    assert_eq!(stuck(&[late, op(1, 2, Input::Get, value("a"))]), "[1..2] GET: \"a\"");
    // And only once.
    let again = [
        open,
        op(1, 2, Input::Get, value("a")),
        op(3, 4, set("b"), Output::Done),
        op(5, 6, Input::Get, value("a")),
    ];
    assert_eq!(stuck(&again), "[5..6] GET: \"a\"");
}

#[test]
fn an_answer_that_nobody_kept_counts_as_any() {
    let unknown = |call, ret, input| Operation { call, ret: Some(ret), input, output: None };
    holds(&[unknown(0, 1, Input::Incr), op(2, 3, Input::Get, value("1"))]);
    // But it has ended.
    assert_eq!(stuck(&[unknown(0, 1, Input::Incr), op(2, 3, Input::Get, NIL)]), "[2..3] GET: nil");
}

#[test]
fn a_declared_loss_explains_an_absent_key_and_nothing_else() {
    let written = op(0, 1, set("a"), Output::Done);
    let lost = Operation::vanished(10, 20);
    holds(&[written.clone(), lost.clone(), op(12, 13, Input::Get, NIL)]);
    holds(&[written.clone(), lost.clone(), op(12, 13, Input::Get, value("a")), op(21, 22, Input::Get, NIL)]);
    assert_eq!(stuck(&[written.clone(), lost.clone(), op(5, 6, Input::Get, NIL)]), "[5..6] GET: nil");
    assert_eq!(
        stuck(&[written.clone(), lost.clone(), op(21, 22, Input::Get, value("a"))]),
        "[21..22] GET: \"a\"",
        "what is lost is lost"
    );
    let back = [written, lost, op(12, 13, Input::Get, NIL), op(14, 15, Input::Get, value("a"))];
    assert_eq!(stuck(&back), "[14..15] GET: \"a\"");
}

#[test]
fn many_unknown_outcomes_are_decided() {
    // Two hundred writes that may come at any time, of which a few do.
    let mut history: Vec<Operation> =
        (0..200).map(|n| Operation::open(n, set(&format!("open-{n}")))).collect();
    for n in 0..1_000 {
        let time = 1_000 + n * 10;
        let text = if n % 50 == 7 { format!("open-{}", n / 50) } else { format!("known-{n}") };
        if n % 50 != 7 {
            history.push(op(time, time + 4, set(&text), Output::Done));
        }
        history.push(op(time + 5, time + 8, Input::Get, value(&text)));
    }
    holds(&history);
    history.push(op(100_000, 100_001, Input::Get, value("open-0")));
    assert_eq!(stuck(&history), "[100000..100001] GET: \"open-0\"", "that one was noticed before");
}

#[test]
fn an_exhausted_budget_is_no_success() {
    let history = [op(0, 1, set("a"), Output::Done), op(2, 3, set("b"), Output::Done)];
    assert_eq!(check_within(&history, 1), Verdict::Undecided);
    assert_eq!(check_within(&history, 2), Verdict::Linearizable);
}

#[test]
fn an_explanation_tells_the_prefix_the_state_and_what_cannot_follow() {
    let history = [
        op(0, 1, set("a"), Output::Done),
        op(2, 3, Input::Incr, Output::NotAnInteger),
        op(4, 5, Input::Get, NIL),
        Operation::open(2, Input::Del),
        op(6, 7, Input::Get, value("c")),
    ];
    let Verdict::Violation(explanation) = check(&history) else { panic!("nothing wrote c") };
    assert_eq!((explanation.prefix.as_slice(), explanation.stuck), ([0, 1, 3, 2].as_slice(), 4));
    assert_eq!(
        explanation.describe(&history),
        "4 of 5 operations follow each other, the last: [0..1] SET \"a\": done, [2..3] INCR: not an integer, \
         [2..] DEL: outcome unknown, [4..5] GET: nil; the key is absent; then nothing explains [6..7] GET: \"c\""
    );
}
