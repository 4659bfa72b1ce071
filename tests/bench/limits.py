# SPDX-License-Identifier: Apache-2.0
"""What the sensor must keep to, and how a machine is known to be slower or busier.

The limits are nanoseconds of processor time a packet, as they were set on the machine on which
the peers needed REFERENCE. Where some of these peers were measured in the same run, the limit is
moved by what they needed now beside what they needed then (the median of them): so that the
sensor is held to the same distance from its peers, whatever the machine. Memory stays as it is."""
import statistics

LIMITS = { # ns a packet, to reach for, MB
    "mix": (400, 250, 300),
    "tcp10k": (300, 200, None),
    "udp": (250, 100, 400),
    "syn": (300, 120, None), # the bound that is configured
}
# ns a packet; programs as in Debian 12, YAF 2.16.4.
REFERENCE = {
    "mix": {"yaf": 402, "softflowd": 422, "softflowd-1m": 541, "nfpcapd": 794, "yaf-dpi": 905, "argus": 1136,
            "suricata": 1429, "ndpiReader": 1887},
    "tcp10k": {"yaf": 399, "softflowd": 870, "softflowd-1m": 714, "nfpcapd": 840, "yaf-dpi": 821,
               "argus": 1235, "suricata": 5556, "ndpiReader": 1282},
    "udp": {"yaf": 583, "softflowd": 862, "softflowd-1m": 5263, "nfpcapd": 2500, "yaf-dpi": 1316,
            "argus": 4762, "suricata": 1694, "ndpiReader": 7692},
    "syn": {"yaf": 1083, "softflowd": 846, "nfpcapd": 4000, "yaf-dpi": 1657},
}


def factor(kind, results):
    """How much slower the peers are than they were; and who they are. (None, []) without any."""
    shares = {name: results[name]["ns_per_packet"]["median"] / ns for name, ns in REFERENCE[kind].items()
              if name in results and "ns_per_packet" in results[name]}
    return (statistics.median(shares.values()), sorted(shares)) if shares else (None, [])


def judge(kind, results, bound_mb):
    """What `--require` prints and goes by; None for a capture without limits."""
    ours = results.get("vigie")
    if kind not in LIMITS or not ours or "ns_per_packet" not in ours:
        return None
    limit, reach, most_mb = LIMITS[kind]
    ns, mb = ours["ns_per_packet"]["median"], ours["peak_mb"]["median"]
    moved, by = factor(kind, results)
    held = limit * moved if moved else limit
    most_mb = most_mb or (bound_mb if kind == "syn" else None)
    return {
        "ns": ns, "limit_ns": limit, "reach_ns": reach, "factor": moved, "factor_of": by,
        "limit_here_ns": held, "absolute": ns <= limit, "relative": ns <= held if moved else None,
        "mb": mb, "limit_mb": most_mb, "memory": mb <= most_mb if most_mb else None,
        "kept": ns <= held and (not most_mb or mb <= most_mb),
    }


def tell(v):
    yes = {True: "kept", False: "MISSED", None: "not measured"}
    lines = [f"  limit: {v['limit_ns']} ns as set: {yes[v['absolute']]} ({v['ns']:.0f} ns)"]
    if v["factor"]:
        lines.append(f"  beside the peers: {v['limit_here_ns']:.0f} ns, as {', '.join(v['factor_of'])} take "
                     f"{v['factor']:.2f} times what they took: {yes[v['relative']]}")
    if v["limit_mb"]:
        lines.append(f"  memory: {v['limit_mb']:.0f} MB: {yes[v['memory']]} ({v['mb']:.0f} MB)")
    return lines
