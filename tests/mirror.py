# SPDX-License-Identifier: Apache-2.0
"""A mirror port of our own: a network namespace with a pair of interfaces, for what
listens live. What is sent there stays there."""
import atexit
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)
SEND_MOST = 1_000_000  # frames a second that a socket is good for


def possible():
    """Whether a namespace can be made here; if not, why."""
    if os.geteuid():
        return 'needs root'
    if subprocess.run(['unshare', '-n', '-m', 'ip', 'link', 'add', 'name', 'x0', 'type', 'veth', 'peer',
                       'name', 'x1'], capture_output=True, check=False).returncode:
        return 'needs namespaces of network and mounts, and iproute2'
    return ''


class Mirror:
    """`port` is where to listen; `feed` its other end. Removed when the program ends."""
    port, feed = 'port0', 'feed0'

    def __init__(self, sender):
        self.sender, self.name = sender, f'vm{os.getpid()}'
        self.children = []
        atexit.register(self.close)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(130))
        self.ip_netns('add')
        self.run('sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1',
                 'net.ipv6.conf.default.disable_ipv6=1')
        self.plug()

    def plug(self):
        """Both ends, up. Also after the port was removed."""
        self.run('ip', 'link', 'add', 'name', self.feed, 'type', 'veth', 'peer', 'name', self.port)
        for end in (self.feed, self.port):
            self.run('ip', 'link', 'set', 'dev', end, 'up', 'promisc', 'on')
        # Counts what comes in, from wherever.
        self.run('tc', 'qdisc', 'add', 'dev', self.port, 'clsact')
        self.run('tc', 'filter', 'add', 'dev', self.port, 'ingress', 'protocol', 'all', 'u32',
                 'match', 'u32', '0', '0', 'flowid', '1:1')

    def close(self):
        for p in self.children:
            if p.poll() is None:
                p.kill()
                p.wait()
        self.children.clear()
        if self.name:
            self.ip_netns('del')
            self.name = None

    def ip_netns(self, verb):
        subprocess.run(['ip', 'netns', verb, self.name], check=verb == 'add',
                       stderr=None if verb == 'add' else subprocess.DEVNULL)

    def inside(self, *words):
        return ['ip', 'netns', 'exec', self.name, *map(str, words)]

    def run(self, *words, check=True):
        """Its output."""
        return subprocess.run(self.inside(*words), check=check, stdout=subprocess.PIPE,
                              text=True).stdout

    def start(self, *words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more):
        """A program inside, which does not outlive us."""
        p = subprocess.Popen(self.inside(*words), stdin=subprocess.DEVNULL, stdout=stdout,
                             stderr=stderr, **more,
                             preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
        self.children.append(p)
        return p

    def came_in(self):
        """Frames that the port has received, as the kernel counts them."""
        told = self.run('tc', '-s', 'qdisc', 'show', 'dev', self.port)
        return int(re.search(r'clsact.*?Sent \d+ bytes (\d+) pkt', told, re.S)[1])

    def start_sending(self, *what, rate=0, seconds=None, frames=None, way=None, options=(), cpu=0):
        """send_frames (see there), once it is ready to begin; its account is its output."""
        way = way or ('send' if 0 < rate <= SEND_MOST else 'inject')
        # Before all else, as a network card is that interrupts.
        words = ['nice', '-n', '-20', self.sender, '-w', way, '-i', self.port if way == 'inject' else self.feed,
                 *options]
        for letter, value in (('-r', rate), ('-t', seconds), ('-n', frames), ('-c', cpu)):
            if value is not None:
                words += [letter, value]
        return self.start(*words, *what, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)

    def sent(self, process):
        out, err = process.communicate()
        self.children.remove(process)
        if process.returncode:
            raise RuntimeError(f'send_frames: {err.strip()}')
        return json.loads(out)

    def send(self, *what, **how):
        """Sends, and gives the sender's account, which must be the kernel's."""
        before = self.came_in()
        account = self.sent(self.start_sending(*what, **how))
        time.sleep(0.05)
        came = self.came_in() - before
        # A page cannot always be had for a frame; more than a few would be a mistake.
        if abs(came - account['frames']) > account['frames'] / 100000 + 2:
            raise RuntimeError(f"{account['frames']} frames were offered, {came} came in")
        account['frames'] = came
        return account


def status_of(pid, *names):
    """Numbers of /proc/PID/status."""
    with open(f'/proc/{pid}/status', encoding='ascii') as f:
        lines = dict(line.split(':', 1) for line in f)
    return [int(lines[n].split()[0]) for n in names]


def processor_seconds(pid):
    with open(f'/proc/{pid}/stat', encoding='ascii') as f:
        fields = f.read().rsplit(') ', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def counters_of(summary):
    """The counters in the summary that the sensor ends with."""
    return {m[1]: int(m[2]) for m in re.finditer(r'^  ([a-z][\w.-]*) +(\d+) ', summary, re.M)}
