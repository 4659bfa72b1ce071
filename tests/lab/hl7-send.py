#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sends HL7 v2 files over one MLLP connection and awaits each answer, where mllp_send
cannot: over IPv6, or with pauses between the messages.

usage: hl7-send.py HOST PORT PAUSE_SECONDS FILE...
"""
import asyncio
import sys

import hl7
from hl7.mllp import open_hl7_connection


async def main(host, port, pause, files):
    reader, writer = await open_hl7_connection(host, port)
    for name in files:
        with open(name, encoding="utf-8") as file:
            writer.writemessage(hl7.parse(file.read().replace("\n", "\r")))
        await writer.drain()
        await asyncio.wait_for(reader.readmessage(), 10)
        await asyncio.sleep(pause)
    writer.close()
    await writer.wait_closed()


asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]))
