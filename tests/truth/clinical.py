#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what the sensor says about DICOM and HL7 against tshark. Prints TAP.

usage: clinical.py SENSOR CAPTURES

- In CAPTURES/clinical and CAPTURES/public/clinical the same TCP connections are DICOM
  and HL7, with the same titles, SOP classes, results, message types, codes and counts.
- No other capture of CAPTURES/public is called DICOM or HL7, unless tshark says so too
  (column protocols_tshark of the manifest).

Every check has a figure, and fails when it is not whole. Ends with 77 without captures.
"""
import collections
import csv
import glob
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Tap  # noqa: E402

APPS = ("dicom", "hl7")
SET_MOST = 8  # texts that a field keeps (schema/attributes.h)
HL7_PORT = 2575
BATCH = 40  # captures replayed by one process
HL7_TYPE = re.compile(r"[A-Z0-9]{3}(\^[A-Z0-9]{3}(\^[A-Z0-9_]{3,7})?)?")
HL7_NAME = re.compile(r"[A-Za-z0-9_ .:/-]{1,64}")
BETWEEN = "\x1f"
FIELDS = [
    "tcp.stream", "ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst", "tcp.dstport",
    "dicom.pdu.type", "dicom.assoc.ae.calling", "dicom.assoc.ae.called",
    "dicom.pctx.abss.syntax", "dicom.pctx.result", "dicom.assoc.reject.result",
    "dicom.assoc.reject.reason", "dicom.assoc.abort.source",
    "dicom.userinfo.user_identify.type", "hl7.segment", "_ws.col.Info",
]
# Where tshark and the sensor differ for a reason.
EXCEPTIONS = {("hl7-npm-simple.pcap", "hl7.ack_aa"):
              "tshark leaves out a last segment that no CR ends"}
REJECTS = {"1": "permanent", "2": "transient"}
ABORTS = {"0": "user", "2": "provider"}
IDENTITIES = {"1": "user", "2": "user-password", "3": "kerberos", "4": "saml", "5": "jwt"}


def tshark(path, options=()):
    """Rows of the frames that tshark calls DICOM or HL7."""
    command = ["tshark", "-n", "-r", path, "-Y", "dicom || hl7", "-T", "fields", "-E",
               "aggregator=" + BETWEEN, *options]
    for name in FIELDS:
        command += ["-e", name]
    out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    for line in out.stdout.decode("utf-8", "replace").splitlines():
        yield dict(zip(FIELDS, line.split("\t")))


def hl7_rows(path):
    """tshark passes over the first message of a connection on any port but 2575, unless
    it is told the port."""
    rows = list(tshark(path))
    ports = sorted({row[p] for row in rows if row["hl7.segment"]
                    for p in ("tcp.srcport", "tcp.dstport")} - {str(HL7_PORT)})
    if not ports:
        return rows
    known = any(row["tcp.srcport"] == str(HL7_PORT) or row["tcp.dstport"] == str(HL7_PORT)
                for row in rows)
    if known:
        return rows
    return list(tshark(path, [w for port in ports for w in ("-d", f"tcp.port=={port},hl7")]))


def several(text):
    return [part.strip() for part in text.split(BETWEEN) if part.strip()]


def uid_of(text):
    """Of `CT Image Storage (1.2.840.10008.5.1.4.1.1.2)`."""
    found = re.search(r"\(([0-9.]+)\)$", text)
    return found.group(1) if found else text


class Said:
    """What is said of one connection, in the sensor's words."""

    def __init__(self):
        self.apps = set()
        self.texts = collections.defaultdict(list)
        self.numbers = collections.Counter()

    def text(self, name, value):
        if value and value not in self.texts[name]:
            self.texts[name].append(value)


def say_dicom(said, row):
    types = several(row["dicom.pdu.type"])
    if "0x01" in types:
        said.text("dicom.calling_ae", row["dicom.assoc.ae.calling"].strip())
        said.text("dicom.called_ae", row["dicom.assoc.ae.called"].strip())
        syntaxes = several(row["dicom.pctx.abss.syntax"])
        for uid in map(uid_of, syntaxes):
            said.text("dicom.sop_class", uid)
        said.numbers["dicom.contexts_proposed"] += len(syntaxes)
        said.text("dicom.identity", IDENTITIES.get(row["dicom.userinfo.user_identify.type"]))
    if "0x02" in types:
        said.text("dicom.association", "accepted")
        results = [int(v, 16) for v in several(row["dicom.pctx.result"])]
        said.numbers["dicom.contexts_accepted"] += results.count(0)
    if "0x03" in types:
        said.text("dicom.association", "rejected")
        said.text("dicom.reject_result", REJECTS.get(row["dicom.assoc.reject.result"]))
    if "0x06" in types:
        said.numbers["dicom.released"] = 1
    if "0x07" in types:
        said.text("dicom.abort_source", ABORTS.get(row["dicom.assoc.abort.source"]))
    for command in re.findall(r"\b([CN]-[A-Z-]+?)-RQ ID=", row["_ws.col.Info"]):
        said.numbers["dicom." + command.replace("-REPORT", "").replace("-", "_").lower()] += 1
    said.numbers["dicom.status_success"] += len(
        re.findall(r"-RSP ID=[^,]*\(Success\)", row["_ws.col.Info"]))


def fitting(grammar, text):
    return text if not text or grammar.fullmatch(text) else "invalid"


def say_hl7(said, row):
    header, code = None, None
    for segment in several(row["hl7.segment"]) + ["MSH"]:
        parts = segment.removesuffix("\\r").split("|")
        if parts[0] == "MSA":
            code = parts[1]
        if parts[0] != "MSH":
            continue
        if header:
            say_message(said, header, code)
        header, code = parts, None


def say_message(said, header, code):
    msh = header + [""] * 12
    said.text("hl7.message_type", fitting(HL7_TYPE, msh[8]))
    said.text("hl7.version", msh[11].split("^")[0])
    if code is None and not msh[8].startswith("ACK"):
        said.numbers["hl7.messages"] += 1
        # A header whose type is none has its fields in other places: none is believed.
        shifted = not HL7_TYPE.fullmatch(msh[8])
        for name, at in (("hl7.sending_app", 2), ("hl7.receiving_app", 4)):
            said.text(name, "invalid" if shifted else fitting(HL7_NAME, msh[at].split("^")[0]))
        return
    said.numbers["hl7.acks"] += 1
    if code:
        said.numbers["hl7.ack_" + code.lower()] += 1


def truth_of(path):
    streams = collections.defaultdict(Said)
    for row in hl7_rows(path):
        key = frozenset([(row["ip.src"] or row["ipv6.src"], int(row["tcp.srcport"])),
                         (row["ip.dst"] or row["ipv6.dst"], int(row["tcp.dstport"]))])
        said = streams[key]
        if row["dicom.pdu.type"]:
            said.apps.add("dicom")
            say_dicom(said, row)
        if row["hl7.segment"]:
            said.apps.add("hl7")
            say_hl7(said, row)
    return streams


def replay(sensor, paths):
    run = subprocess.run([sensor, "-r", *paths, "--json"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, check=False)
    if run.returncode not in (0, 3):
        sys.exit(f"exit code {run.returncode} of {' '.join(paths)}: {run.stderr.decode()}")
    for line in run.stdout.splitlines():
        record = json.loads(line)
        if record["type"] == "flow":
            yield record


def ours_of(sensor, path):
    flows = {}
    for flow in replay(sensor, [path]):
        if flow.get("app") not in APPS:
            continue
        said = flows.setdefault(frozenset((flow[side]["ip"], flow[side].get("port", 0))
                                          for side in ("client", "server")), Said())
        said.apps.add(flow["app"])
        for name, value in flow.get("attributes", {}).items():
            if isinstance(value, (list, str)):
                for text in value if isinstance(value, list) else [value]:
                    said.text(name, text)
            else:
                said.numbers[name] += value
    return flows


class Figures:
    """For each check: how often it held, of how often it was made; and where not."""

    def __init__(self):
        self.held = collections.Counter()
        self.made = collections.Counter()
        self.notes = collections.defaultdict(list)

    def check(self, name, good, note):
        if not good and (note.split()[0], name) in EXCEPTIONS:
            print(f"# {name}: {note} ({EXCEPTIONS[note.split()[0], name]})")
            return
        self.made[name] += 1
        self.held[name] += good
        if not good:
            self.notes[name].append(note)

    def report(self, tap):
        for name in sorted(self.made):
            tap.report(self.held[name] == self.made[name],
                       f"{name}: {self.held[name]} of {self.made[name]}",
                       "\n".join(self.notes[name]))


# tshark's numbers; ours are absent where they are zero.
NUMBERS = ("dicom.contexts_proposed", "dicom.contexts_accepted", "dicom.released", "dicom.c_store",
           "dicom.c_find", "dicom.c_move", "dicom.c_get", "dicom.c_echo", "dicom.status_success",
           "hl7.messages", "hl7.acks", "hl7.ack_aa", "hl7.ack_ae", "hl7.ack_ar")
TEXTS = ("dicom.calling_ae", "dicom.called_ae", "dicom.sop_class", "dicom.association",
         "dicom.reject_result", "dicom.abort_source", "dicom.identity", "hl7.message_type",
         "hl7.version", "hl7.sending_app", "hl7.receiving_app")


def compare(figures, name, truth, ours):
    for key in set(truth) | set(ours):
        theirs, mine = truth.get(key, Said()), ours.get(key, Said())
        where = f"{name} {sorted(key)}"
        figures.check("connections", theirs.apps == mine.apps,
                      f"{where}: tshark {theirs.apps}, ours {mine.apps}")
        for field in TEXTS:
            expected, said = theirs.texts[field][:SET_MOST], mine.texts[field]
            if expected or said:
                figures.check(field, sorted(expected) == sorted(said),
                              f"{where}: tshark {expected}, ours {said}")
        for field in NUMBERS:
            expected, said = theirs.numbers[field], mine.numbers[field]
            if expected or said:
                figures.check(field, expected == said, f"{where}: tshark {expected}, ours {said}")


def hold_clinical(tap, sensor, captures):
    figures = Figures()
    for path in sorted(glob.glob(os.path.join(captures, "clinical", "*.pcap")) +
                       glob.glob(os.path.join(captures, "public", "clinical", "*.pcap"))):
        compare(figures, os.path.basename(path), truth_of(path), ours_of(sensor, path))
    figures.report(tap)


def apps_of(sensor, paths):
    return {flow["app"] for flow in replay(sensor, paths) if flow.get("app") in APPS}


def wrongly_called(sensor, public, names):
    """Of captures in which tshark sees neither, those in which the sensor does."""
    found = apps_of(sensor, [os.path.join(public, name) for name in names])
    if not found:
        return []
    if len(names) == 1:
        return [f"{names[0]}: {' '.join(sorted(found))}"]
    half = len(names) // 2
    return wrongly_called(sensor, public, names[:half]) + \
        wrongly_called(sensor, public, names[half:])


def hold_others(tap, sensor, public):
    with open(os.path.join(public, "MANIFEST.tsv"), encoding="utf-8") as table:
        rows = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
    claimed, others, wrong = [], [], []
    for row in rows:
        words = {word.split(":")[0] for word in row["protocols_tshark"].split()}
        (claimed if words & set(APPS) else others).append((row["file"], words))
    for name, words in claimed:
        for app in apps_of(sensor, [os.path.join(public, name)]) - words:
            wrong.append(f"{name}: {app}")
    names = [name for name, _ in others]
    for i in range(0, len(names), BATCH):
        wrong += wrongly_called(sensor, public, names[i:i + BATCH])
    tap.report(not wrong, f"of {len(rows)} other captures, {len(wrong)} are called DICOM or HL7 "
               "by the sensor only", "\n".join(wrong))


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    sensor, captures = sys.argv[1:]
    if not os.path.exists(os.path.join(captures, "clinical")):
        print(f"1..0 # SKIP no captures in {captures}")
        return 0
    tap = Tap()
    if shutil.which("tshark"):
        hold_clinical(tap, sensor, captures)
    else:
        tap.skip("what tshark says of the clinical captures", "tshark is not installed")
    hold_others(tap, sensor, os.path.join(captures, "public"))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
