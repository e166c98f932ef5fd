"""Real processes among faults of real networks, processes and disks, under clients whose history is then judged.

usage: hostile.py PREDIS [--seconds 90] [--nodes 3] [--copies 3] [--seed N] [--only KIND ...]
                  [--singly] [--judge CHECK_HISTORY] [--verbose]

Three to five `predis server` with TLS and tokens, each in a network namespace of its own, under `--ack quorum`.
Clients share a few keys at a time and write down what they ask and hear. Meanwhile a schedule drawn from the seed does
to the nodes, one or two at a time:

kill      SIGKILL, and started again after a while
stop      SIGSTOP for one to ten seconds
cut       nothing gets from the node to the others or back; clients still reach it, or do not
oneway    the node does not hear the others, or is not heard by them
flap      its link goes down and up
narrow    its link lets through less than it needs (tc tbf)
delay     what others and clients say to the node, and its answers, are late (node 1, behind a proxy)
reset     connections to the node end in the middle of what they carry (the same)
deaf      nobody can connect to the node, which connects to whom it will, and perhaps dies of it (the same)
full      its disk is full (node 2, whose data directory is a small tmpfs): it may stop, and is started again later

In the end all is mended; then every node must be up, every slot served and every copy in sync, every key is read once
more, and `check-history` must find the history of each linearizable. What a partition was declared lost for is in the
history; with --singly, one fault comes at a time and the next once all is whole, and nothing may be lost. Needs root and ip, iptables, tc and unshare; without, says so and is skipped. Needs cargo, or `--judge`.
"""

import argparse
import collections
import json
import os
import pathlib
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import hostile_clients
import hostile_net
import lab
from hostile_net import GRPC, METRICS, RESP

HERE = pathlib.Path(__file__).resolve().parent
KINDS = ("kill", "stop", "cut", "oneway", "flap", "narrow", "delay", "reset", "deaf", "full")
# Done by the proxy, so to the node behind it, which is the first to lead.
BY_PROXY, PROXIED = ("delay", "reset", "deaf"), 1
DISK_MIB, SMALL_DISK, PARTITIONS = 24, 2, 64
PROCESSES, THREADS = 2, 5


class Node(lab.Process):
    """A server in its namespace, with its proxy if it has one."""

    def __init__(self, predis, folder, number, proxied, more):
        super().__init__(predis, [], folder / f"node-{number}.log")
        self.predis, self.number, self.more, self.expected = predis, number, more, True
        self.place, self.data = hostile_net.Place(number, proxied), folder / f"data-{number}"
        self.data.mkdir()
        self.proxy = None
        if number == SMALL_DISK:
            hostile_net.run("mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "disk", self.data)
        if proxied:
            ports = (self.place.host, RESP, GRPC, METRICS)
            words = self.place.within(sys.executable, HERE / "hostile_proxy.py", self.place.advertised, *ports)
            with open(folder / "proxy.log", "wb") as log:
                self.proxy = subprocess.Popen(words, stdin=subprocess.PIPE, stderr=log)

    def start(self):
        """Starts it, as what its data directory says that it is."""
        host, known = self.place.host, (self.data / "node.json").exists()
        how = [word for word in self.more if not (known and word in ("--bootstrap", "--require-auth"))]
        self.args = self.place.within(
            self.predis, "server", "--name", f"node-{self.number}", "--data-dir", self.data, "--listen", f"{host}:{RESP}",
            "--grpc", f"{host}:{GRPC}", "--metrics", f"{host}:{METRICS}", "--advertise", self.place.advertised, *how,
        )
        super().start()

    def order(self, **what):
        """Tells the proxy."""
        self.proxy.stdin.write((json.dumps(what) + "\n").encode())
        self.proxy.stdin.flush()


class Rig:
    """The nodes, the clients, and what is done to them."""

    def __init__(self, args, folder, checks):
        self.args, self.folder, self.checks = args, folder, checks
        self.begun_us, self.told, self.lock = hostile_clients.now_us(), [], threading.Lock()
        self.faults, self.stopped_by_full = collections.Counter(), 0
        # No more faults; and nothing more that the history would have to have.
        self.over, self.complete = threading.Event(), threading.Event()
        self.busy, self.free = set(), threading.Condition()
        hostile_net.prepare()
        self.certs = folder / "certs"
        self.predis("certs", "init", "--out", self.certs)
        self.issue("client", "tester")
        self.nodes = []
        for number in range(1, args.nodes + 1):
            self.nodes.append(self.node(number))
        self.last_asked, self.clients = self.nodes[0], []
        self.losses, self.lost_lines = None, []

    def predis(self, *words):
        """A command that has to succeed."""
        return hostile_net.run(self.args.predis, *words)

    def issue(self, kind, name, hosts=()):
        """The flags of whoever has this certificate."""
        more = [word for host in hosts for word in ("--host", host)]
        self.predis("certs", "issue", kind, "--name", name, "--authority-dir", self.certs, "--out", self.certs, *more)
        return self.papers(name)

    def papers(self, name):
        """The flags that name a certificate's files."""
        files = {"authority": "ca.crt", "certificate": f"{name}.crt", "key": f"{name}.key"}
        return [word for flag, file in files.items() for word in (f"--tls-{flag}", str(self.certs / file))]

    def node(self, number):
        """One node, not started."""
        proxied = number == PROXIED
        hosts = sorted({f"10.77.0.{number}", f"10.77.0.{100 + number}"})
        more = self.issue("member", f"member-{number}", hosts) + ["--tls-clients", "required"]
        if number == 1:
            more += ["--bootstrap", "--require-auth", "--ack", "quorum", "--copies", self.args.copies]
            more += ["--partitions", PARTITIONS]
        else:
            more += ["--join", f"{self.nodes[0].place.advertised}:{GRPC}"]
        return Node(self.args.predis, self.folder, number, proxied, more)

    def say(self, text):
        """A line of what happens, with its time."""
        at = (hostile_clients.now_us() - self.begun_us) / 1e6
        with self.lock:
            self.told.append(f"{at:8.2f} {text}")
            if self.args.verbose:
                print(self.told[-1], flush=True)

    def status(self, limit_s=2):
        """The state as a majority has it, from the node that answered last or any other."""
        nodes = [self.last_asked] + [node for node in self.nodes if node is not self.last_asked]
        for node in nodes:
            addr = f"{node.place.advertised}:{GRPC}"
            command = [self.args.predis, "ctl", "--addr", addr, *self.papers("tester"), "--json", "cluster", "status"]
            try:
                done = subprocess.run(
                    command, capture_output=True, timeout=limit_s, check=True, env={**os.environ, "PREDIS_TOKEN": self.token}
                )
                self.last_asked = node
                return json.loads(done.stdout)
            except (subprocess.SubprocessError, ValueError) as error:
                last = getattr(error, "stderr", None) or error
        raise lab.Failed(f"ctl: {last!r}")

    def start(self):
        """The cluster, one node after the other, and the clients."""
        for node in self.nodes:
            node.start()
            node.await_log("serving", 60)
        self.token = (self.nodes[0].data / "admin.token").read_text(encoding="ascii").strip()
        lab.until("the cluster is whole", 60, self.whole, 0.2)
        for number in range(PROCESSES):
            words = [sys.executable, str(HERE / "hostile_clients.py")]
            child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.clients.append(child)
            plan = {
                "nodes": [[node.place.advertised, RESP] for node in self.nodes], "token": self.token, "number": number,
                "authority": str(self.certs / "ca.crt"), "certificate": str(self.certs / "tester.crt"),
                "key": str(self.certs / "tester.key"), "processes": PROCESSES, "threads": THREADS, "seed": self.args.seed,
                "begun_us": self.begun_us, "history": str(self.folder / f"history-{number}.json"),
            }
            child.stdin.write(json.dumps(plan) + "\n")
            child.stdin.flush()

    def whole(self):
        """Whether all nodes are up, every slot served and every copy in sync."""
        now = self.status()
        up = [node for node in now["nodes"] if node["status"] == "up"]
        copies = min(self.args.copies, len(self.nodes))
        synced = all(len(partition["in_sync"]) == copies for partition in now["partitions"])
        return len(up) == len(self.nodes) and now["slots_served"] == lab.SLOTS and synced and now

    def tell(self, order, limit_s):
        """Tells all client processes; their answers."""
        for child in self.clients:
            child.stdin.write(f"{order}\n")
            child.stdin.flush()
        answers = queue.Queue()
        for child in self.clients:
            threading.Thread(target=lambda child=child: answers.put(child.stdout.readline()), daemon=True).start()
        return [json.loads(answers.get(timeout=limit_s)) for _ in self.clients]

    def watch_losses(self):
        """Notes between which moments a partition was declared lost, until the history is complete."""
        since = hostile_clients.now_us()
        seen = [partition["lost"] for partition in self.status()["partitions"]]
        while True:
            last, asked = self.complete.wait(0.25), hostile_clients.now_us()
            try:
                now = [partition["lost"] for partition in self.status()["partitions"]]
            except lab.Failed:
                continue
            answered = hostile_clients.now_us()
            for at, (then, count) in enumerate(zip(seen, now, strict=True)):
                if count > then:
                    self.say(f"partition {at} was lost, {count - then} times")
                    self.note_loss(at, count - then, since, answered)
            seen, since = now, asked
            if last:
                return

    def note_loss(self, partition, times, since, answered):
        """Lines for the keys that the partition may have had by then."""
        width = lab.SLOTS // PARTITIONS
        for number in range((answered - self.begun_us) // hostile_clients.ROUND_US + 1):
            for key in hostile_clients.keys_of(number):
                if lab.key_slot(key) // width == partition:
                    line = {"client": "loss", "key": key, "call_us": since, "return_us": answered, "op": "LOST"}
                    self.lost_lines += [line] * times

    def pause(self, seconds):
        """Lets time pass; whether there is more of it."""
        return not self.over.wait(seconds)

    def schedule(self, hand):
        """One hand's faults, all drawn beforehand: kind, node, how long, a choice, and the pause before."""
        rng, drawn = random.Random(f"{self.args.seed}:{hand}"), []
        while len(drawn) < 2000:
            bag = list(self.args.only)
            rng.shuffle(bag)
            for kind in bag:
                number = {"full": SMALL_DISK, **dict.fromkeys(BY_PROXY, PROXIED)}.get(kind)
                victim = self.nodes[(number or rng.randint(1, len(self.nodes))) - 1]
                pause = rng.uniform(0.3, 2.5) if hand == 0 else rng.uniform(4, 12)
                drawn.append((pause, kind, victim, rng.random(), rng.randrange(2**32)))
        return drawn

    def hand(self, number):
        """Does its faults one after the other, never to a node that the other hand is at."""
        for pause, kind, victim, length, seed in self.schedule(number):
            if not self.pause(pause):
                return
            with self.free:
                self.free.wait_for(lambda victim=victim: victim.number not in self.busy or self.over.is_set())
                if self.over.is_set():
                    return
                self.busy.add(victim.number)
            try:
                self.faults[kind] += 1
                self.say(f"{kind} node {victim.number}")
                getattr(self, kind)(victim, length, random.Random(seed))
                self.revive(victim, kind)
                self.say(f"{kind} node {victim.number} is over")
                if self.args.singly:
                    lab.until(f"all is whole after {kind} of node {victim.number}", 60, self.whole, 0.2)
            except Exception as error:  # A fault that cannot be done is one of this script's.
                self.checks.that(False, f"{kind} of node {victim.number}: {error!r}")
                self.over.set()
            finally:
                with self.free:
                    self.busy.discard(victim.number)
                    self.free.notify_all()

    def revive(self, victim, kind):
        """Starts a node again that ended; only one whose disk was full may have ended by itself."""
        if victim.alive():
            return
        if victim.expected:
            self.checks.that(kind == "full", f"node {victim.number} ended by itself: {kind}: {victim.tail(5)}")
            self.stopped_by_full += kind == "full"
            self.say(f"node {victim.number} had ended by itself: {victim.tail(1)}")
        victim.expected = True
        victim.start()

    def others(self, victim):
        """The addresses of the other nodes."""
        return sorted({host for node in self.nodes if node is not victim for host in (node.place.host, node.place.advertised)})

    def kill(self, victim, length, _rng):
        """SIGKILL."""
        victim.expected = False
        victim.kill()
        self.pause(0.05 + 4 * length**2)

    def stop(self, victim, length, _rng):
        """SIGSTOP."""
        victim.child.send_signal(signal.SIGSTOP)
        self.pause(1 + 9 * length**2)
        victim.child.send_signal(signal.SIGCONT)

    def cut(self, victim, length, rng):
        """Both ways."""
        hosts = self.others(victim) + ([hostile_net.CLIENTS] if rng.random() < 0.3 else [])
        victim.place.drop(hosts, True, True)
        self.pause(0.3 + 7 * length)
        victim.place.pass_all()

    def oneway(self, victim, length, rng):
        """One way."""
        deaf = rng.random() < 0.5
        victim.place.drop(self.others(victim), deaf, not deaf)
        self.pause(0.3 + 7 * length)
        victim.place.pass_all()

    def flap(self, victim, length, rng):
        """Up and down."""
        for _ in range(2 + int(8 * length)):
            victim.place.link(False)
            self.pause(rng.uniform(0.05, 0.6))
            victim.place.link(True)
            self.pause(rng.uniform(0.05, 0.6))

    def narrow(self, victim, length, rng):
        """A thin link."""
        victim.place.narrow(rng.choice([64, 200, 1000]))
        self.pause(1 + 6 * length)
        victim.place.narrow(None)

    def delay(self, victim, length, rng):
        """Late."""
        for _ in range(1 + int(3 * length)):
            victim.order(delay_ms=rng.choice([20, 100, 400, 900, 1500]))
            self.pause(rng.uniform(0.5, 3))
        victim.order(delay_ms=0)

    def reset(self, victim, length, rng):
        """Ended connections."""
        for _ in range(1 + int(10 * length)):
            victim.order(reset=True)
            self.pause(rng.uniform(0.05, 0.5))

    def deaf(self, victim, length, rng):
        """Not to be reached; and sometimes it dies of it."""
        victim.order(deaf=True)
        self.pause(0.5 + 7 * length)
        if rng.random() < 0.5:
            victim.expected = False
            victim.kill()
        victim.order(deaf=False)

    def full(self, victim, length, _rng):
        """No room: what is left is taken, again and again, since what it deletes makes room."""
        filler = victim.data / "filler"
        end = time.monotonic() + 2 + 6 * length
        with open(filler, "ab", buffering=0) as file:
            while time.monotonic() < end:
                try:
                    while file.write(b"x" * 4096):
                        pass
                except OSError:
                    self.pause(0.02)
        filler.unlink()
        # What it decides to do about it is up to it, but is done by now.
        self.pause(0.5)

    def mend(self):
        """The hands are done with their last faults, which mend what they broke."""
        self.over.set()
        with self.free:
            self.free.notify_all()
        for hand in self.hands:
            hand.join(90)
            self.checks.that(not hand.is_alive(), "a fault does not end")

    def storm(self):
        """All that happens until the history is complete."""
        losses = threading.Thread(target=self.watch_losses, daemon=True)
        losses.start()
        hands = (0,) if self.args.singly else (0, 1)
        self.hands = [threading.Thread(target=self.hand, args=(number,), daemon=True) for number in hands]
        for hand in self.hands:
            hand.start()
        self.over.wait(self.args.seconds)
        self.mend()
        began = time.monotonic()
        try:
            lab.until("all nodes are up and all copies in sync again", 60, self.whole, 0.2)
            self.checks.that(True, "whole")
        except lab.Failed as failure:
            self.checks.that(False, str(failure))
        self.healed_s = time.monotonic() - began
        # The clients went on until here, and read what they wrote once nothing changes any more.
        stopped = self.tell("stop", 60)
        read = self.tell("read", 120)
        self.complete.set()
        losses.join(30)
        self.checks.that(not losses.is_alive(), "the losses are not known to the end")
        missing = [key for answer in read for key in answer["missing"]]
        self.checks.that(not missing, f"{len(missing)} keys cannot be read in the end: {missing[:5]}")
        self.keys = sum(answer["keys"] for answer in read)
        odd = [text for answer in read for text in answer["odd"]]
        self.checks.that(not odd, f"answers that nobody expected: {odd[:5]}")
        self.counted = sum((collections.Counter(answer["counted"]) for answer in read), collections.Counter())
        self.longest_s = max(answer["longest_us"] for answer in stopped) / 1e6

    def judge(self):
        """What check-history says of all that was written down."""
        history = self.folder / "history.json"
        with open(history, "w", encoding="utf-8") as whole:
            for number in range(PROCESSES):
                whole.write((self.folder / f"history-{number}.json").read_text(encoding="utf-8"))
            whole.writelines(json.dumps(line) + "\n" for line in self.lost_lines)
        done = subprocess.run([self.args.judge, str(history)], capture_output=True, timeout=600, check=False)
        verdict = done.stdout.decode()
        self.checks.that(done.returncode == 0, f"check-history: {verdict[:4000]}{done.stderr.decode()}")
        return verdict.splitlines()[-1] if verdict else "no verdict"


def inside(args):
    """The whole of it, within the namespaces."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    checks, folder = lab.Checks("hostile"), args.inside
    rig = Rig(args, folder, checks)
    with lab.running(rig.nodes):
        try:
            rig.start()
            rig.storm()
            for node in rig.nodes:
                checks.that("panicked" not in node.log.read_text(encoding="utf-8", errors="replace"), f"node {node.number} panicked")
            if args.singly:
                checks.that(not rig.lost_lines, f"single faults lost {len(rig.lost_lines)} keys with their partitions")
            unused = [kind for kind in args.only if not rig.faults[kind]]
            checks.that(not unused or args.seconds < 90, f"faults that never came: {unused}")
            answered = rig.counted["answered"]
            checks.that(answered > 20 * args.seconds, f"only {answered} operations were answered")
            verdict = rig.judge()
        except (lab.Failed, lab.Ended) as failure:
            checks.that(False, str(failure))
            verdict = "not judged"
        finally:
            (folder / "faults.log").write_text("\n".join(rig.told) + "\n", encoding="utf-8")
    counted = getattr(rig, "counted", {})
    for name, count in sorted(counted.items()):
        print(f"  {name}: {count}")
    print(f"  {verdict}")
    faults = ", ".join(f"{kind} {count}" for kind, count in sorted(rig.faults.items()))
    unknown = sum(count for name, count in counted.items() if name.startswith("unknown"))
    checks.finish(
        f"{counted.get('answered', 0)} operations answered and {unknown} of unknown outcome on {getattr(rig, 'keys', 0)} keys; "
        f"{sum(rig.faults.values())} faults ({faults}); {rig.stopped_by_full} times a node ended for want of room; "
        f"{len(rig.lost_lines)} keys of lost partitions; longest silence of a client {getattr(rig, 'longest_s', 0):.1f} s; "
        f"whole again after {getattr(rig, 'healed_s', 0):.1f} s; {args.nodes} nodes, {args.copies} copies, seed {args.seed}"
    )


def why_not():
    """What is missing, or nothing."""
    if os.geteuid() != 0:
        return "it needs root, for network namespaces"
    missing = [tool for tool in hostile_net.TOOLS if not shutil.which(tool)]
    if missing:
        return f"it needs {', '.join(missing)}"
    probe = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "ip", "link", "add", "type", "veth"]
    done = subprocess.run(probe, capture_output=True, timeout=20, check=False)
    return f"no namespaces here: {done.stderr.decode().strip()}" if done.returncode else None


def build_judge():
    """check-history, as cargo builds it."""
    root = HERE.parent.parent
    # The simulator's crate refuses flags that replace those of .cargo/config.toml.
    env = {name: value for name, value in os.environ.items() if name != "RUSTFLAGS"}
    words = ["cargo", "build", "--quiet", "-p", "predis-chaos", "--example", "check-history", "--message-format", "json"]
    done = subprocess.run(words, cwd=root, stdout=subprocess.PIPE, env=env, check=True)
    built = re.findall(r'"executable":"([^"]+check-history)"', done.stdout.decode())
    return built[-1]


def main():
    """Starts itself again where nothing outside can be harmed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("predis", type=lab.binary)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--nodes", type=int, default=3, choices=(3, 4, 5))
    parser.add_argument("--copies", type=int, default=3, choices=(2, 3))
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--only", nargs="*", default=KINDS, choices=KINDS)
    parser.add_argument("--judge", type=lab.binary, help="a built check-history")
    parser.add_argument("--singly", action="store_true", help="one fault at a time, after which nothing may be lost")
    parser.add_argument("--verbose", action="store_true", help="say every fault as it happens")
    parser.add_argument("--inside", type=pathlib.Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        inside(args)
    missing = why_not()
    if missing:
        print(f"hostile: skipped: {missing}")
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    judge = args.judge or build_judge()
    with lab.workplace("hostile") as folder:
        again = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, __file__]
        again += [*sys.argv[1:], "--seed", str(args.seed), "--judge", judge, "--inside", str(folder)]
        child = subprocess.Popen(again)
        try:
            sys.exit(child.wait())
        except KeyboardInterrupt:
            # It was interrupted too, and is putting down what it knows.
            child.wait(20)
            raise
        finally:
            child.kill()


if __name__ == "__main__":
    main()
