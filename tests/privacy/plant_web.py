# SPDX-License-Identifier: Apache-2.0
"""Plants fresh canaries into HTTP/1 and the clinical services on it, POCT1-A and
WS-Discovery: all but the host asked for, and the first word of a program's name."""
import base64

from plant import DATAGRAMS, STREAM, Row, named

CRLF = b"\r\n"
GOOD = b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Length: 2\r\n\r\n{}"


def head(line, *headers):
    return CRLF.join((line,) + headers) + CRLF + CRLF


def request(target, *headers, method=b"GET", body=b""):
    lines = (b"Host: ehr.chu-demo.example", b"User-Agent: curl/7.88.1") + headers
    if body:
        lines += (b"Content-Length: %d" % len(body),)
    return head(method + b" " + target + b" HTTP/1.1", *lines) + body


def answer(*headers, status=b"200 OK", body=b"{}", kind=b"application/json"):
    return head(b"HTTP/1.1 " + status, b"Server: nginx/1.22.1", b"Content-Type: " + kind,
                b"Content-Length: %d" % len(body), *headers) + body


def asked(*requests, answers=None):
    """One connection: each request and its answer."""
    out = []
    for at, one in enumerate(requests):
        out += [(True, one), (False, answers[at] if answers else GOOD)]
    return out


TARGETS = (b"/%s", b"/%s/%s?%s=%s&%s", b"/fhir/Patient/%s",
    b"/fhir/Patient?family=%s&given=%s&birthdate=%s", b"/fhir/Patient/%s/_history/%s",
    b"/fhir/Patient/%s/$everything?_count=%s", b"/fhir/%s/%s", b"/fhir/$%s",
    b"/fhir/Patient/$%s?patient=%s", b"/fhir/Patient/_search?name=%s", b"/%s/fhir/Observation/%s",
    b"/fhir/Group/%s/$export?_type=%s", b"/studies?PatientName=%s&00100020=%s", b"/studies/%s",
    b"/dicom-web/studies/%s/series/%s/instances/%s/frames/%s", b"/studies/%s/metadata?%s",
    b"/wado?requestType=WADO&studyUID=%s&seriesUID=%s&objectUID=%s&contentType=%s",
    b"/wado?requestType=%s", b"/workitems/%s/state/%s", b"/patients/%s/%s",
    b"/instances/%s/file?%s", b"/.well-known/%s", b"/fhir/Patient/%s#%s", b"/fhir/Patient;%s/%s",
    b"/%%5A%%5A%s", b"//%s//%s", b"http://%s:%s@ehr.chu-demo.example/%s?%s", b"https://%s/%s",
    b"*%s", b"/fhir/metadata?%s", b"/fhir/Patient/%s\xc3\xa9%s", b"/fhir/Patient/%s %s", b"/" +
    b"a" * 3000 + b"%s/%s", b"/fhir/Patient/" + b"0" * 70 + b"%s?" + b"x" * 9000 + b"%s")
HEADERS = (b"Authorization", b"Proxy-Authorization", b"Cookie", b"Set-Cookie", b"Set-Cookie2",
    b"Referer", b"X-Patient-Id", b"X-Request-Id", b"X-Forwarded-For", b"X-Forwarded-Host",
    b"Forwarded", b"From", b"Via", b"Location", b"Content-Location", b"ETag", b"If-None-Match",
    b"If-None-Exist", b"Accept", b"Accept-Language", b"Content-Disposition", b"Content-Language",
    b"Content-Encoding", b"Content-Type", b"WWW-Authenticate", b"Proxy-Authenticate",
    b"Authentication-Info", b"SOAPAction", b"Link", b"Upgrade", b"Connection",
    b"Sec-WebSocket-Protocol", b"Sec-WebSocket-Key", b"Origin", b"Prefer", b"Range", b"Expect",
    b"Date", b"Last-Modified", b"Warning", b"Trailer", b"TE", b"Slug", b"Transfer-Encoding",
    b"X-Provenance", b"DICOM-Patient", b"Content-ID", b"MIME-Version")
VALUES = (b"%s", b"%s; charset=%s; name=\"%s\"", b"\"%s\", %s", b"application/fhir+json; x=%s",
    b"%s/%s; boundary=%s", b"application/%s", b"application/dicom+%s", b"text/xml; action=\"%s\"",
    b"websocket, %s", b"%s\r\n %s", b"urn:ihe:iti:2007:%s", b"\xc3\xa9%s", b"close, %s")
SCHEMES = (b"Basic %s", b"Bearer %s",
    b"Digest username=\"%s\", realm=\"%s\", uri=\"/%s\", response=\"%s\"", b"Negotiate %s",
    b"NTLM %s", b"%s %s", b"%s", b"Basic", b"basic  %s", b"AWS4-HMAC-SHA256 Credential=%s")


def fill(p, pattern):
    """Each %s a canary."""
    parts = pattern.split(b"%s")
    return b"".join(part + p.fresh() for part in parts[:-1]).replace(b"%%", b"%") + parts[-1]


def targets(p):
    for pattern in TARGETS:
        for method in (b"GET", b"POST", b"PATCH"):
            yield asked(request(fill(p, pattern), method=method, body=b"" if method == b"GET" else
                                p.fresh()), request(b"/fhir/metadata"))
    for line in (b"%s / HTTP/1.1", b"GET /%s HTTP/1.%s", b"GET /%s %s/1.1", b"GET /%s",
            b"get /%s HTTP/1.1", b"CONNECT %s:443 HTTP/1.1", b"CONNECT %s@%s:443 HTTP/1.1",
            b"OPTIONS %s HTTP/1.1", b"PROPFIND /%s HTTP/1.0", b"PRI * HTTP/2.0\r\n\r\n%s",
            b"GET  /%s  HTTP/1.1"):
        yield asked(request(b"/"), head(fill(p, line), b"Host: ehr.chu-demo.example"))


def headers(p):
    for name in HEADERS:
        for value in VALUES:
            line = name + b": " + fill(p, value)
            yield asked(request(b"/fhir/Patient/1", line), answers=[answer(line)])
        yield asked(request(b"/", p.fresh() + b": " + p.fresh(), b" " + p.fresh(), p.fresh(),
            p.fresh() + b" : x", name + b" : " + p.fresh(), name + b":" + p.fresh()))


def credentials(p):
    for name in (b"Authorization", b"Proxy-Authorization"):
        for scheme in SCHEMES:
            yield asked(request(b"/fhir/Patient/1", name + b": " + fill(p, scheme)))
        for pair in (b"%s:%s", b"%s", b":%s", b"x%s:y%s"):
            coded = base64.b64encode(fill(p, pair))
            yield asked(request(b"/fhir/Patient", name + b": Basic " + coded),
                        answers=[answer(b"WWW-Authenticate: Basic realm=\"" + p.fresh() + b"\"",
                                        status=b"401 " + p.fresh())])


def programs(p):
    """The first word may be seen, what is behind it may not, nor an odd first word."""
    for value in (b"curl/7.88.1 (%s; %s)", b"curl/7.88.1 %s/1.0", b"(%s) x", b"\"%s\"",
            b"%s\xc3\xa9", b"%s@%s", b"%s:%s", b"%s%s%s%s", b"curl/7.88.1;%s", b"curl/7.88.1\t%s",
            b"curl/7.88.1(%s)", b"curl/7.88.1,%s", b"curl\xff%s"):
        line = fill(p, value)
        yield asked(head(b"GET / HTTP/1.1", b"User-Agent: " + line, b"Host: ehr.chu-demo.example"),
            answers=[head(b"HTTP/1.1 200 OK", b"Server: " + line, b"X-Powered-By: " + p.fresh(),
            b"Content-Length: 0")])
    for value in (b"%s@ehr.chu-demo.example", b"ehr:%s", b"%s/x", b"%s x", b"[%s]", b"%s\xc3\xa9",
            b"%s,%s", b"ehr.chu-demo.example:%s", b"\"%s\"", b"%s..x", b"%s?%s", b"<%s>"):
        yield asked(head(b"GET / HTTP/1.1", b"Host: " + fill(p, value)))


def statuses(p):
    for line in (b"HTTP/1.1 200 %s", b"HTTP/1.1 404 %s", b"HTTP/1.1 %s", b"HTTP/1.1 999 %s",
            b"HTTP/1.%s 200 OK", b"HTTP/1.1 2%s", b"%s", b"HTTP/1.1 301 %s", b"HTTP/1.1 101 %s",
            b"ICY 200 %s"):
        for length in (b"Content-Length: 12", b"Content-Length: " + p.fresh(), b"Content-Length: 5",
                       b"Content-Length: 99999", b"Content-Length: -1"):
            yield asked(request(b"/fhir/Patient/1"), request(b"/fhir/Patient/2"), answers=[
                head(fill(p, line), length, b"Location: /" + p.fresh()) + p.fresh(), GOOD])


def chunked(p, part):
    return b"%x;%s=\"%s\"\r\n%s\r\n" % (len(part), p.fresh(), p.fresh(), part)


def bodies(p):
    resource = b'{"resourceType":"Patient","id":"%s","name":[{"family":"%s","text":"%s"}]}'
    soap = b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>' \
        b'<a:Action>urn:ihe:iti:2007:%s</a:Action><wsse:Username>%s</wsse:Username></s:Header>' \
        b'<s:Body>%s</s:Body></s:Envelope>'
    cda = b'<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="%s"/><name>%s</name>' \
        b'</ClinicalDocument>'
    for pattern, kind in ((resource, b"application/fhir+json"), (soap, b"application/soap+xml"),
            (cda, b"text/xml"), (b"user=%s&password=%s", b"application/x-www-form-urlencoded")):
        body = fill(p, pattern)
        yield asked(request(b"/fhir/Patient", b"Content-Type: " + kind + b"; action=\"urn:x:" +
            p.fresh() + b"\"", method=b"POST", body=body),
            answers=[answer(body=fill(p, pattern), kind=kind)])
        for wrong in (-9, 9, 400):
            yield asked(head(b"POST /fhir/Patient HTTP/1.1", b"Host: x", b"Content-Type: " + kind,
                             b"Content-Length: %d" % (len(body) + wrong)) + fill(p, pattern))
        both = chunked(p, fill(p, pattern)) + chunked(p, p.fresh())
        for end in (b"0\r\n\r\n", b"0;%s\r\nX-%s: %s\r\nETag: %s\r\n\r\n", b"%s\r\n",
                b"-1\r\n%s\r\n", b"fffffffff\r\n%s"):
            one = head(b"POST /fhir HTTP/1.1", b"Host: x", b"Transfer-Encoding: chunked",
                b"Trailer: " + p.fresh()) + both + fill(p, end)
            yield asked(one, request(b"/fhir/Patient/" + p.fresh()),
                answers=[head(b"HTTP/1.1 200 OK", b"Transfer-Encoding: chunked",
                b"Content-Type: " + kind) + both + fill(p, end), GOOD])
    parts = fill(p, b"--%s\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"%s.dcm\"\r\n"
                    b"Content-Type: application/%s\r\nContent-ID: <%s>\r\n\r\n%s\r\n--%s--\r\n")
    for kind in (b"multipart/form-data; boundary=%s",
            b"multipart/related; type=\"application/dicom\"; boundary=\"%s\"",
            b"multipart/%s; start=\"<%s>\"", b"%s", b"multipart/related; type=\"%s\""):
        yield asked(request(b"/studies/" + p.fresh(), b"Content-Type: " + fill(p, kind),
            method=b"POST", body=parts))
    yield [(True, request(b"/" + p.fresh(), b"Upgrade: websocket", b"Connection: Upgrade",
        b"Sec-WebSocket-Protocol: hub.bsc.bacnet.org, " + p.fresh())),
        (False, head(b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket",
        b"Connection: Upgrade", b"Sec-WebSocket-Protocol: " + p.fresh())),
        (True, b"\x82\x8c" + p.fresh() * 2)]
    yield [(False, answer(body=p.fresh())), (True, request(b"/" + p.fresh()))]


# --- POCT1-A: XML messages over TCP ---

def poct_message(kind, *objects, p):
    return b'<%s><HDR><HDR.message_type V="%s"/><HDR.control_id V="%s"/>' \
        b'<HDR.version_id V="POCT1"/>' \
        b'<HDR.creation_dttm V="%s"/></HDR>%s</%s>' % (
            kind, kind.split(b".")[0], p.fresh(), p.fresh(), b"".join(objects), kind)


def values(p, name, *fields):
    return b"<%s>%s</%s>" % (name, b"".join(b'<%s.%s V="%s" SN="%s">%s</%s.%s>' % (
        name, field, p.fresh(), p.fresh(), p.fresh(), name, field) for field in fields), name)


def poct_observation(p):
    return values(p, b"PT", b"patient_id", b"location", b"name", b"birth_date", b"gender") + \
        values(p, b"OBS", b"observation_id", b"value", b"qualitative_value", b"status_cd") + \
        values(p, b"OPR", b"operator_id", b"name") + values(p, b"NTE", b"text") + \
        values(p, b"ORD", b"universal_service_id", b"ordering_provider_id", b"order_id") + \
        values(p, b"SPC", b"specimen_dttm", b"specimen_id") + values(p, p.fresh(), b"x")


def poct_hello(p, vendor=b"ROCHE", more=b""):
    device = b'<DEV><DEV.device_id V="%s"/><DEV.vendor_id V="%s"/><DEV.model_id V="INFORM II"/>' \
        b'<DEV.serial_id V="12345"/><DEV.manufacturer_name V="Roche"/><DEV.sw_version V="03.02"/>' \
        b'<DEV.device_name V="%s"/><DEV.hw_version V="%s"/>%s</DEV>' % (
            b"00" * 8, vendor, p.fresh(), b"1.0", more)
    return poct_message(b"HEL.R01", device, values(p, b"DCP", b"application_timeout"),
                        values(p, b"DSC", b"connection_profile_cd", b"topics_supported_cd"), p=p)


def acknowledge(p):
    return poct_message(b"ACK.R01", b'<ACK><ACK.type_cd V="AE"/><ACK.ack_control_id V="%s"/>'
                        b'<ACK.note_txt V="%s"/><ACK.error_detail_cd V="%s"/></ACK>' % (
                            p.fresh(), p.fresh(), p.fresh()), p=p)


def poct(p):
    prolog = b'<?xml version="1.0" encoding="utf-8"?>\n'
    for more, vendor in ((b"", b"ROCHE"), (b"<!-- " + p.fresh() + b" -->", b"&#90;" + p.fresh()),
                         (b"<![CDATA[" + p.fresh() + b"]]>", p.fresh() + b"&quot;" + p.fresh())):
        hello = prolog + poct_hello(p, vendor, more)
        for kind in (b"OBS.R01", b"OBS.R02", b"OPL.R01", b"PTL.R01", b"DTV.R02", b"EVS.R01",
                b"KPA.R01", b"ZZZ.R01"):
            whole = prolog + poct_message(kind, poct_observation(p), p=p)
            for body in (whole, whole.replace(b'"', b"'"), whole[:-40],
                    whole.replace(b"</OBS>", b""),
                    whole.replace(b"<PT>", b"<PT " + p.fresh() + b'="' + p.fresh() + b'">'),
                    whole.replace(b'"/>', b' />')):
                yield [(True, hello), (False, prolog + acknowledge(p)), (True, body),
                    (False, acknowledge(p)),
                    (True, poct_message(b"END.R01", values(p, b"TRM", b"reason_cd"), p=p))]


# --- WS-Discovery: SOAP over UDP ---

def wsd_message(p, action, body, types=b"dpws:Device", more=b""):
    discovery = b"http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01"
    return b'<?xml version="1.0" encoding="utf-8"?><s:Envelope ' \
        b'xmlns:s="http://www.w3.org/2003/05/soap-envelope" ' \
        b'xmlns:wsa="http://www.w3.org/2005/08/addressing" xmlns:wsd="%s" ' \
        b'xmlns:dpws="http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01"><s:Header>' \
        b'<wsa:Action>%s/%s</wsa:Action><wsa:MessageID>urn:uuid:%s</wsa:MessageID>' \
        b'<wsa:To>urn:docs-oasis-open-org:ws-dd:ns:discovery:2009:01</wsa:To>' \
        b'<wsd:AppSequence InstanceId="%s" SequenceId="urn:%s" MessageNumber="1"/>%s' \
        b'</s:Header><s:Body><wsd:%s>%s<wsd:Types>%s</wsd:Types></wsd:%s></s:Body>' \
        b'</s:Envelope>' % (discovery, discovery, action, p.fresh(), p.fresh(), p.fresh(), more,
                            action, body, types, action)


def wsd(p):
    scope = b"sdc.ctxt.loc:/%s/%s?fac=%s&bed=%s sdc.cdc.type:/%s http://%s/%s %s"
    for action in (b"Hello", b"Bye", b"Probe", b"ProbeMatches", b"Resolve", b"ResolveMatches",
            p.fresh()):
        for types in (b"dpws:Device", b"dpws:Device " + p.fresh(), p.fresh() + b":" + p.fresh(),
                b"sdc:" + p.fresh()):
            body = fill(p, b"<wsa:EndpointReference><wsa:Address>urn:uuid:%s</wsa:Address>"
                           b"</wsa:EndpointReference>"
                           b"<wsd:Scopes MatchBy=\"" + p.fresh() + b"\">" + scope +
                           b"</wsd:Scopes><wsd:XAddrs>http://%s@10.1.1.1:80/%s https://%s:6464/%s "
                           b"http://%s</wsd:XAddrs>"
                           b"<wsd:MetadataVersion>%s</wsd:MetadataVersion><x:%s>%s</x:%s>")
            whole = wsd_message(p, action, body, types, fill(p, b"<%s>%s</%s>"))
            yield [(True, whole)]
            yield [(True, whole.replace(b">", b">\n ")),
                (True, whole[:p.random.randrange(600, len(whole))])]
            yield [(True, whole.replace(b"wsd:", b"d:").replace(b"wsa:", b"a:").replace(b":wsd=",
                b":d=").replace(b":wsa=", b":a="))]


ROWS = [Row("http", STREAM, (80, 8042, 18080),
    named({"HTTP, targets": targets, "HTTP, headers": headers, "HTTP, credentials": credentials,
    "HTTP, programs and hosts": programs, "HTTP, statuses": statuses, "HTTP, bodies": bodies}),
    500), Row("poct1a", STREAM, (3001, 4002, 30010), named({"POCT1-A": poct}), 20),
    Row("wsd", DATAGRAMS, (3702,), named({"WS-Discovery": wsd}), 10, broadcast=True),]
