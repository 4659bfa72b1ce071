#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the captures of clinical protocols that no free program speaks, from their
descriptions (scapy). Every place for patient data holds a canary.

usage: clinical-sim.py FOLDER     makes FOLDER/NAME-sim.pcap
"""
import struct
import sys

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.utils import PcapWriter

START = 1772366400  # 2026-03-01 12:00:00 UTC
CLIENT = ("00:09:fb:01:00:05", "10.10.1.5")
SERVER = ("02:00:00:10:00:20", "10.10.1.20")
EVERYBODY = ("ff:ff:ff:ff:ff:ff", "10.10.255.255")


class Wire:
    """A capture under way."""

    def __init__(self, path):
        self.writer = PcapWriter(path, linktype=1)
        self.time = float(START)
        self.id = 1

    def send(self, source, dest, layer):
        frame = Ether(src=source[0], dst=dest[0]) / \
            IP(src=source[1], dst=dest[1], id=self.id, flags="DF") / layer
        frame.time = self.time
        self.writer.write(frame)
        self.time += 0.002
        self.id += 1

    def datagram(self, source, source_port, dest, dest_port, data):
        self.send(source, dest, UDP(sport=source_port, dport=dest_port) / Raw(data))


class Stream:
    """A TCP connection, opened and closed in good order."""

    def __init__(self, wire, port, client_port=40001):
        self.wire, self.ports = wire, (client_port, port)
        self.ends, self.next = (CLIENT, SERVER), [1000, 5000]
        self.segment(0, "S")
        self.segment(1, "SA")
        self.segment(0, "A")

    def segment(self, side, flags, data=b""):
        layer = TCP(sport=self.ports[side], dport=self.ports[not side], flags=flags,
                    seq=self.next[side], ack=self.next[not side] if "A" in flags else 0)
        self.wire.send(self.ends[side], self.ends[not side], layer / Raw(data) if data else layer)
        self.next[side] += len(data) + ("S" in flags) + ("F" in flags)

    def say(self, side, data):
        self.segment(side, "PA", data)

    def close(self):
        self.segment(0, "FA")
        self.segment(1, "FA")
        self.segment(0, "A")


# --- ASTM: LIS01-A2 frames, LIS02-A2 records ---

def frame(number, text, end=b"\x03"):
    body = b"%d" % number + text + end
    return b"\x02" + body + b"%02X\r\n" % (sum(body) % 256)


RECORDS = [b"H|\\^&||ZZSECRET|Analyzer X^ZZPHI^2.1|ZZPHI street||||LIS|TSDWN|P|LIS2-A2|20260301\r",
           b"P|1||ZZPHI-MRN||ZZPHI^CANARY||19700101|F\r",
           b"O|1|ZZPHI-SAMPLE||^^^GLU|R||20260301\r",
           b"R|1|^^^GLU|ZZPHI 5.4|mmol/L|3.9^6.1|N||F||ZZPHI\r", b"L|1|N\r"]


def astm(path):
    wire = Wire(path)
    stream = Stream(wire, 1520)
    stream.say(0, b"\x05")
    stream.say(1, b"\x06")
    for number, record in enumerate(RECORDS, 1):
        stream.say(0, frame(number, record))
        if number == 2:  # once more
            stream.say(1, b"\x15")
            stream.say(0, frame(number, record))
        stream.say(1, b"\x06")
    stream.say(0, b"\x04")
    stream.close()


def astm_query(path):
    """The other way round on a port of its own: the analyzer asks, in frames of ETB."""
    stream = Stream(Wire(path), 15200)
    stream.say(0, b"\x05")
    stream.say(1, b"\x06")
    text = RECORDS[0] + b"Q|1|ZZPHI-SAMPLE||^^^ALL\rL|1|N\r"
    for number, at in enumerate(range(0, len(text), 40), 1):
        end = b"\x17" if at + 40 < len(text) else b"\x03"
        stream.say(0, frame(number, text[at:at + 40], end))
        stream.say(1, b"\x06")
    stream.say(0, b"\x04")
    stream.close()


def astm_bare(path):
    stream = Stream(Wire(path), 4001)
    stream.say(0, b"\x02" + b"".join(RECORDS) + b"\x03")
    stream.say(1, b"\x06")
    stream.close()


# --- HL7: Mindray's patient data share ---

def mllp(*segments):
    return b"\x0b" + b"\r".join(segments) + b"\r\x1c\r"


ECHO = mllp(b"MSH|^~\\&|||||||ORU^R01|106|P|2.3.1|")


def mindray(path):
    stream = Stream(Wire(path), 4601)
    stream.say(1, mllp(b"MSH|^~\\&|||||||ORU^R01|103|P|2.3.1|",
                       b"PID|||ZZPHI-MRN||ZZPHI^CANARY||19700101|F", b"PV1||I|^^ZZPHI-BED"))
    stream.say(1, ECHO)
    stream.say(0, mllp(b"MSH|^~\\&|||||||QRY^R02|1203|P|2.3.1", b"QRD|20260301|R|I|ZZPHI|||||RES",
                       b"QRF|MON||||0&0^1^1^0^101&151&160&161"))
    for _ in range(3):
        stream.say(0, ECHO)
        stream.say(1, mllp(b"MSH|^~\\&|||||||ORU^R01|204|P|2.3.1|",
                           b"OBX||NM|101^HR|2101|ZZPHI 61||||||F"))
        stream.say(1, ECHO)
    stream.close()


# --- Philips IntelliVue Data Export ---

def attributes(*pairs):
    body = b"".join(struct.pack(">HH", n, len(value)) + value for n, value in pairs)
    return struct.pack(">HH", len(pairs), len(body)) + body


def label(text):
    text += b"\0" * (2 - len(text) % 2)
    return struct.pack(">H", len(text)) + text


def operation(kind, invoke, command, body):
    inner = struct.pack(">HHH", invoke, command, len(body)) + body
    return struct.pack(">HH", kind, len(inner)) + inner


def data(*args):
    return struct.pack(">HH", 0xE100, 2) + operation(*args)


def event(kind, body, object_class=33):
    return struct.pack(">HHHIHH", object_class, 0, 0, 12345, kind, len(body)) + body


def poll(number, polled):
    body = struct.pack(">HHHH", number, 1, polled, 0)
    return struct.pack(">HHHIHH", 33, 0, 0, 0, 3094, len(body)) + body


def session(kind, presentation, opening=b""):
    def sized(value):
        n = len(value)
        return (struct.pack(">BH", 255, n) if n > 254 else bytes([n])) + value
    return bytes([kind]) + sized(opening + b"\xc1" + sized(presentation))


OPENING = bytes.fromhex("0508130100160102800014020002")
NAMED = bytes.fromhex("3180a0808001010000a280a003000001a4803080020101060452010001308006025101"
                      "000000003080020102060c2a8648ce14020100000001010000") + b"\0" * 200
MONITOR = (2438, struct.pack(">HH", 1, 0x114D))
NETWORK = (61696, bytes.fromhex("0009fb010021") + bytes([10, 10, 1, 33, 255, 255, 0, 0]))
MODEL = (2344, label(b"Philips") + label(b"M8005A"))
BED = (2334, label("ZZPHI bed 12".encode("utf-16-be")))


def intellivue(path):
    wire = Wire(path)
    monitor, station = ("00:09:fb:01:00:21", "10.10.1.33"), CLIENT
    everybody = EVERYBODY
    indication = struct.pack(">HBB", 0, 1, 0) + \
        operation(1, 78, 0, event(3351, attributes(MONITOR, (61697, b"\0\0\0\0"), NETWORK)))
    wire.datagram(monitor, 24105, everybody, 24005, indication)

    def ask(message):
        wire.datagram(station, 50123, monitor, 24105, message)

    def tell(message):
        wire.datagram(monitor, 24105, station, 50123, message)

    created = struct.pack(">HHH", 33, 0, 0) + attributes(MONITOR, MODEL, BED)
    patient = b"".join(struct.pack(">HH", n, 12) + b"ZZPHI^CANARY" for n in (2394, 2396, 2397))
    ask(session(0x0D, NAMED, OPENING))
    tell(session(0x0E, NAMED, OPENING))
    tell(data(1, 1, 1, event(3334, created)))
    ask(data(2, 1, 1, event(3334, b"")))
    for number, polled in enumerate((6, 6, 42, 54), 2):
        ask(data(1, number, 7, poll(number, polled)))
        tell(data(2, number, 7, poll(number, polled) + patient))
    ask(data(1, 9, 5, struct.pack(">HHHIHH", 33, 0, 0, 0, 0, 0)))
    tell(data(3, 9, 15, b"\0\0"))
    ask(session(0x09, bytes.fromhex("6180308002010100a08062808001000000000000000000")))
    tell(session(0x0A, bytes.fromhex("6180308002010100a08063808001000000000000000000")))


# --- ISO/IEEE 11073-20601 ---

def ieee11073(path):
    """A blood pressure meter: association, two measurements, release."""
    stream = Stream(Wire(path), 6464)
    info = bytes.fromhex("800000008000800000000000000000800000") + struct.pack(">H", 8) + \
        bytes.fromhex("002209") + b"ZZPHI" + struct.pack(">HHBBHH", 700, 1, 1, 0, 0, 0)
    protocol = struct.pack(">HH", 0x5079, len(info)) + info
    body = struct.pack(">IHH", 0x80000000, 1, len(protocol)) + protocol
    stream.say(0, struct.pack(">HH", 0xE200, len(body)) + body)
    answer = struct.pack(">H", 0) + protocol
    stream.say(1, struct.pack(">HH", 0xE300, len(answer)) + answer)
    for invoke in (1, 2):
        report = struct.pack(">HHH", invoke, 0x0101, 24) + struct.pack(">HIHH", 0, 0, 0x0D1D, 14) + \
            b"ZZPHI 120/80 \0"
        stream.say(0, struct.pack(">HHH", 0xE700, len(report) + 2, len(report)) + report)
        result = struct.pack(">HHH", invoke, 0x0201, 10) + struct.pack(">HIHH", 0, 0, 0x0D1D, 0)
        stream.say(1, struct.pack(">HHH", 0xE700, len(result) + 2, len(result)) + result)
    stream.say(0, bytes.fromhex("e40000020000"))
    stream.say(1, bytes.fromhex("e50000020000"))
    stream.close()


# --- GE CARESCAPE ---

def carescape(path):
    wire = Wire(path)
    central = ("00:0d:b4:01:00:07", "10.10.1.7")
    node = ("00:0d:b4:01:00:08", "10.10.1.8")
    time_sync = bytearray(64)
    time_sync[6:10] = bytes([10, 10, 1, 7])
    time_sync[24:37] = b"ZZPHI|R12\0\0\0\0"
    struct.pack_into(">I", time_sync, 60, START + 2208988800)
    wire.datagram(central, 2000, EVERYBODY, 2000, bytes(time_sync))
    for number in range(2):  # no layout is public: an address and a name, somewhere
        hello = bytes([0, number, 10, 10, 1, 8]) + b"ZZPHI|BED12\0" + bytes(40)
        wire.datagram(node, 7000, EVERYBODY, 7000, hello)
    wire.datagram(node, 7001, EVERYBODY, 7001, bytes([1, 10, 10, 1, 8]) + b"ZZPHI ASYSTOLE" + bytes(20))


FOLDER = sys.argv[1]
for name, write in {"astm-transmission": astm, "astm-query": astm_query, "astm-bare": astm_bare,
                    "hl7-mindray": mindray, "intellivue-export": intellivue,
                    "carescape-broadcasts": carescape,
                    "ieee11073-agent": ieee11073}.items():
    write(f"{FOLDER}/{name}-sim.pcap")
