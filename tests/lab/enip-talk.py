#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A simulated EtherNet/IP controller for real clients (nmap, st-ethernet-ip), and a client
for what no free program asks.

usage: enip-talk.py serve HOST PORT      TCP and UDP
       enip-talk.py control HOST PORT    reset, start, stop, create, write
       enip-talk.py find HOST PORT       ListIdentity over UDP
       enip-talk.py io HOST PORT         ten packets of cyclic data, and as many back
"""
import socket
import socketserver
import struct
import sys
import threading

HEADER = struct.Struct("<HHII8sI")
REGISTER, UNREGISTER, LIST_IDENTITY, SEND_RR, SEND_UNIT = 0x65, 0x66, 0x63, 0x6F, 0x70
NAME = b"1756-L61/B LOGIX5561"
CONTEXT = b"ZZPHIctx"


def message(command, data=b"", session=0, context=CONTEXT):
    return HEADER.pack(command, len(data), session, 0, context, 0) + data


def identity(host):
    address = struct.pack(">HH4s8x", 2, 44818, socket.inet_aton(host))
    item = struct.pack("<H", 1) + address + struct.pack("<HHHBBHI", 1, 14, 54, 20, 11, 0x60,
                                                        0x006C061A)
    item += bytes([len(NAME)]) + NAME + b"\x03"
    return struct.pack("<HHH", 1, 0x0C, len(item)) + item


def unconnected(cip):
    return struct.pack("<IHHHHHH", 0, 0, 2, 0, 0, 0xB2, len(cip)) + cip


def connected(connection, number, cip):
    return struct.pack("<IHHHHIHHH", 0, 0, 2, 0xA1, 4, connection, 0xB1, len(cip) + 2, number) + cip


def response(cip):
    """What a controller answers to a CIP request."""
    service, words = cip[0], cip[1]
    path, data = cip[2:2 + 2 * words], cip[2 + 2 * words:]
    if path[:2] == b"\x20\x06" and service == 0x52:  # unconnected send
        size = struct.unpack_from("<H", data, 2)[0]
        return response(data[4:4 + size])
    head = bytes([service | 0x80, 0, 0, 0])
    if path[:2] == b"\x20\x06" and service in (0x54, 0x5B):
        return head + struct.pack("<IIHHI", 0x11, *struct.unpack_from("<IHHI", data, 6)) + bytes(10)
    if path[:2] == b"\x20\x06" and service == 0x4E:
        return head + data[2:10] + bytes(2)
    if service == 0x0A:
        count = struct.unpack_from("<H", data)[0]
        offsets = list(struct.unpack_from(f"<{count}H", data, 2)) + [len(data)]
        parts = [response(data[a:b]) for a, b in zip(offsets, offsets[1:])]
        table, at = b"", 2 + 2 * count
        for part in parts:
            table += struct.pack("<H", at)
            at += len(part)
        return head + struct.pack("<H", count) + table + b"".join(parts)
    if service == 0x01 and path[:2] == b"\x20\x01":
        return head + struct.pack("<HHHBBHI", 1, 14, 54, 20, 11, 0x60, 0x006C061A) + \
            bytes([len(NAME)]) + NAME
    if service == 0x4C:
        return head + struct.pack("<Hi", 0xC4, 90210)
    if service == 0x55:
        return head
    if service == 0x10 and path[:2] == b"\x20\xf5":
        return bytes([service | 0x80, 0, 0x0F, 0])  # privilege violation
    return head


def answer(frame, host):
    command, _, session, _, context, _ = HEADER.unpack_from(frame)
    data = frame[HEADER.size:]
    if command == LIST_IDENTITY:
        return message(LIST_IDENTITY, identity(host), 0, context)
    if command == REGISTER:
        return message(REGISTER, data, 0x0B00A1, context)
    if command == SEND_RR:
        return message(SEND_RR, unconnected(response(data[16:])), session, context)
    if command == SEND_UNIT:
        connection, number = struct.unpack_from("<I4xH", data, 12)
        return message(SEND_UNIT, connected(connection, number, response(data[22:])), session,
                       context)
    return b""


def receive(connection):
    data = b""
    while len(data) < HEADER.size or len(data) < HEADER.size + HEADER.unpack_from(data)[1]:
        more = connection.recv(4096)
        if not more:
            return b""
        data += more
    return data


class Stream(socketserver.BaseRequestHandler):
    def handle(self):
        while frame := receive(self.request):
            reply = answer(frame, self.server.server_address[0])
            if not reply:
                return
            self.request.sendall(reply)


class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        data, server = self.request
        reply = answer(data, self.server.server_address[0])
        if reply:
            server.sendto(reply, self.client_address)


def cyclic(number):
    data = struct.pack("<HI", number, 1) + b"ZZPHI" + bytes(3)
    return struct.pack("<HHHIIHH", 2, 0x8002, 8, 0x11, number, 0xB1, len(data)) + data


class Cyclic(socketserver.BaseRequestHandler):
    def handle(self):
        self.request[1].sendto(cyclic(self.request[0][10]), self.client_address)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def ask(connection, data):
    connection.sendall(data)
    return receive(connection)


def control(address):
    client = socket.create_connection(address)
    session = HEADER.unpack_from(ask(client, message(REGISTER, b"\1\0\0\0")))[2]
    own = b"\x02\x20\x01\x24\x01"  # the identity object
    for cip in (b"\x05" + own + b"\0", b"\x07" + own, b"\x06" + own, b"\x0e\x03" + own[1:] + b"\x30\x07",
                b"\x10\x03\x20\xf5\x24\x01\x30\x06" + b"ZZPHI-host", b"\x08\x01\x20\x6b" + b"ZZPHI",
                b"\x4b\x02\x20\x67\x24\x01" + b"\x07\x4d\0\1\2\3\4\x0f\0\1\0\xa2\2\7\x89\0\0",
                b"\x52\x02\x20\x06\x24\x01\x07\xe9\x06\0" + b"\x01\x02\x20\xac\x24\x01" +
                b"\x01\0\x01\x00"):
        ask(client, message(SEND_RR, unconnected(cip), session))
    client.sendall(message(UNREGISTER, b"", session))
    client.close()


def find(address):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(2)
    client.sendto(message(LIST_IDENTITY), address)
    client.recv(4096)


def io(address):
    """To the other side's port 2222 from our own, as devices do."""
    ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ours.bind(("", address[1]))
    for number in range(10):
        ours.sendto(cyclic(number), address)
        ours.recv(4096)


address = (sys.argv[2], int(sys.argv[3]))
if sys.argv[1] == "serve":
    for port, handler in ((address[1], Datagram), (2222, Cyclic)):
        datagrams = socketserver.ThreadingUDPServer((address[0], port), handler)
        threading.Thread(target=datagrams.serve_forever, daemon=True).start()
    Server(address, Stream).serve_forever()
{"control": control, "find": find, "io": io}[sys.argv[1]](address)
