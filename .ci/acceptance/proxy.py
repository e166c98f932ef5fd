"""Clients that know nothing of clusters, through the proxy endpoint.

usage: proxy.py PREDIS [--base-port 20401] [--operations 100000] [--redis-cli PATH] [--redis-server PATH] [--only PART ...]

Parts: `mixed`, redis-py's plain client and redis-cli without -c on a spread tenant and on a colocated one, each answer
held against a dictionary; `twin`, the same operations and odd commands to a colocated tenant and to a redis-server,
whose replies must be the same byte for byte (skipped without one); `whole`, what an endpoint owes as a whole: keys of
all nodes, order, size, words for cluster clients; `who`, users and tenants behind it; `death`, a node dies, then one
stands still, under load through the others: no call takes longer than its deadline, errors are words, service
resumes. Run it with a Python that has redis-py, grpcio and grpcio-reflection.
"""

import argparse
import collections
import contextlib
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

import grpc
import lab
from admin import Admin
from model import ANY, GATHERED, OK, Error, Operations, Within
from redis import Redis
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.exceptions import RedisClusterException, RedisError, ResponseError
from redis.retry import Retry

HERE = pathlib.Path(__file__).parent
DEADLINE_S = 5.0
NO_CLUSTER = "ERR This instance has cluster support disabled"


def plain(port, **more):
    """redis-py's plain client, which tries nothing twice."""
    return Redis(port=port, retry=Retry(NoBackoff(), 0), **{"socket_timeout": 30, **more})


def token_file(folder, name, token):
    """A file with a user's name and token."""
    path = folder / f"{name}.token"
    path.touch(0o600)
    path.write_text(f"{name} {token}\n", encoding="ascii")
    return path


def mixed(checks, args, folder, port, colocated):
    """The clients that most people have."""
    count, runs = str(args.operations), []
    for tenant, more in [("spread", []), ("colocated", ["--token-file", token_file(folder, "cola", colocated)])]:
        for protocol in "23":
            runs.append(["mixed.py", port, count, "--plain", tenant, "--protocol", protocol, "--seed", f"1{protocol}", *more])
    if args.redis_cli:
        runs += [["cli.py", args.redis_cli, port, count, protocol, "--plain"] for protocol in ("-2", "-3")]
    else:
        print("skipped redis-cli: there is none (see --redis-cli)")
    for run in runs:
        done = subprocess.run([sys.executable, HERE / run[0], *map(str, run[1:])], timeout=900, check=False)
        checks.that(done.returncode == 0, " ".join(map(str, run)))


def agrees(came, expected):
    """Whether a raw reply is the one that the model expects."""
    if expected is OK:
        return came == "OK" and not isinstance(came, lab.RespError)
    if isinstance(expected, Error):
        return isinstance(came, lab.RespError) and came == str(expected)
    if isinstance(expected, Within):
        return expected == came
    if isinstance(came, str):
        return came.encode() == expected
    return came == expected


def twin_mixed(checks, ours, redis, operations, count, what):
    """The same operations in long pipelines to both (`redis` may be none); the replies must be as the model says and alike."""
    number, wrong = 0, []
    while number < count and not wrong:
        batch = [operations.next() for _ in range(operations.rng.choice([1, 3, 20, 200, 1000]))]
        words = [operation.words for operation in batch]
        replies = ours.pipeline(words)
        others = redis.pipeline(words) if redis else replies
        for operation, came, theirs in zip(batch, replies, others, strict=True):
            number += 1
            alike = came == theirs and type(came) is type(theirs)
            if not agrees(came, operation.expected) or not (alike or isinstance(operation.expected, Within)):
                wrong.append(f"operation {number}, {operation!r}: {came!r}, redis {theirs!r}, model {operation.expected!r}")
    checks.that(not wrong, f"{what}: {wrong[:1]}")
    return number


# Commands of which a Redis user knows the reply by heart, one after another on an empty database.
ODD = """
GET|SET|SET a|SET a 1 NX XX|SET a 1 EX|SET a 1 EX 0|SET a 1 EX x|SET a 1 EX -1|SET a 1 PX 10 EX 10|SET a 1 KEEPTTL EX 5
SET a 1 BOGUS|GET a b|MGET|MSET a|MSET a 1 b|MSETNX a 1 b|INCR|INCRBY a|INCRBY a x|INCRBY a 9223372036854775808|APPEND a
SETRANGE a -1 x|SETRANGE a x y|SETRANGE a 536870912 x|GETRANGE a 0|GETRANGE a x y|EXPIRE a|EXPIRE a x|EXPIRE a 10 NX GT
EXPIRE a 10 BOGUS|EXPIRE a 9223372036854775807|PEXPIRE a 9223372036854775807|SETEX a 0 v|SETEX a x v|PSETEX a -1 v
RENAME a|RENAME nothing b|RENAME a a|RENAMENX a a|COPY a a|COPY a b REPLACE REPLACE|COPY a b BOGUS|COPY nothing b|TYPE a
DEL a a b|MSET a 1 a 2 b 3|GET a|MSETNX a 5 c 6|GET c|EXISTS a a b c|TOUCH a a b c|MGET a b c a|UNLINK a a b
OBJECT ENCODING a|SET n 12345|OBJECT ENCODING n|SET s hello|OBJECT ENCODING s|OBJECT REFCOUNT s|OBJECT FREQ s|OBJECT
DBSIZE|KEYS|KEYS *|KEYS n|KEYS [mn]|KEYS zzz|SCAN x|SCAN 0 COUNT 0|SCAN 0 COUNT x|SCAN 0 BOGUS|SCAN 0 MATCH|RANDOMKEY x
PING|PING hello|PING a b|ECHO|ECHO x|SELECT 0|SELECT x|FLUSHALL BOGUS|FLUSHDB BOGUS|NOSUCHCOMMAND a b|GETEX|GETEX s EX
GETEX s PERSIST EX 1|GETDEL|GETDEL nothing|GETSET s|STRLEN|STRLEN s|SUBSTR s 0 1|TTL nothing|PTTL s|PERSIST s
EXPIRETIME s|INCRBYFLOAT s 1|INCRBYFLOAT n x|INCRBYFLOAT n nan|INCRBYFLOAT n inf|INCRBYFLOAT n 1.5|GET n|DECRBY n -9223372036854775808
CLUSTER SLOTS|CLUSTER SHARDS|CLUSTER NODES|CLUSTER INFO|CLUSTER MYID|CLUSTER KEYSLOT a|CLUSTER BOGUS|READONLY|READWRITE|ASKING
CLIENT GETNAME|CLIENT SETNAME x|CLIENT GETNAME|CLIENT SETNAME|CLIENT BOGUS|HELLO 9|HELLO x|AUTH|RESET
FLUSHALL|DBSIZE|RANDOMKEY|KEYS *|SET only 1|RANDOMKEY|FLUSHDB SYNC|FLUSHALL ASYNC|DBSIZE
"""


def twin_odd(checks, ours, redis, what):
    """Commands, most of them wrong, to both."""
    for line in (part for part in ODD.replace("\n", "|").split("|") if part):
        words = line.split(" ")
        came, theirs = ours.call(*words), redis.call(*words)
        if words[0] == "KEYS" and isinstance(came, list) and isinstance(theirs, list):
            came, theirs = sorted(came), sorted(theirs)
        alike = came == theirs and type(came) is type(theirs)
        checks.that(alike, f"{what}, {line}: {came!r}, Redis says {theirs!r}")


def twin(checks, args, folder, port, colocated):
    """A colocated tenant beside a real Redis; a spread one beside the model alone."""
    if not args.redis_server:
        print("skipped the twin: there is no redis-server (see --redis-server)")
        return
    redis_port = args.base_port + 50
    command = [args.redis_server, "--port", str(redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            lab.until("redis-server is up", 10, lambda: lab.Resp(redis_port).call("PING") == "PONG", 0.1)
            for protocol in "23":
                with lab.Resp(port, 30) as ours, lab.Resp(redis_port, 30) as redis, lab.Resp(port, 30) as spread:
                    ours.call("HELLO", protocol, "AUTH", "cola", colocated)
                    redis.call("HELLO", protocol)
                    spread.call("HELLO", protocol)
                    for client in (ours, redis, spread):
                        client.call("FLUSHALL")
                    source = Operations(30 + int(protocol), slack_s=5, reach=ANY)
                    twin_mixed(checks, ours, redis, source, args.operations, f"colocated beside Redis, RESP{protocol}")
                    size = (ours.call("DBSIZE"), redis.call("DBSIZE"), len(source.values))
                    checks.that(len(set(size)) == 1, f"DBSIZE colocated, redis, model: {size}")
                    checks.that(sorted(ours.call("KEYS", "*")) == sorted(redis.call("KEYS", "*")), "KEYS differ")
                    source = Operations(40 + int(protocol), slack_s=5, reach=GATHERED)
                    twin_mixed(checks, spread, None, source, args.operations, f"spread in pipelines, RESP{protocol}")
                    for client in (ours, redis):
                        client.call("FLUSHALL")
                    twin_odd(checks, ours, redis, f"RESP{protocol}")
        finally:
            process.terminate()


def whole(checks, base, proxy):
    """One endpoint, one key space."""
    nodes = [base, base + 1, base + 2]
    client = plain(proxy)
    client.flushall()
    keys = [f"k{number}" for number in range(3000)]
    checks.that(client.mset({key: key for key in keys}) is True, "MSET of 3,000 keys")
    checks.that(client.mget(keys) == [key.encode() for key in keys], "MGET of 3,000 keys, in their order")
    checks.that(client.exists(*keys, *keys) == 6000 and client.touch(*keys) == 3000, "EXISTS and TOUCH of all")
    sizes = [Redis(port=port).dbsize() for port in nodes]
    checks.that(client.dbsize() == 3000 == sum(sizes) and min(sizes) > 500, f"DBSIZE {client.dbsize()}, of the nodes {sizes}")
    owners = {key: port for first, last, port in lab.slot_map(base) for key in keys if first <= lab.key_slot(key) <= last}
    drawn = collections.Counter(owners[client.randomkey().decode()] for _ in range(300))
    checks.that(min(drawn[port] for port in nodes) > 30, f"RANDOMKEY by node: {drawn}")
    once = collections.Counter(client.scan_iter(count=37))
    checks.that(len(once) == 3000 and max(once.values()) == 1, f"SCAN: {len(once)} keys, up to {max(once.values())} times")
    scan_wanders(checks, proxy, keys)
    scan_while_changing(checks, proxy, keys)
    words = [(key, value) for key in ("x1", "x2") for value in ("1",)]
    with lab.Resp(proxy, 10) as raw:
        reply = raw.call("MSETNX", *(word for pair in words for word in pair))
        checks.that(reply == "CROSSSLOT Keys in request don't hash to the same slot", f"MSETNX across slots: {reply}")
        checks.that(raw.call("EXISTS", "x1", "x2") == 0, "MSETNX across slots wrote something")
        checks.that(raw.call("MSETNX", "{x}1", "1", "{x}2", "2") == 1, "MSETNX in one slot")
        order(checks, raw)
        sizes_and_shapes(checks, raw)
        strangers(checks, raw, proxy)
    client.flushall()
    sizes = [Redis(port=port).dbsize() for port in nodes]
    checks.that(sizes == [0, 0, 0] and client.randomkey() is None and client.keys() == [], f"after FLUSHALL: {sizes}")


def scan_wanders(checks, proxy, keys):
    """A cursor is good on any connection."""
    seen, cursor = [], b"0"
    while True:
        with lab.Resp(proxy) as another:
            cursor, some = another.call("SCAN", cursor, "COUNT", "400")
        seen += some
        if cursor == b"0":
            break
    checks.that(sorted(seen) == sorted(key.encode() for key in keys), f"SCAN over connections: {len(seen)} keys")


def scan_while_changing(checks, proxy, keys):
    """What is there all the time is seen, whatever else comes and goes."""
    stop = threading.Event()

    def change():
        client = plain(proxy)
        number = 0
        while not stop.is_set():
            number += 1
            client.set(f"passing:{number % 2000}", "x")
            client.delete(f"passing:{(number + 1000) % 2000}")

    thread = threading.Thread(target=change, daemon=True)
    thread.start()
    try:
        client = plain(proxy)
        for count in (10, 1000):
            missing = {key.encode() for key in keys} - set(client.scan_iter(count=count))
            checks.that(not missing, f"SCAN COUNT {count} while keys change misses {len(missing)}: {sorted(missing)[:3]}")
    finally:
        stop.set()
        thread.join(10)
        client.delete(*(f"passing:{number}" for number in range(2000)))


def order(checks, raw):
    """One connection's commands take effect in their order, wherever the keys are, and so do the replies."""
    keys = [f"order:{number}" for number in range(50)]
    commands, expected = [], []
    for turn in range(40):
        for key in keys:
            commands += [("SET", key, f"{turn}"), ("APPEND", key, "x")]
            expected += ["OK", len(f"{turn}x")]
        commands += [("MGET", *keys), ("DBSIZE",), ("MSET", *(word for key in keys for word in (key, "m"))), ("GET", keys[turn])]
        expected += [[b"%dx" % turn] * 50, None, "OK", b"m"]
        commands += [("DEL", *keys[:10]), ("EXISTS", *keys), ("ECHO", f"{turn}")]
        expected += [10, 40, b"%d" % turn]
    came = raw.pipeline(commands)
    wrong = [
        (words[:3], reply, must)
        for words, reply, must in zip(commands, came, expected, strict=True)
        if reply != must and words != ("DBSIZE",)
    ]
    checks.that(not wrong, f"{len(wrong)} of {len(commands)} pipelined replies are wrong: {wrong[:3]}")
    sizes = {reply for words, reply in zip(commands, came, strict=True) if words == ("DBSIZE",)}
    checks.that(len(sizes) == 1, f"DBSIZE within a pipeline: {sizes}")
    raw.call("DEL", *keys)


def sizes_and_shapes(checks, raw):
    """Large values, binary keys, inline commands."""
    large = bytes(range(256)) * 4096 * 4
    for number in range(6):
        key = b"large\r\n\x00\xff%d" % number
        came = (raw.call("SET", key, large), raw.call("GET", key) == large, raw.call("STRLEN", key), raw.call("DEL", key))
        checks.that(came == ("OK", True, len(large), 1), f"4 MiB under {key}: {came}")
    raw.send(b"SET inline 1\r\nGET inline\r\nMGET inline order:none\r\nDEL inline order:none\r\n")
    came = [raw.reply() for _ in range(4)]
    checks.that(came == ["OK", b"1", [b"1", None], 1], f"inline commands: {came}")


def strangers(checks, raw, proxy):
    """Who asks for a cluster hears that there is none, and what there is instead."""
    for words in (
        "CLUSTER SLOTS",
        "CLUSTER SHARDS",
        "CLUSTER NODES",
        "CLUSTER INFO",
        "CLUSTER MYID",
        "READONLY",
        "READWRITE",
        "ASKING",
    ):
        reply = raw.call(*words.split())
        checks.that(reply == NO_CLUSTER, f"{words}: {reply!r}")
    info = raw.call("INFO").decode()
    for line in ("redis_mode:standalone", "cluster_enabled:0", "redis_version:7.2.4"):
        checks.that(f"{line}\r\n" in info, f"INFO has no {line}")
    hello = raw.call("HELLO", "2")
    hello = dict(zip(hello[::2], hello[1::2], strict=True))
    checks.that(hello[b"mode"] == b"standalone" and hello[b"role"] == b"master", f"HELLO: {hello}")
    try:
        RedisCluster(host="127.0.0.1", port=proxy)
        checks.that(False, "a cluster client takes the endpoint for a cluster")
    except (RedisClusterException, ResponseError) as error:
        checks.that("cluster" in str(error).lower(), f"a cluster client hears {error!r}")


def who(checks, base, proxy, admin, colocated):
    """The caller's identity goes along, and tenants stay apart."""
    tokens = {
        name: admin.user(name, role, tenant)[0]
        for name, role, tenant in [
            ("reader", "read_only", "default"),
            ("ann", "read_write", "default"),
            ("bob", "read_write", "other"),
        ]
    }
    keys = [f"who:{number}" for number in range(60)]
    ann, bob, reader = (plain(proxy, username=name, password=tokens[name].secret) for name in ("ann", "bob", "reader"))
    lab.until("ann may come in", 5, lambda: reachable(ann) and reachable(bob) and reachable(reader))
    checks.that([ann.acl_whoami(), bob.acl_whoami(), reader.acl_whoami()] == ["ann", "bob", "reader"], "ACL WHOAMI")
    ann.mset({key: "ann" for key in keys})
    checks.that(bob.mget(keys) == [None] * 60 and bob.dbsize() == 0 and bob.keys() == [], "bob sees ann's keys")
    checks.that(list(bob.scan_iter()) == [] and bob.randomkey() is None and bob.delete(*keys) == 0, "bob reaches ann's keys")
    bob.mset({key: "bob" for key in keys[:30]})
    bob.flushall()
    checks.that(ann.mget(keys) == [b"ann"] * 60, "bob's FLUSHALL empties another tenant")
    checks.that(reader.mget(keys) == [b"ann"] * 60, "a reader reads")
    for name, call in [
        ("SET", lambda key: reader.set(key, "x")),
        ("MSET", lambda key: reader.mset({key: "x", "other": "y"})),
        ("DEL", lambda key: reader.delete(key, "other")),
        ("FLUSHALL", lambda _: reader.flushall()),
    ]:
        said = {refusal(call, key) for key in keys}
        checks.that(
            len(said) == 1 and all(text and "has no permissions to run" in text for text in said), f"a reader's {name}: {said}"
        )
    checks.that(reader.get(keys[0]) == b"ann", "the reader's connection is as before")
    # The colocated tenant's keys are all in one partition, hence on one node.
    cola = plain(proxy, username="cola", password=colocated)
    cola.flushall()
    cola.mset({key: "cola" for key in keys})
    there = [plain(port, username="cola", password=colocated).dbsize() for port in (base, base + 1, base + 2)]
    checks.that(sorted(there) == [0, 0, 60] and cola.dbsize() == 60, f"a colocated tenant's keys by node: {there}")
    cola.flushall()
    # A revoked token ends what it opened, whoever holds the key.
    admin.call("Users.RevokeToken", user="ann", id=tokens["ann"].id)
    lab.until("ann's token is useless", 5, lambda: refusal(ann.get, keys[0]), 0.05)
    said = {refusal(ann.get, key) for key in keys} | {refusal(ann.mget, keys)}
    checks.that(all(text for text in said), f"after its token was revoked ann hears {said}")
    checks.that(
        all("Authentication required" in (text or "") or "invalid username" in (text or "") for text in said), f"ann hears {said}"
    )


def reachable(client):
    """Whether the client may come in."""
    with contextlib.suppress(RedisError):
        return client.ping()


def refusal(call, *args):
    """The words with which a call is refused."""
    try:
        call(*args)
        return None
    except RedisError as error:
        return str(error)


class Caller(threading.Thread):
    """One plain client under load: its own keys, each read held against what was acknowledged."""

    def __init__(self, port, name):
        super().__init__(daemon=True)
        self.port, self.keys = port, [f"{name}:{number}" for number in range(40)]
        self.client = plain(port, socket_timeout=3 * DEADLINE_S)
        self.stop, self.done, self.since = threading.Event(), 0, None
        self.errors, self.wrong, self.slow, self.missing, self.allowed = collections.Counter(), [], [], set(), {}
        # What the counter may be: at least, at most.
        self.counter, self.counted = f"{name}:counter", (0, 0)
        self.last_error = 0.0

    def run(self):
        number = 0
        while not self.stop.is_set():
            number += 1
            key = self.keys[number % len(self.keys)]
            began = time.monotonic()
            try:
                self.turn(number, key)
                self.done += 1
            except RedisError as error:
                self.last_error = time.monotonic()
                self.errors[f"{type(error).__name__}: {error}"[:160]] += 1
            took = time.monotonic() - began
            if took > DEADLINE_S + 0.5:
                self.slow.append(round(took, 2))

    def turn(self, number, key):
        """One write or read, or several keys at once."""
        value = b"%d" % number
        if number % 7 == 3:
            self.count()
        elif number % 5 == 0:
            for each, came in zip(self.keys, self.client.mget(self.keys), strict=True):
                self.judge(each, came)
        elif number % 5 == 1:
            pairs = {each: value for each in self.keys[::4]}
            for each in pairs:
                self.allowed.setdefault(each, {None}).add(value)
            self.client.mset(pairs)
            self.allowed.update((each, {value}) for each in pairs)
        elif number % 2:
            self.allowed.setdefault(key, {None}).add(value)
            self.client.set(key, value)
            self.allowed[key] = {value}
        else:
            self.judge(key, self.client.get(key))

    def count(self):
        """INCR, which nobody may repeat: an error says whether it may have been carried out."""
        least, most = self.counted
        try:
            value = self.client.incr(self.counter)
        except RedisError as error:
            # What is not said to be unknown was not carried out.
            self.counted = (least, most + ("unknown" in str(error)))
            raise
        if least < value <= most + 1:
            self.counted = (value, value)
        elif value <= most - least + 1:
            # Begun anew, in a partition that was lost.
            self.missing.add(self.counter)
            self.counted = (value, value)
        else:
            self.wrong.append(f"{self.counter} is {value}, was {least} to {most} before")

    def judge(self, key, value):
        """A partition whose only copy is gone has lost its keys; nothing else may be missing or other."""
        if value in self.allowed.get(key, {None}):
            return
        if value is None:
            self.missing.add(key)
            self.allowed[key].add(None)
        else:
            self.wrong.append(f"{key} is {value!r}, may be {self.allowed.get(key)}")


def death(checks, args, folder):
    """Nodes that die and nodes that stand still, seen through the endpoints of the others."""
    nodes = lab.servers(args.predis, args.base_port + 400, folder, proxy=True)
    with lab.running(nodes):
        for node in nodes:
            node.start()
        for how in ("kill", "stop"):
            # Only empty partitions move, and the node that goes must have some to lose.
            lab.until("FLUSHALL", 30, lambda: not refusal(plain(nodes[0].proxy).flushall), 0.1)
            lab.await_cluster(args.predis, nodes, 60)
            death_round(checks, nodes, how)
        for node in nodes:
            checks.that("panicked" not in node.log.read_text(encoding="utf-8"), f"node {node.number} panicked")


def death_round(checks, nodes, how):
    """Callers at the endpoints of those that stay, while one goes and comes back."""
    victim, living = nodes[2], nodes[:2]
    theirs = [(first, last) for first, last, port in lab.slot_map(nodes[0].resp) if port == victim.resp]
    callers = [Caller(node.proxy, f"{how}{node.number}.{thread}") for node in living for thread in range(3)]
    for caller in callers:
        caller.start()
    try:
        lab.until("the callers are at it", 20, lambda: all(caller.done > 100 for caller in callers))
        checks.that(
            not any(caller.errors for caller in callers), f"before anything: {[dict(c.errors) for c in callers if c.errors][:2]}"
        )
        fall(checks, living, victim, callers, how)
    finally:
        for caller in callers:
            caller.stop.set()
        for caller in callers:
            caller.join(20)
    checks.that(not any(caller.is_alive() for caller in callers), f"{how}: a caller hangs")
    wrong = [text for caller in callers for text in caller.wrong]
    checks.that(not wrong, f"{how}: wrong values: {wrong[:3]}")
    missing = [key for caller in callers for key in caller.missing]
    lost = [key for key in missing if not any(first <= lab.key_slot(key) <= last for first, last in theirs)]
    checks.that(not lost, f"{how}: keys of nodes that lived are missing: {sorted(lost)[:5]}")
    print(f"  {how}: {sum(caller.done for caller in callers)} calls, {len(missing)} keys lost with their only copy")


def fall(checks, living, victim, callers, how):
    """One node goes; how long calls take and what they say; then it is back."""
    for caller in callers:
        caller.errors.clear()
    began = time.monotonic()
    if how == "kill":
        victim.kill()
    else:
        victim.child.send_signal(signal.SIGSTOP)
    marks = {caller: caller.done for caller in callers}
    probes = lab.partition_keys(256)

    def resumed():
        clients = [plain(node.proxy, socket_timeout=2 * DEADLINE_S) for node in living]
        with contextlib.suppress(RedisError):
            return all(
                client.mset({key: how for key in probes}) and client.mget(probes) == [how.encode()] * 256 for client in clients
            )

    lab.until(f"{how}: every partition is served through every endpoint", 30, resumed, 0.05)
    took = time.monotonic() - began
    quiet = lab.until(f"{how}: the callers have no errors any more", 20, lambda: settled(callers, marks), 0.1)
    errors = sum((caller.errors for caller in callers), collections.Counter())
    print(f"  {how}: service through the endpoints resumed after {took:.2f} s; errors meanwhile: {dict(errors.most_common(6))}")
    checks.that(took < 10, f"{how}: service resumed after {took:.1f} s")
    hung = [text for text in errors if text.startswith(("TimeoutError", "ConnectionError"))]
    checks.that(not hung, f"{how}: the endpoint's own connections broke or hung: {hung[:3]}")
    slow = [took for caller in callers for took in caller.slow]
    checks.that(not slow, f"{how}: calls took longer than the deadline: {sorted(slow)[-5:]}")
    checks.that(bool(quiet), f"{how}: errors do not end")
    if how == "kill":
        victim.start()
    else:
        victim.child.send_signal(signal.SIGCONT)
    lab.until(f"{how}: the node is back", 60, victim.ready, 0.1)


def settled(callers, marks):
    """Whether all have gone on for a second without an error."""
    now = time.monotonic()
    return all(now - caller.last_error > 1 and caller.done > marks[caller] for caller in callers)


def main():
    """Runs the parts, all but the last against one `predis up`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("predis", type=lab.binary)
    parser.add_argument("--base-port", type=int, default=20401)
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--redis-cli", default=shutil.which("redis-cli"))
    parser.add_argument("--redis-server", default=shutil.which("redis-server"))
    parser.add_argument("--only", nargs="*", default=["mixed", "twin", "whole", "who", "death"])
    args = parser.parse_args()
    checks = lab.Checks("proxy")
    with lab.workplace("proxy") as folder:
        up = lab.Process(args.predis, ["up", "--base-port", args.base_port], folder / "up.log")
        base, proxy = args.base_port, args.base_port + 100
        with lab.running([up]), grpc.insecure_channel(f"127.0.0.1:{base + 200}") as channel:
            up.start()
            try:
                up.await_log("is up")
                admin = Admin(channel)
                for tenant, placement in [("together", "colocated"), ("other", "spread")]:
                    admin.call("Tenants.Create", name=tenant, placement=placement)
                colocated = admin.user("cola", "read_write", "together")[0].secret
                lab.until("cola may come in", 5, lambda: reachable(plain(proxy, username="cola", password=colocated)))
                if "mixed" in args.only:
                    mixed(checks, args, folder, proxy, colocated)
                if "twin" in args.only:
                    twin(checks, args, folder, proxy, colocated)
                if "whole" in args.only:
                    whole(checks, base, proxy)
                if "who" in args.only:
                    who(checks, base, proxy, admin, colocated)
                code, took_s = up.terminate()
                checks.that(code == 0 and took_s < 5, f"SIGTERM ended predis up with {code} after {took_s:.1f} s")
                if "death" in args.only:
                    death(checks, args, folder)
            except lab.Failed as failure:
                checks.that(False, str(failure))
        log = up.log.read_text(encoding="utf-8")
        checks.that("panicked" not in log, f"it panicked: {up.tail()}")
        checks.finish(f"{args.operations} operations a run")


main()
