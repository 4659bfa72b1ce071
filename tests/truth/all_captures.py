#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Replays every capture there is, the malformed ones too. Prints TAP.

usage: all_captures.py SENSOR SOURCE_ROOT CAPTURES

The sensor may say that an input could not be read whole (exit code 3) and nothing
worse; it says so in whole sentences, prints records only, and no sanitizer has
anything to say. Without CAPTURES, the project's own are replayed, and the rest is
skipped by name.
"""
import collections
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Tap  # noqa: E402

BATCH = 40  # captures replayed by one process
CAPTURE = re.compile(r"\.(pcap|pcapng|cap|gz)$")
REFUSED = re.compile(r"link type \d+ is not decoded; capture on an Ethernet, raw IP or Linux "
                     r"cooked interface$")
DAMAGED = re.compile(r"(cut short behind frame \d+, at byte \d+|damaged at byte \d+: [ -~]+); "
                     r"the frames before were read and metered$")
SUMMARY = [
    re.compile(r"sensor: \d+ packets, \d+ metered, \d+ flows, \d+ records, \d+ findings$"),
    re.compile(r"  [a-z.-]+ +\d+ [a-z]+ +[A-Za-z][ -~]+$"),
    re.compile(r"vigie-sensor: warning: no site file: [ -~]+$"),
    re.compile(r"vigie-sensor: warning: this is a sanitizer build, [ -~]+$"),
]


def replay(sensor, paths, environment):
    return subprocess.run([sensor, "-r", *paths, "--json"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=environment, check=False)


def odd_sentences(stderr, paths):
    """What is no sentence of ours about these captures."""
    for line in stderr.decode("utf-8", "replace").splitlines():
        if any(form.match(line) for form in SUMMARY):
            continue
        path, _, sentence = line.removeprefix("vigie-sensor: error: ").partition(": ")
        if path not in paths or not (REFUSED.match(sentence) or DAMAGED.match(sentence)):
            yield line


def odd_records(stdout):
    for line in stdout.splitlines():
        try:
            if json.loads(line)["type"] not in ("flow", "alert", "asset", "coverage", "health"):
                yield line
        except (ValueError, KeyError):
            yield line


def problems(run, paths):
    if run.returncode not in (0, 3):
        yield f"exit code {run.returncode}"
    yield from odd_sentences(run.stderr, paths)
    yield from odd_records(run.stdout)


def hold(sensor, paths, environment, codes):
    """Problems by capture; a batch with one is replayed file by file."""
    run = replay(sensor, paths, environment)
    found = list(problems(run, set(paths)))
    if len(paths) == 1:
        codes[run.returncode] += 1
        return [f"{paths[0]}: {problem}" for problem in found]
    if not found and run.returncode == 0:
        codes[0] += len(paths)
        return []
    if not found:
        errors = run.stderr.count(b"vigie-sensor: error: ")
        codes[3] += errors
        codes[0] += len(paths) - errors
        return []
    each = [text for path in paths for text in hold(sensor, [path], environment, codes)]
    return each or [f"{paths[0]} and {len(paths) - 1} more in one run: {text}" for text in found]


def captures_in(folder):
    for path, _, names in os.walk(folder):
        for name in names:
            if CAPTURE.search(name):
                yield os.path.join(path, name)


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    sensor, root, captures = sys.argv[1:]
    environment = dict(os.environ, LC_ALL="C")
    tap = Tap()
    for name, folder in (("our own", os.path.join(root, "pcaps")),
                         ("clinical", os.path.join(captures, "clinical")),
                         ("public", os.path.join(captures, "public"))):
        paths = sorted(captures_in(folder))
        if not paths:
            tap.skip(f"{name} captures", f"no captures in {folder}")
            continue
        codes, wrong = collections.Counter(), []
        for i in range(0, len(paths), BATCH):
            wrong += hold(sensor, paths[i:i + BATCH], environment, codes)
        tap.report(not wrong, f"{name} captures: {codes[0]} read whole, {codes[3]} not, of "
                   f"{len(paths)}", "\n".join(wrong[:200]))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
