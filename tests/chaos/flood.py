#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# flood.py SOURCE BUILD [--seconds N] [--rate N]: new flows, as many as the sender
# can, while two life-critical segments go on: a theatre stores images (DICOM), an
# intensive care unit sends vital signs (HL7). Memory stays in its bound, every
# clinical conversation is recorded whole, the flood is summed up and counted.
import argparse
import json
import os
import re
import subprocess
import time

from stage import Tap, skip_all, wait_for
from watch import Mirror, Sensor, account, adds_up, possible, status_of, sums

THEATRE, PACS, PACS_PORT = '10.31.0.5', '10.20.8.2', 11112
ICU, EHR, EHR_PORT = '10.30.0.5', '10.50.0.2', 2575
GUESTS, OUTSIDE = '172.20', '192.0.2.1'
RATE = 1_000_000
LEVELS = ('dpi.memory', 'shed.level')
CANARY = 'ZZPHI'  # ZZ alone may be in a community id


def configured_bound(sensor):
    """What `vigie-sensor -n` says of the configuration: rings, tables, waiting batches."""
    said = subprocess.run([sensor.program('sensor', 'vigie-sensor'), '-n', '-c',
                           sensor.path('sensor.yaml')], capture_output=True, text=True, check=True)
    return int(re.search(r'^memory: (\d+) MiB at most', said.stdout, re.M)[1])


class Clinic(Mirror):
    """Behind the mirror: hosts of the wards in a namespace, servers in this one, joined by
    a cable of which the port sees both directions."""

    def plug(self):
        super().plug()
        self.ward = f'{self.name}w'
        subprocess.run(['ip', 'netns', 'add', self.ward], check=True)
        self.run('ip', 'link', 'add', 'name', 'clinic0', 'type', 'veth', 'peer', 'name', 'ward0',
                 'netns', self.ward)
        self.run('ip', 'link', 'set', 'dev', 'clinic0', 'up', 'gso_max_segs', '1')
        self.in_ward('ip', 'link', 'set', 'dev', 'ward0', 'up', 'gso_max_segs', '1')
        for address in (PACS, EHR):
            self.run('ip', 'address', 'add', f'{address}/8', 'dev', 'clinic0')
        for address, peer in ((THEATRE, PACS), (ICU, EHR)):
            self.in_ward('ip', 'address', 'add', f'{address}/32', 'dev', 'ward0')
            self.in_ward('ip', 'route', 'add', peer, 'dev', 'ward0', 'src', address)
        # A socket on the feed's own answers would be traffic, too.
        self.run('tc', 'qdisc', 'add', 'dev', 'clinic0', 'clsact')
        for way in ('ingress', 'egress'):
            self.run('tc', 'filter', 'add', 'dev', 'clinic0', way, 'protocol', 'all', 'u32', 'match',
                     'u32', '0', '0', 'action', 'mirred', 'egress', 'mirror', 'dev', self.feed)

    def in_ward(self, *words):
        return subprocess.run(self.ward_words(*words), check=True, capture_output=True,
                              text=True).stdout

    def ward_words(self, *words):
        return ['ip', 'netns', 'exec', self.ward, *map(str, words)]

    def start_in_ward(self, *words, **more):
        p = subprocess.Popen(self.ward_words(*words), stdin=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, text=True, **more)
        self.children.append(p)
        return p

    def close(self):
        name = self.name
        super().close()
        if name:
            subprocess.run(['ip', 'netns', 'del', f'{name}w'], check=False,
                           stderr=subprocess.DEVNULL)


def make_image(folder):
    text = os.path.join(folder, 'image.dump')
    with open(text, 'w', encoding='ascii') as f:
        f.write('(0008,0016) UI 1.2.840.10008.5.1.4.1.1.6.1\n(0008,0018) UI 1.2.826.0.1.3680043.8.498.7.1\n'
                '(0010,0010) PN ZZPHI^CANARY\n(0010,0020) LO ZZPHI0001\n'
                '(0020,000d) UI 1.2.826.0.1.3680043.8.498.7.2\n(0020,000e) UI 1.2.826.0.1.3680043.8.498.7.3\n'
                f'(7fe0,0010) OW {chr(92).join(["5a5a"] * 8192)}\n')
    image = os.path.join(folder, 'image.dcm')
    subprocess.run(['dump2dcm', '-q', '+l', '100000', text, image], check=True)
    return image


def begin_servers(clinic, folder, here):
    clinic.start('storescp', '-dhl', '--ignore', '-aet', 'PACS', PACS_PORT)
    clinic.start('python3', f'{here}/talk.py', 'serve', EHR, EHR_PORT)

    def both():
        listening = clinic.run('ss', '-ltn')
        return f':{PACS_PORT}' in listening and f':{EHR_PORT}' in listening
    return wait_for(both)


def converse(clinic, image, here, seconds):
    """For so long, from both segments; gives what was done."""
    calls = [clinic.start_in_ward('python3', f'{here}/talk.py', 'call', EHR, EHR_PORT, seconds, most,
                                  pause, stdout=subprocess.PIPE)
             for most, pause in ((20, 0.05), (10**6 if seconds > 10 else 40, 0.2))]
    until, stored = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        stored += subprocess.run(clinic.ward_words('storescu', '-aet', 'THEATRE', '-aec', 'PACS', PACS,
                                                   PACS_PORT, image), check=False).returncode == 0
        time.sleep(0.1)
    return stored, calls


def conversations(records):
    """By community id: what a clinical conversation was, over its records."""
    found = {}
    for r in records:
        if r['type'] != 'flow' or r.get('client', {}).get('ip') not in (THEATRE, ICU):
            continue
        c = found.setdefault(r['community_id'], {'packets': [0, 0], 'bytes': [0, 0]})
        for what in ('packets', 'bytes'):
            for i, way in enumerate(('to_server', 'to_client')):
                c[what][i] += r[what][way]
        c.update({k: r[k] for k in ('app', 'verdict', 'rule', 'shed') if k in r})
        # How long an answer took is the clock's matter, all else that of the packets.
        c['attributes'] = {k: v for k, v in r.get('attributes', {}).items()
                           if not k.endswith(('_ms', '_us'))}
    return found


def replayed(sensor, capture, source):
    done = subprocess.run([sensor.program('sensor', 'vigie-sensor'), '-r', capture, '--json', '--site',
                           f'{source}/pcaps/demo/hospital.yaml', '--sensor', 'span-1'],
                          capture_output=True, text=True, check=True)
    return conversations(map(json.loads, done.stdout.splitlines()))


def compare(tap, got, wanted):
    apps = {a: sum(c['app'] == a for c in wanted.values()) for a in ('dicom', 'hl7')}
    print(f'# conversations: {apps}')
    tap.ok(min(apps.values()) > 1, 'both kinds of conversations went on', apps)
    tap.same('none is missing', sorted(set(wanted) - set(got))[:3], [])
    wrong = [(i, got[i], w) for i, w in wanted.items() if i in got and got[i] != w]
    tap.ok(not wrong, 'each is recorded whole: packets, bytes, attributes, nothing shed',
           f'{len(wrong)} of {len(wanted)} are not', *wrong[:2])


def check_flood(tap, counters, flows, coverage, came, flood):
    lost = counters.get('drops.kernel', 0) + counters.get('drops.interface', 0)
    print(f"# {flood['frames']} new flows offered at {flood['rate']} a second; {lost} frames lost in "
          f"the ring, {counters.get('packets.shed', 0)} summed up; {flows['records']} flow records")
    # The last look at the kernel's own count may miss a frame of the clinic.
    tap.ok(abs(account(counters) - came) < 5, 'read and lost are what came in', account(counters), came)
    tap.ok(adds_up(counters), 'every frame read is counted once', counters)
    refused = counters.get('spool.refused', 0)
    summed = counters.get('packets.metered', 0) + counters.get('packets.shed', 0)
    if tap.same('the spool took all', refused, 0):
        tap.same('flows and pairs of segments have the packets of the counters', flows['packets'],
                 summed)
    tap.ok(flows['records'] < max(200_000, flood['frames'] // 20), 'the flood is summed up',
           flows['records'])
    tap.ok(max((c['shed_max'] for c in coverage), default=0) > 0, 'the ledger says what was shed',
           coverage[:2])
    if lost:
        tap.ok(any(c['state'] in ('partial', 'blind') for c in coverage),
               'and that some of it was missed')


def main():
    p = argparse.ArgumentParser()
    p.add_argument('source', type=os.path.abspath)
    p.add_argument('build', type=os.path.abspath)
    p.add_argument('--seconds', type=float, default=60)
    p.add_argument('--rate', type=float, default=RATE, help='new flows a second; 0: all that go')
    p.add_argument('--capture', default='', help='more of the capture section, as ", workers: 2"')
    p.add_argument('--if-long', action='store_true', help='15 seconds, if VIGIE_LONG is set')
    o = p.parse_args()
    if o.if_long and not os.environ.get('VIGIE_LONG'):
        skip_all('long: ./check --long')
    o.seconds = 15 if o.if_long else o.seconds
    why = possible()
    if why:
        skip_all(f'flood: {why}')
    tap, here = Tap(), os.path.dirname(os.path.abspath(__file__))
    clinic = Clinic(f'{o.build}/tests/bench/send_frames')
    sensor = Sensor(clinic, o.source, o.build, o.capture, more='spool: {dir: spool, max: 2GiB}\n')
    image, seen = make_image(sensor.dir), sensor.path('seen.pcap')
    tap.ok(begin_servers(clinic, sensor.dir, here), 'the clinic works')
    before = clinic.came_in()
    tap.ok(sensor.start(), 'the sensor captures', sensor.said)
    watcher = clinic.start_in_ward('tcpdump', '-i', 'ward0', '-B', '65536', '-s', '0', '-w', seen, 'tcp')
    wait_for(lambda: os.path.exists(seen) and os.path.getsize(seen) >= 24)
    sender = clinic.start_sending('syn+udp', rate=o.rate, seconds=o.seconds, way='inject',
                                  options=('-a', GUESTS, '-b', OUTSIDE))
    stored, calls = converse(clinic, image, here, o.seconds)
    answered = [int(c.communicate()[0] or 0) for c in calls]
    tap.ok(stored > 1 and min(answered) > 1, 'images were stored and messages answered all the time',
           stored, answered)
    flood = clinic.sent(sender)
    sensor.settle()
    peak, = status_of(sensor.process.pid, 'VmHWM') if sensor.runs() else [0]
    came = clinic.came_in() - before
    code, counters = sensor.stop()
    time.sleep(1.5)  # libpcap keeps its last block for a second
    watcher.terminate()
    watcher.wait()
    tap.same('the sensor ends when told', code, 0)
    if not o.rate or o.rate >= RATE:
        tap.ok(flood['rate'] > 0.9 * RATE, 'a million new flows a second were offered', flood)
    if 'Sanitizer' not in sensor.said and 'sanitizer build' not in sensor.said:
        print(f'# peak {peak >> 10} MB')
        bound = configured_bound(sensor)
        tap.ok(0 < peak < bound << 10, f'its memory stayed below the {bound} MB of its configuration',
               peak >> 10)
    records = list(sensor.records())
    told, flows, coverage = sums(records)
    # The last health record cannot tell of itself, nor of findings raised with it.
    tap.same('health records tell the summary',
             {n: (told[n], v) for n, v in counters.items()
              if n not in LEVELS and told[n] != v and not n.startswith(('spool.', 'records', 'alerts'))}, {})
    check_flood(tap, counters, flows, coverage, came, flood)
    compare(tap, conversations(records), replayed(sensor, seen, o.source))
    told = [text for text in [sensor.said, *map(json.dumps, records)] if CANARY in text]
    tap.same('no canary is in any record', told[:1], [])
    tap.end()


main()
