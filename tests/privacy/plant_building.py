# SPDX-License-Identifier: Apache-2.0
"""Plants fresh canaries into building automation: object names, values and passwords of
BACnet, registers of Modbus, values and names of KNX, hosts, stations and users of Fox."""
from plant import DATAGRAMS, LINK, STREAM, Row, b8, b16, b32, named, sized


def talk(*said):
    return [(at % 2 == 0, data) for at, data in enumerate(said)]


# --- BACnet ---

def tagged(number, data, context=False):
    """A value: application tag, or context tag."""
    head = number << 4 | (8 if context else 0)
    if len(data) < 5:
        return b8(head | len(data)) + data
    return b8(head | 5) + sized(b8, data)


def text(p, value=None):
    """A character string, of either alphabet."""
    return tagged(7,
        p.random.choice((b"\0" + (value or p.fresh()), b"\4" +
        p.fresh().decode().encode("utf-16-be"))))


def bvlc(function, npdu):
    return b8(0x81, function) + sized(b16, npdu, 4)


def device(instance=1234):
    return b32(8 << 22 | instance)


def bacnet_apdus(p):
    """(from the client?, APDU)."""
    yield True, b"\x10\x08" + tagged(0, b"\1", True) + tagged(1, b"\2", True)
    yield False, b"\x10\x00" + tagged(12, device()) + tagged(2, b"\5\xc4") + tagged(9,
        b"\0") + tagged(2, b"\7")
    yield False, b"\x10\x01" + tagged(12, device()) + tagged(12, device(5)) + text(p)
    yield True, b"\x10\x07" + tagged(3, b"\0" + p.fresh(), True)
    yield False, b"\x10\x00" + tagged(12, p.fresh()[:4]) + tagged(2, p.fresh()) + tagged(9,
        p.fresh()) + tagged(2, p.fresh()[:2])
    for prop in (77, 28, 70, 121, 120, 12, 44, 85, 58):
        yield True, b"\2\4\1\x0c" + tagged(0, device(), True) + tagged(1, b8(prop), True)
        yield False, b"\x30\1\x0c" + tagged(0, device(), True) + tagged(1, b8(prop),
            True) + b"\x3e" + text(p) + text(p) + b"\x3f"
        yield True, b"\0\4\2\x0f" + tagged(0, device(), True) + tagged(1, b8(prop),
            True) + b"\x3e" + text(p) + b"\x3f" + tagged(4, b"\1", True)
    yield True, b"\0\4\3\x14" + tagged(0, b"\0", True) + tagged(1, b"\0" + p.fresh(), True)
    yield True, b"\0\4\4\x11" + tagged(0, b"\5", True) + tagged(1, b"\1", True) + tagged(2, b"\0" +
        p.fresh(), True)
    yield True, b"\0\4\5\x06" + tagged(12, device()) + b"\x0e" + tagged(3, b"\1") + tagged(2,
        b"\x10") + b"\x0f"
    yield True, b"\0\4\6\x07" + tagged(12, device()) + b"\x0e" + tagged(3, b"\1") + tagged(6,
        p.fresh()) + b"\x0f"
    yield True, b"\0\4\7\x12" + tagged(0, b"\1", True) + tagged(1, b"\2", True) + b"\x2e" + text(
        p) + tagged(6, p.fresh()) + b"\x2f"
    yield True, b"\0\4\x08\x13" + tagged(1, device(), True) + tagged(3, b"\0" + p.fresh(), True)
    yield True, b"\x10\x02" + tagged(0, b"\1", True) + tagged(1, device(), True) + b"\x4e" + text(
        p) + b"\x4f"
    yield True, b"\x10\x04" + tagged(0, b"\1", True) + tagged(1, b"\2", True) + b"\x2e" + tagged(6,
        p.fresh()) + b"\x2f"
    yield True, b"\0\4\x09" + p.fresh()
    yield False, b"\x50\x09\x0f" + tagged(9, b"\2") + tagged(9, b"\x1f") + p.fresh()
    yield False, b"\x60\x0a\x04" + p.fresh()
    yield False, b"\x3c\1\1\4\x0e" + p.fresh() * 4


def bacnet(p):
    for npdu in (b"\1\4", b"\1\0", b"\1\x28" + b16(5) + sized(b8, p.fresh()[:6]) + b16(6) +
            sized(b8, p.fresh()[:6]) + b"\xff"):
        for forth, apdu in bacnet_apdus(p):
            whole = bvlc(0x0a, npdu + apdu)
            yield [(forth, whole), (True, bvlc(0x0b, npdu + apdu)),
                (True, bvlc(4, p.fresh()[:6] + npdu + apdu))]
            yield [(forth, whole[:-p.random.randrange(1, 9)]), (True, whole + p.fresh()),
                (True, b"\x81\x0a" + b16(len(whole) + 3) + whole[4:])]
    for function in (0, 1, 2, 3, 5, 6, 7, 8, 12):
        yield [(True, bvlc(function, p.fresh()))]
    yield [(True, bvlc(0x0a, b"\1\x80\0" + p.fresh())), (True, b"\x82" + bvlc(1, p.fresh())[1:])]


def bacnet_frames(p):
    for _, apdu in bacnet_apdus(p):
        yield sized(b16, b"\x82\x82\x03\1\0" + apdu)


# --- Modbus ---

def adu(ident, unit, body, more=0):
    return b16(ident, 0, len(body) + 1 + more) + b8(unit) + body


def modbus_pairs(p):
    registers = p.fresh()
    for function, asked, told in ((3, b16(10, 6), sized(b8, registers)),
            (4, b16(10, 6), sized(b8, p.fresh())), (1, b16(0, 96), sized(b8, p.fresh())),
            (2, b16(0, 96), sized(b8, p.fresh())),
            (16, b16(40, 6) + sized(b8, p.fresh()), b16(40, 6)),
            (6, b16(7) + p.fresh()[:2], b16(7) + p.fresh()[:2]),
            (15, b16(0, 96) + sized(b8, p.fresh()), b16(0, 96)),
            (23, b16(1, 6, 2, 6) + sized(b8, p.fresh()), sized(b8, p.fresh())),
            (17, b"", sized(b8, p.fresh() + b"\xff" + p.fresh())),
            (8, b16(0) + p.fresh(), b16(0) + p.fresh()),
            (20, sized(b8, b"\6" + b16(1, 1, 6)), sized(b8, sized(b8, b"\6" + p.fresh()))),
            (21, sized(b8, b"\6" + b16(1, 1, 6) + p.fresh()),
            sized(b8, b"\6" + b16(1, 1, 6) + p.fresh())), (24, b16(5), b16(14, 6) + p.fresh()),
            (90, p.fresh(), p.fresh()), (0x64, p.fresh(), p.fresh()),
            (22, b16(4) + p.fresh()[:4], p.fresh()[:6])):
        yield b8(function) + asked, b8(function) + told
        yield b8(function) + asked, b8(function | 0x80) + p.fresh()
    for objects in ([(3, p.fresh()), (6, p.fresh())], [(0x80, p.fresh()), (0xff, p.odd())],
            [(0, p.odd()), (1, p.odd()), (2, p.odd())],
            [(0, p.fresh() * 6), (4, p.odd()), (5, p.odd())]):
        yield b"\x2b\x0e\1\0", b"\x2b\x0e\1\1\0\0" + b8(len(objects)) + b"".join(b8(n) +
            sized(b8, value) for n, value in objects)
    yield b"\x2b\x0d" + p.fresh(), b"\x2b\x0d" + p.fresh()


def modbus(p):
    for asked, told in modbus_pairs(p):
        yield talk(adu(1, 1, asked), adu(1, 1, told), adu(2, 1, asked) + adu(3, 1, asked),
            adu(2, 1, told) + adu(3, 1, told))
        yield talk(adu(1, 1, asked), adu(1, 1, told, 4) + p.fresh(), adu(2, 1, asked, -1),
            p.fresh())


# --- KNXnet/IP ---

def knx(service, body, more=0):
    return b"\x06\x10" + b16(service, len(body) + 6 + more) + body


def knx_device(p, name):
    info = b"\x36\x01\x02\0\x11\x01\0\0\0\xc5\x01\x02\x03\x04\xe0\0\x17\x0c\0\x0e\x8c\0\1\2" + (
        name + bytes(30))[:30]
    return info + b"\x08\x02\x02\1\3\1\4\1" + b"\x0e\xfe" + p.fresh()


def knxnetip(p):
    here = b"\x08\x01\x0a\x0a\1\5\xb7\x44"
    frame = b"\x11\0\xbc\xe0\x11\x01\x08\x01"
    for name in (p.fresh(), p.odd(), p.fresh() + b"\xfc" + p.fresh()):
        yield talk(knx(0x201, here), knx(0x202, here + knx_device(p, name)), knx(0x203, here),
            knx(0x204, knx_device(p, name)))
        yield talk(knx(0x203, here), knx(0x204, knx_device(p, name)[:-5]),
            knx(0x20b, here + p.fresh()), knx(0x20c, here + knx_device(p, name)))
        apdu = b"\x0d\0\x80" + p.fresh()
        yield talk(knx(0x205, here + here + b"\4\4\2\0"),
            knx(0x206, b"\1\0" + here + b"\4\4\x11\5"), knx(0x420, b"\4\1\0\0" + frame + apdu),
            knx(0x421, b"\4\1\0\0"), knx(0x420, b"\4\1\1\0" + b"\xf6\0\x0b\1\x10" + p.fresh() * 2),
            knx(0x310, b"\4\1\0\0\xfc" + p.fresh()))
        yield talk(knx(0x530, b"\x29\0\xbc\xe0\x11\x01\x08\x01" + apdu),
            knx(0x530, b"\x29" + sized(b8, p.fresh()) + b"\xbc\xe0" + p.fresh()),
            knx(0x950, p.fresh() * 3), knx(0x531, p.fresh()), knx(0x201, p.fresh(), 3),
            knx(0x999, p.fresh()))


# --- Niagara Fox ---

def hello(p, side, pairs):
    return b"fox a %d -1 fox hello\n{\n" % side + b"".join(key + b"=" + value + b"\n" for key,
        value in pairs) + b"};;\n"


def fox_pairs(p, plain=True):
    word = (lambda known: known) if plain else (lambda known: p.fresh() + b"*" + p.fresh())
    return [(b"fox.version", b"s:" + word(b"1.0.1")), (b"id", b"i:1"),
        (b"hostName", b"s:" + p.fresh()), (b"hostAddress", b"s:" + p.fresh()),
        (b"app.name", b"s:" + word(b"Station")), (b"app.version", b"s:" + word(b"4.10.0.154")),
        (b"vm.name", b"s:" + word(b"Java HotSpot")), (b"vm.version", b"s:" + word(b"25.131")),
        (b"os.name", b"s:" + word(b"QNX")), (b"os.version", b"s:" + word(b"6.5.0")),
        (b"station.name", b"s:" + p.fresh()), (b"lang", b"s:" + p.fresh()),
        (b"timeZone", b"s:" + p.fresh()), (b"hostId", b"s:" + p.fresh()),
        (b"vmUuid", b"s:" + p.fresh()), (b"brandId", b"s:" + word(b"vykon")),
        (b"sysInfo", b"o:" + p.fresh()), (b"userName", b"s:" + p.fresh()),
        (b"authAgentTypeSpecs", b"s:" + word(b"fox:FoxDigestMd5")), (p.fresh(), b"s:" + p.fresh()),
        (b"nonce", b"s:" + p.fresh())]


def fox(p):
    for plain in (True, False):
        for _ in range(2):
            client, server = hello(p, 1, fox_pairs(p, plain)), hello(p, 0, fox_pairs(p, plain))
            more = b"fox a 1 0 fox authenticate\n{\nuserName=s:" + p.fresh() + \
                b"\npassword=s:" + p.fresh() + b"\n};;\n"
            yield talk(client, server, more, b"fox a 0 0 fox rejected\n{\nreason=s:" + p.fresh() +
                b"\n};;\n", p.fresh())
            yield talk(client.replace(b"\n};;", b"\n" + p.fresh() + b"};;"), server[:-30], more)
            yield talk(client.replace(b"=s:", b"="), server.replace(b"s:", p.fresh() + b":"))
            yield talk(client.replace(b"hello\n{", b"hello\n{" + p.fresh()),
                server.replace(b"{\n", b"{\n" + b"a=s:" + b"x" * 3000 + p.fresh() + b"\n"))


ROWS = [
    Row("bacnet", DATAGRAMS, (47808, 47809), named({"BACnet": bacnet}), 40),
    Row("bacnet", LINK, (), named({"BACnet on Ethernet": bacnet_frames}), 1),
    Row("modbus", STREAM, (502, 1502), named({"Modbus": modbus}), 15),
    Row("knxnetip", DATAGRAMS, (3671, 13671), named({"KNXnet/IP": knxnetip}), 6),
    Row("fox", STREAM, (1911, 4911), named({"Fox": fox}), 8),
]
