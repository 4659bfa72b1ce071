#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds JA3, JA3S, JA4 and the names in QUIC against what other projects computed.
Prints TAP.

usage: fingerprints.py SENSOR CAPTURES

Each value of Arkime's, FoxIO's, nDPI's and Suricata's tables under
CAPTURES/public/truth/norm must be said of the same conversation by the sensor; each
name that tshark finds in QUIC, too. What differs has its reason in EXCEPTIONS, and a
reason that is no longer needed is a mistake. Skipped without captures.
"""
import collections
import csv
import ipaddress
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Tap  # noqa: E402

FIELDS = {
    "ja3": ("tls.ja3", "quic.ja3"),
    "ja3s": ("tls.ja3s",),
    "ja4": ("tls.ja4", "quic.ja4"),
    "quic-sni": ("quic.sni",),
}
# (source, file, kind), each of which may be "*" -> why no value of theirs is ours.
INSIDE = "TLS inside another protocol (CONNECT, SOCKS, MySQL, OpenVPN): the flow is called that"
DTLS = "DTLS is not dissected"
GOOGLE = "Google's own QUIC (Q025, Q046, Q050) is not dissected"
TWO_FIRST = ("nDPI takes the first two characters of the first ALPN; JA4 is defined by its first "
             "and last, and FoxIO's and Suricata's values agree with that")
NO_SNI = ("nDPI writes d though there is no server_name extension, as tshark shows; JA4 is "
          "defined to have i")
BROKEN = "a hello whose lengths contradict each other (a fuzzed one): nothing is said of it"
CUT = "nDPI 4.2 leaves ciphers out of a long list; tshark's JA3 is ours"
EXCEPTIONS = {
    ("arkime", "ja4/pcap/https-connect.pcap", "*"): INSIDE,
    ("arkime", "ja4/pcap/socks4-https.pcap", "ja3s"): INSIDE,
    ("arkime", "arkime/pcap/mysql-tls.pcap", "*"): INSIDE,
    ("arkime", "arkime/pcap/openvpn_synthetic.pcap", "*"): INSIDE,
    ("arkime", "arkime/pcap/wireshark-dtls12.pcap", "ja4"): DTLS,
    ("foxio", "ja4/pcap/tls-handshake.pcapng", "ja4-again"):
        "the second hello after a HelloRetryRequest; the first one's is said",
    ("ndpi-4.2", "ndpi42/pcap/dtls.pcap", "ja3"): DTLS,
    ("ndpi-4.2", "ndpi42/pcap/ja3_lots_of_cipher_suites.pcap", "ja3"): CUT,
    ("ndpi-4.2", "ndpi42/pcap/tls_cipher_lens.pcap", "ja3"): BROKEN,
    ("ndpi-2025", "ndpi42/pcap/tls_cipher_lens.pcap", "ja4"): BROKEN,
    ("ndpi-2025", "ndpi42/pcap/dns_dot.pcap", "ja4"): NO_SNI,
    ("ndpi-2025", "ndpi42/pcap/tls-esni-fuzzed.pcap", "ja4"): NO_SNI,
    ("tshark", "zeek/traces/ppp/quic-interop-retry.pcap", "quic-sni"): "a port stands in the name",
    ("tshark", "zeek/traces/quic/interop/quic-go_quic-go/handshake.pcap", "quic-sni"):
        "a port stands in the name",
}
EXCEPTIONS.update({("*", file, "quic-sni"): GOOGLE for file in (
    "ndpi42/pcap/http_ipv6.pcap", "ndpi42/pcap/quic_q50.pcap", "ndpi42/pcap/telegram.pcap")})
EXCEPTIONS.update({("ndpi-2025", file, "ja4"): TWO_FIRST for file in (
    "ndpi42/pcap/6in4tunnel.pcap", "ndpi42/pcap/dlt_ppp.pcap", "ndpi42/pcap/http_ipv6.pcap",
    "ndpi42/pcap/os_detected.pcapng", "ndpi42/pcap/quic-29.pcap",
    "ndpi42/pcap/quic-mvfst-27.pcapng", "ndpi-2025/pcap/tls_1.3_unidirectional_client.pcapng")})


def endpoint(address, port):
    try:
        address = str(ipaddress.ip_address(address.strip("[]")))
    except ValueError:
        pass  # "-": no address at all
    return address, int(port) if str(port).isdigit() else 0


def conversation(a, a_port, b, b_port):
    return frozenset((endpoint(a, a_port), endpoint(b, b_port)))


def rows(captures, name):
    path = os.path.join(captures, "public", "truth", "norm", name)
    with open(path, encoding="utf-8") as table:
        yield from csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)


def wanted(file, key, kind, value):
    return [(file, key, kind, value)] if value and value != "-" else []


def of_arkime(captures):
    for row in rows(captures, "arkime_sessions.tsv"):
        key = conversation(row["src"], row["sport"], row["dst"], row["dport"])
        for kind in ("ja3", "ja3s", "ja4"):
            yield from wanted(row["file"], key, kind, row[kind])


def of_foxio(captures):
    for row in rows(captures, "ja4_foxio.tsv"):
        if re.fullmatch(r"JA4\.\d+", row["kind"]):
            key = conversation(row["src"], row["sport"], row["dst"], row["dport"])
            # The first hello of a connection, and those behind it.
            kind = "ja4" if row["kind"] == "JA4.1" else "ja4-again"
            yield from wanted(row["file"], key, kind, row["value"])


def of_ndpi(captures, table, ja3):
    for row in rows(captures, table):
        key = conversation(row["a_ip"], row["a_port"], row["b_ip"], row["b_port"])
        for kind, column in (("ja3", ja3), ("ja3s", "ja3s"), ("ja4", "ja4")):
            yield from wanted(row["file"], key, kind, row.get(column))
        if row["proto_name"].startswith("QUIC"):
            yield from wanted(row["file"], key, "quic-sni", row["sni"])


def of_suricata(captures):
    """Of a whole file: its checks name no conversation."""
    patterns = {"ja3": r"tls\.ja3\.hash=\"?(\w+)", "ja3s": r"tls\.ja3s\.hash=\"?(\w+)",
                "ja4": r"(?:tls|quic)\.ja4=\"?(\w+)", "quic-sni": r"quic\.sni=\"?([\w.-]+)"}
    for row in rows(captures, "suricata_checks.tsv"):
        if row["match"].startswith("count=0"):
            continue
        for kind, pattern in patterns.items():
            for value in re.findall(pattern, row["match"]):
                yield from wanted(row["file"], None, kind, value)


def of_tshark(captures):
    with open(os.path.join(captures, "public", "MANIFEST.tsv"), encoding="utf-8") as table:
        manifest = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
    for row in manifest:
        words = {word.split(":")[0] for word in row["protocols_tshark"].split()}
        if "quic" in words:
            yield from tshark_names(captures, row["file"])


def tshark_names(captures, file):
    columns = ["ip.src", "ipv6.src", "udp.srcport", "ip.dst", "ipv6.dst", "udp.dstport",
               "tls.handshake.extensions_server_name"]
    command = ["tshark", "-n", "-r", os.path.join(captures, "public", file), "-Y",
               "quic && tls.handshake.extensions_server_name", "-T", "fields", "-E", "occurrence=l"]
    for column in columns:
        command += ["-e", column]
    out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    for line in out.stdout.decode().splitlines():
        src, src6, sport, dst, dst6, dport, name = line.split("\t")
        key = conversation(src6 or src, sport, dst6 or dst, dport)
        yield from wanted(file, key, "quic-sni", name)


def ours_of(sensor, path):
    """What the sensor says: by conversation, and of the whole file under None."""
    run = subprocess.run([sensor, "-r", path, "--json", "--dedup", "off"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if run.returncode not in (0, 3):
        sys.exit(f"exit code {run.returncode} of {path}: {run.stderr.decode()}")
    said = collections.defaultdict(lambda: collections.defaultdict(set))
    for line in run.stdout.splitlines():
        flow = json.loads(line)
        if flow["type"] != "flow":
            continue
        ends = [flow[side] for side in ("client", "server")]
        key = frozenset(endpoint(end["ip"], end.get("port", 0)) for end in ends)
        for kind, names in FIELDS.items():
            for name in names:
                if name in flow.get("attributes", {}):
                    said[key][kind].add(flow["attributes"][name])
                    said[None][kind].add(flow["attributes"][name])
    return said


def reason(source, file, kind):
    for key in ((source, file, kind), (source, file, "*"), ("*", file, kind), ("*", file, "*"),
                (source, "*", kind), ("*", "*", kind)):
        if key in EXCEPTIONS:
            return key
    return None


def hold(tap, sensor, captures, sources):
    needed, cache = set(), {}
    for source, values in sources.items():
        equal, explained, wrong = collections.Counter(), collections.Counter(), []
        for file, key, kind, value in values:
            if file not in cache:
                cache[file] = ours_of(sensor, os.path.join(captures, "public", file))
            ours = cache[file][key][kind]
            why = reason(source, file, kind)
            if value in ours:
                equal[kind] += 1
            elif why:
                needed.add(why)
                explained[why] += 1
            else:
                where = sorted(key) if key else "anywhere"
                wrong.append(f"{file} {where} {kind}: theirs {value}, ours {sorted(ours)}")
        counts = ", ".join(f"{n} {kind}" for kind, n in sorted(equal.items()))
        notes = [f"{n} in {why[1]} ({why[2]}): {EXCEPTIONS[why]}" for why, n in explained.items()]
        tap.report(not wrong, f"{source}: equal {counts or 'none'}; explained "
                   f"{sum(explained.values())}; wrong {len(wrong)}", "\n".join(wrong + notes))
    return needed


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    sensor, captures = sys.argv[1:]
    if not os.path.exists(os.path.join(captures, "public", "truth", "norm")):
        print(f"1..0 # SKIP no truth in {captures}")
        return 0
    tap = Tap()
    sources = {
        "arkime": of_arkime(captures),
        "foxio": of_foxio(captures),
        "ndpi-4.2": of_ndpi(captures, "ndpi42_flows.tsv", "ja3c"),
        "ndpi-2025": of_ndpi(captures, "ndpi2025_flows.tsv", "ja3"),
        "suricata": of_suricata(captures),
    }
    if shutil.which("tshark"):
        sources["tshark"] = of_tshark(captures)
    else:
        tap.skip("names that tshark finds in QUIC", "tshark is not installed")
    needed = hold(tap, sensor, captures, sources)
    if "tshark" in sources:
        spare = [f"{key}: {why}" for key, why in EXCEPTIONS.items() if key not in needed]
        tap.report(not spare, "every exception is needed", "\n".join(spare))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
