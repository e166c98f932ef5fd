"""`predis ctl` as an operator uses it, on a cluster with mutual TLS and users.

usage: ctl.py PREDIS [--base-port 21501] [--only PART ...]

Parts: `helps`, the help of every command and the completions; `reads`, what only looks, as text and as JSON;
`people`, tenants, users and tokens, whose tokens then work or do not over RESP; `contexts`; `wrong`, words and exit
statuses for what cannot be; `watching`; `moves`, a node is drained, taken back, made to leave, killed and forgotten, and
a leader leaves: with progress, exit statuses, and processes that end well. Needs what security.py needs.
"""

import argparse
import json
import os
import re
import shlex
import signal
import stat
import subprocess
import time

import lab
from secured import Secured


class Operator:
    """Somebody at a shell, with a home directory and the files that let one in."""

    def __init__(self, cluster):
        self.cluster, self.home = cluster, cluster.folder / "home"
        self.home.mkdir()
        paper = cluster.paper
        self.tls = ["--tls-authority", paper.authority, "--tls-certificate", paper.certificate, "--tls-key", paper.key]
        self.let_in = ["--addr", f"127.0.0.1:{cluster.nodes[0].grpc}", "--token-file", cluster.token_path, *self.tls]

    def environment(self, more=None):
        """Nothing of whoever runs the tests."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREDIS_", "XDG_"))}
        return {**kept, "HOME": str(self.home), **(more or {})}

    def bare(self, *args, env=None, timeout_s=60, stdin=""):
        """(status, stdout, stderr) of `predis ...`."""
        done = subprocess.run(
            [self.cluster.predis, *map(str, args)],
            capture_output=True,
            timeout=timeout_s,
            check=False,
            env=self.environment(env),
            input=stdin.encode(),
            cwd=self.home,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def ctl(self, *args, **kwargs):
        """`predis ctl ...` with what lets one in."""
        return self.bare("ctl", *self.let_in, *args, **kwargs)

    def json(self, *args, **kwargs):
        """What `predis ctl ... --json` prints, read."""
        code, out, err = self.ctl(*args, "--json", **kwargs)
        if code != 0:
            raise lab.Failed(f"ctl {' '.join(map(str, args))} ended with {code}: {err.strip()}")
        return json.loads(out)

    def at_a_terminal(self, *args):
        """What `predis ctl ...` shows at a terminal of 80x24."""
        command = shlex.join([self.cluster.predis, "ctl", *map(str, self.let_in), *map(str, args)])
        done = subprocess.run(
            ["script", "-qec", f"stty cols 80 rows 24; {command}", "/dev/null"],
            capture_output=True,
            timeout=60,
            check=False,
            env={**self.environment(), "TERM": "xterm"},
            stdin=subprocess.DEVNULL,
        )
        return done.stdout.decode()

    def start(self, *args):
        """`predis ctl ...` that goes on."""
        return subprocess.Popen(
            [self.cluster.predis, "ctl", *map(str, self.let_in), *map(str, args)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            env=self.environment(),
        )


def helps(checks, operator):
    """Every command explains itself and all that it takes."""
    seen, todo = [], [["ctl"]]
    while todo:
        command = todo.pop()
        code, out, err = operator.bare(*command, "--help")
        what, seen = " ".join(command), [*seen, command]
        checks.that(code == 0 and not err and "Usage:" in out, f"{what} --help ends with {code}: {err}")
        checks.that(len(out.splitlines()[0]) > 3 and not out.startswith("Usage"), f"{what} does not say what it does")
        listed, section = [], None
        for line in out.splitlines():
            section = line[:-1] if re.fullmatch(r"[A-Z]\w+:", line) else section
            entry = re.match(r"  (?:(-\w, |    )(--\S+.*)|(\S.*))$", line)
            if entry and section in ("Commands", "Options", "Arguments"):
                described = re.search(r"\S  +\S", line.strip()) or line.strip().startswith(("-h", "-V"))
                checks.that(described, f"{what}: nothing is said about {line.strip()!r}")
            if entry and section == "Commands" and entry[3] and not entry[3].startswith("help "):
                listed.append([*command, entry[3].split()[0]])
        checks.that(not re.search(r"--(token|password|secret)[ =<]", out), f"{what} takes a secret as an argument")
        todo += listed
    checks.that(len(seen) > 25, f"only {len(seen)} commands")
    for shell in ("bash", "zsh", "fish", "powershell", "elvish"):
        code, out, _ = operator.bare("completions", shell)
        checks.that(
            code == 0 and all(word in out for word in ("rotate", "drain", "token-file", "certs")), f"completions {shell}: {code}"
        )
        if shell == "bash":
            done = subprocess.run(["bash", "-n"], input=out.encode(), capture_output=True, check=False)
            checks.that(done.returncode == 0, f"completions bash: {done.stderr}")
    checks.that(operator.bare("completions", "tcsh")[0] == 2, "completions for a shell that there is none for")
    print(f"  helps: {len(seen)} commands")


def reads(checks, operator):
    """What only looks."""
    status = operator.json("cluster", "status")
    checks.that([node["name"] for node in status["nodes"]] == ["node-1", "node-2", "node-3"], f"status: {status['nodes']}")
    checks.that(status["slots_served"] == lab.SLOTS and status["partitions_served"] == status["partition_count"], "status: slots")
    nodes = operator.json("nodes")
    nodes = nodes if isinstance(nodes, list) else nodes["nodes"]
    checks.that(
        {node["grpc_addr"] for node in nodes} == {f"127.0.0.1:{node.grpc}" for node in operator.cluster.nodes}, f"nodes: {nodes}"
    )
    one = operator.json("nodes", "node-2")
    by_id = operator.json("nodes", next(node["id"] for node in nodes if node["name"] == "node-2"))
    checks.that("node-2" in str(one) and one == by_id, f"a node by name and by id: {one}, {by_id}")
    partitions = operator.json("partitions")
    partitions = partitions if isinstance(partitions, list) else partitions["partitions"]
    checks.that(len(partitions) == status["partition_count"], f"{len(partitions)} partitions")
    topology = operator.json("topology")
    checks.that("node" in str(topology) or "resp_addr" in str(topology), f"topology: {str(topology)[:200]}")
    config = operator.json("config", "get")
    checks.that("require-auth" in str(config), f"config: {config}")
    checks.that("yes" in str(operator.json("config", "get", "require-auth")), "config get of one setting")
    audit = operator.json("audit")
    checks.that(audit["changes"] and isinstance(audit["refusals"], list), f"audit: {str(audit)[:200]}")
    checks.that(len(operator.json("audit", "--limit", "2")["changes"]) <= 2, "audit --limit 2")
    for command in (
        ["cluster", "status"],
        ["cluster", "status", "--stale"],
        ["cluster", "status", "--partitions"],
        ["nodes"],
        ["nodes", "node-1"],
        ["partitions"],
        ["partitions", "--node", "node-1"],
        ["topology"],
        ["tenants", "list"],
        ["users", "list"],
        ["config", "get"],
        ["config", "get", "require-auth"],
        ["audit"],
    ):
        code, out, err = operator.ctl(*command)
        checks.that(
            code == 0 and out.strip() and not err and "\x1b" not in out, f"ctl {' '.join(command)}: {code}, {err}, {out[:100]!r}"
        )
        widest = max(len(line) for line in out.splitlines())
        checks.that(widest <= 160, f"ctl {' '.join(command)}: a line of {widest} columns")
        read = operator.json(*command)
        checks.that(read, f"ctl {' '.join(command)} --json: {read}")
    before, after = operator.ctl("--json", "nodes"), operator.ctl("nodes", "--json")
    checks.that(
        before[0] == after[0] == 0 and json.loads(before[1]) == json.loads(after[1]), "--json before and behind the command"
    )


def token_of(checks, answer, what):
    """The token in an answer of `users create` and its like."""
    found = [value for key, value in flat(answer) if key == "token" and isinstance(value, str)]
    checks.that(len(found) == 1 and len(found[0]) >= 32, f"{what}: no token in {sorted(key for key, _ in flat(answer))}")
    return found[0] if found else ""


def flat(value, key=""):
    """All (key, value) pairs in JSON."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from flat(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from flat(inner, key)
    else:
        yield key, value


def people(checks, operator):
    """Tenants, users and tokens, from their making to their end."""
    cluster = operator.cluster
    node = cluster.nodes[1]
    operator.json(
        "tenants",
        "create",
        "shop",
        "--placement",
        "colocated",
        "--memory",
        "64mb",
        "--max-ops",
        "5000",
        "--max-connections",
        "50",
    )
    listed = operator.json("tenants", "list")
    listed = listed if isinstance(listed, list) else listed["tenants"]
    shop = next(tenant for tenant in listed if tenant["name"] == "shop")
    wanted = {"placement": "colocated", "memory_bytes": 64 << 20, "max_ops_per_second": 5000, "max_connections": 50}
    checks.that({name: shop.get(name) for name in wanted} == wanted, f"the tenant: {shop}")
    operator.json("tenants", "update", "shop", "--policy", "lru", "--max-ops", "none")
    listed = operator.json("tenants", "list")
    shop = next(tenant for tenant in (listed if isinstance(listed, list) else listed["tenants"]) if tenant["name"] == "shop")
    checks.that(
        shop["policy"] == "lru" and not shop.get("max_ops_per_second") and shop["max_connections"] == 50,
        f"the tenant then: {shop}",
    )
    first = token_of(checks, operator.json("users", "create", "till", "--tenant", "shop", "--role", "read_write"), "users create")
    lab.until("till comes in", 5, lambda: cluster.comes_in(node, "till", first))
    path = operator.home / "second.token"
    code, out, err = operator.ctl("users", "rotate", "till", "--overlap", "3s", "--token-out", path)
    second = path.read_text(encoding="ascii").strip()
    checks.that(
        code == 0 and second not in out + err and stat.S_IMODE(path.stat().st_mode) == 0o600,
        f"users rotate --token-out: {code}, {out}{err}",
    )
    lab.until("both tokens work", 2, lambda: cluster.comes_in(node, "till", first) and cluster.comes_in(node, "till", second))
    lab.until("the first token ends", 10, lambda: not cluster.comes_in(node, "till", first), 0.1)
    code, out, err = operator.ctl("users", "rotate", "till", "--token-out", path)
    checks.that(
        code in (1, 2) and str(path) in err and path.read_text(encoding="ascii").strip() == second,
        f"a token over another: {code}, {err}",
    )
    checks.that(cluster.comes_in(node, "till", second), "what was refused has changed something")
    third = token_of(
        checks, operator.json("users", "token", "add", "till", "--token-id", "third", "--expires", "1h"), "users token add"
    )
    lab.until("a third token works", 5, lambda: cluster.comes_in(node, "till", third))
    code, out, _ = operator.ctl("users", "list")
    raw = json.dumps(operator.json("users", "list"))
    checks.that(
        "till" in out and "third" in raw and not any(token in out + raw for token in (first, second, third)),
        "users list shows tokens",
    )
    operator.json("users", "token", "revoke", "till", "third")
    lab.until("the third token is useless", 5, lambda: not cluster.comes_in(node, "till", third))
    operator.json("users", "update", "till", "--disable")
    lab.until("till is disabled", 5, lambda: not cluster.comes_in(node, "till", second))
    operator.json("users", "update", "till", "--enable", "--role", "read_only")
    lab.until("till is enabled", 5, lambda: cluster.comes_in(node, "till", second))
    with cluster.raw(node.proxy, ("till", second)) as client:
        said = client.call("SET", "x", "1")
        checks.that(isinstance(said, lab.RespError) and said.startswith("NOPERM"), f"a reader writes: {said!r}")
    code, out, err = operator.ctl("tenants", "remove", "shop")
    checks.that(code == 1 and "user" in err, f"a tenant with users is removed: {code}, {err}")
    operator.json("users", "remove", "till")
    operator.json("tenants", "remove", "shop")
    checks.that(
        "shop" not in str(operator.json("tenants", "list")) and "till" not in str(operator.json("users", "list")), "they are gone"
    )
    code, out, err = operator.ctl("users", "create", "shown", "--role", "operator")
    shown = re.findall(r"\S{32,}", out)
    checks.that(code == 0 and len(shown) == 1, f"users create shows {len(shown)} tokens: {out!r}")
    lab.until("shown comes in", 5, lambda: cluster.comes_in(node, "shown", shown[0]))
    operator.json("users", "remove", "shown")


def contexts(checks, operator):
    """Named ways to reach a cluster."""
    first, second = (f"127.0.0.1:{node.grpc}" for node in operator.cluster.nodes[:2])
    secret = ["--token-file", operator.cluster.token_path, *operator.tls]
    code, out, err = operator.bare("ctl", "context", "add", "one", "--addr", first, *secret)
    checks.that(code == 0, f"context add: {err}")
    operator.bare("ctl", "context", "add", "two", "--addr", second, *secret)
    by = lambda *more, **env: json.loads(operator.bare("ctl", *more, "--json", "cluster", "status", "--stale", env=env)[1])[
        "answered_by"
    ]  # noqa: E731
    ids = {node["grpc_addr"]: node["id"] for node in operator.json("cluster", "status")["nodes"]}
    checks.that(by() == ids[first], "the first context is in use")
    checks.that(by("--context", "two") == ids[second] and by(PREDIS_CONTEXT="two") == ids[second], "--context")
    checks.that(operator.bare("ctl", "context", "use", "two")[0] == 0 and by() == ids[second], "context use")
    listed = operator.bare("ctl", "context", "ls")[1]
    checks.that("one" in listed and re.search(r"(?m)^\s*\*\s*two|two.*(\*|in use|yes)", listed), f"context ls: {listed}")
    checks.that("two" in operator.bare("ctl", "context", "show")[1], "context show")
    json.loads(operator.bare("ctl", "context", "ls", "--json")[1])
    for args in (["use", "three"], ["show", "three"], ["rm", "three"]):
        code, _, err = operator.bare("ctl", "context", *args)
        checks.that(code in (1, 2) and "three" in err, f"context {args}: {code}, {err}")
    code, _, err = operator.bare("ctl", "--context", "three", "cluster", "status")
    checks.that(code in (1, 2) and "three" in err, f"--context three: {code}, {err}")
    path = operator.home / ".config/predis/contexts.toml"
    checks.that(
        path.exists() and operator.cluster.admin_token not in path.read_text(encoding="utf-8"), "contexts.toml has a token"
    )
    checks.that(
        operator.bare("ctl", "context", "rm", "two")[0] == 0 and "two" not in operator.bare("ctl", "context", "ls")[1],
        "context rm",
    )
    good = path.read_bytes()
    path.write_text("no toml at all [", encoding="utf-8")
    code, _, err = operator.bare("ctl", "cluster", "status")
    checks.that(code == 2 and "contexts.toml" in err, f"a broken contexts.toml: {code}, {err}")
    path.write_bytes(good)
    operator.bare("ctl", "context", "rm", "one")


def wrong(checks, operator):
    """What cannot be: words that help, nothing on stdout, 2 for what is wrong with the words and 1 for what fails."""
    cluster, addr = operator.cluster, operator.let_in[:2]
    bad = operator.home / "bad.token"
    bad.touch(0o600)
    bad.write_text("0" * 64 + "\n", encoding="ascii")
    empty = operator.home / "empty.token"
    empty.touch(0o600)
    reader = cluster.user("reader", "read_only")
    readers = operator.home / "reader.token"
    readers.touch(0o600)
    readers.write_text(reader + "\n", encoding="ascii")
    status = ["cluster", "status"]
    for what, args, codes, said in [
        ("a wrong token", [*addr, "--token-file", bad, *operator.tls, *status], {1}, "token"),
        ("no token", [*addr, *operator.tls, *status], {1, 2}, "token"),
        ("a reader's token", [*addr, "--token-file", readers, *operator.tls, *status], {1}, "operator"),
        (
            "no such token file",
            [*addr, "--token-file", operator.home / "none", *operator.tls, *status],
            {1, 2},
            str(operator.home / "none"),
        ),
        ("an empty token file", [*addr, "--token-file", empty, *operator.tls, *status], {1, 2}, str(empty)),
        ("no TLS", [*addr, "--token-file", cluster.token_path, *status], {1, 2}, "--tls-authority"),
        ("no certificate", [*addr, "--token-file", cluster.token_path, *operator.tls[:2], *status], {1}, "(?i)certificate"),
        (
            "a key without its certificate",
            [*addr, "--tls-authority", operator.tls[1], "--tls-key", operator.tls[5], *status],
            {2},
            "tls-certificate",
        ),
        (
            "nobody there",
            ["--addr", "127.0.0.1:1", "--token-file", cluster.token_path, *operator.tls, *status],
            {1},
            "127.0.0.1:1",
        ),
        ("an address that is none", ["--addr", "nowhere", *status], {1, 2}, "nowhere"),
        ("an unknown command", ["clutser"], {2}, "cluster"),
        ("an unknown flag", ["nodes", "--jsn"], {2}, "--jsn"),
        ("no command", [], {2}, "Usage"),
    ]:
        code, out, err = operator.bare("ctl", *args)
        checks.that(code in codes and re.search(said, err) and not out, f"{what}: {code}, {err!r}, {out[:80]!r}")
        checks.that("panicked" not in err, f"{what}: {err!r}")
    for args, codes, said in [
        (["nodes", "nobody"], {1}, "nobody"),
        (["cluster", "drain", "nobody"], {1}, "nobody"),
        (["cluster", "weight", "node-1", "0"], {1, 2}, "(?i)weight"),
        (["cluster", "weight", "node-1", "many"], {2}, "(?i)weight"),
        (["cluster", "forget", "node-1"], {1}, "(?i)up|down"),
        (["tenants", "create", "no good"], {1, 2}, "name"),
        (["tenants", "create", "t", "--memory", "lots"], {1, 2}, "memory"),
        (["tenants", "create", "t", "--placement", "else"], {1, 2}, "spread"),
        (["tenants", "create", "t", "--policy", "best"], {1, 2}, "policy"),
        (["tenants", "create", "default"], {1}, "default"),
        (["tenants", "update", "default"], {2}, "policy"),
        (["tenants", "update", "nobody", "--policy", "lru"], {1}, "nobody"),
        (["tenants", "remove", "nobody"], {1}, "nobody"),
        (["tenants", "remove", "default"], {1}, "default"),
        (["users", "create", "x", "--role", "king"], {1, 2}, "operator"),
        (["users", "create", "x", "--tenant", "nobody"], {1}, "nobody"),
        (["users", "create", "default"], {1, 2}, "default"),
        (["users", "create", "x", "--expires", "soon"], {2}, "soon"),
        (["users", "rotate", "nobody"], {1}, "nobody"),
        (["users", "token", "revoke", "reader", "none"], {1}, "none"),
        (["users", "remove", "nobody"], {1}, "nobody"),
        (["config", "get", "nonsense"], {1}, "nonsense"),
        (["config", "set", "nonsense", "1"], {1}, "nonsense"),
        (["config", "set", "require-auth", "maybe"], {1, 2}, "yes"),
        (["users", "update", "admin", "--disable"], {1}, "admin"),
        (["users", "remove", "admin"], {1}, "admin"),
        (["audit", "--limit", "x"], {2}, "limit"),
    ]:
        code, out, err = operator.ctl(*args)
        checks.that(code in codes and re.search(said, err) and not out, f"ctl {' '.join(args)}: {code}, {err!r}, {out[:80]!r}")
        code, out, err = operator.ctl(*args, "--json")
        checks.that(code in codes and not out, f"ctl {' '.join(args)} --json: {code}, {err!r}, {out[:80]!r}")
    checks.that(cluster.comes_in(cluster.nodes[0], "admin", cluster.admin_token), "the last admin has locked everybody out")
    code, out, err = operator.bare("ctl", *addr, *operator.tls, *status, env={"PREDIS_TOKEN": cluster.admin_token})
    checks.that(code == 0, f"PREDIS_TOKEN: {code}, {err}")


def watching(checks, operator):
    """What is agreed on is seen by who watches."""
    for command in (["watch"], ["cluster", "watch"]):
        with operator.start(*command, "--json", "--count", "2") as watcher:

            def change():
                # Until the watcher listens, nothing is told; an event each time.
                operator.ctl("cluster", "weight", "node-1", "99")
                operator.ctl("cluster", "weight", "node-1", "100")
                return watcher.poll() is not None

            lab.until("two events", 20, change, 0.1)
            out, err = watcher.communicate(timeout=5)
        events = [json.loads(line) for line in out.decode().splitlines()]
        checks.that(watcher.returncode == 0 and len(events) == 2, f"{command}: {watcher.returncode}, {out}, {err}")
        checks.that(
            any("admin" in event["actor"] for event in events) and all(event["actor"] and event["action"] for event in events),
            f"{command}: {events}",
        )
    with operator.start("topology", "--follow") as watcher:
        line = watcher.stdout.readline()
        watcher.send_signal(signal.SIGINT)
        code = watcher.wait(10)
        checks.that(line and code in (0, 130, -signal.SIGINT), f"topology --follow: {line}, ends with {code} on Ctrl-C")


def modes(operator):
    """name -> (mode, status, primaries, seats)."""
    return {
        node["name"]: (node["mode"], node["status"], node["primaries"], node["seats"])
        for node in operator.json("cluster", "status")["nodes"]
    }


def moves(checks, operator):
    """Members that go, for a while or for good."""
    cluster = operator.cluster
    made = [fourth(cluster, number) for number in (4, 5)]
    with lab.running(made):
        for node in made:
            node.start()
            lab.until("another node is ready", 60, lambda node=node: cluster.ready(node), 0.1)
        cluster.nodes += made
        cluster.await_spread()
        code, out, err = operator.ctl("cluster", "drain", "node-4", "--timeout", "60s")
        checks.that(code == 0 and out.strip() and not err, f"drain: {code}, {out!r}, {err!r}")
        checks.that(modes(operator)["node-4"][::2] == ("draining", 0), f"drained: {modes(operator)['node-4']}")
        checks.that(made[0].alive() and cluster.ready(made[0]), "a drained node goes on")
        checks.that(operator.ctl("cluster", "activate", "node-4")[0] == 0, "activate")
        cluster.await_spread()
        shown = operator.at_a_terminal("cluster", "drain", "node-4")
        checks.that(re.search(r"\d+ ?(%|/|of) ?\d*", shown), f"a drain at a terminal shows no progress: {shown!r}")
        checks.that(operator.ctl("cluster", "activate", "node-4")[0] == 0, "activate once more")
        cluster.await_spread()
        with_keys(checks, operator, made[0])
        by_force(checks, operator, made[1])
        leader_leaves(checks, operator)


def fourth(cluster, number):
    """One more server."""
    paper = cluster.authority.issue("member", f"member-{number}")
    join = ["--join", f"127.0.0.1:{cluster.nodes[0].grpc}"]
    return lab.Server(cluster.predis, number, cluster.base, cluster.folder, join, cluster.tls(paper), proxy=True)


def with_keys(checks, operator, node):
    """A node leaves and its keys stay."""
    cluster = operator.cluster
    client = cluster.redis(cluster.nodes[0].proxy, "admin", cluster.admin_token)
    client.mset({f"stay:{number}": "x" for number in range(4000)})
    code, out, err = operator.ctl("cluster", "leave", node_name(node), "--json")
    checks.that(code == 0, f"leave: {code}, {err!r}")
    json.loads(out)
    checks.that(not err, f"leave --json where nobody looks says {err!r}")
    ended(checks, operator, node)
    checks.that(client.dbsize() == 4000, f"keys are lost by leaving: {client.dbsize()} of 4000")
    values = client.mget([f"stay:{number}" for number in range(4000)])
    checks.that(values.count(b"x") == 4000, f"values are lost by leaving: {values.count(b'x')} of 4000 are right")
    client.flushall()


def node_name(node):
    """As lab.Server calls it."""
    return f"node-{node.number}"


def ended(checks, operator, node):
    """Its process has ended well, and it is no member."""
    try:
        code = node.child.wait(20)
        checks.that(code == 0, f"{node_name(node)} has left and ended with {code}: {node.tail(3)}")
    except subprocess.TimeoutExpired:
        checks.that(False, f"{node_name(node)} has left and its process goes on")
    checks.that(node_name(node) not in modes(operator), f"{node_name(node)} is still a member")
    operator.cluster.nodes.remove(node)
    lab.until("its partitions are served", 30, lambda: operator.json("cluster", "status")["slots_served"] == lab.SLOTS, 0.1)


def by_force(checks, operator, node):
    """A node that is gone for good is forgotten."""
    node.kill()
    lab.until("it is down and has no seat", 60, lambda: modes(operator)[node_name(node)][1:] == ("down", 0, 0), 0.2)
    code, _, err = operator.ctl("cluster", "forget", node_name(node))
    checks.that(code == 0 and node_name(node) not in modes(operator), f"forget: {code}, {err}")
    operator.cluster.nodes.remove(node)
    node.start()
    try:
        # Its identity is no member's any more.
        code = node.child.wait(30)
        checks.that(code != 0, "a node that was forgotten starts as if nothing were")
    except subprocess.TimeoutExpired:
        checks.that(not cluster_has(operator, node), "a node that was forgotten is a member again")


def cluster_has(operator, node):
    """Whether it is a member."""
    return node_name(node) in modes(operator)


def leader_leaves(checks, operator):
    """The leader leaves, and the rest has another."""
    cluster = operator.cluster
    status = operator.json("cluster", "status")
    name = next(node["name"] for node in status["nodes"] if node["id"] == status["leader"])
    node = next(node for node in cluster.nodes if node_name(node) == name)
    stays = next(other for other in cluster.nodes if other is not node)
    operator.let_in[1] = f"127.0.0.1:{stays.grpc}"
    code, out, err = operator.ctl("cluster", "leave", name, "--timeout", "60s")
    checks.that(code == 0, f"the leader leaves: {code}, {out}{err}")
    ended(checks, operator, node)
    status = operator.json("cluster", "status")
    checks.that(status["leader"] in [node["id"] for node in status["nodes"]], f"the leader is {status['leader']}")
    client = cluster.redis(stays.proxy, "admin", cluster.admin_token)
    checks.that(client.mset({f"two:{n}": "x" for n in range(500)}) and client.dbsize() == 500, "two nodes serve")
    cluster.admin.channel = cluster.channel(stays)


PARTS = {
    "helps": helps,
    "reads": reads,
    "people": people,
    "contexts": contexts,
    "wrong": wrong,
    "watching": watching,
    "moves": moves,
}


def main():
    """Runs the parts against one cluster."""
    parser = argparse.ArgumentParser()
    parser.add_argument("predis", type=lab.binary)
    parser.add_argument("--base-port", type=int, default=21501)
    parser.add_argument("--only", nargs="*", choices=list(PARTS), default=list(PARTS))
    args = parser.parse_args()
    checks = lab.Checks("ctl")
    with lab.workplace("ctl") as folder:
        cluster = Secured(args.predis, folder, args.base_port)
        with lab.running(list(cluster.nodes)):
            try:
                cluster.start()
                operator = Operator(cluster)
                for part in args.only:
                    began, failed = time.monotonic(), len(checks.failed)
                    try:
                        PARTS[part](checks, operator)
                    except (lab.Failed, subprocess.TimeoutExpired) as failure:
                        checks.that(False, f"{part}: {failure}")
                    print(f"  {part}: {len(checks.failed) - failed} failed, {time.monotonic() - began:.1f} s", flush=True)
                for node in [node for node in cluster.nodes if node.alive()]:
                    code, took_s = node.terminate()
                    checks.that(code == 0, f"node {node.number} ended with {code} after {took_s:.1f} s")
            except (lab.Failed, lab.Ended) as failure:
                checks.that(False, str(failure))
            finally:
                cluster.close()
            for log in sorted(folder.glob("node-*.log")):
                text = log.read_text(encoding="utf-8")
                checks.that("panicked" not in text, f"{log.name}: it panicked")
        checks.finish()


if __name__ == "__main__":
    main()
