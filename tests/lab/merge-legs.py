#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Merges what was captured on several segments into the capture of one mirror port.

A routed packet stands in two segments' captures, often within the same microsecond. tcprewrite and
mergecap would lose their order; here nanoseconds decide, then microseconds are written.

usage: merge-legs.py OUT.pcap START VLAN:IN.pcap...
  START  the second (UNIX time) into which the first packet is moved, all others with it
  VLAN   the tag put on each frame, 0 for none
  IN     as tcpdump --time-stamp-precision=nano writes it on this machine
"""
import struct
import sys

NANOSECOND_MAGIC, MICROSECOND_MAGIC = 0xA1B23C4D, 0xA1B2C3D4
ETHERNET = 1


def frames(path, vlan):
    with open(path, "rb") as file:
        data = file.read()
    magic, link = struct.unpack_from("=I", data)[0], struct.unpack_from("=I", data, 20)[0]
    if magic != NANOSECOND_MAGIC or link != ETHERNET:
        sys.exit(f"{path}: no Ethernet capture in nanoseconds")
    tag = struct.pack("!HH", 0x8100, vlan) if vlan else b""
    at = 24
    while at + 16 <= len(data):
        seconds, rest, length, _ = struct.unpack_from("=IIII", data, at)
        frame = data[at + 16:at + 16 + length]
        yield seconds * 1000000000 + rest, frame[:12] + tag + frame[12:]
        at += 16 + length


merged = []
for leg in sys.argv[3:]:
    number, name = leg.split(":", 1)
    merged += frames(name, int(number))
merged.sort(key=lambda entry: entry[0])
if not merged:
    sys.exit("nothing was captured")
shift = int(sys.argv[2]) - merged[0][0] // 1000000000
with open(sys.argv[1], "wb") as out:
    out.write(struct.pack("<IHHiIII", MICROSECOND_MAGIC, 2, 4, 0, 0, 262144, ETHERNET))
    for time, frame in merged:
        out.write(struct.pack("<IIII", time // 1000000000 + shift, time % 1000000000 // 1000,
                              len(frame), len(frame)) + frame)
