# SPDX-License-Identifier: Apache-2.0
#
# What the chaos tests share: a stage (a folder with certificates, configurations,
# spool and store), the three programs on loopback, TAP, and the comparison of the
# store with what `vigie-sensor --json` says of the same captures.
import atexit
import collections
import ctypes
import glob
import json
import os
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

DESTINATION = 'collector'
STREAMS = ('alerts', 'health', 'flows')
PR_SET_PDEATHSIG = 1
LEVELS = ('dpi.memory',)  # nDPI's own; not the same in each run
libc = ctypes.CDLL(None)


def skip_all(why):
    print(f'1..0 # SKIP {why}')
    sys.exit(0)


class Tap:
    def __init__(self):
        self.cases = self.failures = 0

    def ok(self, good, name, *details):
        self.cases += 1
        print(f'{"ok" if good else "not ok"} {self.cases} - {name}', flush=True)
        if not good:
            self.failures += 1
            for d in details:
                for line in str(d).splitlines()[:40]:
                    print(f'#   {line}')
        return good

    def same(self, name, got, wanted):
        return self.ok(got == wanted, name, f'got:    {got}', f'wanted: {wanted}')

    def has(self, name, text, *parts):
        missing = [p for p in parts if p not in text]
        return self.ok(not missing, name, f'without: {missing}', text[-3000:])

    def end(self):
        print(f'1..{self.cases}')
        sys.exit(1 if self.failures else 0)


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_for(what, seconds=30, step=0.02):
    """The first true value of what(), or its last one when time is up."""
    until = time.monotonic() + seconds
    while True:
        value = what()
        if value or time.monotonic() > until:
            return value
        time.sleep(step)


class Stage:
    """Programs are killed, and the folder removed, when the test ends."""

    def __init__(self, source, build, sensor='span-1', servers='localhost,127.0.0.1',
                 shipper='', spool='max: 256MiB, segment: 128KiB', flows='{table: 8192}',
                 store='sync: true'):
        self.source, self.build, self.name = source, build, sensor
        self.dir = tempfile.mkdtemp(prefix='vigie-chaos-')
        self.children = []
        atexit.register(self.clean)
        for sig in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sig, lambda *_: sys.exit(130))
        self.port = free_port()
        self.make_ca('ca', '--server', servers, '--sensor', sensor, '--analyst', 'anna')
        self.write_collector(store=store)
        self.sensor_text = (
            f'sensor: {sensor}\n'
            f'site: {source}/pcaps/demo/hospital.yaml\n'
            f'geo: {{databases: [{source}/pcaps/demo/networks.mmdb]}}\n'
            f'spool: {{dir: spool, {spool}}}\n'
            f'flows: {flows}\n'
            'shed: {singles: 1000000}\n'  # a record for each flow, whatever the table gives up
            'status: {enabled: false}\n')
        self.write_shipper(options=shipper)
        self.write('vigie.yaml',
                   f'collector: https://localhost:{self.port}\n'
                   'ca: ca/ca.crt\ncertificate: ca/anna.crt\nkey: ca/anna.key\n')

    def clean(self):
        for p in self.children:
            if p.poll() is None:
                p.kill()
                p.wait()
        self.children.clear()
        if os.environ.get('VIGIE_KEEP'):
            print(f'# kept: {self.dir}')
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    # ---- files ----

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as f:
            f.write(text)

    def read(self, name):
        try:
            with open(self.path(name), encoding='utf-8', errors='replace') as f:
                return f.read()
        except FileNotFoundError:
            return ''

    def make_ca(self, folder, *arguments):
        subprocess.run([f'{self.source}/packaging/make-ca', self.path(folder), *arguments],
                       check=True, stdout=subprocess.DEVNULL)

    def write_collector(self, certificate='localhost', store='sync: true'):
        self.write('collector.yaml',
                   f'listen: {{address: 127.0.0.1, port: {self.port}}}\n'
                   f'tls: {{certificate: ca/{certificate}.crt, key: ca/{certificate}.key, '
                   'ca: ca/ca.crt}\n'
                   f'store: {{dir: store, retention: 36500d, {store}}}\n')

    def write_shipper(self, url=None, ca='ca/ca.crt', certificate=None, options='', name=None):
        """The sensor's and the shipper's configuration."""
        certificate = certificate or f'ca/{self.name}'
        text = self.sensor_text
        if name:
            text = text.replace(f'sensor: {self.name}\n', f'sensor: {name}\n')
        self.write('sensor.yaml', text +
                   'destinations:\n'
                   f'  - {{name: {DESTINATION}, type: collector, '
                   f'url: "{url or f"https://localhost:{self.port}"}", ca: {ca}, '
                   f'certificate: {certificate}.crt, key: {certificate}.key{options}}}\n')

    def make_flows(self, name, flows, *arguments):
        subprocess.run([f'{self.build}/tests/bench/make_flows', '-f', str(flows), *arguments,
                        self.path(name)], check=True)
        return self.path(name)

    def demo(self):
        return sorted(glob.glob(f'{self.source}/pcaps/demo/*.pcap'))

    # ---- programs ----

    def program(self, name):
        room = {'vigie-sensor': 'sensor', 'vigie-shipper': 'exporters'}.get(name, 'collector')
        return f'{self.build}/{room}/{name}'

    def start(self, name, *arguments, log, out=subprocess.DEVNULL):
        """Its complaints are appended to the file `log`."""
        with open(self.path(log), 'ab') as f:
            p = subprocess.Popen(
                [self.program(name), *arguments], stdout=out, stderr=f,
                stdin=subprocess.DEVNULL,
                # Nothing of ours outlives us.
                preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
        self.children.append(p)
        return p

    def start_collector(self, wait=True):
        with open(self.path('collector.out'), 'wb') as out:
            p = self.start('vigie-collector', '-c', self.path('collector.yaml'),
                           log='collector.log', out=out)
        if wait:
            wait_for(lambda: 'listening' in self.read('collector.out') or p.poll() is not None)
            if p.poll() is not None:
                print(self.read('collector.log')[-2000:])
                print('Bail out! the collector does not start')
                sys.exit(1)
        return p

    def start_shipper(self, *arguments):
        return self.start('vigie-shipper', '-c', self.path('sensor.yaml'), *arguments,
                          log='shipper.log')

    def start_sensor(self, captures):
        return self.start('vigie-sensor', '-c', self.path('sensor.yaml'), '-r', *captures,
                          log='sensor.log')

    def run(self, name, *arguments, seconds=300):
        """Exit code, output, complaints."""
        p = subprocess.run([self.program(name), *arguments], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=seconds, check=False)
        return p.returncode, p.stdout, p.stderr

    def replay(self, captures, *arguments):
        return self.run('vigie-sensor', '-c', self.path('sensor.yaml'), *arguments,
                        '-r', *captures)

    def drain(self, seconds=300):
        """Exit code and complaints; 'late' as code when it does not end."""
        try:
            code, _, err = self.run('vigie-shipper', '-c', self.path('sensor.yaml'), '--drain',
                                    seconds=seconds)
        except subprocess.TimeoutExpired as late:
            return 'late', (late.stderr or b'').decode(errors='replace')
        return code, err

    def vigie(self, *arguments):
        return self.run('vigie', *arguments[:1], '--config', self.path('vigie.yaml'),
                        *arguments[1:])

    # ---- the spool, read as docs/spool.md has it ----

    def segments(self, stream):
        return sorted(glob.glob(self.path('spool', stream, '*.seg')))

    def newest_segment(self):
        return sum(int(os.path.basename(s[-1])[:16])
                   for s in map(self.segments, STREAMS) if s)

    def acks(self):
        positions = {}
        for line in self.read(f'spool/acks/{DESTINATION}').splitlines():
            words = line.split()
            if len(words) == 3 and words[0] in STREAMS:
                positions[words[0]] = (int(words[1]), int(words[2]))
        return positions

    def frames(self, stream):
        """(segment, offset, epoch, sequence, records, length) of the spool's frames."""
        for path in self.segments(stream):
            try:
                with open(path, 'rb') as f:
                    data = f.read()
            except FileNotFoundError:
                continue
            at = 0
            while data[at:at + 4] == b'VGF1' and at + 32 <= len(data):
                length, _, _, records, epoch, sequence, _ = struct.unpack_from(
                    '<IBBHQQI', data, at + 4)
                yield int(os.path.basename(path)[:16]), at, epoch, sequence, records, length
                at += 32 + length

    def unacknowledged(self):
        """Batches that the destination has yet to acknowledge."""
        acks = self.acks()
        return sum(1 for s in STREAMS for f in self.frames(s) if f[:2] >= acks.get(s, (0, 0)))


# ---- what should be there, and what is ----

class Truth:
    """Sums over the JSON lines of one or several replays."""

    def __init__(self):
        self.flows = collections.Counter()  # the line without its blank end
        self.ids = collections.Counter()
        self.sums = collections.Counter()
        self.alerts = collections.Counter()  # id: count
        self.counters = collections.Counter()

    def take(self, text):
        for line in text.splitlines():
            r = json.loads(line)
            if r['type'] == 'flow':
                self.flows[line] += 1
                self.ids[r['id'], r['interim']] += 1
                for what in ('packets', 'bytes'):
                    self.sums[what] += r[what]['to_server'] + r[what]['to_client']
            elif r['type'] == 'alert':
                self.alerts[r['id']] += r['count']
            elif r['type'] == 'health':
                self.counters.update(r['counters'])

    def replay(self, stage, captures):
        code, out, err = stage.replay(captures, '--json')
        if code not in (0, 3):
            print(err)
            print('Bail out! vigie-sensor --json failed')
            sys.exit(1)
        self.take(out)
        return self


def rows(path, sql):
    with sqlite3.connect(f'file:{path}?mode=ro', uri=True) as db:
        return db.execute(sql).fetchall()


def rollup_is_right(path, rollup, bucket, span, keys):
    """The rollup against the flows that it sums up. Both ways, EXCEPT is empty."""
    grouped = ', '.join(keys)
    # A flow counts once, however many interim records it has.
    flows = (f'SELECT start - start % {span} AS t, exercise, {grouped}, sum(interim = 0),'
             ' sum(packets_to_server + packets_to_client),'
             ' sum(bytes_to_server + bytes_to_client), max(severity)'
             f' FROM flows GROUP BY t, exercise, {grouped}')
    sums = f'SELECT {bucket}, exercise, {grouped}, flows, packets, bytes, severity FROM {rollup}'
    return (rows(path, f'{flows} EXCEPT {sums}'), rows(path, f'{sums} EXCEPT {flows}'))


def check_files(tap, stage, truth, what):
    """Looks into the store's files, past the collector."""
    files = sorted(glob.glob(stage.path('store', 'flows-*.db')))
    ids, sums = collections.Counter(), collections.Counter()
    for f in files:
        for i, interim, packets, size in rows(
                f, 'SELECT id, interim, packets_to_server + packets_to_client,'
                   ' bytes_to_server + bytes_to_client FROM flows'):
            i = i.hex() if isinstance(i, bytes) else i
            ids[i, interim] += 1
            sums['packets'] += packets
            sums['bytes'] += size
    tap.same(f'{what}: no flow twice in the files', [i for i, n in ids.items() if n > 1][:5], [])
    tap.same(f'{what}: flows in the files', len(ids), len(truth.ids))
    tap.ok(ids == truth.ids, f'{what}: they are the flows of --json')
    tap.same(f'{what}: packets and bytes in the files', sums, truth.sums)
    bad = []
    for f in files:
        bad += rollup_is_right(f, 'rollup_minute', 'minute', 60 * 10**6,
                               ('client_segment', 'server_segment', 'verdict'))
        bad += rollup_is_right(f, 'rollup_hour', 'hour', 3600 * 10**6,
                               ('client_ip', 'server_ip', 'client_segment', 'server_segment',
                                'app'))
        health = rows(f, 'PRAGMA integrity_check')
        bad += [] if health == [('ok',)] else [health]
    tap.ok(not any(bad), f'{what}: rollups are the sums of the flows', bad[:4])
    main = stage.path('store', 'main.db')
    alerts = {(i.hex() if isinstance(i, bytes) else i): n
              for i, n in rows(main, 'SELECT id, count FROM alerts')}
    tap.ok(alerts == dict(truth.alerts), f'{what}: alerts count as those of --json',
           len(alerts), len(truth.alerts), sum(alerts.values()), sum(truth.alerts.values()))
    counters = dict(rows(main, 'SELECT name, value FROM sensor_counters'))
    wrong = {n: (counters.get(n), v) for n, v in truth.counters.items()
             if not n.startswith('spool.') and n not in LEVELS and counters.get(n, 0) != v}
    tap.same(f'{what}: counters of the health records', wrong, {})
    tap.same(f'{what}: batches that only one file knows', stray_batches(files, main), [])


def stray_batches(files, main):
    sql = 'SELECT sensor, stream, epoch, sequence FROM batches'
    known = set(rows(main, sql))
    return [b for f in files for b in rows(f, sql) if b not in known][:5]


def check_answers(tap, stage, truth, what):
    """Asks the collector."""
    code, out, err = stage.vigie('flows', '--format', 'ndjson')
    lines = collections.Counter(out.splitlines())
    tap.ok(code == 0 and lines == truth.flows, f'{what}: vigie flows are the lines of --json',
           code, err, list((lines - truth.flows).items())[:2],
           list((truth.flows - lines).items())[:2])
    code, out, err = stage.vigie(
        'sql', 'SELECT count(*) AS n, sum(packets) AS packets, sum(bytes) AS bytes FROM flows',
        '--format', 'ndjson')
    tap.same(f'{what}: vigie sql', json.loads(out or '{}'), {
        'n': sum(truth.flows.values()),
        'packets': truth.sums['packets'], 'bytes': truth.sums['bytes']})
    code, out, err = stage.vigie('alerts', '--format', 'ndjson')
    alerts = {a['id']: a['count'] for a in map(json.loads, out.splitlines())}
    tap.ok(alerts == dict(truth.alerts), f'{what}: vigie alerts count as those of --json', err)
    tap.same(f'{what}: no batch is missing (vigie sensors)', missing(stage), {stage.name: 0})


def missing(stage):
    """Batches that each sensor sent and the collector lacks."""
    _, out, _ = stage.vigie('sensors', '--format', 'ndjson')
    return {r['sensor']: r['missing_batches'] for r in map(json.loads, out.splitlines())}


def check_all(tap, stage, truth, what):
    check_answers(tap, stage, truth, what)
    check_files(tap, stage, truth, what)
