#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Same captures, same site file, same bytes out. Prints TAP.

usage: determinism.py SENSOR SOURCE_ROOT MAKE_FLOWS

The seed of the sensor's hash tables differs from run to run by itself; the tables of
two cases are so small that most flows are evicted, in one of them into the sums of an
overloaded sensor. A second replay into one spool
must find every batch there already, and write nothing.
"""
import glob
import hashlib
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Tap  # noqa: E402

SMALL = """\
sensor: small
flows: {table: 256, dissection: 64, reassembly: 16, fragments: 4, alerts: 16, names: 16}
dpi: {flows: 32}
"""
FLOWS, PACKETS = "5000", "20000"


class Problem(Exception):
    pass


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise Problem(f"exit code {done.returncode}: {done.stderr.decode(errors='replace')}")
    return done.stdout, done.stderr.decode()


def print_of(folder):
    """Every file of a folder with a hash of what it holds."""
    found = {}
    for path, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(path, name), "rb") as one:
                found[os.path.relpath(os.path.join(path, name), folder)] = \
                    hashlib.sha256(one.read()).hexdigest()
    return found


def changed(a, b):
    return "\n".join(sorted(name for name in a | b if a.get(name) != b.get(name)))


def hold_json(tap, name, command):
    first, _ = run(command + ["--json"])
    second, _ = run(command + ["--json"])
    tap.report(first and first == second, f"{name}: the same records twice",
               "" if first else "no records at all")


def hold_spool(tap, name, command, scratch):
    one, other = os.path.join(scratch, name + "-1"), os.path.join(scratch, name + "-2")
    run(command + ["--spool", one])
    run(command + ["--spool", other])
    before, apart = print_of(one), print_of(other)
    tap.report(before == apart, f"{name}: the same spool twice", changed(before, apart))
    _, said = run(command + ["--spool", one])
    after = print_of(one)
    tap.report(before == after, f"{name}: a second replay into one spool writes nothing",
               changed(before, after))
    tap.report("were in the spool already" in said, f"{name}: and says so",
               "" if "were in the spool already" in said else said)


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    sensor, root, make_flows = sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3]
    demo = os.path.join(root, "pcaps", "demo")
    tap = Tap()
    with tempfile.TemporaryDirectory() as scratch:
        many, small = os.path.join(scratch, "many.pcap"), os.path.join(scratch, "small.yaml")
        run([make_flows, "-s", "7", "-f", FLOWS, "-n", PACKETS, "-k", "udp", many])
        with open(small, "w", encoding="utf-8") as out:
            out.write(SMALL)
        shed = os.path.join(scratch, "shed.yaml")
        with open(shed, "w", encoding="utf-8") as out:
            out.write(SMALL + "shed: {least: 4}\n")
        captures = sorted(glob.glob(os.path.join(demo, "*.pcap")))
        hospital = ["--site", os.path.join(demo, "hospital.yaml"),
                    "--geo", os.path.join(demo, "networks.mmdb")]
        for name, command in (
                ("demo", [sensor, "-r", *captures, *hospital]),
                ("protocols", [sensor, "-r", *sorted(glob.glob(os.path.join(root, "pcaps",
                                                                            "*.pcap")))]),
                ("evictions", [sensor, "-c", small, "-r", many, *hospital]),
                ("shedding", [sensor, "-c", shed, "-r", *captures, many, *hospital])):
            try:
                hold_json(tap, name, command)
                hold_spool(tap, name, command, scratch)
            except Problem as problem:
                tap.report(False, f"{name}: replays", problem)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
