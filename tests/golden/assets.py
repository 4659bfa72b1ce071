#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is told of hosts: the asset records of the demo hospital must be exactly those of
the .assets beside the capture. And an address that changes its MAC has a new tenant, and
of the two neither's time reaches into the other's. Prints TAP.

usage: assets.py SENSOR SOURCE_ROOT [--accept]

Left out are makers of network cards, which depend on the machine's lists (and the roles
that these hint at), and the site's revision.
"""
import difflib
import glob
import json
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
from golden import read_lines, site_options  # noqa: E402
from tap import Tap  # noqa: E402


def replay(sensor, root, capture):
    run = subprocess.run([sensor, "-r", capture, "--json", *site_options(root, capture)],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assets = [json.loads(line) for line in run.stdout.splitlines()
              if line.startswith(b'{"type":"asset"')]
    for asset in assets:
        asset.pop("mac_vendor", None)
        asset.pop("site_revision", None)
        asset["roles"] = [role for role in asset.get("roles", [])
                          if role["from"] != "mac_vendor"]
    return assets, f"exit code {run.returncode}" if run.returncode else ""


def hold(tap, sensor, root, capture, accept):
    kept = capture[:-len(".pcap")] + ".assets"
    assets, problem = replay(sensor, root, capture)
    got = [json.dumps(asset, separators=(",", ":")) + "\n" for asset in assets]
    if accept and not problem:
        with open(kept, "w", encoding="utf-8") as out:
            out.writelines(got)
    want = read_lines(kept)
    notes = problem or "".join(difflib.unified_diff(want, got, "kept", "now", n=0))
    tap.report(not problem and bool(want) and got == want, os.path.relpath(capture, root), notes)


def spans_of(assets, ip):
    """First and last time of each tenant of an address, by its MAC."""
    spans = {}
    for asset in assets:
        if asset.get("ip") == ip:
            first, last = spans.get(asset.get("mac"), (asset["first_seen"], ""))
            spans[asset.get("mac")] = (min(first, asset["first_seen"]),
                                       max(last, asset["last_seen"]))
    return sorted((first, last, mac) for mac, (first, last) in spans.items())


def frames_of(path):
    with open(path, "rb") as capture:
        capture.read(24)
        while header := capture.read(16):
            seconds, fraction, captured, wire = struct.unpack("<IIII", header)
            yield seconds, fraction, wire, capture.read(captured)


def write_tenants(root, path):
    """A modality stores to the archive; two hours later another device, with another
    maker's network card, has its address and sends HL7."""
    old, new = bytes.fromhex("00095c010005"), bytes.fromhex("00105d020099")
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for name, later, mac in (("dicom-store", 0, old), ("hl7-adt-ack", 7200, new)):
            for seconds, fraction, wire, frame in frames_of(
                    os.path.join(root, "pcaps", name + ".pcap")):
                frame = frame[:12].replace(old, mac) + frame[12:]
                out.write(struct.pack("<IIII", seconds + later, fraction, len(frame), wire) + frame)


def hold_tenants(tap, sensor, root):
    with tempfile.TemporaryDirectory() as folder:
        capture = os.path.join(folder, "tenants.pcap")
        write_tenants(root, capture)
        spans = spans_of(replay(sensor, root, capture)[0], "10.10.1.5")
    tap.report([mac for _, _, mac in spans] == ["00:09:5c:01:00:05", "00:10:5d:02:00:99"] and
               spans[0][1] < spans[1][0], "an address that changes its MAC has a new tenant",
               repr(spans))


def main():
    words = [word for word in sys.argv[1:] if word != "--accept"]
    if len(words) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    sensor, root = words[0], os.path.abspath(words[1])
    tap = Tap()
    for capture in sorted(glob.glob(os.path.join(root, "pcaps", "demo", "*.pcap"))):
        hold(tap, sensor, root, capture, "--accept" in sys.argv)
    hold_tenants(tap, sensor, root)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
