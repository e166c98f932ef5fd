"""How long clients wait after a node that has primaries is killed: kill -9, again and again, and what the time goes to.

usage: failover.py PREDIS [--base-port 24401] [--kills 100] [--copies 3] [--partitions 64] [--limit 3.0]
                   [--seed 1] [--json]

Three nodes under `--ack quorum`. Every partition is written to all the time, one pass after the other without a pause,
at where it is said to be served; after a kill that goes on until all have answered, and for a second more. A kill's
time is from the kill until the last write that was refused, by anyone, was followed by one that was answered. It is
`detected` when the leader has the node as dead, and, if it was the leader, another one was `elected` before; the rest
is promotion. Who dies is drawn from the seed,
one in three times it is the leader. 99 of 100 kills have to be over within --limit seconds.
"""

import argparse
import calendar
import json
import random
import re
import threading
import time

import lab

QUIET_S = 1.0


class Prober:
    """Writes to every partition, again and again."""

    def __init__(self, nodes, partitions):
        self.ports, self.keys = [node.resp for node in nodes], lab.partition_keys(partitions)
        self.owner, self.open, self.rng = [self.ports[0]] * partitions, {}, random.Random(1)
        # When each was last refused, and first answered after that.
        self.refused, self.answered, self.passes = [0.0] * partitions, [0.0] * partitions, 0

    def probe(self):
        """One pass."""
        batches = {}
        for at, port in enumerate(self.owner):
            batches.setdefault(port, []).append(at)
        sent = []
        for port, batch in batches.items():
            if self.send(port, batch):
                sent.append((port, batch))
        for port, batch in sent:
            self.hear(port, batch)
        self.passes += 1

    def send(self, port, batch):
        """Sends a batch; whether it could be sent."""
        try:
            if port not in self.open:
                self.open[port] = lab.Resp(port, 1.0)
            self.open[port].send(b"".join(lab.encode("SET", self.keys[at], "x") for at in batch))
            return True
        except OSError:
            self.lose(port, batch)
            return False

    def hear(self, port, batch):
        """Reads the replies to a batch."""
        for number, at in enumerate(batch):
            try:
                reply = self.open[port].reply()
            except (OSError, ValueError):
                self.lose(port, batch[number:])
                return
            now = time.monotonic()
            if reply == "OK":
                if self.answered[at] <= self.refused[at]:
                    self.answered[at] = now
                continue
            self.refused[at] = now
            if reply.startswith("MOVED "):
                self.owner[at] = int(reply.rsplit(":", 1)[1])

    def lose(self, port, batch):
        """A node that does not answer: its partitions are asked for elsewhere."""
        if port in self.open:
            self.open.pop(port).close()
        for at in batch:
            self.refused[at] = time.monotonic()
            self.owner[at] = self.rng.choice(self.ports)

    def until_quiet(self, since, limit_s=30):
        """Goes on until each has answered after its last refusal; when that was, for the last of them."""
        last_change = since
        while True:
            self.probe()
            now = time.monotonic()
            waiting = [at for at, when in enumerate(self.refused) if when >= self.answered[at]]
            ended = max(max(self.answered), since)
            if waiting or any(when > last_change for when in self.refused):
                last_change = now
            if not waiting and now - last_change > QUIET_S:
                return ended
            if now - since > limit_s:
                raise lab.Failed(f"{len(waiting)} partitions are not served after {limit_s} s")


class Elections(threading.Thread):
    """Looks who leads, until somebody does."""

    def __init__(self, nodes):
        super().__init__(daemon=True)
        self.nodes, self.elected = nodes, None

    def run(self):
        while self.elected is None:
            for node in self.nodes:
                try:
                    if re.search(r"^predis_raft_is_leader 1$", lab.http(node.metrics, "/metrics")[1], re.M):
                        self.elected = time.monotonic()
                except OSError:
                    pass
            time.sleep(0.03)


def detected(nodes, since_wall):
    """When the log of a node says that a lease ran out, after a moment; wall-clock seconds."""
    found = []
    for node in nodes:
        text = node.log.read_text(encoding="utf-8", errors="replace")
        for stamp, micros in re.findall(r"^(\S+)\.(\d{6})Z +WARN .*lease ran out: the node is taken to be dead", text, re.M):
            at = calendar.timegm(time.strptime(stamp, "%Y-%m-%dT%H:%M:%S")) + int(micros) / 1e6
            found += [at] if at > since_wall else []
    return min(found) if found else None


def whole(args, nodes):
    """The state, once all is as it was before a kill."""
    now = lab.status(args.predis, next(node for node in nodes if node.alive()).grpc)
    up = [node for node in now["nodes"] if node["status"] == "up" and node["primaries"] >= args.partitions // 4]
    synced = all(len(partition["in_sync"]) == args.copies for partition in now["partitions"])
    return now if len(up) == len(nodes) and synced and now["leader"] else None


def kill(args, nodes, prober, rng):
    """One kill; its times."""
    before = lab.until("the cluster is whole", 60, lambda: whole(args, nodes), 0.1)
    leader = next(node["name"] for node in before["nodes"] if node["id"] == before["leader"])
    victim = rng.choice(nodes)
    survivors = [node for node in nodes if node is not victim]
    led = leader == f"node-{victim.number}"
    # A pass finds everything where it is.
    for _ in range(3):
        prober.probe()
    watch = Elections(survivors)
    began, began_wall, passes = time.monotonic(), time.time(), prober.passes
    victim.kill()
    if led:
        watch.start()
    ended = prober.until_quiet(began)
    seen = detected(survivors, began_wall)
    row = {"node": victim.number, "led": led, "seconds": ended - began, "pass_ms": 1000 * (time.monotonic() - began) / (prober.passes - passes)}
    row["elected"] = watch.elected - began if watch.elected else None
    row["detected"] = seen - began_wall if seen else None
    victim.start()
    lab.until("it is back", 30, victim.ready, 0.1)
    after = lab.until("the status", 10, lambda: lab.status(args.predis, nodes[0].grpc), 0.1)
    row["lost"] = after["partitions_lost"] - before["partitions_lost"]
    return row


def at(values, share):
    """A percentile: the smallest value that so many are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(len(ordered) * share * 1000) // 1000) - 1))] if ordered else 0.0


def report(rows):
    """The table's lines as dictionaries."""
    lines = []
    for what, mine in (("all", rows), ("leader", [r for r in rows if r["led"]]), ("follower", [r for r in rows if not r["led"]])):
        rest = [row["seconds"] - row["detected"] for row in mine if row["detected"]]
        parts = {
            "served again": [row["seconds"] for row in mine],
            "elected after": [row["elected"] for row in mine if row["elected"]],
            "detected after": [row["detected"] for row in mine if row["detected"]],
            "from detection to served": rest,
        }
        for name, values in parts.items():
            if values:
                lines.append({"killed": what, "time": name, "kills": len(values), "p50": at(values, 0.5), "p99": at(values, 0.99), "max": max(values)})
    return lines


def main():
    """Kills."""
    parser = argparse.ArgumentParser()
    parser.add_argument("predis", type=lab.binary)
    parser.add_argument("--base-port", type=int, default=24401)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--copies", type=int, default=3, choices=(2, 3))
    parser.add_argument("--partitions", type=int, default=64)
    parser.add_argument("--limit", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    checks = lab.Checks("failover")
    with lab.workplace("failover") as folder:
        nodes = lab.servers(args.predis, args.base_port, folder)
        nodes[0].more += ["--ack", "quorum", "--copies", str(args.copies), "--partitions", str(args.partitions)]
        rows = []
        with lab.running(nodes):
            try:
                for node in nodes:
                    node.start()
                lab.await_cluster(args.predis, nodes)
                prober = Prober(nodes, args.partitions)
                lab.until("every partition is found", 10, lambda: prober.probe() or all(when > 0 for when in prober.answered))
                rng = random.Random(args.seed)
                for number in range(args.kills):
                    rows.append(kill(args, nodes, prober, rng))
                    if not args.json:
                        row = rows[-1]
                        print(f"  kill {number + 1}: node {row['node']}{' (leader)' if row['led'] else ''}: {row['seconds']:.3f} s", flush=True)
            except (lab.Failed, lab.Ended) as failure:
                checks.that(False, str(failure))
        lines = report(rows)
        p99 = at([row["seconds"] for row in rows], 0.99)
        checks.that(rows and p99 <= args.limit, f"p99 {p99:.3f} s is above {args.limit} s")
        lost = sum(row["lost"] for row in rows)
        checks.that(lost == 0, f"{lost} partitions were lost")
        if args.json:
            print(json.dumps({"kills": len(rows), "copies": args.copies, "partitions": args.partitions, "table": lines, "each": rows}))
        else:
            print("| killed | time | kills | p50 s | p99 s | max s |\n|---|---|---:|---:|---:|---:|")
            for line in lines:
                print(f"| {line['killed']} | {line['time']} | {line['kills']} | {line['p50']:.3f} | {line['p99']:.3f} | {line['max']:.3f} |")
        spacing = at([row["pass_ms"] for row in rows], 0.5)
        checks.finish(f"{len(rows)} kills, a write to every partition each {spacing:.1f} ms (median)")


if __name__ == "__main__":
    main()
