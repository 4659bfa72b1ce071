#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes one capture again behind each encapsulation that the sensor unwraps (scapy).

usage: encapsulate.py IN.pcap FOLDER     makes FOLDER/encap-NAME.pcap
"""
import os
import struct
import sys

from scapy.contrib.geneve import GENEVE
from scapy.contrib.gtp import GTP_U_Header
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import GRE, IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
from scapy.layers.ppp import PPP, PPPoE
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw
from scapy.utils import rdpcap

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import frames as own  # noqa: E402

ETHERNET, RAW_IP, COOKED_1, COOKED_2 = own.ETHERNET, 101, 113, 276
OUTER = Ether(src="02:00:00:99:00:01", dst="02:00:00:99:00:02")
CARRIER = IP(src="10.99.1.1", dst="10.99.1.2", ttl=64)
SESSION = own.ERSPAN_SESSION
VLAN = 10


def gre(protocol, number=None):
    if number is None:
        return GRE(proto=protocol)
    return GRE(proto=protocol, seqnum_present=1, sequence_number=number)


def erspan2(frame, n):
    return OUTER / CARRIER / gre(0x88BE, n) / Raw(own.erspan2_header(VLAN) + bytes(frame))


def erspan3(frame, n):
    # Version 2, VLAN, session; timestamp; SGT; an Ethernet frame (section 4.3).
    header = struct.pack("!HHIHH", 2 << 12 | VLAN, SESSION, n, 0, 0)
    return OUTER / CARRIER / gre(0x22EB, n) / Raw(header + bytes(frame))


def cooked_1(frame, n):
    mac = bytes.fromhex(frame.src.replace(":", ""))
    return Raw(struct.pack("!HHH6s2xH", 0, 1, 6, mac, frame.type) + bytes(frame.payload))


def cooked_2(frame, n):
    mac = bytes.fromhex(frame.src.replace(":", ""))
    return Raw(struct.pack("!HHIHBB6s2x", frame.type, 0, 7, 1, 0, 6, mac) + bytes(frame.payload))


def ppp(frame, n):
    return OUTER / PPPoE(sessionid=SESSION) / PPP(proto=0x0021) / frame.payload


def udp(port):
    return UDP(sport=49152 + SESSION, dport=port, chksum=0)


WAYS = {
    "vlan": (ETHERNET, lambda f, n: Ether(src=f.src, dst=f.dst) / Dot1Q(vlan=VLAN) / f.payload),
    "qinq": (ETHERNET, lambda f, n: Ether(src=f.src, dst=f.dst) / Dot1AD(vlan=300) /
             Dot1Q(vlan=VLAN) / f.payload),
    "mpls": (ETHERNET, lambda f, n: OUTER / MPLS(label=1000, s=0, ttl=64) /
             MPLS(label=1001, s=1, ttl=64) / f.payload),
    "pppoe": (ETHERNET, ppp),
    "gre": (ETHERNET, lambda f, n: OUTER / CARRIER / gre(0x0800) / f.payload),
    "gre-ethernet": (ETHERNET, lambda f, n: OUTER / CARRIER / gre(0x6558) / f),
    "erspan1": (ETHERNET, lambda f, n: OUTER / CARRIER / gre(0x88BE) / f),
    "erspan2": (ETHERNET, erspan2),
    "erspan3": (ETHERNET, erspan3),
    "vxlan": (ETHERNET, lambda f, n: OUTER / CARRIER / udp(4789) / VXLAN(vni=4096, flags=8) / f),
    "vxlan-ipv6": (ETHERNET, lambda f, n: OUTER / IPv6(src="2001:db8:99::1", dst="2001:db8:99::2") /
                   UDP(sport=49152, dport=4789) / VXLAN(vni=4096, flags=8) / f),
    "geneve": (ETHERNET, lambda f, n: OUTER / CARRIER / udp(6081) /
               GENEVE(vni=4097, proto=0x6558) / f),
    "ipip": (ETHERNET, lambda f, n: OUTER / CARRIER / f.payload),
    "gtpu": (ETHERNET, lambda f, n: OUTER / CARRIER / udp(2152) / GTP_U_Header(teid=7) / f.payload),
    "raw": (RAW_IP, lambda f, n: f.payload),
    "sll": (COOKED_1, cooked_1),
    "sll2": (COOKED_2, cooked_2),
}

def stamp(frame):
    seconds = int(frame.time)
    return seconds, int((frame.time - seconds) * 1000000)


frames = rdpcap(sys.argv[1])
for name, (link, wrap) in WAYS.items():
    own.write(os.path.join(sys.argv[2], f"encap-{name}.pcap"),
              [(stamp(frame), bytes(wrap(frame, number)))
               for number, frame in enumerate(frames, 1)], link)
