"""A cluster of `predis server` processes whose program is replaced by a newer one, node by node, under light load.

usage: upgrade.py PREDIS --old OLD_PREDIS [--base-port 21901] [--limit 5.0]

OLD_PREDIS is a build of the metadata version before the one that PREDIS writes. In this order:

newcomer  a node of the new program joins a cluster of the old one, and leaves
back      a node is replaced, replaced again by the old program, and replaced for good: until the last one is, there
          is a way back
mixed     another is replaced; members of both programs change and read what is agreed on, through more log entries
          than a snapshot takes, and a node of the old program joins: from a snapshot that one of the new wrote
last      the last one is replaced: the cluster writes the new version
too_old   from then on the old program is refused in words that name both versions: on a data directory that was its
          own before, and on an empty one

At every replacement the others serve all slots within --limit seconds of the process's end, no read gives a value
that was overwritten, and nothing is missing but from partitions that say so. Run it with a Python that has redis-py,
grpcio and grpcio-reflection.
"""

import argparse
import re
import subprocess
import time

import grpc

import kills
import lab
from admin import Admin
from load import Load

# The log is cut behind a snapshot after so many entries.
SNAPSHOT_EVERY = 1000


class Upgrade(kills.Rig):
    """The nodes, which begin as the old program."""

    def __init__(self, args, folder, checks):
        super().__init__(args, folder, checks)
        self.folder, self.strangers = folder, []
        for node in self.nodes:
            node.predis = args.old

    def new(self):
        """The nodes that are replaced."""
        return [node for node in self.nodes if node.predis == self.args.predis]

    def version(self, node):
        """The version in which the metadata is written, as this node of the new program says, and what each reads."""
        now = lab.status(self.args.predis, node.grpc)
        return now["metadata_version"], {member["name"]: member["metadata_version"] for member in now["nodes"]}

    def expect(self, what, level, reads):
        """Every node of the new program says so."""
        for node in self.new():
            said = lab.until(f"{what}: a status", 10, lambda node=node: self.version(node))
            self.checks.that(said == (level, reads), f"{what}: node {node.number} says {said}, not {(level, reads)}")

    def reads(self):
        """name -> what its program reads."""
        return {f"node-{node.number}": self.level + (node.predis == self.args.predis) for node in self.nodes}

    def leads(self, node):
        """Whether it is the leader."""
        now = self.status()
        return any(member["role"] == "leader" and member["name"] == f"node-{node.number}" for member in now["nodes"])

    def replace(self, node, program, what):
        """Stops a node and starts another program on its data directory; the others go on."""
        before = self.settle()
        dead = next(member["id"] for member in before["nodes"] if member["name"] == f"node-{node.number}")
        others = [other for other in self.nodes if other is not node]
        begun = time.monotonic()
        code, took_s = node.terminate()
        self.checks.that(code == 0, f"{what}: node {node.number} ended with {code} after {took_s:.1f} s")
        took_s = self.await_served(others, time.monotonic(), "replaced")
        self.checks.that(took_s <= self.args.limit, f"{what}: all slots served only after {took_s:.2f} s")
        node.predis = program
        node.start()

        def back():
            if not node.alive():
                raise lab.Ended(f"{what}: node {node.number} has ended: {node.tail(5)}")
            state = self.status(others)
            found = next(member for member in state["nodes"] if member["id"] == dead)
            was = next(member["incarnation"] for member in before["nodes"] if member["id"] == dead)
            return found["status"] == "up" and found["incarnation"] > was and node.ready() and state

        after = lab.until(f"{what}: node {node.number} is back", 30, back)
        grown = [now["lost"] - then["lost"] for then, now in zip(before["partitions"], after["partitions"], strict=True)]
        foreign = sum(count for count, then in zip(grown, before["partitions"], strict=True) if then["primary"] != dead)
        self.checks.that(foreign == 0, f"{what}: {foreign} partitions of other nodes were lost")
        errors, keys = self.judge_load(grown, begun, what, time.monotonic() - begun)
        print(f"{what}: node {node.number}, {took_s:.2f} s until the others served all, {errors} errors, "
              f"{sum(grown)} partitions lost, {keys} keys read back", flush=True)

    def stranger(self, number, program):
        """One more node, on an empty data directory."""
        join = ["--join", ",".join(f"127.0.0.1:{node.grpc}" for node in self.nodes)]
        node = lab.Server(program, number, self.args.base_port, self.folder, join)
        self.strangers.append(node)
        node.start()
        return node

    def leaves(self, node):
        """A node that came for a while leaves; its process ends."""
        addr = f"127.0.0.1:{self.nodes[0].grpc}"
        done = subprocess.run(
            [self.args.predis, "ctl", "--addr", addr, "cluster", "leave", f"node-{node.number}", "--timeout", "60s"],
            capture_output=True, timeout=90, check=False,
        )
        said = (done.stdout + done.stderr).decode()
        self.checks.that(done.returncode == 0, f"node {node.number} leaves: {done.returncode}, {said}")
        node.child.wait(30)

    def newcomer(self):
        """A newer program among older ones."""
        node = self.stranger(4, self.args.predis)
        lab.until("the newcomer is ready", 60, lambda: self.running(node) and node.ready(), 0.1)
        said = lab.until("its status", 10, lambda: self.version(node))
        self.level = said[0]
        due = {**self.reads(), "node-4": self.level + 1}
        self.checks.that(said[1] == due, f"newcomer: it says {said[1]}, not {due}")
        # It may have been given partitions; without keys they go at once.
        self.leaves(node)

    def running(self, node):
        """That it has not ended."""
        if not node.alive():
            raise lab.Ended(f"node {node.number} has ended: {node.tail(5)}")
        return True

    def back(self):
        """There and back, and there."""
        node = next(node for node in self.nodes if not self.leads(node))
        for program in (self.args.predis, self.args.old, self.args.predis):
            self.replace(node, program, "back")
            self.expect("back", self.level, self.reads())

    def mixed(self):
        """Two of the new program, one of the old."""
        old = [node for node in self.nodes if node.predis == self.args.old]
        # The leader, if it is of the old program, else either.
        node = next((node for node in old if self.leads(node)), old[0])
        self.replace(node, self.args.predis, "mixed")
        self.expect("mixed", self.level, self.reads())
        last = next(node for node in self.nodes if node.predis == self.args.old)
        for _ in range(5):
            if not self.leads(last):
                break
            self.replace(last, self.args.old, "mixed: the old program leads, once more")
        self.checks.that(not self.leads(last), "mixed: the new program never came to lead")
        self.load.tell("pause")
        lab.until("FLUSHALL everywhere", 10, self.flush)
        self.change_much()
        stranger = self.stranger(5, self.args.old)
        lab.until("a node of the old program joins", 60, lambda: self.running(stranger) and stranger.ready(), 0.1)
        self.expect("mixed", self.level, {**self.reads(), "node-5": self.level})
        self.leaves(stranger)
        for node in self.nodes:
            text = lab.until("a snapshot", 20, lambda node=node: (node.data / "snapshot").read_text(encoding="utf-8"))
            found = set(re.findall(r'\\"version\\":(\d+),\\"body\\"', text))
            self.checks.that(found == {str(self.level)}, f"mixed: node {node.number}'s snapshot is of version {found}")

    def change_much(self):
        """More log entries than a snapshot takes, proposed through nodes of both programs."""
        callers = [Admin(grpc.insecure_channel(f"127.0.0.1:{node.grpc}")) for node in self.nodes]
        callers[0].call("Tenants.Create", name="upgrade", placement="spread", ack="async", policy="lru")
        for number in range(1, SNAPSHOT_EVERY + 101):
            callers[number % len(callers)].call("Tenants.Update", name="upgrade", max_connections=number)
        for node, caller in zip(self.nodes, callers, strict=True):
            tenants = lab.status(self.args.predis, node.grpc)["tenants"]
            found = [tenant["max_connections"] for tenant in tenants if tenant["name"] == "upgrade"]
            self.checks.that(found == [SNAPSHOT_EVERY + 100], f"mixed: node {node.number} says {found}")
            caller.channel.close()

    def last(self):
        """Nobody is left who reads the old version alone."""
        node = next(node for node in self.nodes if node.predis == self.args.old)
        self.replace(node, self.args.predis, "last")
        self.level += 1
        self.expect("last", self.level, {f"node-{node.number}": self.level for node in self.nodes})
        metrics = [member["metrics_addr"] for member in self.status()["nodes"]]
        due = [f"127.0.0.1:{node.metrics}" for node in self.nodes]
        self.checks.that(sorted(metrics) == sorted(due), f"last: metrics addresses {metrics}")
        admin = Admin(grpc.insecure_channel(f"127.0.0.1:{node.grpc}"))
        admin.call("Tenants.Remove", name="upgrade")
        admin.channel.close()

    def too_old(self):
        """No way back."""
        self.settle()
        node = next(node for node in self.nodes if not self.leads(node))
        code, took_s = node.terminate()
        self.checks.that(code == 0, f"too_old: node {node.number} ended with {code} after {took_s:.1f} s")
        node.predis = self.args.old
        node.start()
        words = rf"written in version {self.level}\b.* reads versions 1 to {self.level - 1}: upgrade it"
        self.refused(node, words, "on its data directory")
        stranger = self.stranger(6, self.args.old)
        words = rf"metadata is of version {self.level}, the node understands {self.level - 1}: upgrade"
        self.refused(stranger, words, "on an empty directory")
        others = [other for other in self.nodes if other is not node]
        self.await_served(others, time.monotonic(), "too old")
        node.predis = self.args.predis
        node.start()
        lab.until("it is back as what it was", 30, lambda: self.running(node) and node.ready())
        self.expect("too_old", self.level, {f"node-{node.number}": self.level for node in self.nodes})

    def refused(self, node, words, what):
        """Its process ends and says why."""
        try:
            code = node.child.wait(60)
        except subprocess.TimeoutExpired:
            self.checks.that(False, f"too_old: the old program runs on, {what}: {node.tail(5)}")
            node.kill()
            return
        said = node.tail(5)
        self.checks.that(code in (1, 2) and re.search(words, said), f"too_old, {what}: it ends with {code} and says {said}")
        print(f"too_old, {what}: {said.splitlines()[-1]}", flush=True)


def main():
    """Runs the steps in their order."""
    parser = argparse.ArgumentParser()
    parser.add_argument("predis", type=lab.binary)
    parser.add_argument("--old", type=lab.binary, required=True)
    parser.add_argument("--base-port", type=int, default=21901)
    parser.add_argument("--limit", type=float, default=5.0)
    args = parser.parse_args()
    checks = lab.Checks("upgrade")
    with lab.workplace("upgrade") as folder:
        rig = Upgrade(args, folder, checks)
        try:
            for node in rig.nodes:
                node.start()
            lab.await_cluster(args.predis, rig.nodes, 60)
            rig.newcomer()
            lab.await_cluster(args.predis, rig.nodes, 60)
            rig.load = Load(rig.ports, processes=1, threads=2)
            for step in (rig.back, rig.mixed, rig.last, rig.too_old):
                step()
        except (lab.Failed, lab.Ended, grpc.RpcError) as failure:
            checks.that(False, str(failure))
        finally:
            if rig.load:
                rig.load.stop()
            for node in rig.nodes + rig.strangers:
                if node.alive():
                    node.kill()
        for log in sorted(folder.glob("node-*.log")):
            text = log.read_text(encoding="utf-8", errors="replace")
            checks.that("panicked" not in text, f"{log.name}: it panicked")
        for name, seconds in sorted(rig.times.items()):
            print(f"  {name} (min/median/max of {len(seconds)}): {lab.extremes(seconds)}")
        checks.finish(f"{rig.operations} operations of the load")


if __name__ == "__main__":
    main()
