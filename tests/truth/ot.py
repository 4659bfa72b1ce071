#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what the sensor says about building and industrial protocols against tshark, by
the tables of ot_tables.py. Prints TAP.

usage: ot.py SENSOR CAPTURES [APP...]     (all of them; names narrow it)

- The same flows carry the protocol, and each attribute of a table has tshark's value.
- No other capture of CAPTURES/public is called one of them.

Every check has a figure, and fails when it is not whole; every difference is explained by
name. Without captures, and without tshark, what cannot be held is skipped by name.
"""
import collections
import csv
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import ot_industry  # noqa: E402,F401 (adds its tables)
from ot_tables import CLAIMS, EXCEPTIONS, PROTOCOLS  # noqa: E402
from tap import Tap  # noqa: E402

BATCH = 40  # captures replayed by one process
SET_MOST = 8  # texts that a field keeps (schema/attributes.h)
BETWEEN = "\x1f"
ENDS = ["ip.src", "ipv6.src", "ip.dst", "ipv6.dst", "tcp.srcport", "udp.srcport",
        "tcp.dstport", "udp.dstport"]
OWN = ("sender", "copies")


def fields_of(protocol):
    """All that tshark is asked for, each once."""
    names = dict.fromkeys(ENDS)
    for row in protocol.rows:
        names.update(dict.fromkeys([row.field, *row.where]))
    return [name for name in names if name not in OWN]


def frames_of(protocol, path):
    fields = fields_of(protocol)
    command = ["tshark", "-n", "-r", path, "-Y", protocol.filter, "-T", "fields", "-E",
               "aggregator=" + BETWEEN, *protocol.options]
    for name in fields:
        command += ["-e", name]
    out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    for line in out.stdout.decode("utf-8", "replace").splitlines():
        yield {name: [text for text in value.split(BETWEEN) if text]
               for name, value in zip(fields, line.split("\t"))}


def innermost(frame, *names):
    return next((frame[name][-1] for name in names if frame[name]), "")


def ends_of(frame):
    """Sender and receiver; the port is 0 where there is none."""
    return [(innermost(frame, f"ip.{way}", f"ipv6.{way}"),
             int(innermost(frame, f"tcp.{way}port", f"udp.{way}port") or 0))
            for way in ("src", "dst")]


def holds(frame, row, place):
    """Whether all of `where` is true for the occurrence of the row's field at this place."""
    count = len(frame[row.field])
    for name, wanted in row.where.items():
        values = frame[name]
        if len(values) == count:
            values = values[place:place + 1]
        good = wanted if callable(wanted) else wanted.__contains__
        if not any(good(value) for value in values or [""]):
            return False
    return True


def values_of(frame, row):
    frame["copies"] = [str(len(frame[row.field]))]
    for place, text in enumerate(frame[row.field]):
        if not holds(frame, row, place):
            continue
        if row.words is not None:
            text = row.words(text) if callable(row.words) else row.words.get(text)
        if text is not None:
            yield text


def number(text):
    return int(text, 0)


class Said:
    """Of one flow: a number or a list of texts for each attribute."""

    def __init__(self):
        self.values = {}

    def add(self, how, name, values):
        if not values:
            return
        before = self.values.get(name)
        if how == "count":
            self.values[name] = (before or 0) + len(values)
        elif how == "frames":
            self.values[name] = (before or 0) + 1
        elif how == "texts":
            self.values[name] = list(dict.fromkeys((before or []) + values))
        else:
            best = min if how == "least" else max
            old = [] if before is None else [before]
            self.values[name] = best(old + [number(text) for text in values])

    def merge(self, how, name, value):
        """The same of a record's attribute: a flow may have several records."""
        before = self.values.get(name)
        if before is None:
            self.values[name] = value
        elif how in ("count", "frames"):
            self.values[name] = before + value
        elif how == "texts":
            self.values[name] = list(dict.fromkeys(before + value))
        else:
            self.values[name] = (min if how == "least" else max)(before, value)


def truth_of(protocol, path):
    flows = collections.defaultdict(Said)
    for frame in frames_of(protocol, path):
        source, dest = ends_of(frame)
        if not source[1]: # no flow: not IP
            continue
        frame["sender"] = ["server" if source[1] in protocol.ports and
                           dest[1] not in protocol.ports else "client"]
        said = flows[frozenset([source, dest])]
        for row in protocol.rows:
            said.add(row.how, row.attribute, list(values_of(frame, row)))
    return flows


def replay(sensor, paths):
    """Flows, with every copy of a packet: tshark knows no copies."""
    run = subprocess.run([sensor, "-r", *paths, "--json", "--dedup", "off"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if run.returncode not in (0, 3):
        sys.exit(f"exit code {run.returncode} of {' '.join(paths)}: {run.stderr.decode()}")
    for line in run.stdout.splitlines():
        record = json.loads(line)
        if record["type"] == "flow":
            yield record


def ours_of(sensor, protocol, path):
    hows = {row.attribute: row.how for row in protocol.rows}
    flows = collections.defaultdict(Said)
    for flow in replay(sensor, [path]):
        if flow.get("app") != protocol.app:
            continue
        said = flows[frozenset((flow[side]["ip"], flow[side].get("port", 0))
                               for side in ("client", "server"))]
        for name, value in flow.get("attributes", {}).items():
            if name in hows:
                texts = [value] if isinstance(value, str) else value
                said.merge(hows[name], name, texts)
    return flows


class Figures:
    """For each check: how often it held, of how often it was made; and where not."""

    def __init__(self):
        self.held = collections.Counter()
        self.made = collections.Counter()
        self.notes = collections.defaultdict(list)
        self.used = set()

    def check(self, name, capture, good, note):
        if not good and (capture, name) in EXCEPTIONS:
            self.used.add((capture, name))
            print(f"# {name}: {capture} {note} ({EXCEPTIONS[capture, name]})")
            return
        self.made[name] += 1
        self.held[name] += good
        if not good:
            self.notes[name].append(f"{capture} {note}")

    def report(self, tap):
        for name in sorted(self.made):
            tap.report(self.held[name] == self.made[name],
                       f"{name}: {self.held[name]} of {self.made[name]}",
                       "\n".join(self.notes[name]))


def agree(how, theirs, mine):
    """As many texts as a field keeps, of those that there are."""
    if how != "texts":
        return (theirs or 0) == (mine or 0) if how in ("count", "frames") else theirs == mine
    theirs, mine = set(theirs or []), set(mine or [])
    return theirs == mine or (mine <= theirs and len(mine) >= SET_MOST)


def compare(figures, protocol, capture, truth, ours):
    figures.check(protocol.app + ": flows", capture, set(truth) == set(ours),
                  f"tshark only: {sorted(map(sorted, set(truth) - set(ours)))[:5]}, "
                  f"ours only: {sorted(map(sorted, set(ours) - set(truth)))[:5]}")
    hows = {row.attribute: row.how for row in protocol.rows}
    for key in set(truth) & set(ours):
        for name, how in hows.items():
            theirs, mine = truth[key].values.get(name), ours[key].values.get(name)
            if theirs is not None or mine is not None:
                figures.check(name, capture, agree(how, theirs, mine),
                              f"{sorted(key)}: tshark {theirs}, ours {mine}")


def manifest(public):
    with open(os.path.join(public, "MANIFEST.tsv"), encoding="utf-8") as table:
        for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE):
            words = {word.split(":")[0] for word in row["protocols_tshark"].split()}
            yield row["file"], words


def hold_protocol(tap, sensor, captures, protocol):
    figures = Figures()
    names = [os.path.join("public", name)
             for name, words in manifest(os.path.join(captures, "public"))
             if words & set(protocol.named)]
    for name in [*names, *protocol.captures]:
        path = os.path.join(captures, name)
        compare(figures, protocol, name, truth_of(protocol, path),
                ours_of(sensor, protocol, path))
    figures.report(tap)
    tap.report(figures.made, f"{protocol.app}: {len(names) + len(protocol.captures)} captures")


def apps_of(sensor, paths, apps):
    return {flow["app"] for flow in replay(sensor, paths)
            if flow.get("app") in apps and flow.get("app_source") == "dissector"}


def claimed(sensor, public, names, apps):
    """(capture, app) of these captures, halving what has any."""
    found = apps_of(sensor, [os.path.join(public, name) for name in names], apps)
    if not found or len(names) == 1:
        return [(names[0], app) for app in sorted(found)]
    half = len(names) // 2
    return claimed(sensor, public, names[:half], apps) + \
        claimed(sensor, public, names[half:], apps)


def hold_others(tap, sensor, public, protocols):
    words_of = dict(manifest(public))
    named = {protocol.app: set(protocol.named) for protocol in protocols}
    names, wrong = list(words_of), []
    for i in range(0, len(names), BATCH):
        for name, app in claimed(sensor, public, names[i:i + BATCH], set(named)):
            if words_of[name] & named[app]:
                continue
            if (name, app) in CLAIMS:
                print(f"# {name} is called {app} ({CLAIMS[name, app]})")
            else:
                wrong.append(f"{name}: {app}")
    tap.report(not wrong, f"of {len(names)} captures, {len(wrong)} are called "
               f"{', '.join(sorted(named))} by the sensor only", "\n".join(wrong))


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    sensor, captures, *apps = sys.argv[1:]
    if not os.path.exists(os.path.join(captures, "public")):
        print(f"1..0 # SKIP no captures in {captures}")
        return 0
    protocols = [protocol for protocol in PROTOCOLS if not apps or protocol.app in apps]
    tap = Tap()
    for protocol in protocols:
        if shutil.which("tshark"):
            hold_protocol(tap, sensor, captures, protocol)
        else:
            tap.skip(f"what tshark says of {protocol.app}", "tshark is not installed")
    hold_others(tap, sensor, os.path.join(captures, "public"), protocols)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
