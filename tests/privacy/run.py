#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No patient data in any output of any program. Prints TAP.

usage: run.py SOURCE_ROOT BUILD_ROOT CAPTURES

1. The search finds a canary that is there.
2. Every capture that holds canaries, and every other of ours, goes through all programs:
   nothing they write, database and logs included, holds one.
3. The same with fresh canaries, planted by plant.py (the same ones each time) into our
   DICOM and HL7 captures, and into messages of devices, where nothing may leave the sensor.
"""
import glob
import os
import random
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
import canaries  # noqa: E402
import plant  # noqa: E402
import plant_devices  # noqa: E402
import programs  # noqa: E402
import wire  # noqa: E402
from tap import Tap  # noqa: E402

SEED = 20260301
PORTS = {"dicom": (104, 11112, 50104), "hl7": (2575, 6661, 10012), "astm": (1520, 4001, 15200),
         "ieee11073": (6464, 6024, 10020)}
SHOWN = 20  # findings that are printed
# Flows with planted canaries that are at least dissected: not all are broken.
CLAIMED = {"dicom": 200, "hl7": 200, "astm": 40, "ieee11073": 2, "intellivue": 1, "carescape": 3}


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


def planted_captures(source, folder):
    """Writes a capture of each kind; gives their paths and the planter."""
    planter, dice = plant.Planter(SEED), random.Random(SEED)
    ways, paths, count = segmentations(dice), [], 0
    for kind, variants in (("dicom", plant.dicom_variants), ("hl7", plant.hl7_variants),
                           ("astm", plant_devices.astm_variants),
                           ("ieee11073", plant_devices.ieee11073_variants)):
        path = os.path.join(folder, f"planted-{kind}.pcap")
        writer = wire.Writer(path)
        for capture in sorted(glob.glob(os.path.join(source, "pcaps", kind + "-*.pcap"))):
            for chunks in wire.conversations(capture):
                for planted in variants(planter, chunks):
                    for way in (ways[0], ways[1 + count % 3]):
                        writer.connection(planted, PORTS[kind][count % 3], **way)
                    count += 1
        writer.close()
        paths.append(path)
    paths.append(os.path.join(folder, "planted-devices.pcap"))
    writer = wire.Writer(paths[-1])
    for datagram in plant_devices.datagrams(planter):
        writer.datagram(*datagram)
    writer.close()
    return paths, planter


def claimed(outputs):
    """Flows of each clinical dissector, so that nobody searches silence."""
    lines = [line for name, data, _ in outputs if "--json" in name for line in data.splitlines()
             if b'"type":"flow"' in line]
    return {app: sum(f'"app":"{app}"'.encode() in line for line in lines) for app in CLAIMED}


def hold(tap, stage, groups, words, places, name):
    skipped = []
    outputs = list(stage.everything(groups, lambda what, why: skipped.append((what, why))))
    tap.report(not stage.problems, f"{name}: every program did its work",
               "\n".join(stage.problems))
    for what, why in skipped:
        tap.skip(f"{name}: {what}", why)
    findings = list(canaries.Search(words).find(outputs))
    captures = sum(len(group) for group in groups.values())
    notes = [f"{output}: {word.decode()} ({places.get(word, 'a real capture')}): {near!r}"
             for output, word, near in findings[:SHOWN]]
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
        paths, planter = planted_captures(source, folder)
        outputs = hold(tap, programs.Stage(source, build, work), {"planted": paths},
                       tuple(planter.places), planter.places, "planted canaries")
        flows = claimed(outputs)
        tap.report(all(flows[app] >= least for app, least in CLAIMED.items()),
                   f"planted canaries: flows were dissected, {flows}")
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
