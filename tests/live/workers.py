#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One worker, two and four meter the same: captures of all kinds are sent over a
virtual cable, in a network namespace that ends with this program, and the flows
are those of a replay. Prints TAP.

usage: workers.py SOURCE_ROOT SENSOR"""
import collections
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tap import Tap  # noqa: E402

SOURCE, SENSOR = pathlib.Path(sys.argv[1]), sys.argv[2]
SITE = SOURCE / 'pcaps/demo/hospital.yaml'
ETHERNET = 1


def enter_namespace():
    """Runs itself again in a namespace of its own; None, or why it cannot be."""
    if os.environ.get('VIGIE_OWN_NETWORK'):
        return None
    if os.geteuid() != 0:
        return 'network namespaces need root'
    if subprocess.run(['unshare', '--net', 'true'], stderr=subprocess.DEVNULL).returncode:
        return 'this kernel or container makes no network namespace'
    os.environ['VIGIE_OWN_NETWORK'] = '1'
    os.execvp('unshare', ['unshare', '--net', sys.executable, *sys.argv])


def frames_of(path):
    """Ethernet frames of a classic little-endian pcap; none of any other file."""
    data = path.read_bytes()
    magic, link = data[:4], struct.unpack_from('<I', data, 20)[0] & 0xffff
    if magic not in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') or link != ETHERNET:
        return
    at = 24
    while at + 16 <= len(data):
        captured, wire = struct.unpack_from('<II', data, at + 8)
        if captured == wire:
            yield data[at + 16:at + 16 + captured]
        at += 16 + captured


def write_capture(path, frames):
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHIIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, ETHERNET))
        for i, frame in enumerate(frames):
            f.write(struct.pack('<IIII', 1700000000, i * 20, len(frame), len(frame)) + frame)


def run(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def cable():
    run('ip', 'link', 'add', 'm0', 'mtu', '9000', 'type', 'veth', 'peer', 'name', 's0', 'mtu', '9000')
    for end in 'm0', 's0':
        pathlib.Path(f'/proc/sys/net/ipv6/conf/{end}/disable_ipv6').write_text('1')
        run('ip', 'link', 'set', end, 'up', 'arp', 'off')


def send(frames):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind(('s0', 0))
        for frame in frames:
            s.send(frame)


def live(folder, workers, frames, reloads=0):
    """Records of a sensor that saw these frames, in as many parts as there are new sites."""
    config = folder / 'sensor.yaml'
    config.write_text(f'sensor: live\nsite: {SITE}\n'
                      f'capture: {{interfaces: [m0], workers: {workers}, ring: 16MiB}}\n')
    with open(folder / 'out', 'w+') as out, open(folder / 'err', 'w+') as err:
        sensor = subprocess.Popen([SENSOR, '-c', config, '--json'], stdout=out, stderr=err)
        deadline = time.monotonic() + 20
        while 'capturing on' not in (folder / 'err').read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        part = len(frames) // (reloads + 1) + 1
        for i in range(reloads + 1):
            send(frames[i * part:(i + 1) * part])
            if i < reloads:
                sensor.send_signal(signal.SIGHUP)
        sensor.send_signal(signal.SIGTERM)
        sensor.wait(timeout=30)
        return [json.loads(line) for line in (folder / 'out').read_text().splitlines()]


def replay(capture):
    done = subprocess.run([SENSOR, '-r', capture, '--site', SITE, '--json'], capture_output=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def flows(records):
    """What each conversation counted, whenever it was and however many records it made.
    Not its tunnel: the captures show one conversation in many, and the first names it."""
    sums = collections.Counter()
    for r in records:
        if r['type'] != 'flow':
            continue
        key = (r['protocol'], r['client']['ip'], r['client'].get('port'), r['server']['ip'],
               r['server'].get('port'), r.get('app'), r['verdict'])
        for direction in 'to_server', 'to_client':
            sums[*key, 'packets', direction] += r['packets'][direction]
            sums[*key, 'bytes', direction] += r['bytes'][direction]
    return sums


def counter(records, name):
    return sum(r['counters'].get(name, 0) for r in records if r['type'] == 'health')


def difference(a, b):
    return '\n'.join(str(x) for x in sorted(set(a.items()) ^ set(b.items()), key=str)[:20])


def reload(tap, folder, frames):
    """The site is read again while frames come: none is lost."""
    for workers in 1, 2:
        records = live(folder, workers, frames, 3)
        told = [counter(records, name) for name in
                ('drops.kernel', 'packets', 'packets.metered', 'copies.mirror', 'copies.routed',
                 'packets.non-ip')]
        # A slow build may find its ring full; then that is told.
        tap.report(told[0] + told[1] == len(frames) and told[1] == sum(told[2:]),
                   f'{workers} workers account for all when the site is read again', told)


def compare(tap, folder, what, frames, handed_over):
    write_capture(folder / 'all.pcap', frames)
    wanted = flows(replay(folder / 'all.pcap'))
    tap.report(len(wanted) > 8, f'{what}: a replay has flows')
    for workers in 1, 2, 4:
        records = live(folder, workers, frames)
        found = flows(records)
        tap.report(found == wanted, f'{what}: {workers} workers meter what a replay does',
                   difference(found, wanted))
        tap.report(counter(records, 'packets') == len(frames) and
                   not counter(records, 'drops.handover'),
                   f'{what}: {workers} workers account for each of {len(frames)} frames')
        handed = counter(records, 'packets.handed-over')
        tap.report((handed > 0) == (handed_over and workers > 1),
                   f'{what}: {workers} workers handed {handed} packets over')


def main():
    tap = Tap()
    why = enter_namespace()
    if why or not shutil.which('ip'):
        tap.skip('live/workers', why or 'iproute2 is missing')
        return tap.end()
    cable()
    # Those joined late are cut from others: one and the same packet sent twice, milliseconds or
    # seconds apart as the machine has time, would be a copy or none.
    captures = sorted(p for p in (SOURCE / 'pcaps').glob('*.pcap') if '-midstream' not in p.name)
    demo = sorted((SOURCE / 'pcaps/demo').glob('*.pcap'))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        # The kernel's half of the steering agrees with ours, tagged or not: nothing to hand over.
        compare(tap, folder, 'plain', [f for p in demo for f in frames_of(p)], False)
        reload(tap, folder, [f for p in demo for f in frames_of(p)] * 20)
        compare(tap, folder, 'tunnels', [f for p in captures for f in frames_of(p)], True)
    return tap.end()


sys.exit(main())
