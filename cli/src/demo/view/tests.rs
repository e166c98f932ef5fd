//! Pictures of made-up scenes: everything is in them, in every size.

use super::*;
use crate::demo::{
    cluster::{NodeLook, NodeState},
    journal::Weight,
};
use ratatui::{Terminal, backend::TestBackend};

fn look() -> Look {
    let node = |number: usize, state| NodeLook {
        name: format!("node-{number}"),
        addr: format!("127.0.0.1:4000{number}"),
        state,
        partitions: 128,
        keys: 12_345,
        used_bytes: 3 << 20,
        limit_bytes: 4 << 20,
    };
    Look {
        nodes: vec![node(1, NodeState::Leads), node(2, NodeState::Serves), node(3, NodeState::Killed)],
        served_by: (0..256).map(|at| (at != 77).then_some(at % 2)).collect(),
        lost: 85,
        disturbed: false,
    }
}

fn moments() -> Vec<Moment> {
    let moment = |number: u64| Moment {
        at_s: number as f64 * 0.5,
        total: Hits {
            requests: 8_000 * number,
            cluster: 4_800 * number,
            shadows: [4_000, 3_200, 5_200].map(|hits| hits * number),
        },
        unserved: 1_234,
        p50_us: 210.0,
        p99_us: 1_900.0,
    };
    (1..=80).map(moment).collect()
}

/// The picture as text.
fn picture(width: u16, height: u16, moments: &[Moment]) -> String {
    let journal = Journal::begin();
    journal.echo(false);
    journal.note(Weight::Bad, "node-3 is killed, with 85 partitions and 4321 keys");
    let look = look();
    let scene = Scene {
        policy: PolicyKind::S3fifo,
        now_s: 40.0,
        seconds: 75.0,
        has_days: true,
        moments,
        look: &look,
        journal: &journal,
        begins_at: Duration::ZERO,
        killed_at_s: Some(37.5),
        recovered_s: None,
    };
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, &scene)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn everything_is_in_the_picture_of_a_small_and_a_large_terminal() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let picture = picture(width, height, &moments());
        for part in [
            "predis demo",
            "40 of 75 s",
            "day 2, 01:00",
            "slots are without a node",
            "cluster s3fifo",
            "0.600",
            "s3fifo alone",
            "0.650",
            "lru alone",
            "0.500",
            "fifo alone",
            "0.400",
            "16,000 ops/s",
            "p50 210 us, p99 1.9 ms",
            "1,234 unserved",
            "node-1",
            "serves, leads",
            "12,345",
            "3.0 of 4.0 MiB",
            "killed",
            "256 partitions",
            "1 unserved",
            "121212",
            "85 partitions and 4321 keys",
            "q quits",
        ] {
            assert!(picture.contains(part), "{part:?} is missing at {width} x {height}:\n{picture}");
        }
    }
}

#[test]
fn no_size_and_no_beginning_breaks_it() {
    for (width, height) in
        [(1, 1), (20, 5), (69, 30), (70, 20), (71, 21), (80, 20), (131, 20), (132, 20), (500, 20), (80, 200)]
    {
        for moments in [Vec::new(), moments()] {
            let picture = picture(width, height, &moments);
            let fits = width >= SMALLEST.0 && height >= SMALLEST.1;
            assert_eq!(picture.contains("partitions"), fits, "{width} x {height}:\n{picture}");
        }
    }
}
