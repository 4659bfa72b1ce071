#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# damage.py SOURCE BUILD: files of the spool are lost or damaged. Positions and
# memories only cost re-sends; a damaged batch is counted, told, and brought by a
# replay into a new spool. Whatever happens, no flow is there twice.
import os
import random
import shutil
import sys

from stage import Stage, Tap, Truth, check_all, missing, rows

FLOWS = 10000


class Scene:
    """The demo is delivered, and its segments deleted; other flows wait in the spool."""

    def __init__(self, tap, source, build, name, fill=True, segment='32KiB'):
        self.tap, self.name = tap, name
        self.stage = s = Stage(source, build, spool=f'max: 64MiB, segment: {segment}',
                               flows='{table: 1024}')
        self.flows = [s.make_flows('flows.pcap', FLOWS)]
        self.truth = Truth().replay(s, s.demo()).replay(s, self.flows)
        self.collector = s.start_collector()
        tap.ok(s.replay(s.demo())[0] in (0, 3) and s.drain()[0] == 0, f'{name}: the demo')
        if fill:
            self.fill()

    def fill(self):
        code, _, err = self.stage.replay(self.flows)
        self.tap.ok(code == 0, f'{self.name}: the sensor goes on', code, err)

    def drain(self, wanted, *parts):
        code, err = self.stage.drain()
        self.tap.ok(code == wanted, f'{self.name}: --drain ends with {wanted}', code, err)
        self.tap.has(f'{self.name}: the shipper says so', err, *parts)

    def end(self, check=True):
        if check:
            check_all(self.tap, self.stage, self.truth, self.name)
        self.collector.terminate()
        self.tap.same(f'{self.name}: the collector ends', self.collector.wait(timeout=20), 0)
        self.stage.clean()


def write(path, data):
    with open(path, 'wb') as f:
        f.write(data)


def positions(tap, source, build, rng):
    def ahead(path):
        # As if a digit had changed: beyond what was delivered.
        newest = int(os.path.basename(scene.stage.segments('flows')[-1])[:16])
        with open(path, encoding='ascii') as f:
            lines = f.read().splitlines()
        lines = [f'flows {newest} 0' if line.startswith('flows') else line for line in lines]
        write(path, ('\n'.join(lines) + '\n').encode())

    cases = {
        'lost positions': os.unlink,
        'empty positions': lambda p: write(p, b''),
        'positions cut short': lambda p: os.truncate(p, rng.randrange(1, os.path.getsize(p))),
        'positions of noise': lambda p: write(p, rng.randbytes(60)),
        'changed positions': ahead,
    }
    for name, deed in cases.items():
        scene = Scene(tap, source, build, name)
        deed(scene.stage.path('spool', 'acks', 'collector'))
        told = () if 'lost' in name else ('acks/collector: damaged', 'sent again')
        scene.drain(0, *told)
        scene.end()


def memories(tap, source, build, rng):
    """`known` of all streams, when the segments that it tells of are gone."""
    def each(deed):
        for stream in ('alerts', 'health', 'flows'):
            deed(scene.stage.path('spool', stream, 'known'))

    def both():
        each(os.unlink)
        os.unlink(scene.stage.path('spool', 'acks', 'collector'))

    cases = {
        'lost known': lambda: each(os.unlink),
        'known of noise': lambda: each(lambda p: write(p, rng.randbytes(80))),
        'lost known and positions': both,
    }
    for name, deed in cases.items():
        scene = Scene(tap, source, build, name, fill=False)
        deed()
        # What was delivered is written and sent once more, and counts once.
        tap.ok(scene.stage.replay(scene.stage.demo())[0] in (0, 3), f'{name}: the demo again')
        scene.fill()
        scene.drain(0, '0 batches refused')
        scene.end()


def segments(tap, source, build, rng):
    scene = Scene(tap, source, build, 'damaged segments', segment='128KiB')
    stage, truth = scene.stage, scene.truth
    frames = list(stage.frames('flows'))
    # The payload of one batch, the header of another; each with one behind it.
    inner = [a for a, b in zip(frames, frames[1:]) if a[0] == b[0]]
    one = rng.choice(inner)
    other = rng.choice([f for f in inner if f[0] != one[0]])
    for frame, at in ((one, 32 + rng.randrange(one[5])), (other, rng.randrange(28))):
        path = stage.path('spool', 'flows', f'{frame[0]:016}.seg')
        with open(path, 'r+b') as f:
            f.seek(frame[1] + at)
            byte = f.read(1)[0]
            f.seek(frame[1] + at)
            f.write(bytes([byte ^ 1 << rng.randrange(8)]))
    code, out, err = stage.run('vigie', 'spool', 'verify', stage.path('spool'))
    tap.ok(code == 1 and '2 damaged places' in out, 'vigie spool verify finds both', code, out, err)
    scene.drain(1, '2 damaged places were skipped', 'vigie spool verify')
    tap.same('vigie sensors tells what is missing', missing(stage), {stage.name: 2})
    db = [stage.path('store', f) for f in os.listdir(stage.path('store'))
          if f.startswith('flows-') and f.endswith('.db')]
    ids = [r for f in db for r in rows(f, 'SELECT hex(id), interim FROM flows')]
    tap.same('all other flows are there', len(ids), len(truth.ids) - one[4] - other[4])
    tap.same('and none twice', len(set(ids)), len(ids))

    shutil.rmtree(stage.path('spool'))
    tap.ok(stage.replay(stage.demo())[0] in (0, 3), 'the demo again, into a new spool')
    scene.fill()
    scene.drain(0, '0 batches refused')
    scene.end()


def main():
    source, build = map(os.path.abspath, sys.argv[1:3])
    tap = Tap()
    seed = int(os.environ.get('VIGIE_SEED') or random.SystemRandom().randrange(1 << 32))
    print(f'# seed {seed}')
    rng = random.Random(seed)
    positions(tap, source, build, rng)
    memories(tap, source, build, rng)
    segments(tap, source, build, rng)
    tap.end()


main()
