# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: captures, where programs are, medians and tables."""
import os
import re
import shutil
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CAPTURE_ENDS = (".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz")
MOST_FRAMES = 150  # of a capture: the mix then has some 14 packets a flow
PROGRAM = os.path.basename(sys.argv[0])


def say(text):
    """A line of progress, for whoever watches."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()


def stop(code, text):
    sys.stderr.write(f"{PROGRAM}: {text}\n")
    sys.exit(code)


def captures_below(folder):
    found = []
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("fuzz"))
        found += [os.path.join(path, f) for f in sorted(files) if f.endswith(CAPTURE_ENDS)]
    return sorted(found)


def make(command):
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        stop(2, f"{os.path.basename(command[0])}: {done.stderr.strip()}")
    return done.stderr


def make_mix(build, captures, seed, packets, path):
    """The number of packets."""
    told = make([os.path.join(build, "tests", "bench", "make_mix"), "-s", str(seed), "-n",
                 str(packets), "-m", str(MOST_FRAMES), path] + captures_below(captures))
    return int(re.search(r"make_mix: (\d+) packets", told)[1])


def need(build, *tools):
    for tool in tools:
        if not os.access(os.path.join(build, tool), os.X_OK):
            stop(2, f"{build} has no {tool}; build it: meson setup build-release "
                    f"--buildtype=release && ninja -C build-release all tests/bench/read_floor")


def add_options(p, runs, warm_up=None):
    """Options that all have."""
    p.add_argument("--build", default=os.path.join(ROOT, "build-release"),
                   help="a release build (meson setup build-release --buildtype=release)")
    p.add_argument("--captures", default=os.path.join(ROOT, "..", "shared", "pcaps", "public"))
    p.add_argument("--runs", type=int, default=runs)
    if warm_up is not None:
        p.add_argument("--warm-up", type=int, default=warm_up)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--folder", help="for captures and spools; default: a temporary one")
    p.add_argument("--json", metavar="FILE", help="all figures, also of each run")


def sensor_config(folder, name, more="", site=HERE + "/hospital.yaml", out=None,
                  networks=os.path.join(ROOT, "pcaps", "demo", "networks.mmdb")):
    """Everything on: site, addresses' holders, copies, records into a spool on disk."""
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w") as f:
        f.write(f"sensor: bench\n"
                f"site: {site}\n"
                f"geo: {{databases: [{networks}]}}\n"
                f"spool: {{dir: {out or folder + '/out'}/spool}}\n"
                f"{more}")
    return path


def locate(program):
    """Where it is, also among those of root; None if nowhere."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return shutil.which(program, path=path)


def three(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def number(n):
    return f"{n:,.0f}"


def seen(result, packets):
    """What a meter says of the packets that it read."""
    if "packets" in result:
        return "all" if result["packets"] == packets else number(result["packets"])
    if "metered" in result:
        return f"{result['metered'] / packets:.1%}"
    return "does not say"


def print_columns(rows):
    """The first to the left, others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  " + row[0].ljust(widths[0]) + "".join(
            "  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:])))
