# SPDX-License-Identifier: Apache-2.0
"""What all planting modules share: the planter of canaries, the row that says how a
protocol is planted, and numbers packed in either order.

To plant into a protocol: a function (planter, captured conversations) in the module of its
family that yields conversations, and a Row in that module's ROWS."""
import random
import struct
from typing import Callable, NamedTuple

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXY23456789"  # no Z: a canary has two, in front
STREAM, DATAGRAMS, LINK = "stream", "datagrams", "link"


class Planter:
    """Gives canaries and remembers where each one went."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.places = {}
        self.place = ""

    def fresh(self, length=12):
        """Nine bytes and more: a shorter one would stand in binary files by chance."""
        while True:
            word = b"ZZ" + "".join(self.random.choices(ALPHABET, k=length - 2)).encode()
            if word not in self.places:
                self.places[word] = self.place
                return word

    def wide(self):
        """A canary in UTF-16, little endian."""
        return self.fresh().decode().encode("utf-16-le")

    def odd(self):
        """A canary with what no grammar takes."""
        around = self.random.choice((b"\xc3\xa9", b"\x01", b"*", b"@", b'"', b"\\", b";", b"\xff"))
        return self.fresh() + around + self.fresh()


class Row(NamedTuple):
    """How a protocol is planted. `plant` yields conversations, lists of
    (from the client?, bytes); for LINK, frames from their EtherType or length on."""

    name: str  # of the dissector, and the first word of its captures
    kind: str
    ports: tuple  # taken in turn
    plant: Callable
    least: int = 1  # flows that must be claimed
    broadcast: bool = False  # datagrams: the client's go to everybody
    fixed: bool = False  # datagrams: the client's port is the server's


def each(variants):
    """A planting function, of one that takes a single captured conversation."""
    def plant(p, conversations):
        for chunks in conversations:
            yield from variants(p, chunks)
    return plant


def once(variants):
    """A planting function, of one that needs no captured conversation."""
    return lambda p, _conversations: variants(p)


def named(places):
    """A planting function, of {place: function(planter) -> conversations}."""
    def plant(p, _conversations):
        for place, conversations in places.items():
            p.place = place
            yield from conversations(p)
    return plant


def b8(*numbers):
    return bytes(number & 255 for number in numbers)


def b16(*numbers):
    return struct.pack(f">{len(numbers)}H", *(number & 0xffff for number in numbers))


def b32(*numbers):
    return struct.pack(f">{len(numbers)}I", *numbers)


def l16(*numbers):
    return struct.pack(f"<{len(numbers)}H", *(number & 0xffff for number in numbers))


def l32(*numbers):
    return struct.pack(f"<{len(numbers)}I", *numbers)


def sized(pack, data, more=0):
    """Data behind its length, packed by one of the above."""
    return pack(len(data) + more) + data


def der(tag, *parts):
    """An ASN.1 value, in DER."""
    data = b"".join(parts)
    if len(data) < 128:
        return bytes([tag, len(data)]) + data
    length = len(data).to_bytes((len(data).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + data


def number(n):
    return der(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def oid(text):
    arcs = [int(arc) for arc in text.split(".")]
    out = [arcs[0] * 40 + arcs[1]]
    for arc in arcs[2:]:
        parts = [arc & 127]
        while arc > 127:
            arc >>= 7
            parts.insert(0, arc & 127 | 128)
        out += parts
    return der(6, bytes(out))
