/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/1 (RFC 9112) over TCP, any port: what kind of service is asked for what kind of
 * thing, with what outcome. Clinical web services are told apart: FHIR, DICOMweb (PS3.18),
 * IHE profiles over SOAP. Paths, queries, bodies, names and credentials are never kept:
 * words of fixed lists stand for them. */
#include "dissectors/http_internal.h"

#include <string.h>

/* clang-format off */
const struct field http_fields[HTTP_FIELD_COUNT + 1] = {
	[HTTP_GET] = { "http.get", FIELD_COUNTER, GRAMMAR_NONE, "requests", "GET", PHI_NONE, ABOUT_FLOW },
	[HTTP_POST] = { "http.post", FIELD_COUNTER, GRAMMAR_NONE, "requests", "POST", PHI_NONE, ABOUT_FLOW },
	[HTTP_PUT] = { "http.put", FIELD_COUNTER, GRAMMAR_NONE, "requests", "PUT", PHI_NONE, ABOUT_FLOW },
	[HTTP_DELETE] = { "http.delete", FIELD_COUNTER, GRAMMAR_NONE, "requests", "DELETE", PHI_NONE, ABOUT_FLOW },
	[HTTP_HEAD] = { "http.head", FIELD_COUNTER, GRAMMAR_NONE, "requests", "HEAD", PHI_NONE, ABOUT_FLOW },
	[HTTP_OTHER_METHOD] = { "http.other_method", FIELD_COUNTER, GRAMMAR_NONE, "requests",
		"requests of any other method", PHI_NONE, ABOUT_FLOW },
	[HTTP_STATUS_1XX] = { "http.status_1xx", FIELD_COUNTER, GRAMMAR_NONE, "responses", "interim answers", PHI_NONE, ABOUT_FLOW },
	[HTTP_STATUS_2XX] = { "http.status_2xx", FIELD_COUNTER, GRAMMAR_NONE, "responses", "success", PHI_NONE, ABOUT_FLOW },
	[HTTP_STATUS_3XX] = { "http.status_3xx", FIELD_COUNTER, GRAMMAR_NONE, "responses", "redirections", PHI_NONE, ABOUT_FLOW },
	[HTTP_STATUS_4XX] = { "http.status_4xx", FIELD_COUNTER, GRAMMAR_NONE, "responses", "errors of the client", PHI_NONE, ABOUT_FLOW },
	[HTTP_STATUS_5XX] = { "http.status_5xx", FIELD_COUNTER, GRAMMAR_NONE, "responses", "errors of the server", PHI_NONE, ABOUT_FLOW },
	[HTTP_UNAUTHORIZED] = { "http.unauthorized", FIELD_COUNTER, GRAMMAR_NONE, "responses",
		"refusals: 401 and 403", PHI_NONE, ABOUT_FLOW },
	[HTTP_API] = { "http.api", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"clinical services spoken: fhir, dicomweb, orthanc, xds, hl7v3, sdc", PHI_NONE, ABOUT_SERVER },
	[HTTP_FHIR_INTERACTION] = { "http.fhir_interaction", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"what was asked of a FHIR server: read, search, create, everything, export, ...", PHI_NONE, ABOUT_FLOW },
	[HTTP_FHIR_RESOURCE] = { "http.fhir_resource", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"types of FHIR resources asked for, by a list of known ones", PHI_NONE, ABOUT_FLOW },
	[HTTP_DICOMWEB] = { "http.dicomweb", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"what was asked of a DICOMweb server: qido, wado-rs, wado-uri, stow, ups", PHI_NONE, ABOUT_FLOW },
	[HTTP_SOAP_ACTION] = { "http.soap_action", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"SOAP actions of IHE and IEEE 11073, by a list of known ones", PHI_NONE, ABOUT_FLOW },
	[HTTP_SDC_SETS] = { "http.sdc_sets", FIELD_COUNTER, GRAMMAR_NONE, "requests",
		"IEEE 11073 SDC requests that change a device's settings", PHI_NONE, ABOUT_FLOW },
	[HTTP_ANONYMOUS_OK] = { "http.anonymous_ok", FIELD_COUNTER, GRAMMAR_NONE, "responses",
		"clinical data given out though the request had no sign of who asks", PHI_NONE, ABOUT_FLOW },
	[HTTP_BULK_REQUESTS] = { "http.bulk_requests", FIELD_COUNTER, GRAMMAR_NONE, "requests",
		"FHIR requests for everything at once: $export, $everything, 1000 and more a page", PHI_NONE, ABOUT_FLOW },
	[HTTP_AUTH] = { "http.auth", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"how clients said who they are: none, basic, bearer, digest, negotiate, ntlm, other", PHI_NONE, ABOUT_FLOW },
	[HTTP_CLEAR_TEXT_PASSWORD] = { "http.clear_text_password", FIELD_FLAG, GRAMMAR_NONE, "",
		"a password was sent that anybody on the way can read (Basic)", PHI_NONE, ABOUT_FLOW },
	[HTTP_HOST] = { "http.host", FIELD_TEXTS, GRAMMAR_HOSTNAME, "",
		"host names asked for", PHI_SITE, ABOUT_FLOW },
	[HTTP_USER_AGENT] = { "http.user_agent", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"first word of the client's software, as curl/7.88.1", PHI_DEVICE, ABOUT_CLIENT },
	[HTTP_SERVER] = { "http.server", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"first word of the server's software, as nginx/1.22.1", PHI_DEVICE, ABOUT_SERVER },
	[HTTP_REQUEST_TYPE] = { "http.request_type", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"media types sent to the server, by a list of known ones; else other", PHI_NONE, ABOUT_FLOW },
	[HTTP_RESPONSE_TYPE] = { "http.response_type", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"media types sent by the server, the same words", PHI_NONE, ABOUT_FLOW },
	[HTTP_REQUEST_BYTES] = { "http.request_bytes", FIELD_COUNTER, GRAMMAR_NONE, "bytes",
		"bodies sent to the server, as announced or seen", PHI_NONE, ABOUT_FLOW },
	[HTTP_RESPONSE_BYTES] = { "http.response_bytes", FIELD_COUNTER, GRAMMAR_NONE, "bytes",
		"bodies sent by the server, as announced or seen", PHI_NONE, ABOUT_FLOW },
	[HTTP_UPGRADE] = { "http.upgrade", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"what the connection became: websocket, h2c, tunnel, tls, other", PHI_NONE, ABOUT_FLOW },
	[HTTP_SUBPROTOCOL] = { "http.subprotocol", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"WebSocket subprotocol of BACnet/SC, OPC UA or MQTT", PHI_NONE, ABOUT_FLOW },
	[HTTP_MALFORMED] = { "http.malformed", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"messages that break the format", PHI_NONE, ABOUT_FLOW },
	[HTTP_FIELD_COUNT] = { .name = NULL },
};
/* clang-format on */

static uint8_t lower(int byte)
{
	return (uint8_t)(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
}

bool http_same(const uint8_t *bytes, const char *word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (lower(bytes[i]) != lower((uint8_t)word[i]))
			return false;
	return true;
}

size_t http_find(struct cursor c, const char *word)
{
	size_t n = strlen(word), left = cursor_left(&c);
	uint8_t first = (uint8_t)word[0] | 0x20;

	if (!n)
		return 0;
	for (size_t i = 0; i + n <= left; i++)
		if ((c.at[i] | 0x20) == first && http_same(c.at + i, word, n))
			return i;
	return SIZE_MAX;
}

struct cursor http_until(struct cursor *c, char stop)
{
	size_t left = cursor_left(c);
	const uint8_t *found = left ? memchr(c->at, stop, left) : NULL;
	struct cursor part = cursor_sub(c, found ? (size_t)(found - c->at) : left);

	if (found)
		cursor_skip(c, 1);
	return part;
}

static enum probe_result http_probe(struct cursor bytes, enum transport transport,
				    uint16_t source_port, uint16_t dest_port, bool midstream)
{
	(void)transport, (void)source_port, (void)dest_port, (void)midstream;
	return http_probe_start(bytes);
}

enum step { STEP_ON, STEP_WAIT, STEP_OVER };

/* The next line without its end; false when it is not here yet. Of one that is too
 * long, the first part is given, and the rest passed over later. */
static bool take_line(struct http_call *call, struct cursor *line)
{
	struct cursor *c = &call->in->bytes;
	size_t left = cursor_left(c);
	const uint8_t *end = left ? memchr(c->at, '\n', left) : NULL;
	size_t n = end ? (size_t)(end - c->at) : left;

	if (!end && left < HTTP_LINE_MOST)
		return false;
	*line = cursor_sub(c, n);
	call->side->long_line = !end;
	if (end)
		cursor_skip(c, 1);
	if (n && line->at[n - 1] == '\r')
		*line = cursor_of(line->at, n - 1);
	return true;
}

static enum step end_long_line(struct http_call *call)
{
	size_t before = cursor_left(&call->in->bytes);
	struct cursor part = http_until(&call->in->bytes, '\n');

	call->side->long_line = cursor_left(&part) == before;
	return call->side->long_line ? STEP_WAIT : STEP_ON;
}

static enum step lose(struct http_call *call)
{
	attributes_add(call->out, &http_fields[HTTP_MALFORMED], 1);
	call->side->stage = STAGE_LOST;
	call->flow->bad++;
	return STEP_ON;
}

static enum step start(struct http_call *call)
{
	struct cursor line;

	if (!take_line(call, &line))
		return STEP_WAIT;
	if (!cursor_left(&line)) /* an empty line before a message: RFC 9112 section 2.2 */
		return STEP_ON;
	if (!http_take_start(call, line))
		return lose(call);
	call->flow->known = true;
	call->flow->bad = 0;
	call->side->stage = STAGE_HEADERS;
	return STEP_ON;
}

static enum step headers(struct http_call *call)
{
	struct cursor line;

	if (!take_line(call, &line))
		return STEP_WAIT;
	if (cursor_left(&line))
		http_take_header(call, line);
	else
		http_end_head(call);
	return call->side->upgraded ? STEP_OVER : STEP_ON;
}

static void count_body(struct http_call *call, uint64_t n)
{
	attributes_add(call->out,
		       &http_fields[call->side->answer ? HTTP_RESPONSE_BYTES : HTTP_REQUEST_BYTES],
		       n);
}

/* Passes over what is here of a body or chunk, and announces the rest, unless a SOAP
 * action may still be in it. */
static enum step body(struct http_call *call)
{
	struct http_side *side = call->side;
	uint64_t here = cursor_left(&call->in->bytes);
	uint64_t n = here < side->left ? here : side->left;

	if (!side->answer && call->flow->soap)
		http_look_for_action(call, cursor_of(call->in->bytes.at, (size_t)n));
	cursor_skip(&call->in->bytes, (size_t)n);
	count_body(call, n);
	side->left -= n;
	if (!side->answer && call->flow->soap && side->left)
		return STEP_WAIT;
	count_body(call, side->left);
	call->in->skip = side->left;
	side->left = 0;
	side->stage = side->chunked ? STAGE_CHUNK_END : STAGE_START;
	return call->in->skip ? STEP_WAIT : STEP_ON;
}

static enum step chunk_size(struct http_call *call)
{
	struct http_side *side = call->side;
	struct cursor line;
	uint64_t size = 0;
	unsigned digits = 0;

	if (!take_line(call, &line))
		return STEP_WAIT;
	for (int b; (b = cursor_peek(&line, 0)) >= 0; digits++, cursor_skip(&line, 1)) {
		int l = lower(b);
		if (!((l >= '0' && l <= '9') || (l >= 'a' && l <= 'f')))
			break;
		size = size << 4 | (unsigned)(l <= '9' ? l - '0' : l - 'a' + 10);
	}
	if (!digits || digits > 10)
		return lose(call);
	side->left = size;
	side->stage = size ? STAGE_BODY : STAGE_TRAILERS;
	return STEP_ON;
}

static enum step chunk_end(struct http_call *call)
{
	struct cursor line;

	if (!take_line(call, &line))
		return STEP_WAIT;
	if (cursor_left(&line))
		return lose(call);
	call->side->stage = STAGE_CHUNK_SIZE;
	return STEP_ON;
}

static enum step trailers(struct http_call *call)
{
	struct cursor line;

	if (!take_line(call, &line))
		return STEP_WAIT;
	if (!cursor_left(&line))
		call->side->stage = STAGE_START;
	return STEP_ON;
}

static enum step to_the_end(struct http_call *call)
{
	size_t here = cursor_left(&call->in->bytes);

	count_body(call, here);
	cursor_skip(&call->in->bytes, here);
	return STEP_WAIT;
}

/* A message that begins a segment: all others are passed over. */
static enum step hunt(struct http_call *call)
{
	enum probe_result r = http_probe_start(call->in->bytes);

	if (r == PROBE_YES) {
		call->side->stage = STAGE_START;
		return STEP_ON;
	}
	if (r == PROBE_NO)
		cursor_skip(&call->in->bytes, cursor_left(&call->in->bytes));
	return STEP_WAIT;
}

static enum step advance(struct http_call *call)
{
	if (call->side->long_line)
		return end_long_line(call);
	switch (call->side->stage) {
	case STAGE_START:
		return start(call);
	case STAGE_HEADERS:
		return headers(call);
	case STAGE_BODY:
		return body(call);
	case STAGE_CHUNK_SIZE:
		return chunk_size(call);
	case STAGE_CHUNK_END:
		return chunk_end(call);
	case STAGE_TRAILERS:
		return trailers(call);
	case STAGE_TO_THE_END:
		return to_the_end(call);
	case STAGE_LOST:
		return hunt(call);
	}
	return STEP_WAIT;
}

/* What was under way is lost with the bytes; so is which answer is whose. */
static void resume(struct http_call *call)
{
	if (!call->side->answer)
		call->flow->soap = false;
	*call->side = (struct http_side){ .stage = STAGE_LOST, .answer = call->side->answer };
	call->flow->count = 0;
}

static enum dissect_result http_dissect(void *state, struct dissect_input *in,
					struct attributes *out)
{
	struct http *flow = state;
	struct http_call call = {
		.flow = flow, .side = &flow->sides[in->direction & 1], .in = in, .out = out
	};
	enum step step = STEP_ON;

	if (in->gap)
		resume(&call);
	while (step == STEP_ON && cursor_left(&in->bytes))
		step = advance(&call);
	if (step == STEP_OVER)
		return DISSECT_DONE;
	if (flow->bad <= HTTP_BAD_MOST) /* the other side may be joined in the middle of a body */
		return DISSECT_MORE;
	return flow->known ? DISSECT_MALFORMED : DISSECT_NOT_MINE;
}

const struct dissector dissector_http = {
	.name = "http",
	.summary = "HTTP/1, with FHIR, DICOMweb and SOAP services told apart",
	.transports = TRANSPORT_TCP,
	.ports = (const uint16_t[]){ 80, 8080, 8042, 8000, 8008, 0 },
	.fields = http_fields,
	.first = (const struct byte_range[]){ { 'A', 'Z' }, BYTE_RANGES_END },
	.state_size = sizeof(struct http),
	.probe = http_probe,
	.dissect = http_dissect,
};
