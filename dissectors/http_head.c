/* SPDX-License-Identifier: Apache-2.0
 *
 * Start lines and headers (RFC 9112 sections 3 to 6, RFC 9110). */
#include "dissectors/http_internal.h"

#include <string.h>

enum { METHOD_MOST = 20, STATUS_DIGITS = 3, LENGTH_DIGITS = 15 };

static const struct method {
	const char *name;
	enum http_field field;
} methods[] = {
	{ "GET", HTTP_GET },       { "POST", HTTP_POST }, { "PUT", HTTP_PUT },
	{ "DELETE", HTTP_DELETE }, { "HEAD", HTTP_HEAD },
};

static bool is_method_byte(int b)
{
	return (b >= 'A' && b <= 'Z') || b == '-' || b == '_';
}

/* An answer's line begins so, as far as it goes. */
static enum probe_result probe_answer(const struct cursor *c)
{
	static const char version[] = "HTTP/1.";

	for (size_t i = 0; i < sizeof(version) - 1; i++) {
		int b = cursor_peek(c, i);
		if (b < 0)
			return PROBE_MORE;
		if (b != version[i])
			return PROBE_NO;
	}
	int minor = cursor_peek(c, 7), blank = cursor_peek(c, 8);
	if ((minor >= 0 && (minor < '0' || minor > '9')) || (blank >= 0 && blank != ' '))
		return PROBE_NO;
	for (size_t i = 9; i < 9 + STATUS_DIGITS; i++) {
		int digit = cursor_peek(c, i);
		if (digit < 0)
			return PROBE_MORE;
		if (digit < '0' || digit > '9')
			return PROBE_NO;
	}
	return PROBE_YES;
}

/* Method, blank, what begins a target. */
static enum probe_result probe_method(struct cursor *c)
{
	size_t n = 0;

	while (n < METHOD_MOST && is_method_byte(cursor_peek(c, n)))
		n++;
	int blank = cursor_peek(c, n), target = cursor_peek(c, n + 1);
	if (blank < 0)
		return n < METHOD_MOST ? PROBE_MORE : PROBE_NO;
	if (n < 3 || blank != ' ')
		return PROBE_NO;
	if (target < 0)
		return PROBE_MORE;
	cursor_skip(c, n + 1);
	return target > ' ' && target < 0x7f ? PROBE_YES : PROBE_NO;
}

static enum probe_result probe_request(struct cursor c)
{
	enum probe_result method = probe_method(&c);

	if (method != PROBE_YES)
		return method;
	bool whole = cursor_left(&c) < DISSECT_PROBE_MOST - METHOD_MOST - 1;
	int first = cursor_peek(&c, 0);
	for (int b; (b = cursor_peek(&c, 0)) >= 0 && b != ' '; cursor_skip(&c, 1))
		if (b < ' ' || b == 0x7f)
			return PROBE_NO;
	if (!cursor_left(&c)) /* a target that goes on behind what a probe sees */
		return whole ? PROBE_MORE : first == '/' ? PROBE_YES : PROBE_NO;
	cursor_skip(&c, 1);
	enum probe_result version = probe_answer(&c); /* of which it begins like one */
	if (version == PROBE_NO && cursor_left(&c) >= 8 && cursor_starts(&c, "HTTP/1."))
		version = PROBE_YES;
	return version;
}

enum probe_result http_probe_start(struct cursor c)
{
	enum probe_result answer = probe_answer(&c);

	return answer == PROBE_YES ? answer : answer == PROBE_MORE ? PROBE_MORE : probe_request(c);
}

static void take_status(struct http_call *call, struct cursor line)
{
	struct http_side *side = call->side;

	cursor_skip(&line, strlen("HTTP/1.x "));
	side->status = 0;
	for (int i = 0; i < STATUS_DIGITS; i++)
		side->status = (uint16_t)(side->status * 10 + (cursor_u8(&line) & 0xf));
	if (side->status >= 100 && side->status < 600)
		attributes_add(call->out, &http_fields[HTTP_STATUS_1XX + side->status / 100 - 1],
			       1);
	if (side->status == 401 || side->status == 403)
		attributes_add(call->out, &http_fields[HTTP_UNAUTHORIZED], 1);
}

static void take_request(struct http_call *call, struct cursor line)
{
	struct cursor method = http_until(&line, ' '), target = http_until(&line, ' ');
	enum http_field field = HTTP_OTHER_METHOD;
	const char *name = "";

	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (http_is(method, methods[i].name)) {
			field = methods[i].field;
			name = methods[i].name;
		}
	attributes_add(call->out, &http_fields[field], 1);
	call->side->request = (struct http_request){ 0 };
	call->flow->soap = false;
	if (field == HTTP_HEAD)
		call->side->request.bits |= ASKED_HEAD;
	if (http_is(method, "CONNECT"))
		call->side->request.bits |= ASKED_CONNECT;
	else
		http_classify_path(call, target, name, call->in->dest_port);
}

bool http_take_start(struct http_call *call, struct cursor line)
{
	bool answer = probe_answer(&line) == PROBE_YES;

	if (!answer && probe_request(line) == PROBE_NO)
		return false;
	*call->side = (struct http_side){ .stage = STAGE_START,
					  .answer = answer,
					  .long_line = call->side->long_line };
	call->in->role = answer ? ROLE_SENDER_IS_SERVER : ROLE_SENDER_IS_CLIENT;
	if (answer)
		take_status(call, line);
	else
		take_request(call, line);
	return true;
}

static struct cursor trimmed(struct cursor c)
{
	while (cursor_peek(&c, 0) == ' ' || cursor_peek(&c, 0) == '\t')
		cursor_skip(&c, 1);
	size_t n = cursor_left(&c);
	while (n && (cursor_peek(&c, n - 1) == ' ' || cursor_peek(&c, n - 1) == '\t'))
		n--;
	return cursor_sub(&c, n);
}

static void take_length(struct http_call *call, struct cursor value)
{
	uint64_t length = 0;
	size_t n = cursor_left(&value);

	if (!n || n > LENGTH_DIGITS)
		return;
	for (size_t i = 0; i < n; i++) {
		int digit = cursor_peek(&value, i);
		if (digit < '0' || digit > '9')
			return;
		length = length * 10 + (uint64_t)(digit - '0');
	}
	call->side->length = length;
	call->side->has_length = true;
}

static void take_text(struct http_call *call, enum http_field field, struct cursor value)
{
	attributes_text(call->out, &http_fields[field], value.at, cursor_left(&value));
}

static void take_word(struct http_call *call, enum http_field field, const char *word)
{
	attributes_text(call->out, &http_fields[field], word, strlen(word));
}

static void take_authorization(struct http_call *call, struct cursor value)
{
	static const char *const schemes[] = { "basic", "bearer", "digest", "negotiate", "ntlm" };
	struct cursor scheme = http_until(&value, ' ');
	const char *word = "other";

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (http_is(scheme, schemes[i]))
			word = schemes[i];
	call->side->request.bits |= ASKED_KNOWN;
	take_word(call, HTTP_AUTH, word);
	if (!strcmp(word, "basic"))
		attributes_flag(call->out, &http_fields[HTTP_CLEAR_TEXT_PASSWORD]);
}

/* "name" or "name:port"; what is no name (an IPv6 address in brackets) is left out. */
static void take_host(struct http_call *call, struct cursor value)
{
	struct cursor host = http_until(&value, ':');

	if (cursor_peek(&host, 0) != '[')
		take_text(call, HTTP_HOST, host);
}

static void take_software(struct http_call *call, enum http_field field, struct cursor value)
{
	struct cursor first = http_until(&value, ' ');

	if (grammar_accepts(GRAMMAR_TOKEN, first.at, cursor_left(&first)))
		take_text(call, field, first);
}

static void take_upgrade(struct http_call *call, struct cursor value)
{
	if (call->side->status != 101)
		return;
	take_word(call, HTTP_UPGRADE,
		  http_is(value, "websocket")     ? "websocket"
		  : http_is(value, "h2c")         ? "h2c"
		  : http_find(value, "tls/") == 0 ? "tls"
						  : "other");
}

static void take_subprotocol(struct http_call *call, struct cursor value)
{
	static const char *const known[] = { "hub.bsc.bacnet.org", "dc.bsc.bacnet.org",
					     "opcua+uacp", "opcua+uajson", "mqtt" };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (http_is(value, known[i]))
			take_word(call, HTTP_SUBPROTOCOL, known[i]);
}

static void take_request_header(struct http_call *call, struct cursor name, struct cursor value)
{
	if (http_is(name, "authorization"))
		take_authorization(call, value);
	else if (http_is(name, "cookie"))
		call->side->request.bits |= ASKED_KNOWN;
	else if (http_is(name, "host"))
		take_host(call, value);
	else if (http_is(name, "user-agent"))
		take_software(call, HTTP_USER_AGENT, value);
	else if (http_is(name, "accept"))
		http_classify_type(call, value);
	else if (http_is(name, "soapaction"))
		http_classify_action(call, value);
}

static void take_answer_header(struct http_call *call, struct cursor name, struct cursor value)
{
	if (http_is(name, "server"))
		take_software(call, HTTP_SERVER, value);
	else if (http_is(name, "upgrade"))
		take_upgrade(call, value);
	else if (http_is(name, "sec-websocket-protocol"))
		take_subprotocol(call, value);
}

/* By itself, or as the first part of a message with attachments (MTOM). */
static bool is_soap(struct cursor type)
{
	return http_find(type, "soap+xml") != SIZE_MAX || http_find(type, "xop+xml") != SIZE_MAX ||
	       http_find(type, "text/xml") == 0;
}

/* Less than, equal to or more than 0, as the text stands before, at or behind a word of
 * lower-case letters in a list; its own letters' case aside. */
static int word_order(struct cursor text, const char *word)
{
	size_t n = cursor_left(&text);

	for (size_t i = 0; i < n; i++) {
		uint8_t c = text.at[i] >= 'A' && text.at[i] <= 'Z' ? text.at[i] | 0x20 : text.at[i];
		if (!word[i] || c != (uint8_t)word[i])
			return c < (uint8_t)word[i] ? -1 : 1;
	}
	return word[n] ? -1 : 0;
}

/* Only what is on a list: a type is a sender's own word, and may hold anything. */
static const char *known_type(struct cursor type)
{
	/* clang-format off */
	static const char *const known[] = { /* in order of bytes */
		"application/cbor", "application/dicom", "application/dicom+json",
		"application/dicom+xml", "application/fhir+json", "application/fhir+ndjson",
		"application/fhir+xml", "application/gzip", "application/ipp",
		"application/javascript", "application/json", "application/json+fhir",
		"application/ld+json", "application/ndjson", "application/ocsp-request",
		"application/ocsp-response", "application/octet-stream", "application/pdf",
		"application/pkix-crl", "application/problem+json", "application/sdp",
		"application/soap+xml", "application/x-binary",
		"application/x-gzip", "application/x-javascript", "application/x-ms-dos-executable",
		"application/x-msdownload", "application/x-ndjson",
		"application/x-protobuf", "application/x-www-form-urlencoded", "application/xhtml+xml",
		"application/xml", "application/xml+fhir", "application/xop+xml", "application/zip",
		"audio/mpeg", "audio/ogg", "audio/wav", "font/woff", "font/woff2", "image/bmp",
		"image/dicom-rle", "image/gif", "image/jls", "image/jp2", "image/jpeg", "image/jpx",
		"image/png", "image/svg+xml", "image/tiff", "image/vnd.microsoft.icon", "image/webp",
		"image/x-icon", "multipart/alternative", "multipart/byteranges",
		"multipart/form-data", "multipart/mixed", "multipart/related",
		"multipart/x-mixed-replace", "text/calendar", "text/css", "text/csv",
		"text/event-stream", "text/html", "text/javascript", "text/plain", "text/xml",
		"video/mp2t", "video/mp4", "video/mpeg", "video/webm",
	};
	/* clang-format on */

	size_t from = 0, to = sizeof(known) / sizeof(*known);

	while (from < to) {
		size_t middle = (from + to) / 2;
		int order = word_order(type, known[middle]);
		if (order == 0)
			return known[middle];
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return "other";
}

static void take_type(struct http_call *call, struct cursor value)
{
	struct cursor rest = value, type = trimmed(http_until(&rest, ';'));

	if (cursor_left(&type))
		take_word(call, call->side->answer ? HTTP_RESPONSE_TYPE : HTTP_REQUEST_TYPE,
			  known_type(type));
	if (!call->side->answer)
		call->flow->soap = is_soap(value);
	http_classify_type(call, value);
}

void http_take_header(struct http_call *call, struct cursor line)
{
	struct cursor name = http_until(&line, ':'), value = trimmed(line);

	if (http_is(name, "content-length"))
		take_length(call, value);
	else if (http_is(name, "transfer-encoding"))
		call->side->chunked |= http_find(value, "chunked") != SIZE_MAX;
	else if (http_is(name, "content-type"))
		take_type(call, value);
	else if (call->side->answer)
		take_answer_header(call, name, value);
	else
		take_request_header(call, name, value);
}

/* ---- the end of a head ---- */

static void expect_body(struct http_side *side, bool until_the_end)
{
	if (side->chunked)
		side->stage = STAGE_CHUNK_SIZE;
	else if (side->has_length && side->length)
		side->stage = STAGE_BODY;
	else
		side->stage = until_the_end && !side->has_length ? STAGE_TO_THE_END : STAGE_START;
	side->left = side->length;
}

static void remember(struct http *flow, const struct http_request *request)
{
	if (flow->count == HTTP_WAITING) { /* the oldest will get no answer any more */
		flow->first = (flow->first + 1) % HTTP_WAITING;
		flow->count--;
	}
	flow->waiting[(flow->first + flow->count++) % HTTP_WAITING] = *request;
}

static void end_request(struct http_call *call)
{
	struct http_request *request = &call->side->request;

	if (!(request->bits & ASKED_KNOWN))
		take_word(call, HTTP_AUTH, "none");
	if (request->bits & ASKED_CLINICAL && request->bits & ASKED_BULK)
		attributes_add(call->out, &http_fields[HTTP_BULK_REQUESTS], 1);
	remember(call->flow, request);
	if (request->bits & ASKED_CLINICAL) /* a header named the action */
		call->flow->soap = false;
	call->flow->looked = 0;
	xml_begin(&call->flow->xml);
	expect_body(call->side, false);
}

static bool is_success(const struct http_side *side)
{
	return side->status >= 200 && side->status < 300;
}

static void end_answer(struct http_call *call)
{
	struct http *flow = call->flow;
	struct http_side *side = call->side;
	struct http_request asked = { 0 };

	if (side->status == 101) {
		side->upgraded = true;
		return;
	}
	if (side->status < 200) { /* another answer follows: RFC 9110 section 15.2 */
		side->stage = STAGE_START;
		return;
	}
	if (flow->count) {
		asked = flow->waiting[flow->first];
		flow->first = (flow->first + 1) % HTTP_WAITING;
		flow->count--;
	}
	if (asked.bits & ASKED_CONNECT && is_success(side)) {
		take_word(call, HTTP_UPGRADE, "tunnel");
		side->upgraded = true;
		return;
	}
	if (is_success(side) && asked.bits & ASKED_CLINICAL && asked.bits & ASKED_PATIENTS &&
	    !(asked.bits & ASKED_KNOWN))
		attributes_add(call->out, &http_fields[HTTP_ANONYMOUS_OK], 1);
	if (asked.bits & ASKED_HEAD || side->status == 204 || side->status == 304)
		side->stage = STAGE_START;
	else
		expect_body(side, true);
}

void http_end_head(struct http_call *call)
{
	if (call->side->answer)
		end_answer(call);
	else
		end_request(call);
}
