# SPDX-License-Identifier: Apache-2.0
"""Industrial control for ot.py: its rows, and where the sensor differs from tshark."""
from ot_tables import CLAIMS, EXCEPTIONS, PROTOCOLS, Protocol, Row

# --- S7comm --------------------------------------------------------------------------

JOB = {"s7comm.header.rosctr": {"1"}}
ASKED = {"s7comm.param.userdata.type": {"4"}}


def s7_job(attribute, *functions):
    return Row("s7." + attribute, "count", "s7comm.param.func",
               {**JOB, "s7comm.param.func": set(functions)})


def s7_asked(attribute, group, *functions):
    where = {**ASKED, "s7comm.param.userdata.funcgroup": {group}}
    if functions:
        where["s7comm.param.userdata.subfunc"] = set(functions)
    return Row("s7." + attribute, "count", "s7comm.param.userdata.type", where)


def is_error(text):
    return int(text or "0", 0) != 0


def order_number(text):
    return text.strip() if text.startswith("6") else None


PROTOCOLS.append(Protocol(
    app="s7", filter="s7comm", named=("s7comm",), ports={102}, rows=[
        Row("s7.requests", "count", "s7comm.header.rosctr", JOB),
        Row("s7.requests", "count", "s7comm.param.userdata.type", ASKED),
        s7_job("reads", "0x04"),
        s7_job("writes", "0x05"),
        s7_job("uploads", "0x1d"),
        s7_job("downloads", "0x1a"),
        s7_job("invocations", "0x28"),
        s7_job("stops", "0x29"),
        s7_job("control", "0x1a", "0x28", "0x29"),
        s7_asked("szl_reads", "4", "1"),
        s7_asked("block_lists", "3"),
        s7_asked("passwords", "5", "1"),
        s7_asked("clock_sets", "7", "2", "4"),
        Row("s7.cyclic", "count", "s7comm.param.userdata.type",
            {"s7comm.param.userdata.type": {"0"}}),
        Row("s7.errors", "count", "s7comm.header.errcls", {"s7comm.header.errcls": is_error}),
        Row("s7.errors", "count", "s7comm.param.errcod",
            {"s7comm.header.rosctr": {"7"}, "s7comm.param.errcod": is_error}),
        Row("s7.write_errors", "count", "s7comm.data.returncode",
            {"s7comm.header.rosctr": {"3"}, "s7comm.param.func": {"0x05"},
             "s7comm.data.returncode": lambda text: text != "0xff"}),
        Row("s7.pdu_size", "most", "s7comm.param.pdu_length", {"s7comm.header.rosctr": {"3"}}),
        Row("s7.order_number", "texts", "s7comm.szl.xy11.0001.anz", {}, order_number),
        Row("s7.module_type", "texts", "s7comm.szl.001c.0007.cputypname", {}, str.strip),
        Row("s7.serial", "texts", "s7comm.szl.001c.0005.serialn", {}, str.strip),
    ]))

PLUS = "tshark 4.0 has no dissector for S7comm-plus"
for name in ("S7-1200-Uploading-OB1-TIAV12.pcap", "V13_1200_TP1200sim_MW100_Int_SPS_5s_MW102_Int_"
             "SPS_10s_MW102_ab_1000_Timer_sync.pcapng"):
    CLAIMS["ot-iti/s7/" + name, "s7"] = PLUS
EXCEPTIONS["public/arkime/pcap/s7comm_synthetic.pcap", "s7: flows"] = PLUS
EXCEPTIONS["public/ot-iti/s7/wincc_s300_setup-alarm-read.pcapng", "s7.requests"] = \
    "frame 127 stands behind bytes that are missing, and the capture ends before they are given up"


# --- EtherNet/IP ---------------------------------------------------------------------

def cip_service(attribute, *services):
    return Row("enip." + attribute, "count", "cip.sc",
               {"cip.rr": {"0x00", "0"}, "cip.sc": {f"0x{n:02x}" for n in services}})


def cip_tags(attribute, *services):
    """Of a tag by its name; of another object they mean something else."""
    return Row("enip." + attribute, "count", "cip.sc",
               {"cip.rr": {"0x00", "0"}, "cip.sc": {f"0x{n:02x}" for n in services},
                "cip.symbol": bool})


def decimal(text):
    return str(int(text, 0))


PROTOCOLS.append(Protocol(
    app="enip", filter="enip || cipio", named=("enip", "cipio"), ports={44818}, rows=[
        Row("enip.sessions", "count", "enip.command",
            {"enip.command": {"0x0065"}, "enip.session": {"0x00000000"}}),
        Row("enip.requests", "count", "cip.sc", {"cip.rr": {"0x00", "0"}}),
        Row("enip.responses", "count", "cip.sc", {"cip.rr": {"0x01", "1"}}),
        cip_service("reads", 0x01, 0x03, 0x0E, 0x11, 0x18),
        cip_service("writes", 0x02, 0x04, 0x10, 0x19),
        cip_tags("reads", 0x4C, 0x52, 0x55),
        cip_tags("writes", 0x4D, 0x4E, 0x53),
        cip_service("control", 0x05, 0x06, 0x07),
        cip_service("resets", 0x05),
        cip_service("starts", 0x06),
        cip_service("stops", 0x07),
        cip_service("object_changes", 0x08, 0x09, 0x0D, 0x15, 0x16, 0x1A, 0x1B),
        cip_service("forward_opens", 0x54, 0x5B),
        Row("enip.errors", "count", "cip.genstat", {"cip.genstat": is_error}),
        Row("enip.status", "texts", "cip.genstat", {"cip.genstat": is_error}),
        Row("enip.encapsulation_errors", "count", "enip.status", {"enip.status": is_error}),
        Row("enip.vendor", "texts", "enip.lir.vendor", {}, decimal),
        Row("enip.product_code", "texts", "enip.lir.prodcode", {}, decimal),
        Row("enip.product", "texts", "enip.lir.name", {}, str.strip),
        Row("enip.serial", "texts", "enip.lir.serial"),
    ]))


# --- OPC UA --------------------------------------------------------------------------

OPCUA = {
    "reads": (631,), "writes": (673,), "calls": (712,), "history_reads": (664,),
    "history_updates": (700,), "sessions": (461,), "publishes": (826, 832),
    "node_changes": (488, 494, 500, 506), "browses": (527, 533, 554, 615, 621),
    "subscriptions": (751, 763, 769, 775, 781, 787, 793, 799, 841, 847),
    "discoveries": (422, 428, 437, 12190, 12193),
}
OTHERS = (446, 452, 467, 473, 479, 560, 566)
REQUESTS = {n for numbers in OPCUA.values() for n in numbers} | set(OTHERS)


def opcua_services(attribute, numbers):
    return Row("opcua." + attribute, "count", "opcua.servicenodeid.numeric",
               {"opcua.servicenodeid.numeric": {str(n) for n in numbers}})


def last_part(text):
    return text.rpartition("#")[2]


def host(text):
    """None of an IPv6 address."""
    name = text.removeprefix("opc.tcp://").partition("/")[0].partition(":")[0].lower()
    return None if name.startswith("[") else name


PROTOCOLS.append(Protocol(
    app="opcua", filter="opcua", named=("opcua",), ports={4840},
    captures=("clinical/opcua-npm.pcap",), rows=[
        opcua_services("requests", REQUESTS),
        opcua_services("responses", {n + 3 for n in REQUESTS} | {397}),
        opcua_services("faults", {397}),
        *(opcua_services(attribute, numbers) for attribute, numbers in OPCUA.items()),
        Row("opcua.policy", "texts", "opcua.security.spu", {}, last_part),
        Row("opcua.endpoint_host", "texts", "opcua.transport.endpoint",
            {"opcua.transport.type": {"HEL"}}, host),
        Row("opcua.errors", "count", "opcua.ServiceResult",
            {"opcua.ServiceResult": lambda text: int(text or "0", 0) >> 31 == 1}),
        Row("opcua.identity", "texts", "opcua.nodeid.numeric",
            {"opcua.servicenodeid.numeric": {"467"},
             "opcua.nodeid.numeric": {"321", "324", "327", "940"}},
            {"321": "anonymous", "324": "user-name", "327": "certificate", "940": "issued-token"}),
    ]))

EXCEPTIONS["public/arkime/pcap/opcua_synthetic.pcap", "opcua.requests"] = \
    "tshark reads what is encrypted as if it were not: a channel of Basic256Sha256 is opened"
EXCEPTIONS["public/icsnpp-opcua-binary/traces/opcua_with-gap.pcap", "opcua.responses"] = \
    "tshark gives up the CreateSession response, which has a gap behind its status"
