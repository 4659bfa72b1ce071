#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what the sensor counts of HTTP against tshark, flow by flow, over all captures that
have any: methods, classes of status codes, refusals. Prints TAP.

usage: http.py SENSOR CAPTURES

Ends with 77 without captures or tshark.
"""
import collections
import concurrent.futures
import csv
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from tap import Tap  # noqa: E402

FIELDS = ["ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst", "tcp.dstport",
          "http.request.method", "http.response.code"]
METHODS = {"GET": "get", "POST": "post", "PUT": "put", "DELETE": "delete", "HEAD": "head"}
COUNTED = [f"http.{m}" for m in METHODS.values()] + ["http.other_method"] + \
          [f"http.status_{n}xx" for n in range(1, 6)] + ["http.unauthorized"]


def say(said, method, code):
    if method:
        said["http." + METHODS.get(method, "other_method")] += 1
    if code:
        said[f"http.status_{code[0]}xx"] += 1
        if code in ("401", "403"):
            said["http.unauthorized"] += 1


def tshark(path):
    command = ["tshark", "-n", "-r", path, "-Y", "http && tcp", "-T", "fields", "-E", "occurrence=a"]
    for name in FIELDS:
        command += ["-e", name]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    flows = collections.defaultdict(collections.Counter)
    for line in run.stdout.decode("utf-8", "replace").splitlines():
        row = {k: v.split(",") for k, v in zip(FIELDS, line.split("\t"))}
        ends = [((row["ip." + s] if row["ip." + s][-1] else row["ipv6." + s])[-1],
                 row[f"tcp.{s}port"][-1]) for s in ("src", "dst")]
        for method in row["http.request.method"]:
            say(flows[frozenset(ends)], method, "")
        for code in row["http.response.code"]:
            say(flows[frozenset(ends)], "", code)
    return flows


def ours(sensor, path):
    run = subprocess.run([sensor, "-r", path, "--json"], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, check=False)
    flows = collections.defaultdict(collections.Counter)
    for line in run.stdout.splitlines():
        r = json.loads(line)
        if r["type"] == "flow" and r.get("app") == "http" and r.get("app_source") == "dissector":
            said = flows[frozenset((r[s]["ip"], str(r[s]["port"])) for s in ("client", "server"))]
            for name in COUNTED:
                said[name] += r.get("attributes", {}).get(name, 0)
    return flows


def look(sensor, path, root):
    got = ours(sensor, path)
    if not got:
        return os.path.relpath(path, root), 0, []
    wanted = tshark(path)
    wrong = []
    for key, said in got.items():
        differs = {n: (said[n], wanted[key][n]) for n in COUNTED if said[n] != wanted[key][n]}
        if differs:
            wrong.append(f"{'-'.join(':'.join(e) for e in sorted(key))}: (ours, tshark's) {differs}")
    return os.path.relpath(path, root), len(got), wrong


def main():
    sensor, root = sys.argv[1:3]
    names = []
    manifest = os.path.join(root, "public", "MANIFEST.tsv")
    if os.path.exists(manifest) and shutil.which("tshark"):
        with open(manifest, encoding="utf-8", newline="") as file:
            names = [os.path.join(root, "public", r["file"]) for r in csv.DictReader(file, delimiter="\t")
                     if "http" in re.split(r"[^\w-]+", r["protocols_tshark"])]
        names += [os.path.join(root, "clinical", n + ".pcap") for n in ("fhir-npm", "dicomweb-orthanc")]
    if not names:
        print("1..0 # SKIP tshark, or the captures, are missing")
        return 77
    with open(os.path.join(HERE, "http-exceptions.tsv"), encoding="utf-8", newline="") as file:
        known = {r["file"]: r["why"] for r in csv.DictReader(file, delimiter="\t")}
    t, flows = Tap(quiet=True), 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for name, count, wrong in pool.map(lambda p: look(sensor, p, root), names):
            flows += count
            if wrong or name in known:
                t.report(bool(wrong) == (name in known), f"{name}: {known.get(name, 'as tshark')}",
                         "\n".join(wrong[:5]))
    t.report(flows, f"{len(names)} captures, {flows} connections that both call HTTP")
    return t.end()


sys.exit(main())
