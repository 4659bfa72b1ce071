# SPDX-License-Identifier: Apache-2.0
"""Plants fresh canaries into conversations of analyzers and monitors, written anew:
whatever ASTM, IntelliVue, CARESCAPE and IEEE 11073 carry that may not leave."""
import struct

from plant import DATAGRAMS, STREAM, Row, once
from wire import SENDER

# --- ASTM: each variant is [(from the client?, bytes), ...] ---

KINDS = (b"P", b"O", b"R", b"C", b"Q", b"M", b"S", b"L", b"Z", b"ZP")


def header(p, sender=b"Analyzer X"):
    """H-1 to H-14, H-2 being behind the first delimiter."""
    return [b"H", b"\\^&", p.fresh(), p.fresh(), sender + b"^" + p.fresh(), p.fresh(), p.fresh(),
            p.fresh(), p.fresh(), p.fresh(), p.fresh(), b"P", b"LIS2-A2", p.fresh()]


def records(p):
    return [b"|".join([kind] + [p.fresh() for _ in range(12)]) for kind in KINDS]


def frame(number, text, end=b"\x03", add=0):
    body = b"%d" % (number % 8) + text + end
    return b"\x02" + body + b"%02X\r\n" % ((sum(body) + add) % 256)


def framed(lines, size=None, add=0):
    text = b"".join(line + b"\r" for line in lines)
    parts = [text[at:at + size] for at in range(0, len(text), size)] if size else \
        [line + b"\r" for line in lines]
    return b"\x05" + b"".join(
        frame(number, part, b"\x17" if size and number < len(parts) else b"\x03", add)
        for number, part in enumerate(parts, 1)) + b"\x04"


def astm_headers(p):
    plain = header(p)
    yield "plain", plain
    for by in (1, 2, 3):
        yield f"{by} fields more", plain[:2] + [p.fresh() for _ in range(by)] + plain[2:]
        yield f"{by} fields less", plain[:2] + plain[2 + by:]
    for name, change in (("processing", {11: p.fresh()}), ("version", {12: p.fresh()}),
            ("nothing behind", {}), ("odd sender", {4: p.fresh() + b"\xc3\xa9"}),
            ("long sender", {4: p.fresh() * 5}), ("no component", {4: b"*" + p.fresh()})):
        fields = [change.get(n, field) for n, field in enumerate(plain)]
        yield name, fields[:5] if name == "nothing behind" else fields


def astm_variants(p):
    for name, fields in astm_headers(p):
        p.place = f"ASTM, {name}"
        lines = [b"|".join(fields)] + records(p)
        yield [(True, framed(lines)), (False, b"\x06\x15")]
        yield [(True, framed(lines, size=50))]
        yield [(True, b"\x02" + b"".join(line + b"\r" for line in lines) + b"\x03")]
        yield [(True, framed(lines, add=1) + framed(lines, size=240))]
    p.place = "ASTM, other delimiters"
    table = bytes.maketrans(b"|\\^&", b"!@#$")
    yield [(True, framed([line.translate(table) for line in [b"|".join(header(p))] + records(p)]))]
    p.place = "ASTM, an order from the system"
    yield [(True, b"\x05"), (False, framed([b"|".join(header(p))] + records(p)))]


# --- ISO/IEEE 11073-20601 ---

def apdu(kind, body):
    return struct.pack(">HH", kind, len(body)) + body


def ieee11073_variants(p):
    p.place = "IEEE 11073"
    for length in (8, 12):
        info = bytes.fromhex("800000008000800000000000000000800000") + \
            struct.pack(">H", length) + bytes.fromhex("002209") + p.fresh()[:length - 3] + \
            struct.pack(">H", 700) + p.fresh()
        protocol = struct.pack(">HH", 0x5079, len(info)) + info
        report = struct.pack(">HH", 1, 0x0101) + p.fresh() * 12
        yield [(True, apdu(0xE200, struct.pack(">IHH", 0x80000000, 1, len(protocol)) + protocol) +
                apdu(0xE700, struct.pack(">H", len(report)) + report)),
               (False, apdu(0xE300, p.fresh()) + apdu(0xE600, p.fresh()[:2]))]


# --- Philips IntelliVue data export ---

def attributes(pairs):
    body = b"".join(struct.pack(">HH", n, len(value)) + value for n, value in pairs)
    return struct.pack(">HH", len(pairs), len(body)) + body


def operation(kind, command, body):
    inner = struct.pack(">HHH", 1, command, len(body)) + body
    return struct.pack(">HH", kind, len(inner)) + inner


def event(kind, body):
    return struct.pack(">HHHIHH", 33, 0, 0, 1, kind, len(body)) + body


def label(text):
    return struct.pack(">H", len(text)) + text


def intellivue_values(p, model):
    wide = lambda: p.fresh().decode().encode("utf-16-be")  # noqa: E731
    return attributes([(n, wide()) for n in (2334, 2394, 2396, 2397, 61737)] +
                      [(2392, p.fresh()), (2344, model), (2349, p.fresh()),
                       (2438, b"\0\1" + p.fresh()[:1])])


def intellivue_models(p):
    for place, model in (("", label(b"Philips\0") + label(b"M8005A\0")),
                         (", model", label(b"Philips") + label(b"*" + p.fresh())),
                         (", model's length", struct.pack(">H", 999) + p.fresh())):
        p.place = "IntelliVue" + place
        yield intellivue_values(p, model)


def connect_indications(p):
    for values in intellivue_models(p):
        yield [(True, struct.pack(">HBB", 0, 1, 0) + operation(1, 0, event(3351, values)))]


def data_export(p):
    data = struct.pack(">HH", 0xE100, 2)
    for values in intellivue_models(p):
        created = struct.pack(">HHH", 33, 0, 0) + values
        yield [(False, data + operation(1, 1, event(3334, created)))] + \
            [(True, data + operation(kind, command, p.fresh() * 4))
             for kind in (1, 2, 3, 5) for command in (0, 1, 3, 4, 5, 7)] + \
            [(True, bytes([kind, 12]) + p.fresh()) for kind in (0x09, 0x0C, 0x0D, 0x19)]


# --- GE CARESCAPE ---

def carescape(p):
    p.place = "CARESCAPE"
    for _ in range(3):
        body = bytearray((p.fresh() * 6)[:64])
        body[6:10] = SENDER  # put in by the writer
        yield [(True, bytes(body))]


ROWS = [
    Row("astm", STREAM, (1520, 4001, 15200), once(astm_variants), 40),
    Row("ieee11073", STREAM, (6464, 6024, 10020), once(ieee11073_variants), 2),
    Row("intellivue", DATAGRAMS, (24005,), once(connect_indications), broadcast=True),
    Row("intellivue", DATAGRAMS, (24105,), once(data_export)),
    Row("carescape", DATAGRAMS, (2000, 7000, 7001), once(carescape), broadcast=True, fixed=True),
]
