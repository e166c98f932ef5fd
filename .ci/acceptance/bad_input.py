"""Bad input, each with its words, and a node that goes on living.

usage: bad_input.py PREDIS [--base-port 19101] [--user nobody]

Over the wire: malformed and truncated frames, huge announcements, deep nesting, wrong commands and parameters, a
client that never reads, clients that stall, too many clients. On the command line: settings, addresses and data
directories that cannot be. After each the same process must answer, and its memory must not have grown.
"""

import argparse
import os
import pathlib
import resource
import socket
import time

import lab

MIB = 1 << 20
PROTOCOL = "ERR Protocol error: "

# (what is sent, what is answered before the connection is closed)
MALFORMED = [
    (b"*x\r\n", "invalid multibulk length"),
    (b"*-x\r\n", "invalid multibulk length"),
    (b"*1048577\r\n", "invalid multibulk length"),
    (b"*99999999999999999999\r\n", "invalid multibulk length"),
    (b"*" + b"1" * 70_000, "too big mbulk count string"),
    (b"*1\r\n$-1\r\n", "invalid bulk length"),
    (b"*1\r\n$x\r\n", "invalid bulk length"),
    (b"*1\r\n$\r\n", "invalid bulk length"),
    (b"*1\r\n$99999999999999999999\r\n", "invalid bulk length"),
    (b"*2\r\n$3\r\nGET\r\n$629145600\r\n", "invalid bulk length"),
    (b"*1\r\n$" + b"1" * 70_000, "too big bulk count string"),
    (b"*1\r\n:1\r\n", "expected '$', got ':'"),
    (b"*1\r\n+PING\r\n", "expected '$', got '+'"),
    (b"*2\r\n$4\r\nECHO\r\n*1\r\n$1\r\nx\r\n", "expected '$', got '*'"),
    (b"*1\r\n" * 100_000, "expected '$', got '*'"),
    (b'SET k "unbalanced\r\n', "unbalanced quotes in request"),
    (b"GET 'x'y\r\n", "unbalanced quotes in request"),
    (b"a" * 70_000, "too big inline request"),
]

# (bytes that are no whole command; nothing is answered, and nothing happens when the client goes)
TRUNCATED = [
    b"*", b"*3", b"*3\r", b"*3\r\n", b"*3\r\n$", b"*3\r\n$3\r\nSE", b"*3\r\n$3\r\nSET\r\n$4\r\ntrun\r\n$100\r\nhalf",
    b"*3\r\n$3\r\nSET\r\n$4\r\ntrun\r\n$3\r\nall", b"*3\r\n$3\r\nSET\r\n$4\r\ntrun\r\n$3\r\nall\r", b"SET trun half", b"\x00",
    b"*1\r\n$536870912\r\n" + b"x" * 1000,
]

# (command, exact reply)
REFUSED = [
    ("GET", "ERR wrong number of arguments for 'get' command"),
    ("GET a b", "ERR wrong number of arguments for 'get' command"),
    ("SET a", "ERR wrong number of arguments for 'set' command"),
    ("MSET {a}1 x {a}2", "ERR wrong number of arguments for 'mset' command"),
    ("PING a b", "ERR wrong number of arguments for 'ping' command"),
    ("CLUSTER KEYSLOT", "ERR wrong number of arguments for 'cluster|keyslot' command"),
    ("CONFIG SET", "ERR wrong number of arguments for 'config|set' command"),
    ("CLIENT", "ERR wrong number of arguments for 'client' command"),
    ("NONSENSE", "ERR unknown command 'NONSENSE', with args beginning with: "),
    ("nonsense a b", "ERR unknown command 'nonsense', with args beginning with: 'a' 'b' "),
    ("LPUSH l x", "ERR unknown command 'LPUSH', with args beginning with: 'l' 'x' "),
    ("CLUSTER NONSENSE", "ERR unknown subcommand 'NONSENSE'. Try CLUSTER HELP."),
    ("CLIENT nonsense x", "ERR unknown subcommand 'nonsense'. Try CLIENT HELP."),
    ("CONFIG nonsense", "ERR unknown subcommand 'nonsense'. Try CONFIG HELP."),
    ("SET a b EX", "ERR syntax error"),
    ("SET a b NX XX", "ERR syntax error"),
    ("SET a b EX 1 PX 1", "ERR syntax error"),
    ("SET a b EX 0", "ERR invalid expire time in 'set' command"),
    ("SET a b EX 9223372036854775807", "ERR invalid expire time in 'set' command"),
    ("SET a b EX x", "ERR value is not an integer or out of range"),
    ("SETEX a -1 b", "ERR invalid expire time in 'setex' command"),
    ("GETEX number EX 0", "ERR invalid expire time in 'getex' command"),
    ("EXPIRE a x", "ERR value is not an integer or out of range"),
    ("EXPIRE a 1 NX XX", "ERR NX and XX, GT or LT options at the same time are not compatible"),
    ("EXPIRE a 1 GT LT", "ERR GT and LT options at the same time are not compatible"),
    ("EXPIRE a 1 QQ", "ERR Unsupported option QQ"),
    ("EXPIRE a 9223372036854775807", "ERR invalid expire time in 'expire' command"),
    ("INCRBY a 9223372036854775808", "ERR value is not an integer or out of range"),
    ("DECRBY a -9223372036854775808", "ERR decrement would overflow"),
    ("INCRBYFLOAT a x", "ERR value is not a valid float"),
    ("SETRANGE a -1 x", "ERR offset is out of range"),
    ("SETRANGE a 536870912 x", "ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
    ("MGET a b", "CROSSSLOT Keys in request don't hash to the same slot"),
    ("RENAME a b", "CROSSSLOT Keys in request don't hash to the same slot"),
    ("SELECT 1", "ERR SELECT is not allowed in cluster mode"),
    ("SELECT x", "ERR value is not an integer or out of range"),
    ("SCAN x", "ERR invalid cursor"),
    ("SCAN 0 COUNT 0", "ERR syntax error"),
    ("SCAN 0 COUNT x", "ERR value is not an integer or out of range"),
    ("HELLO 9", "NOPROTO unsupported protocol version"),
    ("HELLO x", "ERR Protocol version is not an integer or out of range"),
    ("AUTH x y", "WRONGPASS invalid username-password pair or user is disabled."),
    ("CLIENT KILL 1.2.3.4:5", "ERR No such client"),
    ("CLIENT SETNAME a\nb", "ERR Client names cannot contain spaces, newlines or special characters."),
    ("CLUSTER COUNTKEYSINSLOT 16384", "ERR Invalid slot"),
    ("CLUSTER GETKEYSINSLOT 0 -1", "ERR Invalid slot or number of keys"),
    ("CONFIG SET no-such-thing 1", "ERR Unknown option or number of arguments for CONFIG SET - 'no-such-thing'"),
    ("CONFIG SET port 1", "ERR CONFIG SET failed (possibly related to argument 'port') - can't set immutable config"),
    ("CONFIG SET maxclients x", None),
    ("CONFIG SET maxmemory lots", None),
    ("CONFIG SET maxmemory-policy mru", None),
    ("CONFIG SET timeout 1 timeout 2", "ERR CONFIG SET failed (possibly related to argument 'timeout') - duplicate parameter"),
]


class Wire:
    """What is tried on a running node."""

    def __init__(self, checks, node):
        self.checks, self.node = checks, node

    def alive(self, after):
        """The same process answers, quickly."""
        began = time.monotonic()
        try:
            with lab.Resp(self.node.resp) as client:
                answered = client.call("PING") == "PONG"
        except OSError as error:
            answered = error
        took_s = time.monotonic() - began
        self.checks.that(answered is True and self.node.alive(), f"after {after}: no PONG ({answered})")
        self.checks.that(took_s < 1, f"after {after}: PONG took {took_s:.2f} s")

    def malformed(self):
        """The words, the connection closed, and what came before answered."""
        for sent, words in MALFORMED:
            what = f"{sent[:40]!r} ({len(sent)} bytes)"
            with lab.Resp(self.node.resp) as client:
                try:
                    client.send(lab.encode("ECHO", "before") + sent)
                    before, reply = client.reply(), client.reply()
                except OSError as error:
                    self.checks.that(False, f"{what}: {error!r}")
                    continue
                self.checks.that(before == b"before", f"{what}: the command before it was answered with {before!r}")
                self.checks.that(reply == PROTOCOL + words, f"{what}: {reply!r} came, {PROTOCOL + words!r} should have")
                self.checks.that(client.is_closed(), f"{what}: the connection is still open")
            self.alive(what)

    def truncated(self):
        """Half a command is nothing, whether the client closes its side or all of it."""
        for sent in TRUNCATED:
            for half in (True, False):
                with lab.Resp(self.node.resp) as client:
                    client.send(sent)
                    if half:
                        client.socket.shutdown(socket.SHUT_WR)
                        self.checks.that(client.is_closed(), f"truncated {sent[:40]!r}: not closed, or answered")
                with lab.Resp(self.node.resp) as client:
                    self.checks.that(client.call("EXISTS", "trun") == 0, f"truncated {sent[:40]!r} took effect")
        self.alive("truncated commands")

    def refused(self):
        """Whole commands that cannot be carried out; the connection goes on."""
        with lab.Resp(self.node.resp) as client:
            client.call("SET", "number", "12")
            for line, words in REFUSED:
                reply = client.call(*line.split(" "))
                is_error = isinstance(reply, lab.RespError)
                right = reply == words if words is not None else "CONFIG SET failed" in str(reply)
                self.checks.that(is_error and right, f"{line}: {reply!r} came, {words!r} should have")
            client.call("SET", "text", "abc")
            reply = client.call("INCR", "text")
            self.checks.that(reply == "ERR value is not an integer or out of range", f"INCR of text: {reply!r}")
            self.checks.that(client.call("GET", "text") == b"abc", "a refused INCR changed the value")
            reply = client.call(*["MGET"] + ["k"] * 100_000)
            self.checks.that(isinstance(reply, list) and len(reply) == 100_000, "MGET of 100,000 keys")
            self.checks.that(client.call("PING") == "PONG", "the connection does not go on")

    def announced(self):
        """Announcements cost nothing until the bytes arrive: refused ones, and allowed ones on many connections."""
        before = self.node.rss_bytes()
        for _ in range(20):
            with lab.Resp(self.node.resp) as client:
                client.send(b"*2\r\n$3\r\nGET\r\n$629145600\r\n" + b"x" * 1000)
                reply = client.reply()
                self.checks.that(reply == PROTOCOL + "invalid bulk length", f"a bulk of 600 MB: {reply!r}")
        clients = []
        for _ in range(50):
            client = lab.Resp(self.node.resp)
            client.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n" + b"x" * 1000)
            clients.append(client)
        for _ in range(50):
            client = lab.Resp(self.node.resp)
            client.send(b"*1048576\r\n")
            clients.append(client)
        self.alive("huge announcements")
        grown = self.node.rss_bytes() - before
        self.checks.that(grown < 16 * MIB, f"announcements took {grown / MIB:.1f} MiB")
        for client in clients:
            client.close()
        return f"announcements took {grown / MIB:.1f} MiB"

    def many_arguments(self):
        """A million tiny arguments: the most that is allowed; memory is given back."""
        with lab.Resp(self.node.resp, 60) as client:
            client.send(b"*1048576\r\n$3\r\nDEL\r\n" + b"$1\r\nk\r\n" * 1_048_575)
            reply = client.reply()
            self.checks.that(reply == 0, f"DEL of a million keys: {reply!r}")
        self.alive("a million arguments")

    def never_reads(self):
        """A client that sends a million PINGs and reads nothing is held back, and loses nothing when it reads."""
        before, count, sent = self.node.rss_bytes(), 1_000_000, 0
        # With an argument, so that all of them are more than what kernels buffer.
        word = b"p" * 60
        data, reply = memoryview((b"PING " + word + b"\r\n") * count), lab.encode(word)[4:]
        # A small window, so that the kernel does not hold all of it between the two.
        with lab.Resp(self.node.resp, 30, receive_bytes=4096) as client:
            client.socket.setblocking(False)
            quiet_since = time.monotonic()
            while sent < len(data) and time.monotonic() - quiet_since < 1:
                try:
                    sent += client.socket.send(data[sent : sent + MIB])
                    quiet_since = time.monotonic()
                except BlockingIOError:
                    time.sleep(0.005)
            held = sent
            grown = self.node.rss_bytes() - before
            self.checks.that(held < len(data), "nothing held back a client that does not read")
            self.checks.that(grown < 16 * MIB, f"{sent} bytes of PINGs without reading took {grown / MIB:.1f} MiB")
            self.alive("a million PINGs unread")
            received, want = bytearray(), len(reply) * count
            end = time.monotonic() + 60
            while len(received) < want and time.monotonic() < end:
                if sent < len(data):
                    try:
                        sent += client.socket.send(data[sent : sent + MIB])
                    except BlockingIOError:
                        pass
                try:
                    received += client.socket.recv(MIB)
                except BlockingIOError:
                    time.sleep(0.0005)
            self.checks.that(received == reply * count, f"{len(received)} of {want} bytes of PONGs came")
        self.alive("a million PINGs")
        return f"unread PINGs held back after {held} bytes and took {grown / MIB:.1f} MiB"

    def never_reads_much(self):
        """20,000 times a value of 1 MiB asked for and not read: the replies are not piled up."""
        with lab.Resp(self.node.resp, 30, receive_bytes=4096) as client:
            client.send(lab.encode("SET", "big", b"v" * MIB))
            self.checks.that(client.reply() == "OK", "SET of 1 MiB")
            before = self.node.rss_bytes()
            client.send(lab.encode("GET", "big") * 20_000)
            seen = [before]
            # It has gone as far as it goes when its memory stays the same.
            lab.until("it stops growing", 10, lambda: seen.append(self.node.rss_bytes()) or seen[-20:] == seen[-1:] * 20, 0.01)
            grown = max(seen) - before
            self.checks.that(grown < 32 * MIB, f"20 GiB of replies unread took {grown / MIB:.1f} MiB")
            self.alive("20 GiB of replies unread")
        return f"unread large replies took {grown / MIB:.1f} MiB"

    def stalled(self, count, most):
        """Clients that send half a command and stall hinder nobody; beyond the limit clients are told so."""
        before = self.node.rss_bytes()
        halves = [b"*3\r\n$3\r\nSET\r\n$5\r\nstall\r\n$10\r\nab", b"GET stal", b"*1\r\n$4\r\nPI", b"*2\r\n"]
        clients = []
        for number in range(count):
            client = lab.Resp(self.node.resp)
            client.send(halves[number % len(halves)])
            clients.append(client)
        worst = 0.0
        with lab.Resp(self.node.resp) as busy:
            for number in range(500):
                began = time.monotonic()
                self.checks.that(busy.call("SET", "busy", number) == "OK", "SET beside stalled clients")
                worst = max(worst, time.monotonic() - began)
        self.checks.that(worst < 0.5, f"SET beside {count} stalled clients took up to {worst:.2f} s")
        grown = self.node.rss_bytes() - before
        self.checks.that(grown < 32 * MIB, f"{count} stalled clients took {grown / MIB:.1f} MiB")
        self.beyond(clients, most)
        finished = clients[0]
        finished.send(b"cdefghij\r\n")
        self.checks.that(finished.reply() == "OK", "a stalled client that goes on is answered")
        for client in clients:
            client.close()
        lab.until("the clients are gone", 5, self.only_one)
        self.alive("stalled clients")
        return f"beside {count} stalled clients a SET took at most {worst * 1000:.0f} ms"

    def only_one(self):
        """Whether the one who asks is the only client."""
        with lab.Resp(self.node.resp) as client:
            return b"connected_clients:1\r\n" in client.call("INFO", "clients")

    def beyond(self, clients, most):
        """Fills up to the limit; those beyond are refused with Redis's words, and a place that is free is given."""
        lab.until("the limit is near", 5, lambda: self.connected() == len(clients))
        while len(clients) < most:
            client = lab.Resp(self.node.resp)
            self.checks.that(client.call("PING") == "PONG", f"client {len(clients) + 1} of {most} is not served")
            clients.append(client)
        for _ in range(20):
            with lab.Resp(self.node.resp) as client:
                reply = client.reply()
                self.checks.that(reply == "ERR max number of clients reached", f"beyond --max-clients: {reply!r}")
                self.checks.that(client.is_closed(), "beyond --max-clients: still open")
        clients.pop().close()

        def place():
            with lab.Resp(self.node.resp) as client:
                return client.call("PING") == "PONG"

        lab.until("a free place is given", 5, place)

    def connected(self):
        """How many clients the node counts."""
        body = lab.http(self.node.metrics, "/metrics")[1]
        return next(int(float(line.split()[1])) for line in body.splitlines() if line.startswith("predis_connected_clients"))


class Commands:
    """What is tried on the command line."""

    def __init__(self, checks, args, folder, node):
        self.checks, self.predis, self.folder, self.node = checks, args.predis, folder, node
        self.user = args.user
        self.free = ["--listen", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]

    def expect(self, what, status, words, *args, **more):
        """The exit status, and every one of the words in what it says."""
        code, said = lab.refused(self.predis, *args, **more)
        missing = [word for word in words if word not in said]
        self.checks.that(code == status, f"{what}: exit {code}, should be {status}: {said[:300]}")
        self.checks.that(not missing, f"{what}: {missing} not in {said[:300]!r}")
        self.checks.that("panicked" not in said and "backtrace" not in said, f"{what}: it panicked: {said[:300]}")

    def server(self, what, status, words, *args, data=None, **more):
        """The same for `predis server` with free ports and a new directory."""
        data = data or self.folder / "unused"
        self.expect(what, status, words, "server", "--data-dir", data, *self.free, *args, **more)

    def settings(self):
        """Files, flags and variables."""
        files = {
            'listen = "127.0.0.1:0"\nmemroy = "1gb"\n': ["unknown field `memroy`", "memory"],
            "[server]\nname = 'x'\n": ["unknown field `server`"],
            "weight = 'heavy'\n": ["weight", "heavy"],
            "weight = \n": ["TOML parse error"],
            "copies = 9\n": ["copies", "9", "from 1 to 5"],
            "memory = 'lots'\n": ["memory", "lots"],
            "max_clients = 0\n": ["max_clients", "0"],
            "listen = '0.0.0.0:7000'\n": ["listen", "0.0.0.0:7000", "--insecure"],
        }
        for number, (text, words) in enumerate(files.items()):
            path = self.folder / f"settings-{number}.toml"
            path.write_text(text, encoding="utf-8")
            flags = ["server", "--config", path, "--data-dir", self.folder / "unused", "--bootstrap"]
            self.expect(f"configuration {text!r}", 2, words, *flags)
        self.server("no such configuration", 2, ["/nonexistent.toml"], "--config", "/nonexistent.toml")
        for flags, words in [
            (["--memory", "lots"], ["memory", "lots"]),
            (["--memory=-1"], ["memory", "-1"]),
            (["--memory", "99999999999gb"], ["memory"]),
            (["--weight", "0"], ["weight", "0"]),
            (["--weight", "x"], ["--weight", "x"]),
            (["--copies", "0"], ["copies", "0"]),
            (["--copies", "6"], ["copies", "6"]),
            (["--partitions", "100"], ["partitions", "100", "power of two"]),
            (["--partitions", "0"], ["partitions", "0"]),
            (["--partitions", "32768"], ["partitions", "32768"]),
            (["--policy", "mru"], ["policy", "mru", "s3fifo"]),
            (["--name", "a b"], ["name", "a b"]),
            (["--zone", "z" * 65], ["zone"]),
            (["--max-clients", "0"], ["max_clients", "0"]),
            (["--log-format", "xml"], ["--log-format", "xml"]),
            (["--nonsense"], ["--nonsense"]),
            (["--join", ""], ["join"]),
            (["--join", "127.0.0.1:1", "--bootstrap"], ["--join", "--bootstrap"]),
            (["extra"], ["extra"]),
        ]:
            flags += [] if "--join" in flags else ["--bootstrap"]
            self.server(f"flags {flags}", 2, words, *flags)
        self.server("variable PREDIS_WEIGHT", 2, ["weight", "0"], "--bootstrap", env={"PREDIS_WEIGHT": "0"})
        self.server("neither founding nor joining", 2, ["--bootstrap", "--join"])
        for flags in (["up", "--nodes", "0"], ["up", "--base-port", "0"], ["up", "--nonsense"], ["nonsense"], []):
            self.expect(f"predis {flags}", 2, ["Usage"] if len(flags) < 3 else [flags[1]], *flags)

    def addresses(self):
        """Binding."""
        everywhere = [
            ("listen", "0.0.0.0:0"), ("grpc", "0.0.0.0:0"), ("metrics", "0.0.0.0:0"), ("listen", "[::]:0"),
            ("listen", "192.0.2.1:0"), ("listen", "example.org:1"),
        ]
        for flag, addr in everywhere:
            flags = ["server", "--data-dir", self.folder / "unused", "--bootstrap", f"--{flag}", addr]
            self.expect(f"--{flag} {addr}", 2, [flag, addr, "--insecure"], *flags)
        for addr in ("6379", "localhost", ":1", "127.0.0.1:99999", "127.0.0.1:x"):
            flags = ["server", "--data-dir", self.folder / "unused", "--bootstrap", "--listen", addr]
            self.expect(f"--listen {addr}", 2, ["listen", addr, "host:port"], *flags)
        for flag, port in (("listen", self.node.resp), ("grpc", self.node.grpc), ("metrics", self.node.metrics)):
            addr, free = f"127.0.0.1:{port}", list(self.free)
            free[free.index(f"--{flag}") + 1] = addr
            data = self.folder / f"in-use-{flag}"
            self.expect(f"--{flag} in use", 1, [addr], "server", "--data-dir", data, "--bootstrap", *free)
        self.expect("predis up on a port in use", 1, [f"127.0.0.1:{self.node.resp}"], "up", "--base-port", self.node.resp)

    def descriptors(self, base):
        """More clients than the process has descriptors for: they are told so, and the other ports still answer."""
        few = lab.Server(self.predis, 3, base, self.folder, ["--bootstrap"])
        few.before_exec = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
        clients, came = [], {}
        with lab.running([few]):
            few.start()
            lab.await_cluster(self.predis, [few])
            try:
                for _ in range(400):
                    clients.append(lab.Resp(few.resp, 2))
                for client in clients:
                    # The refused ones were told without asking.
                    reply = client.call("PING")
                    came[reply] = came.get(reply, 0) + 1
            except OSError as error:
                came[repr(error)] = 1
            told = set(came) <= {"PONG", "ERR max number of clients reached"}
            self.checks.that(told, f"400 clients on 256 descriptors: {came}")
            try:
                self.checks.that(lab.http(few.metrics, "/readyz")[0] == 200, "too many clients: /readyz")
                self.checks.that(lab.status(self.predis, few.grpc)["slots_served"] == lab.SLOTS, "too many clients: ctl")
            except (OSError, lab.Failed, lab.subprocess.TimeoutExpired) as error:
                self.checks.that(False, f"400 clients on 256 descriptors: the other ports do not answer: {error!r}")
            for client in clients:
                client.close()
            self.checks.that(few.alive(), "too many clients ended the process")

    def directories(self, other):
        """Data directories: unusable, foreign, in use, of another cluster, used before."""
        under_file = self.folder / "file" / "data"
        (self.folder / "file").write_text("x", encoding="ascii")
        self.server("a directory under a file", 1, ["data directory", str(under_file)], "--bootstrap", data=under_file)
        self.server("/proc as a directory", 1, ["data directory", "/proc/x"], "--bootstrap", data="/proc/x")
        self.unwritable()
        foreign = self.folder / "foreign"
        foreign.mkdir()
        (foreign / "thesis.tex").write_text("x", encoding="ascii")
        self.server("a foreign directory", 2, [str(foreign), "thesis.tex"], "--bootstrap", data=foreign)
        self.checks.that([p.name for p in foreign.iterdir()] == ["thesis.tex"], "a foreign directory was written to")
        self.server("a directory in use", 1, [str(self.node.data), "in use"], data=self.node.data)
        self.server("a directory in use, --bootstrap", 1, [str(self.node.data), "in use"], "--bootstrap", data=self.node.data)
        seed = f"127.0.0.1:{self.node.grpc}"
        self.server("founding twice", 2, ["without --bootstrap"], "--bootstrap", data=other.data)
        self.server("joining another cluster", 2, [seed, "cluster"], "--join", seed, data=other.data)
        broken = self.folder / "broken"
        broken.mkdir()
        (broken / "node.json").write_text("{", encoding="ascii")
        self.server("a broken identity", 1, ["node.json"], data=broken)

    def unwritable(self):
        """A directory that the user may not write to; root may, so this needs to become somebody else."""
        if os.geteuid() != 0:
            closed = self.folder / "closed"
            closed.mkdir(mode=0o555)
            self.server("an unwritable directory", 1, ["data directory", str(closed)], "--bootstrap", data=closed)
            return
        top = pathlib.Path("/var/tmp") / f"predis-closed-{os.getpid()}"
        top.mkdir(mode=0o755)
        try:
            for data in (top, top / "new"):
                what = f"an unwritable directory {data}"
                self.server(what, 1, ["data directory", str(data)], "--bootstrap", data=data, user=self.user)
        finally:
            top.rmdir()


def main():
    """Runs everything against one small cluster, and the last against another one's directory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("predis", type=lab.binary)
    parser.add_argument("--base-port", type=int, default=19101)
    parser.add_argument("--user", default="nobody", help="who cannot write root's directories")
    args = parser.parse_args()
    checks, most = lab.Checks("bad input"), 550
    with lab.workplace("bad-input") as folder:
        folder.chmod(0o755)
        node = lab.Server(args.predis, 1, args.base_port, folder, ["--bootstrap"], ["--max-clients", most])
        other = lab.Server(args.predis, 2, args.base_port, folder, ["--bootstrap"])
        with lab.running([node, other]):
            node.start()
            other.start()
            lab.await_cluster(args.predis, [node])
            lab.await_cluster(args.predis, [other])
            code, _ = other.terminate()
            checks.that(code == 0, f"SIGTERM ended the other cluster with {code}")
            wire, commands = Wire(checks, node), Commands(checks, args, folder, node)
            pid, said = node.child.pid, []
            for step in (wire.malformed, wire.truncated, wire.refused, wire.announced, wire.many_arguments,
                         wire.never_reads, wire.never_reads_much, lambda: wire.stalled(500, most)):
                try:
                    came = step()
                    said.append(came) if came is not None else None
                except (OSError, lab.Failed) as error:
                    checks.that(False, f"{getattr(step, '__name__', 'stalled')}: {error!r}")
            for step in (commands.settings, commands.addresses, lambda: commands.directories(other),
                         lambda: commands.descriptors(args.base_port)):
                step()
            wire.alive("everything")
            checks.that(node.child.pid == pid and node.alive(), "it is not the same process any more")
            checks.that("panicked" not in node.log.read_text(encoding="utf-8"), "it panicked")
            code, took_s = node.terminate()
            checks.that(code == 0 and took_s < 5, f"SIGTERM ended it with {code} after {took_s:.1f} s")
        print("  " + "\n  ".join(said))
        checks.finish()


main()
