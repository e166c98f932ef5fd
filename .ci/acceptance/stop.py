"""SIGTERM under load: a clean end, status 0, soon.

usage: stop.py PREDIS [--base-port 19901] [--rounds 3] [--limit 5.0]

Three servers under load, with clients that stall in the middle of a command and one that never reads, each are
told to stop, one after the other while the others go on; then all at once. Each must end with status 0 within
--limit seconds, say in its log that it has stopped, and never leave a client with half a reply. Then `predis up`
with SIGTERM and SIGINT, and signals while it is still coming up. Run it with a Python that has redis-py.
"""

import argparse
import contextlib
import signal
import socket
import threading
import time

import lab
from load import Load


class Straight(threading.Thread):
    """A client that sends pipelines of large replies until the node is gone, and sees whether one is cut off."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.cut, self.replies = port, None, 0

    def run(self):
        try:
            with lab.Resp(self.port, 20) as client:
                while True:
                    for reply in client.pipeline([("ECHO", "x" * 20_000)] * 50):
                        self.replies += reply == b"x" * 20_000
        except lab.Gone as end:
            self.cut = str(end) if "within" in str(end) else None
        except OSError as error:
            # A reset may cut what was in flight: closing without one is what is asked of the node.
            self.cut = repr(error)


def stalled(port, count=50):
    """Clients in the middle of a command, and one whose replies pile up."""
    clients = []
    for _ in range(count):
        client = lab.Resp(port)
        client.send(b"*2\r\n$3\r\nGET\r\n$5\r\nab")
        clients.append(client)
    deaf = lab.Resp(port, 5, receive_bytes=4096)
    deaf.socket.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            deaf.socket.send(lab.encode("ECHO", b"x" * 10_000) * 100)
    return [*clients, deaf]


def stop_one(checks, node, limit_s, times):
    """One node, with all kinds of clients on it."""
    clients, straight = stalled(node.resp), Straight(node.resp)
    straight.start()
    lab.until("the straight client is at work", 10, lambda: straight.replies > 100)
    code, took_s = node.terminate()
    times.append(took_s)
    straight.join(5)
    what = f"node {node.number}"
    checks.that(code == 0, f"{what}: SIGTERM ended it with {code}: {node.tail(5)}")
    checks.that(took_s <= limit_s, f"{what}: SIGTERM took {took_s:.1f} s")
    checks.that("stopped" in node.tail(5), f"{what}: its log does not end with its stop: {node.tail(5)}")
    checks.that(straight.cut is None and not straight.is_alive(), f"{what}: a client was cut off: {straight.cut}")
    for client in clients:
        client.close()


def servers(checks, args, folder, times):
    """One after the other under load, then all at once."""
    nodes = lab.servers(args.predis, args.base_port, folder)
    with lab.running(nodes):
        for node in nodes:
            node.start()
        lab.await_cluster(args.predis, nodes)
        load = Load([node.resp for node in nodes])
        try:
            load.tell("run")
            for number in range(args.rounds):
                node = nodes[number % len(nodes)]
                stop_one(checks, node, args.limit, times)
                node.start()
                lab.until("it is back", 20, lambda: all(node.ready() for node in nodes), 0.1)
            load.tell("pause")
            load.tell("run")
        finally:
            load.stop()
        threads = [threading.Thread(target=stop_one, args=(checks, node, args.limit, times)) for node in nodes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for node in nodes:
            checks.that("panicked" not in node.log.read_text(encoding="utf-8"), f"node {node.number} panicked")


def up(checks, args, folder, times):
    """`predis up`: both signals, at every stage of coming up."""
    base = args.base_port + 10
    for number, (wait_for, which) in enumerate([
        ("is up", signal.SIGTERM), ("is up", signal.SIGINT), ("booting node=1", signal.SIGTERM), ("booting node=3", signal.SIGINT),
    ]):
        process = lab.Process(args.predis, ["up", "--base-port", base], folder / f"up-{number}.log")
        with lab.running([process]):
            lab.until("the ports are free", 10, lambda: all(free(base + offset + n) for offset in (0, 200, 300) for n in range(3)))
            process.start()
            process.await_log(wait_for)
            began = time.monotonic()
            process.child.send_signal(which)
            code = process.child.wait(20)
            took_s = time.monotonic() - began
        times.append(took_s)
        checks.that(code == 0, f"{which.name} at {wait_for!r} ended predis up with {code}: {process.tail(5)}")
        checks.that(took_s <= args.limit, f"{which.name} at {wait_for!r} took {took_s:.1f} s")


def free(port):
    """Whether one could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def main():
    """Runs both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("predis", type=lab.binary)
    parser.add_argument("--base-port", type=int, default=19901)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=5.0)
    args = parser.parse_args()
    checks, times = lab.Checks("stop"), []
    with lab.workplace("stop") as folder:
        try:
            servers(checks, args, folder, times)
            up(checks, args, folder, times)
        except (lab.Failed, lab.Ended) as failure:
            checks.that(False, str(failure))
        checks.finish(f"SIGTERM to exit (min/median/max of {len(times)}): {lab.extremes(times)}")


if __name__ == "__main__":
    main()
