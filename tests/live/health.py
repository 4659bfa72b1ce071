#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a sensor tells about how well it sees: on virtual interfaces, in a network
namespace that ends with this program. Prints TAP.

usage: health.py SOURCE_ROOT SENSOR"""
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

TAP = Tap()

SITE = """site: live
segments:
  - {name: icu, impact: life-critical, match: {prefixes: [10.1.0.0/16]}}
  - {name: pacs, impact: care-critical, match: {prefixes: [10.2.0.0/16]}}
  - {name: theatre, impact: life-critical, match: {prefixes: [10.3.0.0/16]}}
  - {name: office, impact: administrative, match: {prefixes: [10.4.0.0/16]}}
"""
ETHERNET = b'\x02\0\0\0\0\2' + b'\x02\0\0\0\0\1'
UNKNOWN = b'\x88\xb5'  # for local experiments


def ok(good, name, detail=''):
    TAP.report(good, name, '' if good else detail)


def run(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def checksum(data):
    total = sum(struct.unpack(f'>{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(protocol, source, dest, payload):
    head = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0,
                       socket.inet_aton(source), socket.inet_aton(dest))
    return head[:10] + struct.pack('>H', checksum(head)) + head[12:] + payload


def udp(source, dest, port, payload=b'x' * 40):
    return ipv4(17, source, dest, struct.pack('>HHHH', 40000, port, 8 + len(payload), 0) + payload)


def frame(packet, *tags, kind=b'\x08\0'):
    """Tags: (type, VLAN), outermost first."""
    return ETHERNET + b''.join(struct.pack('>HH', *tag) for tag in tags) + kind + packet


def super_frame(size=9000):
    """A TCP segment that the offload of a network card would cut up."""
    tcp = struct.pack('>HHIIBBHHH', 40001, 104, 1, 1, 0x50, 0x10, 1000, 0, 0) + b'x' * size
    virtio = struct.pack('<BBHHHH', 1, 1, 54, 1448, 34, 16)
    return virtio + frame(ipv4(6, '10.1.0.1', '10.2.0.1', tcp))


def send(interface, frames, virtio=False):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        if virtio:
            s.setsockopt(263, 15, 1)  # SOL_PACKET, PACKET_VNET_HDR
        s.bind((interface, 0))
        for f in frames:
            s.send(f)


def pair(name):
    """A cable: the mirror's end is NAME-m, the sensor's NAME."""
    run('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', f'{name}-m')
    for end in name, f'{name}-m':
        pathlib.Path(f'/proc/sys/net/ipv6/conf/{end}/disable_ipv6').write_text('1')
        run('ip', 'link', 'set', end, 'up')


def within_a_minute(seconds=10):
    """So that what comes next is in one row of the ledger."""
    left = 60 - time.time() % 60
    if left < seconds:
        time.sleep(left)


class Sensor:
    def __init__(self, folder, *interfaces):
        within_a_minute()
        self.out, self.err = open(folder / 'out', 'w+'), open(folder / 'err', 'w+')
        words = [SENSOR, '--site', folder / 'site.yaml', '--json']
        for interface in interfaces:
            words += ['-i', interface]
        self.process = subprocess.Popen(words, stdout=self.out, stderr=self.err)
        self.wait_for(f'capturing on {interfaces[-1]}')
        time.sleep(0.2)

    def said(self):
        self.err.seek(0)
        return self.err.read()

    def wait_for(self, words, seconds=10):
        end = time.monotonic() + seconds
        while words not in self.said() and time.monotonic() < end:
            time.sleep(0.05)
        return words in self.said()

    def stop(self, pause=1.2):
        """Everything has been read, and looked at, a second later."""
        time.sleep(pause)
        self.process.send_signal(signal.SIGTERM)
        self.code = self.process.wait(20)
        self.out.seek(0)
        self.records = [json.loads(line) for line in self.out]
        return self

    def all(self, kind):
        return [r for r in self.records if r['type'] == kind]

    def counter(self, name):
        return sum(r['counters'].get(name, 0) for r in self.all('health'))

    def last(self, segment):
        rows = [r for r in self.all('coverage') if r['segment'] == segment]
        return rows[-1] if rows else {'state': None, 'reasons': []}

    def reasons(self, segment):
        return {word for r in self.all('coverage') if r['segment'] == segment
                for word in r.get('reasons', [])}


def paths(records):
    return {r['server']['port']: r.get('path') for r in records if r['type'] == 'flow'}


def test_tags(folder):
    """The kernel takes the outermost tag off and keeps it beside the frame."""
    tagged = [frame(udp('10.1.0.1', '10.2.0.1', 5000)),
              frame(udp('10.1.0.1', '10.2.0.1', 5001), (0x8100, 10)),
              frame(udp('10.1.0.1', '10.2.0.1', 5002), (0x88a8, 100), (0x8100, 20)),
              frame(udp('10.1.0.1', '10.2.0.1', 5003), (0x8100, 100), (0x8100, 30)),
              frame(udp('10.1.0.1', '10.2.0.1', 5004), (0x8100, 0xe000)),
              frame(udp('10.1.0.1', '10.2.0.1', 5005), (0x88a8, 200))]
    capture = struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
    for i, f in enumerate(tagged):
        capture += struct.pack('<IIII', 1700000000, i, len(f), len(f)) + f
    (folder / 'tags.pcap').write_bytes(capture)
    replay = subprocess.run([SENSOR, '-r', folder / 'tags.pcap', '--json'], check=True,
                            capture_output=True, text=True)
    wanted = paths(map(json.loads, replay.stdout.splitlines()))
    ok(wanted.get(5002) == ['vlan:100.20'], 'the replay knows a tag inside a tag', wanted)
    for offload in 'on', 'off':
        run('ethtool', '-K', 'v0', 'rxvlan', offload)
        sensor = Sensor(folder, 'v0')
        send('v0-m', tagged)
        got = paths(sensor.stop().records)
        ok(got == wanted, f'live capture has the same tags, rx-vlan-offload {offload}',
           f'{got}\n{wanted}\n{sensor.said()}')


def test_unclaimed(folder):
    """The kernel calls tagged frames dropped that nobody but a capture wants."""
    dropped = pathlib.Path('/sys/class/net/v0/statistics/rx_dropped')
    before = int(dropped.read_text())
    sensor = Sensor(folder, 'v0')
    for _ in range(3):
        send('v0-m', [frame(b'x' * 50, (0x8100, 10), kind=UNKNOWN)] * 100)
        send('v0-m', [frame(udp('10.1.0.1', '10.2.0.1', 5000))] * 3)
        time.sleep(1)
    sensor.stop(2.5)
    ok(sensor.counter('packets.non-ip') == 300, 'tagged frames of unknown protocols are counted',
       sensor.said())
    ok(int(dropped.read_text()) - before == sensor.counter('frames.unclaimed'),
       'which the kernel may call dropped')
    ok(sensor.counter('drops.interface') == 0, 'and we do not', sensor.said())
    ok(sensor.last('icu')['state'] == 'seen', 'the segment is seen', sensor.last('icu'))
    ok(sensor.last('icu')['drops'] == 0 and sensor.last('icu')['frames'] >= 3, 'with nothing lost',
       sensor.last('icu'))


def test_oversized(folder):
    run('ethtool', '-K', 'v0', 'gro', 'on')
    sensor = Sensor(folder, 'v0')
    ok('v0: gro is on' in sensor.said(), 'an offload that is on is said at the start', sensor.said())
    run('ethtool', '-K', 'v0', 'gro', 'off')
    for _ in range(3):
        send('v0-m', [super_frame()] * 5, virtio=True)
        time.sleep(0.8)
    sensor.stop()
    ok(sensor.counter('packets.oversized') == 15, 'frames above the MTU are counted', sensor.said())
    ok(sensor.said().count('longer than its MTU of 1500') == 1, 'and said once', sensor.said())
    ok('`ethtool -K v0 gro off lro off tso off gso off`' in sensor.said(), 'with the cure', sensor.said())
    ok(sensor.last('icu')['state'] == 'seen', 'the segment is seen', sensor.last('icu'))
    ok('oversized' in sensor.reasons('icu'), 'with a doubt', sensor.all('coverage'))
    ok(sum(p['oversized'] for r in sensor.all('health') for p in r['interfaces']) == 15,
       'health names the interface', sensor.all('health'))


def test_silence(folder):
    sensor = Sensor(folder, 'v0')
    sensor.stop(2.2)
    ok(sensor.last('theatre')['state'] in ('quiet', 'mirror-dead'),
       'a clinical segment has a row though no frame ever came', sensor.records)
    ok('never-seen' in sensor.reasons('theatre'), 'as never seen')
    ok(sensor.last('office')['state'] is None, 'another one has none')
    ok(len(sensor.all('health')) >= 1, 'health is told', sensor.records)


def test_dead_interface(folder):
    sensor = Sensor(folder, 'v0', 'v1')
    send('v0-m', [frame(udp('10.2.0.1', '10.2.0.2', 5000))] * 9)
    send('v1-m', [frame(udp('10.1.0.1', '10.1.0.2', 5000))] * 9)
    time.sleep(1.2)
    run('ip', 'link', 'set', 'v1-m', 'down')
    ok(sensor.wait_for('v1: no link'), 'a cable that is pulled is said', sensor.said())
    send('v0-m', [frame(udp('10.2.0.1', '10.2.0.2', 5000))] * 9)
    sensor.stop()
    ok(sensor.last('icu')['state'] in ('partial', 'mirror-dead'), 'what only it showed is in doubt',
       sensor.all('coverage'))
    ok('interface-dead' in sensor.reasons('icu'), 'for that reason', sensor.all('coverage'))
    ok(sensor.last('pacs')['state'] in ('seen', 'quiet') and
       'interface-dead' not in sensor.reasons('pacs'), 'the other one\'s are not', sensor.all('coverage'))
    states = {p['name']: p['state'] for p in sensor.all('health')[-1]['interfaces']}
    ok(states == {'v0': 'up', 'v1': 'no-link'}, 'health tells them apart', states)
    run('ip', 'link', 'set', 'v1-m', 'up')


def test_rename_and_removal(folder):
    sensor = Sensor(folder, 'v0', 'v1')
    send('v0-m', [frame(udp('10.2.0.1', '10.2.0.2', 5000))] * 9)
    send('v1-m', [frame(udp('10.1.0.1', '10.1.0.2', 5000))] * 9)
    run('ip', 'link', 'set', 'v1', 'down')
    ok(sensor.wait_for('v1: the interface is down'), 'down is said', sensor.said())
    run('ip', 'link', 'set', 'v1', 'up')
    ok(sensor.wait_for('v1: the interface is up again'), 'and that it is up', sensor.said())
    if subprocess.run(['ip', 'link', 'set', 'v1', 'name', 'other'], stderr=subprocess.DEVNULL).returncode:
        TAP.skip('a new name is said, and capture goes on', 'this kernel renames only what is down')
        run('ip', 'link', 'set', 'v1', 'down')
        run('ip', 'link', 'set', 'v1', 'name', 'other')
        run('ip', 'link', 'set', 'other', 'up')
    else:
        ok(sensor.wait_for('v1: the interface is now called other'), 'a new name is said', sensor.said())
    time.sleep(1.2)
    send('v1-m', [frame(udp('10.1.0.1', '10.1.0.3', 5001))] * 9)
    time.sleep(1.2)
    run('ip', 'link', 'del', 'other')
    ok(sensor.wait_for('the interface has gone'), 'and that it has gone', sensor.said())
    sensor.stop()
    ok(5001 in paths(sensor.records), 'capture had gone on in between', sensor.said())
    states = {p['name']: p['state'] for p in sensor.all('health')[-1]['interfaces']}
    ok(states == {'v0': 'up', 'v1': 'gone'}, 'health knows it as gone', states)


def inside():
    run('mount', '-t', 'sysfs', 'sysfs', '/sys')  # of this network
    pair('v0')
    pair('v1')
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        (folder / 'site.yaml').write_text(SITE)
        for test in (test_tags, test_unclaimed, test_oversized, test_silence, test_dead_interface,
                     test_rename_and_removal):
            test(folder)
        sys.exit(TAP.end())


SENSOR = sys.argv[2]
missing = [p for p in ('ip', 'ethtool', 'unshare') if not shutil.which(p)]
if sys.argv[3:] == ['inside']:
    inside()
if not missing and os.geteuid() == 0 and subprocess.run(
        ['unshare', '--net', '--mount', 'true'], stderr=subprocess.DEVNULL).returncode:
    missing = ['namespaces of network and mounts']
if os.geteuid() != 0 or missing:
    print('1..0 # SKIP live health: needs ' + (', '.join(missing) or 'root'))
    sys.exit(0)
sys.exit(subprocess.run(['unshare', '--net', '--mount', '--propagation', 'private', sys.executable,
                         __file__, sys.argv[1], SENSOR, 'inside']).returncode)
