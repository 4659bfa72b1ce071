# SPDX-License-Identifier: Apache-2.0
"""The meters that tests/bench/run measures: how each is started offline, in one thread where it
has a choice, and how it tells what it read."""
import glob
import os
import re
import subprocess

from measure import locate, sensor_config

SURICATA = """\
%YAML 1.1
---
# No rules: flows and nothing else, and the numbers to check them by.
default-log-dir: {out}
stats: {{enabled: yes, interval: 3600}}
logging: {{default-log-level: notice, outputs: [console: {{enabled: yes}}]}}
outputs:
  - eve-log:
      enabled: yes
      filetype: regular
      filename: eve.json
      types: [flow, {{stats: {{totals: yes, threads: no}}}}]
# So much memory that nothing is left out for want of it.
flow: {{memcap: 4gb, hash-size: 65536, prealloc: 10000, emergency-recovery: 30}}
stream: {{memcap: 1gb, reassembly: {{memcap: 1gb}}}}
defrag: {{memcap: 256mb, hash-size: 65536, trackers: 65535, max-frags: 65535, prealloc: yes, timeout: 60}}
"""
PMACCTD = """\
daemonize: false
pcap_savefile: {capture}
plugins: nfprobe
nfprobe_receiver: 127.0.0.1:{port}
nfprobe_version: 10
! What it has by default loses records between its two processes.
plugin_pipe_size: 104857600
plugin_buffer_size: 102400
"""


class Meter:
    """`arguments` and `files` (name: text) may name {capture}, {out} (a folder, new for each
    run), {port} (on 127.0.0.1, where somebody listens) and {build}. `tells`: what its output
    says, by name (what a pattern has in several groups is added up): `packets` are all frames, `metered`
    those that it counted in flows. `after`: a program that is
    asked once it has ended. `dpi`: it looks into payloads; None: it has no flows."""

    def __init__(self, name, program, arguments, tells=None, files=None, after=None, slow=(), dpi=False,
                 version=("-V",)):
        self.name, self.program, self.arguments = name, locate(program) or program, arguments
        self.tells, self.files, self.after = tells or {}, files or {}, after
        self.slow, self.dpi, self.version_options = slow, dpi, version

    def there(self):
        return os.access(self.program, os.X_OK)

    def command(self, where):
        for name, text in self.files.items():
            with open(os.path.join(where["out"], name), "w") as f:
                f.write(text.format(**where))
        return [self.program] + [a.format(**where) for a in self.arguments]

    def ask(self, text, where):
        """What its output, and whoever is asked after it, says: packets and flows."""
        if self.after and locate(self.after[0]):
            done = subprocess.run([locate(self.after[0])] + [a.format(**where) for a in self.after[1:]],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  errors="replace", check=False)
            text += done.stdout
        found = {}
        for what, pattern in self.tells.items():
            m = re.search(pattern, text)
            if m:
                found[what] = sum(int(n) for n in m.groups())
        return found

    def version(self):
        """The first number in what it says of itself that looks like one."""
        done = subprocess.run([self.program, *self.version_options], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", check=False)
        m = re.search(r"\bv?(\d+\.\d+[\w.+-]*)", done.stdout)
        return m[1].rstrip(".") if m else ""


def sensors(build, folder):
    program = os.path.join(build, "sensor", "vigie-sensor")
    tells = {"packets": r": (\d+) packets, ", "metered": r", (\d+) metered, ",
             "flows": r"metered, (\d+) flows"}
    configs = {name: sensor_config(folder, name, more)
               for name, more in (("vigie", ""), ("vigie-no-ndpi", "dpi: {enabled: false}\n"))}
    return [Meter(name, program, ["-c", config, "-r", "{capture}"], tells, dpi=True)
            for name, config in configs.items()]


def peers(build):
    softflowd = {"packets": r"(?s)Packets processed: (\d+).*?\((\d+) non-IP", "flows": r"Flows expired: (\d+)"}
    yaf = {"metered": r"Processed (\d+) packets", "flows": r"packets into (\d+) flows"}
    # Of version 2 a plug-in, of 3 an option.
    plugins = (glob.glob("/usr/lib/*/yaf/dpacketplugin.so") +
               glob.glob("/usr/lib*/yaf/dpacketplugin.so") + glob.glob("/usr/local/lib*/yaf/dpacketplugin.so"))
    dpi = "--plugin-name=" + plugins[0] if plugins else "--dpi"
    ipfixprobe = {"packets": r"(?m)^\s*\d+\s+(\d+)\s+\d+\s"}
    ipfix = "ipfix;host=127.0.0.1;port={port};udp"
    return [
        Meter("softflowd", "softflowd", ["-r", "{capture}", "-d", "-c", "none", "-p", "{out}/pid"], softflowd,
              version=("-h",)),
        Meter("softflowd-1m", "softflowd",
              ["-r", "{capture}", "-d", "-m", "1048576", "-c", "none", "-p", "{out}/pid"], softflowd,
              version=("-h",)),
        Meter("nfpcapd", "nfpcapd", ["-r", "{capture}", "-w", "{out}"],
              {"metered": r"Packets: (\d+)", "flows": r"Flows: (\d+)"}, after=("nfdump", "-R", "{out}", "-I")),
        Meter("argus", "argus", ["-X", "-r", "{capture}", "-w", "{out}/records"],
              {"metered": r"sum\s+\d+\s+(\d+)", "flows": r"sum\s+(\d+)"},
              after=("racount", "-r", "{out}/records"), slow=("syn",), version=("-h",)),
        Meter("pmacctd", "pmacctd", ["-f", "{out}/pmacctd.conf"], files={"pmacctd.conf": PMACCTD}),
        Meter("yaf", "yaf", ["--in", "{capture}", "--out", "{out}/flows", "--verbose"], yaf,
              version=("--version",)),
        Meter("mercury", "mercury", ["-r", "{capture}", "-f", "{out}/records"], dpi=True,
              version=("--version",)),
        Meter("yaf-dpi", "yaf", ["--in", "{capture}", "--out", "{out}/flows", "--verbose", "--applabel",
                                 dpi, "--max-payload", "2048"], yaf, dpi=True, version=("--version",)),
        Meter("ipfixprobe", "ipfixprobe", ["-i", "pcap;file={capture}", "-s", "cache;size=20", "-o", ipfix],
              ipfixprobe, version=("-V",)),
        Meter("ipfixprobe-dpi", "ipfixprobe",
              ["-i", "pcap;file={capture}", "-s", "cache;size=20"] +
              [w for p in ("http", "tls", "dns", "quic", "ssdp", "netbios", "smtp", "rtsp", "sip")
               for w in ("-p", p)] + ["-o", ipfix], ipfixprobe, dpi=True, version=("-V",)),
        Meter("suricata", "suricata",
              ["-c", "{out}/suricata.yaml", "-r", "{capture}", "--runmode", "single", "-S", "/dev/null", "-l",
               "{out}", "-k", "none"],
              {"packets": r"read 1 file, (\d+) packets", "flows": r"(?m)^(\d+)$"},
              files={"suricata.yaml": SURICATA}, dpi=True,
              after=("grep", "-c", '"event_type":"flow"', "{out}/eve.json")),
        Meter("ndpiReader", "ndpiReader", ["-i", "{capture}"],
              {"packets": r"of (\d+) packets total", "flows": r"Unique flows:\s+(\d+)"},
              slow=("syn",), dpi=True, version=("-h",)),
        Meter("tshark", "tshark", ["-n", "-q", "-r", "{capture}", "-z", "conv,ip"], slow=None, dpi=True,
              version=("-v",)),
        Meter("tcpdump", "tcpdump", ["-n", "-r", "{capture}", "-w", "/dev/null"], dpi=None,
              version=("--version",)),
        Meter("libpcap", os.path.join(build, "tests", "bench", "read_floor"), ["{capture}"],
              {"packets": r"^(\d+) packets"}, dpi=None),
    ]
