#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# torn.py SOURCE BUILD: between shipper and collector sits a proxy that cuts
# connections after random numbers of bytes, mostly when a batch has gone through
# and the answer has not come back. Each flow counts once. TLS passes through it.
import os
import random
import select
import socket
import sys
import threading

from stage import Stage, Tap, Truth, check_all, free_port

FLOWS = 30000
CUTS = 40


class Proxy(threading.Thread):
    """Relays to `port`; cuts connections until it has done so CUTS times."""

    def __init__(self, port, rng):
        super().__init__(daemon=True)
        self.port, self.rng, self.server = free_port(), rng, socket.socket()
        self.target = port
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server.bind(('127.0.0.1', self.port))
        self.server.listen(64)
        self.lock = threading.Lock()
        self.cuts = {'answer': 0, 'request': 0, 'handshake': 0}

    def run(self):
        while True:
            client, _ = self.server.accept()
            threading.Thread(target=self.relay, args=(client,), daemon=True).start()

    def plan(self):
        """Where to cut: ('answer'|'request'|'handshake', bytes), or None for not at all."""
        with self.lock:
            if sum(self.cuts.values()) >= CUTS:
                return None, 0
            # A handshake takes about 2 KiB towards the collector and back.
            return self.rng.choice([
                ('answer', 6000 + self.rng.randrange(200000)),
                ('answer', 6000 + self.rng.randrange(200000)),
                ('answer', 6000 + self.rng.randrange(200000)),
                ('request', 3000 + self.rng.randrange(150000)),
                ('handshake', self.rng.randrange(2500))])

    def relay(self, client):
        kind, left = self.plan()
        swallow = False  # answers are no longer passed on
        try:
            with client, socket.create_connection(('127.0.0.1', self.target)) as server:
                while True:
                    readable, _, _ = select.select([client, server], [], [], 30)
                    if not readable:
                        return
                    for s in readable:
                        data = s.recv(65536)
                        if not data:
                            return
                        if s is server:
                            if swallow:  # the batch is stored, and nobody hears of it
                                self.count(kind)
                                return
                            client.sendall(data)
                            continue
                        left -= len(data) if kind else 0
                        if kind in ('request', 'handshake') and left < 0:
                            server.sendall(data[:max(0, len(data) + left)])
                            self.count(kind)
                            return
                        swallow = swallow or (kind == 'answer' and left < 0)
                        server.sendall(data)
        except OSError:
            pass

    def count(self, kind):
        with self.lock:
            self.cuts[kind] += 1


def main():
    source, build = map(os.path.abspath, sys.argv[1:3])
    tap = Tap()
    seed = int(os.environ.get('VIGIE_SEED') or random.SystemRandom().randrange(1 << 32))
    print(f'# seed {seed}')
    stage = Stage(source, build)
    captures = [stage.make_flows('flows.pcap', FLOWS)]
    truth = Truth().replay(stage, captures)
    truth.replay(stage, stage.demo())
    stage.replay(captures)
    stage.replay(stage.demo())
    collector = stage.start_collector()
    proxy = Proxy(stage.port, random.Random(seed))
    proxy.start()
    # Eight addresses, one proxy: only each eighth failure costs a pause.
    stage.write_shipper(url=f'https://localhost:{proxy.port}', options=', parallel: 4')
    text = stage.read('sensor.yaml').replace(
        f'"https://localhost:{proxy.port}"',
        '[' + ', '.join([f'"https://localhost:{proxy.port}"'] * 8) + ']')
    stage.write('sensor.yaml', text)
    code, err = stage.drain()
    tap.ok(code == 0, 'all is shipped through torn connections', code, err)
    print(f'# cut: {proxy.cuts}')
    tap.ok(proxy.cuts['answer'] >= 5, 'answers were lost', proxy.cuts)
    tap.same('nothing is left', stage.unacknowledged(), 0)
    check_all(tap, stage, truth, 'torn connections')
    tap.ok('the connection was ended' in err or 'no answer' in err,
           'the shipper says what happened', err)
    collector.terminate()
    tap.same('the collector ends when told', collector.wait(timeout=20), 0)
    tap.end()


main()
