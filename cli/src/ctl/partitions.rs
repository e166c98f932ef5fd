//! `predis ctl partitions`: who has which.

use super::{
    answer::Answer,
    session::{Session, find},
    table,
};
use crate::failure::Failure;
use clap::Args;
use predis_proto::admin::Partition;
use serde_json::{Value, json};

/// The partitions, with their seats.
#[derive(Debug, Args)]
pub(super) struct PartitionsArgs {
    /// Only those in which this member, an id or a name, has a seat.
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
}

/// Asks.
pub(super) async fn run(session: &Session, args: &PartitionsArgs) -> Result<Answer, Failure> {
    let status = session.status(false).await?;
    let only =
        args.node.as_deref().map(|wanted| find(&status.nodes, wanted)).transpose()?.map(|node| node.id);
    let has_seat = |partition: &&Partition| only.is_none_or(|node| partition.replicas.contains(&node));
    let partitions: Vec<Partition> = status.partitions.iter().filter(has_seat).cloned().collect();
    let json = json!({ "partitions": partitions.iter().map(json).collect::<Vec<_>>() });
    Ok(Answer::new(table(&partitions), json))
}

/// A line a partition.
pub(super) fn table(partitions: &[Partition]) -> String {
    let head = ["PARTITION", "SLOTS", "EPOCH", "PRIMARY", "SEATS", "IN SYNC", "LOST"];
    let row = |partition: &Partition| {
        vec![
            partition.id.to_string(),
            format!("{}-{}", partition.first_slot, partition.last_slot),
            partition.epoch.to_string(),
            id(partition.primary),
            ids(&partition.replicas),
            ids(&partition.in_sync),
            partition.lost.to_string(),
        ]
    };
    table::render(&head, &partitions.iter().map(row).collect::<Vec<_>>())
}

/// A member's id, or a dash for none.
pub(super) fn id(node: u64) -> String {
    if node == 0 { "-".to_owned() } else { node.to_string() }
}

fn ids(nodes: &[u64]) -> String {
    nodes.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}

/// A member's id for programs; none is null.
pub(super) fn known(node: u64) -> Option<u64> {
    (node != 0).then_some(node)
}

/// A partition for programs.
pub(super) fn json(partition: &Partition) -> Value {
    json!({
        "id": partition.id, "first_slot": partition.first_slot, "last_slot": partition.last_slot,
        "epoch": partition.epoch, "primary": known(partition.primary),
        "replicas": partition.replicas, "in_sync": partition.in_sync, "lost": partition.lost,
    })
}
