"""A cluster in three regions, 200 ms apart: `predis server` processes behind a TCP proxy that delays and cuts.

usage: regions.py PREDIS [--base-port 22401] [--round-trip-ms 200]

Two nodes are in eu, two in us, one in ap. In this order:

home      data is at home in eu, with asynchronous copies in us and ap: writes under quorum do not wait for them, READONLY
          reads are answered there, as old as the node says, and each region votes
failover  a node at home is killed, be it the leader: all slots are served again within 10 s, and nothing is lost
isolated  ap is cut off: it answers READONLY reads alone, and says how old they are; then it comes back
moves     us becomes the home, under load: nothing is lost, no slot is without a primary for long
gone      both nodes in us are killed: nobody takes over, READONLY reads go on in eu; then an operator has eu's copies go
          on, and everything that eu had is there. When us comes back it has nothing of its own any more
"""

import argparse
import re
import statistics
import subprocess
import time

import lab
import links

REGIONS = {1: "eu", 2: "eu", 3: "us", 4: "us", 5: "ap"}
PARTITIONS = 32
KEYS = 400
# What is promised of failover over such links.
FAILOVER_S = 10.0


class Cluster:
    """The nodes and what is known of their keys."""

    def __init__(self, args, folder, checks):
        self.args, self.checks = args, checks
        self.links = links.Links(args.round_trip_ms / 2000)
        self.nodes, self.values = [], {}
        for number, region in REGIONS.items():
            start = ["--bootstrap", "--partitions", str(PARTITIONS), "--ack", "quorum",
                     "--round-trip-ms", str(args.round_trip_ms)]
            if number > 1:
                start = ["--join", f"{self.links.host(1)}:{args.base_port + 200}"]
            more = ["--region", region, "--zone", f"{region}-{number}", "--advertise", self.links.host(number)]
            node = lab.Server(args.predis, number, args.base_port, folder, start, more)
            self.links.add(node, region)
            self.nodes.append(node)

    def of(self, region):
        """The nodes of a region."""
        return [node for node in self.nodes if REGIONS[node.number] == region]

    def alive(self):
        """The nodes that run."""
        return [node for node in self.nodes if node.alive()]

    def ctl(self, *words, node=None, code=0):
        """Asks through a node; what it says."""
        node = node or self.alive()[0]
        done = subprocess.run(
            [self.args.predis, "ctl", "--addr", f"127.0.0.1:{node.grpc}", *words], capture_output=True, timeout=60, check=False
        )
        said = (done.stdout + done.stderr).decode()
        if done.returncode != code:
            raise lab.Failed(f"ctl {' '.join(words)}: {done.returncode}, {said}")
        return said

    def status(self, node=None):
        """The cluster as a majority has it."""
        return lab.status(self.args.predis, (node or self.alive()[0]).grpc)

    def regions_of(self, state):
        """node id -> its region."""
        return {node["id"]: node["region"] for node in state["nodes"]}

    def at_home(self, home, copies, state):
        """Whether all in-sync copies are at home, so many beside the primary, and every other region has its copy."""
        regions = self.regions_of(state)
        apart = set(REGIONS.values()) - {home}
        for partition in state["partitions"]:
            in_sync = [regions[node] for node in partition["in_sync"]]
            others = sorted(regions[node] for node in partition["replicas"] if node not in partition["in_sync"])
            if partition["primary"] is None or in_sync != [home] * copies or others != sorted(apart):
                return False
        return True

    def metric(self, node, name):
        """The value of a metric without labels; none while it is left out."""
        found = re.search(rf"^{name} (\S+)$", lab.http(node.metrics, "/metrics")[1], re.M)
        return float(found.group(1)) if found else None

    def port(self, moved):
        """The port that MOVED names."""
        return int(moved.rsplit(":", 1)[1])

    def write(self, key, value, limit_s=20.0, start=None):
        """Writes until it is acknowledged, going where it is told to; seconds."""
        began = time.monotonic()
        port = (start or self.alive()[0]).resp
        while True:
            try:
                with lab.Resp(port, 3.0) as client:
                    said = client.call("SET", key, value)
            except OSError as error:
                said = error
            if said == "OK":
                self.values[key] = value
                return time.monotonic() - began
            if time.monotonic() - began > limit_s:
                raise lab.Failed(f"SET {key} at {port}: {said!r}")
            moved = isinstance(said, lab.RespError) and said.startswith("MOVED")
            port = self.port(said) if moved else self.alive()[int(time.monotonic() * 10) % len(self.alive())].resp
            if not moved:
                time.sleep(0.02)

    def read_all(self, nodes, readonly):
        """What is read of every key, from the node of `nodes` that has it; key -> value."""
        found = {}
        clients = {node.resp: lab.Resp(node.resp, 3.0) for node in nodes}
        for client in clients.values():
            if readonly:
                client.call("READONLY")
        for key in self.values:
            said = None
            for client in clients.values():
                said = client.call("GET", key)
                if not isinstance(said, lab.RespError):
                    break
            found[key] = said.decode() if isinstance(said, bytes) else said
        for client in clients.values():
            client.close()
        return found

    def wrong(self, nodes, readonly=False):
        """How many keys are read otherwise than they were last written, and one of them."""
        found = self.read_all(nodes, readonly)
        wrong = {key: found[key] for key, value in self.values.items() if found[key] != value}
        return len(wrong), next(iter(wrong.items()), None)


def home(cluster, checks):
    """Data is at home in eu."""
    cluster.ctl("config", "set", "home-region", "eu")
    cluster.ctl("config", "set", "region-copies", "1")
    lab.until("data is at home in eu, with copies elsewhere", 120,
              lambda: cluster.at_home("eu", 2, cluster.status()), 0.3)
    took = [cluster.write(f"key-{n}", f"one-{n}", start=cluster.nodes[n % 2]) for n in range(KEYS)]
    median = statistics.median(took)
    checks.that(median < cluster.args.round_trip_ms / 2000, f"a write under quorum takes {median:.3f} s in the median")
    wrong = cluster.wrong(cluster.of("eu"))
    checks.that(wrong[0] == 0, f"home: {wrong} are read otherwise in eu")
    for region in ["us", "ap"]:
        began = time.monotonic()
        lab.until(f"{region} shows what was written", 20,
                  lambda region=region: cluster.wrong(cluster.of(region), True)[0] == 0, 0.1)
        shown_s = time.monotonic() - began
        stale = [cluster.metric(node, "predis_replica_staleness_seconds") for node in cluster.of(region) for _ in range(5)]
        checks.that(None not in stale and max(stale) < 2.0, f"{region}: staleness {stale}")
        print(f"home: all shown in {region} after {shown_s:.2f} s, at most {max(stale):.2f} s old", flush=True)
        node = cluster.of(region)[0]
        with lab.Resp(node.resp) as client:
            said = client.call("GET", "key-1")
            checks.that(isinstance(said, lab.RespError) and said.startswith("MOVED"), f"{region}: without READONLY {said!r}")
            client.call("READONLY")
            said = client.call("SET", "key-1", "x")
            checks.that(isinstance(said, lab.RespError) and said.startswith("MOVED"), f"{region}: a write gets {said!r}")
    voters = lab.until("every region votes", 60, lambda: spread(cluster), 0.3)
    print(f"home: a write takes {median * 1000:.0f} ms in the median, voters in {voters}", flush=True)


def spread(cluster):
    """The voters' regions, once they are all."""
    voters = {node["region"] for node in cluster.status()["nodes"] if node["role"] in ("leader", "voter")}
    return sorted(voters) if voters == set(REGIONS.values()) else None


def failover(cluster, checks):
    """A node at home is killed and comes back."""
    for turn, node in enumerate(cluster.of("eu")):
        state = cluster.status()
        leads = next(n["role"] for n in state["nodes"] if n["name"] == f"node-{node.number}") == "leader"
        lost = sum(partition["lost"] for partition in state["partitions"])
        node.kill()
        began = time.monotonic()
        others = cluster.alive()
        lab.until("all slots are served", 40, lambda: cluster.wrong(at_home(cluster))[0] == 0, 0.02)
        took_s = time.monotonic() - began
        checks.that(took_s <= FAILOVER_S, f"failover: served only after {took_s:.2f} s")
        state = cluster.status()
        checks.that(sum(p["lost"] for p in state["partitions"]) == lost, "failover: a partition was lost")
        node.start()
        lab.until("both of eu are in sync again", 120, lambda: cluster.at_home("eu", 2, cluster.status(others[0])), 0.3)
        lab.until("what was written is read", 20, lambda: cluster.wrong(cluster.of("eu"))[0] == 0, 0.2)
        cluster.write(f"turn-{turn}", "back")
        role = "the leader" if leads else "no leader"
        print(f"failover: node {node.number}, {role}: {took_s:.2f} s until all slots were served", flush=True)


def at_home(cluster):
    """The nodes of eu that run."""
    return [node for node in cluster.of("eu") if node.alive()]


def isolated(cluster, checks):
    """A region without a majority."""
    node = cluster.of("ap")[0]
    lab.until("ap shows what was written", 20, lambda: cluster.wrong([node], True)[0] == 0, 0.1)
    cluster.links.isolate("ap")
    lab.until("ap's copies are seen to age", 30,
              lambda: (cluster.metric(node, "predis_replica_staleness_seconds") or 0) > 5.0, 0.1)
    cluster.write("key-0", "two", start=cluster.nodes[0])
    found = cluster.read_all([node], True)
    checks.that(found["key-0"] == "one-0", f"isolated: {found['key-0']!r} is read of what was changed since")
    bad = {key: said for key, said in found.items() if key != "key-0" and said != cluster.values[key]}
    checks.that(not bad, f"isolated: {len(bad)} keys are read otherwise, such as {list(bad.items())[:1]}")
    with lab.Resp(node.resp) as client:
        for words in [("GET", "key-0"), ("SET", "key-0", "x")]:
            said = client.call(*words)
            checks.that(isinstance(said, lab.RespError), f"isolated: {words} gets {said!r}")
    stale_s = cluster.metric(node, "predis_replica_staleness_seconds")
    cluster.links.heal()
    lab.until("ap is back", 60, lambda: cluster.wrong([node], True)[0] == 0, 0.2)
    checks.that(node.alive(), f"isolated: node 5 has ended: {node.tail(3)}")
    print(f"isolated: read at {stale_s:.1f} s of age, then back", flush=True)


def moves(cluster, checks):
    """Another home, while there are writes."""
    lost = sum(partition["lost"] for partition in cluster.status()["partitions"])
    # The region that was cut off may have the others elect once more when it is back.
    lab.until("another home is agreed on", 20, lambda: cluster.ctl("config", "set", "home-region", "us"), 0.2)
    began, slowest, count = time.monotonic(), 0.0, 0
    while not cluster.at_home("us", 2, cluster.status()):
        slowest = max(slowest, cluster.write(f"key-{count % KEYS}", f"three-{count}"))
        count += 1
        if time.monotonic() - began > 180:
            raise lab.Failed("us does not become the home")
    took_s = time.monotonic() - began
    state = cluster.status()
    checks.that(sum(partition["lost"] for partition in state["partitions"]) == lost, "moves: a partition was lost")
    lab.until("what was written is read", 20, lambda: cluster.wrong(cluster.of("us"))[0] == 0, 0.2)
    checks.that(slowest < 5.0, f"moves: a write took {slowest:.1f} s")
    print(f"moves: {took_s:.1f} s, {count} writes meanwhile, the slowest took {slowest:.2f} s", flush=True)


def gone(cluster, checks):
    """The home is gone, and somebody decides."""
    lab.until("eu and ap have copies to be read", 30,
              lambda: all(cluster.wrong(cluster.of(region), True)[0] == 0 for region in ["eu", "ap"]), 0.2)
    before = cluster.status(cluster.nodes[0])
    for node in cluster.of("us"):
        node.kill()
    began = time.monotonic()
    eu = cluster.of("eu")
    vacant = lab.until("no partition has a primary", 40, lambda: nobody(cluster.status(eu[0])), 0.1)
    vacant_s = time.monotonic() - began
    wrong = cluster.wrong(eu, True)
    checks.that(wrong[0] == 0, f"gone: READONLY reads in eu: {wrong}")
    with lab.Resp(eu[0].resp) as client:
        said = client.call("GET", "key-1")
        checks.that(isinstance(said, lab.RespError) and said.startswith("CLUSTERDOWN"), f"gone: without READONLY {said!r}")
    said = cluster.ctl("cluster", "recover", "eu", "--yes", node=eu[0], code=2)
    checks.that("node-3" in said and "node-4" in said, f"gone: refused without names: {said}")
    said = cluster.ctl("cluster", "recover", "eu", "--lost", "node-3,node-4", node=eu[0])
    checks.that("would go on" in said, f"gone: without --yes: {said}")
    checks.that(nobody(cluster.status(eu[0])), "gone: a question has changed something")
    began = time.monotonic()
    said = cluster.ctl("cluster", "recover", "eu", "--lost", "node-3,node-4", "--yes", node=eu[0])
    checks.that(said.startswith(f"{PARTITIONS} partitions go on"), f"gone: {said}")
    lab.until("eu serves everything", 30, lambda: cluster.wrong(eu)[0] == 0, 0.1)
    served_s = time.monotonic() - began
    cluster.write("after", "recovered", start=eu[0])
    for node in cluster.of("us"):
        node.start()
    lab.until("eu is the home, and us holds copies", 120, lambda: cluster.at_home("eu", 2, cluster.status(eu[0])), 0.3)
    lab.until("all is there, and in us too", 30, lambda: cluster.wrong(eu)[0] == 0 and all(
        cluster.wrong(cluster.of(region), True)[0] == 0 for region in ["us", "ap"]), 0.2)
    after = cluster.status(eu[0])
    grown = {now["lost"] - then["lost"] for then, now in zip(before["partitions"], after["partitions"], strict=True)}
    checks.that(grown == {1}, f"gone: partitions were lost {grown} times")
    print(f"gone: no primary after {vacant_s:.1f} s in {vacant} partitions, {said.strip()}, served after {served_s:.2f} s",
          flush=True)


def nobody(state):
    """How many partitions there are, once none has a primary."""
    return len(state["partitions"]) if all(p["primary"] is None for p in state["partitions"]) else None


def main():
    """Runs everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("predis", type=lab.binary)
    parser.add_argument("--base-port", type=int, default=22401)
    parser.add_argument("--round-trip-ms", type=int, default=200)
    args = parser.parse_args()
    checks = lab.Checks("regions")
    with lab.workplace("regions") as folder:
        cluster = Cluster(args, folder, checks)
        try:
            for node in cluster.nodes:
                node.start()
            lab.until("all are up", 60, lambda: all(node.ready() for node in cluster.nodes), 0.2)
            for step in [home, failover, isolated, moves, gone]:
                step(cluster, checks)
        except (lab.Failed, lab.Ended) as failure:
            checks.that(False, str(failure))
        finally:
            for node in cluster.alive():
                node.terminate()
            cluster.links.close()
        checks.finish()


if __name__ == "__main__":
    main()
