# SPDX-License-Identifier: Apache-2.0
"""Frames of small captures, taken apart and put together again: pcap, Ethernet with
802.1Q, IPv4 and IPv6 without options or fragments, TCP, UDP. What is anything else stays
a frame as it is."""
import dataclasses
import struct

ETHERNET = 1
IPV4, IPV6, DOT1Q, DOT1AD = 0x0800, 0x86DD, 0x8100, 0x88A8
TCP, UDP = 6, 17
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ERSPAN_SESSION = 17


@dataclasses.dataclass
class Packet:
    """One frame; `ip` is None where it is not understood, and `frame` is all there is."""

    time: tuple  # seconds, microseconds
    frame: bytes
    ends: bytes = b""  # both MAC addresses
    tags: bytes = b""
    ip: tuple = None  # source, destination: 4 or 16 bytes each
    hops: int = 64
    number: int = 0  # IPv4 identification
    protocol: int = 0
    ports: tuple = ()
    sequence: int = 0
    acknowledged: int = 0
    flags: int = 0
    window: int = 0
    options: bytes = b""
    payload: bytes = b""

    @property
    def has_ports(self):
        return bool(self.ip) and self.protocol in (TCP, UDP)


def read(path):
    """The packets of a pcap file of Ethernet frames; None when it holds others."""
    with open(path, "rb") as capture:
        data = capture.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    nano = data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
    if struct.unpack_from(order + "I", data, 20)[0] != ETHERNET:
        return None
    packets, at = [], 24
    while at + 16 <= len(data):
        seconds, rest, length, _ = struct.unpack_from(order + "IIII", data, at)
        packets.append(parse((seconds, rest // 1000 if nano else rest),
                             data[at + 16:at + 16 + length]))
        at += 16 + length
    return packets


def write(path, frames, link=ETHERNET):
    """Frames as ((seconds, microseconds), bytes)."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link))
        for time, frame in frames:
            out.write(struct.pack("<IIII", *time, len(frame), len(frame)) + frame)


def parse(time, frame):
    packet = Packet(time, frame, frame[:12])
    at = 12
    while frame[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    packet.tags = frame[12:at]
    kind, data = frame[at:at + 2], frame[at + 2:]
    if kind == b"\x08\x00" and data[0] == 0x45 and not struct.unpack_from(">H", data, 6)[0] & 0x3FFF:
        packet.ip = data[12:16], data[16:20]
        packet.number = struct.unpack_from(">H", data, 4)[0]
        packet.hops, packet.protocol = data[8], data[9]
        body = data[20:struct.unpack_from(">H", data, 2)[0]]
    elif kind == b"\x86\xdd" and data[6] in (TCP, UDP):
        packet.ip = data[8:24], data[24:40]
        packet.protocol, packet.hops = data[6], data[7]
        body = data[40:40 + struct.unpack_from(">H", data, 4)[0]]
    else:
        return packet
    parse_transport(packet, body)
    return packet


def parse_transport(packet, body):
    if packet.protocol == UDP:
        packet.ports = struct.unpack_from(">HH", body)
        packet.payload = body[8:]
    elif packet.protocol == TCP:
        packet.ports = struct.unpack_from(">HH", body)
        packet.sequence, packet.acknowledged = struct.unpack_from(">II", body, 4)
        size = (body[12] >> 4) * 4
        packet.flags, packet.window = body[13], struct.unpack_from(">H", body, 14)[0]
        packet.options, packet.payload = body[20:size], body[size:]
    else:
        packet.payload = body


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def transport(packet):
    """The transport header and what it carries, with the checksum right."""
    if packet.protocol == UDP:
        head, where = struct.pack(">HHHH", *packet.ports, 8 + len(packet.payload), 0), 6
    elif packet.protocol == TCP:
        head = struct.pack(">HHIIBBHHH", *packet.ports, packet.sequence & 0xFFFFFFFF,
                           packet.acknowledged & 0xFFFFFFFF,
                           (20 + len(packet.options)) // 4 << 4, packet.flags, packet.window, 0, 0)
        head, where = head + packet.options, 16
    else:
        return packet.payload
    body = head + packet.payload
    if len(packet.ip[0]) == 4:
        pseudo = b"".join(packet.ip) + struct.pack(">HH", packet.protocol, len(body))
    else:
        pseudo = b"".join(packet.ip) + struct.pack(">II", len(body), packet.protocol)
    found = checksum(pseudo + body) or 0xFFFF
    return body[:where] + struct.pack(">H", found) + body[where + 2:]


def build(packet):
    """The frame of a packet."""
    if not packet.ip:
        return packet.frame
    body = transport(packet)
    if len(packet.ip[0]) == 4:
        kind = IPV4
        head = struct.pack(">BBHHHBB", 0x45, 0, 20 + len(body), packet.number & 0xFFFF, 0x4000,
                           packet.hops, packet.protocol)
        ends = b"".join(packet.ip)
        head += struct.pack(">H", checksum(head + b"\0\0" + ends)) + ends
    else:
        kind = IPV6
        head = struct.pack(">IHBB", 6 << 28, len(body), packet.protocol, packet.hops) + \
            b"".join(packet.ip)
    return packet.ends + packet.tags + struct.pack(">H", kind) + head + body


def tagged(frame, vlan):
    """With an 802.1Q tag, outside of those that it has."""
    return frame[:12] + struct.pack(">HH", DOT1Q, vlan) + frame[12:]


def erspan2_header(vlan):
    """Version 1, VLAN, session; index (draft-foschiano-erspan-03 section 4.2)."""
    return struct.pack(">HHI", 1 << 12 | vlan, 3 << 11 | ERSPAN_SESSION, 5)


def erspan2(frame, vlan, number):
    """In GRE with a sequence number, between two carriers."""
    body = struct.pack(">HHI", 0x1000, 0x88BE, number) + erspan2_header(vlan) + frame
    return build(Packet((0, 0), b"", bytes.fromhex("020000990002020000990001"),
                        ip=(bytes([10, 99, 1, 1]), bytes([10, 99, 1, 2])), number=number,
                        protocol=47, payload=body))
