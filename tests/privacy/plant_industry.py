# SPDX-License-Identifier: Apache-2.0
"""Plants fresh canaries into controllers' conversations: values, tags, names of plants and
stations, passwords, users, node ids and certificates of S7, EtherNet/IP and OPC UA."""
from plant import DATAGRAMS, STREAM, Row, b8, b16, l16, l32, named, sized


def talk(*said):
    return [(at % 2 == 0, data) for at, data in enumerate(said)]


# --- S7 ---

def tpkt(body, more=0):
    return b"\3\0" + b16(4 + len(body) + more) + body


def s7(kind, reference, parameters, data=b"", error=b"", more=0):
    return tpkt(b"\x02\xf0\x80\x32" + b8(kind) + b16(0, reference, len(parameters), len(data) +
        more) + error + parameters + data)


def read_list(p, ident, *records):
    size = len(records[0])
    data = b"\xff\x09" + sized(b16, b16(ident, 0, size, len(records)) + b"".join(records))
    return s7(7, 9, b"\0\1\x12\x08\x12\x84\1\1\0\0\0\0", data)


def module(index, order, version=b"V\3\2\6"):
    return b16(index) + (order + b" " * 20)[:20] + b16(0xc0) + version


def s7_talk(p):
    connect = tpkt(b"\x11\xe0\0\0\0\1\0\xc1\2\1\0\xc2\2\1\2\xc0\1\x0a")
    confirm = tpkt(b"\x11\xd0\0\1\0\2\0\xc1\2\1\0\xc2\2\1\2\xc0\1\x0a")
    setup, ready = s7(1, 1, b"\xf0\0\0\1\0\1\1\xe0"), s7(3, 1, b"\xf0\0\0\1\0\1\1\xe0",
        error=b"\0\0")
    yield talk(tpkt(sized(b8, b"\xe0\0\0\0\1\0\xc1" + sized(b8, p.fresh()) + b"\xc2" +
        sized(b8, p.fresh()) + b"\xc0\1\x0a")), confirm, setup, ready)
    item = b"\x12\x0a\x10\2\0\x0c\0\1\x84\0\0\0"
    for more in (0, 7, -3):
        yield talk(connect, confirm, setup, ready, s7(1, 2, b"\4\1" + item),
            s7(3, 2, b"\4\1", b"\xff\4" + b16(96) + p.fresh(), b"\0\0", more),
            s7(1, 3, b"\5\1" + item, b"\0\4" + b16(96) + p.fresh()),
            s7(3, 3, b"\5\1", b"\xff", b"\0\0"),
            s7(1, 4, b"\x1a\0\1\0\0\0\0\0" + sized(b8, b"_" + p.fresh()) + sized(b8, p.fresh())),
            s7(3, 4, b"\x1a", p.fresh(), b"\0\0"), s7(1, 5, b"\x28" + bytes(6) + b"\xfd" + b16(0) +
            sized(b8, p.fresh())), s7(3, 5, b"\x28", b"", b"\0\0"),
            s7(1, 6, b"\x29" + bytes(5) + sized(b8, p.fresh())),
            s7(3, 6, b"\x29", p.fresh(), b"\x81\4", more),
            s7(7, 7, b"\0\1\x12\4\x11\x45\1\0", b"\xff\x09" + sized(b16, p.fresh()[:8])),
            s7(7, 8, b"\0\1\x12\x08\x12\x85\1\0\0\0\0\0", p.fresh()),
            s7(7, 9, b"\0\1\x12\4\x11\x47\2\0", b"\xff\x09" + sized(b16, p.fresh())), p.fresh())
    wide = lambda index, value: b16(index) + (value + bytes(32))[:32]  # noqa: E731
    names = [wide(n, p.fresh()) for n in (1, 2, 3, 4, 6, 8, 9, 10, 11)]
    for records in ((0x1c, names), (0x1c, [wide(5, p.odd()), wide(7, p.odd())]),
            (0x11, [module(1, p.fresh()), module(7, p.fresh(), b"V" + p.fresh()[:3])]),
            (0x11, [module(6, p.fresh()), module(1, b"6ES7 " + p.odd())]),
            (0x132, [p.fresh() * 3]), (0x232, [p.fresh()]), (0x1c, [p.fresh()])):
        request = s7(7, 9, b"\0\1\x12\4\x11\x44\1\0", b"\xff\x09\0\4" + b16(records[0], 1))
        whole = read_list(p, records[0], *records[1])
        yield talk(connect, confirm, setup, ready, request, whole)
        yield talk(connect, confirm, setup, ready, request, whole[:-20] + b"*" + p.fresh(),
            request, whole + p.fresh())
    # noqa: E731
    plus = lambda body: tpkt(b"\x02\xf0\x80\x72\1" + b16(len(body)) + body + b"\x72\1\0\0")
    yield talk(connect, confirm, plus(b"\x31\0\0\4\xca\0\0\0\1\0\0\1\x20\x36" + p.fresh() * 4),
        plus(b"\x32\0\0\4\xca\0\0\0\1" + p.fresh() * 6),
        plus(b"\x31\0\0\5\x42\0\0\0\2" + sized(b8, p.fresh()) + p.wide()),
        tpkt(b"\x02\xf0\x80\x72\3" + p.fresh() * 5))


# --- EtherNet/IP and CIP ---

def enip(command, body, session=7, status=0, context=b"12345678", more=0):
    return l16(command, len(body) + more) + l32(session, status) + context + l32(0) + body


def common(*items):
    return l32(0) + l16(0, len(items)) + b"".join(l16(kind) + sized(l16, data) for kind,
        data in items)


def symbol(text):
    return b"\x91" + sized(b8, text) + (b"\0" if len(text) % 2 else b"")


def cip(service, path, data):
    return b8(service, len(path) // 2) + path + data


def identity(p, name):
    return l16(1) + b16(2, 44818) + b"\x0a\x0a\1\x14" + bytes(8) + l16(1, 14,
        54) + b"\x14\x0b" + l16(0x60) + l32(0x6c061a) + sized(b8, name) + b"\3"


def enip_talk(p):
    context = p.fresh()[:8]
    register = enip(0x65, l16(1, 0), 0), enip(0x65, l16(1, 0))
    for name in (p.odd(), p.fresh() * 4, b"1756-L61\0" + p.fresh()):
        yield talk(enip(0x63, b"", 0, context=context),
            enip(0x63, l16(1, 12) + sized(l16, identity(p, name)), 0, context=context),
            enip(4, b"", 0),
            enip(4, l16(1, 0x100) + sized(l16, l16(1, 0x20) + (p.fresh() + bytes(16))[:16]), 0))
    for more in (0, 5, -5):
        for service, path, data in ((0x4c, symbol(p.fresh()) + symbol(p.fresh()), l16(1)),
                (0x4d, symbol(p.fresh()), l16(0xc4, 3) + p.fresh()),
                (0x0e, b"\x20\1\x24\1\x30\7", b""), (0x10, b"\x20\x6b\x25\0\1\0", p.fresh()),
                (0x52, b"\x20\6\x24\1", b"\5\x9d" +
                sized(l16, cip(0x4c, symbol(p.fresh()), l16(1))) + b"\1\0\1\0"),
                (0x0a, b"\x20\2\x24\1", l16(1, 4) + p.fresh()),
                (0x55, b"\x20\x6b\x24\0", l16(1, 1)),
                (0x4b, b"\x20\x67\x24\1", sized(b8, p.fresh()) + p.fresh()),
                (0x54, b"\x20\6\x24\1", p.fresh() * 3), (5, b"\x20\1\x24\1", p.fresh()),
                (7, b"\x20\1\x24\1", b"")):
            asked, told = cip(service, path, data), b8(service | 0x80, 0, 0,
                0) + l16(0xc3) + sized(b8, p.fresh()) + p.fresh()
            yield talk(*register, enip(0x6f, common((0, b""), (0xb2, asked)), context=context,
                more=more), enip(0x6f, common((0, b""), (0xb2, told)), context=context, more=more),
                enip(0x70, common((0xa1, l32(1)), (0xb1, l16(1) + asked))),
                enip(0x70, common((0xa1, l32(1)), (0xb1, l16(1) + told))),
                enip(0x6f, common((0, b""), (0xb2, asked), (0x8000, p.fresh()))), enip(0x66, b""))


def enip_datagrams(p):
    for name in (p.odd(), p.fresh() * 4):
        yield talk(enip(0x63, b"", 0, context=p.fresh()[:8]),
            enip(0x63, l16(1, 12) + sized(l16, identity(p, name)), 0))
    yield talk(l16(2, 0x8002) + sized(l16, l32(1, 2)) + l16(0xb1) +
        sized(l16, l16(1) + p.fresh() * 2))


# --- OPC UA ---

NONE = b"http://opcfoundation.org/UA/SecurityPolicy#None"


def chunk(kind, body, more=0):
    return kind + b"F" + l32(len(body) + 8 + more) + body


def string(text):
    return l32(len(text)) + text


def node(number):
    return b"\1\0" + l16(number)


def request_header(p):
    return node(0)[:1] + b"\0" + l16(1) + bytes(8) + l32(1, 0) + string(p.fresh()) + l32(
        15000) + b"\0\0\0"


def answer_header(p, status=0):
    return bytes(8) + l32(1, status) + b"\0" + l32(1) + string(p.fresh()) + b"\0\0\0"


def thing(number, body):
    return node(number) + b"\1" + string(body)


def localized(p):
    return b"\3" + string(p.fresh()) + string(p.fresh())


def services(p):
    """(type, body behind the header of a request)."""
    application = string(b"urn:" + p.fresh()) + string(p.fresh()) + localized(p) + l32(1) + string(
        p.fresh()) + string(p.fresh()) + l32(1) + string(b"opc.tcp://" + p.fresh())
    yield 428, string(b"opc.tcp://pacs:4840/" + p.fresh()) + l32(1) + string(p.fresh()) + l32(0)
    yield 461, application + string(p.fresh()) + string(b"opc.tcp://pacs:4840/" +
        p.fresh()) + string(p.fresh()) + string(p.fresh() * 3) + string(p.fresh() * 8)
    for token in (thing(321, string(p.fresh())), thing(324, string(p.fresh()) + string(p.fresh()) +
            string(p.fresh()) + string(b"")),
            thing(327, string(p.fresh()) + string(p.fresh() * 9)),
            thing(940, string(p.fresh()) + string(p.fresh() * 4)), thing(999, p.fresh())):
        yield 467, string(p.fresh()) + string(p.fresh()) + l32(0) + l32(1) + string(
            p.fresh()) + token + string(p.fresh()) + string(p.fresh())
    named_node = b"\3" + l16(2) + string(p.fresh())
    yield 527, b"\0\0" + bytes(12) + l32(10, 1) + named_node + l32(0) + b"\0\0" + b"\1" + l32(0, 63)
    yield 631, bytes(8) + l32(0, 1) + named_node + l32(13) + string(p.fresh()) + l16(0) + string(
        p.fresh())
    yield 673, l32(1) + named_node + l32(13) + string(b"") + b"\1\x0c" + string(p.fresh())
    yield 712, l32(1) + named_node + b"\3" + l16(2) + string(p.fresh()) + l32(
        1) + b"\x0c" + string(p.fresh())
    yield 700, l32(1) + thing(482, p.fresh() * 3)
    yield 488, l32(1) + named_node + b"\0\x2f" + named_node + l16(2) + string(p.fresh())
    yield 554, l32(1) + named_node + l32(1) + string(p.fresh())
    yield 999, p.fresh() * 4


def opcua(p):
    for more in (0, 4, -4):
        for kind, body in services(p):
            for url in (b"opc.tcp://pacs.example:4840/" + p.fresh(), b"opc.tcp://" + p.fresh() +
                    b"@x/", p.odd(), b"opc.tcp://pacs:" + p.fresh(), b"http://" + p.fresh() +
                    b" " + p.fresh()):
                hel = chunk(b"HEL", l32(0, 65536, 65536, 0, 0) + string(url))
                ack = chunk(b"ACK", l32(0, 65536, 65536, 0, 0))
                policy = p.random.choice((NONE, NONE, p.fresh(), NONE[:41] + p.fresh()))
                opn = chunk(b"OPN", l32(0) + string(policy) + string(p.fresh() * 9) +
                    string(p.fresh()) + l32(1, 1) + node(446) + request_header(p) + l32(0, 0, 1) +
                    string(p.fresh()) + l32(600000))
                opened = chunk(b"OPN", l32(1) + string(policy) + string(p.fresh() * 9) +
                    string(p.fresh()) + l32(1, 1) + node(449) + answer_header(p) + l32(0, 1, 1) +
                    bytes(8) + l32(600000) + string(p.fresh()))
                asked = chunk(b"MSG", l32(1, 1, 2, 2) + node(kind) + request_header(p) + body, more)
                told = chunk(b"MSG", l32(1, 1, 2, 2) + node(kind + 3) +
                    answer_header(p, p.random.choice((0, 0x80210000))) + p.fresh() * 3)
                fault = chunk(b"ERR", l32(0x80010000) + string(p.fresh()))
                yield talk(hel, ack, opn, opened, asked, told,
                    chunk(b"MSG", l32(1, 1, 3, 3) + node(397) + answer_header(p, 0x80340000)),
                    fault)
    yield talk(chunk(b"RHE", string(p.fresh()) + string(b"opc.tcp://" + p.fresh() + b"/")),
        chunk(b"ERR", l32(1) + string(p.odd())))


ROWS = [
    Row("s7", STREAM, (102, 1102), named({"S7": s7_talk}), 15),
    Row("enip", STREAM, (44818, 24818), named({"EtherNet/IP": enip_talk}), 20),
    Row("enip", DATAGRAMS, (44818, 2222), named({"EtherNet/IP, UDP": enip_datagrams}), 1),
    Row("opcua", STREAM, (4840, 48400), named({"OPC UA": opcua}), 50),
]
