# SPDX-License-Identifier: Apache-2.0
"""The captures that tests/bench/run measures with: made by seed, the same everywhere, and kept
when a folder is given."""
import glob
import hashlib
import os
import struct

from measure import ROOT, captures_below, make, make_mix, say

PACKETS_PER_UDP_FLOW = 10
CHUNK = 1 << 18  # small: a meter is born with the peak of this program
FULL = {"mix": 2_900_000, "tcp10k": 1_070_000, "udp": 10_000_000, "syn": 5_000_000, "clinical": 2_500_000}
SMALL = {"mix": 600_000, "tcp10k": 214_000, "udp": 1_000_000, "syn": 500_000, "clinical": 500_000}
MEANING = {
    "mix": "real captures, interleaved, each copy with addresses of its own",
    "tcp10k": "downloads by HTTP, 66 full segments each, in turns",
    "udp": "64-byte datagrams, 10 to a flow",
    "syn": "64-byte connection requests, each a flow",
    "clinical": "DICOM and HL7 of the project's captures, long transfers and short exchanges",
}


def tool(options, name):
    return os.path.join(options.build, "tests", "bench", name)


def own_clinical():
    """Those of our captures that show DICOM and HL7 over TCP."""
    return sorted(p for kind in ("dicom", "hl7")
                  for p in glob.glob(os.path.join(ROOT, "pcaps", kind + "-*.pcap")))


def generate(kind, options, packets, path):
    seed = str(options.seed)
    if kind == "mix":
        make_mix(options.build, options.captures, options.seed, packets, path)
    elif kind in ("udp", "syn"):
        flows = max(1, packets // PACKETS_PER_UDP_FLOW) if kind == "udp" else packets
        make([tool(options, "make_flows"), "-s", seed, "-k", kind, "-f", str(flows), "-n", str(packets), path])
    else:
        make([tool(options, "make_streams"), "-s", seed, "-k", "tcp" if kind == "tcp10k" else kind, "-n",
              str(packets), path] + (own_clinical() if kind == "clinical" else []))


def fingerprint(kind, options):
    """Of what makes a capture: another one gives another name."""
    name = {"mix": "make_mix", "udp": "make_flows", "syn": "make_flows"}.get(kind, "make_streams")
    h = hashlib.sha256()
    with open(tool(options, name), "rb") as f:
        h.update(f.read())
    sources = {"mix": lambda: captures_below(options.captures), "clinical": own_clinical}
    for source in sources.get(kind, list)():
        h.update(f"{os.path.basename(source)} {os.path.getsize(source)}\n".encode())
    return h.hexdigest()[:8]


def walk(path):
    """Packets and captured bytes of a capture of ours."""
    packets = size = 0
    with open(path, "rb") as f:
        data = f.read(24)
        data = f.read(CHUNK)
        at = 0
        while data:
            while at + 16 <= len(data):
                captured = struct.unpack_from("=I", data, at + 8)[0]
                if at + 16 + captured > len(data):
                    break
                at += 16 + captured
                packets += 1
                size += captured
            more = f.read(CHUNK)
            data, at = data[at:] + more if more else b"", 0
    return packets, size


def ready(kind, options, folder):
    """The capture's facts: path, packets, bytes, average size."""
    wanted = options.packets or (FULL if options.full else SMALL)[kind]
    path = os.path.join(options.keep or folder,
                        f"{kind}-{wanted}-{options.seed}-{fingerprint(kind, options)}.pcap")
    if not os.path.exists(path):
        say(f"making {kind}")
        generate(kind, options, wanted, path + ".part")
        os.rename(path + ".part", path)
    packets, size = walk(path)
    return {"path": path, "packets": packets, "bytes": size, "average_bytes": size / packets,
            "file_bytes": os.path.getsize(path), "full": packets >= 0.9 * FULL[kind]}
