#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Servers of the web captures, where no package has one: a FHIR server that holds two
resources, and services that answer SOAP of IHE XDS.b and IEEE 11073 SDC.

usage: web-server.py ADDRESS PORT

FHIR below /fhir: reads, searches, $everything, $export and batches are answered, a
deletion is not without a token. SOAP below /soap: whatever is asked, an empty envelope.
"""
import http.server
import json
import socket
import sys

PATIENT = {"resourceType": "Patient", "id": "zz1",
           "name": [{"family": "ZZPHI", "given": ["CANARY"]}], "birthDate": "1970-01-01"}
CAPABILITIES = {"resourceType": "CapabilityStatement", "status": "active", "kind": "instance",
                "fhirVersion": "4.0.1", "format": ["json"], "rest": [{"mode": "server"}]}
BUNDLE = {"resourceType": "Bundle", "type": "searchset", "total": 1,
          "entry": [{"resource": PATIENT}]}
ENVELOPE = (b'<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
            b"<s:Body><!-- ZZPHI --></s:Body></s:Envelope>")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "LabFHIR/1.0"

    def send(self, status, body, kind="application/fhir+json; charset=utf-8", headers=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers:
            self.send_header(name, value)
        if status == 200 and self.command == "GET":  # as most FHIR servers do
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (body[:40], body[40:], b""):
                if part or part is not body[40:]:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self, status, resource, headers=()):
        self.send(status, json.dumps(resource).encode(), headers=headers)

    def do_GET(self):
        path = self.path.split("?")[0]
        if path.endswith("/metadata"):
            self.answer(200, CAPABILITIES)
        elif path.endswith("$export"):
            self.send(202, b"", headers=[("Content-Location", "/fhir/jobs/ZZPHI")])
        elif path.endswith("/Patient") or "$" in path:
            self.answer(200, BUNDLE)
        else:
            self.answer(200, PATIENT)

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        while "Transfer-Encoding" in self.headers:
            chunk = int(self.rfile.readline(), 16)
            self.rfile.read(chunk)
            self.rfile.readline()
            if not chunk:
                break
        self.rfile.read(length)
        if self.path.startswith("/soap"):
            self.send(200, ENVELOPE, "application/soap+xml; charset=utf-8")
        elif self.path.rstrip("/").endswith("/fhir") or self.path.endswith("_search"):
            self.answer(200, BUNDLE)
        else:
            self.answer(201, PATIENT, [("Location", "/fhir/Observation/ZZPHI")])

    do_PUT = do_POST

    def do_DELETE(self):
        if "Authorization" in self.headers:
            self.send(204, b"")
        else:
            self.answer(401, {"resourceType": "OperationOutcome"},
                        [("WWW-Authenticate", "Bearer")])

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
    daemon_threads = True


Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
