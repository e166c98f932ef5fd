//! `placement`: how even placements are and how much a join or a leave moves, from 3 to 100 nodes.
//!
//! ```text
//! cargo run --release -p predis-benches --bin placement [-- --json]
//! ```
//! Nodes join one at a time from the first on, so what is measured is a placement with a history. Prints;
//! decides nothing and fails never.

use predis_router::{Balance, Moves, PlacementNode, place};
use predis_types::NodeId;

const NODES: [u64; 5] = [3, 5, 10, 50, 100];
const PARTITIONS: [usize; 2] = [256, 4096];
const COPIES: u8 = 2;
const ZONES: u64 = 3;

/// One line of the table.
struct Line {
    partitions: usize,
    nodes: u64,
    balance: Balance,
    join: Change,
    leave: Change,
}

/// One join or leave: what moved, the least that could have, and what zones it left violated.
struct Change {
    moves: Moves,
    least_seats: usize,
    least_primaries: usize,
    zone_violations: usize,
    max_over_mean: f64,
}

impl Change {
    fn seats_ratio(&self) -> f64 {
        self.moves.seats as f64 / self.least_seats.max(1) as f64
    }

    fn primaries_ratio(&self) -> f64 {
        self.moves.primaries as f64 / self.least_primaries.max(1) as f64
    }
}

fn node(number: u64) -> PlacementNode {
    PlacementNode {
        id: NodeId(number),
        weight: 100,
        zone: format!("zone-{}", number % ZONES),
        region: String::new(),
        eligible: true,
    }
}

/// The placement of `nodes` nodes that joined one after the other.
fn grown(nodes: u64, partitions: usize) -> (Vec<PlacementNode>, Vec<Vec<NodeId>>) {
    let mut members = Vec::new();
    let mut seats = vec![Vec::new(); partitions];
    for number in 1..=nodes {
        members.push(node(number));
        seats = place(&members, COPIES, &seats);
    }
    (members, seats)
}

fn change(after: &[PlacementNode], old: &[Vec<NodeId>], least: (usize, usize)) -> Change {
    let new = place(after, COPIES, old);
    let balance = Balance::of(after, COPIES, &new);
    Change {
        moves: Moves::between(old, &new),
        least_seats: least.0,
        least_primaries: least.1,
        zone_violations: balance.zone_violations,
        max_over_mean: balance.primaries_max_over_mean,
    }
}

fn measure(nodes: u64, partitions: usize) -> Line {
    let (mut members, seats) = grown(nodes, partitions);
    let balance = Balance::of(&members, COPIES, &seats);

    // The newcomer must get its share, and whoever leaves must be replaced wherever it was.
    members.push(node(nodes + 1));
    let total = nodes as usize + 1;
    let join = change(&members, &seats, (partitions * usize::from(COPIES) / total, partitions / total));

    members.pop();
    let leaver = NodeId(nodes / 2 + 1);
    members[nodes as usize / 2].eligible = false;
    let held = seats.iter().filter(|held| held.contains(&leaver)).count();
    let led = seats.iter().filter(|held| held.first() == Some(&leaver)).count();
    Line { partitions, nodes, balance, join, leave: change(&members, &seats, (held, led)) }
}

fn print_table(lines: &[Line]) {
    println!("copies {COPIES}, zones {ZONES}, equal weights; moves are given as moved/least = ratio");
    println!(
        "{:>10} {:>5} {:>9} {:>9} {:>22} {:>22} {:>22} {:>22} {:>10}",
        "partitions",
        "nodes",
        "primaries",
        "seats",
        "join: seats",
        "join: primaries",
        "leave: seats",
        "leave: primaries",
        "zones lost"
    );
    for line in lines {
        let ratio = |moved: usize, least: usize, ratio: f64| format!("{moved}/{least} = {ratio:.3}");
        let seats = |c: &Change| ratio(c.moves.seats, c.least_seats, c.seats_ratio());
        let primaries = |c: &Change| ratio(c.moves.primaries, c.least_primaries, c.primaries_ratio());
        println!(
            "{:>10} {:>5} {:>9.3} {:>9.3} {:>22} {:>22} {:>22} {:>22} {:>10}",
            line.partitions,
            line.nodes,
            line.balance.primaries_max_over_mean,
            line.balance.seats_max_over_mean,
            seats(&line.join),
            primaries(&line.join),
            seats(&line.leave),
            primaries(&line.leave),
            line.balance.zone_violations + line.join.zone_violations + line.leave.zone_violations,
        );
    }
}

fn print_json(lines: &[Line]) {
    let change = |c: &Change| {
        format!(
            "{{\"seats_moved\":{},\"seats_least\":{},\"seats_ratio\":{:.4},\"primaries_moved\":{},\
             \"primaries_least\":{},\"primaries_ratio\":{:.4},\"max_over_mean\":{:.4},\"zone_violations\":{}}}",
            c.moves.seats,
            c.least_seats,
            c.seats_ratio(),
            c.moves.primaries,
            c.least_primaries,
            c.primaries_ratio(),
            c.max_over_mean,
            c.zone_violations
        )
    };
    let line = |line: &Line| {
        format!(
            "{{\"partitions\":{},\"nodes\":{},\"primaries_max_over_mean\":{:.4},\"seats_max_over_mean\":{:.4},\
             \"zone_violations\":{},\"join\":{},\"leave\":{}}}",
            line.partitions,
            line.nodes,
            line.balance.primaries_max_over_mean,
            line.balance.seats_max_over_mean,
            line.balance.zone_violations,
            change(&line.join),
            change(&line.leave)
        )
    };
    let lines: Vec<String> = lines.iter().map(line).collect();
    println!("{{\"copies\":{COPIES},\"zones\":{ZONES},\"results\":[{}]}}", lines.join(","));
}

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--json"] => true,
        _ => {
            eprintln!("usage: placement [--json]");
            return std::process::ExitCode::from(2);
        }
    };
    let cells = PARTITIONS.iter().flat_map(|&partitions| NODES.map(|nodes| (nodes, partitions)));
    let lines: Vec<Line> = cells.map(|(nodes, partitions)| measure(nodes, partitions)).collect();
    if json {
        print_json(&lines)
    } else {
        print_table(&lines)
    }
    std::process::ExitCode::SUCCESS
}
