#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the flows of the demo hospital against pcaps/demo/expected.tsv. Prints TAP.

usage: expected.py SENSOR SOURCE_ROOT

Every row has its flow, with that application, verdict and vendor; every flow has a
row; and a conversation that the mirror shows on both sides of a router is one flow.
"""
import collections
import csv
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import Tap  # noqa: E402

# What the table promises and the sensor does not judge yet, and what it says instead.
NOT_YET = {"vendor-out-of-hours": "vendor"}

# One conversation each: packets and IP bytes of a meter that saw it once (to server,
# to client), how many packets are shown again behind the router, and the way.
ROUTED = {
    "routed-tagged": ([17, 11], [10030, 953], 28, ["vlan:10", "vlan:20"], 0),
    "routed-untagged": ([17, 11], [10030, 953], 28,
                        ["mac:00:09:5c:01:00:05", "mac:02:00:00:00:fe:14"], 0),
    "routed-retransmission": ([11, 5], [1996, 492], 16, ["vlan:60", "vlan:50"], 3),
}


def flows_of(sensor, demo, name):
    run = subprocess.run([sensor, "-r", os.path.join(demo, name + ".pcap"), "--json",
                          "--site", os.path.join(demo, "hospital.yaml"),
                          "--geo", os.path.join(demo, "networks.mmdb")],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    records = [json.loads(line) for line in run.stdout.splitlines()]
    problem = f"exit code {run.returncode}: {run.stderr.decode()}" if run.returncode else ""
    return [r for r in records if r["type"] == "flow"], problem


def key_of(flow):
    server = flow["server"]
    return flow["client"]["ip"], server["ip"], str(server.get("port", 0)), flow["protocol"]


def differences(row, flow):
    said = {"app": flow.get("app", "-"), "verdict": flow["verdict"],
            "vendor": flow.get("vendor", "-")}
    for name, value in said.items():
        if value != row[name] and not (name == "vendor" and row[name] == "-"):
            yield name, row[name], value


def hold_row(tap, row, flows):
    name = f"{row['capture']}: {row['client_ip']} > {row['server_ip']}:{row['server_port']} " \
           f"{row['app']} {row['verdict']}"
    if not flows:
        tap.report(False, name, "no such flow")
        return
    wrong = [d for flow in flows for d in differences(row, flow)]
    todo = f"judged as {NOT_YET[row['verdict']]} so far" if row["verdict"] in NOT_YET and all(
        NOT_YET.get(expected) == said for _, expected, said in wrong) else ""
    tap.report(not wrong, name,
               "\n".join(f"{n}: expected {e}, said {s}" for n, e, s in wrong), todo)


def hold_routed(tap, name, flows):
    packets, size, copies, path, retransmissions = ROUTED[name]
    tap.report(len(flows) == 1, f"{name}: one flow", "" if len(flows) == 1 else len(flows))
    for flow in flows:
        for what, said, expected in (
                ("packets count once", list(flow["packets"].values()), packets),
                ("bytes count once", list(flow["bytes"].values()), size),
                ("copies", flow["copies"], {"mirror": 0, "routed": copies}),
                ("path", flow.get("path"), path),
                ("retransmissions", flow["tcp"]["retransmissions"], retransmissions)):
            tap.report(said == expected, f"{name}: {what}", f"{said}, expected {expected}"
                       if said != expected else "")


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    demo = os.path.join(os.path.abspath(sys.argv[2]), "pcaps", "demo")
    with open(os.path.join(demo, "expected.tsv"), encoding="utf-8") as table:
        rows = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
    captures = {f[:-len(".pcap")] for f in os.listdir(demo) if f.endswith(".pcap")}
    tap = Tap()
    unnamed = captures - {row["capture"] for row in rows}
    tap.report(not unnamed, "every capture has rows", " ".join(sorted(unnamed)))
    for name in sorted(captures):
        flows, problem = flows_of(sys.argv[1], demo, name)
        by_key = collections.defaultdict(list)
        for flow in flows:
            by_key[key_of(flow)].append(flow)
        tap.report(not problem, f"{name} replays", problem)
        for row in rows:
            if row["capture"] == name:
                key = (row["client_ip"], row["server_ip"], row["server_port"], row["protocol"])
                hold_row(tap, row, by_key.pop(key, []))
        tap.report(not by_key, f"{name}: no flow without a row",
                   "\n".join(" ".join(key) for key in by_key))
        if name in ROUTED:
            hold_routed(tap, name, flows)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
