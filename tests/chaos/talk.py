#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HL7 v2 over MLLP, both sides of it.

usage: talk.py serve ADDRESS PORT
       talk.py call ADDRESS PORT SECONDS MESSAGES_PER_CONNECTION PAUSE

A caller connects, sends its messages and waits for each answer, over and over;
at the end it prints how many were answered."""
import socket
import sys
import threading
import time

START, END = b'\x0b', b'\x1c\r'


def message(n):
    now = time.strftime('%Y%m%d%H%M%S')
    return '\r'.join([
        f'MSH|^~\\&|MONITOR|ICU|EHR|HOSPITAL|{now}||ORU^R01|ZZPHIID{n}|P|2.5',
        'PID|1||ZZPHI0001||ZZPHI^CANARY||19700101|F',
        'OBR|1|||VITALS',
        'OBX|1|NM|8867-4^HEARTRATE||72|/min|||||F', '']).encode()


def answer(n):
    return f'MSH|^~\\&|EHR|HOSPITAL|MONITOR|ICU|20260101||ACK^R01|ZZPHIACK{n}|P|2.5\rMSA|AA|ZZPHIID{n}\r'.encode()


def read_message(s, rest):
    while END not in rest:
        more = s.recv(4096)
        if not more:
            return None, b''
        rest += more
    whole, _, rest = rest.partition(END)
    return whole, rest


def attend(s):
    rest, n = b'', 0
    with s:
        while True:
            got, rest = read_message(s, rest)
            if got is None:
                return
            s.sendall(START + answer(n) + END)
            n += 1


def serve(address, port):
    with socket.create_server((address, port)) as server:
        while True:
            s, _ = server.accept()
            threading.Thread(target=attend, args=(s,), daemon=True).start()


def call(address, port, seconds, most, pause):
    until, answered = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        with socket.create_connection((address, port), timeout=30) as s:
            rest = b''
            for n in range(most):
                if time.monotonic() >= until:
                    break
                s.sendall(START + message(n) + END)
                got, rest = read_message(s, rest)
                answered += got is not None
                time.sleep(pause)
    print(answered)


if sys.argv[1] == 'serve':
    serve(sys.argv[2], int(sys.argv[3]))
else:
    call(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6]))
