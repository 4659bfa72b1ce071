# SPDX-License-Identifier: Apache-2.0
"""Plants fresh canaries into remote access, file shares and Kerberos: users, passwords,
names of hosts, shares and files, comments, keys, screens. A program's name and version
in its place may be seen."""
import base64

from plant import DATAGRAMS, STREAM, Row, b8, b16, b32, der, l16, l32, named, number, oid, sized


def talk(*said):
    """(from the client?, bytes) in turn, the client first."""
    return [(at % 2 == 0, data) for at, data in enumerate(said)]


# --- SSH ---

def ssh_packet(body):
    padding = 8 - (len(body) + 5) % 8 + 4
    return b32(len(body) + padding + 1) + b8(padding) + body + bytes(padding)


def kexinit(p, *lists):
    return ssh_packet(b"\x14" + p.fresh() + p.fresh()[:4] +
        b"".join(sized(b32, one) for one in lists) + b"\0" * 5)


def ssh_lists(p):
    plain = [b"curve25519-sha256", b"ssh-ed25519", b"aes128-ctr", b"aes128-ctr", b"hmac-sha2-256",
        b"hmac-sha2-256", b"none", b"none", b"", b""]
    yield plain
    yield [one and one + b"," + p.fresh() + b"@" + p.fresh() for one in plain]
    for at in range(10):
        yield plain[:at] + [p.fresh()] + plain[at + 1:]
        yield plain[:at] + [p.odd() + b"," + plain[at]] + plain[at + 1:]
    shared = [p.fresh() for _ in range(10)]  # which both sides know, and choose
    yield shared
    yield [one + b"@" + p.fresh() for one in shared]


def ssh(p):
    for lists in ssh_lists(p):
        after = ssh_packet(b"\x1e" + sized(b32, p.fresh() * 2)), ssh_packet(b"\x1f" +
            sized(b32, p.fresh() * 4) + sized(b32, p.fresh()))
        yield talk(b"SSH-2.0-OpenSSH_9.2p1 " + p.fresh() + b"\r\n" + kexinit(p, *lists),
            b"SSH-2.0-OpenSSH_9.2p1 Debian-2 " + p.fresh() + b"\r\n" + kexinit(p, *lists), *after,
            ssh_packet(b"\x15") + p.fresh() * 8, p.fresh() * 8)
    for banner in (b"SSH-2.0-x %s", b"SSH-2.0-OpenSSH_9.2 %s-%s", b"SSH-2.%s-x", b"SSH-%s-x",
            b"SSH-2.0-%s\xc3\xa9", b"SSH-2.0-a@%s", b"SSH-2.0-%s%s%s%s", b"SSH-2.0- %s",
            b"SSH-1.99-x\t%s", b"SSH-2.0-x Debian %s", b"SSH-2.0-x Ubuntu-%s@%s",
            b"SSH-2.0-x FreeBSD-%s %s"):
        for before in (b"", p.fresh() + b"\r\n" + p.fresh() + b"\n"):
            line = fill(p, banner) + b"\r\n"
            yield [(False, before + line), (True, fill(p, banner) + b"\n"),
                (True, kexinit(p, *[p.odd()] * 10)),
                (False, ssh_packet(b"\1" + b32(2) + sized(b32, p.fresh()) +
                sized(b32, p.fresh())))]


def fill(p, pattern):
    parts = pattern.split(b"%s")
    return b"".join(part + p.fresh() for part in parts[:-1]) + parts[-1]


# --- RDP ---

def tpkt(body, more=0):
    return b"\x03\0" + b16(4 + len(body) + more) + body


def rdp_request(cookie, protocols=3, extra=b""):
    body = b"\xe0\0\0\0\0\0" + cookie + b8(1, 0, 8, 0, protocols, 0, 0, 0) + extra
    return tpkt(sized(b8, body))


def rdp(p):
    confirm = tpkt(sized(b8, b"\xd0\0\0\x12\x34\0\2\0\x08\0\1\0\0\0"))
    refuse = tpkt(sized(b8, b"\xd0\0\0\x12\x34\0\3\0\x08\0\5\0\0\0"))
    plain = tpkt(sized(b8, b"\xd0\0\0\x12\x34\0\2\0\x08\0\0\0\0\0"))
    for cookie in (b"Cookie: mstshash=%s\r\n", b"Cookie: mstshash=%s\\%s\r\n",
            b"Cookie: msts=%s.15629.0000\r\n", b"Cookie: mstshash=%s", b"mstshash=%s\r\n",
            b"Cookie: mstshash=%s@%s%s%s\r\n", b"tsv://%s\r\n",
            b"Cookie: mstshash=\xc3%s\r\nCookie: %s\r\n", b"Cookie: %s=%s\r\n",
            b"Cookie: mstshash=%s\r"):
        for told in (confirm, refuse, plain, tpkt(sized(b8, b"\xd0\0\0" + p.fresh())), p.fresh()):
            mcs = tpkt(b"\x02\xf0\x80\x7f\x65" + sized(b8, p.fresh() + p.wide() + b"Duca" +
                b"\x01\xc0" + l16(90) + l32(0x80004) + p.wide() + p.fresh() + p.fresh()))
            info = tpkt(b"\x02\xf0\x80\x64\0\3\x03\xeb\x70\x80" + b8(60) + l32(0x40) + l32(0) +
                p.wide() + p.wide() + p.wide())
            yield talk(rdp_request(fill(p, cookie)), told, mcs, mcs, info,
                tpkt(b"\x02\xf0\x80" + p.fresh() * 3))
            yield talk(rdp_request(fill(p, cookie), extra=p.fresh()), told, p.wide() * 4)


# --- VNC ---

def vnc(p):
    for version in (b"003.003", b"003.007", b"003.008", b"004.001", b"003.889"):
        banner = b"RFB " + version + b"\n"
        screen = b"\x02\x80\x01\xe0" + b"\0" * 16
        for kinds in (b"\x02\x02\x13", b"\x01\x01", b"\x03\x05\x06\x10", b"\0" +
                sized(b32, p.fresh()), sized(b8, p.fresh())):
            chosen = kinds[1:2] if kinds[0] else b"\2"
            yield [(False, banner), (True, banner), (False, kinds), (True, chosen),
                (False, p.fresh() + b"1234"), (True, p.fresh() + b"5678"),
                (False, b"\0\0\0\1" + sized(b32, p.fresh())), (True, b"\1"),
                (False, screen + sized(b32, p.fresh())),
                (True, b"\6\0\0\0" + sized(b32, p.fresh())),
                (False, b"\3\0\0\0" + sized(b32, p.fresh()))]
        yield [(False, banner + b32(0) + sized(b32, p.fresh())), (True, banner + p.fresh())]
        yield [(False, banner), (True, b"RFB " + p.fresh()), (False, p.fresh())]
    yield [(False, b"RFB 003.008\n"), (True, b"RFB 003.008\n"), (False, b"\1\x13"),
        (True, b"\x13" + b"\0\2"), (False, b"\0\1" + b32(256)),
        (True, b32(256) + sized(b32, p.fresh()) + b32(12) + p.fresh() + p.fresh())]


# --- SMB, with NTLM ---

def ntlm(p, kind, names=True):
    head = b"NTLMSSP\0" + l32(kind)
    if kind == 1:
        return head + l32(0xe2088297) + l16(12, 12) + l32(40) + l16(12,
            12) + l32(52) + b"\x0a\0\x7c\x4f\0\0\0\x0f" + p.fresh() + p.fresh()
    parts, at, fields = b"", 64 if kind == 3 else 56, []
    for value in ([p.fresh() * 2, p.fresh() * 8, p.wide(), p.wide(), p.wide(), p.fresh()[:12] +
            b"1234"] if kind == 3 else [p.wide()]):
        fields.append(l16(len(value), len(value)) + l32(at))
        at += len(value)
        parts += value
    if kind == 3:
        return head + b"".join(fields) + l32(0xe2888215) + parts
    pairs = b"".join(l16(n) + sized(l16, p.wide()) for n in (1, 2, 3, 4, 5)) + l16(0,
        0) if names else p.fresh() * 3
    return head + fields[0] + l32(0xe2898215) + p.fresh()[:8] + bytes(8) + l16(len(pairs),
        len(pairs)) + l32(at) + b"\x0a\0\x7c\x4f\0\0\0\x0f" + parts + pairs


def spnego(token):
    inner = der(0x30, der(0xa0, der(0x30, oid("1.3.6.1.4.1.311.2.2.10"))), der(0xa2, der(4, token)))
    return der(0x60, oid("1.3.6.1.5.5.2"), der(0xa0, inner))


def smb2(p, command, body, answer=False, status=0):
    return b"\xfeSMB" + l16(64, 1) + l32(status) + l16(command, 1) + l32(1 if answer else 0,
        0) + bytes(8) + bytes(8) + p.fresh()[:8] + p.fresh() + b"1234" + body


def framed(*messages, more=0):
    return b"".join(b"\0" + b32(len(one) + more)[1:] + one for one in messages)


def setup(p, token, answer=False, status=0):
    if answer:
        return smb2(p, 1, l16(9, 0, 72, len(token)) + token, True, status)
    return smb2(p, 1, l16(25) + b"\0\1" + l32(1, 0) + l16(88, len(token)) + bytes(8) + token)


def smb(p):
    negotiate = framed(smb2(p, 0, l16(36, 5, 1, 0) + l32(0x7f) + p.fresh() + b"1234" + l32(0) +
        l16(0, 0) + l16(0x202, 0x210, 0x300, 0x302, 0x311)))
    for raw in (False, True):
        wrap = (lambda token: token) if raw else spnego
        told = framed(smb2(p, 0, l16(65, 1, 0x302, 0) + p.fresh() + b"1234" +
            l32(0x7f, 1 << 20, 1 << 20, 1 << 20) + bytes(16) + l16(128, 40) + l32(0) +
            wrap(p.fresh() * 3), True))
        for names in (True, False):
            path = p.wide() + "\\".encode("utf-16-le") + p.wide()
            create = l16(57) + p.fresh() + p.fresh() + bytes(18) + l16(120, len(path)) + l32(0,
                0) + path
            yield talk(negotiate, told, framed(setup(p, wrap(ntlm(p, 1)))),
                framed(setup(p, wrap(ntlm(p, 2, names)), True, 0xc0000016)),
                framed(setup(p, wrap(ntlm(p, 3)))),
                framed(setup(p, p.fresh(), True, p.random.choice((0, 0xc000006d)))),
                framed(smb2(p, 3, l16(9, 0, 72, len(path)) + path)),
                framed(smb2(p, 3, l16(16) + p.fresh(), True, 0xc0000022)),
                framed(smb2(p, 5, create), smb2(p, 9, l16(49) + p.fresh() * 6)),
                framed(smb2(p, 14, l16(9) + p.wide() * 4, True)))
            yield talk(negotiate, told, framed(setup(p, wrap(ntlm(p, 3))), more=-7),
                framed(setup(p, p.wide(), True), more=5))
            yield talk(b"\x81\0\0\x44" + b"\x20" + p.fresh() * 2 + p.fresh()[:8] + b"\0\x20" +
                p.fresh() * 2 + p.fresh()[:8] + b"\0", b"\x82\0\0\0", negotiate, told)
    first = b"\xffSMB\x72" + bytes(4) + b"\x18\x53\xc8" + bytes(20) + b"\0" + sized(
        l16, b"\2NT LM 0.12\0\2" + p.fresh() + b"\0\2SMB 2.002\0")
    answer = b"\xffSMB\x72" + bytes(4) + b"\x98\x53\xc8" + bytes(20) + b"\x11" + l16(
        0) + b"\3" + p.fresh() * 2 + bytes(7) + sized(l16, p.fresh() + p.wide() + p.wide())
    login = b"\xffSMB\x73" + bytes(4) + b"\x18\x53\xc8" + bytes(20) + b"\x0d\xff\0\0\0" + l16(4356,
        50, 0) + bytes(4) + l16(24, 24) + bytes(8) + sized(l16, p.fresh() * 4 + p.wide() +
        p.wide() + p.wide())
    tree = b"\xffSMB\x75" + bytes(4) + b"\x18\x53\xc8" + bytes(
        20) + b"\4\xff\0\0\0\0\0\1\0" + sized(l16, p.fresh() + p.wide())
    yield talk(framed(first), framed(answer), framed(login),
        framed(login[:4] + b"\x73" + p.fresh() * 8), framed(tree))
    yield talk(framed(b"\xfdSMB" + p.fresh() * 9), framed(b"\xfcSMB" + p.fresh() * 9))


# --- Kerberos ---

def context(n, *parts):
    return der(0xa0 + n, *parts)


def principal(p, *words):
    return der(0x30, context(0, number(1)),
        context(1, der(0x30, *(der(0x1b, word) for word in words or (p.fresh(), p.fresh())))))


def sealed(p, etype=23):
    return der(0x30, context(0, number(etype)), context(1, number(2)),
        context(2, der(4, p.fresh() * 9)))


def padata(p):
    return context(3,
        der(0x30, *(der(0x30, context(1, number(n)), context(2, der(4, value))) for n,
        value in ((2, sealed(p)), (128, der(0x30, context(0, der(1, b"\xff")))), (149, p.fresh()),
        (19, p.fresh()), (3, p.fresh())))))


def ticket(p):
    return der(0x61, der(0x30, context(0, number(5)), context(1, der(0x1b, p.fresh())),
        context(2, principal(p)), context(3, sealed(p))))


def kdc_request(p, kind):
    body = der(0x30, context(0, der(3, b"\0\x40\0\0\0")), context(1, principal(p)),
        context(2, der(0x1b, p.fresh())), context(3, principal(p)),
        context(5, der(0x18, b"20300101000000Z")), context(7, number(77)),
        context(8, der(0x30, number(18), number(23), number(-133 & 0xffff))),
        context(9, der(0x30, der(0x30, context(0, number(20)), context(1, der(4, p.fresh()))))),
        context(10, sealed(p)), context(11, der(0x30, ticket(p))))
    return der(0x60 + kind, der(0x30, context(1, number(5)), context(2, number(kind)), padata(p),
        context(4, body)))


def kdc_answer(p, kind):
    return der(0x60 + kind, der(0x30, context(0, number(5)), context(1, number(kind)),
        context(2, der(0x30)), context(3, der(0x1b, p.fresh())), context(4, principal(p)),
        context(5, ticket(p)), context(6, sealed(p))))


def kdc_error(p, code):
    return der(0x7e, der(0x30, context(0, number(5)), context(1, number(30)),
        context(4, der(0x18, b"20300101000000Z")), context(5, number(1)), context(6, number(code)),
        context(7, der(0x1b, p.fresh())), context(8, principal(p)),
        context(9, der(0x1b, p.fresh())), context(10, principal(p)),
        context(11, der(0x1b, p.fresh())), context(12, der(4, p.fresh()))))


def kerberos_pairs(p):
    for code in (6, 7, 24, 25, 68, 99):
        yield kdc_request(p, 10), kdc_error(p, code)
    yield kdc_request(p, 10), kdc_answer(p, 11)
    yield kdc_request(p, 12), kdc_answer(p, 13)
    yield der(0x6e, der(0x30, context(0, number(5)), context(1, number(14)), context(3, ticket(p)),
        context(4, sealed(p)))), kdc_error(p, 60)
    yield kdc_request(p, 10) + p.fresh(), kdc_answer(p, 11)[:-30]


def kerberos(p):
    for asked, told in kerberos_pairs(p):
        yield talk(asked, told)


def kerberos_stream(p):
    for asked, told in kerberos_pairs(p):
        yield talk(sized(b32, asked), sized(b32, told))
        yield talk(sized(b32, asked), sized(b32, told, 9) + p.fresh(), p.fresh())


# --- tunnels ---

def ike(p, exchange, payloads, version=0x20, flags=8, responder=b""):
    first, body = payloads[0][0], b""
    for at, (_, value) in enumerate(payloads):
        body += b8(payloads[at + 1][0] if at + 1 < len(payloads) else 0, 0) + sized(b16, value, 4)
    return p.fresh()[:8] + (responder or bytes(8)) + b8(first, version, exchange,
        flags) + b32(0) + b32(28 + len(body)) + body


def ipsec(p):
    proposal = b8(0, 0) + b16(36) + b8(1, 1, 0, 3) + b8(3, 0) + b16(12) + b8(1, 0) + b16(12,
        0x800e, 0x0100) + b8(3, 0) + b16(8) + b8(2, 0) + b16(5) + b8(0, 0) + b16(8) + b8(4,
        0) + b16(14)
    for vendor in (p.fresh(), p.odd(), p.fresh() * 6):
        body = [(33, proposal), (34, b16(14, 0) + p.fresh() * 8), (40, p.fresh() * 2),
            (43, vendor), (41, b8(0, 0) + b16(16388) + p.fresh())]
        yield talk(ike(p, 34, body), ike(p, 34, body, flags=0x20, responder=p.fresh()[:8]),
                   ike(p, 35, [(46, p.fresh() * 7)], responder=p.fresh()[:8]), p.fresh() * 4)
        phase1 = b32(1, 1) + b8(0, 0) + b16(40) + b8(1, 1, 0, 1) + b8(0, 0) + b16(32) + b8(1, 1, 0,
            0) + b16(0x8001, 5, 0x8002, 2, 0x8003, 1, 0x8004, 2, 0x800b, 1, 0x800c, 3600)
        aggressive = [(1, phase1), (4, p.fresh() * 10), (10, p.fresh()),
            (5, b8(3, 17) + b16(500) + p.fresh() + b"@" + p.fresh()), (13, vendor),
            (11, b32(1) + b8(1, 0) + b16(14) + p.fresh())]
        yield talk(ike(p, 4, aggressive, 0x10, 0), ike(p, 4, aggressive, 0x10, 0, p.fresh()[:8]),
            ike(p, 5, [(11, b32(1) + b8(1, 0) + b16(24) + p.fresh())], 0x10, 0, p.fresh()[:8]))


def wireguard(p):
    for _ in range(4):
        yield talk(b"\1\0\0\0" + (p.fresh() * 12)[:112] + bytes(32), b"\2\0\0\0" +
            (p.fresh() * 8)[:88], b"\4\0\0\0" + p.fresh() + (p.fresh() * 4)[:48], b"\3\0\0\0" +
            (p.fresh() * 5)[:60])


def openvpn_packets(p):
    ident, peer = p.fresh()[:8], p.fresh()[:8]
    yield b"\x38" + ident + b"\0" + b32(0), b"\x40" + peer + b"\1" + b32(0) + ident + b32(
        0), b"\x20" + ident + b"\0" + b32(1) + p.fresh() * 4, b"\x20" + peer + b"\0" + b32(
        1) + p.fresh() * 8, b"\x30" + p.fresh() * 5
    time = b32(1) + b32(0x66000000)
    yield b"\x38" + ident + (p.fresh() * 2)[:20] + time + b"\0" + b32(0), b"\x40" + peer + (
        p.fresh() * 2)[:20] + time + p.fresh(), b"\x20" + p.fresh() * 4
    yield b"\x38" + ident + time + (p.fresh() * 4)[:
        37], b"\x40" + peer + time + p.fresh() * 4, b"\x30" + p.fresh() * 4


def openvpn(p):
    for packets in openvpn_packets(p):
        yield talk(*packets)


def openvpn_stream(p):
    for packets in openvpn_packets(p):
        yield talk(*(sized(b16, one) for one in packets))


# --- clear text ---

def telnet(p):
    options = b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x27\xff\xfb\x01"
    for prompt in (b"login: ", p.fresh() + b" login: ", b"Username:", p.odd() + b"\r\nlogin: "):
        yield [(False, options), (True, b"\xff\xfb\x18\xff\xfb\x27\xff\xfa\x18\0" + p.fresh() +
            b"\xff\xf0\xff\xfa\x27\0\0USER\1" + p.fresh() + b"\xff\xf0\xff\xfa\x20\0" + p.fresh() +
            b"\xff\xf0\xff\xfa\x23\0" + p.fresh() + b":0\xff\xf0"),
            (False, p.fresh() + b"\r\n" + prompt), (True, p.fresh() + b"\r\n"),
            (False, p.fresh() + b"\r\nPassword: "), (True, p.fresh() + b"\r\n"),
            (False, b"\r\nLast login: " + p.fresh() + b"\r\n$ "), (True, p.fresh() + b"\r\n"),
            (False, b"\xff\xfa" + p.fresh() * 3 + b"\xff\xf0")]


def ftp(p):
    for greeting in (b"220 FTP %s\r\n", b"220 (vsFTPd 3.0.3) %s\r\n",
            b"220-%s\r\n220-%s\r\n220 FTP %s\r\n", b"220 ProFTPD 1.3.%s Server (%s)\r\n",
            b"220 ProFTPD %s Server FTP [%s]\r\n", b"220 Microsoft FTP Service %s\r\n",
            b"220 FileZilla Server %s\r\n",
            b"220---------- Welcome to Pure-FTPd [%s] ----------\r\n220 %s\r\n",
            b"220 %s FTP server (Version %s) ready.\r\n", b"220 FTP%s\xc3\xa9\n",
            b"220 %s FTP\r\n"):
        for user in (b"USER %s\r\n", b"user %s@%s\r\n", b"USER anonymous\r\n", b"USER  %s\n",
                b"USER\t%s\r\n"):
            yield [(False, fill(p, greeting)), (True, fill(p, user)),
                (False, b"331 Password for " + p.fresh() + b"\r\n"),
                (True, b"PASS " + p.fresh() + b"\r\n"),
                (False, p.random.choice((b"230 ", b"530 ", b"230-")) + p.fresh() + b"\r\n"),
                (True, b"ACCT " + p.fresh() + b"\r\nSYST\r\n"),
                (False, b"215 UNIX " + p.fresh() + b"\r\n"),
                (True, b"STOR " + p.fresh() + b"\r\n"),
                (False, b"150 " + p.fresh() + b"\r\n226 " + p.fresh() + b"\r\n"),
                (True, b"RETR /" + p.fresh() + b"/" + p.odd() + b"\r\nCWD " + p.fresh() + b"\r\n" +
                p.fresh() + b" " + p.fresh() + b"\r\n"),
                (False, b"257 \"/" + p.fresh() + b"\"\r\n"),
                (True, b"SITE " + p.fresh() * 300 + b"\r\nAUTH " + p.fresh() + b"\r\nCLNT " +
                p.fresh() + b"\r\n"), (False, p.fresh())]
    coded = base64.b64encode(p.fresh())
    yield [(False, b"220 FTP\r\n"), (True, b"AUTH GSSAPI\r\nADAT " + coded + b"\r\n"),
        (False, b"235 ADAT=" + coded + b"\r\n")]


# --- of which little is known ---

def citrix(p):
    yield [(False, b"\x7f\x7fICA\0"), (True, b"\x7f\x7fICA\0"), (False, p.fresh() * 9),
        (True, p.fresh() + p.wide())]
    yield [(True, b"\x1aCGP/01" + p.fresh() * 3), (False, b"\x1aCGP/01" + p.fresh() * 3),
        (True, p.fresh())]
    yield [(True, b"\x1aCGP/0" + p.fresh()), (False, b"\x1aCGP/" + p.fresh())]
    yield [(False, b"\x7f\x7fICA" + p.fresh()), (True, b"\x7f\x7fICA\0" + p.fresh())]


def teamviewer(p):
    yield talk(b"\x17\x24\x0a\x20\0" + p.fresh() * 3, b"\x17\x24\x0b\x20\0" + p.fresh() * 3,
        p.fresh())


def teamviewer_datagrams(p):
    yield talk(b"\0" + p.fresh()[:10] + b"\x17\x24" + p.fresh() * 3, b"\0" + p.fresh()[:10] +
        b"\x17\x24" + p.fresh())


ROWS = [
    Row("ssh", STREAM, (22, 2222, 10022), named({"SSH": ssh}), 30),
    Row("rdp", STREAM, (3389,), named({"RDP": rdp}), 30),
    Row("vnc", STREAM, (5900, 5901, 15900), named({"VNC": vnc}), 20),
    Row("smb", STREAM, (445, 139), named({"SMB": smb}), 10),
    Row("kerberos", DATAGRAMS, (88,), named({"Kerberos": kerberos}), 5),
    Row("kerberos", STREAM, (88,), named({"Kerberos over TCP": kerberos_stream}), 5),
    Row("ipsec", DATAGRAMS, (500, 4500), named({"IPsec": ipsec}), 3),
    Row("wireguard", DATAGRAMS, (51820, 41820), named({"WireGuard": wireguard}), 2),
    Row("openvpn", DATAGRAMS, (1194,), named({"OpenVPN": openvpn}), 3),
    Row("openvpn", STREAM, (1194,), named({"OpenVPN over TCP": openvpn_stream}), 2),
    Row("telnet", STREAM, (23,), named({"telnet": telnet}), 4),
    Row("ftp", STREAM, (21, 2121), named({"FTP": ftp}), 20),
    Row("citrix", STREAM, (1494, 2598), named({"Citrix": citrix}), 3),
    Row("teamviewer", STREAM, (5938,), named({"TeamViewer": teamviewer})),
    Row("teamviewer", DATAGRAMS, (5938,), named({"TeamViewer, UDP": teamviewer_datagrams})),
]
