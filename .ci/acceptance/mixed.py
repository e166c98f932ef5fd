"""Mixed string operations through redis-py's cluster client, each answer held against a dictionary.

usage: mixed.py BASE_PORT OPERATIONS [--protocol 2|3] [--seed N]

Three nodes from BASE_PORT on, as `predis up` starts them; their keys are flushed first. Some operations go alone
and some in pipelines of twenty; at the end SCAN, DBSIZE and the values of all keys are compared too. Ends with
status 1 at the first error or wrong value. The operations are the same on every run with the same seed.
"""

import argparse
import sys
import time
import warnings

from model import OK, Error, Operations
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import ResponseError

# What redis-py's cluster pipelines do not take.
ALONE = {"mget", "mset", "msetnx", "rename", "renamenx", "copy", "delete", "unlink", "exists", "touch"}


def same(came, expected):
    """Whether what redis-py made of the reply is the expected reply."""
    if isinstance(expected, Error):
        return isinstance(came, ResponseError) and str(came) in (expected, expected.removeprefix("ERR "))
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


def run(client, operations, count):
    """Carries out `count` operations; how many of them went in pipelines."""
    number, piped = 0, 0
    while number < count:
        if operations.rng.random() < 0.04:
            batch, last = [], None
            while len(batch) < min(20, count - number) and last is None:
                drawn = operations.next()
                last = drawn if drawn.method in ALONE else None
                batch += [drawn] if last is None else []
            pipeline = client.pipeline()
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
    """SCAN, DBSIZE and every value."""
    seen = list(client.scan_iter(count=500))
    if set(seen) != {key.encode() for key in values} or len(seen) != len(values):
        sys.exit(f"SCAN gave {len(seen)} keys ({len(set(seen))} distinct), {len(values)} should be there")
    # Said to whom, since versions of redis-py differ in whom they ask by themselves.
    size = client.dbsize(target_nodes=RedisCluster.PRIMARIES)
    if size != len(values):
        sys.exit(f"DBSIZE {size}, {len(values)} keys should be there")
    keys = sorted(values)
    for key, value in zip(keys, client.mget_nonatomic(keys), strict=True):
        if value != values[key]:
            sys.exit(f"at the end {key} is {value!r}, should be {values[key]!r}")


def main():
    """Runs everything and prints how fast it went."""
    parser = argparse.ArgumentParser()
    parser.add_argument("base_port", type=int)
    parser.add_argument("operations", type=int)
    parser.add_argument("--protocol", type=int, choices=[2, 3], default=2)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    # SETEX and its like are deprecated, not gone.
    warnings.simplefilter("ignore", DeprecationWarning)
    nodes = [ClusterNode("127.0.0.1", args.base_port + node) for node in range(3)]
    client = RedisCluster(startup_nodes=nodes, protocol=args.protocol)
    client.flushall(target_nodes=RedisCluster.PRIMARIES)
    operations, began = Operations(args.seed, slack_s=5), time.monotonic()
    piped = run(client, operations, args.operations)
    took = time.monotonic() - began
    compare_all(client, operations.values)
    short_lived(client)
    print(
        f"{args.operations} mixed operations through redis-py (RESP{args.protocol}, {piped} of them in pipelines, "
        f"{len(operations.values)} keys at the end) in {took:.1f} s, no error, no wrong value"
    )


main()
