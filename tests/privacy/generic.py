# SPDX-License-Identifier: Apache-2.0
"""Plants fresh canaries wherever a capture of ours has one: of the same length, in every
segmentation, and with odd bytes around, which make lengths and delimiters wrong."""
import re

import wire

KINDS = rb"PHI|SECRET|TOKEN"
WIDE = KINDS.decode().encode("utf-16-le").replace(b"|\0", b"|")
CANARY = re.compile(rb"ZZ(?:" + KINDS + rb")[A-Za-z0-9^._-]*")
WIDE_CANARY = re.compile(rb"Z\0Z\0(?:" + WIDE + rb")(?:[A-Za-z0-9^._-]\0)*")
SHORT = 9  # what is shorter stands in binary files by chance: only texts are searched for it
ODD = (b"\0", b"\xff", b"\r", b"\n", b'"', b"\\", b"<", b"&", b";", b",", b"%", b"=", b" ", b"\xc3",
       b"/", b"@", b".")
LARGE = 100000  # bytes of a conversation that is planted once


def canary(p, length):
    if length >= SHORT:
        return p.fresh(length)
    return b"ZZ" + "".join(p.random.choices("ABCDEFGHJKLMNPQRSTUVWXY", k=length - 2)).encode()


def fresh(p, data):
    data = WIDE_CANARY.sub(lambda hit: canary(p, len(hit[0]) // 2).decode().encode("utf-16-le"),
                           data)
    return CANARY.sub(lambda hit: canary(p, len(hit[0])), data)


def with_odd(p, data):
    """The same, with another byte in front or behind."""
    out, at = bytearray(fresh(p, data)), 0
    for hit in CANARY.finditer(data):
        at = p.random.choice((hit.start() - 1, hit.end()))
        if 0 <= at < len(out):
            out[at:at + 1] = p.random.choice(ODD)
    return bytes(out)


def holds(data):
    return CANARY.search(data) or WIDE_CANARY.search(data)


def as_captured(p, writer, frames):
    """In the segments of the capture; what is not TCP a second time, with odd bytes."""
    writer.time += 100
    for data in frames:
        writer.frame(wire.frame_of(fresh(p, data)))
    writer.time += 100
    for data in frames:
        if not wire.tcp_of(data):
            writer.frame(wire.frame_of(with_odd(p, data)))


def plant(p, writer, path, ways):
    """All of it; gives how many captures (one or none) held canaries."""
    frames = list(wire.read_frames(path))
    if not any(holds(data) for data in frames):
        return 0
    p.place = path.rsplit("/", 1)[-1]
    as_captured(p, writer, frames)
    for port, chunks in wire.connections(path):
        if not any(holds(data) for _, data in chunks):
            continue
        size = sum(len(data) for _, data in chunks)
        for change in (fresh, with_odd):
            for way in ways if size < LARGE else ways[1:2]:
                writer.connection([(forth, change(p, data)) for forth, data in chunks], port,
                                  **way)
    return 1
