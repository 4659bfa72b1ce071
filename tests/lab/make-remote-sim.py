#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes captures of remote access for which no program is free: only the bytes that are
known of Citrix (ICA, CGP) and TeamViewer, and RDP servers that refuse, from MS-RDPBCGR.

usage: make-remote-sim.py FOLDER
"""
import os
import sys

from scapy.all import IP, TCP, UDP, Ether, IPv6, Raw, wrpcap

CLIENT, SERVER = "10.10.1.5", "10.10.1.20"
CLIENT6, SERVER6 = "2001:db8:10:1::5", "2001:db8:10:1::20"
MACS = ("00:09:5c:01:00:05", "02:00:00:10:00:20")
START = 1772366400.0  # 2026-03-01 12:00:00 UTC


class Wire:
    def __init__(self, port, v6=False):
        self.port, self.v6, self.packets = port, v6, []

    def frame(self, sender, layer):
        ends = (CLIENT6, SERVER6) if self.v6 else (CLIENT, SERVER)
        network = IPv6 if self.v6 else IP
        packet = (Ether(src=MACS[sender], dst=MACS[1 - sender]) /
                  network(src=ends[sender], dst=ends[1 - sender]) / layer)
        packet.time = START + len(self.packets) / 1000
        self.packets.append(packet)

    def ports(self, sender):
        return {"sport": (50000, self.port)[sender], "dport": (self.port, 50000)[sender]}

    def tcp(self, said):
        """said: (0 client or 1 server, bytes) in turn, within one connection."""
        sequence = [1000, 2000]

        def send(sender, flags, payload=b""):
            layer = TCP(flags=flags, seq=sequence[sender],
                        ack=sequence[1 - sender] if "A" in flags else 0, **self.ports(sender))
            self.frame(sender, layer / Raw(payload) if payload else layer)
            sequence[sender] += len(payload) + ("S" in flags or "F" in flags)

        send(0, "S")
        send(1, "SA")
        send(0, "A")
        for sender, payload in said:
            send(sender, "PA", payload)
        send(0, "FA")
        send(1, "FA")
        send(0, "A")
        return self.packets

    def udp(self, said):
        for sender, payload in said:
            self.frame(sender, UDP(**self.ports(sender)) / Raw(payload))
        return self.packets


def rdp_ask(cookie=b"", protocols=3, flags=0):
    body = b"\xe0\0\0\0\0\0" + cookie + bytes((1, flags, 8, 0, protocols, 0, 0, 0))
    return b"\x03\0" + (5 + len(body)).to_bytes(2, "big") + bytes((len(body),)) + body


def main():
    folder = sys.argv[1]
    captures = {
        "citrix-ica-sim": Wire(1494).tcp([
            (1, b"\x7f\x7fICA\0"), (0, b"\x7f\x7fICA\0"), (1, b"ZZPHI" * 20), (0, b"ZZSECRET")]),
        "citrix-cgp-sim": Wire(42598, v6=True).tcp([
            (0, b"\x1aCGP/01" + b"ZZPHI" * 8), (1, b"\x1aCGP/01" + b"ZZPHI" * 4)]),
        "teamviewer-tcp-sim": Wire(5938).tcp([
            (0, b"\x17\x24\x0a\x20\0" + b"ZZPHI" * 6), (1, b"\x17\x24\x0b\x20\0" + b"ZZPHI" * 6)]),
        "teamviewer-udp-sim": Wire(5938).udp([
            (0, b"\0" + b"\1" * 10 + b"\x17\x24" + b"ZZPHI" * 6),
            (1, b"\0" + b"\2" * 10 + b"\x17\x24" + b"ZZPHI" * 6)]),
        "rdp-refused-sim": Wire(43389, v6=True).tcp([
            (0, rdp_ask(b"Cookie: mstshash=ZZPHIuser\r\n", 1)),
            (1, b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x03\0\x08\0\x05\0\0\0")]),
        "vnc-password-sim": Wire(45900, v6=True).tcp([
            (1, b"RFB 003.008\n"), (0, b"RFB 003.008\n"), (1, b"\x02\x02\x13"), (0, b"\x02"),
            (1, b"0123456789abcdef"), (0, b"fedcba9876543210"), (1, b"\0\0\0\0"), (0, b"\1"),
            (1, b"\x02\x80\x01\xe0" + b"\0" * 16 + b"\0\0\0\x05ZZPHI")]),
    }
    for name, packets in captures.items():
        wrpcap(os.path.join(folder, name + ".pcap"), packets)


if __name__ == "__main__":
    main()
