"""Three `predis server` processes under quorum and under load from redis-py's cluster client, and kill -9.

usage: kills.py PREDIS [--base-port 18101] [--rounds 5] [--only follower,leader,...]
                [--processes 2] [--threads 2] [--limit 5.0]

follower  a node that is not the Raft leader is killed: until the survivors' CLUSTER SLOTS have all slots without
          it and a write to every partition succeeds must take at most --limit seconds; metadata intact; it is
          started again and must come up as a greater incarnation
leader    the same with the Raft leader
all       all three are killed and started: cluster, tenants, members and seats as before, all slots served again
swift     a node is killed and started again within 200 ms, while its keys are read from all nodes all the time:
          never nil for an acknowledged key
paused    a node is stopped (SIGSTOP) until the others serve all slots and took new values, then goes on, with
          commands waiting in its sockets: it must neither give an old value nor acknowledge a write
stalled   the Raft leader is stopped for a moment only, from well within its lease to beyond an election, as by a
          busy machine: whatever that costs itself, partitions of the nodes that never stopped lose nothing

In every round but `all`: what was acknowledged is there, no read gives a value that was overwritten, `lost` does not
grow, and a partition whose primary died has a new epoch. Run it with a Python that has redis-py.
"""

import argparse
import signal
import threading
import time

import lab
from load import Load


# For how long the leader stands still: the lease is a second, elections begin 1.2 to 1.5 s after the last heartbeat.
STALLS_S = [0.3, 0.8, 1.1, 1.5, 2.5]


class Rig:
    """The nodes, the load, and what is being measured."""

    def __init__(self, args, folder, checks):
        self.args, self.checks = args, checks
        self.nodes = lab.servers(args.predis, args.base_port, folder, founding=["--ack", "quorum"])
        self.ports = [node.resp for node in self.nodes]
        self.load, self.probes, self.times, self.notes = None, [], {}, {}
        self.operations = 0

    def status(self, nodes=None):
        """The agreed state, from whichever of the nodes answers."""
        def ask():
            for node in nodes or self.nodes:
                try:
                    return lab.status(self.args.predis, node.grpc)
                except lab.Failed as error:
                    last = error
            raise last

        return lab.until("ctl cluster status", 15, ask, 0.1)

    def note(self, name, seconds):
        """Remembers a duration."""
        self.times.setdefault(name, []).append(seconds)

    def settle(self):
        """Empty keys, spread partitions, running load: how every round begins; the state."""
        self.load.tell("pause")
        lab.until("FLUSHALL everywhere", 10, self.flush)
        self.load.tell("forget")
        state = lab.await_cluster(self.args.predis, self.nodes)
        self.probes = lab.partition_keys(state["partition_count"])
        self.load.tell("run")
        # The load has written enough that every partition has something to lose.
        lab.until("the partitions fill", 30, lambda: self.key_count() > 1500, 0.1)
        return self.status()

    def flush(self):
        for port in self.ports:
            with lab.Resp(port) as client:
                if client.call("FLUSHALL") != "OK":
                    return False
        return self.key_count() == 0

    def key_count(self):
        count = 0
        for port in self.ports:
            with lab.Resp(port) as client:
                count += client.call("DBSIZE")
        return count

    def watch_living(self, before, nodes, name):
        """Writes to partitions of nodes that live, straight to them, until told to stop; notes how long they refuse."""
        stop, ports = threading.Event(), {}
        for node in before["nodes"]:
            ports[node["id"]] = int(node["resp_addr"].rsplit(":", 1)[1])
        living = {node.resp for node in nodes}
        mine = {}
        for key, partition in zip(self.probes, before["partitions"], strict=True):
            if ports[partition["primary"]] in living:
                mine.setdefault(ports[partition["primary"]], key)

        def watch():
            clients, worst, since = {port: lab.Resp(port) for port in mine}, 0.0, {}
            while not stop.is_set():
                for port, key in mine.items():
                    now, reply = time.monotonic(), clients[port].call("SET", key, "probe")
                    if reply == "OK":
                        worst = max(worst, now - since.pop(port, now))
                    else:
                        since.setdefault(port, now)
                time.sleep(0.002)
            self.note(f"{name}: partitions whose primary lives refuse writes for up to", worst)

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        return lambda: (stop.set(), thread.join(10))

    def await_served(self, nodes, since, name):
        """Waits until the nodes have all slots and take a write to every partition; notes both times."""
        ports = {node.resp for node in nodes}
        mapped = None

        def served():
            nonlocal mapped
            maps = [lab.slot_map(port) for port in sorted(ports)]
            if not all(lab.covers(ranges) and {port for *_, port in ranges} <= ports for ranges in maps):
                return False
            mapped = mapped or time.monotonic()
            return all(self.writes(maps[0]))

        lab.until("all slots are served", 30, served)
        self.note(f"{name}: CLUSTER SLOTS complete", mapped - since)
        took_s = time.monotonic() - since
        self.note(f"{name}: a write to every partition succeeds", took_s)
        return took_s

    def writes(self, ranges):
        """Writes to every partition where the map says; whether each succeeded."""
        owners, width = [None] * lab.SLOTS, lab.SLOTS // len(self.probes)
        for first, last, port in ranges:
            owners[first : last + 1] = [port] * (last - first + 1)
        done = []
        for owner in sorted(set(owners)):
            keys = [key for at, key in enumerate(self.probes) if owners[at * width] == owner]
            with lab.Resp(owner, 2) as client:
                done += [reply == "OK" for reply in client.pipeline([("SET", key, "probe") for key in keys])]
        return done

    def same_cluster(self, before, after, what):
        """The metadata that no kill may change."""
        for field in ("cluster", "created_at_ms", "copies", "partition_count", "tenants"):
            self.checks.that(before[field] == after[field], f"{what}: {field} {before[field]} became {after[field]}")
        fixed = ("id", "name", "resp_addr", "grpc_addr", "metrics_addr", "zone", "region", "weight", "mode")
        members = [[[node[field] for field in fixed] for node in state["nodes"]] for state in (before, after)]
        self.checks.that(members[0] == members[1], f"{what}: members {members[0]} became {members[1]}")

    def lost(self, before, after, dead, what):
        """`lost` grew for no partition, and those whose primary died have a new epoch; by how much for each."""
        grown = [now["lost"] - then["lost"] for then, now in zip(before["partitions"], after["partitions"], strict=True)]
        died = [int(partition["primary"] in dead) for partition in before["partitions"]]
        odd = [(at, growth) for at, growth in enumerate(grown) if growth]
        self.checks.that(not odd, f"{what}: lost counters that should not have grown so (partition, by): {odd[:10]}")
        epochs = zip(before["partitions"], after["partitions"], died, strict=True)
        stale = [then["id"] for then, now, due in epochs if due and now["epoch"] <= then["epoch"]]
        self.checks.that(not stale, f"{what}: given to another without a new epoch: {stale[:10]}")
        return grown

    def judge_load(self, grown, since, what, outage_s):
        """Has the load read everything back and holds what it missed against the lost counters."""
        reports = self.load.tell("pause")
        self.operations += sum(report["done"] for report in reports)
        gap_s = max(report["gap_s"] for report in reports)
        late = [
            text for report in reports for at, text in report["error_times"] if not since <= at <= since + outage_s + 1.5
        ]
        errors = sum(sum(report["errors"].values()) for report in reports)
        reports = self.load.tell("verify")
        wrong = [text for report in reports for text in report["wrong"]]
        self.checks.that(not wrong, f"{what}: wrong values: {wrong[:5]}")
        width, unexplained = lab.SLOTS // len(grown), 0
        for report in reports:
            unexplained += sum(grown[slot // width] == 0 for slot in report["missing"])
        self.checks.that(unexplained == 0, f"{what}: {unexplained} keys of partitions that lost nothing are gone")
        self.checks.that(not late, f"{what}: {len(late)} errors outside the outage: {late[:3]}")
        self.note(f"{what.split()[0]}: longest silence of a client thread", gap_s)
        return errors, sum(report["keys"] for report in reports)

    def one_dies(self, kind, number):
        """A follower or the leader is killed and comes back."""
        what = f"{kind} {number}"
        before = self.settle()
        leads = {node["id"]: node["role"] == "leader" for node in before["nodes"]}
        ids = [node for node, leading in sorted(leads.items()) if leading == (kind == "leader")]
        dead = ids[number % len(ids)]
        name = next(node["name"] for node in before["nodes"] if node["id"] == dead)
        victim = next(node for node in self.nodes if f"node-{node.number}" == name)
        survivors = [node for node in self.nodes if node is not victim]
        end_watch = self.watch_living(before, survivors, kind)
        since = time.monotonic()
        victim.kill()
        took_s = self.await_served(survivors, since, kind)
        end_watch()
        self.checks.that(took_s <= self.args.limit, f"{what}: all slots served only after {took_s:.2f} s")
        after = self.status(survivors)
        self.same_cluster(before, after, what)
        self.checks.that(after["leader"] not in (None, dead), f"{what}: the leader is {after['leader']}")
        grown = self.lost(before, after, {dead}, what)

        restarted = time.monotonic()
        victim.start()
        was = next(node["incarnation"] for node in before["nodes"] if node["id"] == dead)

        def back():
            state = self.status(survivors)
            found = next(node for node in state["nodes"] if node["id"] == dead)
            return found["status"] == "up" and found["incarnation"] > was and victim.ready() and state

        self.same_cluster(before, lab.until("it is back", 20, back), f"{what} back")
        self.note(f"{kind}: back as a greater incarnation", time.monotonic() - restarted)
        with lab.Resp(victim.resp) as client:
            self.checks.that(client.call("PING") == "PONG", f"{what}: the node that came back does not answer")
        errors, keys = self.judge_load(grown, since, what, time.monotonic() - since)
        print(f"{what}: node {dead} died, {took_s:.2f} s until all was served, {errors} errors, {keys} keys read back", flush=True)

    def all_die(self, number):
        """All are killed and started."""
        what = f"all {number}"
        before = self.settle()
        since = time.monotonic()
        for node in self.nodes:
            node.kill()
        for node in self.nodes:
            node.start()
        restarted = time.monotonic()
        took_s = self.await_served(self.nodes, restarted, "all")
        lab.until("all are ready", 20, lambda: all(node.ready() for node in self.nodes))
        after = self.status()
        self.same_cluster(before, after, what)
        seats = [[sorted(p["replicas"]) for p in state["partitions"]] for state in (before, after)]
        moved = sum(then != now for then, now in zip(*seats, strict=True))
        self.checks.that(moved == 0, f"{what}: {moved} partitions have other seats than before")
        for then, now in zip(before["nodes"], after["nodes"], strict=True):
            self.checks.that(now["incarnation"] > then["incarnation"], f"{what}: node {now['id']} has no new incarnation")
        dead = {node["id"] for node in before["nodes"]}
        grown = [now["lost"] - then["lost"] for then, now in zip(before["partitions"], after["partitions"], strict=True)]
        self.checks.that(all(grown), f"{what}: {grown.count(0)} partitions lost everything and say nothing (of {dead})")
        errors, keys = self.judge_load(grown, since, what, time.monotonic() - since)
        print(f"{what}: {took_s:.2f} s from the start until all was served, {errors} errors, {keys} keys read back", flush=True)

    def swift(self, number):
        """One is killed and back within its lease."""
        what = f"swift {number}"
        before = self.settle()
        victim = self.nodes[number % len(self.nodes)]
        dead = next(node["id"] for node in before["nodes"] if node["name"] == f"node-{victim.number}")
        keys = [key for key, partition in zip(self.probes, before["partitions"], strict=True) if partition["primary"] == dead]
        self.checks.that(all(self.writes(lab.slot_map(victim.resp))), f"{what}: not every partition took its key")
        since = time.monotonic()
        victim.kill()
        victim.start()
        pause_ms = (time.monotonic() - since) * 1000
        self.checks.that(pause_ms < 200, f"{what}: started only {pause_ms:.0f} ms after the kill")
        counts = self.read_on(keys, what)
        took_s = self.await_served(self.nodes, since, "swift")
        self.checks.that(took_s <= self.args.limit, f"{what}: all slots served only after {took_s:.2f} s")
        after = self.status()
        self.same_cluster(before, after, what)
        grown = self.lost(before, after, {dead}, what)
        errors, read = self.judge_load(grown, since, what, time.monotonic() - since)
        leads = "leader" if before["leader"] == dead else "follower"
        print(f"{what}: node {dead} ({leads}) back {pause_ms:.0f} ms after its kill; reads of its keys gave {counts}; "
              f"{took_s:.2f} s until all was served, {errors} errors, {read} keys read back", flush=True)

    def paused(self, number):
        """One is stopped, replaced, and goes on as if nothing had happened."""
        what = f"paused {number}"
        before = self.settle()
        victim = self.nodes[number % len(self.nodes)]
        survivors = [node for node in self.nodes if node is not victim]
        dead = next(node["id"] for node in before["nodes"] if node["name"] == f"node-{victim.number}")
        keys = [key for key, partition in zip(self.probes, before["partitions"], strict=True) if partition["primary"] == dead]
        with lab.Resp(victim.resp, 10) as early:
            replies = early.pipeline([("SET", key, "old") for key in keys])
            self.checks.that(replies == ["OK"] * len(keys), f"{what}: not every partition took its key")
            since = time.monotonic()
            victim.child.send_signal(signal.SIGSTOP)
            try:
                took_s = self.await_served(survivors, since, "paused")
                # These wait in the socket and are the first that it sees when it goes on.
                commands = [words for key in keys for words in (("GET", key), ("SET", key, "stale"), ("GET", key))]
                early.send(b"".join(lab.encode(*words) for words in commands))
            finally:
                victim.child.send_signal(signal.SIGCONT)
            self.checks.that(took_s <= self.args.limit, f"{what}: all slots served only after {took_s:.2f} s")
            answers = []
            try:
                answers = [early.reply() for _ in commands]
            except OSError:
                # That the connection ends is as good as a refusal.
                pass
        good = [answer for answer in answers if not isinstance(answer, lab.RespError)]
        self.checks.that(not good, f"{what}: the node that was replaced answers {good[:3]} ({len(good)} of {len(answers)})")
        counts = {}
        for _ in range(20):
            try:
                with lab.Resp(victim.resp, 10) as late:
                    replies = late.pipeline([("GET", key) for key in keys])
            except OSError:
                # It notices that its life is over, and ends it.
                replies = [lab.RespError("(closed)")]
            for reply in replies:
                name = reply.split()[0] if isinstance(reply, lab.RespError) else repr(reply)
                counts[name] = counts.get(name, 0) + 1
        # "probe" is what the survivors were given meanwhile; it may have been given a partition back, empty.
        self.checks.that(not {"b'old'", "b'stale'"} & set(counts), f"{what}: afterwards it answers {counts}")
        lab.until("it is ready again", 20, victim.ready)
        after = self.quiet()
        self.same_cluster(before, after, what)
        grown = self.lost(before, after, {dead}, what)
        errors, read = self.judge_load(grown, since, what, time.monotonic() - since)
        leads = "leader" if before["leader"] == dead else "follower"
        print(f"{what}: node {dead} ({leads}) was stopped, {took_s:.2f} s until all was served; it then refused "
              f"{len(answers) - len(good)} of {len(commands)}, later {counts}; {errors} errors, {read} keys read back", flush=True)

    def quiet(self):
        """The state once it is the same a lease apart: everybody is done with judging."""
        def unchanged():
            state, end = self.status(), time.monotonic() + 1.2
            lab.until("a lease is over", 5, lambda: time.monotonic() > end)
            return state["partitions"] == self.status()["partitions"] and state

        return lab.until("the partitions stay where they are", 20, unchanged)

    def stalled(self, number):
        """The leader stands still for a moment."""
        what, pause_s = f"stalled {number}", STALLS_S[(number - 1) % len(STALLS_S)]
        before = self.settle()
        dead = before["leader"]
        name = next(node["name"] for node in before["nodes"] if node["id"] == dead)
        victim = next(node for node in self.nodes if f"node-{node.number}" == name)
        since = time.monotonic()
        victim.child.send_signal(signal.SIGSTOP)
        # How long it stands still is what is tried, so this is a time and nothing to look for.
        time.sleep(pause_s)
        victim.child.send_signal(signal.SIGCONT)
        took_s = self.await_served(self.nodes, since + pause_s, "stalled")
        self.checks.that(took_s <= self.args.limit, f"{what}: all slots served only after {took_s:.2f} s")

        after = self.quiet()
        self.same_cluster(before, after, what)
        grown = [now["lost"] - then["lost"] for then, now in zip(before["partitions"], after["partitions"], strict=True)]
        own = sum(growth for growth, then in zip(grown, before["partitions"], strict=True) if then["primary"] == dead)
        others = sum(growth for growth, then in zip(grown, before["partitions"], strict=True) if then["primary"] != dead)
        self.checks.that(others == 0, f"{what}: the leader stood still for {pause_s} s, partitions of others were lost {others} times")
        errors, read = self.judge_load(grown, since, what, time.monotonic() - since)
        print(f"{what}: the leader stood still for {pause_s} s; {own} of its own partitions lost, {others} of others; "
              f"{took_s:.2f} s from its going on until all was served, {errors} errors, {read} keys read back", flush=True)

    def read_on(self, keys, what):
        """Reads the dead node's keys from every node until somebody gives each of them; counts what came."""
        counts, given, began = {"value": 0, "nil": 0, "refused": 0, "unreachable": 0}, set(), time.monotonic()
        while len(given) < len(keys) and time.monotonic() - began < 15:
            for port in self.ports:
                try:
                    with lab.Resp(port, 1) as client:
                        replies = client.pipeline([("GET", key) for key in keys])
                except OSError:
                    counts["unreachable"] += 1
                    continue
                given.update(key for key, reply in zip(keys, replies, strict=True) if reply == b"probe")
                counts["nil"] += replies.count(None)
                counts["value"] += replies.count(b"probe")
                counts["refused"] += sum(isinstance(reply, lab.RespError) for reply in replies)
                odd = [r for r in replies if r != b"probe" and not isinstance(r, lab.RespError)]
                self.checks.that(not odd, f"{what}: port {port} answers {odd[:3]}")
        return counts


def main():
    """Runs the scenarios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("predis", type=lab.binary)
    parser.add_argument("--base-port", type=int, default=18101)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="follower,leader,all,swift,paused,stalled")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=float, default=5.0)
    args = parser.parse_args()
    checks = lab.Checks("kills")
    with lab.workplace("kills") as folder:
        rig = Rig(args, folder, checks)
        with lab.running(rig.nodes):
            for node in rig.nodes:
                node.start()
            try:
                lab.await_cluster(args.predis, rig.nodes)
                rig.load = Load(rig.ports, args.processes, args.threads)
                for scenario in args.only.split(","):
                    for number in range(1, args.rounds + 1):
                        if scenario in ("follower", "leader"):
                            rig.one_dies(scenario, number)
                        else:
                            getattr(rig, {"all": "all_die"}.get(scenario, scenario))(number)
            except (lab.Failed, lab.Ended) as failure:
                checks.that(False, str(failure))
            finally:
                if rig.load:
                    rig.load.stop()
            for node in rig.nodes:
                log = node.log.read_text(encoding="utf-8", errors="replace")
                checks.that("panicked" not in log, f"node {node.number} panicked")
        for name, seconds in sorted(rig.times.items()):
            print(f"  {name} (min/median/max of {len(seconds)}): {lab.extremes(seconds)}")
        checks.finish(f"{rig.operations} operations of the load")


if __name__ == "__main__":
    main()
