#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the names that nDPI gives, as the sensor uses it, against those that it gives when it
looks at everything (dpi: {thorough: true}). Prints TAP.

usage: labels.py SENSOR CAPTURES...

Flows whose name differs: 0.5 % at most, of all flows and of those that either way has named.
All the rest of the records must be the same. Ends with 77 without captures or nDPI.
"""
import collections
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Tap  # noqa: E402

AGREEMENT = 99.5
ENDINGS = (".pcap", ".pcapng", ".cap")
NAME = ("app", "app_source")
# Where the name differs, these may follow it.
FOLLOWS = NAME + ("verdict", "rule", "reason", "severity")


def captures_in(folders):
    return sorted(os.path.join(at, name) for folder in folders
                  for at, _, names in os.walk(folder) for name in names if name.endswith(ENDINGS))


def records(sensor, config, path):
    run = subprocess.run([sensor, "-c", config, "-r", path, "--json"], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, check=False)
    return [json.loads(line) for line in run.stdout.decode().splitlines()]


def split(lines):
    """Flows by what tells one's records apart, how many flows were recalled, and the rest."""
    flows, rest, recalled = {}, [], 0
    for record in lines:
        record.pop("app_confidence", None)
        if record["type"] == "flow":
            flows[record["id"], record["start"]] = record
        elif record["type"] == "health":
            recalled = record.get("counters", {}).get("dpi.recalled", 0)
        else:
            rest.append(json.dumps(record, sort_keys=True))
    return flows, recalled, sorted(rest)


def name_of(flow):
    """What nDPI calls it, if it does."""
    return flow.get("app") if flow.get("app_source") == "ndpi" else None


def without(flow, keys):
    return {key: value for key, value in flow.items() if key not in keys}


def compare(sensor, configs, path):
    """Sums of this capture, and its complaints."""
    (usual, recalled, rest), (full, _, full_rest) = (
        split(records(sensor, config, path)) for config in configs)
    sums = collections.Counter(flows=len(full), recalled=recalled)
    wrong, notes = [], []
    if usual.keys() != full.keys():
        return sums, ["other flows"], notes
    for key, flow in full.items():
        other = usual[key]
        names = name_of(flow), name_of(other)
        sums["named"] += names != (None, None)
        differ = any(flow.get(field) != other.get(field) for field in NAME)
        sums["differ"] += differ
        if differ:
            notes.append(f"{names[0]} became {names[1]}")
        keys = FOLLOWS if differ else ()
        if without(flow, keys) != without(other, keys):
            wrong.append(f"flow {key[0]}")
    # A verdict that follows a name that differs has its alert with it.
    if not sums["differ"] and rest != full_rest:
        wrong.append("alerts or hosts")
    return sums, wrong, notes


def write_config(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path


def main():
    sensor, paths = sys.argv[1], captures_in(sys.argv[2:])
    version = subprocess.run([sensor, "-V"], stdout=subprocess.PIPE, check=False).stdout
    if not os.path.isdir(sys.argv[-1]) or b"nDPI" not in version:
        print("1..0 # SKIP no captures beside the project, or no nDPI")
        return 77
    tap, sums, wrong, notes = Tap(), collections.Counter(), [], collections.Counter()
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        configs = (write_config(folder, "usual.yaml", "sensor: labels\n"),
                   write_config(folder, "full.yaml", "sensor: labels\ndpi: {thorough: true}\n"))
        for path, (found, bad, said) in zip(paths, pool.map(
                lambda path: compare(sensor, configs, path), paths)):
            sums += found
            wrong += [f"{os.path.basename(path)}: {what}" for what in bad]
            notes.update(f"{os.path.basename(path)}: {what}" for what in said)
    for of in ("flows", "named"):
        agreed = 100 - 100 * sums["differ"] / max(sums[of], 1)
        tap.report(sums[of] and agreed >= AGREEMENT,
                   f"{agreed:.2f} % of {sums[of]} flows{' that nDPI named' * (of == 'named')} agree",
                   "\n".join(f"{count} {what}" for what, count in notes.most_common(20)))
    tap.report(not wrong, "all else is the same", "\n".join(wrong[:20]))
    tap.report(sums["recalled"] > 0, f"{sums['recalled']} flows were not looked at for their server")
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
