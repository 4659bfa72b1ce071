# SPDX-License-Identifier: Apache-2.0
"""Reads conversations of small captures, and writes others: just enough of pcap,
Ethernet, IPv4, IPv6, TCP and UDP for tests that plant bytes into messages."""
import socket
import struct

FIN, SYN, PSH, ACK = 1, 2, 8, 16
ETHERNET = 1
PLANTED, OTHER = "10.60.", "10.62."  # networks of clients
PLANTED_MAC = b"\x02\x60\x60\x60"  # of frames that are not IP
SENDER_MAC = b"\xa5\x5a\xa5\x5a\xa5\x5a"  # in a frame that is not IP, the same
SENDER = b"\xa5\x5a\xa5\x5a"  # in a datagram: the address of who sends it


def read_frames(path):
    with open(path, "rb") as capture:
        data = capture.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    if struct.unpack_from(order + "I", data, 20)[0] != ETHERNET:
        return
    at = 24
    while at + 16 <= len(data):
        length = struct.unpack_from(order + "I", data, at + 8)[0]
        yield data[at + 16:at + 16 + length]
        at += 16 + length


def tcp_of(frame):
    """(source, destination, sequence number, flags, payload), or None."""
    kind, ip = struct.unpack_from(">H", frame, 12)[0], frame[14:]
    if kind == 0x0800 and ip[9] == 6:
        tcp = ip[(ip[0] & 15) * 4:struct.unpack_from(">H", ip, 2)[0]]
        ends = ip[12:16], ip[16:20]
    elif kind == 0x86dd and ip[6] == 6:
        tcp = ip[40:40 + struct.unpack_from(">H", ip, 4)[0]]
        ends = ip[8:24], ip[24:40]
    else:
        return None
    ports = struct.unpack_from(">HH", tcp, 0)
    return ((ends[0], ports[0]), (ends[1], ports[1]), struct.unpack_from(">I", tcp, 4)[0],
            tcp[13], tcp[(tcp[12] >> 4) * 4:])


def connections(path):
    """For each seen from its start: the server's port, [(from the client?, bytes), ...]."""
    found = {}
    for frame in read_frames(path):
        packet = tcp_of(frame)
        if not packet:
            continue
        source, dest, sequence, flags, payload = packet
        key = frozenset((source, dest))
        if flags & SYN and not flags & ACK:
            found[key] = {"client": source, "port": dest[1], "next": {}, "chunks": []}
        one = found.get(key)
        if one is None or not payload or sequence < one["next"].get(source, 0):
            continue
        one["next"][source] = sequence + len(payload)
        chunks, forth = one["chunks"], source == one["client"]
        if chunks and chunks[-1][0] == forth:
            chunks[-1] = (forth, chunks[-1][1] + payload)
        else:
            chunks.append((forth, payload))
    return [(one["port"], one["chunks"]) for one in found.values() if one["chunks"]]


def conversations(path):
    return [chunks for _, chunks in connections(path)]


def frame_of(data):
    """The frame that is the same with no checksum in UDP: bytes of it were changed."""
    at = {b"\x08\x00": 14 + (data[14] & 15) * 4, b"\x86\xdd": 54}.get(data[12:14], 0)
    kind = data[23:24] if data[12:14] == b"\x08\x00" else data[20:21]
    return data[:at + 6] + b"\0\0" + data[at + 8:] if at and kind == b"\x11" else data


class Writer:
    """A capture of connections, each with ends and a time of its own, or behind those of
    the writer before."""

    MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
    SERVER = socket.inet_aton("10.50.1.10")
    ALL = socket.inet_aton("10.50.1.255")

    def __init__(self, path, before=None, net=PLANTED):
        self.net = net
        self.out = open(path, "wb")
        self.out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, ETHERNET))
        self.count = before.count if before else 0
        self.time = before.time if before else 1767225600.0

    def close(self):
        self.out.close()

    def frame(self, data):
        self.time += 0.0001
        whole = int(self.time)
        self.out.write(struct.pack("<IIII", whole, int((self.time - whole) * 1e6), len(data),
                                   len(data)) + data)

    def client(self):
        return socket.inet_aton(f"{self.net}{self.count >> 8 & 255}.{self.count & 255}")

    def link(self, data):
        """A frame of no IP, from its EtherType or length on."""
        self.count += 1
        mac = PLANTED_MAC + struct.pack(">H", self.count & 0xffff)
        self.frame(bytes.fromhex("0180c200000e") + mac +
                   data.replace(SENDER_MAC, mac).replace(SENDER, self.client()))

    def packet(self, forth, protocol, payload, server=SERVER):
        ends = self.client(), server
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0x4000, 64, protocol, 0,
                         ends[not forth], ends[forth])
        self.frame(self.MAC[not forth] + self.MAC[forth] + b"\x08\x00" + ip + payload)

    def segment(self, forth, sequences, flags, payload=b""):
        ports = 40000 + self.count % 20000, self.port
        tcp = struct.pack(">HHIIBBHHH", *ports[::1 if forth else -1], sequences[0] & 0xffffffff,
                          sequences[1] & 0xffffffff, 0x50, flags, 65535, 0, 0)
        self.packet(forth, 6, tcp + payload)

    def datagrams(self, chunks, port, broadcast=False, fixed=False):
        """[(from the client?, bytes), ...]: a datagram each. The client's may go to
        everybody, its port may be the server's."""
        self.count += 1
        self.time += 1
        ports = port if fixed else 40000 + self.count % 20000, port
        for forth, data in chunks:
            data = data.replace(SENDER, self.client() if forth else self.SERVER)
            udp = struct.pack(">HHHH", *ports[::1 if forth else -1], 8 + len(data), 0) + data
            self.packet(forth, 17, udp, self.ALL if broadcast and forth else self.SERVER)

    def connection(self, chunks, port, sizes, lost=lambda: False, midstream=False):
        """chunks: [(from the client?, bytes), ...]; sizes() gives the next segment's
        length; a segment for which lost() is true is not in the capture."""
        self.count += 1
        self.port = port
        self.time += 1
        at = [1001, 2001]
        if not midstream:
            self.segment(True, (1000, 0), SYN)
            self.segment(False, (2000, 1001), SYN | ACK)
            self.segment(True, (1001, 2001), ACK)
        for forth, data in chunks:
            side = 0 if forth else 1
            while data:
                part = data[:sizes()]
                data = data[len(part):]
                if not lost():
                    self.segment(forth, (at[side], at[not side]), PSH | ACK, part)
                at[side] += len(part)
        self.segment(True, (at[0], at[1]), FIN | ACK)
        self.segment(False, (at[1], at[0] + 1), FIN | ACK)
        self.segment(True, (at[0] + 1, at[1] + 1), ACK)
