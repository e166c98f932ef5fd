//! Who votes follows who is there: one member votes alone, three vote of four, and a voter that stays away is
//! replaced by one that is there.

use predis_chaos::{
    scenario,
    world::{HostSpec, World},
};
use predis_meta::{Action, Mode};
use predis_types::NodeId;
use std::{collections::BTreeSet, time::Duration};

const NODES: [u64; 3] = [1, 2, 3];

fn run_until(world: &mut World, limit: Duration, what: &str, mut done: impl FnMut(&World) -> bool) {
    let limit = world.elapsed() + limit;
    while !done(world) {
        assert!(world.elapsed() < limit, "not within the limit: {what}");
        world.step().expect("nodes go on");
    }
}

/// Who votes, as the leader knows it.
fn voters(world: &World) -> BTreeSet<NodeId> {
    let leader = world.leader().and_then(|leader| world.hosts().get(&leader));
    leader.and_then(|host| host.with(|node| node.meta().members().0)).unwrap_or_default()
}

/// The id that the node on a host was given: they join in no particular order.
fn id(world: &World, host: u64) -> NodeId {
    world.hosts()[&host].with(|node| node.status().node()).expect("it runs")
}

fn nodes(ids: &[u64]) -> BTreeSet<NodeId> {
    ids.iter().copied().map(NodeId).collect()
}

#[test]
fn voters_grow_with_the_cluster_and_the_dead_are_replaced() {
    let mut world = World::new(1);
    scenario::begin(&mut world, 3);
    run_until(&mut world, Duration::from_secs(5), "three voters", |world| voters(world) == nodes(&[1, 2, 3]));
    world.add_node(HostSpec { node: 4, join: vec![1], partitions: 16 });
    let second = Duration::from_secs(1);
    let later = world.elapsed() + second;
    run_until(&mut world, 2 * second, "a second", |world| world.elapsed() >= later);
    assert_eq!(voters(&world), nodes(&[1, 2, 3]), "four members need no fourth voter");

    // A voter that is away for a moment keeps its vote.
    let leader = world.leader().expect("somebody leads");
    let away = NODES.into_iter().find(|host| *host != leader).expect("there are three");
    let away_id = id(&world, away);
    world.crash(away);
    let later = world.elapsed() + 5 * second;
    run_until(&mut world, 6 * second, "five seconds", |world| world.elapsed() >= later);
    assert_eq!(voters(&world), nodes(&[1, 2, 3]));
    // One that stays away loses it.
    run_until(&mut world, 15 * second, "a replacement", |world| {
        let voters = voters(world);
        voters.len() == 3 && !voters.contains(&away_id)
    });
    let replaced = voters(&world);
    // And it follows as a learner when it is back.
    world.restart(away);
    run_until(&mut world, 5 * second, "the node serves again", |world| {
        world.hosts()[&away].with(|node| node.ready().is_ok()) == Some(true)
    });
    assert_eq!(voters(&world), replaced);

    // The leader itself is replaced as well.
    let leader = world.leader().expect("somebody leads");
    let leader_id = id(&world, leader);
    world.crash(leader);
    run_until(&mut world, 20 * second, "the leader's replacement", |world| {
        let voters = voters(world);
        voters.len() == 3 && !voters.contains(&leader_id)
    });
}

/// A change of the voters that a partition interrupts half-way is finished afterwards.
#[test]
fn an_interrupted_change_of_voters_is_finished() {
    for seed in 1..=3 {
        let mut world = World::new(seed);
        scenario::begin(&mut world, 3);
        let second = Duration::from_secs(1);
        run_until(&mut world, 5 * second, "three voters", |world| voters(world).len() == 3);
        let founder = 1;
        world.isolate(founder);
        let later = world.elapsed() + Duration::from_millis(800);
        run_until(&mut world, 2 * second, "a moment", |world| world.elapsed() >= later);
        world.rejoin(founder);
        run_until(&mut world, 10 * second, "no half-done change", |world| {
            let joint = |host: &predis_chaos::world::Host| host.with(|node| node.meta().is_joint());
            world.leader().is_some() && world.hosts().values().all(|host| joint(host) == Some(false))
        });
        let leader = world.leader().expect("somebody leads");
        world.crash(leader);
        run_until(&mut world, 5 * second, "another leader", |world| world.leader().is_some());
    }
}

#[test]
fn a_node_that_is_left_without_a_majority_keeps_what_it_has() {
    for stays in ["the leader", "a follower"] {
        let mut world = World::new(2);
        // Without clients: every node gets its share while all partitions are empty.
        scenario::begin_without_clients(&mut world, 3);
        let second = Duration::from_secs(1);
        let settled = world.elapsed() + 3 * second;
        run_until(&mut world, 4 * second, "three seconds", |world| world.elapsed() >= settled);
        let leader = world.leader().expect("somebody leads");
        let left = if stays == "the leader" { leader } else { leader % 3 + 1 };
        let held = |world: &World| {
            let look = world.hosts()[&left].with(|node| {
                let serving = node.status().running().map(|running| running.serving.clone());
                serving.map(|serving| (serving.identity.incarnation, serving.shards.serving()))
            });
            look.flatten()
        };
        let before = held(&world);
        assert!(before.as_ref().is_some_and(|(_, partitions)| !partitions.is_empty()), "{stays}");
        for node in NODES.into_iter().filter(|node| *node != left) {
            world.crash(node);
        }
        let later = world.elapsed() + 4 * second;
        run_until(&mut world, 5 * second, "four seconds", |world| world.elapsed() >= later);
        let (incarnation, partitions) = held(&world).expect("it is still the same life");
        assert_eq!(incarnation, before.as_ref().map(|b| b.0).unwrap_or_default(), "{stays}");
        assert_eq!(partitions, [], "{stays}: without a lease it serves nothing");
        // One of the others makes a majority again: the same life serves the same partitions in the same epochs.
        world.restart(NODES.into_iter().find(|node| *node != left).unwrap_or(left));
        run_until(&mut world, 5 * second, "its partitions again", |world| {
            let (now, before) = (held(world), before.as_ref());
            before.zip(now.as_ref()).is_some_and(|(before, now)| {
                before.0 == now.0 && before.1.iter().all(|partition| now.1.contains(partition))
            })
        });
    }
}

#[test]
fn a_leader_that_was_cut_off_for_a_lease_holds_it_against_nobody() {
    for (seed, cut_ms) in [(1, 1_000), (2, 1_020), (3, 1_040)] {
        let mut world = World::new(seed);
        scenario::begin(&mut world, 3);
        let pass = |world: &mut World, ms: u64| {
            let until = world.elapsed() + Duration::from_millis(ms);
            run_until(world, Duration::from_millis(ms + 1_000), "time passes", |world| {
                world.elapsed() >= until
            });
        };
        pass(&mut world, 2_000);
        let leader = world.leader().expect("somebody leads");
        world.isolate(leader);
        pass(&mut world, cut_ms);
        assert_eq!(world.leader(), Some(leader), "too short for an election");
        world.rejoin(leader);
        pass(&mut world, 3_000);
        let state = world.hosts()[&leader].with(|node| node.meta().published().state);
        let state = state.expect("the leader runs");
        assert!(state.nodes().values().all(|member| member.is_up() && member.incarnation.0 == 1), "{seed}");
        assert_eq!(state.partitions().iter().map(|partition| partition.lost).sum::<u64>(), 0, "{seed}");
    }
}

/// Whoever is told to leave gives its partitions and its vote away and is a member no more, the leader as anybody
/// else; those that stay serve everything.
#[test]
fn nodes_leave_one_after_the_other_until_one_is_left() {
    for seed in 1..=2 {
        let mut world = World::new(seed);
        scenario::begin_without_clients(&mut world, 3);
        let second = Duration::from_secs(1);
        run_until(&mut world, 10 * second, "three voters", |world| voters(world).len() == 3);
        let settled = world.elapsed() + 2 * second;
        run_until(&mut world, 3 * second, "a moment", |world| world.elapsed() >= settled);

        // A follower first, then twice whoever leads.
        let mut members: Vec<u64> = NODES.to_vec();
        for round in 0..2 {
            let leader = world.leader().expect("somebody leads");
            let other = members.iter().copied().find(|host| *host != leader).expect("there are two");
            let leaver = if round == 0 { other } else { leader };
            let leaving = id(&world, leaver);
            world.operate(Action::SetMode { node: leaving, mode: Mode::Leaving });
            run_until(&mut world, 15 * second, "the node has left", |world| {
                world.hosts()[&leaver].has_left()
            });
            members.retain(|host| *host != leaver);
            run_until(&mut world, 15 * second, "the others serve everything", |world| {
                let Some(leader) = world.leader() else { return false };
                let look =
                    world.hosts()[&leader].with(|node| (node.meta().members(), node.meta().published()));
                let Some(((voters, known), published)) = look else { return false };
                let partitions = published.state.partitions();
                let gone = [voters, known].iter().all(|nodes| !nodes.contains(&leaving));
                let served =
                    partitions.iter().all(|p| p.primary.is_some_and(|primary| primary.node != leaving));
                gone && served && published.state.node(leaving).is_none()
            });
            // Its process is over, and nobody misses it.
            assert!(!world.hosts()[&leaver].is_running());
            let later = world.elapsed() + 3 * second;
            run_until(&mut world, 4 * second, "three seconds", |world| world.elapsed() >= later);
            for host in &members {
                let look = world.hosts()[host].with(|node| (node.ready(), node.meta().published().state));
                let (ready, state) = look.expect("it runs");
                assert_eq!(ready, Ok(()), "seed {seed}, round {round}, node {host}");
                assert_eq!(state.partitions().iter().map(|p| p.lost).sum::<u64>(), 0, "nothing was lost");
                let incarnations = state.nodes().values().map(|member| member.incarnation.0);
                assert!(incarnations.clone().all(|boot| boot == 1), "nobody was judged: {incarnations:?}");
            }
        }
    }
}

#[test]
fn a_drained_node_has_no_partitions_and_gets_them_back() {
    let mut world = World::new(5);
    scenario::begin_without_clients(&mut world, 3);
    let second = Duration::from_secs(1);
    let seats = |world: &World, node: NodeId| {
        let leader = world.leader().and_then(|leader| world.hosts().get(&leader));
        let state = leader.and_then(|host| host.with(|node| node.meta().published().state));
        state.map(|state| state.seats_of(node).count())
    };
    let leader = |world: &World| world.leader().map(|leader| id(world, leader));
    run_until(&mut world, 10 * second, "everybody has a share", |world| {
        NODES.into_iter().all(|host| {
            let node = world.hosts()[&host].with(|node| node.status().node());
            node.and_then(|node| seats(world, node)).is_some_and(|seats| seats >= 10)
        })
    });
    // The leader, which goes on leading: a drained member is a member.
    let drained = leader(&world).expect("somebody leads");
    world.operate(Action::SetMode { node: drained, mode: Mode::Draining });
    run_until(&mut world, 10 * second, "it is empty", |world| seats(world, drained) == Some(0));
    assert_eq!(leader(&world), Some(drained));
    assert!(voters(&world).contains(&drained));
    world.operate(Action::SetMode { node: drained, mode: Mode::Active });
    run_until(&mut world, 10 * second, "it has its share", |world| {
        seats(world, drained).is_some_and(|seats| seats >= 10)
    });
}

/// Whoever was removed while nobody could tell it hears of it when it is back, and ends.
#[test]
fn a_node_that_was_cut_off_while_it_left_is_told_when_it_is_back() {
    let mut world = World::new(4);
    scenario::begin_without_clients(&mut world, 4);
    let second = Duration::from_secs(1);
    run_until(&mut world, 10 * second, "all serve", |world| {
        world.hosts().values().all(|host| host.with(|node| node.ready().is_ok()) == Some(true))
    });
    let leader = world.leader().expect("somebody leads");
    let leaver = (1..=4).find(|host| *host != leader).expect("there are four");
    let leaving = id(&world, leaver);
    world.isolate(leaver);
    world.operate(Action::SetMode { node: leaving, mode: Mode::Leaving });
    run_until(&mut world, 20 * second, "it is a member no more", |world| {
        let look = world.hosts()[&leader].with(|node| node.meta().published().state.node(leaving).is_none());
        look == Some(true)
    });
    let later = world.elapsed() + 10 * second;
    run_until(&mut world, 11 * second, "ten seconds", |world| world.elapsed() >= later);
    assert!(!world.hosts()[&leaver].has_left(), "nobody could tell it");
    world.rejoin(leaver);
    run_until(&mut world, 5 * second, "it knows", |world| world.hosts()[&leaver].has_left());
    run_until(&mut world, 5 * second, "it is not replicated to any more", |world| {
        world.hosts()[&leader].with(|node| node.meta().members().1.contains(&leaving)) == Some(false)
    });
}
