# SPDX-License-Identifier: Apache-2.0
"""Counts what really was sent, from captures of the laboratory's mirror: on its own, with
nothing of Vigie's, and without guessing by time.

Each port of the switch shows a frame once as it enters and once as it leaves. So a frame
between two hosts of a segment is there twice, one from or to the router once (the router
is inside the switch), and one to all hosts as often as the segment has ports. Of a packet
(all of it but TTL and IPv4 checksum) every hop must tell the same number."""
import collections
import ipaddress
import struct

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
NAMES = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMP6: "icmpv6"}


def frames(path):
    """Bytes of each frame of a pcap file."""
    with open(path, "rb") as file:
        head = file.read(24)
        order = "<" if head[0] in (0xd4, 0x4d) else ">"
        if struct.unpack(order + "I", head[20:24])[0] & 0xffff != 1:
            raise ValueError(f"{path}: not Ethernet")
        while head := file.read(16):
            captured, wire = struct.unpack(order + "8xII", head)
            if captured != wire:
                raise ValueError(f"{path}: a frame is cut short")
            yield file.read(captured)


def transport(packet):
    """Addresses, protocol, length and what is behind the IP headers; for the identity, the
    packet without what routing changes."""
    packet = bytearray(packet)
    if packet[0] >> 4 == 4:
        length, at, protocol = int.from_bytes(packet[2:4], "big"), (packet[0] & 15) * 4, packet[9]
        source, target = packet[12:16], packet[16:20]
        packet[8] = packet[10] = packet[11] = 0
    else:
        length, at, protocol = int.from_bytes(packet[4:6], "big") + 40, 40, packet[6]
        source, target = packet[8:24], packet[24:40]
        packet[7] = 0
        while protocol in (0, 43, 60):  # hop-by-hop, routing, destination options
            protocol, at = packet[at], at + 8 + packet[at + 1] * 8
    return (ipaddress.ip_address(bytes(source)), ipaddress.ip_address(bytes(target)), protocol,
            length, bytes(packet[at:length]), bytes(packet[:length]))


def flow_key(protocol, a, a_port, b, b_port):
    """The same for both directions; everything else than TCP and UDP has no ports here."""
    ends = sorted([(str(a), a_port), (str(b), b_port)])
    return protocol, *ends[0], *ends[1]


class Mirror:
    """ports: path of the laboratory's ports.tsv"""

    def __init__(self, ports):
        self.ports, self.routers, self.vlan_of = {}, set(), {}
        with open(ports, encoding="ascii") as file:
            for line in file:
                vlan, count, router, interface = line.split()
                self.ports[int(vlan)] = int(count)
                self.routers.add(bytes.fromhex(router.replace(":", "")))
                self.vlan_of[interface] = int(vlan)
        self.hops = collections.defaultdict(collections.Counter)  # packet: frames at each hop
        self.lengths = {}
        self.frames = 0

    def add(self, path, interface):
        for frame in frames(path):
            self.frames += 1
            vlan, kind = self.vlan_of[interface], frame[12:14]
            packet = frame[14:]
            if kind == b"\x81\x00":
                vlan, kind = int.from_bytes(frame[14:16], "big") & 0xfff, frame[16:18]
                packet = frame[18:]
            if kind in (b"\x08\x00", b"\x86\xdd"):
                self.take(packet, vlan, frame[:6], frame[6:12])

    def take(self, packet, vlan, target_mac, source_mac):
        source, target, protocol, length, rest, identity = transport(packet)
        ports = struct.unpack("!HH", rest[:4]) if protocol in (TCP, UDP) else (0, 0)
        key = flow_key(NAMES.get(protocol, str(protocol)), source, ports[0], target, ports[1])
        if target_mac[0] & 1:
            shown = self.ports[vlan]
        elif {target_mac, source_mac} & self.routers:
            shown = 1
        else:
            shown = 2
        self.hops[key, identity][vlan, target_mac, source_mac, shown] += 1
        self.lengths[key, identity] = length

    def flows(self):
        """{flow: [packets, bytes]}, and what the capture itself does not tell rightly."""
        found, doubts = collections.defaultdict(lambda: [0, 0]), []
        for (key, identity), hops in self.hops.items():
            numbers = {n / hop[3] for hop, n in hops.items()}
            if len(numbers) != 1 or (number := numbers.pop()) % 1:
                doubts.append(f"{key}: {[(hop[0], n, hop[3]) for hop, n in hops.items()]}")
                continue
            found[key][0] += int(number)
            found[key][1] += int(number) * self.lengths[key, identity]
        return dict(found), doubts
