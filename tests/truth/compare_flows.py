#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds flow records against what others computed for the same captures.

usage: compare_flows.py --captures DIR [--only TEXT] [--list] -- COMMAND ... {file} ...

Runs COMMAND on each capture, with {file} replaced; it prints flow records, one
JSON object a line (docs/records.md). DIR has public/MANIFEST.tsv and public/truth.
All records of one 5-tuple are added up. Then, over the captures on which the
independent reader of the truth agrees with tshark:

- packets and IP bytes of each direction are equal on at least 99 % of the tuples,
  and each tuple that is not has a row in flows-exceptions.tsv with its cause;
- the Community ID is equal wherever one is given;
- Zeek's packets and IP bytes are equal on at least 95 % of its rows.

Ends with 0 when all of it holds, 1 when not, 77 when there are no captures.
"""
import argparse
import collections
import ipaddress
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
NUMBERS = {"icmp": 1, "igmp": 2, "ipip": 4, "tcp": 6, "udp": 17, "ipv6": 41, "rsvp": 46, "gre": 47, "esp": 50,
           "ah": 51, "icmpv6": 58, "eigrp": 88, "ospf": 89, "pim": 103, "vrrp": 112,
           "l2tp": 115, "sctp": 132, "udplite": 136}
PORTS = {6, 17, 132}
# Zeek's connections that carry others; ours are the inner ones, these their attribute.
TUNNELS = {"ayiya", "geneve", "gtpv1", "teredo", "vxlan"}
LEAST_EQUAL, LEAST_ZEEK = 0.99, 0.95


def protocol_number(word):
    if str(word).isdigit():
        return int(word)
    return NUMBERS[word]


def address(text):
    """IPv4 in IPv6 form and IPv4 are one."""
    ip = ipaddress.ip_address(text)
    return str(getattr(ip, "ipv4_mapped", None) or ip)


class Tuples:
    """Packets and bytes of each direction, and Community IDs, per 5-tuple."""

    def __init__(self):
        self.sums = collections.defaultdict(lambda: [0, 0, 0, 0])
        self.ids = collections.defaultdict(set)

    def add(self, protocol, a, b, forward, backward, community_id=None):
        """a and b are (address, port); forward and backward (packets, bytes)."""
        if protocol not in PORTS:
            a, b = (a[0], 0), (b[0], 0)
        if a > b:
            a, b, forward, backward = b, a, backward, forward
        elif a == b:
            forward = (forward[0] + backward[0], forward[1] + backward[1])
            backward = (0, 0)
        key = (protocol, a, b)
        self.sums[key] = [x + y for x, y in zip(self.sums[key], (*forward, *backward))]
        if community_id and community_id != "-":
            self.ids[key].update(community_id.split(","))


def text_of(key):
    protocol, a, b = key
    return f"{protocol} {a[0]} {a[1]} {b[0]} {b[1]}"


def read_table(path):
    with open(path, encoding="utf-8") as lines:
        names = next(lines).rstrip("\n").split("\t")
        for line in lines:
            yield dict(zip(names, line.rstrip("\n").split("\t")))


def read_truth(folder):
    """Tuples of each capture, from the blocks of truth/flows."""
    files = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as lines:
            for line in lines:
                part = line.rstrip("\n").split("\t")
                if part[0] == "# file":
                    current = files[part[1]] = Tuples()
                elif part[0] in ("inner", "both"):
                    v = dict(zip(header, part))
                    current.add(int(v["proto"]), (address(v["src"]), int(v["sport"])),
                                (address(v["dst"]), int(v["dport"])),
                                (int(v["fwd_pkts"]), int(v["fwd_ipbytes"])),
                                (int(v["rev_pkts"]), int(v["rev_ipbytes"])), v["community_id"])
                elif part[0] == "view":
                    header = part
    return files


def read_zeek(path):
    """Zeek's connections, those of one script and 5-tuple added up."""
    files = collections.defaultdict(lambda: collections.defaultdict(Tuples))
    for v in read_table(path):
        protocol = {"icmp": 58 if ":" in v["orig_h"] else 1}.get(v["proto"]) or \
            NUMBERS.get(v["proto"])
        counts = [v[n] for n in ("orig_pkts", "orig_ip_bytes", "resp_pkts", "resp_ip_bytes")]
        if not protocol or "-" in counts or TUNNELS & set(v["service"].split(",")):
            continue
        counts = [int(n) for n in counts]
        files[v["file"]][v["btest"]].add(
            protocol, (address(v["orig_h"]), int(v["orig_p"])),
            (address(v["resp_h"]), int(v["resp_p"])), tuple(counts[:2]), tuple(counts[2:]),
            v["community_id"])
    return files


def end(side):
    return address(side["ip"]), side.get("port", 0)


def run(command, path):
    out = subprocess.run([path if word == "{file}" else word for word in command],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if out.returncode not in (0, 1, 3):
        print(f"{path}: exit code {out.returncode}: {out.stderr.decode(errors='replace')[:300]}")
    found = Tuples()
    for line in out.stdout.splitlines():
        record = json.loads(line)
        if record.get("type") != "flow":
            continue
        packets, size = record["packets"], record["bytes"]
        found.add(protocol_number(record["protocol"]), end(record["client"]),
                  end(record["server"]),
                  (packets.get("to_server", 0), size.get("to_server", 0)),
                  (packets.get("to_client", 0), size.get("to_client", 0)),
                  record.get("community_id"))
    return found


class Score:
    def __init__(self):
        self.equal = self.all = 0

    def count(self, good):
        self.equal += good
        self.all += 1
        return good

    def share(self):
        return self.equal / self.all if self.all else 1.0

    def __str__(self):
        return f"{self.equal} of {self.all} ({100 * self.share():.2f} %)"


def compare(found, truth, say):
    """Yields (key, equal) for tuples of either side."""
    for key in sorted(set(truth.sums) | set(found.sums)):
        ours, theirs = found.sums.get(key), truth.sums.get(key)
        if ours != theirs:
            say(f"{text_of(key)}: ours {ours}, truth {theirs}")
        yield key, ours == theirs


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("--captures", required=True)
    options.add_argument("--only", default="", help="captures whose name has this text")
    options.add_argument("--list", action="store_true", help="show every difference")
    options.add_argument("command", nargs="+")
    args = options.parse_args()
    public = os.path.join(args.captures, "public")
    if not os.path.exists(os.path.join(public, "MANIFEST.tsv")):
        print(f"skipped: no captures in {args.captures}")
        return 77

    truth = read_truth(os.path.join(public, "truth", "flows"))
    zeek = read_zeek(os.path.join(public, "truth", "norm", "zeek_conn.tsv"))
    exceptions = {(v["file"], v["tuple"]): v["cause"]
                  for v in read_table(os.path.join(HERE, "flows-exceptions.tsv"))}
    sets, ids, by_zeek = collections.defaultdict(Score), Score(), Score()
    total, unlisted, used = Score(), [], set()

    for row in read_table(os.path.join(public, "MANIFEST.tsv")):
        name = row["file"]
        if args.only not in name:
            continue
        held = row["agreement"] == "EQUAL" and name in truth
        if not held and name not in zeek:
            continue
        say = (lambda text, name=name: print(f"{name}: {text}")) if args.list else lambda _: None
        found = run(args.command, os.path.join(public, name))
        for key, equal in compare(found, truth[name], say) if held else ():
            total.count(equal)
            sets[name.split("/")[0]].count(equal)
            if not equal and (name, text_of(key)) not in exceptions:
                unlisted.append(f"{name}\t{text_of(key)}")
            used.add((name, text_of(key)) if not equal else None)
        for key, given in truth[name].ids.items() if held else ():
            if (name, text_of(key)) in exceptions:
                used.add((name, text_of(key)))
            elif not ids.count(given <= found.ids[key]):
                print(f"{name}: {text_of(key)}: Community ID {given}, ours {found.ids[key]}")
        for script, rows in zeek.get(name, {}).items():
            for key, sums in rows.sums.items():
                if not by_zeek.count(found.sums.get(key) == sums):
                    say(f"zeek {script}: {text_of(key)}: ours {found.sums.get(key)}, zeek {sums}")

    for name, score in sorted(sets.items()):
        print(f"{name:24} {score}")
    print(f"tuples equal:          {total}")
    print(f"Community IDs equal:   {ids}")
    print(f"Zeek's rows equal:     {by_zeek}")
    for text in unlisted:
        print(f"differs, and has no row in flows-exceptions.tsv: {text}")
    for file, key in sorted(set(exceptions) - used):
        if args.only in file:
            print(f"exception that is none any more: {file}\t{key}")
    good = (total.share() >= LEAST_EQUAL and ids.equal == ids.all
            and by_zeek.share() >= LEAST_ZEEK and not unlisted)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
