# SPDX-License-Identifier: Apache-2.0
#
# What the tests of live capture share: a sensor on a mirror port of our own, and
# what it leaves in its spool.
import collections
import json
import os
import signal
import subprocess
import sys
import tempfile
import shutil
import atexit

from stage import wait_for

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from mirror import Mirror, counters_of, possible, processor_seconds, status_of  # noqa: E402,F401

END = 60  # seconds that a stop may take


class Sensor:
    """`said` is all that it says on standard error, over all starts."""

    def __init__(self, mirror, source, build, capture='', more='', site=None):
        self.mirror, self.build = mirror, build
        self.dir = tempfile.mkdtemp(prefix='vigie-live-')
        atexit.register(self.clean)
        self.process, self.sanitized = None, False
        site = site or f'{source}/pcaps/demo/hospital.yaml'
        text = (f'sensor: span-1\nsite: {site}\n'
                f'geo: {{databases: [{source}/pcaps/demo/networks.mmdb]}}\n'
                f'capture: {{interfaces: [{mirror.port}]{capture}}}\n'
                f'{more}destinations: [{{type: ndjson, path: spool/records.json}}]\n')
        if 'spool:' not in more:
            text += 'spool: {dir: spool}\n'
        with open(self.path('sensor.yaml'), 'w', encoding='ascii') as f:
            f.write(text)

    def clean(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if os.environ.get('VIGIE_KEEP'):
            print(f'# kept: {self.dir}')
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def program(self, room, name):
        return os.path.join(self.build, room, name)

    @property
    def said(self):
        with open(self.path('said'), encoding='utf-8', errors='replace') as f:
            return f.read()

    def start(self):
        """Whether it captures."""
        before = len(self.said) if os.path.exists(self.path('said')) else 0
        with open(self.path('said'), 'ab') as said:
            self.process = self.mirror.start(self.program('sensor', 'vigie-sensor'), '-c',
                                             self.path('sensor.yaml'), stderr=said)
        wait_for(lambda: 'capturing on' in self.said[before:] or self.process.poll() is not None)
        return 'capturing on' in self.said[before:]

    def runs(self):
        return self.process.poll() is None

    def stop(self, sign=signal.SIGTERM):
        """Its exit code, and the counters of its summary."""
        before = len(self.said)
        if self.runs():
            self.process.send_signal(sign)
        try:
            code = self.process.wait(END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        return code, counters_of(self.said[before:])

    def settle(self, seconds=30):
        """What is in the ring is read: the processor has nothing to do."""
        last = [processor_seconds(self.process.pid)]

        def idle():
            last.append(processor_seconds(self.process.pid))
            return last[-1] - last[-2] < 0.03
        wait_for(idle, seconds, 0.5)

    def verify(self):
        """What `vigie spool verify` says: exit code and text."""
        done = subprocess.run([self.program('collector', 'vigie'), 'spool', 'verify', self.path('spool')],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def records(self):
        """All records of the spool, each once: the shipper writes them out."""
        done = subprocess.run([self.program('exporters', 'vigie-shipper'), '-c',
                               self.path('sensor.yaml'), '--drain'], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        with open(self.path('spool', 'records.json'), encoding='utf-8') as f:
            for line in f:
                yield json.loads(line)


def account(counters):
    """How many frames the sensor knows of: read, or lost before."""
    return sum(counters.get(n, 0) for n in ('packets', 'drops.kernel', 'drops.interface'))


def adds_up(c):
    """As counters_add_up() of schema/counters.h has it; counters of later versions count
    when they are there."""
    parts = ('packets.metered', 'packets.shed', 'copies.mirror', 'copies.routed', 'packets.non-ip',
             'packets.unknown-link-type', 'malformed.link', 'malformed.ip', 'drops.handover')
    return c.get('packets', 0) == sum(c.get(p, 0) for p in parts)


def sums(records):
    """Of health records: counters; of flows: packets; of coverage: the rows."""
    counters, flows, coverage = collections.Counter(), collections.Counter(), []
    for r in records:
        if r['type'] == 'health':
            counters.update(r['counters'])
        elif r['type'] == 'coverage':
            coverage.append(r)
        elif r['type'] == 'flow':
            flows['records'] += 1
            flows['packets'] += r['packets']['to_server'] + r['packets']['to_client']
    return counters, flows, coverage
