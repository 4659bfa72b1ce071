# SPDX-License-Identifier: Apache-2.0
"""Plants fresh canaries into TLS, QUIC and DNS. The name that a client asks for, and a
server's own name, organisation and issuer, may be seen; a person's never."""
import hashlib
import hmac

from plant import DATAGRAMS, STREAM, Row, b8, b16, b32, der, named, number, oid, sized

try:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError:  # then what QUIC encrypts is left out
    AESGCM = None

# --- certificates ---

NAMES = {"cn": "2.5.4.3", "sn": "2.5.4.4", "serial": "2.5.4.5", "country": "2.5.4.6", "locality":
    "2.5.4.7", "street": "2.5.4.9", "org": "2.5.4.10", "ou": "2.5.4.11", "title": "2.5.4.12",
    "given": "2.5.4.42", "email": "1.2.840.113549.1.9.1", "uid": "0.9.2342.19200300.100.1.1"}


def name(*pairs, kind=12):
    return der(0x30, *(der(0x31, der(0x30, oid(NAMES[attribute]), der(kind, text))) for attribute,
        text in pairs))


def person(p):
    """A name of which nothing may be seen."""
    return [(attribute, p.fresh()) for attribute in ("sn", "serial", "locality", "street", "ou",
        "title", "given", "email", "uid")]


def certificate(p, subject, issuer, alternatives=b""):
    key = der(0x30, der(0x30, oid("1.2.840.113549.1.1.1"), der(5)), der(3, b"\0" + der(0x30, number(
        int.from_bytes((p.fresh() * 11)[:128], "big")), number(65537))))
    extensions = der(0xa3,
        der(0x30, *(der(0x30, oid(kind), der(4, value)) for kind,
        value in (("2.5.29.17", der(0x30, alternatives, der(0x81, p.fresh() + b"@x.example"),
        der(0x86, b"urn:" + p.fresh()), der(0xa4, name(("cn", p.fresh()))),
        der(0xa0, oid("1.3.6.1.4.1.311.20.2.3"), der(0xa0, der(12, p.fresh()))))),
        ("2.5.29.31",
        der(0x30, der(0x30, der(0xa0, der(0xa0, der(0x86, b"http://" + p.fresh())))))),
        ("2.5.29.32", der(4, p.fresh())), ("1.2.3.4", der(4, p.fresh()))))))
    body = der(0x30, der(0xa0, number(2)), number(int.from_bytes(p.fresh(), "big")),
        der(0x30, oid("1.2.840.113549.1.1.11"), der(5)), issuer,
        der(0x30, der(0x17, b"260101000000Z"), der(0x17, b"270101000000Z")), subject, key,
        extensions)
    return der(0x30, body, der(0x30, oid("1.2.840.113549.1.1.11"), der(5)),
        der(3, b"\0" + (p.fresh() * 22)[:256]))


# --- TLS ---

def record(kind, body, version=0x0303):
    return b8(kind) + b16(version) + sized(b16, body)


def message(kind, body):
    return b8(kind) + b32(len(body))[1:] + body


def extension(kind, body):
    return b16(kind) + sized(b16, body)


def server_name(text, kind=0):
    return extension(0, sized(b16, b8(kind) + sized(b16, text)))


def random32(p):
    return (p.fresh() * 3)[:32]


def client_hello(p, *extensions, session=None):
    return message(1, b16(0x0303) + random32(p) + sized(b8, p.fresh() * 2 if session is None
        else session) + sized(b16, b16(0xc02f, 0xc030, 0x009c, 0x1301)) + b"\1\0" +
        sized(b16, b"".join(extensions)))


def server_hello(p, *extensions):
    return message(2, b16(0x0303) + random32(p) + sized(b8, p.fresh()) + b16(0xc02f) + b"\0" +
                   sized(b16, b"".join(extensions)))


def certificates(*chain):
    return message(11,
        sized(lambda n: b32(n)[1:], b"".join(sized(lambda n: b32(n)[1:], one) for one in chain)))


SNI = server_name(b"ehr.chu-demo.example")
COMMON = SNI + extension(10, sized(b16, b16(29, 23))) + extension(11, b"\1\0") + \
    extension(13, sized(b16, b16(0x0403, 0x0804)))


def client_extensions(p):
    yield extension(35, p.fresh() * 3), extension(16,
        sized(b16, sized(b8, p.fresh()) + sized(b8, b"h2")))
    yield extension(16, sized(b16, sized(b8, b"http/1.1") + sized(b8, p.fresh()))), extension(21,
        p.fresh() * 5)
    yield (extension(16, sized(b16, sized(b8, p.fresh()[:2] + b"\xc3" + p.fresh()))),)
    yield extension(44, sized(b16, p.fresh())), extension(0xfe0d, b"\0\0\1\0\1\7" +
        sized(b16, p.fresh()) + sized(b16, p.fresh() * 8))
    yield extension(51, sized(b16, b16(29) + sized(b16, random32(p)))), extension(0x5a5b, p.fresh())
    yield (extension(41, sized(b16, sized(b16, p.fresh() * 2) + b32(7)) +
        sized(b16, sized(b8, random32(p)))),)


def names(p):
    for text in (p.odd(), p.fresh() + b"@x", p.fresh() * 6, b"." + p.fresh(), p.fresh() + b" " +
            p.fresh(), p.fresh() + b"\0.example", p.fresh() + b"/", (p.fresh() + b".") * 22,
            p.fresh() + b"..x"):
        yield server_name(text)
    yield server_name(p.fresh(), kind=7)
    yield extension(0, b16(99) + b"\0" + sized(b16, p.odd()))
    yield extension(0, sized(b16, b"\0" + b16(40) + p.fresh()))


def tls(p, *hello, servers=(), client=(), after=True):
    flight = server_hello(p, *servers) + b"".join(client and () or ())
    out = [(True, record(22, client_hello(p, *hello), 0x0301)), (False, record(22, flight))]
    if after:
        out += [(False, record(22, message(14, b""))),
            (True, record(22, message(16, sized(b8, random32(p) + random32(p)))) +
            record(20, b"\1")),
            (False, record(22, message(4, b32(300) + sized(b16, p.fresh() * 8))) +
            record(20, b"\1")), (True, record(23, p.fresh() * 9)),
            (False, record(23, p.fresh() * 9) + record(21, b"\1\0" + p.fresh()))]
    return out


def hellos(p):
    for more in client_extensions(p):
        yield tls(p, COMMON, *more, servers=(extension(16, sized(b16, sized(b8, p.fresh()))),
            extension(35, b""), extension(0x1234, p.fresh())))
    for odd in names(p):
        yield tls(p, odd)
        yield tls(p, odd, SNI)
    for at in range(40, 120, 7):
        whole = bytearray(client_hello(p, COMMON, extension(35, p.fresh()),
            extension(16, sized(b16, sized(b8, p.fresh())))))
        whole[at] ^= p.random.randrange(1, 255)
        yield [(True, record(22, bytes(whole), 0x0301)), (False, record(22, server_hello(p)))]
    for kind in (20, 21, 22, 23, 24):
        yield [(True, record(22, client_hello(p, COMMON), 0x0301) + record(kind, p.fresh() * 3)),
            (False, record(22, server_hello(p)) + record(kind, p.fresh() * 3)),
            (True, p.fresh() * 4)]


def shown(p):
    """Certificates: the server's with what may be seen in its place, and the client's."""
    site, authority = ("cn", b"pacs.chu-demo.example"), ("cn", b"Demo CA")
    servers = [certificate(p, name(site, *person(p)), name(authority, *person(p)),
        der(0x82, b"pacs.chu-demo.example")),
        certificate(p, name(("cn", p.fresh() + b" " + p.odd()), *person(p)), name(authority)),
        certificate(p, name(("cn", p.odd())), name(("cn", b"\x01" + p.fresh()), *person(p)),
        der(0x82, p.odd())), certificate(p, name(*person(p)), name(*person(p))),
        certificate(p, name(("cn", p.fresh() * 7), ("org", p.fresh() * 7)),
        name(("cn", p.fresh() * 7))),
        certificate(p, name(site, ("org", p.fresh() + b"<" + p.fresh())), name(("org", p.odd()))),
        certificate(p, name(("email", p.fresh() + b"@x"), site), name(authority),
        der(0x82, p.fresh() + b"@y")),]
    clients = [certificate(p, name(("cn", p.fresh()), ("org", p.fresh()), *person(p)),
        name(("cn", p.fresh()), ("org", p.fresh()))),
        certificate(p, name(("cn", p.fresh() + b".example")), name(("cn", p.fresh()), *person(p)),
        der(0x82, p.fresh() + b".example")),]
    asks = message(13, b"\2\1\x40" + sized(b16, b16(0x0403)) +
        sized(b16, sized(b16, name(("cn", p.fresh()), ("org", p.fresh())))))
    done = message(14, b"")
    for one in servers:
        for client in clients:
            flight = server_hello(p, extension(35, b"")) + certificates(one, *clients) + message(
                22, p.fresh() * 4) + message(12, b"\3\0\x1d" + sized(b8, random32(p)) + b"\4\3" +
                sized(b16, p.fresh() * 6)) + asks + done
            after = [
                (True,
                record(22, certificates(client, client) + message(16, sized(b8, random32(p))) +
                message(15, b"\4\3" + sized(b16, p.fresh() * 6))) + record(20, b"\1")),
                (True, record(23, p.fresh() * 3))]
            hello = [(True, record(22, client_hello(p, COMMON, extension(35, b"")), 0x0301))]
            yield hello + [(False, record(22, flight))] + after
            yield hello + [
                (False,
                b"".join(record(22, flight[at:at + 90])
                for at in range(0, len(flight), 90)))] + after
            yield hello + [(False, record(22, flight[:p.random.randrange(200, 900)]) +
                record(21, b"\2\x30"))] + after
            wrong = bytearray(flight)
            for _ in range(4):
                wrong[p.random.randrange(100, 900)] ^= p.random.randrange(1, 9)
            yield hello + [(False, record(22, bytes(wrong)))] + after
    for client in clients:
        # A client that shows it without being asked, and one whose hello nobody saw.
        yield [(True, record(22, client_hello(p, COMMON) + certificates(client), 0x0301)),
            (False, record(22, server_hello(p)))]
        yield [(True, record(22, certificates(client))),
            (False, record(22, message(4, p.fresh() * 3)))]
        yield [(True, record(22, client_hello(p, COMMON), 0x0301)),
            (True, record(22, certificates(client))), (False, record(22, server_hello(p) + done))]


# --- QUIC ---

SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")


def expand(secret, word, length):
    word = b"tls13 " + word
    return hmac.new(secret, b16(length) + sized(b8, word) + b"\0\1", hashlib.sha256).digest()[:
        length]


def initial(p, frames, side=b"client in", token=b"", dest=b"12345678", source=None,
        key_of=b"12345678"):
    secret = expand(hmac.new(SALT, key_of, hashlib.sha256).digest(), side, 32)
    key, iv, mask_key = (expand(secret, word, size) for word,
        size in ((b"quic key", 16), (b"quic iv", 12), (b"quic hp", 16)))
    head = b"\xc3" + b32(1) + sized(b8, dest) + sized(b8, source or p.fresh()) + b16(0x4000 |
        len(token)) + token
    length = 1200 - len(head) - 2
    head += b16(0x4000 | length) + b32(0)
    sealed = AESGCM(key).encrypt(iv, frames + bytes(length - 20 - len(frames)), head)
    mask = Cipher(algorithms.AES(mask_key), modes.ECB()).encryptor().update(sealed[:16])
    return b8(head[0] ^ mask[0] & 15) + head[1:-4] + bytes(a ^ b for a,
        b in zip(head[-4:], mask[1:])) + sealed


def crypto(data, offset=0):
    return b"\x06" + b16(0x4000 | offset) + b16(0x4000 | len(data)) + data


def quic(p):
    for version in (1, 0x6b3343cf, 0xff00001d, 0x1a2a3a4a, 0):
        for kind in (0xc3, 0xd3, 0xe3, 0xf3):
            body = sized(b8, p.fresh()) + sized(b8, p.fresh()) + sized(b8,
                p.fresh()) + b"\x44\x80" + p.fresh() * 96
            yield [(True, b8(kind) + b32(version) + body), (False, b8(kind) + b32(version) + body),
                (True, b"\x43" + p.fresh() * 9)]
    for hello in quic_hellos(p) if AESGCM else ():
        for frames in (crypto(hello), crypto(hello[60:], 60) + b"\1" + crypto(hello[:60]),
                b"\x1c\0\0" + sized(b8, p.fresh()) + b"\x07" + sized(b8, p.fresh()) +
                crypto(hello)):
            yield [(True, initial(p, frames[:1100], token=p.fresh())),
                (False, initial(p, crypto(server_hello(p, extension(0x1234, p.fresh()))),
                b"server in", dest=p.fresh())), (True, b"\x43" + p.fresh() * 9)]


def quic_hellos(p):
    parameters = extension(57, b"\x0f" + sized(b8, p.fresh()) + b"\x2b\x20" + sized(b8, p.fresh()))
    for more in client_extensions(p):
        yield client_hello(p, COMMON, parameters, *more, session=b"")
    for odd in names(p):
        yield client_hello(p, odd[:300], parameters, session=b"")


# --- DNS ---

def labels(*words):
    return b"".join(sized(b8, word) for word in words) + b"\0"


def question(words, kind=1):
    return labels(*words) + b16(kind, 1)


def answer(owner, kind, data):
    return owner + b16(kind, 1) + b32(300) + sized(b16, data)


def dns_message(ident, flags, questions=(), *sections):
    sections += ((),) * (3 - len(sections))
    return b16(ident, flags, len(questions), *map(len, sections)) + b"".join(questions) + \
        b"".join(record for section in sections for record in section)


def options(p):
    return b"\0" + b16(41, 1232) + b32(0) + sized(b16, extension(10, p.fresh()) +
        extension(8, p.fresh()) + extension(3, p.fresh()) + extension(65001, p.fresh()))


def unanswered(p):
    """(names asked for, bits of the answer's flags): none is a name that was answered."""
    for code in (1, 2, 3, 4, 5, 9):
        yield (p.fresh(), b"example"), 0x8180 | code
    for words in ((p.fresh() + b"\xc3\xa9", b"example"), (p.fresh() + b" " + p.fresh(),),
            (b"\0" + p.fresh(), b"x"), (b"a@" + p.fresh(), b"example"), (p.fresh() * 6,),
            (p.fresh() + b'"',), (p.fresh(), b"x" * 70)):
        yield words, 0x8180


def foreign_records(p):
    """What an answer to a plain name must not let through."""
    owner = b"\xc0\x0c"
    yield [answer(owner, 16, sized(b8, p.fresh()) + sized(b8, p.fresh())),
        answer(owner, 99, p.fresh())]
    yield [answer(owner, 5, labels(p.fresh(), b"example")),
        answer(labels(p.fresh()), 15, b16(10) + labels(p.fresh()))]
    yield [answer(labels(p.fresh(), b"x\xff"), 1, b"\x0a\x32\x01\x0a"),
        answer(owner, 33, b16(0, 0, 80) + labels(p.fresh()))]
    yield [answer(owner, 12, labels(p.fresh(), b"example")),
        answer(owner, 6, labels(p.fresh()) + labels(p.fresh()) + b32(1, 2, 3, 4, 5))]
    yield [answer(owner, 35, b16(1, 1) + sized(b8, p.fresh()) * 2 + labels(p.fresh())),
        answer(owner, 257, b"\0\5issue" + p.fresh())]
    yield [answer(owner, 1, p.fresh()), answer(owner, 65, b16(1) + labels(p.fresh()) +
        extension(1, sized(b8, p.fresh())))]


def dns_pairs(p):
    for at, (words, flags) in enumerate(unanswered(p)):
        asks = [question(words, (1, 28, 16, 12, 15, 255)[at % 6])]
        yield dns_message(at, 0x0100, asks, (), (), [options(p)]), dns_message(at, flags, asks, (),
            [answer(labels(p.fresh()), 6, labels(p.fresh()) + labels(p.fresh()) +
            b32(1, 2, 3, 4, 5))], [options(p)])
    for at, records in enumerate(foreign_records(p)):
        asks = [question((b"pacs", b"chu-demo", b"example"), 1)]
        yield dns_message(at, 0x0100, asks, (), (), [options(p)]), dns_message(at, 0x8180, asks,
            records, (), records)
        good = dns_message(at, 0x8180, asks, records)
        yield dns_message(at, 0x0100, asks), good[:-p.random.randrange(1, 9)]
        yield dns_message(at, 0x0100, asks), good[:6] + b16(99) + good[8:]
    update = dns_message(7, 0x2800, [question((b"x", b"example"), 6)], (),
        [answer(labels(p.fresh(), b"x"), 1, b"\x0a\1\1\1")])
    yield update, dns_message(7, 0xa805)


def dns(p):
    for asks, told in dns_pairs(p):
        yield [(True, asks), (False, told)]
        yield [(True, asks), (True, asks)]


def dns_stream(p):
    for asks, told in dns_pairs(p):
        yield [(True, sized(b16, asks)), (False, sized(b16, told))]
        yield [(True, sized(b16, asks, 3) + p.fresh()), (False, sized(b16, told, -4))]


ROWS = [Row("tls", STREAM, (443, 8443, 2762),
    named({"TLS, hellos": hellos, "TLS, certificates": shown}), 100),
    Row("quic", DATAGRAMS, (443,), named({"QUIC": quic}), 10),
    Row("dns", DATAGRAMS, (53,), named({"DNS": dns}), 20),
    Row("dns", STREAM, (53,), named({"DNS over TCP": dns_stream}), 20),]
