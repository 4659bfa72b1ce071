#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peers that speak as their specification says, where no program of theirs can be had.

usage: web-peers.py poct1a-manager ADDRESS PORT
       web-peers.py poct1a-device ADDRESS PORT
       web-peers.py soap ADDRESS PORT          IHE XDS.b and SDC requests
       web-peers.py sdc-provider ADDRESS       WS-Discovery: hello, answers, bye
       web-peers.py sdc-consumer ADDRESS       WS-Discovery: probe, resolve
"""
import http.client
import re
import socket
import struct
import sys
import time

GROUP, PORT = "239.255.255.250", 3702
WSA = "http://www.w3.org/2005/08/addressing"
WSD = "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01"
SDC = "http://standards.ieee.org/downloads/11073/11073-20701-2018"
EPR = "urn:uuid:6c1f0c5e-0000-4000-8000-00005a5a5048"

# --- POCT1-A ---

HEADER = ('<HDR><HDR.control_id V="{}"/><HDR.version_id V="POCT1"/>'
          '<HDR.creation_dttm V="2026-03-01T12:00:00+01:00"/></HDR>')


def poct(kind, number, body):
    return f"<{kind}>{HEADER.format(number)}{body}</{kind}>".encode()


HELLO = poct("HEL.R01", "ZZPHI1", '<DEV><DEV.device_id V="ZZPHI^ICU"/>'
             '<DEV.vendor_id V="TESTVENDOR"/><DEV.model_id V="Lab Analyser 500"/>'
             '<DEV.serial_id V="LA500-0042"/><DEV.sw_version V="3.10"/><DCP/>'
             '<DSC><DSC.connection_profile_cd V="SA"/></DSC></DEV>')
STATUS = poct("DST.R01", 2, '<DST><DST.status_dttm V="2026-03-01T12:00:00+01:00"/>'
              '<DST.new_observations_qty V="1"/><DST.condition_cd V="R"/></DST>')
RESULT = poct("OBS.R01", 3, '<SVC><SVC.role_cd V="OBS"/><PT><PT.patient_id V="ZZPHI-MRN"/>'
              '<PT.name V="ZZPHI > CANARY"><!-- ZZPHI </OBS.R01> --></PT.name><OBS>'
              '<OBS.observation_id V="2339-0" SN="LN"/><OBS.value V="5.4" U="mmol/L"/></OBS></PT>'
              '<OPR><OPR.operator_id V="ZZPHI-OP"/></OPR><NTE><![CDATA[ZZPHI </OBS.R01>]]></NTE>'
              '</SVC>')
END_OF_TOPIC = poct("EOT.R01", 4, '<EOT><EOT.topic_cd V="OBS"/></EOT>')
REQUEST = poct("REQ.R01", 101, '<REQ><REQ.request_cd V="ROBS"/></REQ>')
OPERATORS = poct("OPL.R01", 102, '<OPR><OPR.operator_id V="ZZPHI-OP"/>'
                 '<OPR.name V="ZZPHI^NURSE"/><OPR.password V="ZZSECRET"/></OPR>')
DIRECTIVE = poct("DTV.R01", 103, '<DTV><DTV.command_cd V="LOCK"/></DTV>')
TERMINATE = poct("END.R01", 104, '<TRM><TRM.reason_cd V="NRM"/></TRM>')


def acknowledge(number, code="AA"):
    return poct("ACK.R01", number, f'<ACK><ACK.type_cd V="{code}"/>'
                '<ACK.ack_control_id V="ZZPHI1"/><ACK.note_txt V="ZZPHI"/></ACK>')


class Messages:
    """One message after the other from a stream."""

    END = re.compile(rb"</([A-Z]{3}\.R0\d)>(?! -->|\]\])")

    def __init__(self, stream):
        self.stream, self.kept = stream, b""

    def next(self):
        while True:
            end = self.END.search(self.kept)
            if end:
                message, self.kept = self.kept[:end.end()], self.kept[end.end():]
                return message
            more = self.stream.recv(65536)
            if not more:
                return b""
            self.kept += more


def poct1a_manager(address, port):
    with socket.create_server((address, int(port))) as listener:
        while True:
            stream, _ = listener.accept()
            with stream:
                messages = Messages(stream)
                for number in range(2):
                    messages.next()
                    stream.sendall(acknowledge(200 + number))
                stream.sendall(REQUEST)
                for number in range(2):
                    messages.next()
                    stream.sendall(acknowledge(202 + number))
                for message in (OPERATORS, DIRECTIVE, TERMINATE):
                    stream.sendall(message)
                    messages.next()


def poct1a_device(address, port):
    with socket.create_connection((address, int(port))) as stream:
        messages = Messages(stream)
        for message in (HELLO, STATUS):
            stream.sendall(message)
            messages.next()
        messages.next()  # the request
        stream.sendall(RESULT)
        stream.sendall(END_OF_TOPIC)
        for _ in range(2):
            messages.next()
        for code in ("AA", "AE", "AA"):
            messages.next()
            stream.sendall(acknowledge(9, code))


# --- SOAP over HTTP ---

def envelope(action, body):
    return (f'<?xml version="1.0" encoding="UTF-8"?><s12:Envelope xmlns:s12='
            f'"http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="{WSA}"><s12:Header>'
            f'<wsa:MessageID>urn:uuid:ZZPHI</wsa:MessageID><wsa:To>http://ZZPHI/</wsa:To>'
            f'<wsa:Action s12:mustUnderstand="true">{action}</wsa:Action></s12:Header>'
            f"<s12:Body>{body}</s12:Body></s12:Envelope>").encode()


def post(server, path, kind, body, headers=None):
    server.request("POST", path, body, {"Content-Type": kind, "User-Agent": "LabSOAP/1.0 ZZPHI",
                                        **(headers or {})})
    server.getresponse().read()


def xds(server):
    iti = "urn:ihe:iti:2007:"
    query = "<q><Slot name='$XDSDocumentEntryPatientId'>ZZPHI^^^</Slot></q>"
    post(server, "/soap/registry", f'application/soap+xml; charset=UTF-8; action="{iti}'
         'RegistryStoredQuery"', envelope(iti + "RegistryStoredQuery", query))
    part = envelope(iti + "RetrieveDocumentSet", "<d>ZZPHI</d>")
    post(server, "/soap/repository?ZZPHI", 'multipart/related; boundary="ZZPHI"; '
         'type="application/xop+xml"; start-info="application/soap+xml"',
         b"--ZZPHI\r\nContent-Type: application/xop+xml\r\n\r\n" + part + b"\r\n--ZZPHI--\r\n")
    post(server, "/soap/pix", "text/xml; charset=utf-8", envelope("x", query),
         {"SOAPAction": '"urn:hl7-org:v3:PRPA_IN201305UV02"'})


def sdc(server):
    for step in ("GetService/GetMdib", "SetService/SetValue", "SetService/Activate",
                 "ContextService/SetContextState"):
        post(server, "/soap/sdc", "application/soap+xml; charset=utf-8",
             envelope(f"{SDC}/{step}", "<m>ZZPHI</m>"))
    reports = envelope(f"{SDC}/WaveformService/WaveformStream", "<m>" + "ZZPHI " * 400 + "</m>")
    server.putrequest("POST", "/soap/sdc")
    for name, value in (("Content-Type", "application/soap+xml"), ("Transfer-Encoding", "chunked")):
        server.putheader(name, value)
    server.endheaders()
    for at in range(0, len(reports), 300):
        part = reports[at:at + 300]
        server.send(b"%x\r\n%s\r\n" % (len(part), part))
    server.send(b"0\r\n\r\n")
    server.getresponse().read()


def soap(address, port):
    for talk in (xds, sdc):
        server = http.client.HTTPConnection(address, int(port))
        talk(server)
        server.close()


# --- WS-Discovery of SDC ---

def discovery(step, body, relates=""):
    return (f'<?xml version="1.0" encoding="UTF-8"?><s12:Envelope xmlns:s12='
            f'"http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="{WSA}" xmlns:wsd="{WSD}" '
            f'xmlns:dpws="http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01" xmlns:mdpws='
            f'"http://standards.ieee.org/downloads/11073/11073-20702-2016"><s12:Header>'
            f"<wsa:Action>{WSD}/{step}</wsa:Action><wsa:MessageID>urn:uuid:ZZPHI</wsa:MessageID>"
            f"{relates}<wsa:To>urn:docs-oasis-open-org:ws-dd:ns:discovery:2009:01</wsa:To>"
            f"</s12:Header><s12:Body>{body}</s12:Body></s12:Envelope>").encode()


def description(address):
    return (f"<wsa:EndpointReference><wsa:Address>{EPR}</wsa:Address></wsa:EndpointReference>"
            "<wsd:Types>dpws:Device mdpws:MedicalDevice</wsd:Types><wsd:Scopes>"
            "sdc.ctxt.loc:/sdc.ctxt.loc.detail/ZZPHI?fac=ZZPHI&amp;bed=ZZPHI12 "
            "sdc.mds.pkp:1.2.840.10004.20701.1.1 sdc.cdc.type:/69650</wsd:Scopes>"
            f"<wsd:XAddrs>http://{address}:50001/ZZPHI</wsd:XAddrs>"
            "<wsd:MetadataVersion>1</wsd:MetadataVersion>")


def group_socket(address):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
    return s


def sdc_provider(address):
    s = group_socket(address)
    s.bind(("", PORT))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                 struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton(address)))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    s.sendto(discovery("Hello", f"<wsd:Hello>{description(address)}</wsd:Hello>"), (GROUP, PORT))
    for step in ("Probe", "Resolve"):
        _, peer = s.recvfrom(65536)
        match = f"<wsd:{step}Match>{description(address)}</wsd:{step}Match>"
        s.sendto(discovery(f"{step}Matches", f"<wsd:{step}Matches>{match}</wsd:{step}Matches>"),
                 peer)
    time.sleep(0.2)
    s.sendto(discovery("Bye", f"<wsd:Bye><wsa:EndpointReference><wsa:Address>{EPR}</wsa:Address>"
                       "</wsa:EndpointReference></wsd:Bye>"), (GROUP, PORT))


def sdc_consumer(address):
    s = group_socket(address)
    s.settimeout(3)
    asked = {"Probe": "<wsd:Probe><wsd:Types>mdpws:MedicalDevice</wsd:Types></wsd:Probe>",
             "Resolve": "<wsd:Resolve><wsa:EndpointReference><wsa:Address>" + EPR +
                        "</wsa:Address></wsa:EndpointReference></wsd:Resolve>"}
    for step, body in asked.items():
        s.sendto(discovery(step, body), (GROUP, PORT))
        s.recvfrom(65536)


ROLES = {"poct1a-manager": poct1a_manager, "poct1a-device": poct1a_device, "soap": soap,
         "sdc-provider": sdc_provider, "sdc-consumer": sdc_consumer}

ROLES[sys.argv[1]](*sys.argv[2:])
