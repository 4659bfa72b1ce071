#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# disk-full.py SOURCE BUILD: the spool's disk is full, then the store's. What was
# acknowledged stays, what was not comes later, everything is said in a sentence.
# Mounts small file systems, in a mount namespace of its own: needs root.
import os
import subprocess
import sys

from stage import Stage, Tap, Truth, check_all, missing, rows, skip_all, wait_for

FLOWS = 40000


def own_namespace():
    if os.environ.get('VIGIE_OWN_MOUNTS') == 'yes':
        return
    if os.geteuid() or subprocess.run(['unshare', '-m', 'true'], check=False,
                                      stderr=subprocess.DEVNULL).returncode:
        skip_all('full disks: needs root and a mount namespace')
    os.environ['VIGIE_OWN_MOUNTS'] = 'yes'
    os.execvp('unshare', ['unshare', '-m', sys.executable, *sys.argv])


def mount(path, size):
    os.makedirs(path, exist_ok=True)
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size}', 'tmpfs', path],
                      check=False, stderr=subprocess.DEVNULL).returncode:
        skip_all('full disks: may not mount a tmpfs')


def resize(path, size):
    subprocess.run(['mount', '-o', f'remount,size={size}', path], check=True)


def fill(path):
    """Not a byte is left."""
    with open(os.path.join(path, 'filler'), 'ab', buffering=0) as f:
        try:
            while True:
                f.write(bytes(4096))
        except OSError:
            pass


def spool_is_full(tap, source, build):
    stage = Stage(source, build)
    spool = stage.path('spool')
    mount(spool, '3m')
    first = [stage.make_flows('first.pcap', FLOWS)]
    second = [stage.make_flows('second.pcap', 2 * FLOWS, '-k', 'syn', '-n', str(2 * FLOWS))]
    truth = Truth().replay(stage, first)

    code, _, err = stage.replay(first)
    tap.same('spool full: exit code', code, 1)
    tap.has('spool full: a sentence with the remedy', err, 'No space left on device',
            'make room and replay again')
    tap.has('spool full: it is counted', err, 'spool.refused')
    code, out, err = stage.run('vigie', 'spool', 'verify', spool)
    tap.ok(code == 0, 'spool full: what was written is readable', out, err)
    before = {s: len(list(stage.frames(s))) for s in ('alerts', 'flows')}
    tap.ok(min(before.values()) > 3, 'spool full: something was written', before)

    # Shipping alone makes room, although positions find no room either.
    fill(spool)
    collector = stage.start_collector()
    rounds = 0
    while True:
        code, err = stage.drain(seconds=300)
        if not tap.ok(code == 0, f'a full spool is drained ({rounds})', code, err):
            break
        if not rounds:
            tap.ok(err.count('the position cannot be kept') <= 3,
                   'that the position cannot be kept is not said without end', err)
            tap.ok(sum(len(stage.segments(s)) for s in before) <= 2,
                   'what was delivered is deleted', stage.segments('flows'))
            os.unlink(os.path.join(spool, 'filler'))
        rounds += 1
        code, _, err = stage.replay(first)
        if code == 0 or rounds > 9:
            break
    tap.ok(code == 0, f'replayed again, it is complete ({rounds} rounds)', code, err)
    code, err = stage.drain()
    tap.ok(code == 0, 'and drained', code, err)
    check_all(tap, stage, truth, 'after a full spool')

    truth.replay(stage, second)
    tap.same('full again', stage.replay(second)[0], 1)
    resize(spool, '64m')
    code, _, err = stage.replay(second)
    tap.ok(code == 0, 'with room a second replay completes it', code, err)
    code, err = stage.drain()
    tap.ok(code == 0, 'that is drained', code, err)
    check_all(tap, stage, truth, 'after more room')
    lost = rows(stage.path('store', 'main.db'),
                "SELECT name, value FROM sensor_counters WHERE name LIKE 'lost.%'")
    tap.same('nothing is told as lost, since nothing was', lost, [])
    collector.terminate()
    collector.wait(timeout=30)
    subprocess.run(['umount', '-l', spool], check=False)


def store_is_full(tap, source, build):
    stage = Stage(source, build)
    store = stage.path('store')
    mount(store, '6m')
    captures = [stage.make_flows('flows.pcap', FLOWS)]
    truth = Truth().replay(stage, captures)
    tap.same('the spool is filled', stage.replay(captures)[0], 0)
    collector = stage.start_collector()
    shipper = stage.start_shipper()

    def full():
        return 'disk is full' in stage.read('collector.log') and \
            'disk is full' in stage.read('shipper.log')
    tap.ok(wait_for(full, 60), 'store full: collector and shipper say so',
           stage.read('collector.log'), stage.read('shipper.log'))
    fill(store)
    tap.has('store full: the shipper names collector and cause', stage.read('shipper.log'),
            f'waiting: https://localhost:{stage.port}: it is busy (503: '
            "the collector's disk is full; try again later)")
    for words in (('flows', '--limit', '5'), ('sensors',), ('alerts', '--limit', '5'),
                  ('sql', 'SELECT count(*) FROM flows')):
        code, out, err = stage.vigie(*words)
        tap.ok(code == 0 and out, f'store full: vigie {words[0]} is answered', code, out, err)
    acks = stage.acks()
    done = {(i, f[2], f[3]) for i, s in enumerate(('alerts', 'health', 'flows'))
            for f in stage.frames(s) if f[:2] < acks.get(s, (0, 0))}
    left = stage.unacknowledged()
    tap.ok(left > 0, 'store full: batches wait in the spool', left)
    # A collector that is killed on a full disk comes back with all it acknowledged.
    collector.kill()
    collector.wait()
    collector = stage.start_collector(wait=False)
    started = wait_for(lambda: 'listening' in stage.read('collector.out')
                       or collector.poll() is not None)
    tap.ok(started and collector.poll() is None, 'store full: the collector starts again',
           stage.read('collector.log')[-2000:])
    code, out, err = stage.vigie('sql', 'SELECT count(*) AS n FROM flows', '--format', 'ndjson')
    tap.ok(code == 0 and '"n":' in out, 'store full: and answers', code, out, err)
    if collector.poll() is not None:
        resize(store, '128m')
        collector = stage.start_collector()
    os.unlink(os.path.join(store, 'filler'))
    resize(store, '128m')
    tap.ok(wait_for(lambda: not stage.unacknowledged(), 90, 0.2), 'with room it goes on',
           stage.read('shipper.log')[-2000:], stage.read('collector.log')[-2000:])
    shipper.terminate()
    tap.same('the shipper ends when told', shipper.wait(timeout=30), 0)
    known = set(rows(stage.path('store', 'main.db'),
                     'SELECT stream, epoch, sequence FROM batches'))
    tap.same('nothing that was acknowledged is missing', len(done - known), 0)
    tap.ok(len(stage.read('collector.log').splitlines()) < 20, 'the log is short',
           stage.read('collector.log'))
    check_all(tap, stage, truth, 'after a full store')
    tap.same('no batch is missing', missing(stage), {stage.name: 0})
    collector.terminate()
    collector.wait(timeout=30)
    subprocess.run(['umount', '-l', store], check=False)


def main():
    own_namespace()
    source, build = map(os.path.abspath, sys.argv[1:3])
    tap = Tap()
    spool_is_full(tap, source, build)
    store_is_full(tap, source, build)
    tap.end()


main()
