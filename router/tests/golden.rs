//! Scripted histories of small clusters and the placements they lead to, one file each in `tests/golden`.
//!
//! ```text
//! partitions 8                        how many; once, first
//! copies 2
//! join 1 zone=a region=x weight=50    everything after the id may be left out
//! drain 1 | leave 1 | weigh 1 200
//! place                               what follows, indented, is the expected outcome
//! ```
//! With `UPDATE_GOLDEN=1` the expected outcomes are written anew instead of compared. The files pin the ring's
//! hash and every tie-break: two versions of the code that disagree here would move data for nothing.

#![allow(clippy::unwrap_used, reason = "a script that cannot be read fails the test")]

use predis_router::{Balance, Moves, PlacementNode, place};
use predis_types::NodeId;
use std::fmt::Write;

#[derive(Default)]
struct Script {
    nodes: Vec<PlacementNode>,
    copies: u8,
    seats: Vec<Vec<NodeId>>,
}

impl Script {
    fn node(&mut self, id: &str) -> &mut PlacementNode {
        let id = NodeId(id.parse().unwrap());
        self.nodes.iter_mut().find(|node| node.id == id).expect("the script names a member")
    }

    /// Carries one line out; what it shows, if anything.
    fn run(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["partitions", count] => self.seats = vec![Vec::new(); count.parse().unwrap()],
            ["copies", copies] => self.copies = copies.parse().unwrap(),
            ["join", id, ref rest @ ..] => self.join(id, rest),
            ["drain", id] => self.node(id).eligible = false,
            ["leave", id] => self.nodes.retain(|node| node.id.to_string() != id),
            ["weigh", id, weight] => self.node(id).weight = weight.parse().unwrap(),
            ["place"] => return self.place(),
            _ => panic!("what is {line:?}?"),
        }
        String::new()
    }

    fn join(&mut self, id: &str, rest: &[&str]) {
        let mut node = PlacementNode {
            id: NodeId(id.parse().unwrap()),
            weight: 100,
            zone: String::new(),
            region: String::new(),
            eligible: true,
        };
        for option in rest {
            match option.split_once('=').expect("name=value") {
                ("zone", zone) => node.zone = zone.into(),
                ("region", region) => node.region = region.into(),
                ("weight", weight) => node.weight = weight.parse().unwrap(),
                _ => panic!("what is {option:?}?"),
            }
        }
        self.nodes.push(node);
    }

    fn place(&mut self) -> String {
        let after = place(&self.nodes, self.copies, &self.seats);
        let moves = Moves::between(&self.seats, &after);
        let balance = Balance::of(&self.nodes, self.copies, &after);
        self.seats = after;
        let mut shown = String::new();
        for (partition, held) in self.seats.iter().enumerate() {
            let ids: Vec<String> = held.iter().map(NodeId::to_string).collect();
            writeln!(shown, "    {partition}: {}", ids.join(" ")).unwrap();
        }
        writeln!(shown, "    moved: {} seats, {} primaries", moves.seats, moves.primaries).unwrap();
        let Balance { zone_violations, region_violations, seat_violations, .. } = balance;
        writeln!(
            shown,
            "    wrong: {seat_violations} seats, {zone_violations} zones, {region_violations} regions"
        )
        .unwrap();
        shown
    }
}

fn outcome_of(text: &str) -> String {
    let mut script = Script::default();
    let mut outcome = String::new();
    for line in text.lines().filter(|line| !line.starts_with("    ")) {
        writeln!(outcome, "{line}").unwrap();
        if !line.is_empty() && !line.starts_with('#') {
            outcome.push_str(&script.run(line));
        }
    }
    outcome
}

#[test]
fn placements_are_as_recorded() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 4, "golden files are missing");
    for file in files {
        let recorded = std::fs::read_to_string(&file).unwrap();
        let outcome = outcome_of(&recorded);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&file, outcome).unwrap();
        } else {
            assert_eq!(outcome, recorded, "{}", file.display());
        }
    }
}
