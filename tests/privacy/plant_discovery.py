# SPDX-License-Identifier: Apache-2.0
"""Plants fresh canaries into what hosts say about themselves: names of hosts, persons,
places and services, communities, users, texts behind a product's first words."""
from plant import DATAGRAMS, LINK, Row, b8, b16, b32, der, l16, named, number, oid, sized
from plant_tls import answer, dns_message, labels, question
from wire import SENDER, SENDER_MAC


def talk(*said):
    return [(at % 2 == 0, data) for at, data in enumerate(said)]


def fill(p, pattern):
    parts = pattern.split(b"%s")
    return b"".join(part + p.fresh() for part in parts[:-1]) + parts[-1]


# Of a description the first words may be seen, if they can be a product's.
DESCRIPTIONS = (b"Linux %s 6.1.0-13-amd64 #1 SMP %s x86_64",
    b"Example Controller 7 v2.1 build 5 9 %s", b"\xc3\xa9%s", b"FreeBSD %s 13.2-RELEASE %s",
    b"Cisco IOS Software, C2960, Version 12.2(5), x y %s", b"HP LaserJet: %s", b"*%s@%s",
    b"%s;%s;%s", b"x\n%s", b"\"%s\"", b"%s%s%s%s")


# --- link frames ---

def tlv(kind, value):
    return b16(kind << 9 | len(value)) + value


def lldp_frame(p, description, chassis=b"\4" + SENDER_MAC, more=b""):
    organisation = lambda oui, kind, value: tlv(127, oui + b8(kind) + value)  # noqa: E731
    med = b"\0\x12\xbb"
    civic = b"\2" + sized(b8, b"\2FR" + b8(6) + sized(b8, p.fresh()) + b8(27) +
        sized(b8, p.fresh()))
    return b"\x88\xcc" + tlv(1, chassis) + tlv(2, b"\5" + p.fresh()) + tlv(3, b"\0\x78") + tlv(4,
        p.fresh()) + tlv(5, p.fresh() + b".example") + tlv(6, description) + tlv(7,
        b"\0\x9c\0\x10") + tlv(8, sized(b8, b"\1\x0a\x0a\1\5") + b"\2\0\0\0\2" +
        sized(b8, p.fresh())) + organisation(b"\0\x80\xc2", 3, b16(10) +
        sized(b8, p.fresh())) + organisation(med, 3, civic) + organisation(med, 11,
        p.fresh()) + organisation(b"\0\x0e\xcf", 2, p.fresh()) + organisation(p.fresh()[:3], 1,
        p.fresh()) + tlv(99, p.fresh()) + more + b"\0\0"


def lldp(p):
    for pattern in DESCRIPTIONS:
        yield lldp_frame(p, fill(p, pattern))
    for kind in (1, 2, 3, 6, 7):
        yield lldp_frame(p, b"Example 7", b8(kind) + p.fresh())
    for kind in range(5, 12):  # of the MED inventory: words outside their grammar
        yield lldp_frame(p, b"Example 7", more=tlv(127, b"\0\x12\xbb" + b8(kind) + p.fresh() +
            b"*" + p.fresh()))
    for _ in range(9):
        whole = bytearray(lldp_frame(p, b"Example 7"))
        whole[p.random.choice((3, 12, 19, 30))] += p.random.randrange(1, 9)
        yield bytes(whole)


def cdp_frame(p, platform, software):
    field = lambda kind, value: b16(kind) + sized(b16, value, 4)  # noqa: E731
    body = b"\2\x78\0\0" + field(1, p.fresh() + b".example") + field(2, b32(1) + b"\1\1\xcc" +
        sized(b16, b"\x0a\x0a\1\5")) + field(3, p.fresh()) + field(4, b32(16)) + field(5,
        software) + field(6, platform) + field(9, p.fresh()) + field(0x14, p.fresh()) + field(0x17,
        b"\0" + p.fresh()) + field(0x15, p.fresh()) + field(0x1234, p.fresh())
    return sized(b16, b"\xaa\xaa\3\0\0\x0c\x20\0" + body)


def cdp(p):
    for pattern in DESCRIPTIONS:
        yield cdp_frame(p, fill(p, pattern), fill(p, pattern))
        yield cdp_frame(p, b"Linux", fill(p, pattern))[:-p.random.randrange(1, 40)]


def arp(p):
    for operation in (1, 2):
        yield b"\x08\x06" + b16(1, 0x800) + b"\6\4" + b16(operation) + SENDER_MAC + SENDER + \
            bytes(6) + b"\x0a\x3c\1\2" + p.fresh()


# --- DHCP ---

def option(kind, value):
    return b8(kind) + sized(b8, value)


def dhcp_message(p, kind, more, vendor=b"MSFT 5.0", end=b"\xff"):
    fixed = b8(1 if kind in (1, 3, 4, 7, 8) else 2, 1, 6, 0) + p.fresh()[:4] + b16(0,
        0) + bytes(16) + b"\2\0\0\0\1\7" + bytes(10) + (p.fresh() + bytes(64))[:64] + (p.fresh() +
        bytes(128))[:128] + b"\x63\x82\x53\x63"
    return fixed + option(53, b8(kind)) + option(12, p.fresh()) + option(81, b"\0\0\0" +
        p.fresh() + b".example") + option(61, b"\0" + p.fresh()) + option(60, vendor) + option(55,
        b"\1\3\6\x0f") + b"".join(option(n, p.fresh()) for n in (15, 14, 17, 40, 43, 56, 62, 64,
        66, 67, 77, 80, 82, 97, 100, 101, 114, 119, 120, 124, 125, 252)) + more + end


def dhcp(p):
    for vendor in (b"MSFT 5.0", b"MSFT 5.0: %s", b"\xff%s", b"%s@%s",
            b"Philips Monitor X3 v1 b2 c3 %s", b"%s%s%s%s"):
        for kind in (1, 2, 3, 5, 6, 8, 4):
            yield [(kind in (1, 3, 4, 8), dhcp_message(p, kind, b"", fill(p, vendor)))]
    for more, end in ((b8(12, 200) + p.fresh(), b""),
            (option(12, p.odd()) + option(12, b""), b"\xff" + p.fresh()),
            (option(52, b"\3"), b"\xff"), (option(81, p.odd()), p.fresh())):
        yield [(True, dhcp_message(p, 1, more, end=end))]


def dhcpv6(p):
    field = lambda kind, value: b16(kind) + sized(b16, value)  # noqa: E731
    for vendor in (b"MSFT 5.0: %s", b"\xff%s", b"*%s", b"x y z a b c d %s"):
        for kind in (1, 2, 3, 7, 11, 4):
            for duid in (b"\0\1\0\1" + b32(1) + b"\2\0\0\0\1\1", b"\0\2" + b32(311) + p.fresh(),
                    b"\0\4" + p.fresh(), b"\0\x09" + p.fresh()):
                body = b8(kind) + p.fresh()[:3] + field(1, duid) + field(2, b"\0\2" + b32(9) +
                    p.fresh()) + field(39, b"\1" + sized(b8, p.fresh())) + field(16, b32(311) +
                    sized(b16, fill(p, vendor))) + field(15, sized(b16, p.fresh())) + field(17,
                    b32(311) + field(1, p.fresh())) + field(6, b16(23, 24)) + field(24,
                    sized(b8, p.fresh()) + b"\0") + field(13, b16(0) + p.fresh()) + field(59,
                    p.fresh()) + field(37, b32(9) + p.fresh()) + field(18, p.fresh()) + field(999,
                    p.fresh())
                yield [(kind in (1, 3, 4, 11), body)]
    yield [(True, b"\x0c\0" + bytes(32) +
        field(9, b"\1abc" + field(39, b"\0" + sized(b8, p.fresh()))) + field(18, p.fresh()))]


# --- names: mDNS, LLMNR, NetBIOS ---

def mdns(p):
    kinds = ((b"_dicom", b"_tcp"), (b"_ipp", b"_tcp"), (b"_device-info", b"_tcp"),
        (b"_airplay", b"_tcp"), (b"_workstation", b"_tcp"), (b"_smb", b"_tcp"))
    for service in kinds + ((b"_" + p.fresh()[:10].lower(), b"_tcp"),):
        what, name, host = labels(*service, b"local"), b"Dr " + p.fresh() + b"'s iPad", p.fresh()
        instance = labels(name, *service, b"local")
        texts = b"".join(sized(b8, one) for one in (b"note=" + p.fresh(), b"rp=" + p.fresh(),
            b"UUID=" + p.fresh(), b"deviceid=" + p.fresh(), b"adminurl=http://" + p.fresh(),
            p.fresh(), p.fresh() + b"=" + p.fresh(), b"ty=*" + p.fresh(), b"model=\xc3" +
            p.fresh(), b"product=(" + p.fresh() + b"@" + p.fresh() + b")", b"md=" + p.fresh() * 4,
            b"fn=" + p.fresh(), b"usb_MFG=" + p.odd(), b"pdl=" + p.fresh()))
        records = [answer(what, 12, instance),
            answer(instance, 33, b16(0, 0, 80) + labels(host, b"local")),
            answer(instance, 16, texts), answer(labels(host, b"local"), 1, b"\x0a\x0a\1\5"),
            answer(labels(host, b"local"), 28, bytes(15) + b"\1"),
            answer(labels(b"5", b"1", b"10", b"10", b"in-addr", b"arpa"), 12,
            labels(host, b"local")), answer(labels(host, b"local"), 13, sized(b8, p.odd()) +
            sized(b8, p.fresh() + b"*"))]
        whole = dns_message(0, 0x8400, (), records, (), [answer(b"\0", 41, p.fresh())])
        asks = dns_message(0, 0,
            [question(service + (b"local",), 12), question((name,) + service + (b"local",), 255)],
            [answer(what, 12, instance)])
        yield [(True, asks), (True, whole)]
        yield [(True, whole[:-p.random.randrange(1, 60)]),
            (True, dns_message(0, 0x8400, (), records[2:3]))]
        yield [(True, dns_message(0, 0, [question((host, b"local"), 255)], (), records[3:4]))]


def llmnr(p):
    for name in (p.fresh(), p.odd(), p.fresh() + b"-PC", p.fresh() * 4):
        asks = [question((name,), 1)]
        yield [(True, dns_message(5, 0, asks)),
            (False, dns_message(5, 0x8000, asks, [answer(b"\xc0\x0c", 1, b"\x0a\x0a\1\5")])),
            (False,
            dns_message(5, 0x8000, asks, [answer(labels(p.fresh()), 12, labels(p.fresh()))]))]


def netbios_name(text, suffix):
    padded = (text + b" " * 15)[:15] + b8(suffix)
    return sized(b8, b"".join(b8(65 + (c >> 4), 65 + (c & 15)) for c in padded)) + b"\0"


def netbios(p):
    for suffix in (0, 3, 0x20, 0x1b, 0x1c, 0x1d):
        name = netbios_name(p.fresh(), suffix)
        asks = name + b16(0x20, 1)
        yield talk(b16(1, 0x0110, 1, 0, 0, 0) + asks, b16(1, 0x8500, 0, 1, 0, 0) + name +
            b16(0x20, 1) + b32(300) + sized(b16, b"\0\0\x0a\x0a\1\5"))
        yield talk(b16(2, 0x2910, 1, 0, 0, 1) + asks + b"\xc0\x0c" + b16(0x20, 1) + b32(0) +
            sized(b16, b"\0\0\x0a\x0a\1\5"))
        table = b"".join((p.fresh() + b" " * 15)[:15] + b8(n) + b16(flags) for n,
            flags in ((0, 0x400), (0, 0x8400), (3, 0x400), (0x20, 0x400), (0x1c, 0x8400)))
        yield talk(b16(3, 0, 1, 0, 0, 0) + netbios_name(b"*" + bytes(14), 0) + b16(0x21, 1),
            b16(3, 0x8400, 0, 1, 0, 0) + netbios_name(b"*" + bytes(14), 0) + b16(0x21, 1) +
            b32(0) + sized(b16, b8(5) + table + b"\2\0\0\0\1\1" + p.fresh() * 3))


def netbios_datagrams(p):
    for suffix in (0, 0x20, 0x1d):
        names = netbios_name(p.fresh(), suffix) + netbios_name(p.fresh(), 0x1e)
        browse = b"\1\0" + l16(60000, 0) + (p.fresh() + bytes(16))[:
            16] + b"\6\1" + b"\3\x9a\x84\0\x0f\1\x55\xaa" + p.fresh() + b" " + p.fresh() + b"\0"
        slot = b"\xffSMB\x25" + bytes(27) + b"\x11" + l16(0, len(browse), 0, 0, 0,
            0) + bytes(8) + l16(len(browse), 86, 3, 1, 0, 2) + sized(l16, b"\\MAILSLOT\\BROWSE\0" +
            browse)
        yield [(True, b"\x11\x0a" + b16(7) + b"\x0a\x3c\1\1" +
            b16(138, len(names) + len(slot), 0) + names + slot)]
        yield [(True, b"\x11\x0a" + b16(7) + b"\x0a\x3c\1\1" + b16(138, len(names) + 30, 0) +
            names + p.fresh() * 9)]


# --- SNMP ---

def binding(name, value):
    return der(0x30, oid(name), value)


def bindings(p, description):
    return der(0x30, binding("1.3.6.1.2.1.1.1.0", der(4, description)),
        binding("1.3.6.1.2.1.1.2.0", oid("1.3.6.1.4.1.9.1.1")),
        *(binding(f"1.3.6.1.2.1.1.{n}.0", der(4, p.fresh())) for n in (4, 5, 6)),
        binding("1.3.6.1.2.1.25.4.2.1.2.1", der(4, p.fresh())),
        binding("1.3.6.1.2.1.2.2.1.2.1", der(4, p.odd())),
        binding("1.3.6.1.4.1.9", der(0x44, p.fresh())))


def pdu(kind, content):
    return der(0xa0 + kind, number(77), number(0), number(0), content)


def usm(p, engine, data):
    security = der(0x30, der(4, engine), number(1), number(2), der(4, p.fresh()),
        der(4, p.fresh()), der(4, p.fresh()[:8]))
    return der(0x30, number(3), der(0x30, number(9), number(65507), der(4, b"\4"), number(3)),
        der(4, security), data)


def snmp(p):
    for pattern in DESCRIPTIONS:
        for version in (0, 1):
            told = bindings(p, fill(p, pattern))
            # noqa: E731
            message = lambda kind, content: der(0x30, number(version), der(4, p.fresh()),
                pdu(kind, content))
            yield talk(message(0, told), message(2, told), message(3, told), message(2, told),
                message(5, told)[:-9])
            trap = der(0xa4, oid("1.3.6.1.4.1.9"), der(0x40, b"\x0a\x0a\1\5"), number(6),
                number(1), der(0x43, b"\1"), told)
            yield talk(message(7, told), message(6, told)) + [
                (True, der(0x30, number(0), der(4, p.odd()), trap))]
        for engine in (b"\x80\0\x1f\x88\4" + p.fresh(), b"\x80\0\x1f\x88\5" + p.fresh(), p.fresh(),
                p.fresh()[:5]):
            scoped = der(0x30, der(4, engine), der(4, p.fresh()),
                pdu(2, bindings(p, fill(p, pattern))))
            yield talk(usm(p, engine, scoped), usm(p, engine, scoped),
                usm(p, engine, der(4, p.fresh() * 9)))


# --- SSDP ---

def ssdp(p):
    for server in (b"Linux/5.1 UPnP/1.0 Product/1.0", b"%s;x UPnP/1.0 *%s",
            b"Linux, UPnP/1.0, \"%s\"", b"\xc3%s", b"Windows/10.0 UPnP/1.1 @%s/1"):
        lines = (b"HOST: 239.255.255.250:1900", b"CACHE-CONTROL: max-age=%s",
            b"LOCATION: http://%s:%s@10.1.1.1/%s.xml?%s", b"NT: uuid:%s", b"NTS: ssdp:alive",
            b"USN: uuid:%s::urn:schemas-upnp-org:device:%s:1", b"ST: urn:%s:device:%s:1",
            b"SERVER: " + server, b"USER-AGENT: " + server, b"OPT: \"http://%s\"; ns=01",
            b"01-NLS: %s", b"X-User-Agent: %s", b"MAN: \"ssdp:discover\"", b"MYNAME.SONY: %s",
            b"CPFN.UPNP.ORG: %s", b"CPUUID.UPNP.ORG: %s", b"%s: %s", b" %s")
        for first in (b"NOTIFY * HTTP/1.1", b"M-SEARCH * HTTP/1.1", b"HTTP/1.1 200 OK",
                b"HTTP/1.1 200 " + p.fresh(), b"NOTIFY /" + p.fresh() + b" HTTP/1.1"):
            yield [(not first.startswith(b"HTTP"), first + b"\r\n" +
                b"\r\n".join(fill(p, line) for line in lines) + b"\r\n\r\n" + p.fresh())]
            yield [(True, first + b"\r\n" + b"\n".join(fill(p, line) for line in reversed(lines)))]


ROWS = [Row("lldp", LINK, (), named({"LLDP": lldp}), 5), Row("cdp", LINK, (), named({"CDP": cdp})),
    Row("arp", LINK, (), named({"ARP": arp})), Row("dhcp", DATAGRAMS, (67,), named({"DHCP": dhcp}),
    20, broadcast=True), Row("dhcpv6", DATAGRAMS, (547,), named({"DHCPv6": dhcpv6}), 20),
    Row("mdns", DATAGRAMS, (5353,), named({"mDNS": mdns}), 10, broadcast=True, fixed=True),
    Row("llmnr", DATAGRAMS, (5355,), named({"LLMNR": llmnr}), 2),
    Row("netbios", DATAGRAMS, (137,), named({"NetBIOS": netbios}), 8, fixed=True),
    Row("netbios", DATAGRAMS, (138,), named({"NetBIOS datagrams": netbios_datagrams}), 2,
    fixed=True, broadcast=True), Row("snmp", DATAGRAMS, (161, 10161), named({"SNMP": snmp}), 20),
    Row("ssdp", DATAGRAMS, (1900,), named({"SSDP": ssdp}), 15, broadcast=True),]
