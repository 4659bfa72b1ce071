# SPDX-License-Identifier: Apache-2.0
"""Plants fresh canaries into conversations of analyzers and monitors, written anew:
whatever ASTM, IntelliVue, CARESCAPE and IEEE 11073 carry that may not leave."""
import struct

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


def astm_variants(p, _chunks):
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


def ieee11073_variants(p, _chunks):
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


# --- datagrams: (source, destination, source port, destination port, bytes) ---

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


def intellivue(p):
    monitor, station, data = "10.61.1.1", "10.61.1.2", struct.pack(">HH", 0xE100, 2)
    wide = lambda: p.fresh().decode().encode("utf-16-be")  # noqa: E731
    for place, model in (("", label(b"Philips\0") + label(b"M8005A\0")),
                         (", model", label(b"Philips") + label(b"*" + p.fresh())),
                         (", model's length", struct.pack(">H", 999) + p.fresh())):
        p.place = "IntelliVue" + place
        values = [(n, wide()) for n in (2334, 2394, 2396, 2397, 61737)] + \
            [(2392, p.fresh()), (2344, model), (2349, p.fresh()), (2438, b"\0\1" + p.fresh()[:1])]
        yield monitor, "10.61.255.255", 24105, 24005, struct.pack(">HBB", 0, 1, 0) + \
            operation(1, 0, event(3351, attributes(values)))
        created = struct.pack(">HHH", 33, 0, 0) + attributes(values)
        yield monitor, station, 24105, 50001, data + operation(1, 1, event(3334, created))
        for kind in (1, 2, 3, 5):
            for command in (0, 1, 3, 4, 5, 7):
                yield station, monitor, 50001, 24105, data + operation(kind, command, p.fresh() * 4)
        for kind in (0x09, 0x0C, 0x0D, 0x19):
            yield station, monitor, 50001, 24105, bytes([kind, 12]) + p.fresh()


def carescape(p):
    p.place = "CARESCAPE"
    for port in (2000, 7000, 7001):
        body = bytearray((p.fresh() * 6)[:64])
        body[6:10] = bytes([10, 61, 2, 1])
        yield "10.61.2.1", "10.61.255.255", port, port, bytes(body)


def datagrams(p):
    yield from intellivue(p)
    yield from carescape(p)
