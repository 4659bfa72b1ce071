#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A Modbus server and a station that works on it, by pymodbus.

usage: modbus.py server ADDRESS PORT     (until it is ended)
       modbus.py station ADDRESS PORT
"""
import sys

from pymodbus.client import ModbusTcpClient
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.diag_message import ReturnQueryDataRequest
from pymodbus.mei_message import ReadDeviceInformationRequest
from pymodbus.server import StartTcpServer


def serve(address, port):
    block = [int.from_bytes(b"ZZ", "big")] * 200
    unit = ModbusSlaveContext(**{kind: ModbusSequentialDataBlock(0, block)
                                 for kind in ("di", "co", "hr", "ir")})
    identity = ModbusDeviceIdentification(info_name={
        "VendorName": "ACME Controls", "ProductCode": "PM5300", "MajorMinorRevision": "2.3.1",
        "UserApplicationName": "ZZPHI-Room4"})
    StartTcpServer(context=ModbusServerContext(slaves={1: unit, 9: unit}, single=False),
                   identity=identity, address=(address, port))


def work(address, port):
    client = ModbusTcpClient(address, port=port)
    client.connect()
    client.read_coils(0, 10, slave=9)
    client.read_holding_registers(100, 3, slave=9)
    client.write_register(40, 0x5a5a, slave=9)
    client.write_registers(41, [0x5a5a, 0x5048], slave=9)
    client.write_coil(7, True, slave=9)
    client.read_holding_registers(5000, 2, slave=9)
    client.read_holding_registers(0, 1, slave=17)
    client.execute(ReadDeviceInformationRequest(read_code=3, unit=9))
    client.execute(ReturnQueryDataRequest(0x5a5a, unit=9))
    client.close()


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("server", "station"):
        print(__doc__, file=sys.stderr)
        return 2
    (serve if sys.argv[1] == "server" else work)(sys.argv[2], int(sys.argv[3]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
