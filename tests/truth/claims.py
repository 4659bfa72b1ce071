#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds every claim of a dissector with high confidence against tshark, flow by flow, over
all captures. Prints TAP.

usage: claims.py SENSOR CAPTURES [--list]

A claim agrees when tshark shows that protocol in the flow; it is open when tshark knows
nothing of what is in it; else it disagrees, and must stand in claims-exceptions.tsv with
a reason. --list prints what disagrees as rows for that table. Ends with 77 without
captures or tshark.
"""
import collections
import concurrent.futures
import csv
import glob
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Tap  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))

# tshark's words for ours. An app that is not here has its own name there.
WORDS = {
    "astm": {"astm"}, "bacnet": {"bvlc", "bacnet", "bacapp"}, "citrix": {"ica", "cgp"},
    "enip": {"enip", "cip", "cipio"}, "ftp": {"ftp"},
    "ieee11073": {"ieee11073", "x11073"}, "ipsec": {"isakmp", "udpencap", "esp"},
    "knxnetip": {"kip", "cemi"}, "modbus": {"mbtcp", "modbus", "mbudp"},
    "netbios": {"nbns", "nbdgm"}, "nbns": {"nbns"}, "rdp": {"rdp", "tpkt", "cotp", "rdpudp"},
    "s7": {"s7comm", "s7comm-plus"}, "smb": {"smb", "smb2", "nbss"}, "tls": {"tls", "ssl"},
    "http": {"http", "ipp", "websocket", "ssdp"}, "wireguard": {"wg"},
    "wsd": {"xml", "ws-discovery"}, "dhcp": {"dhcp", "bootp"},
}
# What tshark calls what it does not know, or what says nothing about what is inside.
NOTHING = {"data", "data-text-lines", "_ws.malformed", "_ws.short", "_ws.unreassembled", "tcp.segments",
           "vssmonitoring", "eth", "ethertype", "ip", "ipv6", "tcp", "udp", "sll", "raw", "vlan"}
FIELDS = ["frame.protocols", "ip.src", "ipv6.src", "ip.dst", "ipv6.dst", "tcp.srcport",
          "tcp.dstport", "udp.srcport", "udp.dstport"]
TRANSPORTS = ("tcp", "udp")


def key_of(source, source_port, dest, dest_port, transport):
    return transport, frozenset([(source, source_port), (dest, dest_port)])


def tshark(path):
    """{flow: protocols above its transport}, of the innermost headers."""
    command = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "occurrence=l"]
    for name in FIELDS:
        command += ["-e", name]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    flows = collections.defaultdict(set)
    for line in run.stdout.decode("utf-8", "replace").splitlines():
        row = dict(zip(FIELDS, line.split("\t")))
        protocols = row["frame.protocols"].split(":")
        for transport in TRANSPORTS:
            if transport not in protocols:
                continue
            above = protocols[len(protocols) - protocols[::-1].index(transport):]
            flows[key_of(row["ip.src"] or row["ipv6.src"], row[transport + ".srcport"],
                         row["ip.dst"] or row["ipv6.dst"], row[transport + ".dstport"],
                         transport)] |= set(above) - NOTHING
    return flows


def claims(sensor, path):
    run = subprocess.run([sensor, "-r", path, "--json"], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, check=False)
    for line in run.stdout.splitlines():
        r = json.loads(line)
        if r["type"] != "flow" or r.get("app_source") != "dissector" or \
           r.get("app_confidence") != "high" or r["protocol"] not in TRANSPORTS:
            continue
        client, server = r["client"], r["server"]
        yield r["app"], key_of(client["ip"], str(client.get("port")), server["ip"],
                               str(server.get("port")), r["protocol"])


def judge(app, shown):
    if shown & WORDS.get(app, {app}):
        return "agrees"
    return "disagrees" if shown else "open"


def look(sensor, path, root):
    """[(app, outcome, tshark's words)] of one capture."""
    said = set(claims(sensor, path))
    if not said:
        return []
    flows = tshark(path)
    return [(os.path.relpath(path, root), app, judge(app, flows.get(key, set())),
             "+".join(sorted(flows.get(key, set())))) for app, key in said]


def exceptions():
    with open(os.path.join(HERE, "claims-exceptions.tsv"), encoding="utf-8", newline="") as file:
        return {(r["file"], r["app"], r["tshark"]): r["why"]
                for r in csv.DictReader(file, delimiter="\t")}


def captures_of(root):
    return sorted(p for d in ("clinical", "public") for p in
                  glob.glob(os.path.join(root, d, "**", "*"), recursive=True)
                  if os.path.splitext(p)[1] in (".pcap", ".pcapng", ".cap", ".trace", ".ntar"))


def main():
    sensor, root = sys.argv[1:3]
    paths = captures_of(root)
    if not paths or not shutil.which("tshark"):
        print("1..0 # SKIP", "tshark is missing" if paths else f"{root} is not there")
        return 77
    found = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for rows in pool.map(lambda p: look(sensor, p, root), paths):
            found += rows
    known = exceptions()
    wrong = collections.Counter((f, app, shown) for f, app, outcome, shown in found
                                if outcome == "disagrees")
    if "--list" in sys.argv:
        for row, n in sorted(wrong.items()):
            print(*row, n, known.get(row, ""), sep="\t")
        return 0
    t = Tap(quiet=True)
    outcomes = collections.Counter((app, outcome) for _, app, outcome, _ in found)
    for app in sorted({app for app, _ in outcomes}):
        rows = [row for row in wrong if row[1] == app and row not in known]
        t.report(not rows, f"{app}: " + ", ".join(
            f"{outcomes[app, o]} {o}" for o in ("agrees", "open", "disagrees")),
            "\n".join(f"{f}: tshark says {shown}" for f, _, shown in rows[:20]))
    stale = [row for row in known if row not in wrong]
    t.report(not stale, "every exception is needed", "\n".join(map(str, stale)))
    t.report(found, f"{len(paths)} captures, {len(found)} claims")
    return t.end()


sys.exit(main())
