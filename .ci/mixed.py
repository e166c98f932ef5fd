"""Mixed string operations through redis-py's cluster client, each answer held against a dictionary.

usage: mixed.py BASE_PORT OPERATIONS

Ends with status 1 at the first error or wrong value. The operations are the same on every run.
"""

import random
import sys
import time

from redis.cluster import ClusterNode, RedisCluster


def one(client, model, rng):
    """Runs one operation and answers (operation, what came, what should have come)."""
    key = f"smoke:{rng.randrange(2000)}"
    kind = rng.choice(["set", "get", "append", "incr", "delete", "exists", "strlen", "getrange"])
    before = model.get(key)
    if kind == "set":
        value = "v" * rng.randrange(200) + str(rng.random())
        model[key] = value
        return kind, client.set(key, value), True
    if kind == "get":
        return kind, client.get(key), before
    if kind == "append":
        model[key] = (before or "") + "x"
        return kind, client.append(key, "x"), len(model[key])
    if kind == "incr":
        counter = f"count:{rng.randrange(100)}"
        model[counter] = str(int(model.get(counter, "0")) + 1)
        return kind, client.incr(counter), int(model[counter])
    if kind == "delete":
        return kind, client.delete(key), 0 if model.pop(key, None) is None else 1
    if kind == "exists":
        return kind, client.exists(key), 0 if before is None else 1
    if kind == "strlen":
        return kind, client.strlen(key), len(before or "")
    return kind, client.getrange(key, 1, 10), (before or "")[1:11]


def main():
    """Runs the operations and prints how fast they went."""
    base, operations = int(sys.argv[1]), int(sys.argv[2])
    nodes = [ClusterNode("127.0.0.1", base + node) for node in range(3)]
    client = RedisCluster(startup_nodes=nodes, decode_responses=True)
    model, rng, began = {}, random.Random(1), time.monotonic()
    for number in range(operations):
        kind, came, expected = one(client, model, rng)
        if came != expected:
            sys.exit(f"operation {number}, {kind}: {came!r} came, {expected!r} should have")
    took = time.monotonic() - began
    print(f"{operations} mixed operations through redis-py in {took:.1f} s, no error, no wrong value")


main()
