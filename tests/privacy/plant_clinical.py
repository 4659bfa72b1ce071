# SPDX-License-Identifier: Apache-2.0
"""Plants fresh canaries into real conversations of DICOM and HL7 v2, where nothing may
leave the sensor: each variant gives the messages anew, with lengths to match, or not on
purpose."""
import struct

from plant import STREAM, Row, each

# --- HL7 v2 over MLLP ---

FREE = 12  # fields that a segment of patient data is given
PATIENT = [b"PID", b"PD1", b"NK1", b"PV1", b"OBX", b"NTE", b"AL1", b"DG1", b"IN1", b"ZPI"]


def hl7_messages(chunks):
    for forth, data in chunks:
        for part in data.split(b"\x0b")[1:]:
            yield forth, part.split(b"\x1c")[0].rstrip(b"\r").split(b"\r")


def frame(segments, start=b"\x0b", between=b"\r", end=b"\r\x1c\r"):
    return start + between.join(segments) + end


def with_patients(p, segments):
    """Every field is a canary, but those of MSH, MSA and SFT that may be seen."""
    out = []
    for segment in segments:
        fields = segment.split(b"|")
        if fields[0] == b"MSH":
            fields += [b""] * (10 - len(fields))
            fields[7], fields[9] = p.fresh(), p.fresh()
        elif fields[0] == b"MSA":
            fields = fields[:2] + [p.fresh(), p.fresh()]
        elif fields[0] == b"SFT":
            fields = fields[:1] + [f.split(b"^")[0] + b"^" + p.fresh() for f in fields[1:4]] + \
                [p.fresh() for _ in range(FREE)]
        else:
            fields = fields[:1] + [p.fresh() for _ in range(FREE)]
        out.append(b"|".join(fields))
    return out + [b"|".join([name] + [p.fresh() for _ in range(FREE)]) for name in PATIENT]


def edit_header(segments, edits):
    """MSH with some fields (numbered as HL7 does) put through a function."""
    fields = segments[0].split(b"|")
    fields += [b""] * (21 - len(fields))
    for number, change in edits.items():
        fields[number - 1] = change(fields[number - 1])
    return [b"|".join(fields)] + segments[1:]


def components(p, segments):
    tail = {n: lambda old: old + b"^" + p.fresh() + b"^" + p.fresh()
            for n in (3, 4, 5, 6, 7, 9, 11, 12)}
    rest = {n: lambda old: p.fresh() for n in (8, 10, 13, 14, 17, 19, 20, 21)}
    return edit_header(segments, {**tail, **rest})


def odd_names(p, segments):
    forms = [lambda old: p.fresh() + b"*x", lambda old: p.fresh() * 6,
             lambda old: p.fresh() + b"\xc3\xa9", lambda old: b"\x01" + p.fresh()]
    return edit_header(segments, dict(zip((3, 4, 5, 6), forms)))


def odd_words(p, segments):
    return edit_header(segments, {n: lambda old: p.fresh() for n in (11, 12, 15, 16, 18)})


def odd_type(p, segments):
    return edit_header(segments, {9: lambda old: p.fresh()})


def odd_event(p, segments):
    return edit_header(segments, {9: lambda old: old[:3] + b"^" + p.fresh()})


def odd_acks(p, segments):
    fields = [p.fresh() for _ in range(10)]
    error = b"|".join([b"ERR"] + fields[:2] + [b"207^" + fields[2]] + fields[3:])
    return segments[:1] + [b"MSA|" + p.fresh() + b"|" + p.fresh() + b"|" + p.fresh(), error,
                           b"ERR|||" + p.fresh()] + segments[1:]


def shifted(by):
    def change(p, segments):
        fields = with_patients(p, segments)[0].split(b"|")
        fields[2:2 - min(by, 0)] = [b""] * max(by, 0)
        return [b"|".join(fields)] + with_patients(p, segments)[1:]
    return change


def other_delimiters(field, component):
    def change(p, segments):
        table = bytes.maketrans(b"|^", field + component)
        return [s.translate(table) for s in components(p, with_patients(p, segments))]
    return change


def nested(p, segments):
    return with_patients(p, segments) + [
        b"OBX|1|TX|" + p.fresh() + b"\rMSH|^~\\&|A|B|C|D|" + p.fresh() + b"|" + p.fresh() +
        b"|ADT^A01|" + p.fresh() + b"|P|2.5\rPID|||" + p.fresh()]


def large(p, segments):
    return edit_header(segments, {13: lambda old: b"A" * 5000 + p.fresh(),
                                  14: lambda old: p.fresh()}) + \
        [b"OBX|1|ED|" + b"A" * 70000 + p.fresh() + b"B" * 3000 + b"|" + p.fresh()]


HL7_VARIANTS = {
    "patients": with_patients, "components": components, "odd names": odd_names,
    "odd words": odd_words, "odd type": odd_type, "odd event": odd_event, "acks": odd_acks,
    "a field less": shifted(-1), "a field more": shifted(1), "three fields more": shifted(3),
    "other delimiters": other_delimiters(b"#", b"@"), "alike": other_delimiters(b"!", b"!"),
    "a message inside": nested, "large": large,
}
HL7_FRAMES = {
    "framed": {}, "no start": {"start": b""}, "no end": {"end": b"\r"}, "line feeds":
    {"between": b"\n"}, "both": {"between": b"\r\n"}, "two starts": {"start": b"\x0b\x0b"},
    "cut": {"end": b""},
}


def hl7_variants(p, chunks):
    messages = list(hl7_messages(chunks))
    for name, change in HL7_VARIANTS.items():
        p.place = f"HL7, {name}"
        yield [(forth, frame(change(p, segments))) for forth, segments in messages]
    for name, framing in HL7_FRAMES.items():
        p.place = f"HL7, patients, {name}"
        yield [(forth, frame(with_patients(p, segments), **framing))
               for forth, segments in messages]


# --- DICOM ---

def dicom_pdus(chunks):
    """[from the client?, type, body] of each PDU, where it was complete."""
    left = {True: b"", False: b""}
    for forth, data in chunks:
        data = left[forth] + data
        while len(data) >= 6 and len(data) >= 6 + struct.unpack_from(">I", data, 2)[0]:
            end = 6 + struct.unpack_from(">I", data, 2)[0]
            yield [forth, data[0], data[6:end]]
            data = data[end:]
        left[forth] = data


def pdu(kind, body):
    return struct.pack(">BBI", kind, 0, len(body)) + body


def items_of(data):
    at = 0
    while at + 4 <= len(data):
        length = struct.unpack_from(">H", data, at + 2)[0]
        yield data[at], data[at + 4:at + 4 + length]
        at += 4 + length


def item(kind, value, reserved=0):
    return struct.pack(">BBH", kind, reserved, len(value)) + value


def pdvs_of(body):
    at = 0
    while at + 6 <= len(body):
        length = struct.unpack_from(">I", body, at)[0]
        yield body[at + 4], body[at + 5], body[at + 6:at + 4 + length]
        at += 4 + length


def pdv(context, flags, data):
    return struct.pack(">IBB", len(data) + 2, context, flags) + data


def element(group, number, value):
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HHI", group, number, len(value)) + value


def command_elements(data):
    at = 0
    while at + 8 <= len(data):
        group, number, length = struct.unpack_from("<HHI", data, at)
        yield (group, number), data[at + 8:at + 8 + length]
        at += 8 + length


def command(elements):
    body = b"".join(element(*tag, value) for tag, value in sorted(elements.items())
                    if tag != (0, 0))
    return element(0, 0, struct.pack("<I", len(body))) + body


def data_set(p):
    """Patients in explicit VR, with tags that a command set has too."""
    def text(group, number, vr):
        value = p.fresh()
        return struct.pack("<HH2sH", group, number, vr, len(value)) + value
    return text(0, 0x0600, b"AE") + text(8, 0x50, b"SH") + text(0x10, 0x10, b"PN") + \
        text(0x10, 0x20, b"LO") + text(0x20, 0x0d, b"UI") + element(0, 2, p.fresh()) + \
        p.fresh() * p.random.randrange(1, 40)


def edit_pdvs(p, body, on_command=None, on_data=None):
    out = b""
    for context, flags, data in pdvs_of(body):
        if flags & 1 and on_command:
            data = command(on_command(p, dict(command_elements(data))))
        elif not flags & 1 and on_data:
            data = on_data(p)
        out += pdv(context, flags, data)
    return out


def free_texts(p, elements):
    for number in (0x0902, 0x1000, 0x1001, 0x0901, 0x5110, 0x5130, 0x5140, 0x1021):
        elements.setdefault((0, number), p.fresh())
    elements[(9, 0x0010)] = p.fresh()
    return elements


def odd_texts(p, elements):
    elements[(0, 2)] = p.fresh()
    elements[(0, 3)] = p.fresh()
    elements[(0, 0x0600)] = p.fresh() + b"TOOLONG"
    elements[(0, 0x1030)] = p.fresh() + b"\\X"
    elements[(0, 0x1031)] = p.fresh()
    return elements


def associate(body, titles=None, reserved=None, change=lambda kind, value: [(kind, value)]):
    """An association request or answer with its items put through `change`."""
    head = body[:4] + (titles or body[4:36]) + (reserved or body[36:68])
    out = b""
    for kind, value in items_of(body[68:]):
        for new_kind, new in change(kind, value):
            out += item(new_kind, new)
    return head + out


def reserved_bytes(p, body):
    return associate(body, reserved=p.fresh() + p.fresh() + p.fresh()[:8])


def odd_titles(p, body):
    return associate(body, titles=p.fresh() + b"\\\x01ab" + b"\xc3\xa9" + p.fresh() + b"\0\0")


def user_items(p, body):
    def change(kind, value):
        if kind != 0x50:
            return [(kind, value)]
        kept = [(k, v) for k, v in items_of(value) if k not in (0x58, 0x59)]
        more = [(0x58, struct.pack(">BBH", p.random.randrange(1, 6), 1, 12) + p.fresh() +
                 struct.pack(">H", 12) + p.fresh()),
                (0x59, struct.pack(">H", 12) + p.fresh()), (0x56, b"\0\x0c" + p.fresh() * 2),
                (0x57, b"\0\x0c" + p.fresh() * 2), (0x54, b"\0\x0c" + p.fresh() + b"\1\1"),
                (0x5f, p.fresh()), (0x53, p.fresh()[:4])]
        return [(0x50, b"".join(item(k, v) for k, v in kept + more))]
    return associate(body, change=change)


def odd_items(p, body):
    def in_user(kind, value):
        return {0x52: p.fresh(), 0x55: p.fresh() + b"\\@"}.get(kind, value)

    def change(kind, value):
        if kind == 0x50:
            return [(kind, b"".join(item(k, in_user(k, v)) for k, v in items_of(value)))]
        if kind == 0x10:
            return [(kind, p.fresh())]
        inner = [item(k, p.fresh()) for k, _ in items_of(value[4:])]
        return [(kind, value[:4] + b"".join(inner)), (0x7f, p.fresh())]
    return associate(body, change=change)


def by_kind(in_association=None, on_command=None, on_data=None, tail=False):
    def change(p, kind, body):
        if kind in (1, 2) and in_association:
            return pdu(kind, in_association(p, body))
        if kind == 4:
            return pdu(kind, edit_pdvs(p, body, on_command, on_data))
        if kind in (3, 5, 6, 7) and tail:
            return pdu(kind, body + p.fresh())
        return pdu(kind, body)
    return change


def wrong_lengths(p, kind, body):
    """Patients, and one of the first lengths told wrongly."""
    bytes_ = bytearray(by_kind(on_command=free_texts, on_data=data_set)(p, kind, body))
    if p.random.random() < 0.5 and len(bytes_) > 16:
        at = p.random.choice((2, 3, 4, 5, 6, 7, 8, 9, 13, 14))
        bytes_[at] = (bytes_[at] + p.random.choice((-12, -2, -1, 1, 2, 12, 200))) & 255
    return bytes(bytes_)


def cut(p, kind, body):
    whole = by_kind(on_command=free_texts, on_data=data_set)(p, kind, body)
    return whole[:p.random.randrange(1, len(whole) + 1)] if p.random.random() < 0.3 else whole


DICOM_VARIANTS = {
    "data sets": by_kind(on_data=data_set), "free texts": by_kind(on_command=free_texts),
    "odd texts": by_kind(on_command=odd_texts), "reserved": by_kind(reserved_bytes),
    "odd titles": by_kind(odd_titles), "user items": by_kind(user_items),
    "odd items": by_kind(odd_items), "tails": by_kind(on_data=data_set, tail=True),
    "wrong lengths": wrong_lengths, "wrong lengths 2": wrong_lengths, "cut": cut,
}


def dicom_variants(p, chunks):
    pdus = list(dicom_pdus(chunks))
    for name, change in DICOM_VARIANTS.items():
        p.place = f"DICOM, {name}"
        yield [(forth, change(p, kind, body)) for forth, kind, body in pdus]


ROWS = [
    Row("dicom", STREAM, (104, 11112, 50104), each(dicom_variants), 200),
    Row("hl7", STREAM, (2575, 6661, 10012), each(hl7_variants), 200),
]
