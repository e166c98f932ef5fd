"""Clients that write down what they ask and what they hear, as `check-history` reads it.

usage: hostile_clients.py, with one line of JSON on standard input: nodes ([host, port] each), token, authority,
certificate, key, number (of this process), processes, threads, seed, begun_us, history (a file)

Clients share a few keys; every ROUND_US there are new ones, so that the history of a key stays short. An answer that
says that nothing was done leaves no line. One that does not come, or says that nobody knows, leaves a line without
an end: what was asked may yet happen. Orders on standard input: `stop` ends the asking, `read` reads every key once,
`end` ends. Each is answered by one line of JSON.
"""

import collections
import json
import os
import random
import ssl
import sys
import threading
import time

import lab

ROUND_US = 2_000_000
KEYS_A_ROUND = 8
ANSWER_S, CONNECT_S = 1.5, 0.7

# What is asked of keys that hold text and of those that hold numbers, with how often.
TEXT = {"GET": 30, "SET": 20, "APPEND": 20, "SETNX": 10, "GETSET": 10, "DEL": 10}
NUMBER = {"GET": 30, "INCR": 40, "SET": 8, "SETNX": 8, "GETSET": 7, "DEL": 7}
WITH_VALUE = ("SET", "APPEND", "SETNX", "GETSET")
UNKNOWN = "CLUSTERDOWN The outcome is unknown"
REFUSED = ("MOVED ", "TRYAGAIN", "CLUSTERDOWN", "NOREPLICAS", "LOADING")
NO_INTEGER = "ERR value is not an integer or out of range"


def now_us():
    """The clock that all processes of a machine share."""
    return time.monotonic_ns() // 1000


def keys_of(round_number):
    """The keys of a round."""
    return [f"{'n' if at % 2 else 't'}:{round_number}:{at}" for at in range(KEYS_A_ROUND)]


class Told(OSError):
    """A node does not let the client in now."""


class Router:
    """One client's connections and where it thinks that slots are."""

    def __init__(self, plan, rng):
        self.nodes, self.token, self.rng = [tuple(node) for node in plan["nodes"]], plan["token"], rng
        self.tls = ssl.create_default_context(cafile=plan["authority"])
        self.tls.load_cert_chain(plan["certificate"], plan["key"])
        self.open, self.slots = {}, {}

    def connection(self, node):
        """An authenticated connection to a node; a moment is all that it may take."""
        if node not in self.open:
            client = lab.Resp(node[1], CONNECT_S, tls=self.tls, host=node[0])
            said = client.call("AUTH", "admin", self.token)
            if said != "OK":
                client.close()
                raise Told(str(said))
            client.socket.settimeout(ANSWER_S)
            self.open[node] = client
        return self.open[node]

    def drop(self, node):
        """A connection that nothing more is read from."""
        if node in self.open:
            self.open.pop(node).close()

    def place(self, key):
        """Where a key is thought to be; anywhere, when nobody knows."""
        return self.slots.get(lab.key_slot(key)) or self.rng.choice(self.nodes)

    def heed(self, error):
        """Learns from `MOVED slot host:port`."""
        _, slot, where = error.split()
        host, port = where.rsplit(":", 1)
        self.slots[int(slot)] = (host, int(port))

    def forget(self, key):
        """Ask somebody else next time."""
        self.slots.pop(lab.key_slot(key), None)


class Client(threading.Thread):
    """Asks one thing after the other."""

    def __init__(self, plan, thread, write):
        super().__init__(daemon=True)
        self.name, self.write = f"{plan['number']}.{thread}", write
        self.rng = random.Random(f"{plan['seed']}:{self.name}")
        self.begun_us, self.router, self.going = plan["begun_us"], Router(plan, self.rng), True
        self.number, self.sequence, self.longest_us = plan["number"] * 100 + thread, 0, 0
        self.counted, self.odd = collections.Counter(), []

    def run(self):
        """Until told to stop."""
        answered = now_us()
        while self.going:
            key = self.rng.choice(keys_of((now_us() - self.begun_us) // ROUND_US))
            kinds = NUMBER if key.startswith("n") else TEXT
            (kind,) = self.rng.choices(list(kinds), list(kinds.values()))
            if self.ask(key, kind):
                self.longest_us, answered = max(self.longest_us, now_us() - answered), now_us()
            else:
                # Somebody who is refused asks again soon, not at once.
                time.sleep(0.005 + 0.02 * self.rng.random())
        self.longest_us = max(self.longest_us, now_us() - answered)

    def value(self, key):
        """One that nobody else writes."""
        self.sequence += 1
        serial = self.number * 1_000_000 + self.sequence
        return str(serial * 1000) if key.startswith("n") else f"<{serial}>"

    def ask(self, key, kind):
        """One operation; whether it was answered."""
        args, node = [self.value(key)] if kind in WITH_VALUE else [], self.router.place(key)
        try:
            client = self.router.connection(node)
        except (OSError, lab.Failed) as error:
            # Nothing was asked yet.
            self.counted[f"unreachable: {type(error).__name__}"] += 1
            self.router.forget(key)
            return False
        line = {"client": self.name, "key": key, "call_us": now_us(), "op": kind, "args": args}
        try:
            reply = client.call(kind, key, *args)
        except (OSError, ValueError) as error:
            self.router.drop(node)
            self.router.forget(key)
            return self.unknown(line, type(error).__name__)
        if not isinstance(reply, lab.RespError):
            return self.note(line, reply.decode() if isinstance(reply, bytes) else reply)
        if kind == "INCR" and reply == NO_INTEGER:
            return self.note(line, {"error": reply})
        if reply == UNKNOWN:
            return self.unknown(line, "said so")
        if not reply.startswith(REFUSED):
            self.odd.append(f"{kind} {key} {args}: {reply}")
            return self.unknown(line, "odd")
        self.counted[f"refused: {reply.split()[0]}"] += 1
        if reply.startswith("MOVED "):
            self.router.heed(reply)
        return False

    def note(self, line, result):
        """An answer."""
        self.write({**line, "return_us": now_us(), "result": result})
        self.counted["answered"] += 1
        return True

    def unknown(self, line, why):
        """No answer. A GET without one tells nothing."""
        if line["op"] != "GET":
            self.write({**line, "return_us": None})
        self.counted[f"unknown: {why}"] += 1
        return False

    def read_back(self, keys, limit_s):
        """Reads each of the keys; those that did not answer in time."""
        end, left = time.monotonic() + limit_s, collections.deque(keys)
        while left and time.monotonic() < end:
            if self.ask(left[0], "GET"):
                left.popleft()
        return list(left)


def main():
    """Obeys."""
    plan = json.loads(sys.stdin.readline())
    with open(plan["history"], "w", encoding="utf-8") as history:
        lock = threading.Lock()

        def write(line):
            # A text file is not to be written by several threads at once.
            with lock:
                history.write(json.dumps(line) + "\n")

        clients = [Client(plan, at, write) for at in range(plan["threads"])]
        for client in clients:
            client.start()
        last_round = 0
        for order in sys.stdin:
            answer = {}
            if order.strip() == "stop":
                for client in clients:
                    client.going = False
                for client in clients:
                    client.join(30)
                last_round = (now_us() - plan["begun_us"]) // ROUND_US
            elif order.strip() == "read":
                keys = [key for number in range(last_round + 1) for key in keys_of(number)]
                mine = keys[plan["number"] :: plan["processes"]]
                answer = {"keys": len(mine), "missing": clients[0].read_back(mine, 30 + len(mine) / 100)}
            else:
                break
            history.flush()
            counted = sum((client.counted for client in clients), collections.Counter())
            odd = [text for client in clients for text in client.odd]
            longest = max(client.longest_us for client in clients)
            print(json.dumps({**answer, "counted": counted, "odd": odd, "longest_us": longest}), flush=True)
    # Threads that wait for an answer are no reason to stay.
    os._exit(0)


if __name__ == "__main__":
    main()
