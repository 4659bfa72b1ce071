#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Greets like a Niagara station, whose protocol is unpublished: what it says has the form of
what nmap's fox-info expects. One connection at a time.

usage: fox-server.py ADDRESS PORT
"""
import socket
import sys

GREETING = """fox a 0 -1 fox hello
{
fox.version=s:1.0.1
id=i:1
hostName=s:ZZPHI-ward4
hostAddress=s:10.10.1.20
app.name=s:Station
app.version=s:4.10.0.154
vm.name=s:Java HotSpot(TM) Embedded Client VM
vm.version=s:25.141
os.name=s:QNX
os.version=s:6.5.0
station.name=s:ZZPHIstation
lang=s:en
timeZone=s:Europe/Paris;3600000;3600000
hostId=s:Qnx-ZZSECRET-0000
vmUuid=s:11e98b97-b656-1c50-0000-00000000bafd
brandId=s:vykon
authAgentTypeSpecs=s:fox:FoxUsernamePasswordAuthAgent
};;
"""


def main():
    with socket.create_server((sys.argv[1], int(sys.argv[2]))) as server:
        while True:
            client, _ = server.accept()
            with client:
                client.settimeout(2)
                try:
                    while b"};;" not in client.recv(4096):
                        pass
                    client.sendall(GREETING.encode())
                except OSError:
                    pass


if __name__ == "__main__":
    main()
