#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# soak.py SOURCE BUILD [--minutes N] [--rate N]: mixed traffic over and over, at a
# moderate rate. Memory, file descriptors and threads do not grow, no counter gets
# stuck, nothing is lost. Prints a table of what was sampled.
import argparse
import collections
import glob
import os
import re
import subprocess
import threading
import time

from stage import Tap, skip_all
from watch import Mirror, Sensor, account, adds_up, possible, status_of

SAMPLES = 30
FRAMES = 600_000
WARM_UP = 1 / 3  # of the time, and at least until idle flows have timed out once
GROWTH = 0.01
# They must go on for as long as traffic does.
ALWAYS = ('packets', 'bytes', 'packets.metered', 'flows', 'flows.closed', 'dissectors.claims', 'records')


class Shipper(threading.Thread):
    """Empties the spool meanwhile, and keeps the health records' counters."""

    def __init__(self, sensor):
        super().__init__(daemon=True)
        self.sensor, self.over, self.health = sensor, threading.Event(), []
        self.seen = collections.Counter()

    def drain(self):
        """The records are read and removed: a soak has many."""
        path = self.sensor.path('spool', 'records.json')
        for r in self.sensor.records():
            self.seen[r['type']] += 1
            if r['type'] == 'health':
                self.health.append(r['counters'])
        os.unlink(path)

    def run(self):
        while not self.over.wait(10):
            if glob.glob(self.sensor.path('spool', '*', '*.seg')):
                self.drain()


def sample(pid, began):
    rss, high, threads = status_of(pid, 'VmRSS', 'VmHWM', 'Threads')
    return {'at': time.monotonic() - began, 'rss': rss, 'high': high, 'threads': threads,
            'files': len(os.listdir(f'/proc/{pid}/fd'))}


def watch(sensor, seconds):
    began, samples = time.monotonic(), []
    print(f"# {'seconds':>8} {'RSS KiB':>9} {'peak KiB':>9} {'files':>6} {'threads':>8}", flush=True)
    while time.monotonic() - began < seconds and sensor.runs():
        time.sleep(seconds / SAMPLES)
        if sensor.runs():
            samples.append(s := sample(sensor.process.pid, began))
            print(f"# {s['at']:8.0f} {s['rss']:9} {s['high']:9} {s['files']:6} {s['threads']:8}",
                  flush=True)
    return samples


def check(tap, samples, seconds):
    warm = [s for s in samples if s['at'] > max(seconds * WARM_UP, 75)] or samples[-3:]
    # Means of thirds: what goes up and down within a minute is no growth.
    third = max(1, len(warm) // 3)
    first, last = (sum(s['rss'] for s in part) / len(part) for part in (warm[:third], warm[-third:]))
    tap.ok(last < first * (1 + GROWTH), f'memory grows by less than {GROWTH:.0%} after the warm-up',
           f'{first:.0f} KiB, then {last:.0f}')
    for what in ('files', 'threads'):
        values = {s[what] for s in warm}
        tap.ok(max(values) <= warm[0][what] + (what == 'files'), f'{what} do not grow', values)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('source', type=os.path.abspath)
    p.add_argument('build', type=os.path.abspath)
    p.add_argument('--minutes', type=float, default=30)
    p.add_argument('--rate', type=float, default=20000)
    p.add_argument('--captures', help='more of them, below a folder; default: those of pcaps')
    p.add_argument('--if-long', action='store_true', help='3 minutes, if VIGIE_LONG is set')
    o = p.parse_args()
    if o.if_long and not os.environ.get('VIGIE_LONG'):
        skip_all('long: ./check --long')
    o.minutes = 3 if o.if_long else o.minutes
    why = possible()
    if why:
        skip_all(f'soak: {why}')
    tap, seconds = Tap(), o.minutes * 60
    mirror = Mirror(f'{o.build}/tests/bench/send_frames')
    sensor = Sensor(mirror, o.source, o.build, more='spool: {dir: spool, max: 256MiB}\n'
                    'timeouts: {tcp: 30s, udp: 20s, other: 10s, active: 60s}\n')
    mix = make_mix(o.build, sensor, o.captures or f'{o.source}/pcaps')
    before = mirror.came_in()
    tap.ok(sensor.start(), 'the sensor captures', sensor.said)
    sender = mirror.start_sending(mix, rate=o.rate, seconds=seconds, way='send')
    shipper = Shipper(sensor)
    shipper.start()
    samples = watch(sensor, seconds)
    account_sent = mirror.sent(sender)
    sensor.settle()
    came = mirror.came_in() - before
    code, counters = sensor.stop()
    shipper.over.set()
    shipper.join()
    shipper.drain()
    tap.same('the sensor ends when told', code, 0)
    check(tap, samples, seconds)
    tap.ok(adds_up(counters), 'every frame read is counted once', counters)
    lost = came - counters.get('packets', 0)
    tap.ok(abs(account(counters) - came) < 5, 'read and lost are what came in', account(counters), came)
    tap.ok(lost <= account_sent['frames'] / 1000, 'next to nothing was lost', lost)
    for name in ALWAYS:
        stuck = [i for i, c in enumerate(shipper.health[:-1]) if not c.get(name)]
        tap.ok(not stuck, f'{name} goes on in each minute', f'not in {stuck} of {len(shipper.health)}')
    print(f"# {account_sent['frames']} frames, {dict(shipper.seen)}")
    said = re.findall(r'^.*(?:error|warning): .*$', sensor.said, re.M)
    tap.ok(len(said) < 10, 'the log is short', *said[:10])
    tap.end()


def make_mix(build, sensor, captures):
    """Many copies with addresses of their own: half a minute passes before a flow comes again."""
    found = sorted(glob.glob(f'{captures}/**/*.pcap', recursive=True))
    mix = sensor.path('mix.pcap')
    subprocess.run([f'{build}/tests/bench/make_mix', '-n', str(FRAMES), '-m', '300', mix, *found],
                   check=True, stderr=subprocess.DEVNULL)
    return mix



main()
