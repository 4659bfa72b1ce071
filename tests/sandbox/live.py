#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A live sensor that runs for long: it is asked how it is, and its configuration is read
again; traffic goes on meanwhile, and none of it is lost. In a network of its own.
Prints TAP.

usage: live.py SOURCE_ROOT SENSOR"""
import atexit
import contextlib
import json
import os
import pathlib
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tap import Tap  # noqa: E402

if os.geteuid() != 0:
    print('1..0 # SKIP needs root')
    sys.exit(0)
if 'VIGIE_INSIDE' not in os.environ:
    os.environ['VIGIE_INSIDE'] = '1'
    os.execvp('unshare', ['unshare', '-n', sys.executable, *sys.argv])

SOURCE, SENSOR = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
NOBODY = 65534
TAP = Tap()


def ok(good, name, *details):
    TAP.report(good, name, '' if good else '\n'.join(str(d) for d in details))
    return good


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.05)
    return what()


class Traffic(threading.Thread):
    """Datagrams on the loopback, each of them another, to somebody who takes them."""

    def __init__(self):
        super().__init__(daemon=True)
        self.sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sink.bind(('127.0.0.1', 0))
        self.sent = 0
        self.over = False

    def run(self):
        source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        source.connect(self.sink.getsockname())
        while not self.over:
            for _ in range(20):
                source.send(b'%016d' % self.sent)
                self.sent += 1
            time.sleep(0.01)

    def stop(self):
        self.over = True
        self.join()
        return self.sent


class Sensor:
    def __init__(self, folder, *arguments):
        self.folder = folder
        self.socket = folder / 'sensor.sock'
        self.errors = open(folder / 'errors', 'w+', encoding='utf-8')
        self.records = open(folder / 'records', 'w+', encoding='utf-8')
        self.process = subprocess.Popen([str(SENSOR), '-c', str(folder / 'sensor.yaml'), *arguments],
                                        stdout=self.records, stderr=self.errors)
        atexit.register(self.process.kill)

    def said(self):
        return (self.folder / 'errors').read_text()

    def ask(self, *arguments, **options):
        return subprocess.run([str(SENSOR), 'status', *arguments], capture_output=True, text=True,
                              timeout=30, check=False, **options)

    def status(self):
        answer = self.ask('--json', '--socket', str(self.socket))
        return json.loads(answer.stdout) if answer.returncode == 0 else {}

    def reload(self, text, *words):
        """SIGHUP with another configuration; whether the log says all words then."""
        before = len(self.said())
        (self.folder / 'sensor.yaml').write_text(text)
        self.process.send_signal(signal.SIGHUP)
        good = wait_for(lambda: all(w in self.said()[before:] for w in words))
        return ok(good, f'SIGHUP: says {words[0]!r}' + (' and more' if words[1:] else ''),
                  self.said()[before:])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def make_folder(made, name):
    folder = pathlib.Path(made) / name
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    (folder / 'site.yaml').write_bytes((SOURCE / 'pcaps/demo/hospital.yaml').read_bytes())
    return folder


def hostile(path):
    """Comes a hundred times, says rubbish or nothing, and leaves or does not."""
    kept = []
    for i in range(100):
        s = socket.socket(socket.AF_UNIX)
        s.connect(str(path))  # waits while others are before us
        s.settimeout(10)
        if i % 3 == 0:
            with contextlib.suppress(OSError):  # it may have hung up already
                s.sendall(b'\x00\xffGET / HTTP/1.0\r\n\r\n' * 50)
        if i % 3 == 1:
            s.close()
        else:
            kept.append(s)
    answered = 0
    for s in kept:
        text = b''
        with contextlib.suppress(ConnectionResetError):  # after the answer: our rubbish was not read
            while part := s.recv(65536):
                text += part
        answered += json.loads(text)['type'] == 'status'
        s.close()
    return answered, len(kept)


BASE = '''sensor: span-1
user: nobody
site: site.yaml
spool: {dir: spool}
capture: {interfaces: [lo], ring: 8MiB}
status: {socket: sensor.sock}
'''


def test_status_and_reload(made):
    folder = make_folder(made, 'one')
    (folder / 'sensor.yaml').write_text(BASE)
    sensor = Sensor(folder, '--json')
    ok(wait_for(lambda: 'capturing on lo' in sensor.said()), 'it captures', sensor.said())
    traffic = Traffic()
    traffic.start()
    ok(wait_for(lambda: sensor.status().get('rates', {}).get('minute', {}).get('packets', 0) > 100),
       'status: rates', sensor.status())
    st = sensor.socket.stat()
    ok(stat.S_IMODE(st.st_mode) == 0o660 and st.st_uid == NOBODY, 'the socket is its own, 0660', st)
    view = sensor.ask('-c', str(folder / 'sensor.yaml'))
    ok(view.returncode == 0 and 'last second' in view.stdout and 'packets.metered' in view.stdout,
       'status: in words', view)
    answered, asked = hostile(sensor.socket)
    ok(answered == asked, 'status: hostile clients get their answer, no more', answered, asked)
    before = sensor.status()
    ok(before['clients']['dropped'] > 0 and before['clients']['answered'] >= answered,
       'status: who left is counted', before)

    sensor.reload(BASE + 'exercise: drill-1\ntimeouts: {udp: 90s}\n',
                  'read again: site file of 14 segments', 'changed: exercise, timeouts')
    ok(sensor.status().get('exercise') == 'drill-1', 'status: the exercise', sensor.status())
    sensor.reload(BASE + 'exercise: drill-2\ntimeouts:\n  udp: 0s\n', 'sensor.yaml:9:8: udp is not between',
                  'nothing was changed')
    sensor.reload(BASE + 'exercise: [\n', 'sensor.yaml:', 'nothing was changed')
    sensor.reload(BASE.replace('site.yaml', 'none.yaml') + 'exercise: drill-2\n', 'none.yaml',
                  'nothing was changed')
    (folder / 'wrong.yaml').write_text('segments: 7\n')
    sensor.reload(BASE.replace('site.yaml', 'wrong.yaml') + 'exercise: drill-2\n', 'wrong.yaml:1:',
                  'nothing was changed')
    sensor.reload(BASE.replace('site.yaml', '/etc/vigie-elsewhere/site.yaml'), 'nothing was changed',
                  'another folder')
    ok(sensor.status().get('exercise') == 'drill-1', 'what was refused left no trace', sensor.status())
    sensor.reload(BASE.replace('8MiB', '16MiB').replace('[lo]', '[lo, v0]') + 'flows: {table: 999}\n',
                  'capture.ring has changed; it takes effect when the sensor is started again',
                  'flows.table has changed', 'capture.interfaces has changed', 'changed: exercise')
    after = sensor.status()
    ok('exercise' not in after and after['flows']['table'] == 1048576,
       'status: the exercise is over, the table as it was', after)
    (folder / 'other.yaml').write_bytes((folder / 'site.yaml').read_bytes() + b'\n# other\n')
    (folder / 'new.mmdb').write_bytes((SOURCE / 'pcaps/demo/networks.mmdb').read_bytes())
    sensor.reload(BASE.replace('site.yaml', 'other.yaml').replace('8MiB', '8MiB, dedup: false')
                  + 'geo: {databases: [new.mmdb]}\n', 'changed: site, capture.dedup, geo.databases')
    sensor.reload(BASE + 'geo: {databases: [none.mmdb]}\n', 'none.mmdb', 'nothing was changed')

    sent = traffic.stop()
    ok(wait_for(lambda: sensor.status()['interfaces'][0]['packets'] == sent), 'every packet was read',
       sent, sensor.status())
    ok(sensor.stop() == 0, 'it ends well', sensor.said())
    records = [json.loads(line) for line in (folder / 'records').read_text().splitlines()]
    flows = [r for r in records if r['type'] == 'flow']
    metered = sum(r['packets']['to_server'] + r['packets']['to_client'] for r in flows)
    ok(metered == sent, 'every packet is in a record', metered, sent)
    marks = [r.get('exercise') for r in flows if r['packets']['to_server'] + r['packets']['to_client']]
    ok(marks == [None, 'drill-1', None], 'records are marked from the reload on, until the next', flows)
    answer = sensor.ask('-c', str(folder / 'sensor.yaml'))
    ok(answer.returncode == 2 and 'the sensor is not running' in answer.stderr,
       'status: nobody answers any more', answer)


def test_socket(made):
    folder = make_folder(made, 'two')
    path = folder / 'sensor.yaml'
    path.write_text(BASE.replace('user: nobody\n', '').replace('[lo]', '[v0]'))
    sensor = Sensor(folder)
    ok(wait_for(lambda: 'capturing on v0' in sensor.said()), 'it captures, into a spool', sensor.said())
    second = subprocess.run([str(SENSOR), '-c', str(path), '--spool', str(folder / 'spool-2')],
                            capture_output=True, text=True, timeout=30, check=False)
    ok(second.returncode == 2 and 'another sensor answers there' in second.stderr,
       'a second one of the same socket does not start', second)
    ok(sensor.status().get('spool', {}).get('destinations') == [], 'status: the spool', sensor.status())
    try:
        answer = sensor.ask('--socket', str(sensor.socket), user=NOBODY, group=NOBODY, extra_groups=[])
        ok(answer.returncode == 2 and 'no permission' in answer.stderr, 'status: not for everybody', answer)
    except PermissionError:
        TAP.skip('status: not for everybody', 'another user cannot reach the program')
    answer = sensor.ask('--socket', str(folder / 'none.sock'))
    ok(answer.returncode == 2 and 'there is no such socket' in answer.stderr,
       'status: no such socket', answer)
    watch = subprocess.Popen([str(SENSOR), 'status', '--json', '--watch', '--socket', str(sensor.socket)],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    times = [json.loads(watch.stdout.readline())['time'] for _ in range(3)]
    ok(len(set(times)) == 3, 'status --watch: again and again', times)

    ok(sensor.stop() == 0, 'it ends well', sensor.said())
    ok(watch.wait(20) == 2 and 'not running' in watch.stderr.read(), 'status --watch: ends with it')


subprocess.run('ip link set lo up && ip link add v0 type veth peer name v1 &&'
               'ip link set v0 up && ip link set v1 up', shell=True, check=True)
with tempfile.TemporaryDirectory(prefix='vigie-live-') as made_here:
    os.chmod(made_here, 0o755)
    test_status_and_reload(made_here)
    test_socket(made_here)
sys.exit(TAP.end())
