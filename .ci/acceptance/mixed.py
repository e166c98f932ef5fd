"""Mixed string operations through redis-py, each answer held against a dictionary.

usage: mixed.py BASE_PORT OPERATIONS [--protocol 2|3] [--seed N] [--plain spread|colocated] [--token-file FILE]

Three nodes from BASE_PORT on, as `predis up` starts them, and the cluster client; with --plain, BASE_PORT is one
endpoint for the plain client, and keys are of any slots: on a spread tenant for what a proxy gathers, on a colocated
one for everything. The token file has a user's name and token. The keys are flushed first. Some operations go alone
and some in pipelines of twenty; at the end SCAN, DBSIZE and the values of all keys are compared too. Nothing is tried
twice. Ends with status 1 at the first error or wrong value. The operations are the same on every run with the same
seed.
"""

import argparse
import pathlib
import sys
import time
import warnings

from model import ANY, GATHERED, OK, SLOT, Error, Operations
from redis import Redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import ResponseError
from redis.retry import Retry

# What redis-py's cluster pipelines do not take.
ALONE = {"mget", "mset", "msetnx", "rename", "renamenx", "copy", "delete", "unlink", "exists", "touch"}


def same(came, expected):
    """Whether what redis-py made of the reply is the expected reply."""
    if isinstance(expected, Error):
        # Versions of redis-py differ in which codes they take off.
        said = (expected, expected.removeprefix("ERR "), expected.removeprefix("CROSSSLOT "))
        return isinstance(came, ResponseError) and came.args[0] in said
    if expected is OK:
        return came is True or came in (b"OK", "OK")
    if isinstance(came, float):
        return came == float(expected)
    return expected == came and (came is None) == (expected is None)


def call(client, operation):
    """What the client answers; a refusal by the server is an answer."""
    try:
        return getattr(client, operation.method)(*operation.args, **operation.kwargs)
    except ResponseError as error:
        return error


def check(number, operation, came):
    """Ends the run on a wrong answer."""
    if not same(came, operation.expected):
        sys.exit(f"operation {number}, {operation!r}: {came!r} came, {operation.expected!r} should have")


def run(client, operations, count, alone=frozenset()):
    """Carries out `count` operations; how many of them went in pipelines, where some methods may not go."""
    number, piped = 0, 0
    while number < count:
        if operations.rng.random() < 0.04:
            batch, last = [], None
            while len(batch) < min(20, count - number) and last is None:
                drawn = operations.next()
                last = drawn if drawn.method in alone else None
                batch += [drawn] if last is None else []
            pipeline = client.pipeline(transaction=False)
            for operation in batch:
                getattr(pipeline, operation.method)(*operation.args, **operation.kwargs)
            for operation, came in zip(batch, pipeline.execute(raise_on_error=False), strict=True):
                number, piped = number + 1, piped + 1
                check(number, operation, came)
        else:
            last = operations.next()
        if last is not None:
            number += 1
            check(number, last, call(client, last))
    return piped


def short_lived(client):
    """A key with a short life is there until then and gone soon after, for reads, EXISTS and SCAN."""
    for number, life_ms in enumerate([1, 20, 50, 200]):
        key, began = f"short:{number}", time.monotonic()
        client.set(key, "x", px=life_ms)
        while True:
            asked = time.monotonic() - began
            value, answered = client.get(key), time.monotonic() - began
            if value is None and answered * 1000 < life_ms:
                sys.exit(f"{key} with a life of {life_ms} ms was gone after {answered * 1000:.1f} ms")
            if value is None:
                break
            if asked * 1000 > life_ms + 1000:
                sys.exit(f"{key} with a life of {life_ms} ms was there after {asked * 1000:.1f} ms")
        if client.exists(key) or client.ttl(key) != -2 or key.encode() in client.scan_iter(match="short:*"):
            sys.exit(f"{key} has expired and is still there")


def compare_all(client, values):
    """SCAN, DBSIZE and every value; of an endpoint KEYS and RANDOMKEY too."""
    plain, there = isinstance(client, Redis), {key.encode() for key in values}
    seen = list(client.scan_iter(count=500))
    if set(seen) != there or len(seen) != len(values):
        sys.exit(f"SCAN gave {len(seen)} keys ({len(set(seen))} distinct), {len(values)} should be there")
    # Said to whom, since versions of redis-py differ in whom they ask by themselves.
    size = client.dbsize() if plain else client.dbsize(target_nodes=RedisCluster.PRIMARIES)
    if size != len(values):
        sys.exit(f"DBSIZE {size}, {len(values)} keys should be there")
    if plain:
        listed, some = client.keys("*"), client.keys("{t1?}:[0-3]")
        if sorted(listed) != sorted(there) or set(some) != {key for key in there if fits(key)}:
            sys.exit(f"KEYS gave {len(listed)} keys and of a pattern {some}, {len(values)} should be there")
        wrong = {client.randomkey() for _ in range(100)} - there
        if wrong:
            sys.exit(f"RANDOMKEY gave {wrong}, which are not there")
    keys = sorted(values)
    for key, value in zip(keys, client.mget(keys) if plain else client.mget_nonatomic(keys), strict=True):
        if value != values[key]:
            sys.exit(f"at the end {key} is {value!r}, should be {values[key]!r}")


def fits(key):
    """Whether a key is of the pattern {t1?}:[0-3]."""
    return len(key) == 7 and key.startswith(b"{t1") and key[4:6] == b"}:" and key[6:] in b"0123"


def connect(args):
    """The client that the arguments ask for."""
    if not args.plain:
        nodes = [ClusterNode("127.0.0.1", args.base_port + node) for node in range(3)]
        return RedisCluster(startup_nodes=nodes, protocol=args.protocol)
    user, token = args.token_file.read_text(encoding="ascii").split() if args.token_file else (None, None)
    return Redis(
        port=args.base_port, protocol=args.protocol, username=user, password=token, retry=Retry(NoBackoff(), 0),
        socket_timeout=30,
    )


def main():
    """Runs everything and prints how fast it went."""
    parser = argparse.ArgumentParser()
    parser.add_argument("base_port", type=int)
    parser.add_argument("operations", type=int)
    parser.add_argument("--protocol", type=int, choices=[2, 3], default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plain", choices=["spread", "colocated"])
    parser.add_argument("--token-file", type=pathlib.Path)
    args = parser.parse_args()
    # SETEX and its like are deprecated, not gone.
    warnings.simplefilter("ignore", DeprecationWarning)
    client = connect(args)
    if args.plain:
        client.flushall()
    else:
        client.flushall(target_nodes=RedisCluster.PRIMARIES)
    reach = {None: SLOT, "spread": GATHERED, "colocated": ANY}[args.plain]
    operations, began = Operations(args.seed, slack_s=5, reach=reach), time.monotonic()
    piped = run(client, operations, args.operations, frozenset() if args.plain else ALONE)
    took = time.monotonic() - began
    compare_all(client, operations.values)
    short_lived(client)
    whose = f"plain client on a {args.plain} tenant" if args.plain else "cluster client"
    print(
        f"{args.operations} mixed operations through redis-py's {whose} (RESP{args.protocol}, {piped} of them in pipelines, "
        f"{len(operations.values)} keys at the end) in {took:.1f} s, no error, no wrong value"
    )


main()
