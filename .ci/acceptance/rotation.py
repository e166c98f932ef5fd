"""Certificates, an authority and tokens that are renewed while clients work. Part of security.py."""

import collections
import random
import signal
import ssl
import threading
import time

import lab
from admin import Made
from secured import Authority, Paper, now_ms

OVERLAP_MS = 4000


class Worker(threading.Thread):
    """A client that connects anew again and again, tries nothing twice, and checks what it reads."""

    def __init__(self, cluster, kind, number, badge):
        super().__init__(daemon=True)
        self.cluster, self.kind, self.number, self.badge = cluster, kind, number, badge
        self.stop, self.done, self.connected = threading.Event(), 0, 0
        self.errors = []

    def client(self):
        """A new client with what the badge has now."""
        name, token, paper = self.badge()
        if self.kind == "cluster":
            return self.cluster.cluster(name, token, paper)
        node = self.cluster.nodes[self.number % 3]
        return self.cluster.redis(node.proxy, name, token, paper)

    def run(self):
        rng, values = random.Random(self.number), {}
        while not self.stop.is_set():
            try:
                client, until = self.client(), time.monotonic() + rng.uniform(0.2, 1.0)
                self.connected += 1
                while time.monotonic() < until and not self.stop.is_set():
                    key = f"rotate:{self.number}:{rng.randrange(50)}"
                    if rng.random() < 0.5:
                        values[key] = b"%d" % rng.randrange(10**9)
                        client.set(key, values[key])
                    elif client.get(key) != values.get(key):
                        self.errors.append(f"{key} is not {values.get(key)}")
                    self.done += 1
                client.close()
            except Exception as error:  # Whatever the client raises is an error.
                self.errors.append(f"{time.strftime('%X')} {type(error).__name__}: {error}"[:300])
                time.sleep(0.1)


class Crew:
    """Workers of both kinds, and what they have seen since somebody asked."""

    def __init__(self, cluster, badge, count=6):
        kinds = ["cluster", "proxy"]
        self.workers = [Worker(cluster, kinds[number % 2], number, badge) for number in range(count)]

    def __enter__(self):
        for worker in self.workers:
            worker.start()
        lab.until("the workers are at it", 20, lambda: all(worker.done > 20 for worker in self.workers), 0.05)
        return self

    def __exit__(self, *_):
        for worker in self.workers:
            worker.stop.set()
        for worker in self.workers:
            worker.join(20)

    def go_on(self, times=2):
        """Waits until each has connected anew so many times."""
        then = {worker: worker.connected for worker in self.workers}
        lab.until("the workers connect anew", 30, lambda: all(w.connected >= then[w] + times for w in self.workers), 0.05)

    def errors(self):
        """All errors so far."""
        return [text for worker in self.workers for text in worker.errors]


def serial(cluster, port):
    """The serial number of the certificate that a port shows."""
    with lab.Resp(port, 5, tls=cluster.context) as client:
        return client.socket.getpeercert()["serialNumber"]


def reload(cluster, checks, what):
    """SIGHUP to all, and nobody may be the worse for it."""
    for node in cluster.nodes:
        node.child.send_signal(signal.SIGHUP)
    checks.that(all(node.alive() for node in cluster.nodes), f"{what}: a node ended by SIGHUP")


def rotation(checks, cluster):
    """Everything that has an end is renewed, under load."""
    made = collections.deque([cluster.user("worker", "read_write")])
    state = {"paper": cluster.paper}
    with Crew(cluster, lambda: ("worker", made[-1], state["paper"])) as crew:
        with cluster.raw(cluster.nodes[0].resp, ("admin", cluster.admin_token)) as old:
            certificates(checks, cluster, crew)
            checks.that(old.call("PING") == "PONG", "a connection does not outlive its certificate")
        broken_files(checks, cluster, crew)
        tokens(checks, cluster, crew, made)
        authority(checks, cluster, crew, state)
        print(f"  rotation: {sum(w.done for w in crew.workers)} calls over {sum(w.connected for w in crew.workers)} connections")
    late(checks, cluster)


def certificates(checks, cluster, crew):
    """New certificates of the same authority, with the same names of files."""
    doors = [(node, door) for node in cluster.nodes for door in ("resp", "proxy", "grpc", "metrics")]
    before = {(node, door): serial(cluster, getattr(node, door)) for node, door in doors}
    for number, paper in enumerate(cluster.members, 1):
        cluster.authority.issue("member", f"member-{number}", paper.certificate.parent, ["--force"])
    reload(cluster, checks, "certificates")
    for node, door in doors:
        lab.until(
            f"{door} of node {node.number} shows the new one",
            10,
            lambda n=node, d=door: serial(cluster, getattr(n, d)) != before[n, d],
            0.1,
        )
    crew.go_on()
    checks.that(not crew.errors(), f"certificates renewed under load: {crew.errors()[:3]}")


def broken_files(checks, cluster, crew):
    """A file that cannot be used changes nothing, and is said."""
    node, paper = cluster.nodes[0], cluster.members[0]
    good, shown = paper.certificate.read_bytes(), serial(cluster, node.resp)
    for what, data in [
        ("an empty certificate", b""),
        ("another's certificate", cluster.members[1].certificate.read_bytes()),
        ("garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    ]:
        paper.certificate.write_bytes(data)
        length = node.log.stat().st_size
        node.child.send_signal(signal.SIGHUP)
        said = lab.until(f"{what} is in the log", 10, lambda length=length: node.log.read_bytes()[length:], 0.1).decode()
        checks.that(str(paper.certificate) in said or "certificate" in said, f"{what}: the log says {said}")
        checks.that(node.alive() and serial(cluster, node.resp) == shown, f"{what}: the node shows another certificate")
    paper.certificate.write_bytes(good)
    reload(cluster, checks, "the good file again")
    crew.go_on(1)
    checks.that(not crew.errors(), f"broken certificate files under load: {crew.errors()[:3]}")


def tokens(checks, cluster, crew, made):
    """A new token, while the old one is good for a little longer."""
    for turn in range(2):
        token = Made(f"turn-{turn}")
        cluster.secrets[f"the worker's token {turn}"] = token.secret
        ends = now_ms() + OVERLAP_MS
        cluster.admin.call("Users.AddToken", user="worker", token=token.fields(), others_expire_at_ms=ends)
        old = made[-1]
        lab.until(
            "every node knows the new token",
            3,
            lambda t=token: all(cluster.comes_in(n, "worker", t.secret) for n in cluster.nodes),
            0.02,
        )
        made.append(token.secret)
        lab.until(
            "the old token ends",
            10,
            lambda e=ends, o=old: now_ms() > e and not any(cluster.comes_in(n, "worker", o) for n in cluster.nodes),
            0.1,
        )
        checks.that(now_ms() < ends + 3000, "the old token ended late")
        crew.go_on(1)
        checks.that(not crew.errors(), f"tokens renewed under load: {crew.errors()[:3]}")


def authority(checks, cluster, crew, state):
    """Another authority: trusted beside the old one, then used, then alone."""
    new = Authority(cluster.predis, cluster.folder / "next")
    trust, old = cluster.authority.certificate, cluster.authority.certificate.read_bytes()
    both = old + new.certificate.read_bytes()
    trust.write_bytes(both)
    reload(cluster, checks, "both authorities")
    crew.go_on()
    shown = {node: serial(cluster, node.resp) for node in cluster.nodes}
    cluster.context = cluster.paper.context()
    for number, paper in enumerate(cluster.members, 1):
        new.issue("member", f"member-{number}", paper.certificate.parent, ["--force"])
    reload(cluster, checks, "certificates of the new authority")
    for node in cluster.nodes:
        lab.until(f"node {node.number} shows the new authority's", 10, lambda n=node: serial(cluster, n.resp) != shown[n], 0.1)
    client = new.issue("client", "tester")
    state["paper"] = Paper(trust, client.certificate, client.key)
    crew.go_on()
    trust.write_bytes(new.certificate.read_bytes())
    reload(cluster, checks, "the new authority alone")
    crew.go_on()
    checks.that(not crew.errors(), f"the authority replaced under load: {crew.errors()[:3]}")
    former = Paper(trust, cluster.paper.certificate, cluster.paper.key)

    def refused():
        try:
            with lab.Resp(cluster.nodes[0].resp, 5, tls=former.context()) as resp:
                resp.socket.read(1)
        except ssl.SSLError as error:
            return "UNKNOWN_CA" in str(error.reason)
        return False

    lab.until("what the old authority signed is worthless", 10, refused, 0.1)
    cluster.paper, cluster.authority = state["paper"], new
    cluster.authority.certificate = trust
    cluster.context = cluster.paper.context()
    cluster.close()
    cluster.channels.clear()
    cluster.admin.channel = cluster.channel(cluster.nodes[0])


def late(checks, cluster):
    """A node that starts after all this is let in by the others."""
    node = cluster.nodes[2]
    node.terminate()
    node.start()
    lab.until("node 3 is ready again", 60, lambda: cluster.ready(node), 0.1)
    status = cluster.admin.call("Cluster.Status")
    checks.that(
        [n.status for n in status.nodes] == ["up"] * 3, f"after the rotation: {[(n.name, n.status) for n in status.nodes]}"
    )
