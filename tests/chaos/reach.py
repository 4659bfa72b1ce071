#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# reach.py SOURCE BUILD: the collector cannot be reached, or one side does not
# accept the other. The shipper says in one sentence what is wrong and what would
# be right, waits, and loses nothing: at the end each flow is there once.
import contextlib
import os
import socket
import ssl
import subprocess
import sys

from stage import Stage, Tap, Truth, check_all, wait_for

FLOWS = 5000


def said(stage, since, *parts):
    """The line of the shipper's log that has all parts; '' for none."""
    for line in stage.read('shipper.log')[since:].splitlines():
        if all(p in line for p in parts):
            return line
    return ''


def expect(tap, stage, name, *parts):
    """A shipper with --drain waits, says it in one sentence, and ends with 3 when told."""
    since = len(stage.read('shipper.log'))
    before = stage.unacknowledged()
    shipper = stage.start_shipper('--drain')
    line = wait_for(lambda: said(stage, since, 'waiting: ', *parts), 30)
    tap.ok(line, f'{name}: said with the remedy', parts, stage.read('shipper.log')[since:])
    tap.ok(shipper.poll() is None, f'{name}: the shipper waits', shipper.poll())
    shipper.terminate()
    tap.same(f'{name}: --drain ends with 3', shipper.wait(timeout=30), 3)
    log = stage.read('shipper.log')[since:]
    tap.same(f'{name}: one sentence, not many', log.count('waiting: '), 1)
    tap.same(f'{name}: nothing is taken for delivered', stage.unacknowledged(), before)


def expired(stage):
    """A certificate for our sensor that was good until yesterday."""
    ca, new = stage.path('ca'), stage.path('expired')
    os.makedirs(new)
    stage.write('extensions', 'extendedKeyUsage=clientAuth\n'
                f'subjectAltName=DNS:{stage.name}\n')
    openssl = ['openssl', 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
               '-nodes', '-keyout', f'{new}/{stage.name}.key', '-out', f'{new}/request',
               '-subj', f'/O=Vigie/OU=sensor/CN={stage.name}']
    subprocess.run(openssl, check=True, stderr=subprocess.DEVNULL)
    subprocess.run(['openssl', 'x509', '-req', '-in', f'{new}/request', '-days', '-1',
                    '-CA', f'{ca}/ca.crt', '-CAkey', f'{ca}/ca.key', '-set_serial', '77',
                    '-extfile', stage.path('extensions'),
                    '-out', f'{new}/{stage.name}.crt'], check=True, stderr=subprocess.DEVNULL)


def no_collector(tap, stage, captures):
    url = f'https://localhost:{stage.port}'
    # Started before there is a spool, and before its collector.
    early = stage.start_shipper()
    tap.ok(wait_for(lambda: said(stage, 0, 'there is no spool', 'start the sensor'), 30),
           'started before the sensor: it waits for the spool', stage.read('shipper.log'))
    code, err = stage.drain()
    tap.ok(code == 2 and 'there is no spool' in err, '--drain without a spool ends with 2',
           code, err)
    tap.same('the spool is filled', stage.replay(captures)[0], 0)
    tap.ok(wait_for(lambda: said(stage, 0, f'waiting: {url}: nobody answers there', 'running'),
                    30), 'started before the collector: said', stage.read('shipper.log'))
    tap.ok(early.poll() is None, 'and it waits')
    collector = stage.start_collector()
    tap.ok(wait_for(lambda: not stage.unacknowledged(), 30), 'then it delivers',
           stage.read('shipper.log'))
    tap.ok(said(stage, 0, 'takes batches again'), 'and says so', stage.read('shipper.log'))
    # Gone for a while.
    collector.terminate()
    tap.same('the collector ends', collector.wait(timeout=20), 0)
    early.terminate()
    tap.same('a shipper that is told to end, ends', early.wait(timeout=30), 0)


def knocks(tap, stage, collector):
    """Strangers knock: a line that says so, and one that says how often, no more."""
    before = len(stage.read('collector.log'))
    context = ssl.create_default_context(cafile=stage.path('ca/ca.crt'))
    context.load_cert_chain(stage.path(f'other/{stage.name}.crt'), stage.path(f'other/{stage.name}.key'))
    for _ in range(20):
        with contextlib.suppress(OSError):
            with socket.create_connection(('127.0.0.1', stage.port), 10) as plain, \
                    context.wrap_socket(plain, server_hostname='localhost') as s:
                s.sendall(b'GET /api/v1/sensors HTTP/1.1\r\nHost: localhost\r\n\r\n')
                s.recv(1024)
    collector.terminate()
    tap.same('the collector ends', collector.wait(timeout=20), 0)
    log = [line for line in stage.read('collector.log')[before:].splitlines()
           if "refused a client's certificate" in line]
    tap.ok(1 <= len(log) <= 2, 'strangers: not a line for each', *log)
    tap.ok('more like this were held back)' in log[-1], 'strangers: how many is told', *log)
    return stage.start_collector()


def port_in_use(tap, stage):
    before = stage.read('collector.log')
    second = stage.start_collector(wait=False)
    tap.same('started twice: exit code', second.wait(timeout=30), 2)
    log = stage.read('collector.log')[len(before):]
    tap.has('started twice: a sentence with the remedy', log, 'Address already in use; stop what listens there')
    tap.same('started twice: one line', len(log.splitlines()), 1)
    # With a store of its own it is the port alone.
    text = stage.read('collector.yaml')
    stage.write('collector.yaml', text.replace('dir: store', 'dir: store-2'))
    before = stage.read('collector.log')
    second = stage.start_collector(wait=False)
    tap.same('port in use: exit code', second.wait(timeout=30), 2)
    log = stage.read('collector.log')[len(before):]
    tap.has('port in use: a sentence with the remedy', log, str(stage.port), 'in use',
            'set listen.port')
    stage.write('collector.yaml', text)


def main():
    source, build = map(os.path.abspath, sys.argv[1:3])
    tap = Tap()
    stage = Stage(source, build, spool='max: 64MiB, segment: 64KiB', flows='{table: 1024}')
    first = [stage.make_flows('first.pcap', FLOWS)]
    second = [stage.make_flows('second.pcap', FLOWS, '-k', 'syn', '-n', str(FLOWS))]
    truth = Truth().replay(stage, first)
    truth.replay(stage, second)
    stage.make_ca('ca', '--server', 'elsewhere.example', '--sensor', 'span-2')
    stage.make_ca('other', '--server', 'localhost', '--sensor', stage.name)
    expired(stage)

    no_collector(tap, stage, first)
    tap.same('the spool is filled again', stage.replay(second)[0], 0)
    expect(tap, stage, 'collector gone', 'nobody answers there; is the collector running')

    collector = stage.start_collector()
    port_in_use(tap, stage)
    collector = knocks(tap, stage, collector)
    url = f'https://localhost:{stage.port}'
    stage.write_shipper(ca='other/ca.crt')
    expect(tap, stage, 'collector of another authority', url, 'check `ca`')
    stage.write_shipper(certificate=f'other/{stage.name}')
    expect(tap, stage, 'sensor of another authority', url, '`certificate`', 'another authority')
    stage.write_shipper(certificate='ca/span-2')
    expect(tap, stage, 'certificate of another sensor', url, 'its certificate must name the '
           'sensor', 'the certificate is for span-2, not for sensor span-1')
    stage.write_shipper(certificate='ca/anna')
    expect(tap, stage, 'certificate of an analyst', url, "is not a sensor's", 'OU=sensor')
    stage.write_shipper(certificate=f'expired/{stage.name}')
    expect(tap, stage, 'expired certificate', url, '`certificate` past its date')
    stage.write_shipper(url=f'https://127.0.0.2:{stage.port}')
    expect(tap, stage, 'wrong address', f'https://127.0.0.2:{stage.port}')
    collector.terminate()
    collector.wait(timeout=20)

    stage.write_collector(certificate='elsewhere.example')
    stage.write_shipper()
    collector = stage.start_collector()
    expect(tap, stage, "another host's certificate", url, 'names the host in `url`')
    collector.terminate()
    collector.wait(timeout=20)

    stage.write_collector()
    collector = stage.start_collector()
    code, err = stage.drain()
    tap.ok(code == 0, 'with all in order it is delivered', code, err)
    tap.same('nothing was put aside', os.path.exists(stage.path('spool', 'quarantine')), False)
    check_all(tap, stage, truth, 'after all that')
    collector.terminate()
    tap.same('the collector ends when told', collector.wait(timeout=20), 0)
    for log in ('shipper.log', 'collector.log'):
        print(f'# {log}:')
        for line in stage.read(log).splitlines():
            print(f'#   {line}')
    tap.end()


main()
