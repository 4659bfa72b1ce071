#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The programs themselves: confined by default, by the kernel's own account, and
on good terms with the service manager. Prints TAP.

usage: programs.py SANITIZED SOURCE_ROOT SENSOR SHIPPER COLLECTOR"""
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tap import Tap  # noqa: E402

SANITIZED = sys.argv[1] == '1'
SOURCE, SENSOR, SHIPPER, COLLECTOR = (pathlib.Path(a) for a in sys.argv[2:6])
TAP = Tap()


def ok(good, name, detail=''):
    TAP.report(good, name, '' if good else detail)


class Manager:
    """Listens as a service manager does."""

    def __init__(self, folder):
        self.path = folder / 'notify'
        self.path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.path.chmod(0o666)
        self.heard = []

    def wait_for(self, word, seconds=20):
        end = time.monotonic() + seconds
        while not self.has(word) and time.monotonic() < end:
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                self.heard += self.socket.recv(4096).decode().splitlines()
            except TimeoutError:
                break
        return self.has(word)

    def has(self, word):
        return any(line.startswith(word) for line in self.heard)


class Program:
    def __init__(self, folder, command, stdin=subprocess.DEVNULL):
        self.manager = Manager(folder)
        self.errors = open(folder / 'errors', 'w+')
        environment = dict(os.environ, NOTIFY_SOCKET=str(self.manager.path), WATCHDOG_USEC='400000')
        environment.pop('WATCHDOG_PID', None)
        self.process = subprocess.Popen([str(word) for word in command], env=environment,
                                        stdin=stdin, stdout=subprocess.DEVNULL, stderr=self.errors)

    def threads(self):
        """What the kernel says of each thread: a list of dicts."""
        found = []
        for path in pathlib.Path(f'/proc/{self.process.pid}/task').glob('*/status'):
            lines = (line.split(':', 1) for line in path.read_text().splitlines())
            found.append({key: value.strip() for key, value in lines})
        return found

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.manager.wait_for('STOPPING=1', 0.2)
        return code


# Root that stays root keeps CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, no more.
FILES_ONLY = f'{0b110:016x}'


def expect_confined(program, name, sandbox=True, user=False):
    threads = program.threads()
    kept = FILES_ONLY if os.geteuid() == 0 and not user else '0' * 16
    ok(bool(threads), f'{name}: it runs', program.said())
    for key, wanted in ('CapPrm', kept), ('CapEff', kept), ('CapAmb', '0' * 16), ('NoNewPrivs', '1'):
        values = {t[key] for t in threads}
        ok(values == {wanted}, f'{name}: {key} is {wanted} in all threads', values)
    values = {t['Seccomp'] for t in threads}
    if SANITIZED:
        ok('without its sandbox' in program.said(), f'{name}: a sanitizer build says so', program.said())
    elif sandbox:
        ok(values == {'2'}, f'{name}: system calls are filtered in all threads', values)
        ok('no sandbox' not in program.said(), f'{name}: and nothing is said of it', program.said())
    else:
        ok(values == {'0'}, f'{name}: system calls are not filtered', values)
        ok('no sandbox (--no-sandbox)' in program.said(), f'{name}: says what is lost', program.said())


def collector(folder, user):
    subprocess.run([SOURCE / 'packaging/make-ca', folder / 'ca', '--server', 'localhost,127.0.0.1',
                    '--sensor', 'span-1'], check=True, stdout=subprocess.DEVNULL)
    (folder / 'collector.yaml').write_text(
        f'{user}listen: {{address: 127.0.0.1, port: 0}}\n'
        'tls: {certificate: ca/localhost.crt, key: ca/localhost.key, ca: ca/ca.crt}\n'
        'store: {dir: store}\n')
    return [COLLECTOR, '-c', folder / 'collector.yaml']


def shipper(folder, user):
    (folder / 'spool').mkdir(exist_ok=True)
    (folder / 'shipper.yaml').write_text(
        f'{user}sensor: span-1\nspool: {{dir: spool}}\n'
        'destinations: [{type: ndjson, path: spool/records.json}]\n')
    return [SHIPPER, '-c', folder / 'shipper.yaml']


def test_daemon(folder, name, command):
    program = Program(folder, command)
    ok(program.manager.wait_for('READY=1'), f'{name}: says that it is ready', program.said())
    expect_confined(program, name)
    ok(program.manager.wait_for('WATCHDOG=1'), f'{name}: gives signs of life', program.manager.heard)
    ok(program.manager.wait_for('STATUS='), f'{name}: tells its status', program.manager.heard)
    code = program.stop()
    ok(code == 0, f'{name}: ends well', f'{code}: {program.said()}')
    ok('STOPPING=1' in program.manager.heard, f'{name}: says that it stops', program.manager.heard)
    if not SANITIZED:
        program = Program(folder, command + ['--no-sandbox'])
        program.manager.wait_for('READY=1')
        expect_confined(program, f'{name} --no-sandbox', sandbox=False)
        program.stop()


def sensor_reading(folder, extra=()):
    """A sensor that waits for the rest of its capture."""
    capture = (SOURCE / 'pcaps/dns-dig.pcap').read_bytes()
    program = Program(folder, [SENSOR, '-r', '-', '--json', *extra], stdin=subprocess.PIPE)
    program.process.stdin.write(capture)
    program.process.stdin.flush()
    end = time.monotonic() + 20
    while time.monotonic() < end:
        threads = program.threads()
        said = program.said()
        if threads and threads[0]['NoNewPrivs'] == '1' and (
                threads[0]['Seccomp'] == '2' or 'without its sandbox' in said or 'no sandbox' in said):
            break
        time.sleep(0.02)
    return program


def test_sensor(folder):
    for extra in ([], ['--no-sandbox']):
        if extra and SANITIZED:
            continue
        name = ' '.join(['sensor', *extra])
        program = sensor_reading(folder, extra)
        expect_confined(program, name, sandbox=not extra)
        program.process.stdin.close()
        ok(program.process.wait(20) == 0, f'{name}: ends well', program.said())


def test_live(folder):
    """On the loopback of a network of its own; what is said on it stays there."""
    spool = folder / 'live'
    talk = ('import socket, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n'
            'for _ in range(100): s.sendto(b"x", ("127.0.0.1", 9)); time.sleep(0.05)')
    program = Program(folder, ['unshare', '-n', 'sh', '-c',
                               'ip link set lo up; python3 -c "$1" >/dev/null 2>&1 & shift; exec "$@"', 'sh',
                               talk, SENSOR, '-i', 'lo', '--spool', spool])
    end = time.monotonic() + 20
    while 'capturing on lo' not in program.said() and time.monotonic() < end:
        time.sleep(0.02)
    expect_confined(program, 'live sensor')
    ok(program.manager.wait_for('STATUS='), 'live sensor: tells its status', program.manager.heard)
    time.sleep(1)
    code = program.stop()
    ok(code == 0, 'live sensor: ends well', f'{code}: {program.said()}')
    ok((spool / 'health/known').exists(), 'live sensor: can close its spool', list(spool.glob('*/*')))


def test_user(folder, name, command):
    """Started as root, with `user: nobody`."""
    program = Program(folder, command)
    program.manager.wait_for('READY=1')
    threads = program.threads()
    ok({t['Uid'] for t in threads} == {'\t'.join(['65534'] * 4)}, f'{name}: becomes its user',
       str(threads)[:400] + program.said())
    ok(all('0' not in t['Groups'].split() for t in threads), f'{name}: root\'s groups are gone')
    ok({t['CapBnd'] for t in threads} == {'0' * 16}, f'{name}: no capability can come back')
    ok(program.stop() == 0, f'{name}: ends well', program.said())


with tempfile.TemporaryDirectory() as made:
    folder = pathlib.Path(made)
    test_sensor(folder)
    test_daemon(folder, 'shipper', shipper(folder, ''))
    test_daemon(folder, 'collector', collector(folder, ''))
    if os.geteuid() == 0:
        test_live(folder)
        folder.chmod(0o755)
        for name, make in ('shipper', shipper), ('collector', collector):
            own = folder / name
            for sub in own, own / 'spool', own / 'store':
                sub.mkdir()
                os.chown(sub, 65534, 65534)
            own.chmod(0o777)
            test_user(own, f'{name} as root', make(own, 'user: nobody\n'))
    else:
        TAP.skip('live sensor, and another user', 'needs root')
sys.exit(TAP.end())
