/* SPDX-License-Identifier: Apache-2.0
 *
 * Modbus on TCP/IP (implementation guide V1.0b, application protocol V1.1b3): who reads
 * and who writes which ranges of which units, what is refused, and which device answers.
 * Values never leave. Its header is weak (an association request of DICOM is a valid one),
 * so that off port 502 a flow is claimed only when a response has answered a request. */
#include "dissectors/modbus_internal.h"

#include <stdio.h>

#define COUNTER(noun, unit, meaning) \
	{ \
		"modbus." noun, FIELD_COUNTER, GRAMMAR_NONE, unit, meaning, PHI_NONE, ABOUT_FLOW \
	}
#define NUMBER(noun, meaning) \
	{ \
		"modbus." noun, FIELD_NUMBER, GRAMMAR_NONE, "", meaning, PHI_NONE, ABOUT_FLOW \
	}
#define WORDS(noun, meaning) \
	{ \
		"modbus." noun, FIELD_TEXTS, GRAMMAR_TOKEN, "", meaning, PHI_NONE, ABOUT_FLOW \
	}
#define DEVICE(noun, meaning) \
	{ \
		"modbus." noun, FIELD_TEXT, GRAMMAR_PRODUCT, "", meaning, PHI_DEVICE, ABOUT_SERVER \
	}

static const struct field fields[MODBUS_FIELD_COUNT + 1] = {
	/* clang-format off */
	[F_REQUESTS] = COUNTER("requests", "requests", "requests of all functions"),
	[F_RESPONSES] = COUNTER("responses", "responses", "responses, exceptions among them"),
	[F_READS] = COUNTER("reads", "requests", "requests that read coils, registers, files or queues"),
	[F_WRITES] = COUNTER("writes", "requests", "requests that write coils, registers or files"),
	[F_CONTROL] = COUNTER("control", "requests", "requests that a device restarts its communication or falls silent"),
	[F_READ_COILS] = COUNTER("read_coils", "requests", "function 1"),
	[F_READ_INPUTS] = COUNTER("read_discrete_inputs", "requests", "function 2"),
	[F_READ_HOLDING] = COUNTER("read_holding_registers", "requests", "function 3"),
	[F_READ_INPUT_REGISTERS] = COUNTER("read_input_registers", "requests", "function 4"),
	[F_WRITE_COIL] = COUNTER("write_single_coil", "requests", "function 5"),
	[F_WRITE_REGISTER] = COUNTER("write_single_register", "requests", "function 6"),
	[F_WRITE_COILS] = COUNTER("write_multiple_coils", "requests", "function 15"),
	[F_WRITE_REGISTERS] = COUNTER("write_multiple_registers", "requests", "function 16"),
	[F_MASK_WRITE] = COUNTER("mask_write_register", "requests", "function 22"),
	[F_READ_WRITE] = COUNTER("read_write_registers", "requests", "function 23: a read and a write"),
	[F_FILE_READS] = COUNTER("file_reads", "requests", "function 20"),
	[F_FILE_WRITES] = COUNTER("file_writes", "requests", "function 21"),
	[F_FIFO_READS] = COUNTER("fifo_reads", "requests", "function 24"),
	[F_DIAGNOSTICS] = COUNTER("diagnostics", "requests", "function 8"),
	[F_DIAGNOSTIC] = WORDS("diagnostic", "what function 8 asked for: force-listen-only, restart-communications, ..."),
	[F_STATUS] = COUNTER("status_reads", "requests", "functions 7, 11 and 12: status and event counters"),
	[F_SERVER_ID] = COUNTER("report_server_id", "requests", "function 17"),
	[F_DEVICE_ID] = COUNTER("device_identification", "requests", "function 43"),
	[F_UMAS] = COUNTER("umas", "requests", "function 90: Schneider Electric's programming of controllers"),
	[F_OTHER] = COUNTER("other_functions", "requests", "functions that the standard does not define"),
	[F_UNIT_ZERO_WRITES] = COUNTER("unit_zero_writes", "requests", "of the writes, to unit 0: all units behind a serial gateway"),
	[F_EXCEPTIONS] = COUNTER("exceptions", "responses", "responses that say no"),
	[F_EXCEPTION] = WORDS("exception", "why, as illegal-address or code-14"),
	[F_UNIT] = WORDS("unit", "numbers of the units asked"),
	[F_UNITS] = NUMBER("units", "how many different units were asked"),
	[F_ADDRESS_LEAST] = NUMBER("address_min", "lowest coil or register address read or written"),
	[F_ADDRESS_MOST] = NUMBER("address_max", "highest of them"),
	[F_WRITTEN_LEAST] = NUMBER("written_min", "lowest coil or register address written"),
	[F_WRITTEN_MOST] = NUMBER("written_max", "highest of them"),
	[F_UNPAIRED] = COUNTER("unpaired", "responses", "responses to no request that was seen"),
	[F_MALFORMED] = COUNTER("malformed", "frames", "frames that break the format"),
	[F_VENDOR] = DEVICE("vendor", "maker, of the device identification"),
	[F_PRODUCT] = DEVICE("product", "product code or name, of the device identification"),
	[F_REVISION] = DEVICE("revision", "revision, of the device identification"),
	/* clang-format on */
	[MODBUS_FIELD_COUNT] = { .name = NULL },
};

enum {
	PORT = 502,
	HEADER = 6, /* what the length does not count */
	LENGTH_LEAST = 2,
	LENGTH_MOST = 254,
	BROKEN_MOST = 4, /* in a row */
	WAITING = 16,    /* requests under way that are remembered */
};

struct request {
	bool waiting;
	uint8_t unit, function;
	uint16_t transaction;
};

struct modbus {
	bool lost[2]; /* TCP: where a frame begins is unknown */
	bool oriented, paired, known;
	uint8_t client; /* direction, when oriented */
	uint8_t broken; /* frames in a row */
	uint8_t next;   /* of waiting[] to be overwritten */
	struct request waiting[WAITING];
	uint8_t units[32]; /* a bit each */
	uint16_t unit_count;
	struct modbus_range touched, written;
};

struct call {
	struct modbus *flow;
	struct dissect_input *in;
	struct attributes *out;
};

enum reading { READ_OK, READ_SHORT, READ_BAD };

/* 3.1.3: transaction, protocol 0, length of the rest, unit, function, data. A header that
 * is not all here is bad already when what there is of it is. */
static enum reading read_frame(struct cursor *at, struct modbus_frame *f)
{
	struct cursor c = *at;

	if (cursor_peek(&c, 2) > 0 || cursor_peek(&c, 3) > 0 || cursor_peek(&c, 4) > 0)
		return READ_BAD;
	f->transaction = cursor_be16(&c);
	cursor_skip(&c, 2);
	uint16_t length = cursor_be16(&c);
	if (c.failed)
		return READ_SHORT;
	if (length < LENGTH_LEAST || length > LENGTH_MOST)
		return READ_BAD;
	struct cursor body = cursor_sub(&c, length);
	if (c.failed)
		return READ_SHORT;
	f->unit = cursor_u8(&body);
	f->function = cursor_u8(&body);
	f->data = body;
	*at = c;
	return READ_OK;
}

static bool on_port(uint16_t source_port, uint16_t dest_port)
{
	return source_port == PORT || dest_port == PORT;
}

/* Where the forms of request and response are the same, the ports are all there is. */
static bool is_request(const struct modbus_frame *f, uint16_t source_port, uint16_t dest_port)
{
	bool request = modbus_is_request(f), response = modbus_is_response(f);

	if (request != response)
		return request;
	return dest_port == PORT || (source_port != PORT && source_port > dest_port);
}

/* Off the port each frame must be of its function's form, to the end of the segment; then
 * requests wait for their response, which dissect() compares with them. */
static enum probe_result probe_strictly(struct cursor c, uint16_t source_port, uint16_t dest_port)
{
	struct modbus_frame f;
	bool asked = true, whole = cursor_left(&c) < DISSECT_PROBE_MOST;

	while (cursor_left(&c)) {
		enum reading r = read_frame(&c, &f);
		if (r == READ_BAD)
			return PROBE_NO;
		if (r == READ_SHORT) {
			if (whole)
				return PROBE_MORE;
			break;
		}
		if (!modbus_is_request(&f) && !modbus_is_response(&f))
			return PROBE_NO;
		asked = is_request(&f, source_port, dest_port);
	}
	return asked ? PROBE_MORE : PROBE_YES;
}

static enum probe_result modbus_probe(struct cursor bytes, enum transport transport,
				      uint16_t source_port, uint16_t dest_port, bool midstream)
{
	struct modbus_frame f;

	(void)midstream; /* a segment that starts with a frame starts with one anywhere */
	if (!on_port(source_port, dest_port))
		return transport == TRANSPORT_TCP ? probe_strictly(bytes, source_port, dest_port)
						  : PROBE_NO;
	enum reading r = read_frame(&bytes, &f);
	if (r == READ_SHORT)
		return transport == TRANSPORT_TCP ? PROBE_MORE : PROBE_NO;
	if (r == READ_BAD || (transport == TRANSPORT_UDP && cursor_left(&bytes)))
		return PROBE_NO;
	/* Another frame behind it begins like one. */
	return read_frame(&bytes, &f) == READ_BAD ? PROBE_NO : PROBE_YES;
}

static void count(const struct call *call, enum modbus_field field)
{
	attributes_add(call->out, &fields[field], 1);
}

static void note_word(const struct call *call, enum modbus_field field, const char *word,
		      unsigned number)
{
	char text[16];

	if (!word) {
		snprintf(text, sizeof(text), "code-%u", number);
		word = text;
	}
	attributes_text(call->out, &fields[field], word, strlen(word));
}

static void note_unit(const struct call *call, uint8_t unit)
{
	uint8_t *bits = &call->flow->units[unit / 8];
	uint8_t bit = (uint8_t)(1U << unit % 8);
	char text[4];

	if (!(*bits & bit)) {
		*bits |= bit;
		attributes_number(call->out, &fields[F_UNITS], ++call->flow->unit_count);
	}
	int n = snprintf(text, sizeof(text), "%u", unit);
	attributes_text(call->out, &fields[F_UNIT], text, (size_t)n);
}

static void widen(const struct call *call, struct modbus_range *all,
		  const struct modbus_range *range, enum modbus_field least, enum modbus_field most)
{
	if (!range->used)
		return;
	if (!all->used || range->first < all->first)
		all->first = range->first;
	if (!all->used || range->last > all->last)
		all->last = range->last;
	all->used = true;
	attributes_number(call->out, &fields[least], all->first);
	attributes_number(call->out, &fields[most], all->last);
}

static void note_addresses(const struct call *call, const struct modbus_frame *f)
{
	struct modbus *s = call->flow;
	struct modbus_range read, written;

	modbus_ranges(f, &read, &written);
	widen(call, &s->touched, &read, F_ADDRESS_LEAST, F_ADDRESS_MOST);
	widen(call, &s->touched, &written, F_ADDRESS_LEAST, F_ADDRESS_MOST);
	widen(call, &s->written, &written, F_WRITTEN_LEAST, F_WRITTEN_MOST);
}

static void await(struct modbus *s, const struct modbus_frame *f)
{
	s->waiting[s->next] = (struct request){ true, f->unit, f->function, f->transaction };
	s->next = (uint8_t)((s->next + 1) % WAITING);
}

static bool answers(struct modbus *s, const struct modbus_frame *f)
{
	uint8_t function = f->function & (uint8_t)~MODBUS_EXCEPTION;

	for (size_t i = 0; i < WAITING; i++) {
		struct request *r = &s->waiting[i];
		if (!r->waiting || r->transaction != f->transaction || r->unit != f->unit ||
		    r->function != function)
			continue;
		r->waiting = false;
		return true;
	}
	return false;
}

static void request(const struct call *call, const struct modbus_frame *f)
{
	const struct modbus_function *known = modbus_function(f->function);

	await(call->flow, f);
	count(call, F_REQUESTS);
	count(call, known ? known->field : F_OTHER);
	note_unit(call, f->unit);
	if (!known)
		return;
	if (known->read)
		count(call, F_READS);
	if (known->write) {
		count(call, F_WRITES);
		if (f->unit == 0)
			count(call, F_UNIT_ZERO_WRITES);
	}
	note_addresses(call, f);
	if (f->function == MODBUS_DIAGNOSTICS) {
		struct cursor c = f->data;
		uint16_t function = cursor_be16(&c);
		note_word(call, F_DIAGNOSTIC, modbus_diagnostic(function), function);
		if (function == MODBUS_RESTART || function == MODBUS_LISTEN_ONLY)
			count(call, F_CONTROL);
	}
}

/* 6.21: type 14, code, conformity, more follows, next object, count; then id, length and
 * text of each object. */
static void note_device(const struct call *call, struct cursor c)
{
	enum { TYPE_DEVICE = 14, VENDOR = 0, CODE = 1, REVISION = 2, PRODUCT = 4, MODEL = 5 };

	if (cursor_u8(&c) != TYPE_DEVICE)
		return;
	cursor_skip(&c, 4);
	for (unsigned left = cursor_u8(&c); left; left--) {
		uint8_t id = cursor_u8(&c);
		size_t n = cursor_u8(&c);
		const uint8_t *text = cursor_take(&c, n);
		if (c.failed)
			return;
		while (n && (text[n - 1] == 0 || text[n - 1] == ' ')) /* padding */
			n--;
		if (id == VENDOR)
			attributes_text(call->out, &fields[F_VENDOR], text, n);
		else if (id == CODE || id == PRODUCT || id == MODEL)
			attributes_text(call->out, &fields[F_PRODUCT], text, n);
		else if (id == REVISION)
			attributes_text(call->out, &fields[F_REVISION], text, n);
	}
}

static void response(const struct call *call, const struct modbus_frame *f, bool paired)
{
	count(call, F_RESPONSES);
	if (!paired)
		count(call, F_UNPAIRED);
	if (f->function & MODBUS_EXCEPTION) {
		int code = cursor_peek(&f->data, 0);
		count(call, F_EXCEPTIONS);
		if (code >= 0)
			note_word(call, F_EXCEPTION, modbus_exception((uint8_t)code),
				  (unsigned)code);
	} else if (f->function == MODBUS_DEVICE_ID) {
		note_device(call, f->data);
	}
}

static void orient(const struct call *call, const struct modbus_frame *f)
{
	const struct dissect_input *in = call->in;
	bool asks = is_request(f, in->source_port, in->dest_port);

	if (in->dest_port == PORT || in->source_port == PORT)
		asks = in->dest_port == PORT;
	call->flow->client = asks ? in->direction : !in->direction;
	call->flow->oriented = true;
}

/* False: off its port, and no answer to what was asked. */
static bool take_frame(const struct call *call, const struct modbus_frame *f)
{
	struct modbus *s = call->flow;
	struct dissect_input *in = call->in;
	bool ours = on_port(in->source_port, in->dest_port);

	if (!s->oriented)
		orient(call, f);
	if (in->direction == s->client) {
		request(call, f);
	} else {
		bool paired = answers(s, f);
		if (!paired && !s->paired && !ours)
			return false;
		response(call, f, paired);
		s->paired |= paired;
		if (paired)
			in->role = ROLE_SENDER_IS_SERVER;
	}
	if (s->paired)
		in->confidence = ours ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
	else
		in->confidence = ours ? CONFIDENCE_MEDIUM : CONFIDENCE_LOW;
	s->known = true;
	s->broken = 0;
	return true;
}

/* Segments nearly always begin with a frame: the place to find one again. */
static bool is_found(const struct dissect_input *in)
{
	struct cursor c = in->bytes;
	struct modbus_frame f;

	return read_frame(&c, &f) == READ_OK && (modbus_is_request(&f) || modbus_is_response(&f));
}

static enum dissect_result lose(struct modbus *s, struct dissect_input *in)
{
	s->lost[in->direction & 1] = true;
	cursor_skip(&in->bytes, cursor_left(&in->bytes));
	return DISSECT_MORE;
}

static enum dissect_result dissect_tcp(const struct call *call)
{
	struct modbus *s = call->flow;
	struct dissect_input *in = call->in;
	bool *lost = &s->lost[in->direction & 1];
	struct modbus_frame f;

	*lost |= in->gap;
	if (*lost && cursor_left(&in->bytes)) {
		if (!is_found(in))
			return lose(s, in);
		*lost = false;
	}
	while (cursor_left(&in->bytes)) {
		enum reading r = read_frame(&in->bytes, &f);
		if (r == READ_SHORT)
			return DISSECT_MORE;
		if (r == READ_BAD) {
			if (!s->known)
				return DISSECT_NOT_MINE;
			count(call, F_MALFORMED);
			return ++s->broken == BROKEN_MOST ? DISSECT_MALFORMED : lose(s, in);
		}
		if (!take_frame(call, &f))
			return DISSECT_NOT_MINE;
	}
	return DISSECT_MORE;
}

static enum dissect_result dissect_udp(const struct call *call)
{
	struct modbus *s = call->flow;
	struct cursor whole = cursor_sub(&call->in->bytes, cursor_left(&call->in->bytes));
	struct modbus_frame f;

	if (read_frame(&whole, &f) == READ_OK && cursor_left(&whole) == 0 && take_frame(call, &f))
		return DISSECT_MORE;
	if (!s->known)
		return DISSECT_NOT_MINE;
	count(call, F_MALFORMED);
	return DISSECT_MORE;
}

static enum dissect_result modbus_dissect(void *state, struct dissect_input *in,
					  struct attributes *out)
{
	struct call call = { .flow = state, .in = in, .out = out };

	return in->transport == TRANSPORT_UDP ? dissect_udp(&call) : dissect_tcp(&call);
}

const struct dissector dissector_modbus = {
	.name = "modbus",
	.summary = "Modbus on TCP and UDP: reads, writes, units, exceptions, device identity",
	.transports = TRANSPORT_TCP | TRANSPORT_UDP,
	.ports = (const uint16_t[]){ PORT, 0 },
	.fields = fields,
	.state_size = sizeof(struct modbus),
	.probe = modbus_probe,
	.dissect = modbus_dissect,
};
