//! Commands about the cluster. Knows nothing of its topology.

use crate::{Category, CommandId, CommandSpec, Flag, Group, Role};

/// The rows of this family.
pub(super) static COMMANDS: &[CommandSpec] = &[
    CommandSpec::new(CommandId::Cluster, -2, Group::Cluster, "3.0.0")
        .summary("Commands about the cluster")
        .complexity("Depends on the subcommand")
        .subcommands(SUBCOMMANDS),
    CommandSpec::new(CommandId::Readonly, 1, Group::Cluster, "3.0.0")
        .summary("Lets the connection read from replicas")
        .complexity("O(1)")
        .flags(&[Flag::Loading, Flag::Stale, Flag::Fast])
        .categories(&[Category::Connection]),
    CommandSpec::new(CommandId::Readwrite, 1, Group::Cluster, "3.0.0")
        .summary("Ends what READONLY began")
        .complexity("O(1)")
        .flags(&[Flag::Loading, Flag::Stale, Flag::Fast])
        .categories(&[Category::Connection]),
    CommandSpec::new(CommandId::Asking, 1, Group::Cluster, "3.0.0")
        .summary("Lets the next command use a slot that is being imported")
        .complexity("O(1)")
        .flags(&[Flag::Fast])
        .categories(&[Category::Connection]),
];

static SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new(CommandId::ClusterInfo, 2, Group::Cluster, "3.0.0")
        .summary("Reports the cluster's state as the node sees it")
        .complexity("O(1)")
        .flags(&[Flag::Stale])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new(CommandId::ClusterMyid, 2, Group::Cluster, "3.0.0")
        .summary("Tells the node's identifier")
        .complexity("O(1)")
        .flags(&[Flag::Stale]),
    CommandSpec::new(CommandId::ClusterSlots, 2, Group::Cluster, "3.0.0")
        .summary("Lists which nodes serve which slots")
        .complexity("O(N), N being the nodes of the cluster")
        .flags(&[Flag::Stale])
        .tips(&["nondeterministic_output"])
        .deprecated("7.0.0", "`CLUSTER SHARDS`"),
    CommandSpec::new(CommandId::ClusterShards, 2, Group::Cluster, "7.0.0")
        .summary("Lists the slots and nodes of every shard")
        .complexity("O(N), N being the nodes of the cluster")
        .flags(&[Flag::Stale])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new(CommandId::ClusterNodes, 2, Group::Cluster, "3.0.0")
        .summary("Lists the cluster's nodes in the format of its configuration file")
        .complexity("O(N), N being the nodes of the cluster")
        .flags(&[Flag::Stale])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new(CommandId::ClusterKeyslot, 3, Group::Cluster, "3.0.0")
        .summary("Computes the slot of a key")
        .complexity("O(N), N being the bytes of the key")
        .flags(&[Flag::Stale]),
    CommandSpec::new(CommandId::ClusterCountkeysinslot, 3, Group::Cluster, "3.0.0")
        .summary("Counts the node's keys in a slot")
        .complexity("O(1)")
        .flags(&[Flag::Stale])
        .role(Role::ReadOnly),
    CommandSpec::new(CommandId::ClusterGetkeysinslot, 4, Group::Cluster, "3.0.0")
        .summary("Names some of the node's keys in a slot")
        .complexity("O(log(N)), N being the keys asked for")
        .flags(&[Flag::Stale])
        .tips(&["nondeterministic_output"])
        .role(Role::ReadOnly),
    CommandSpec::new(CommandId::ClusterHelp, 2, Group::Cluster, "5.0.0")
        .summary("Lists the subcommands")
        .complexity("O(1)")
        .flags(&[Flag::Loading, Flag::Stale]),
];
