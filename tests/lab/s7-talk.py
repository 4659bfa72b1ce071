#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A simulated S7 controller for real clients (nmap, nodes7), and a simulated engineering
station, which has no free program.

usage: s7-talk.py serve HOST PORT       answers both kinds of S7
       s7-talk.py engineer HOST PORT    lists, uploads, downloads, controls, stops
       s7-talk.py plus HOST PORT        S7comm-plus: session, read, write, download
"""
import socket
import socketserver
import struct
import sys

DATA = b"\x02\xf0\x80"
JOB, ACK, ACK_DATA, USERDATA = 1, 2, 3, 7
ORDER = b"6ES7 315-2EH14-0AB0 "
BLOCK = b"\x05_0A00001P"


def tpkt(body):
    return struct.pack(">BxH", 3, len(body) + 4) + body


def pdu(kind, reference, parameters, data=b"", error=None):
    head = struct.pack(">BBHHHH", 0x32, kind, 0, reference, len(parameters), len(data))
    if error is not None:
        head += struct.pack(">H", error)
    return tpkt(DATA + head + parameters + data)


def plus(version, opcode, function, number, body):
    inner = struct.pack(">BHHHH", opcode, 0, function, 0, number) + body
    frame = struct.pack(">BBH", 0x72, version, len(inner)) + inner
    return tpkt(DATA + frame + struct.pack(">BBH", 0x72, version, 0))


def receive(connection):
    """The next TPKT behind its header, or nothing."""
    data = b""
    while len(data) < 4 or len(data) < struct.unpack_from(">H", data, 2)[0]:
        size = struct.unpack_from(">H", data, 2)[0] if len(data) >= 4 else 4
        more = connection.recv(size - len(data))
        if not more:
            return b""
        data += more
    return data[4:]


def padded(text, size):
    return text.ljust(size, b"\0")


def szl(number):
    if number == 0x11:
        records = [struct.pack(">H20sHHH", index, ORDER, 0xC0, a, b)
                   for index, a, b in ((1, 4, 1), (6, 4, 1), (7, 0x5603, 0x0206))]
    else:
        texts = {1: b"ZZPHI-station", 2: b"ZZPHI-module", 3: b"ZZPHI-plant",
                 4: b"Original Siemens Equipment", 5: b"S C-DEMO00000001", 7: b"CPU 315-2 PN/DP"}
        records = [struct.pack(">H", index) + padded(text, 32) for index, text in texts.items()]
    return struct.pack(">HHHH", number, 0, len(records[0]), len(records)) + b"".join(records)


class Controller(socketserver.BaseRequestHandler):
    def handle(self):
        while data := receive(self.request):
            if data[1] == 0xE0:
                references = data[4:6] + b"\x00\x07"
                self.request.sendall(tpkt(data[:1] + b"\xd0" + references + data[6:]))
            elif data[3:4] == b"\x32":
                self.classic(data[3:])
            elif data[3:4] == b"\x72":
                self.plus(data[3:])

    def classic(self, data):
        kind, _, reference, size, rest = struct.unpack_from(">BHHHH", data, 1)
        parameters, payload = data[10:10 + size], data[10 + size:10 + size + rest]
        if kind == USERDATA:
            self.userdata(reference, parameters, payload)
            return
        if kind != JOB:
            return
        answers = {0xF0: (parameters[:6] + b"\x01\xe0", b""),
                   0x04: (parameters[:2],
                          self.items(parameters) if parameters[0] == 0x04 else b""),
                   0x05: (parameters[:2], b"\xff" * parameters[1] if parameters[1:2] else b""),
                   0x1D: (b"\x1d\0\x01\0\0\0\0\x07\x07" + b"0000064", b""),
                   0x1E: (b"\x1e\0", b"\0\x10\0\xfb" + b"ZZPHI-in-a-block")}
        if parameters[0] == 0x29:  # a key switch forbids it
            self.request.sendall(pdu(ACK, reference, b"", error=0x8104))
            return
        answer, extra = answers.get(parameters[0], (parameters[:1], b""))
        self.request.sendall(pdu(ACK_DATA, reference, answer, extra, 0))
        if parameters[0] == 0x1A:  # what is downloaded is fetched
            for number, function in ((900, b"\x1b"), (901, b"\x1c")):
                self.request.sendall(pdu(JOB, number, function + parameters[1:18]))
                receive(self.request)

    @staticmethod
    def items(parameters):
        """Bytes for each item, an even number but for the last."""
        out = b""
        for at in range(2, len(parameters) - 11, 12):
            count = struct.unpack_from(">H", parameters, at + 4)[0]
            size = count * {2: 1, 4: 2, 6: 4, 8: 4}.get(parameters[at + 3], 1)
            out += b"" if len(out) % 2 == 0 else b"\0"
            out += struct.pack(">BBH", 0xFF, 4, 8 * size) + b"Z" * size
        return out

    def userdata(self, reference, parameters, payload):
        group, function = parameters[5] & 0xF, parameters[6]
        head = struct.pack(">BBBBBBBB", 0, 1, 0x12, 8, 0x12, 0x80 | group, function, 1)
        body = b"\x0a\0\0\0"
        if group == 4:
            number = struct.unpack_from(">H", payload, 4)[0]
            found = szl(number & 0xFF)
            body = struct.pack(">BBH", 0xFF, 9, len(found)) + found
        self.request.sendall(pdu(USERDATA, reference, head + b"\0\0\0\0", body))

    def plus(self, data):
        function, _, number = struct.unpack_from(">HHH", data, 7)
        text = b"1;6ES7 214-1HE30-0XB0 ;V2.2"
        bodies = {0x04CA: b"\x36\x11\x02\x87\x22\x87\x29\xa1\0\0\x01\x20\x82\x3f\0\x15" +
                          bytes([len(text)]) + text + b"\xa2\0\0\0\0"}
        self.request.sendall(plus(data[1], 0x32, function, number, bodies.get(function, b"\x34\0")))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def ask(connection, data):
    connection.sendall(data)
    return receive(connection)


def connect(address, called):
    connection = socket.create_connection(address)
    head = b"\xe0\0\0\0\x11\0\xc0\x01\x0a\xc1\x02\x01\0\xc2" + bytes([len(called)]) + called
    ask(connection, tpkt(bytes([len(head)]) + head))
    return connection


def userdata(group, function, body):
    return pdu(USERDATA, 7, bytes([0, 1, 0x12, 4, 0x11, 0x40 | group, function, 0]),
               struct.pack(">BBH", 0xFF, 9, len(body)) + body)


def engineer(address):
    station = connect(address, b"\x01\x02")
    ask(station, pdu(JOB, 1, b"\xf0\0\0\x01\0\x01\x03\xc0"))
    ask(station, userdata(5, 1, b"ZZSECRET"))
    ask(station, userdata(3, 1, b"\0"))
    ask(station, userdata(7, 2, bytes.fromhex("0019260301120000" "0001")))
    ask(station, pdu(JOB, 2, b"\x1d\0\0\0\0\0\0\0\x09" + BLOCK))
    ask(station, pdu(JOB, 3, b"\x1e\0\0\0\0\0\0\x07"))
    ask(station, pdu(JOB, 4, b"\x1f\0\0\0\0\0\0\x07"))
    ask(station, pdu(JOB, 5, b"\x1a\0\x01\0\0\0\0\0\x09" + BLOCK + b"\x0d1000064000052"))
    for number in (6, 7):
        function = struct.unpack_from(">B", receive(station), 13)[0]
        data = b"\0\x10\0\xfb" + b"ZZPHI-in-a-block" if function == 0x1B else b""
        station.sendall(pdu(ACK_DATA, 894 + number, bytes([function, 0]), data, 0))
    ask(station, pdu(JOB, 8, b"\x28\0\0\0\0\0\0\xfd\0\x0a\x01\0" + BLOCK[:1] + b"0A00001P"[:7] +
                     b"\x05_INSE"))
    ask(station, pdu(JOB, 9, b"\x28\0\0\0\0\0\0\xfd\0\0\x09P_PROGRAM"))
    ask(station, pdu(JOB, 10, b"\x29\0\0\0\0\0\x09P_PROGRAM"))
    station.close()


def plus_client(address):
    session = 0x3C0
    client = connect(address, b"SIMATIC-ROOT-ES")
    ask(client, plus(1, 0x31, 0x04CA, 1, struct.pack(">IBI", 0x120, 0x36, 0x11D) + b"\0ZZPHI-pc"))
    for number, (function, target) in enumerate(((0x0542, session), (0x054C, 0), (0x0542, 0),
                                                 (0x04F2, 0x1000006A), (0x04CA, 3)), 2):
        body = struct.pack(">IBI", session, 0x34, target) + b"\x01\x02ZZPHI\0\0\0\0"
        ask(client, plus(2, 0x31, function, number, body))
    client.close()


address = (sys.argv[2], int(sys.argv[3]))
if sys.argv[1] == "serve":
    Server(address, Controller).serve_forever()
{"engineer": engineer, "plus": plus_client}[sys.argv[1]](address)
