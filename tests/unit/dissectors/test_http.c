/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_http;

enum { CLIENT, SERVER, SAID = 2048 };

static struct conversation s;
static char said[SAID];

static void begin(void)
{
	stream_init(&s, &dissector_http, TRANSPORT_TCP, 50000, 50080);
}

static void end(void)
{
	stream_finish(&s);
}

TestSuite(http, .init = begin, .fini = end);

static void client(const char *text)
{
	stream_offer(&s, CLIENT, text, strlen(text));
}

static void server(const char *text)
{
	stream_offer(&s, SERVER, text, strlen(text));
}

static const char *describe(void)
{
	return stream_describe(&s, said, sizeof(said));
}

/* "http.get=1" is among what was said, as a whole. */
static bool has(const char *what)
{
	const char *at = strstr(describe(), what);
	size_t n = strlen(what);

	return at && (at == said || at[-1] == ' ') && (at[n] == ' ' || !at[n]);
}

#define EXPECT(what) cr_expect(has(what), "no " what " in %s", said)
#define EXPECT_NOT(what) cr_expect(!strstr(describe(), what), "%s in %s", what, said)

Test(http, requests_and_answers)
{
	client("GET /records/ZZPHI?name=ZZPHI HTTP/1.1\r\nHost: ehr.example:8080\r\n"
	       "User-Agent: curl/7.88.1 (ZZPHI)\r\nReferer: ZZPHI\r\n\r\n");
	server("HTTP/1.1 200 OK\r\nServer: nginx/1.22.1 (ZZPHI)\r\nContent-Type: text/html; a=b\r\n"
	       "Content-Length: 5\r\n\r\nZZPHI");
	client("DELETE /x HTTP/1.1\r\nCookie: ZZTOKEN\r\n\r\n");
	server("HTTP/1.1 403 ZZPHI\r\nContent-Length: 0\r\n\r\n");
	EXPECT("http.get=1");
	EXPECT("http.delete=1");
	EXPECT("http.status_2xx=1");
	EXPECT("http.status_4xx=1");
	EXPECT("http.unauthorized=1");
	EXPECT("http.host=ehr.example");
	EXPECT("http.user_agent=curl/7.88.1");
	EXPECT("http.server=nginx/1.22.1");
	EXPECT("http.response_type=text/html");
	EXPECT("http.response_bytes=5");
	EXPECT("http.auth=none");
	EXPECT_NOT("ZZ");
	EXPECT_NOT("http.api");
	EXPECT_NOT("http.malformed");
	cr_expect_eq(s.client_direction, (unsigned)CLIENT);
	cr_expect(!s.encrypted);
}

Test(http, a_media_type_that_is_on_no_list_is_other)
{
	client("POST /a HTTP/1.1\r\nContent-Type: application/ZZPHI+json\r\n"
	       "Content-Length: 0\r\n\r\n");
	server("HTTP/1.1 200 OK\r\nContent-Type: ZZPHI; ZZPHI=1\r\nContent-Length: 0\r\n\r\n");
	EXPECT("http.request_type=other");
	EXPECT("http.response_type=other");
	EXPECT_NOT("ZZ");
}

Test(http, bodies_are_passed_over)
{
	client("POST /a HTTP/1.1\r\nContent-Length: 100000\r\n\r\n");
	char body[4096];
	memset(body, 'Z', sizeof(body));
	for (int i = 0; i < 24; i++)
		stream_offer(&s, CLIENT, body, sizeof(body));
	stream_offer(&s, CLIENT, body, 100000 - 24 * sizeof(body));
	client("GET /b HTTP/1.1\r\n\r\n");
	EXPECT("http.post=1");
	EXPECT("http.get=1");
	EXPECT("http.request_bytes=100000");
	EXPECT_NOT("malformed");
}

Test(http, chunks)
{
	client("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
	server("HTTP/1.1 200 OK\r\nTransfer-Encoding: "
	       "chunked\r\n\r\n5;x=y\r\nHTTP/\r\nA\r\n0123456789\r\n0\r\n"
	       "X-Sum: ZZ\r\n\r\nHTTP/1.1 204 No\r\n\r\n");
	EXPECT("http.get=2");
	EXPECT("http.status_2xx=2");
	EXPECT("http.response_bytes=15");
	EXPECT_NOT("malformed");
}

Test(http, answers_without_a_body)
{
	client("HEAD /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n");
	server("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
	       "HTTP/1.1 100 Continue\r\n\r\n"
	       "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n"
	       "HTTP/1.0 200 OK\r\n\r\nall that follows\r\nHTTP/1.1 500 no\r\n\r\n");
	EXPECT("http.head=1");
	EXPECT("http.status_1xx=1");
	EXPECT("http.status_2xx=2");
	EXPECT("http.status_3xx=1");
	EXPECT_NOT("http.status_5xx");
	EXPECT_NOT("malformed");
}

Test(http, long_lines)
{
	static char line[20000];

	memset(line, 'a', sizeof(line));
	client("GET /");
	stream_offer(&s, CLIENT, line, sizeof(line));
	client(" HTTP/1.1\r\nCookie: ");
	stream_offer(&s, CLIENT, line, sizeof(line));
	client("\r\nHost: pacs\r\n\r\nPUT /x HTTP/1.1\r\n\r\n");
	EXPECT("http.get=1");
	EXPECT("http.put=1");
	EXPECT("http.host=pacs");
	EXPECT_NOT("malformed");
}

static void ask_fhir(const char *method, const char *path, const char *header)
{
	char request[512];

	end();
	begin();
	snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\n%s\r\n\r\n", method, path, header);
	client(request);
	server("HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json; charset=utf-8\r\n"
	       "Content-Length: 0\r\n\r\n");
}

Test(http, fhir)
{
	static const struct {
		const char *method, *path, *interaction, *resource;
	} rows[] = {
		{ "GET", "/fhir/metadata", "capabilities", NULL },
		{ "GET", "/fhir/Patient/zz1", "read", "Patient" },
		{ "GET", "/base/R4/Patient/zz1/_history/2", "vread", "Patient" },
		{ "GET", "/fhir/Observation/zz1/_history", "history", "Observation" },
		{ "GET", "/Observation?subject=ZZPHI", "search", "Observation" },
		{ "POST", "/fhir/Patient/_search", "search", "Patient" },
		{ "POST", "/fhir/Patient", "create", "Patient" },
		{ "PUT", "/fhir/Patient/zz1", "update", "Patient" },
		{ "PATCH", "/fhir/Patient/zz1", "patch", "Patient" },
		{ "DELETE", "/fhir/Patient/zz1", "delete", "Patient" },
		{ "GET", "/fhir/Patient/zz1/$everything", "everything", "Patient" },
		{ "GET", "/fhir/$export", "export", NULL },
		{ "POST", "/fhir/Patient/$match", "operation", "Patient" },
		{ "POST", "/fhir", "batch", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ask_fhir(rows[i].method, rows[i].path, "X: y");
		cr_expect_str_eq(stream_text(&s, "http.api", 0), "fhir", "%s", rows[i].path);
		cr_expect_str_eq(stream_text(&s, "http.fhir_interaction", 0), rows[i].interaction,
				 "%s", rows[i].path);
		cr_expect_str_eq(stream_text(&s, "http.fhir_resource", 0),
				 rows[i].resource ? rows[i].resource : "", "%s", rows[i].path);
		EXPECT_NOT("ZZ");
		EXPECT_NOT("zz");
	}
}

Test(http, fhir_in_bulk_and_without_a_name)
{
	ask_fhir("GET", "/fhir/Patient/zz1/$everything", "X: y");
	EXPECT("http.bulk_requests=1");
	EXPECT("http.anonymous_ok=1");
	ask_fhir("GET", "/fhir/Patient?_count=1000", "Authorization: Bearer ZZTOKEN");
	EXPECT("http.bulk_requests=1");
	EXPECT("http.auth=bearer");
	EXPECT_NOT("http.anonymous_ok");
	EXPECT_NOT("http.clear_text_password");
	ask_fhir("GET", "/fhir/Patient?_count=100", "Authorization: Basic ZZSECRET");
	EXPECT_NOT("http.bulk_requests");
	EXPECT("http.clear_text_password=1");
	ask_fhir("GET", "/fhir/metadata", "X: y");
	EXPECT_NOT("http.anonymous_ok");
	EXPECT_NOT("ZZ");
}

Test(http, what_only_looks_like_fhir)
{
	client("GET /shop/List/1 HTTP/1.1\r\nHost: shop\r\n\r\n");
	server("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n");
	EXPECT_NOT("http.api");
	EXPECT_NOT("http.fhir");
}

Test(http, dicomweb)
{
	static const struct {
		const char *request, *word;
	} rows[] = {
		{ "POST /dicom-web/studies HTTP/1.1", "stow" },
		{ "GET /dicom-web/studies?PatientName=ZZPHI* HTTP/1.1", "qido" },
		{ "GET /dicom-web/studies/1.2.3/series HTTP/1.1", "qido" },
		{ "GET /dicom-web/studies/1.2.3 HTTP/1.1", "wado-rs" },
		{ "GET /dicom-web/studies/1.2.3/metadata HTTP/1.1", "wado-rs" },
		{ "GET /dcm4chee-arc/aets/PACS/rs/studies/1.2/series/1.3/instances/1.4/frames/1 "
		  "HTTP/1.1",
		  "wado-rs" },
		{ "GET /wado?requestType=WADO&studyUID=1.2 HTTP/1.1", "wado-uri" },
		{ "GET /dicom-web/workitems HTTP/1.1", "ups" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		end();
		begin();
		client(rows[i].request);
		client("\r\n\r\n");
		server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
		cr_expect_str_eq(stream_text(&s, "http.api", 0), "dicomweb", "%s", rows[i].request);
		cr_expect_str_eq(stream_text(&s, "http.dicomweb", 0), rows[i].word, "%s",
				 rows[i].request);
		EXPECT("http.anonymous_ok=1");
		EXPECT_NOT("ZZ");
		EXPECT_NOT("1.2");
	}
}

Test(http, soap)
{
	client("POST /x HTTP/1.1\r\nContent-Type: application/soap+xml; charset=UTF-8; "
	       "action=\"urn:ihe:iti:2007:RegistryStoredQuery\"\r\nContent-Length: 0\r\n\r\n"
	       "POST /y HTTP/1.1\r\nSOAPAction: \"http://standards.ieee.org/downloads/11073/"
	       "11073-20701-2018/SetService/SetValue\"\r\n\r\n");
	EXPECT("http.api=xds");
	EXPECT("http.soap_action=RegistryStoredQuery");
	EXPECT("http.api=sdc");
	EXPECT("http.soap_action=SetValue");
	EXPECT("http.sdc_sets=1");
}

Test(http, what_becomes_of_a_connection)
{
	client("GET /hub HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
	server("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n"
	       "Sec-WebSocket-Protocol: hub.bsc.bacnet.org\r\n\r\n");
	EXPECT("http.upgrade=websocket");
	EXPECT("http.subprotocol=hub.bsc.bacnet.org");
	cr_expect_eq(s.result, DISSECT_DONE);
	end();
	begin();
	client("CONNECT vendor.example:443 HTTP/1.1\r\n\r\n");
	server("HTTP/1.1 200 OK\r\n\r\n");
	EXPECT("http.upgrade=tunnel");
	cr_expect_eq(s.result, DISSECT_DONE);
}

Test(http, is_found_again_behind_a_gap)
{
	client("GET /a HTTP/1.1\r\nHost: a\r\n");
	stream_lose(&s, CLIENT);
	client("st: ZZPHI\r\n\r\n");
	client("POST /b HTTP/1.1\r\nHost: b\r\n\r\n");
	EXPECT("http.post=1");
	EXPECT("http.host=b");
	EXPECT_NOT("malformed");
}

Test(http, what_it_is_not)
{
	static const char *const others[] = {
		"GET\r\n",
		"INVITE sip:a@b SIP/2.0\r\n",
		"DESCRIBE rtsp://a/ RTSP/1.0\r\n",
		"EHLO example\r\n",
		"USER anonymous\r\n",
		"HTTP/2.0 200 OK\r\n",
		"GET /a\x01 HTTP/1.1",
		"MSH|^~\\&|A|B|C|D\r",
		"SSH-2.0-OpenSSH_9.2\r\n",
		"get /a HTTP/1.1\r\n",
		"OPTIONS sip:a@b SIP/2.0\r\n",
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		end();
		begin();
		client(others[i]);
		cr_expect(!s.claimed && s.refused, "%s", others[i]);
	}
}

static const char request_text[] =
	"POST /fhir/Patient/$everything?_count=1000 HTTP/1.1\r\nHost: ehr.example\r\n"
	"Authorization: Basic ZZSECRET\r\nContent-Type: application/fhir+json\r\n"
	"Transfer-Encoding: chunked\r\n\r\n5\r\nZZPHI\r\n0\r\n\r\nGET /fhir/Patient/zz "
	"HTTP/1.1\r\n\r\n";
static const char answer_text[] =
	"HTTP/1.1 200 OK\r\nServer: x/1\r\nContent-Type: application/fhir+json\r\n"
	"Content-Length: 5\r\n\r\nZZPHIHTTP/1.1 403 no\r\nContent-Length: 0\r\n\r\n";

Test(http, every_split_says_the_same)
{
	char whole[SAID];

	client(request_text);
	server(answer_text);
	snprintf(whole, sizeof(whole), "%s", describe());
	for (size_t chunk = 1; chunk < 40; chunk++) {
		end();
		begin();
		stream_chunks(&s, CLIENT, request_text, strlen(request_text), chunk);
		stream_chunks(&s, SERVER, answer_text, strlen(answer_text), chunk);
		cr_expect_str_eq(describe(), whole, "pieces of %zu", chunk);
	}
}

Test(http, every_truncation)
{
	for (size_t n = 0; n <= strlen(request_text); n++) {
		end();
		begin();
		stream_offer(&s, CLIENT, request_text, n);
		server(answer_text);
		EXPECT_NOT("ZZ");
		EXPECT_NOT("malformed");
	}
	for (size_t n = 0; n <= strlen(answer_text); n++) {
		end();
		begin();
		client(request_text);
		stream_offer(&s, SERVER, answer_text, n);
		EXPECT_NOT("ZZ");
		EXPECT_NOT("malformed");
	}
}

#define ENVELOPE(action) \
	"<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"ZZPHI\"><s:Header><a:To>ZZPHI</a:To>" \
	"<a:Action s:mustUnderstand=\"1\"> " action " </a:Action></s:Header><s:Body><x>ZZPHI" \
	"</x><Action>http://standards.ieee.org/downloads/11073/11073-20701-2018/SetService/" \
	"Activate</Action></s:Body></s:Envelope>"
#define SDC "http://standards.ieee.org/downloads/11073/11073-20701-2018/"

static void post(const char *type, const char *body, size_t chunk)
{
	static char text[4096];
	size_t n = (size_t)snprintf(text, sizeof(text),
				    "POST /x HTTP/1.1\r\nContent-Type: %s\r\n"
				    "Content-Length: %zu\r\n\r\n%s",
				    type, strlen(body), body);

	cr_assert_lt(n, sizeof(text));
	stream_chunks(&s, CLIENT, text, n, chunk);
}

Test(http, a_soap_action_in_the_body)
{
	for (size_t chunk = 1; chunk < 700; chunk += chunk < 40 ? 1 : 37) {
		end();
		begin();
		post("application/soap+xml; charset=utf-8", ENVELOPE(SDC "SetService/SetString"),
		     chunk);
		post("multipart/related; type=\"application/xop+xml\"; boundary=ZZPHI",
		     "--ZZPHI\r\nContent-Type: application/xop+xml\r\n\r\n" ENVELOPE(
			     "urn:ihe:iti:2007:RetrieveDocumentSet") "\r\n--ZZPHI--\r\n",
		     chunk);
		post("text/plain", ENVELOPE(SDC "SetService/SetValue"), chunk);
		client("GET /z HTTP/1.1\r\n\r\n");
		EXPECT("http.soap_action=SetString");
		EXPECT("http.soap_action=RetrieveDocumentSet");
		EXPECT("http.sdc_sets=1");
		EXPECT("http.api=sdc");
		EXPECT("http.api=xds");
		EXPECT("http.post=3");
		EXPECT("http.get=1");
		EXPECT_NOT("Activate");
		EXPECT_NOT("SetValue");
		EXPECT_NOT("ZZ");
		EXPECT_NOT("http.malformed");
	}
}

Test(http, a_soap_action_in_chunks)
{
	static const char body[] = ENVELOPE(SDC "ContextService/SetContextState");

	client("POST /x HTTP/1.1\r\nContent-Type: application/soap+xml\r\n"
	       "Transfer-Encoding: chunked\r\n\r\n");
	for (size_t at = 0; at < sizeof(body) - 1; at += 50) {
		char chunk[80];
		size_t n = sizeof(body) - 1 - at < 50 ? sizeof(body) - 1 - at : 50;
		snprintf(chunk, sizeof(chunk), "%zx\r\n%.*s\r\n", n, (int)n, body + at);
		client(chunk);
	}
	client("0\r\n\r\nGET /z HTTP/1.1\r\n\r\n");
	EXPECT("http.soap_action=SetContextState");
	EXPECT("http.get=1");
	EXPECT_NOT("http.malformed");
}

Test(http, a_soap_body_is_not_searched_for_ever)
{
	static char body[9000];

	memset(body, ' ', sizeof(body) - 1);
	memcpy(body, "<s:Envelope>", 12);
	client("POST /x HTTP/1.1\r\nContent-Type: text/xml\r\nContent-Length: 20000\r\n\r\n");
	stream_offer(&s, CLIENT, body, 4000);
	cr_expect_eq(s.sides[CLIENT].skip, 0, "the action may still come");
	stream_offer(&s, CLIENT, body + 4000, 5000);
	cr_expect_eq(s.sides[CLIENT].skip, 11000);
	stream_offer(&s, CLIENT, body, 9000);
	stream_offer(&s, CLIENT, body, 2000);
	cr_expect_eq(stream_number(&s, "http.request_bytes"), 20000);
	post("application/soap+xml", "<!DOCTYPE x>" ENVELOPE(SDC "SetService/SetValue"), 100);
	post("application/soap+xml", "<html>" ENVELOPE(SDC "SetService/SetValue"), 100);
	EXPECT_NOT("http.soap_action");
	EXPECT("http.post=3");
	EXPECT_NOT("http.malformed");
}
