#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# faults.py SOURCE BUILD: what happens to a sensor on a mirror port. The interface goes
# down, is renamed, is taken away; the sensor is killed amid traffic; malformed frames
# come by the hundred thousand (by the million with VIGIE_LONG). It stays up or comes
# back, says what happened, and counts all it saw. VIGIE_SEED=N repeats a run.
#
# Clocks that step are tested on the live pipeline with stamps of our own
# (tests/unit/sensor/test_pipeline.c): the kernel stamps what comes in with the clock of
# the whole machine, which no test may set.
import collections
import glob
import os
import random
import re
import sys
import time

from stage import Stage, Tap, skip_all, wait_for
from watch import Mirror, Sensor, account, adds_up, possible

FRAMES = 2000
MALFORMED = 150_000


class Watched(Sensor):
    # The spool's frames, as docs/spool.md has them.
    segments, frames = Stage.segments, Stage.frames


def heard(sensor, *words, seconds=8):
    """Whether it says one of these, in as many seconds; or has ended."""
    return wait_for(lambda: any(w in sensor.said for w in words) or not sensor.runs(), seconds)


def send(mirror, frames=FRAMES):
    """By the cable: where the kernel sees a cable, it is one that was cut."""
    return mirror.send('syn+udp', frames=frames, rate=20000, way='send')['frames']


def finish(tap, sensor, what, seen):
    sensor.settle()
    code, counters = sensor.stop()
    tap.same(f'{what}: it ends when told', code, 0)
    tap.ok(seen <= account(counters) <= seen + 50, f'{what}: all frames are counted',
           f'offered {seen}', counters, sensor.said)
    tap.ok(adds_up(counters), f'{what}: once each', counters)
    tap.ok('Sanitizer' not in sensor.said and 'runtime error' not in sensor.said,
           f'{what}: no mistake of ours came to light', sensor.said[-2000:])
    return counters


def interface_down(tap, mirror, make):
    sensor = make()
    tap.ok(sensor.start(), 'down: it captures', sensor.said)
    seen = send(mirror)
    mirror.run('ip', 'link', 'set', 'dev', mirror.port, 'down')
    tap.ok(heard(sensor, 'is down'), 'down: it says so', sensor.said)
    time.sleep(1)
    tap.ok(sensor.runs(), 'down: it stays', sensor.said)
    mirror.run('ip', 'link', 'set', 'dev', mirror.port, 'up', 'promisc', 'on')
    tap.ok(heard(sensor, 'up again'), 'down: it says that it is up', sensor.said)
    seen += send(mirror)
    finish(tap, sensor, 'down and up', seen)
    tap.ok(sensor.said.count('is down') == 1, 'down: it says it once', sensor.said)


def interface_renamed(tap, mirror, make):
    """Frames go on; or it ends with the reason."""
    sensor, old = make(), mirror.port
    tap.ok(sensor.start(), 'renamed: it captures', sensor.said)
    seen = send(mirror)
    for words in ((old, 'down'), (old, 'name', 'other0'), ('other0', 'up', 'promisc', 'on')):
        mirror.run('ip', 'link', 'set', 'dev', *words)
    mirror.port = 'other0'
    heard(sensor, 'now called', 'has gone')
    time.sleep(1)
    if tap.ok(sensor.runs(), 'renamed: it stays', sensor.said):
        tap.has('renamed: it says so', sensor.said, old, 'other0')
        seen += send(mirror)
        finish(tap, sensor, 'renamed', seen)
    mirror.run('ip', 'link', 'set', 'dev', 'other0', 'down')
    mirror.run('ip', 'link', 'set', 'dev', 'other0', 'name', old)
    mirror.run('ip', 'link', 'set', 'dev', old, 'up', 'promisc', 'on')
    mirror.port = old


def interface_removed(tap, mirror, make):
    """It waits for the interface; or, if it may not open it again, ends with the reason."""
    sensor = make()
    tap.ok(sensor.start(), 'removed: it captures', sensor.said)
    seen = send(mirror)
    mirror.run('ip', 'link', 'del', 'dev', mirror.port)
    tap.ok(heard(sensor, 'has gone'), 'removed: it says so', sensor.said)
    tap.has('removed: and what is to be done', sensor.said, 'when it is back')
    time.sleep(1.5)
    mirror.plug()
    if sensor.runs():
        tap.ok('capture goes on' in sensor.said, 'removed: it waits', sensor.said)
        tap.ok(heard(sensor, 'up again', seconds=15), 'removed: it is back', sensor.said)
    else:
        code = sensor.process.wait()
        tap.same('removed: it ends with 1', code, 1)
        tap.has('removed: and says why', sensor.said, 'start the sensor again')
        tap.ok(sensor.start(), 'removed: started again, it captures', sensor.said)
        seen = 0
    seen += send(mirror)
    finish(tap, sensor, 'removed', seen)
    tap.same('removed: the spool is whole', sensor.verify()[0], 0)


def killed(tap, mirror, make, rng):
    # A small table, so that there is something to write all the time.
    sensor = make(more='flows: {table: 1024}\n')
    tap.ok(sensor.start(), 'killed: it captures', sensor.said)
    sender = mirror.start_sending('syn+udp', rate=20000, seconds=8, way='send')
    for _ in range(2):
        time.sleep(rng.uniform(1.5, 2.5))
        sensor.process.kill()
        sensor.process.wait()
        tap.ok(sensor.start(), 'killed: started again amid traffic, it captures', sensor.said)
    offered = mirror.sent(sender)['frames']
    sensor.settle()
    code, counters = sensor.stop()
    tap.same('killed: the last one ends when told', code, 0)
    code, text = sensor.verify()
    tap.same('killed: the spool is whole', code, 0) or print(text)
    epochs = collections.defaultdict(set)
    twice = []
    for stream in ('flows', 'health', 'alerts'):
        for frame in sensor.frames(stream):
            epoch, sequence = frame[2:4]
            twice += [(stream, epoch, sequence)] if sequence in epochs[stream, epoch] else []
            epochs[stream, epoch].add(sequence)
    tap.same('killed: each start has an epoch of its own', len({e for _, e in epochs}), 3)
    tap.same('killed: no batch is there twice', twice, [])
    ids = collections.Counter()
    packets = 0
    for r in sensor.records():
        if r['type'] == 'flow':
            ids[r['id'], r['interim'], r['start']] += 1
            packets += r['packets']['to_server'] + r['packets']['to_client']
    tap.same('killed: no flow is there twice', [i for i, n in ids.items() if n > 1][:3], [])
    tap.ok(0 < packets <= offered, 'killed: nothing is there that was not sent', packets, offered)
    tap.ok(packets >= counters.get('packets.metered', 0), 'killed: what the last one saw is there',
           packets, counters)


def malformed(tap, mirror, make, source, seed):
    """The captures' frames, damaged."""
    captures = sorted(glob.glob(f'{source}/pcaps/**/*.pcap', recursive=True))
    public = os.path.join(os.path.dirname(source), 'shared', 'pcaps', 'public')
    captures += sorted(glob.glob(f'{public}/**/*.pcap', recursive=True))
    frames = MALFORMED * (10 if os.environ.get('VIGIE_LONG') else 1)
    sensor = make(', ring: 256MiB')
    tap.ok(sensor.start(), 'malformed: it captures', sensor.said)
    before = mirror.came_in()
    account_sent = mirror.sent(mirror.start_sending(
        *captures, rate=30000, frames=frames, way='send', options=('-m', min(frames, 1_000_000), '-s', seed)))
    came = mirror.came_in() - before
    print(f"# {account_sent['frames']} malformed frames at {account_sent['rate']} a second")
    tap.ok(sensor.runs(), 'malformed: it stays', sensor.said[-3000:])
    counters = finish(tap, sensor, 'malformed', came)
    bad = {n: v for n, v in counters.items() if n.startswith('malformed.')}
    tap.ok(len(bad) >= 3, 'malformed: it noticed', counters)
    lines = re.findall(r'^(?!  ).*$', sensor.said, re.M)
    tap.ok(len(lines) < 20, 'malformed: the log is short', *lines[:30])
    tap.same('malformed: the spool is whole', sensor.verify()[0], 0)


def main():
    source, build = map(os.path.abspath, sys.argv[1:3])
    why = possible()
    if why:
        skip_all(f'faults: {why}')
    tap = Tap()
    seed = int(os.environ.get('VIGIE_SEED') or random.SystemRandom().randrange(1 << 31))
    print(f'# seed {seed}')
    mirror = Mirror(f'{build}/tests/bench/send_frames')

    def make(capture='', more=''):
        return Watched(mirror, source, build, capture, more)
    interface_down(tap, mirror, make)
    interface_renamed(tap, mirror, make)
    interface_removed(tap, mirror, make)
    killed(tap, mirror, make, random.Random(seed))
    malformed(tap, mirror, make, source, seed)
    tap.end()


main()
