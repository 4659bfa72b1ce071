/* SPDX-License-Identifier: Apache-2.0
 *
 * Personal health devices: ISO/IEEE 11073-20601 (exchange protocol) over TCP, any
 * port, as gateways carry it; after public implementations. Association requests
 * and answers, and what is exchanged, are counted; of a device its kind and the maker's
 * part of its system id are told. Measurements are passed over. What the numbers of
 * standard configurations mean is from memory. */
#include "dissectors/dissector.h"

enum field_number {
	F_REQUESTS,
	F_ANSWERS,
	F_RELEASES,
	F_ABORTS,
	F_DATA,
	F_REPORTS,
	F_GETS,
	F_SETS,
	F_ACTIONS,
	F_BYTES,
	F_DEVICE,
	F_MAKER,
	F_COUNT,
};

/* clang-format off */
#define COUNTER FIELD_COUNTER, GRAMMAR_NONE

static const struct field fields[F_COUNT + 1] = {
	[F_REQUESTS] = { "ieee11073.association_requests", COUNTER, "messages", "associations asked for", PHI_NONE, ABOUT_FLOW },
	[F_ANSWERS] = { "ieee11073.association_answers", COUNTER, "messages", "answers to them", PHI_NONE, ABOUT_FLOW },
	[F_RELEASES] = { "ieee11073.releases", COUNTER, "messages", "requests to end an association", PHI_NONE, ABOUT_FLOW },
	[F_ABORTS] = { "ieee11073.aborts", COUNTER, "messages", "associations aborted", PHI_NONE, ABOUT_FLOW },
	[F_DATA] = { "ieee11073.messages", COUNTER, "messages", "messages within associations", PHI_NONE, ABOUT_FLOW },
	[F_REPORTS] = { "ieee11073.reports", COUNTER, "messages", "event reports: configurations, measurements", PHI_NONE, ABOUT_FLOW },
	[F_GETS] = { "ieee11073.gets", COUNTER, "messages", "commands that read attributes", PHI_NONE, ABOUT_FLOW },
	[F_SETS] = { "ieee11073.sets", COUNTER, "messages", "commands that set attributes", PHI_NONE, ABOUT_FLOW },
	[F_ACTIONS] = { "ieee11073.actions", COUNTER, "messages", "actions", PHI_NONE, ABOUT_FLOW },
	[F_BYTES] = { "ieee11073.message_bytes", COUNTER, "bytes", "bytes of messages, without their heads", PHI_NONE, ABOUT_FLOW },
	[F_DEVICE] = { "ieee11073.device", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"kind of the device, where its configuration is a standard one", PHI_DEVICE, ABOUT_CLIENT },
	[F_MAKER] = { "ieee11073.oui", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"first three bytes of the device's system id: its maker's (IEEE)", PHI_DEVICE, ABOUT_CLIENT },
	[F_COUNT] = { .name = NULL },
};
/* clang-format on */

enum {
	APDU_REQUEST = 0xe200,
	APDU_ANSWER = 0xe300,
	APDU_RELEASE = 0xe400,
	APDU_RELEASED = 0xe500,
	APDU_ABORT = 0xe600,
	APDU_DATA = 0xe700,
};

enum { HEAD = 4, PROTOCOL = 0x5079, SYSTEM_ID = 8, REQUEST_LEAST = 42, LOOK_MOST = 64 };

struct ieee11073 {
	bool lost[2]; /* after a gap: the next head must be believable */
};

struct call {
	struct ieee11073 *flow;
	struct dissect_input *in;
	struct attributes *out;
};

static bool may_start(const struct cursor *c, size_t offset, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int byte = cursor_peek(c, offset + i);
		if (byte >= 0 && byte != (uint8_t)bytes[i])
			return false;
	}
	return true;
}

/*  0 e200  2 length16, of all behind  4 version: 8000 0000  8 count16: 1
 * 10 length16, of all behind  12 5079  14 length16, of all behind */
static enum probe_result ieee11073_probe(struct cursor bytes, enum transport transport,
					 uint16_t source_port, uint16_t dest_port, bool midstream)
{
	struct cursor c = bytes;

	(void)source_port;
	(void)dest_port;
	(void)midstream;
	if (transport != TRANSPORT_TCP || !may_start(&c, 0, "\xe2\0", 2) ||
	    !may_start(&c, 4, "\x80\0\0\0\0\1", 6) || !may_start(&c, 12, "\x50\x79", 2))
		return PROBE_NO;
	cursor_skip(&c, 2);
	uint16_t all = cursor_be16(&c);
	cursor_skip(&c, 6);
	uint16_t list = cursor_be16(&c);
	cursor_skip(&c, 2);
	uint16_t inner = cursor_be16(&c);
	if (c.failed)
		return PROBE_MORE;
	return all >= REQUEST_LEAST && list == all - 8 && inner == list - 4 ? PROBE_YES : PROBE_NO;
}

static void count(struct call *call, enum field_number field)
{
	attributes_add(call->out, &fields[field], 1);
}

static void note(struct call *call, enum field_number field, const char *text)
{
	attributes_text(call->out, &fields[field], text, strlen(text));
	dissect_says(call->in, &fields[field], FACT_SENDER, text, strlen(text));
}

/* A standard configuration is numbered after the part of 11073-104xx that it is of. */
static const char *device_of(uint16_t configuration)
{
	static const struct {
		uint8_t part;
		const char *word;
	} rows[] = { { 4, "pulse-oximeter" },     { 6, "electrocardiograph" },
		     { 7, "blood-pressure" },     { 8, "thermometer" },
		     { 15, "weighing-scale" },    { 17, "glucose-meter" },
		     { 19, "insulin-pump" },      { 20, "body-composition" },
		     { 21, "peak-flow" },         { 41, "fitness" },
		     { 42, "strength" },          { 71, "activity-hub" },
		     { 72, "medication-monitor" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (configuration / 100 == rows[i].part && configuration < 0x4000)
			return rows[i].word;
	return NULL;
}

/* Behind the head: version32, count16, length16, protocol16, length16, version32,
 * encoding16, nomenclature32, units32, type32, | length16 | system id |, configuration16 */
static void request(struct call *call, struct cursor c)
{
	char oui[7];

	cursor_skip(&c, 12 + 18);
	uint16_t length = cursor_be16(&c);
	const uint8_t *id = cursor_take(&c, SYSTEM_ID);
	uint16_t configuration = cursor_be16(&c);
	if (c.failed || length != SYSTEM_ID)
		return;
	for (int i = 0; i < 6; i++)
		oui[i] = "0123456789abcdef"[id[i / 2] >> (i % 2 ? 0 : 4) & 15];
	oui[6] = '\0';
	note(call, F_MAKER, oui);
	const char *device = device_of(configuration);
	if (device)
		note(call, F_DEVICE, device);
}

/* | length16 | invoke16 | choice16 | : 01nn commands, 02nn results */
static void data(struct call *call, struct cursor c)
{
	cursor_skip(&c, 4);
	uint16_t choice = cursor_be16(&c);

	count(call, F_DATA);
	switch (choice) {
	case 0x0100:
	case 0x0101:
		count(call, F_REPORTS);
		break;
	case 0x0103:
		count(call, F_GETS);
		break;
	case 0x0104:
	case 0x0105:
		count(call, F_SETS);
		break;
	case 0x0106:
	case 0x0107:
		count(call, F_ACTIONS);
		break;
	default:
		break;
	}
}

static void apdu(struct call *call, uint16_t type, struct cursor body)
{
	switch (type) {
	case APDU_REQUEST:
		count(call, F_REQUESTS);
		call->in->role = ROLE_SENDER_IS_CLIENT;
		request(call, body);
		break;
	case APDU_ANSWER:
		count(call, F_ANSWERS);
		call->in->role = ROLE_SENDER_IS_SERVER;
		break;
	case APDU_RELEASE:
		count(call, F_RELEASES);
		break;
	case APDU_ABORT:
		count(call, F_ABORTS);
		break;
	case APDU_DATA:
		data(call, body);
		break;
	default:
		break;
	}
}

static bool is_known(uint16_t type)
{
	return type >= APDU_REQUEST && type <= APDU_DATA && !(type & 0xff);
}

static enum dissect_result ieee11073_dissect(void *state, struct dissect_input *in,
					     struct attributes *out)
{
	struct ieee11073 *flow = state;
	struct call call = { .flow = flow, .in = in, .out = out };
	bool *lost = &flow->lost[in->direction & 1];

	*lost |= in->gap;
	in->confidence = CONFIDENCE_MEDIUM;
	while (cursor_left(&in->bytes) >= HEAD) {
		struct cursor c = in->bytes;
		uint16_t type = cursor_be16(&c);
		uint16_t length = cursor_be16(&c);
		size_t look = length < LOOK_MOST ? length : LOOK_MOST;
		if (!is_known(type)) {
			if (!*lost)
				return DISSECT_MALFORMED;
			cursor_skip(&in->bytes, cursor_left(&in->bytes));
			break;
		}
		if (cursor_left(&c) < look)
			break;
		*lost = false;
		struct cursor body = c;
		attributes_add(out, &fields[F_BYTES], length);
		apdu(&call, type, cursor_sub(&body, look));
		in->bytes = c;
		dissect_pass_over(in, length);
	}
	return DISSECT_MORE;
}

const struct dissector dissector_ieee11073 = {
	.name = "ieee11073",
	.summary = "personal health devices: ISO/IEEE 11073-20601 over TCP",
	.transports = TRANSPORT_TCP,
	.ports = (const uint16_t[]){ 6464, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { 0xe2, 0xe2 }, BYTE_RANGES_END },
	.state_size = sizeof(struct ieee11073),
	.probe = ieee11073_probe,
	.dissect = ieee11073_dissect,
};
