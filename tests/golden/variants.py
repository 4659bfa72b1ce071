#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A dissector finds the same in other clothes. Prints TAP.

usage: variants.py SENSOR SOURCE_ROOT [NAME...]     (all dissectors; names narrow it)

Of each dissector one capture for TCP and one for UDP is written again in memory, and must
give the same names and attributes, conversation by conversation:

- port: its servers listen elsewhere
- ipv6: the same over IPv6
- vlan, erspan2: tagged; mirrored through an ERSPAN tunnel
- tiny, odd: TCP segments cut into 1 to 7 bytes, and into any sizes (always the same ones)
- midstream: without the handshake and the first segments; what is found must be a part of
  what there was

EXCEPTIONS says of which dissector something else is true, and why. A dissector that is
added needs no change here, unless it belongs there.
"""
import collections
import dataclasses
import glob
import ipaddress
import json
import os
import random
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import frames  # noqa: E402
from tap import Tap  # noqa: E402

# (name, variant) or (name, transport, variant): why it is left out.
EXCEPTIONS = {
    ("tls", "midstream"): "both hellos are at the start; a stream without it is not claimed",
    ("ssh", "midstream"): "what tells is the greeting; all behind it is encrypted",
    ("rdp", "midstream"): "what tells is the connection request; all behind it is TLS or graphics",
    ("vnc", "midstream"): "what tells is the greeting; all behind it is graphics",
    ("openvpn", "tcp", "midstream"): "what tells is the reset of both ends",
    ("ftp", "midstream"): "the capture goes on in TLS",
    ("citrix", "midstream"): "what tells is the greeting of both ends",
    ("teamviewer", "port"): "two bytes tell too little without its port",
    ("carescape", "port"): "the ports tell what kind of broadcast it is",
    ("carescape", "ipv6"): "its broadcasts carry the sender's IPv4 address",
    ("ieee11073", "midstream"): "what tells is the association",
    ("mdns", "port"): "the same messages as DNS: its port and groups alone tell",
    ("llmnr", "port"): "the same messages as DNS: its port and groups alone tell",
}
# (name, attribute): why a variant may give another value.
FREE = {}

NEW_PORTS = 61000 # to 61000 + n; nobody's
VLAN = 10
SEED = 20260301
DROPPED = 2 # segments with payload, of each conversation joined late
LONG_MOST = 1 << 17 # bytes of a capture to be joined late
TRANSPORTS = ("tcp", "udp")


# --- what the sensor says ------------------------------------------------------------

def address(text):
    """Comparable, however it is written."""
    return ipaddress.ip_address(text).packed


def replay(sensor, site, path):
    """{((address, port), (address, port)): (app, attributes)} of dissected flows."""
    run = subprocess.run([sensor, "-r", path, "--site", site, "--json"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, check=False)
    if run.returncode:
        sys.exit(f"exit code {run.returncode} of {path}: {run.stderr.decode(errors='replace')}")
    flows = {}
    for line in run.stdout.splitlines():
        record = json.loads(line)
        if record["type"] != "flow" or record.get("app_source") != "dissector":
            continue
        key = frozenset((address(record[side]["ip"]), record[side].get("port", 0))
                        for side in ("client", "server"))
        app, attributes = flows.get((record["protocol"], key), (record["app"], {}))
        flows[record["protocol"], key] = app, {**attributes, **record.get("attributes", {})}
    return flows


def dissectors_of(sensor):
    out = subprocess.run([sensor, "-L"], stdout=subprocess.PIPE, check=True).stdout.decode()
    return re.findall(r"^([a-z0-9]+) ", out, re.M)


def server_ports(sensor, site, path, name, transport):
    run = subprocess.run([sensor, "-r", path, "--site", site, "--json"], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, check=True)
    for line in run.stdout.splitlines():
        record = json.loads(line)
        if record["type"] == "flow" and record.get("app") == name and \
                record["protocol"] == transport:
            yield record["server"]["port"]


# --- the variants --------------------------------------------------------------------

class Variant:
    """What became of a capture, and how to read its results in the capture's own terms."""

    def __init__(self, packets, addresses=None, ports=None):
        self.frames = packets
        self.addresses = {new: old for old, new in (addresses or {}).items()}
        self.ports = {new: old for old, new in (ports or {}).items()}

    def own(self, key):
        transport, ends = key
        return transport, frozenset((self.addresses.get(ip, ip), self.ports.get(port, port))
                                    for ip, port in ends)


def built(packets):
    return [(p.time, frames.build(p)) for p in packets]


def as_is(packets):
    return [(p.time, p.frame) for p in packets]


def make_port(packets, ports):
    new = {port: NEW_PORTS + i for i, port in enumerate(sorted(ports))}
    moved = [dataclasses.replace(p, ports=tuple(new.get(port, port) for port in p.ports))
             if p.has_ports else p for p in packets]
    return Variant(built(moved), ports=new)


def six(ip):
    if len(ip) == 16:
        return ip
    if ip[0] >= 224:  # multicast, broadcast
        return bytes.fromhex("ff0e") + bytes(10) + ip
    return bytes.fromhex("20010db80064") + bytes(6) + ip


def make_ipv6(packets, _):
    """What belongs to IPv4 alone (ICMP, fragments) is left out."""
    new, kept = {}, []
    for p in packets:
        if p.has_ports:
            new.update({ip: six(ip) for ip in p.ip})
            kept.append(dataclasses.replace(p, ip=tuple(map(six, p.ip))))
        elif not p.ip:
            kept.append(p)
    return Variant(built(kept), addresses=new)


def make_vlan(packets, _):
    return Variant([(p.time, frames.tagged(p.frame, VLAN)) for p in packets])


def make_erspan2(packets, _):
    return Variant([(p.time, frames.erspan2(p.frame, VLAN, n)) for n, p in enumerate(packets)])


def cut(packets, sizes):
    """Each TCP segment in pieces, all at its own time."""
    numbers = 1
    for p in packets:
        if not p.has_ports or p.protocol != frames.TCP:
            yield p
            continue
        payload, sequence = p.payload, p.sequence + bool(p.flags & frames.SYN)
        first = True
        while first or payload:
            part, payload = payload, b""
            if len(part) > 1:
                size = sizes()
                part, payload = part[:size], part[size:]
            flags = p.flags if not payload else p.flags & ~(frames.FIN | frames.PSH)
            yield dataclasses.replace(p, payload=part, flags=flags, number=numbers,
                                      sequence=p.sequence if first else sequence)
            sequence += len(part)
            numbers += 1
            first = False


def make_tiny(packets, _):
    dice = random.Random(SEED)
    return Variant(built(cut(packets, lambda: dice.randint(1, 7))))


def make_odd(packets, _):
    dice = random.Random(SEED)
    return Variant(built(cut(packets, lambda: min(dice.randint(1, 40), dice.randint(1, 1400)))))


def make_midstream(packets, _):
    dropped, kept = {}, []
    for p in packets:
        if not p.has_ports or p.protocol != frames.TCP:
            kept.append(p)
            continue
        key = frozenset(zip(p.ip, p.ports))
        if dropped.setdefault(key, 0) < DROPPED or p.flags & frames.SYN:
            dropped[key] += bool(p.payload)
        else:
            kept.append(p)
    return Variant(built(kept))


VARIANTS = {
    "port": make_port,
    "ipv6": make_ipv6,
    "vlan": make_vlan,
    "erspan2": make_erspan2,
    "tiny": make_tiny,
    "odd": make_odd,
    "midstream": make_midstream,
}
TCP_ONLY = ("tiny", "odd", "midstream")


# --- the comparison ------------------------------------------------------------------

def part_of(found, whole):
    """Counters and sets may be smaller; what is said once must be the same."""
    if isinstance(whole, list):
        return set(found) <= set(whole)
    if isinstance(whole, bool) or isinstance(whole, str):
        return found == whole
    return found <= whole


def differences(name, plain, found, partly):
    """What `found` has otherwise than `plain`: both {key: (app, attributes)}."""
    for key in sorted(set(plain) | set(found), key=str):
        where = " ".join(str(port) for _, port in sorted(key[1]))
        app, attributes = plain.get(key, (None, {}))
        ours, said = found.get(key, (None, {}))
        if partly and ours is None:
            continue  # nothing of it was left
        if app != ours:
            yield f"{where}: {app} is {ours}"
            continue
        for field in sorted(set(attributes) | set(said)):
            a, b = attributes.get(field), said.get(field)
            if (name, field) in FREE or a == b:
                continue
            if not partly or (b is not None and (a is None or not part_of(b, a))):
                yield f"{where}: {field} {a} is {b}"


def exception(name, transport, variant):
    return EXCEPTIONS.get((name, variant)) or EXCEPTIONS.get((name, transport, variant))


class Case:
    """The capture of one dissector and transport, and what the sensor finds in it."""

    def __init__(self, sensor, site, name, transport, path, plain):
        self.sensor, self.site, self.path = sensor, site, path
        self.name, self.transport, self.plain = name, transport, plain
        self.packets = frames.read(path)

    def longest(self):
        """Segments with payload in the longest of its conversations."""
        count = collections.Counter(frozenset(zip(p.ip, p.ports)) for p in self.packets
                                    if p.has_ports and p.payload)
        return max((count[key] for _, key in self.plain), default=0)

    def hold(self, tap, variant, folder):
        title = f"{self.name} over {self.transport}: {variant}"
        why = exception(self.name, self.transport, variant)
        if variant == "midstream" and not why and self.longest() <= DROPPED:
            why = "its conversations are too short"
        if why:
            tap.skip(title, why)
            return
        ports = set(server_ports(self.sensor, self.site, self.path, self.name, self.transport))
        made = VARIANTS[variant](self.packets, ports)
        path = os.path.join(folder, f"{self.name}-{self.transport}-{variant}.pcap")
        frames.write(path, made.frames)
        flows = {made.own(key): said for key, said in
                 replay(self.sensor, self.site, path).items()}
        found = {key: said for key, said in flows.items()
                 if key in self.plain or (key[0] == self.transport and said[0] == self.name)}
        notes = list(differences(self.name, self.plain, found, variant == "midstream"))
        if not any(said[0] == self.name for said in found.values()):
            notes.append(f"no conversation is called {self.name}")
        tap.report(not notes, f"{title} ({os.path.basename(self.path)})", "\n".join(notes))


def worth(flows):
    """How much there is to find: attributes, then conversations."""
    return len({field for _, said in flows.values() for field in said}), len(flows)


def cases_of(sensor, site, root, name):
    """The richest capture of each transport, and the longest conversation over TCP."""
    found, longest = {}, None
    for path in sorted(glob.glob(os.path.join(root, "pcaps", name + "-*.pcap")),
                       key=lambda path: (os.path.getsize(path), path)):
        if re.search(r"-(midstream|odd-segments|ipv6)", path) or frames.read(path) is None:
            continue
        flows = replay(sensor, site, path)
        for transport in TRANSPORTS:
            own = {key: said for key, said in flows.items()
                   if key[0] == transport and said[0] == name}
            if not own:
                continue
            case = Case(sensor, site, name, transport, path, own)
            if transport not in found or worth(own) > worth(found[transport].plain):
                found[transport] = case
            if transport == "tcp" and os.path.getsize(path) < LONG_MOST and \
                    (not longest or case.longest() > longest.longest()):
                longest = case
    return found, longest


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    sensor, root = sys.argv[1], os.path.abspath(sys.argv[2])
    site = os.path.join(root, "tests", "golden", "site.yaml")
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[3:] or dissectors_of(sensor):
            cases, longest = cases_of(sensor, site, root, name)
            if not cases:
                tap.skip(name, "no conversation over TCP or UDP in its captures")
            for case in cases.values():
                for variant in VARIANTS:
                    if variant == "midstream" and case.transport == "tcp":
                        longest.hold(tap, variant, folder)
                    elif case.transport == "tcp" or variant not in TCP_ONLY:
                        case.hold(tap, variant, folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
