# SPDX-License-Identifier: Apache-2.0
"""What ot.py holds: a table for each protocol, and where the sensor differs from tshark.

A protocol is added by a Protocol in PROTOCOLS; ot.py needs no change. The rows of one say,
for each attribute of ours, of which of tshark's fields it is made, and how:

    count   occurrences of the field
    frames  frames in which it occurs
    texts   its distinct values (as many as a field keeps: schema/attributes.h)
    least, most   of its values

`where` narrows to the occurrences for which each named field has one of the values given:
the occurrence at the same place when both fields occur equally often in the frame, else any.
A value may be a set, or a function of the text. Two fields are ot.py's own: "sender"
(`client` or `server`, by the protocol's server ports) and "copies" (how often the field of
the row occurs in the frame). `words` turns tshark's text into ours (a dict or a function;
None: it does not count).
"""
import collections

Protocol = collections.namedtuple("Protocol", "app filter named ports rows captures options",
                                  defaults=[(), ()])
# app: ours. filter: tshark's display filter. named: words of the manifest's column
# protocols_tshark by which captures are found. ports: of servers. captures: further ones,
# below ../shared/pcaps. options: of tshark, beside the usual.
Row = collections.namedtuple("Row", "attribute how field where words", defaults=[{}, None])

PROTOCOLS = []

# (capture, attribute or "flows"): why tshark and the sensor differ there.
EXCEPTIONS = {}

# Captures in which the sensor says a name that tshark does not: (capture, app): why.
CLAIMS = {}


def numbered(*words):
    """tshark's numbers, decimal, in words."""
    return {str(i): word for i, word in enumerate(words)}


# --- BACnet/IP -----------------------------------------------------------------------

REQUEST = {"bacapp.type": {"0"}, "bacapp.sequence_number": {"", "0"}}  # not a further segment


def bacnet_link(attribute, *functions):
    return Row("bacnet." + attribute, "count", "bvlc.function", {"bvlc.function": set(functions)})


def bacnet_service(attribute, confirmed=(), unconfirmed=()):
    """An attribute may count both kinds: a row each."""
    if confirmed:
        yield Row("bacnet." + attribute, "count", "bacapp.confirmed_service",
                  {**REQUEST, "bacapp.confirmed_service": {str(n) for n in confirmed}})
    if unconfirmed:
        yield Row("bacnet." + attribute, "count", "bacapp.unconfirmed_service",
                  {"bacapp.type": {"1"},
                   "bacapp.unconfirmed_service": {str(n) for n in unconfirmed}})


OBJECT_TYPES = numbered(
    "analog-input", "analog-output", "analog-value", "binary-input", "binary-output",
    "binary-value", "calendar", "command", "device", "event-enrollment", "file", "group", "loop",
    "multi-state-input", "multi-state-output", "notification-class", "program", "schedule",
    "averaging", "multi-state-value", "trend-log")
BACNET_NAMED = (0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 20, 26, 27, 28, 30, 31)
PROTOCOLS.append(Protocol(
    app="bacnet", filter="bvlc", named=("bvlc",), ports={47808},
    captures=("clinical/bacnet-ip-npm.pcap",), rows=[
        Row("bacnet.messages", "frames", "bvlc.function"),
        bacnet_link("forwarded", "0x04"),
        bacnet_link("broadcasts", "0x09", "0x0b"),
        bacnet_link("write_bdt", "0x01"),
        bacnet_link("read_tables", "0x02", "0x06"),
        bacnet_link("foreign_registrations", "0x05"),
        bacnet_link("delete_fdt", "0x08"),
        Row("bacnet.bvlc_naks", "count", "bvlc.result",
            {"bvlc.result": lambda text: int(text or "0", 0) != 0}),
        Row("bacnet.network_messages", "count", "bacnet.mesgtyp"),
        Row("bacnet.confirmed", "count", "bacapp.confirmed_service", REQUEST),
        Row("bacnet.unconfirmed", "count", "bacapp.unconfirmed_service"),
        Row("bacnet.acks", "count", "bacapp.type",
            {"bacapp.type": {"2", "3"}, "bacapp.sequence_number": {"", "0"}}),
        Row("bacnet.errors", "count", "bacapp.type", {"bacapp.type": {"5"}}),
        Row("bacnet.rejects", "count", "bacapp.type", {"bacapp.type": {"6"}}),
        Row("bacnet.aborts", "count", "bacapp.type", {"bacapp.type": {"7"}}),
        Row("bacnet.segments", "count", "bacapp.type",
            {"bacapp.type": {"0", "3"}, "bacapp.segmented_request": {"1", "True"}}),
        Row("bacnet.error_class", "texts", "bacapp.error_class", {"bacapp.type": {"5"}},
            numbered("device", "object", "property", "resources", "security", "services", "vt",
                     "communication")),
        Row("bacnet.error_code", "texts", "bacapp.error_code", {"bacapp.type": {"5"}},
            {"0": "other", "26": "password-failure", "31": "unknown-object", "32": "unknown-property",
             "40": "write-access-denied", "67": "reject-unrecognized-service"}),
        Row("bacnet.reject_reason", "texts", "bacapp.reject_reason", {},
            {"9": "unrecognized-service"}),
        Row("bacnet.abort_reason", "texts", "bacapp.abort_reason", {}, {"0": "other"}),
        *bacnet_service("reads", (12, 14, 26)),
        *bacnet_service("writes", (7, 8, 9, 10, 11, 15, 16), (10,)),
        *bacnet_service("write_property", (15,)),
        *bacnet_service("write_property_multiple", (16,)),
        *bacnet_service("write_group", (), (10,)),
        *bacnet_service("list_writes", (8, 9)),
        *bacnet_service("creates_deletes", (10, 11)),
        *bacnet_service("control", (17, 20, 27)),
        *bacnet_service("file_reads", (6,)),
        *bacnet_service("file_writes", (7,)),
        *bacnet_service("reinitialize", (20,)),
        *bacnet_service("device_communication_control", (17,)),
        *bacnet_service("time_sync", (), (6, 9)),
        *bacnet_service("life_safety", (27,)),
        *bacnet_service("who_is", (), (8,)),
        *bacnet_service("who_has", (), (7,)),
        *bacnet_service("i_am", (), (0,)),
        *bacnet_service("subscriptions", (5, 28, 30)),
        *bacnet_service("notifications", (1, 2, 31), (2, 3, 11)),
        *bacnet_service("alarm_acks", (0,)),
        *bacnet_service("private_transfers", (18,), (4,)),
        *bacnet_service("other_services", set(range(256)) - set(BACNET_NAMED),
                        (1, 5, *range(12, 256))),
        Row("bacnet.object_type", "texts", "bacapp.objectType",
            {**REQUEST, "bacapp.confirmed_service": {"12", "14", "26", "6"}},
            OBJECT_TYPES),
        Row("bacnet.written_type", "texts", "bacapp.objectType",
            {**REQUEST, "bacapp.confirmed_service": {"7", "8", "9", "10", "11", "15", "16"}},
            OBJECT_TYPES),
        Row("bacnet.vendor_id", "texts", "bacapp.vendor_identifier",
            {"bacapp.unconfirmed_service": {"0"}}),
    ]))


EXCEPTIONS["public/arkime/pcap/bacnet-stack-services.pcap", "bacnet.messages"] = \
    "tshark takes frame 1, whose NPDU has version 16, and four that have no APDU"
EXCEPTIONS["public/arkime/pcap/bacnet-stack-services.pcap", "bacnet.acks"] = \
    "frame 1: tshark reads behind its NPDU of version 16"


# --- Modbus/TCP ----------------------------------------------------------------------

ASKED = {"sender": {"client"}}


def modbus_function(attribute, *functions):
    return Row("modbus." + attribute, "count", "modbus.func_code",
               {**ASKED, "modbus.func_code": {str(n) for n in functions}})


MODBUS_NAMED = (1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43, 90)
PROTOCOLS.append(Protocol(
    app="modbus", filter="modbus", named=("mbtcp", "mbudp"), ports={502, 1502},
    captures=("clinical/modbus-libmodbus.pcap",), options=("-o", "mbtcp.tcp.port:502,1502"), rows=[
        Row("modbus.requests", "count", "modbus.func_code", ASKED),
        Row("modbus.responses", "count", "modbus.func_code", {"sender": {"server"}}),
        modbus_function("reads", 1, 2, 3, 4, 20, 23, 24),
        modbus_function("writes", 5, 6, 15, 16, 21, 22, 23),
        modbus_function("read_coils", 1),
        modbus_function("read_discrete_inputs", 2),
        modbus_function("read_holding_registers", 3),
        modbus_function("read_input_registers", 4),
        modbus_function("write_single_coil", 5),
        modbus_function("write_single_register", 6),
        modbus_function("write_multiple_coils", 15),
        modbus_function("write_multiple_registers", 16),
        modbus_function("mask_write_register", 22),
        modbus_function("read_write_registers", 23),
        modbus_function("file_reads", 20),
        modbus_function("file_writes", 21),
        modbus_function("fifo_reads", 24),
        modbus_function("diagnostics", 8),
        Row("modbus.control", "count", "modbus.diagnostic_code",
            {**ASKED, "modbus.diagnostic_code": {"1", "4"}}),
        modbus_function("status_reads", 7, 11, 12),
        modbus_function("report_server_id", 17),
        modbus_function("device_identification", 43),
        modbus_function("umas", 90),
        modbus_function("other_functions", *(set(range(128)) - set(MODBUS_NAMED))),
        Row("modbus.exceptions", "count", "modbus.exception_code"),
        Row("modbus.exception", "texts", "modbus.exception_code", {},
            {"1": "illegal-function", "2": "illegal-address", "3": "illegal-value",
             "4": "device-failure", "5": "acknowledge", "6": "device-busy",
             "10": "gateway-path-unavailable", "11": "gateway-target-failed"}),
        Row("modbus.unit", "texts", "mbtcp.unit_id", ASKED),
        Row("modbus.address_min", "least", "modbus.reference_num", ASKED),
        Row("modbus.written_min", "least", "modbus.reference_num",
            {**ASKED, "modbus.func_code": {"5", "6", "15", "16", "22"}}),
        Row("modbus.vendor", "texts", "modbus.object_str_value",
            {"modbus.object_id": {"0"}}, lambda text: text.strip()),
    ]))


# --- KNXnet/IP -----------------------------------------------------------------------

# What a server tells its client of the bus is not the client's doing.
OWN_WORD = {"cemi.mc": {"0x11"}}


def knx_service(attribute, *services):
    return Row("knxnetip." + attribute, "count", "knxip.service",
               {"knxip.service": set(services)})


def knx_bus(attribute, *services):
    return Row("knxnetip." + attribute, "count", "cemi.ac", {**OWN_WORD, "cemi.ac": set(services)})


PROTOCOLS.append(Protocol(
    app="knxnetip", filter="kip", named=("kip", "knxip", "knxnetip"), ports={3671},
    captures=("clinical/knx-knxd.pcap",), rows=[
        Row("knxnetip.messages", "count", "knxip.service"),
        knx_service("searches", "0x0201", "0x020b"),
        knx_service("descriptions", "0x0203"),
        knx_service("connects", "0x0205"),
        knx_service("tunnelled", "0x0420"),
        knx_service("configurations", "0x0310"),
        knx_service("routed", "0x0530", "0x0533"),
        knx_service("secure", "0x0950"),
        knx_service("secure_sessions", "0x0951"),
        knx_bus("group_reads", "0x0000"),
        knx_bus("group_writes", "0x0002"),
    ]))
