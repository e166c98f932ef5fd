"""Holds `predis replay` against measured miss ratios on short traces with unit sizes.

usage: replay.py PREDIS_BINARY TRACES_FOLDER

The folder has NAME.csv.zst and anchors.csv. Ends with status 1 when a miss ratio is too far off.
"""

import csv
import json
import pathlib
import subprocess
import sys

TRACES = ["cache2k_web07", "cache2k_web12", "lirs_sprite"]
# How far a miss ratio may be off, in points. The variants of S3-FIFO differ more than LRU and FIFO can.
POINTS = {"lru": 0.2, "fifo": 0.2, "s3fifo": 1.0}


def anchors(folder):
    """The measured miss ratios, as {(trace, cache size): {policy: ratio}}."""
    found = {}
    with open(folder / "anchors.csv", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            policy = row["policy"].lower().replace("-", "")
            measured = row["measured_with"].startswith("libcachesim")
            if row["trace"] in TRACES and row["size_label"] == "10%" and policy in POINTS and measured:
                cell = found.setdefault((row["trace"], row["cache_size"]), {})
                cell[policy] = float(row["object_miss_ratio"])
    return found


def replay(predis, trace, size, policies):
    """The miss ratios that predis replay finds, as {policy: ratio}."""
    command = [predis, "replay", str(trace), "--cache-size", size, "--by", "objects"]
    command += ["--policy", ",".join(policies), "--json"]
    answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return {found["policy"]: 1 - found["hit_ratio"] for found in answer["policies"]}


def main():
    """Replays each trace with each policy and prints how far off it is."""
    predis, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    cells = anchors(folder)
    if not cells:
        sys.exit(f"{folder}/anchors.csv has no miss ratio for {', '.join(TRACES)}")
    wrong = 0
    for (trace, size), expected in sorted(cells.items()):
        came = replay(predis, folder / f"{trace}.csv.zst", size, sorted(expected))
        for policy, ratio in sorted(expected.items()):
            off = 100 * abs(came[policy] - ratio)
            verdict = "ok" if off <= POINTS[policy] else "TOO FAR"
            wrong += verdict != "ok"
            print(f"{trace} {size} {policy}: miss ratio {came[policy]:.4f}, {off:.2f} points off: {verdict}")
    sys.exit(1 if wrong else 0)


main()
