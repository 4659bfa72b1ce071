#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Replays every capture of pcaps/ and pcaps/demo/; the flows and alerts must be
exactly those of the .golden beside it. Prints TAP.

usage: golden.py SENSOR SOURCE_ROOT [--accept]

After --accept, read `git diff`: what it shows is what users will see change. Left
out of goldens are health records (counters and the version) and the site's revision.
"""
import difflib
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Tap  # noqa: E402

KEPT = re.compile(r'^\{"type":"(flow|alert)"')
REVISION = re.compile(r'"site_revision":"[0-9a-f]*",')


def site_options(root, capture):
    demo = os.path.join(root, "pcaps", "demo")
    if os.path.dirname(capture) == demo:
        return ["--site", os.path.join(demo, "hospital.yaml"),
                "--geo", os.path.join(demo, "networks.mmdb")]
    return ["--site", os.path.join(root, "tests", "golden", "site.yaml")]


def replay(sensor, root, capture):
    """Records as lines, and what went wrong, if something did."""
    run = subprocess.run([sensor, "-r", capture, "--json", *site_options(root, capture)],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    lines = [REVISION.sub("", line) for line in run.stdout.decode("utf-8").splitlines(True)
             if KEPT.match(line)]
    if run.returncode != 0:
        return lines, f"exit code {run.returncode}: {run.stderr.decode(errors='replace')}"
    return lines, None


def read_lines(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as golden:
        return golden.readlines()


def hold(tap, sensor, root, capture, accept, without_ndpi):
    golden = capture[:-len(".pcap")] + ".golden"
    if without_ndpi and any('"app_source":"ndpi"' in line for line in read_lines(golden)):
        tap.skip(os.path.relpath(capture, root), "built without nDPI")
        return
    got, problem = replay(sensor, root, capture)
    if accept and not problem:
        with open(golden, "w", encoding="utf-8") as out:
            out.writelines(got)
    kept = read_lines(golden)
    notes = problem or "".join(difflib.unified_diff(kept, got, "golden", "now", n=0))
    if not kept and not problem:
        notes = f"no {os.path.relpath(golden, root)}; read the records, then --accept"
    tap.report(not problem and bool(kept) and got == kept, os.path.relpath(capture, root), notes)


def ask(sensor, option):
    return subprocess.run([sensor, option], stdout=subprocess.PIPE, check=True).stdout.decode()


def main():
    words = [word for word in sys.argv[1:] if word != "--accept"]
    if len(words) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    sensor, root = words[0], os.path.abspath(words[1])
    tap = Tap()
    without_ndpi = "none" in ask(sensor, "-V").splitlines()
    for folder in ("pcaps", "pcaps/demo"):
        for capture in sorted(glob.glob(os.path.join(root, folder, "*.pcap"))):
            hold(tap, sensor, root, capture, "--accept" in sys.argv, without_ndpi)
    for name in re.findall(r"^([a-z0-9]+) ", ask(sensor, "-L"), re.M):
        found = glob.glob(os.path.join(root, "pcaps", name + "-*.pcap"))
        tap.report(bool(found), f"{name} has a capture", "" if found else
                   f"add pcaps/{name}-CASE.pcap and its golden")
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
