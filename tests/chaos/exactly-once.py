#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# exactly-once.py SOURCE BUILD: sensor, shipper and collector are killed (SIGKILL)
# at random moments during replays, and started again; at the end the store holds
# each flow once. VIGIE_SEED=N repeats a run's moments, VIGIE_LONG=1 runs more.
import os
import random
import signal
import sys
import time

from stage import Stage, Tap, Truth, check_all, wait_for

FLOWS = 200000
KILLS = 8


class Victim:
    """A program that is killed a random while after it did something."""

    def __init__(self, name, start, progress, busy, longest, told=0):
        """`told`: how often it is told to end instead (SIGTERM), before any kill."""
        self.name, self.begin, self.progress, self.busy = name, start, progress, busy
        self.longest, self.told = longest, told
        self.process = None
        self.hits = self.kills = 0
        self.due = self.base = None

    def start(self):
        self.process = self.begin()
        self.base, self.due, self.since = self.progress(), None, time.monotonic()

    def step(self, rng):
        """Goes on; False when the program has ended by itself."""
        now = time.monotonic()
        if self.process.poll() is not None:
            return False
        if self.due is None and (self.progress() != self.base or now - self.since > 3):
            self.due = now + rng.uniform(0, self.longest)
        if self.due is not None and now >= self.due:
            self.kill()
            self.start()
        return True

    def kill(self):
        if self.told:
            self.told -= 1
            self.process.terminate()
            self.process.wait(timeout=30)
            return
        os.kill(self.process.pid, signal.SIGSTOP)
        self.hits += bool(self.busy())
        self.process.kill()
        if self.process.wait() == -signal.SIGKILL:
            self.kills += 1


def storm(tap, stage, captures, rng, kills):
    """Replays while everything is killed, until each was hit often enough."""
    sensor = Victim('sensor', lambda: stage.start_sensor(captures), stage.newest_segment,
                    lambda: True, 0.04, told=2)
    shipper = Victim('shipper', stage.start_shipper, stage.acks, stage.unacknowledged, 0.4)
    collector = Victim('collector', stage.start_collector, stage.acks, stage.unacknowledged, 0.4)
    until = time.monotonic() + 180 + 20 * kills  # for a slow machine
    # A lead, so that those behind have work when they are killed.
    sensor.start()
    while sensor.kills < kills // 2 and sensor.step(rng):
        time.sleep(0.005)
    collector.start()
    shipper.start()
    finished = False
    while time.monotonic() < until and min(
            collector.hits, shipper.hits, kills if finished else sensor.hits) < kills:
        if not finished and (sensor.hits < kills or not stage.unacknowledged()):
            finished = not sensor.step(rng)
        for v in (shipper, collector):
            if v.hits < kills and not v.step(rng):
                tap.ok(False, f'the {v.name} ended by itself', v.process.returncode,
                       stage.read(f'{v.name}.log')[-2000:])
                v.start()
        if finished and not stage.unacknowledged():
            break
        time.sleep(0.005)
    print(f'# {os.path.basename(captures[0])}: killed ' + ', '.join(
        f'{v.name} {v.kills} times, {v.hits} at work' for v in (sensor, shipper, collector)))
    for v in (sensor, shipper, collector):
        tap.ok(v.hits >= kills, f'the {v.name} was hit at work {kills} times', v.hits)
    if not finished:
        tap.same('the sensor ends', sensor.process.wait(timeout=120), 0)
    return shipper, collector


def one_round(tap, stage_of, seed, kills):
    print(f'# seed {seed}', flush=True)
    rng = random.Random(seed)
    stage = stage_of()
    big = [stage.make_flows('flows.pcap', FLOWS)]
    truth = Truth().replay(stage, big)
    tap.same(f'the capture has {FLOWS} flows', len(truth.ids), FLOWS)
    truth.replay(stage, stage.demo())

    shipper, collector = storm(tap, stage, big, rng, kills)
    # The demo's replay is over before one would notice: killed blindly.
    for _ in range(kills):
        p = stage.start_sensor(stage.demo())
        time.sleep(rng.uniform(0.01, 0.2))
        p.kill()
        p.wait()
    tap.ok(stage.start_sensor(stage.demo()).wait(timeout=60) in (0, 3), 'the demo is replayed')
    code, _, err = stage.replay(big)
    tap.ok(code == 0 and 'were in the spool already' in err, 'replayed again, all is known', err)
    wait_for(lambda: not stage.unacknowledged(), 60)
    shipper.process.terminate()
    tap.same('the shipper ends when told', shipper.process.wait(timeout=30), 0)
    code, err = stage.drain()
    tap.ok(code == 0, 'vigie-shipper --drain', code, err)
    tap.same('nothing is left', stage.unacknowledged(), 0)
    check_all(tap, stage, truth, f'seed {seed}')
    collector.process.terminate()
    tap.same('the collector ends when told', collector.process.wait(timeout=30), 0)
    litter = [n for folder, _, names in os.walk(stage.path('spool')) for n in names
              if '.tmp' in n]
    # Each file that is replaced has one name for its successor: three streams', one position's.
    tap.ok(len(litter) <= 4, 'kills leave no heaps of temporary files', litter)
    if not tap.failures:
        stage.clean()


def main():
    source, build = map(os.path.abspath, sys.argv[1:3])
    tap = Tap()
    long = bool(os.environ.get('VIGIE_LONG'))
    seed = int(os.environ.get('VIGIE_SEED') or random.SystemRandom().randrange(1 << 32))
    for i in range(5 if long else 1):
        one_round(tap, lambda: Stage(source, build, shipper=', parallel: 2'), seed + i,
                  KILLS * (3 if long else 1))
    tap.end()


main()
