"""What replication costs: throughput and the servers' processor time, without copies, with async and with quorum.

usage: cost.py PREDIS [--base-port 23101] [--nodes 2] [--rounds 5] [--seconds 3] [--depths 1,16] [--ratio 0:1] [--json]

Three clusters are up at the same time, of the same size: one copy; two copies under async; two under quorum. In each
round each is driven once by `predis bench` at each depth, in an order that turns from round to round, while the
others idle; so whatever else the machine does falls on all. Throughput is the median of the rounds, the ratios those
within a round, and their median; processor time is that of all the cluster's processes, per operation.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess

import lab

KINDS = {
    "one copy": ("--copies", "1"),
    "two, async": ("--copies", "2", "--ack", "async"),
    "two, quorum": ("--copies", "2", "--ack", "quorum"),
}
TICKS = os.sysconf("SC_CLK_TCK")


def processor_s(nodes):
    """User and system time of all threads there are and were."""
    used = 0
    for node in nodes:
        fields = pathlib.Path(f"/proc/{node.child.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        used += int(fields[11]) + int(fields[12])
    return used / TICKS


def drive(args, nodes, depth, seed):
    """One run of `predis bench`: operations a second, and microseconds of the servers for each."""
    before = processor_s(nodes)
    command = [
        args.predis, "bench", "--addr", f"127.0.0.1:{nodes[0].resp}", "--cluster", "--json", "--connections", args.connections,
        "--pipeline", depth, "--seconds", args.seconds, "--ratio", args.ratio, "--value-size", 64, "--seed", seed,
    ]
    done = subprocess.run([str(word) for word in command], capture_output=True, timeout=args.seconds + 60, check=False)
    if done.returncode != 0:
        raise lab.Failed(f"bench: {done.stderr.decode()}")
    said = json.loads(done.stdout)
    if said["failed"]:
        raise lab.Failed(f"bench: {said['failed']} failed: {said['errors']}")
    used = processor_s(nodes) - before
    return said["requests_per_second"], used * 1e6 / said["requests"], said["latency_us"]["all"]["p99"]


def measure(args, clusters):
    """(kind, depth) -> its rounds."""
    found = {(kind, depth): [] for depth in args.depths for kind in clusters}
    for number in range(args.rounds + 1):
        for depth in args.depths:
            names = list(clusters)
            turn = number % len(names)
            for kind in names[turn:] + names[:turn]:
                result = drive(args, clusters[kind], depth, number + 1)
                # The first round warms up.
                if number:
                    found[kind, depth].append(result)
    return found


def table(found):
    """A row each."""
    rows = []
    for (kind, depth), rounds in found.items():
        row = {"copies": kind, "depth": depth}
        row["ops_per_second"], row["server_us_per_op"], row["p99_us"] = (statistics.median(column) for column in zip(*rounds, strict=True))
        for name in ("one copy", "two, async"):
            ratios = [mine[0] / other[0] for mine, other in zip(rounds, found[name, depth], strict=True)]
            row[f"of {name}"] = statistics.median(ratios)
        rows.append(row)
    return rows


def main():
    """Starts the clusters, measures, prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("predis", type=lab.binary)
    parser.add_argument("--base-port", type=int, default=23101)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=8, help="to each node")
    parser.add_argument("--depths", type=lambda text: [int(word) for word in text.split(",")], default=[1, 16])
    parser.add_argument("--ratio", default="0:1", help="GETs to SETs")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with lab.workplace("cost") as folder:
        clusters, processes = {}, []
        for number, (kind, founding) in enumerate(KINDS.items()):
            place = folder / str(number)
            place.mkdir()
            clusters[kind] = lab.servers(args.predis, args.base_port + 400 * number, place, args.nodes)
            clusters[kind][0].more += founding
            processes += clusters[kind]
        with lab.running(processes):
            for nodes in clusters.values():
                for node in nodes:
                    node.start()
                lab.await_cluster(args.predis, nodes)
            rows = table(measure(args, clusters))
    if args.json:
        print(json.dumps({"nodes": args.nodes, "rounds": args.rounds, "ratio": args.ratio, "rows": rows}))
        return
    print("| copies | depth | ops/s | of one copy | of async | server us/op | p99 us |\n|---|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        print(f"| {row['copies']} | {row['depth']} | {row['ops_per_second']:.0f} | {row['of one copy']:.3f} "
              f"| {row['of two, async']:.3f} | {row['server_us_per_op']:.2f} | {row['p99_us']:.0f} |")


if __name__ == "__main__":
    main()
