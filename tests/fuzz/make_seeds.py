#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes seeds for the fuzzers of dissectors from our own captures: what each side of a
conversation said, in the form that fuzz_dissector.c reads.

usage: make_seeds.py NAME PCAPS OUT     (NAME: a dissector's; writes OUT/*)
"""
import collections
import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import frames  # noqa: E402

TCP, UDP, LINK = 0, 1, 0x11  # settings: fuzz_dissector.c
MOST = 8192  # bytes of a seed: larger ones only slow the fuzzer
# Sizes of pieces by their code, as piece_size() has them.
SIZES = {code: code if code < 24 else (code - 20) * 16 if code < 40 else (code - 32) * 64
         for code in range(1, 64)}


def pieces(direction, data):
    """One byte of direction and size, and so many bytes, until all is said."""
    out = b""
    while data:
        code = max((c for c, n in SIZES.items() if n <= len(data)), key=SIZES.get)
        out += bytes([code << 2 | direction]) + data[:SIZES[code]]
        data = data[SIZES[code]:]
    return out


def conversations(path):
    """{(kind, ends): [(direction, bytes)]}"""
    found, first = collections.OrderedDict(), {}
    for packet in frames.read(path) or []:
        if not packet.has_ports:
            if not packet.ip:
                found.setdefault((LINK, len(found)), []).append((0, packet.frame[12 + len(packet.tags):]))
            continue
        if not packet.payload:
            continue
        source, dest = zip(packet.ip, packet.ports)
        key = (TCP if packet.protocol == frames.TCP else UDP, frozenset((source, dest)))
        first.setdefault(key, source)
        found.setdefault(key, []).append((int(source != first[key]), packet.payload))
    return found


def main():
    name, pcaps, out = sys.argv[1:4]
    count = 0
    for path in sorted(glob.glob(os.path.join(pcaps, name + "-*.pcap"))):
        for (kind, _), said in conversations(path).items():
            # A datagram is one piece: those of no such size are cut to the next smaller one.
            seed = bytes([kind]) + b"".join(pieces(d, data) if kind == TCP else
                                            pieces(d, data)[:1 + len(data)] for d, data in said)
            with open(os.path.join(out, f"{os.path.basename(path)}-{count}"), "wb") as file:
                file.write(seed[:MOST])
            count += 1
    return 0 if count else 1


sys.exit(main())
