#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# damage.py SOURCE BUILD: files of the spool are lost or damaged. Positions and
# memories only cost re-sends; a damaged batch is counted and told, and a replay
# into a new spool brings it. Each flow is there once.
import glob
import json
import os
import random
import shutil
import sys

from stage import Stage, Tap, Truth, check_all, missing, rows, wait_for

FLOWS = 20000


def damage_bytes(path, at, n, rng):
    with open(path, 'r+b') as f:
        f.seek(at)
        old = f.read(n)
        f.seek(at)
        f.write(bytes(b ^ rng.randrange(1, 256) for b in old))


def memories(tap, stage, truth, rng):
    """acks and known: lost, cut short, changed."""
    acks = stage.path('spool', 'acks', 'collector')
    with open(acks, 'rb') as f:
        good = f.read()

    def change():
        # A digit that would skip batches, or send a few again.
        text = bytearray(good)
        digits = [i for i, c in enumerate(text) if chr(c).isdigit()]
        for i in rng.sample(digits, 3):
            text[i] = ord('0') + (text[i] - ord('0') + 1 + rng.randrange(8)) % 10
        with open(acks, 'wb') as out:
            out.write(text)

    cases = (('lost', lambda: os.unlink(acks)),
             ('empty', lambda: open(acks, 'wb').close()),
             ('cut short', lambda: os.truncate(acks, rng.randrange(1, len(good)))),
             ('changed', change))
    for what, deed in cases:
        more = [stage.make_flows('more.pcap', FLOWS + len(truth.ids) % 1000 + 1000, '-k', 'syn',
                                 '-n', str(2000 + len(truth.ids) % 7))]
        # Some segments are there, of which some were acknowledged.
        more_truth = Truth().replay(stage, more)
        if any(i in truth.ids for i in more_truth.ids):
            more = None
        tap.same(f'acks {what}: before it, the sensor', stage.replay(
            more or [stage.path('flows.pcap')])[0], 0)
        deed()
        code, err = stage.drain()
        tap.ok(code == 0, f'acks {what}: all is sent', code, err)
        if what in ('cut short', 'changed', 'empty'):
            tap.has(f'acks {what}: it is told', err, 'acks/collector: damaged', 'sent again')
        if more:
            truth.flows += more_truth.flows
            truth.ids += more_truth.ids
            truth.sums += more_truth.sums
            truth.alerts += more_truth.alerts
            truth.counters += more_truth.counters
