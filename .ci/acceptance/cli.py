"""Mixed string operations through redis-cli, each answer held against a dictionary.

usage: cli.py REDIS_CLI BASE_PORT OPERATIONS [-2|-3] [--seed N] [--plain]

Feeds one redis-cli process on its standard input, as one would type, and compares every line that it prints. With
-c redirections are its own affair; with --plain, against an endpoint that hides the cluster, there are none. The
keys are flushed first. Ends with status 1 at the first wrong answer.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time

from lab import Resp
from model import GATHERED, OK, SLOT, Error, Operations, Within

ESCAPES = {b"\\": b"\\\\", b'"': b'\\"', b"\n": b"\\n", b"\r": b"\\r", b"\t": b"\\t", b"\a": b"\\a", b"\b": b"\\b"}
REDIRECTED = re.compile(rb"-> Redirected to slot \[\d+\] located at 127\.0\.0\.1:\d+")


def quote(value):
    """As redis-cli reads and prints strings."""
    value = value if isinstance(value, bytes) else str(value).encode()
    out = b""
    for code in value:
        byte = bytes([code])
        out += ESCAPES.get(byte) or (byte if 32 <= code < 127 else b"\\x%02x" % code)
    return b'"' + out + b'"'


def matches(line, expected):
    """Whether a line of redis-cli's is this reply."""
    if expected is OK:
        return line == b"OK"
    if expected is None:
        return line == b"(nil)"
    if isinstance(expected, Error):
        return line == b"(error) " + expected.encode()
    if isinstance(expected, Within):
        found = re.fullmatch(rb"\(integer\) (-?\d+)", line)
        return bool(found) and expected == int(found[1])
    if isinstance(expected, int):
        return line == b"(integer) %d" % expected
    return line == quote(expected)


def expected_lines(operation):
    """(what the line must be, how it begins) for each line of the reply."""
    if isinstance(operation.expected, list):
        width = len(str(len(operation.expected)))
        return [(item, f"{at:>{width}}) ".encode()) for at, item in enumerate(operation.expected, 1)]
    if operation.words[0] == "TYPE":
        # A simple string is printed without quotes.
        return [(operation.expected, b"")]
    return [(operation.expected, b"")]


def compare(operations, lines):
    """Goes through the output; the number of redirections, or the first difference."""
    redirected = 0
    for number, operation in enumerate(operations, 1):
        for expected, begin in expected_lines(operation):
            line = next(lines, b"(end of output)")
            while REDIRECTED.fullmatch(line):
                redirected += 1
                line = next(lines, b"(end of output)")
            rest = line[len(begin) :]
            plain = operation.words[0] == "TYPE" and rest == expected
            if not line.startswith(begin) or not (plain or matches(rest, expected)):
                sys.exit(f"operation {number}, {operation!r}: {line!r} came, {expected!r} should have")
    rest = list(lines)
    if rest:
        sys.exit(f"{len(rest)} lines more than there should be: {rest[:3]!r}")
    return redirected


def main():
    """Draws all operations, runs them, compares."""
    parser = argparse.ArgumentParser()
    parser.add_argument("redis_cli")
    parser.add_argument("base_port", type=int)
    parser.add_argument("operations", type=int)
    parser.add_argument("-2", dest="protocol", action="store_const", const="-2", default="-2")
    parser.add_argument("-3", dest="protocol", action="store_const", const="-3")
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--plain", action="store_true")
    args = parser.parse_args()
    for port in range(args.base_port, args.base_port + (1 if args.plain else 3)):
        with Resp(port) as client:
            client.call("FLUSHALL")
    reach, began = GATHERED if args.plain else SLOT, time.monotonic()
    source = Operations(args.seed, slack_s=900, reach=reach)
    operations = [source.next() for _ in range(args.operations)]
    with tempfile.TemporaryFile() as script:
        for operation in operations:
            script.write(b" ".join([operation.words[0].encode(), *map(quote, operation.words[1:])]) + b"\n")
        script.seek(0)
        cluster = [] if args.plain else ["-c"]
        command = [args.redis_cli, args.protocol, *cluster, "--no-raw", "-p", str(args.base_port)]
        done = subprocess.run(command, stdin=script, capture_output=True, timeout=850, check=False)
    if done.returncode != 0 or done.stderr:
        sys.exit(f"redis-cli ended with {done.returncode}: {done.stderr[:500]!r}")
    redirected = compare(operations, iter(done.stdout.splitlines()))
    if args.plain and redirected:
        sys.exit(f"{redirected} redirections, which an endpoint never gives")
    took = time.monotonic() - began
    how = " ".join([args.protocol, *cluster])
    print(
        f"{args.operations} mixed operations through redis-cli {how} ({redirected} redirections) "
        f"in {took:.1f} s, no error, no wrong value"
    )


main()
