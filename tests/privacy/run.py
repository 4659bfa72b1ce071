#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No patient data in any output of any program. Prints TAP.

usage: run.py SOURCE_ROOT BUILD_ROOT CAPTURES

1. The search finds a canary that is there.
2. Every capture that holds canaries, and every other of ours, goes through all programs:
   nothing they write, database and logs included, holds one.
3. The same with fresh canaries (the same ones each time): instead of those of our captures,
   and in messages of every protocol (plant_*.py), where nothing may leave the sensor. A
   protocol of which pcaps/ has a capture must have been recognised, so that nobody
   searches silence; of others, nothing may come out all the same.
"""
import glob
import os
import random
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
import canaries  # noqa: E402
import generic  # noqa: E402
import plant  # noqa: E402
import programs  # noqa: E402
import protocols  # noqa: E402
import wire  # noqa: E402
from tap import Tap  # noqa: E402

SEED = 20260301
FROM_PLANTED = f'"ip":"{wire.PLANTED}'.encode()
MAC_PLANTED = b'"mac":"' + wire.PLANTED_MAC.hex(":").encode()
HL7_FIELDS = ("sending_app", "sending_facility", "receiving_app", "receiving_facility",
              "message_type", "version", "processing_id", "charset")
SHOWN = 60  # findings that are printed


def real_captures(source, captures):
    groups = {}
    for name, folder in (("pcaps", os.path.join(source, "pcaps")),
                         ("demo", os.path.join(source, "pcaps", "demo")),
                         ("clinical", os.path.join(captures, "clinical")),
                         ("public", os.path.join(captures, "public", "clinical"))):
        found = sorted(glob.glob(os.path.join(folder, "*.pcap")))
        if found:
            groups[name] = found
    return groups


def segmentations(dice):
    """How a connection is cut and what of it is lost, in turn."""
    return [
        {"sizes": lambda: 1400},
        {"sizes": lambda: dice.choice((1, 2, 5, 12, 100, 300, 1400))},
        {"sizes": lambda: dice.randrange(50, 600), "lost": lambda: dice.random() < 0.08},
        {"sizes": lambda: 700, "midstream": True},
    ]


def plant_row(writer, planter, row, conversations, ways):
    """Writes what the row yields; how many flows that makes."""
    flows = 0
    for count, planted in enumerate(row.plant(planter, conversations)):
        port = row.ports[count % len(row.ports)] if row.ports else 0
        if row.kind == plant.LINK:
            writer.link(planted)
        elif row.kind == plant.DATAGRAMS:
            writer.datagrams(planted, port, row.broadcast, row.fixed)
        else:
            for way in (ways[0], ways[1 + count % 3]):
                writer.connection(planted, port, **way)
        flows += 2 if row.kind == plant.STREAM else 1
    return flows


def planted_captures(source, folder):
    """Writes a capture of each protocol, and one of all real captures with other canaries;
    gives their paths, the planter, and {protocol: (canaries, flows)}."""
    planter, dice, counts = plant.Planter(SEED), random.Random(SEED), {}
    ways, paths, writer = segmentations(dice), [], None
    for at, row in enumerate(protocols.ROWS):
        paths.append(os.path.join(folder, f"planted-{at:02}-{row.name}.pcap"))
        writer = wire.Writer(paths[-1], writer)
        captures = captures_of(source, row.name)
        conversations = [one for path in captures for one in wire.conversations(path)]
        before = len(planter.places)
        flows = plant_row(writer, planter, row, conversations, ways)
        canaries_before, flows_before = counts.get(row.name, (0, 0))
        counts[row.name] = (canaries_before + len(planter.places) - before, flows_before + flows)
        writer.close()
    paths.append(os.path.join(folder, "planted-real.pcap"))
    writer, before = wire.Writer(paths[-1], writer, wire.OTHER), len(planter.places)
    held = sum(generic.plant(planter, writer, path, ways) for path in captures_of(source, "*"))
    writer.close()
    counts["our captures"] = len(planter.places) - before, held
    return paths, planter, counts


def captures_of(source, name):
    return sorted(glob.glob(os.path.join(source, "pcaps", name + "-*.pcap")))


def claims(outputs):
    """{protocol: how many flows planted anew its dissector claimed}; for frames, that are in
    no flow, assets with a fact from it. The second is None when the sensor tells none."""
    flows, assets, told = {}, {}, False
    for line in (line for name, data, _ in outputs
                 if name.startswith("vigie-sensor --json, ") and "output" in name
                 for line in data.splitlines()):
        if FROM_PLANTED in line and b'"app_source":"dissector"' in line:
            count(flows, rb'"app":"([a-z0-9]+)"', line)
        elif b'"type":"asset"' in line:
            told = True
            if MAC_PLANTED in line:
                count(assets, rb'"from":"([a-z0-9]+)\.', line)
                # Nothing else gives these hosts an address.
                assets["arp"] = assets.get("arp", 0) + (FROM_PLANTED in line)
    return flows, assets if told else None


def count(names, pattern, line):
    for name in set(re.findall(pattern, line)):
        names[name.decode()] = names.get(name.decode(), 0) + 1


def judge(tap, source, counts, outputs):
    """Each protocol of which there is a capture was recognised."""
    flows, assets = claims(outputs)
    for name in counts:
        rows = [row for row in protocols.ROWS if row.name == name]
        link = all(row.kind == plant.LINK for row in rows)
        seen = assets if link else flows
        title = f"{name}: {counts[name][0]} canaries planted"
        if not rows:
            tap.report(counts[name][1], f"{title} in {counts[name][1]} captures")
        elif not captures_of(source, name):
            tap.skip(title, f"there is no capture pcaps/{name}-*.pcap")
        elif seen is None:
            tap.skip(title, "the sensor tells no assets, and these frames are in no flow")
        else:
            claimed = seen.get(name, 0)
            tap.report(claimed >= max(row.least for row in rows),
                       f"{title} in {counts[name][1]} flows, {claimed} recognised")


def judge_hl7(tap, outputs):
    """What fails its grammar comes out as the word "invalid"."""
    lines = [line for name, data, _ in outputs if name.startswith("vigie-sensor --json, ")
             for line in data.splitlines() if FROM_PLANTED in line]
    missing = [field for field in HL7_FIELDS
               if not any(re.search(rf'"hl7\.{field}":\[[^]]*"invalid"'.encode(), line)
                          for line in lines)]
    tap.report(not missing, "hl7: what fails its grammar is \"invalid\"",
               "never: " + ", ".join(missing) if missing else "")


def hold(tap, stage, groups, words, places, name):
    skipped = []
    outputs = list(stage.everything(groups, lambda what, why: skipped.append((what, why))))
    tap.report(not stage.problems, f"{name}: every program did its work",
               "\n".join(stage.problems))
    for what, why in skipped:
        tap.skip(f"{name}: {what}", why)
    findings = list(canaries.Search(words).find(outputs))
    captures = sum(len(group) for group in groups.values())
    first = {}  # of each canary: the sensor's outputs come first
    for output, word, near in findings:
        first.setdefault(word, f"{output}: {word.decode()} ({places.get(word, 'a real capture')}): "
                         f"{near!r}")
    notes = list(first.values())[:SHOWN]
    tap.report(not findings, f"{name}: {captures} captures, {len(words)} canaries in "
               f"{len(outputs)} outputs, {len(findings)} found", "\n".join(notes))
    return outputs


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    source, build, captures = (os.path.abspath(word) for word in sys.argv[1:])
    tap = Tap()
    wrong = list(canaries.self_test())
    tap.report(not wrong, "a canary that is there is found", "\n".join(wrong))
    groups = real_captures(source, captures)
    if "clinical" not in groups:
        tap.skip("clinical captures", f"no captures in {captures}")
    with tempfile.TemporaryDirectory() as work:
        hold(tap, programs.Stage(source, build, work), groups, canaries.WORDS, {},
             "real captures")
    with tempfile.TemporaryDirectory() as work, tempfile.TemporaryDirectory() as folder:
        paths, planter, counts = planted_captures(source, folder)
        outputs = hold(tap, programs.Stage(source, build, work), {"planted": paths},
                       tuple(planter.places), planter.places, "planted canaries")
        judge(tap, source, counts, outputs)
        judge_hl7(tap, outputs)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
