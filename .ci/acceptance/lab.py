"""What the acceptance scripts share: processes, a bare RESP client, cluster status, checks that are counted.

Only the standard library. Nothing here waits for a fixed time: `until` looks again and again at something that
can be observed, and fails with what it last saw. Everything listens on 127.0.0.1.
"""

import binascii
import collections
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

SLOTS = 16384


class Failed(Exception):
    """Something did not hold, and nothing after it makes sense."""


class Ended(Exception):
    """A process that should run does not: there is nothing to wait for."""


class Checks:
    """Counts what held and what did not; a script ends with `finish`."""

    def __init__(self, name):
        self.name, self.held, self.failed, self.began = name, 0, [], time.monotonic()

    def that(self, holds, what):
        """Counts one check; says so when it does not hold. Answers whether it held."""
        if holds:
            self.held += 1
        else:
            self.failed.append(what)
            print(f"FAILED: {what}", flush=True)
        return bool(holds)

    def finish(self, more=""):
        """Prints the one line and ends the process."""
        took = time.monotonic() - self.began
        verdict = "ok" if not self.failed else "FAILED"
        more = f", {more}" if more else ""
        print(f"{self.name}: {verdict}, {self.held} checks held, {len(self.failed)} failed{more}, {took:.1f} s", flush=True)
        sys.exit(1 if self.failed else 0)


def binary(path):
    """The absolute path of a program given on the command line, whatever directory it is started from."""
    return str(pathlib.Path(path).resolve(strict=True))


def until(what, limit_s, look, every_s=0.02):
    """Calls `look` until it answers something true, which is returned. It may raise while things come up."""
    end, seen = time.monotonic() + limit_s, None
    while True:
        try:
            seen = look()
            if seen:
                return seen
        except (OSError, ValueError, KeyError, Failed, subprocess.CalledProcessError) as error:
            seen = error
        if time.monotonic() > end:
            raise Failed(f"{what}: not after {limit_s} s; last seen: {seen!r}")
        time.sleep(every_s)


def key_slot(key):
    """The slot of a key, hash tags heeded."""
    key = key.encode() if isinstance(key, str) else key
    start = key.find(b"{")
    if start >= 0:
        end = key.find(b"}", start + 1)
        if end > start + 1:
            key = key[start + 1 : end]
    return binascii.crc_hqx(key, 0) % SLOTS


class RespError(str):
    """An error reply: the line without its minus."""


class Gone(OSError):
    """The other side closed the connection."""


class Resp:
    """A connection that speaks RESP2 or RESP3, byte by byte under the caller's control; `tls` is an ssl.SSLContext."""

    def __init__(self, port, timeout_s=5.0, receive_bytes=None, tls=None, host="127.0.0.1"):
        self.socket = socket.socket()
        self.socket.settimeout(timeout_s)
        if receive_bytes is not None:
            # Only before connecting does this bound the window.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=host)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Closes it."""
        with contextlib.suppress(OSError):
            self.file.close()
            self.socket.close()

    def send(self, data):
        """Sends bytes as they are."""
        self.socket.sendall(data)

    def call(self, *words):
        """Sends one command and reads its reply."""
        self.send(encode(*words))
        return self.reply()

    def pipeline(self, commands):
        """Sends commands together and reads all the replies."""
        self.send(b"".join(encode(*words) for words in commands))
        return [self.reply() for _ in commands]

    def line(self):
        """The next line without its end."""
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise Gone("connection closed" if not line else f"closed within a line: {line!r}")
        return line[:-2]

    def reply(self):
        """The next reply."""
        line = self.line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return RespError(rest.decode())
        if kind in b":(":
            return int(rest)
        if kind == b"$":
            if int(rest) < 0:
                return None
            data = self.file.read(int(rest) + 2)
            if len(data) < int(rest) + 2:
                raise Gone("closed within a bulk")
            return data[:-2]
        if kind in b"*~>":
            return None if int(rest) < 0 else [self.reply() for _ in range(int(rest))]
        if kind == b"%":
            return {freeze(self.reply()): self.reply() for _ in range(int(rest))}
        if kind == b"_":
            return None
        if kind == b"#":
            return rest == b"t"
        if kind == b",":
            return float(rest)
        raise Failed(f"no reply starts like {line[:60]!r}")

    def is_closed(self, within_s=5.0):
        """Whether the other side has closed, after having said nothing more."""
        self.socket.settimeout(within_s)
        try:
            return self.file.read(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


def freeze(value):
    """A reply as a key."""
    return tuple(value) if isinstance(value, list) else value


def encode(*words):
    """A command as an array of bulks."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        word = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)


def http(port, path, tls=None):
    """(status, body) of a page."""
    scheme = "https" if tls else "http"
    try:
        with urllib.request.urlopen(f"{scheme}://127.0.0.1:{port}{path}", timeout=5, context=tls) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def status(predis, grpc_port, stale=False, timeout_s=10, ctl=()):
    """`predis ctl cluster status`, as agreed on by a majority unless `stale`; `ctl` is what it takes to be let in."""
    command = [predis, "ctl", "--addr", f"127.0.0.1:{grpc_port}", *map(str, ctl), "--json", "cluster", "status"]
    command += ["--stale"] if stale else []
    done = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False)
    if done.returncode != 0:
        raise Failed(f"ctl: {done.stderr.decode().strip()}")
    return json.loads(done.stdout)


def refused(predis, *args, env=None, user=None, timeout_s=20):
    """Runs a command that should end by itself; (exit status, what it said)."""
    done = subprocess.run(
        [predis, *map(str, args)], capture_output=True, timeout=timeout_s, check=False, user=user,
        env={**os.environ, "PREDIS_LOG": "warn", **(env or {})}, cwd="/",
    )
    return done.returncode, (done.stderr + done.stdout).decode()


class Process:
    """A `predis` process with its log."""

    def __init__(self, predis, args, log):
        self.args, self.log = [str(predis), *map(str, args)], pathlib.Path(log)
        self.child = None
        # What the child does before it becomes predis, such as to set limits.
        self.before_exec = None

    def start(self):
        """Starts it."""
        before = self.before_exec
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(self.args, stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=before)

    def alive(self):
        """Whether it runs."""
        return self.child is not None and self.child.poll() is None

    def kill(self):
        """kill -9, without waiting for what the parent has to clear away."""
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def terminate(self, limit_s=20):
        """SIGTERM; (exit status, seconds). A status of None: it had to be killed."""
        began = time.monotonic()
        self.child.send_signal(signal.SIGTERM)
        try:
            code = self.child.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.kill()
            code = None
        return code, time.monotonic() - began

    def rss_bytes(self):
        """Resident memory."""
        text = pathlib.Path(f"/proc/{self.child.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("VmRSS"))

    def await_log(self, text, limit_s=30):
        """Waits until the log has this text, as long as the process runs."""
        end = time.monotonic() + limit_s
        while text not in self.log.read_text(encoding="utf-8", errors="replace"):
            if not self.alive() or time.monotonic() > end:
                raise Failed(f"{text!r} is not in the log: {self.tail()}")
            time.sleep(0.02)

    def tail(self, lines=30):
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


class Server(Process):
    """One `predis server`. Number 1 has the base port, 2 the next; the proxy is 100 higher, gRPC 200, metrics 300."""

    def __init__(self, predis, number, base, folder, start, more=(), proxy=False):
        self.predis, self.number, self.start_with = predis, number, list(start)
        self.resp, self.proxy, self.grpc, self.metrics = (base + offset + number - 1 for offset in (0, 100, 200, 300))
        self.data = pathlib.Path(folder) / f"data-{number}"
        self.more = [str(word) for word in more] + (["--proxy-listen", f"127.0.0.1:{self.proxy}"] if proxy else [])
        super().__init__(predis, [], pathlib.Path(folder) / f"node-{number}.log")

    def start(self):
        """Starts it: founding or joining when its data directory is new, else as what it is."""
        known = (self.data / "node.json").exists()
        with_what = [] if known and "--bootstrap" in self.start_with else self.start_with
        self.args = [
            str(self.predis), "server", "--name", f"node-{self.number}", "--data-dir", str(self.data),
            "--listen", f"127.0.0.1:{self.resp}", "--grpc", f"127.0.0.1:{self.grpc}",
            "--metrics", f"127.0.0.1:{self.metrics}", *with_what, *self.more,
        ]
        super().start()

    def ready(self, tls=None):
        """Whether it says that clients may be sent to it."""
        return http(self.metrics, "/readyz", tls)[0] == 200


def servers(predis, base, folder, count=3, more=(), proxy=False, founding=()):
    """The processes of a cluster, not started: the first founds it, with `founding` too, the others join."""
    made = []
    for number in range(1, count + 1):
        start = ["--bootstrap", *founding] if number == 1 else ["--join", f"127.0.0.1:{base + 200}"]
        made.append(Server(predis, number, base, folder, start, more, proxy))
    return made


def await_cluster(predis, nodes, limit_s=30, tls=None, ctl=()):
    """Waits until all are up, every slot is served and the partitions are spread; the status."""
    def settled():
        for node in nodes:
            if not node.alive():
                raise Ended(f"node {node.number} has ended: {node.tail(1)}")
        if not all(node.ready(tls) for node in nodes):
            return None
        now = status(predis, nodes[0].grpc, ctl=ctl)
        up = [node for node in now["nodes"] if node["status"] == "up"]
        fair = now["partition_count"] / len(nodes)
        spread = all(abs(node["primaries"] - fair) <= 0.1 * fair + 1 for node in up)
        return now if len(up) == len(nodes) and now["slots_served"] == SLOTS and spread else None

    return until("the cluster is up and its partitions are spread", limit_s, settled, 0.1)


def slot_map(port, timeout_s=1.0, tls=None, auth=None):
    """CLUSTER SLOTS of a node: a list of (first, last, primary's port)."""
    with Resp(port, timeout_s, tls=tls) as client:
        if auth:
            client.call("AUTH", *auth)
        return [(first, last, primary[1]) for first, last, primary, *_ in client.call("CLUSTER", "SLOTS")]


def covers(ranges):
    """Whether the ranges have every slot exactly once."""
    counted = collections.Counter()
    for first, last, _ in ranges:
        counted.update(range(first, last + 1))
    return len(counted) == SLOTS and max(counted.values(), default=0) == 1


def partition_keys(count):
    """One key for each partition, in order."""
    width, found, number = SLOTS // count, {}, 0
    while len(found) < count:
        found.setdefault(key_slot(f"probe:{number}") // width, f"probe:{number}")
        number += 1
    return [found[partition] for partition in range(count)]


@contextlib.contextmanager
def workplace(name):
    """A folder that goes away when all went well."""
    folder = tempfile.mkdtemp(prefix=f"predis-{name}-")
    keep = True
    try:
        yield pathlib.Path(folder)
        keep = False
    except SystemExit as ending:
        keep = bool(ending.code)
        raise
    finally:
        if keep:
            print(f"logs are kept in {folder}", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running(processes):
    """Sees to it that none outlives the block."""
    try:
        yield processes
    finally:
        for process in processes:
            if process.alive():
                process.kill()


def extremes(seconds):
    """min/median/max of a list."""
    ordered = sorted(seconds)
    return f"{ordered[0]:.2f}/{ordered[len(ordered) // 2]:.2f}/{ordered[-1]:.2f} s" if ordered else "none"
