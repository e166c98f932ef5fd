"""redis-py's cluster client and redis-cli -c against `predis up`.

usage: clients.py PREDIS [--base-port 17101] [--operations 100000] [--redis-cli PATH]

Starts a cluster of three, runs mixed.py in RESP2 and RESP3 and cli.py in both (skipped without a redis-cli), and
stops it. Run it with a Python that has redis-py.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys

import lab

HERE = pathlib.Path(__file__).parent


def main():
    """Runs all of them, each against the same cluster."""
    parser = argparse.ArgumentParser()
    parser.add_argument("predis", type=lab.binary)
    parser.add_argument("--base-port", type=int, default=17101)
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--redis-cli", default=shutil.which("redis-cli"))
    args = parser.parse_args()
    base, count = str(args.base_port), str(args.operations)
    runs = [["mixed.py", base, count, "--protocol", protocol] for protocol in "23"]
    if args.redis_cli:
        runs += [["cli.py", args.redis_cli, base, count, protocol] for protocol in ("-2", "-3")]
    else:
        print("skipped redis-cli: there is none (see --redis-cli)")
    checks = lab.Checks("clients")
    with lab.workplace("clients") as folder:
        up = lab.Process(args.predis, ["up", "--base-port", base], folder / "up.log")
        with lab.running([up]):
            up.start()
            try:
                up.await_log("is up")
                for run in runs:
                    done = subprocess.run([sys.executable, HERE / run[0], *run[1:]], timeout=900, check=False)
                    checks.that(done.returncode == 0, " ".join(run))
                code, took_s = up.terminate()
                checks.that(code == 0 and took_s < 5, f"SIGTERM ended predis up with {code} after {took_s:.1f} s")
            except lab.Failed as failure:
                checks.that(False, str(failure))
        log = up.log.read_text(encoding="utf-8")
        checks.that("panicked" not in log, f"it panicked: {up.tail()}")
        checks.finish(f"{len(runs)} x {count} operations")


main()
