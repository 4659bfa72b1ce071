#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a capture of a QUIC client's first flight that fills two datagrams, from RFC 9000,
9001 and 9369: the ClientHello carries a key share of 1,216 bytes, as those of browsers that
use X25519MLKEM768, in CRYPTO frames out of order. A stub of the server's answer follows.

usage: quic-hello.py 1|2 OUT.pcap      the version of QUIC
"""
import hashlib
import hmac
import struct
import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SALTS = {1: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a", 2: "0dede3def700a6db819381be6e269dcbf9bd2ed9"}
NUMBERS = {1: 0x00000001, 2: 0x6B3343CF}
CLIENT, SERVER = (bytes([10, 10, 1, 5]), 50000), (bytes([10, 10, 1, 20]), 443)
ID = bytes.fromhex("c0ffee0000000001")
SERVER_ID = bytes.fromhex("5e00000000000002")
SIZE = 1200  # of a datagram with an Initial
START = 1772366400  # 2026-03-01 12:00:00 UTC


def label(secret, name, length):
    name = b"tls13 " + name
    info = struct.pack(">HB", length, len(name)) + name + b"\0\1"
    return hmac.new(secret, info, hashlib.sha256).digest()[:length]


def keys(version):
    initial = hmac.new(bytes.fromhex(SALTS[version]), ID, hashlib.sha256).digest()
    client = label(initial, b"client in", 32)
    start = b"quicv2 " if version == 2 else b"quic "
    return [label(client, start + name, n) for name, n in ((b"key", 16), (b"iv", 12), (b"hp", 16))]


def header(version, kind, to, of):
    if version == 2:
        kind = (kind + 1) & 3
    return (bytes([0xC3 | kind << 4]) + struct.pack(">I", NUMBERS[version]) + bytes([len(to)]) + to +
            bytes([len(of)]) + of)


def initial(version, number, frames):
    key, iv, hp = keys(version)
    head = header(version, 0, ID, b"\x11\x22\x33\x44") + b"\0"
    length = SIZE - len(head) - 2
    head += struct.pack(">H", 0x4000 | length) + struct.pack(">I", number)
    frames += bytes(length - 4 - 16 - len(frames))
    nonce = iv[:8] + bytes(a ^ b for a, b in zip(iv[8:], struct.pack(">I", number)))
    sealed = AESGCM(key).encrypt(nonce, frames, head)
    mask = Cipher(algorithms.AES(hp), modes.ECB()).encryptor().update(sealed[:16])
    first = head[0] ^ mask[0] & 0x0F
    return bytes([first]) + head[1:-4] + bytes(a ^ b for a, b in zip(head[-4:], mask[1:])) + sealed


def extension(kind, value):
    return struct.pack(">HH", kind, len(value)) + value


def client_hello():
    name = b"images.chu-demo.example"
    share = struct.pack(">HH", 0x11EC, 1216) + b"\x5a" * 1216 + struct.pack(">HH", 29, 32) + b"\x5b" * 32
    extensions = b"".join([
        extension(0, struct.pack(">HBH", len(name) + 3, 0, len(name)) + name),
        extension(10, struct.pack(">HHHH", 6, 0x11EC, 29, 23)),
        extension(13, struct.pack(">HHHH", 6, 0x0403, 0x0804, 0x0401)),
        extension(16, b"\0\3\2h3"),
        extension(43, b"\2\3\4"),
        extension(45, b"\1\1"),
        extension(51, struct.pack(">H", len(share)) + share),
        extension(57, b"\x0f\4\x11\x22\x33\x44"),
        extension(0xFE0D, bytes(100)),
    ])
    body = (b"\3\3" + b"\x33" * 32 + b"\0" + struct.pack(">HHHH", 6, 0x1301, 0x1302, 0x1303) + b"\1\0" +
            struct.pack(">H", len(extensions)) + extensions)
    return b"\1" + struct.pack(">I", len(body))[1:] + body


def crypto(hello, start, end):
    return b"\6" + struct.pack(">HH", 0x4000 | start, 0x4000 | end - start) + hello[start:end]


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def frame(source, target, payload):
    macs = bytes.fromhex("020000100020"), bytes.fromhex("00095c010005")
    ether = b"".join(macs if source is CLIENT else macs[::-1]) + b"\x08\x00"
    udp = struct.pack(">HHHH", source[1], target[1], 8 + len(payload), 0)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 28 + len(payload), 0, 0x4000, 64, 17, 0) + source[0] + target[0]
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    return ether + ip + udp + payload


def main():
    version, out = int(sys.argv[1]), sys.argv[2]
    hello = client_hello()
    end = len(hello)
    packets = [
        frame(CLIENT, SERVER, initial(version, 0, b"\1" + crypto(hello, 700, end - 400) + b"\0\0" +
                                      crypto(hello, 0, 50))),
        frame(CLIENT, SERVER, initial(version, 1, crypto(hello, end - 400, end) +
                                      crypto(hello, 50, 700))),
        frame(SERVER, CLIENT, header(version, 2, b"\x11\x22\x33\x44", SERVER_ID) +
              struct.pack(">H", 0x4000 | 1000) + b"\xa7" * 1000),
    ]
    with open(out, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i, packet in enumerate(packets):
            file.write(struct.pack("<IIII", START, 1000 * i, len(packet), len(packet)) + packet)


if __name__ == "__main__":
    main()
