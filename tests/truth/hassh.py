#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds HASSH and HASSHServer against what others found in the same captures. Prints TAP.

usage: hassh.py SENSOR CAPTURES

- Arkime's and Suricata's values in CAPTURES/public/truth/norm;
- tshark's, connection by connection, in every capture of the manifest with SSH in it.

Ends with 77 without captures.
"""
import collections
import csv
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Tap  # noqa: E402

FIELDS = ("ssh.hassh", "ssh.hassh_server")
SURICATA = re.compile(r'ssh\.(client|server)\.hassh\.hash="([0-9a-f]{32})"')
HASH = re.compile(r"[0-9a-f]{32}")


def sensor_values(sensor, path):
    """By connection: the two fingerprints."""
    run = subprocess.run([sensor, "-r", path, "--json"], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, check=False)
    found = {}
    for line in run.stdout.decode().splitlines():
        record = json.loads(line)
        if record["type"] == "flow" and record.get("app") == "ssh":
            ends = [(record[end]["ip"], str(record[end]["port"])) for end in ("client", "server")]
            said = record.get("attributes") or {}
            found.setdefault(frozenset(ends), {}).update(
                {name: said[name] for name in FIELDS if name in said})
    return found


def arkime_values(norm):
    """By capture and connection."""
    values = collections.defaultdict(dict)
    with open(os.path.join(norm, "arkime_sessions.tsv"), encoding="utf-8") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            said = {name: row[column] for name, column in zip(FIELDS, ("hassh", "hasshServer"))
                    if HASH.fullmatch(row[column] or "")}
            if said:
                ends = frozenset([(row["src"], row["sport"]), (row["dst"], row["dport"])])
                values[row["file"]][ends] = said
    return values


def suricata_values(norm):
    """By capture: a set of (field, value)."""
    values = collections.defaultdict(set)
    with open(os.path.join(norm, "suricata_checks.tsv"), encoding="utf-8") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            for side, value in SURICATA.findall(row["match"]):
                values[row["file"]].add((FIELDS[side == "server"], value))
    return values


def tshark_values(path):
    names = ["ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst", "tcp.dstport",
             "ssh.kex.hassh", "ssh.kex.hasshserver"]
    command = ["tshark", "-n", "-r", path, "-Y", "ssh.kex.hassh || ssh.kex.hasshserver", "-T",
               "fields", "-E", "occurrence=l"]
    for name in names:
        command += ["-e", name]
    out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    found = {}
    for line in out.stdout.decode().splitlines():
        row = dict(zip(names, line.split("\t")))
        ends = frozenset([(row["ip.src"] or row["ipv6.src"], row["tcp.srcport"]),
                          (row["ip.dst"] or row["ipv6.dst"], row["tcp.dstport"])])
        said = found.setdefault(ends, {})
        for name, column in zip(FIELDS, names[-2:]):
            if row[column]:
                said.setdefault(name, row[column])  # the first of a connection: not its rekeying
    return found


def hold(tap, who, path, theirs, ours):
    wrong = [f"{sorted(ends)}: {name} {value}, here {ours.get(ends, {}).get(name)}"
             for ends, said in theirs.items() for name, value in said.items()
             if ours.get(ends, {}).get(name) != value]
    tap.report(not wrong, f"{who}: {path}", "\n".join(wrong))
    return sum(len(said) for said in theirs.values())


def main():
    sensor, captures = sys.argv[1:]
    public = os.path.join(captures, "public")
    norm = os.path.join(public, "truth", "norm")
    if not os.path.isdir(norm):
        return 77
    tap = Tap(quiet=True)
    known = {}

    def ours(path):
        if path not in known:
            known[path] = sensor_values(sensor, os.path.join(public, path))
        return known[path]

    count = 0
    for path, theirs in sorted(arkime_values(norm).items()):
        count += hold(tap, "arkime", path, theirs, ours(path))
    for path, theirs in sorted(suricata_values(norm).items()):
        here = {pair for said in ours(path).values() for pair in said.items()}
        tap.report(theirs <= here, f"suricata: {path}", f"{theirs - here}")
        count += len(theirs)
    tap.report(count >= 6, "values of other programs", f"only {count}")
    if not shutil.which("tshark"):
        tap.skip("tshark's values", "no tshark")
        return tap.end()
    count = 0
    with open(os.path.join(public, "MANIFEST.tsv"), encoding="utf-8") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            if " ssh:" in " " + (row["protocols_tshark"] or ""):
                theirs = tshark_values(os.path.join(public, row["file"]))
                count += hold(tap, "tshark", row["file"], theirs, ours(row["file"]))
    tap.report(count >= 20, "values of tshark", f"only {count}")
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
