#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An HL7 v2 receiver over MLLP (python3-hl7): answers every message with one code.

usage: hl7-server.py HOST PORT [AA|AE|AR|CA|CE|CR]
"""
import asyncio
import sys

from hl7.mllp import start_hl7_server


async def answer(reader, writer):
    try:
        while not writer.is_closing():
            message = await reader.readmessage()
            writer.writemessage(message.create_ack(ack_code=CODE))
            await writer.drain()
    except asyncio.IncompleteReadError:
        if not writer.is_closing():
            writer.close()
            await writer.wait_closed()


async def main(host, port):
    async with await start_hl7_server(answer, host=host, port=port, limit=1 << 20) as server:
        await server.serve_forever()


CODE = sys.argv[3] if len(sys.argv) > 3 else "AA"
asyncio.run(main(sys.argv[1], int(sys.argv[2])))
