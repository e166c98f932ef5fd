"""Load from redis-py's cluster client that knows what it was promised.

Processes with threads, each with keys of its own: it writes ever new values and reads them back. A read must give
the last acknowledged value (or one of those whose outcome is unknown since); anything else is `wrong`, except that
nothing at all is written down with its partition, for the caller to hold against the partition's `lost` counter.
Errors are counted by kind and time; they are the caller's to judge.
"""

import collections
import multiprocessing
import random
import threading
import time
import warnings

import lab


class Writer(threading.Thread):
    """One thread and its keys."""

    def __init__(self, client, name, keys):
        super().__init__(daemon=True)
        self.client, self.keys = client, [f"{name}:{number}" for number in range(keys)]
        self.rng = random.Random(name)
        self.running, self.lock = threading.Event(), threading.Lock()
        self.forget()

    def forget(self):
        """All keys are gone and were meant to be."""
        # key -> values that a read may give; the last acknowledged one, and those of unknown outcome since.
        self.allowed, self.sequence = {}, getattr(self, "sequence", 0)
        self.begin()

    def begin(self):
        """Counts from zero."""
        self.done, self.worst_gap_s, self.last_ok = 0, 0.0, time.monotonic()
        self.errors, self.wrong, self.missing, self.error_times = collections.Counter(), [], [], []

    def run(self):
        while True:
            self.running.wait()
            with self.lock:
                if not self.running.is_set():
                    continue
                key = self.rng.choice(self.keys)
                try:
                    if self.rng.random() < 0.6:
                        self.write(key)
                    else:
                        self.judge(key, self.client.get(key))
                    self.succeeded()
                except Exception as error:  # Whatever the client raises is an outcome.
                    self.errors[type(error).__name__] += 1
                    self.error_times.append((time.monotonic(), f"{type(error).__name__}: {error}"[:200]))

    def succeeded(self):
        """Notes the time of an operation that came back."""
        now = time.monotonic()
        self.done, self.worst_gap_s, self.last_ok = self.done + 1, max(self.worst_gap_s, now - self.last_ok), now

    def write(self, key):
        """Writes a value that no key ever had."""
        self.sequence += 1
        value = b"%d" % self.sequence
        self.allowed.setdefault(key, [None]).append(value)
        if self.client.set(key, value) is not True:
            self.wrong.append(f"SET {key} did not answer OK")
        self.allowed[key] = [value]

    def judge(self, key, value):
        """Holds a read against what it may give."""
        allowed = self.allowed.get(key, [None])
        if value in allowed:
            return
        if value is None:
            self.missing.append(lab.key_slot(key))
            self.allowed[key] = [None, *allowed[1:]]
            return
        self.wrong.append(f"{key} is {value!r}, may be {allowed}")

    def verify(self):
        """Reads every key, while no thread writes."""
        for key in sorted(self.allowed):
            for attempt in range(5):
                try:
                    self.judge(key, self.client.get(key))
                    break
                except Exception as error:
                    if attempt == 4:
                        self.wrong.append(f"{key} cannot be read: {type(error).__name__}: {error}")
                    time.sleep(0.1)

    def report(self):
        """What happened since `begin`."""
        return {
            "done": self.done, "gap_s": self.worst_gap_s, "errors": self.errors, "wrong": self.wrong,
            "missing": self.missing, "error_times": self.error_times, "keys": len(self.allowed),
        }


def process(pipe, ports, number, threads, keys):
    """One process of the load; obeys the words that come through the pipe."""
    from redis.cluster import ClusterNode, RedisCluster

    warnings.simplefilter("ignore")
    nodes = [ClusterNode("127.0.0.1", port) for port in ports]
    client = RedisCluster(startup_nodes=nodes, socket_timeout=2, socket_connect_timeout=1)
    writers = [Writer(client, f"w{number}.{thread}", keys) for thread in range(threads)]
    for writer in writers:
        writer.start()
    while True:
        word = pipe.recv()
        if word == "stop":
            pipe.send("stopped")
            return
        if word == "run":
            for writer in writers:
                writer.begin()
                writer.running.set()
        for writer in writers:
            if word != "run":
                writer.running.clear()
        answers = []
        for writer in writers:
            if word == "run":
                continue
            with writer.lock:
                if word == "verify":
                    writer.verify()
                if word == "forget":
                    writer.forget()
                answers.append(writer.report())
        pipe.send(answers)


class Load:
    """All processes of the load, told the same."""

    def __init__(self, ports, processes=2, threads=2, keys=1000):
        context = multiprocessing.get_context("spawn")
        self.children = []
        for number in range(processes):
            ours, theirs = context.Pipe()
            child = context.Process(target=process, args=(theirs, ports, number, threads, keys), daemon=True)
            child.start()
            self.children.append((child, ours))

    def tell(self, word):
        """run, pause, verify, forget or stop; what the writers report."""
        for _, pipe in self.children:
            pipe.send(word)
        answers = []
        for _, pipe in self.children:
            if not pipe.poll(60):
                raise lab.Failed(f"the load does not answer to {word!r}")
            answers.append(pipe.recv())
        return [report for answer in answers if isinstance(answer, list) for report in answer]

    def stop(self):
        """Ends the processes."""
        for child, pipe in self.children:
            try:
                pipe.send("stop")
                child.join(5)
            except OSError:
                pass
            if child.is_alive():
                child.kill()
