/* SPDX-License-Identifier: Apache-2.0
 *
 * POCT1-A (CLSI POCT1-A2, the device messaging layer): point-of-care analysers and their
 * data manager. XML documents back to back on TCP, any port, with no length in front: a
 * document ends where its root element ends. Its root is the kind of message (HEL.R01),
 * values stand in attributes (`<DEV.vendor_id V="..."/>`). Read from open clients and
 * servers, not from the standard's text. What is between is only searched for its end;
 * patients, observations and operators are in there. */
#include "dissectors/dissector.h"
#include "dissectors/xml.h"

enum field_number {
	HELLOS,
	STATUSES,
	OBSERVATIONS,
	EVENTS,
	REQUESTS,
	ACKS,
	TOPIC_ENDS,
	TERMINATIONS,
	KEEP_ALIVES,
	ESCAPES,
	DIRECTIVES,
	OPERATOR_LISTS,
	PATIENT_LISTS,
	ACK_AA,
	ACK_AE,
	ACK_AR,
	VENDOR,
	MODEL,
	VERSION,
	SERIAL,
	MALFORMED,
	FIELD_COUNT,
};

static const struct field fields[] = {
	/* clang-format off */
	[HELLOS] = { "poct1a.hellos", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"HEL: a device says who it is", PHI_NONE, ABOUT_FLOW },
	[STATUSES] = { "poct1a.statuses", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"DST: a device says how it is", PHI_NONE, ABOUT_FLOW },
	[OBSERVATIONS] = { "poct1a.observations", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"OBS: messages with results of tests", PHI_NONE, ABOUT_FLOW },
	[EVENTS] = { "poct1a.events", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"EVS: events of a device", PHI_NONE, ABOUT_FLOW },
	[REQUESTS] = { "poct1a.requests", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"REQ: the manager asks for results or events", PHI_NONE, ABOUT_FLOW },
	[ACKS] = { "poct1a.acks", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"acknowledgements", PHI_NONE, ABOUT_FLOW },
	[TOPIC_ENDS] = { "poct1a.topic_ends", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"EOT: end of a topic", PHI_NONE, ABOUT_FLOW },
	[TERMINATIONS] = { "poct1a.terminations", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"END: end of a conversation", PHI_NONE, ABOUT_FLOW },
	[KEEP_ALIVES] = { "poct1a.keep_alives", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"KPA: nothing but a sign of life", PHI_NONE, ABOUT_FLOW },
	[ESCAPES] = { "poct1a.escapes", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"ESC: a topic was broken off", PHI_NONE, ABOUT_FLOW },
	[DIRECTIVES] = { "poct1a.directives", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"DTV: the manager tells a device what to do", PHI_NONE, ABOUT_FLOW },
	[OPERATOR_LISTS] = { "poct1a.operator_lists", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"OPL: lists of operators, sent to a device", PHI_NONE, ABOUT_FLOW },
	[PATIENT_LISTS] = { "poct1a.patient_lists", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"PTL: lists of patients, sent to a device", PHI_NONE, ABOUT_FLOW },
	[ACK_AA] = { "poct1a.ack_aa", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"application accept", PHI_NONE, ABOUT_FLOW },
	[ACK_AE] = { "poct1a.ack_ae", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"application error", PHI_NONE, ABOUT_FLOW },
	[ACK_AR] = { "poct1a.ack_ar", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"application reject", PHI_NONE, ABOUT_FLOW },
	[VENDOR] = { "poct1a.vendor", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		"DEV.vendor_id: who made the device", PHI_DEVICE, ABOUT_FLOW },
	[MODEL] = { "poct1a.model", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		"DEV.model_id: the device's model", PHI_DEVICE, ABOUT_FLOW },
	[VERSION] = { "poct1a.software_version", FIELD_TEXT, GRAMMAR_VERSION, "",
		"DEV.sw_version: its software", PHI_DEVICE, ABOUT_FLOW },
	[SERIAL] = { "poct1a.serial", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"DEV.serial_id: its serial number; a fact about the host, not part of a flow",
		PHI_DEVICE, ABOUT_FLOW },
	[MALFORMED] = { "poct1a.malformed", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"documents that are broken, of no known kind, or that do not end", PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	[FIELD_COUNT] = { .name = NULL },
};

enum {
	KIND_LENGTH = 7, /* HEL.R01 */
	LEADING_MOST = 256,
	MESSAGE_MOST = 4 << 20,
};

/* Who sends it says who is the device; DTV, REQ and the lists come from the manager. */
enum sender { EITHER, DEVICE, MANAGER };

static const struct kind {
	char name[4];
	uint8_t field;
	uint8_t sender;
} kinds[] = {
	{ "HEL", HELLOS, DEVICE },         { "DST", STATUSES, DEVICE },
	{ "OBS", OBSERVATIONS, DEVICE },   { "EVS", EVENTS, DEVICE },
	{ "REQ", REQUESTS, MANAGER },      { "ACK", ACKS, EITHER },
	{ "EOT", TOPIC_ENDS, EITHER },     { "END", TERMINATIONS, EITHER },
	{ "KPA", KEEP_ALIVES, EITHER },    { "ESC", ESCAPES, EITHER },
	{ "DTV", DIRECTIVES, MANAGER },    { "OPL", OPERATOR_LISTS, MANAGER },
	{ "PTL", PATIENT_LISTS, MANAGER },
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static const struct value {
	const char *element;
	uint8_t field;
} values[] = {
	{ "DEV.vendor_id", VENDOR },
	{ "DEV.model_id", MODEL },
	{ "DEV.sw_version", VERSION },
	{ "DEV.serial_id", SERIAL },
};
enum { VALUES = sizeof(values) / sizeof(values[0]) };

struct side {
	struct xml xml;
	bool steady; /* a message was found, and all since then was read */
	uint32_t bytes;
};

struct poct1a {
	struct side sides[2];
	bool known; /* a message began somewhere */
};

_Static_assert(sizeof(struct poct1a) <= DISSECT_STATE_MOST, "two directions in one slot");

struct call {
	struct dissect_input *in;
	struct attributes *out;
	struct poct1a *flow;
	struct side *side;
};

static bool is_space(int byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static const struct kind *kind_of(const char *name, size_t n)
{
	if (n != KIND_LENGTH || memcmp(name + 3, ".R0", 3) || name[6] < '1' || name[6] > '9')
		return NULL;
	for (size_t i = 0; i < KINDS; i++)
		if (!memcmp(kinds[i].name, name, 3))
			return &kinds[i];
	return NULL;
}

/* A known root element at this `<`: the letters may still be under way. */
static enum probe_result probe_root(struct cursor c)
{
	char name[KIND_LENGTH];

	cursor_skip(&c, 1);
	size_t n = cursor_left(&c) < KIND_LENGTH ? cursor_left(&c) : KIND_LENGTH;
	for (size_t i = 0; i < n; i++) {
		name[i] = (char)cursor_u8(&c);
		bool fits = i < 3 ? name[i] >= 'A' && name[i] <= 'Z'
				  : i == 6 || name[i] == ".R0"[i - 3];
		if (!fits)
			return PROBE_NO;
	}
	if (n < KIND_LENGTH || !cursor_left(&c))
		return PROBE_MORE;
	int next = cursor_peek(&c, 0);
	bool ends = next == '>' || is_space(next);
	return ends && kind_of(name, n) ? PROBE_YES : PROBE_NO;
}

/* Behind the root: `<HDR.version_id V="POCT1"/>`. */
static enum probe_result probe_version(struct cursor c)
{
	static const char element[] = "HDR.version_id";

	while (cursor_left(&c)) {
		const uint8_t *at = memchr(c.at, 'H', cursor_left(&c));
		cursor_skip(&c, at ? (size_t)(at - c.at) : cursor_left(&c));
		if (cursor_starts(&c, element)) {
			cursor_skip(&c, sizeof(element) - 1);
			while (is_space(cursor_peek(&c, 0)) || cursor_peek(&c, 0) == 'V' ||
			       cursor_peek(&c, 0) == '=' || cursor_peek(&c, 0) == '"' ||
			       cursor_peek(&c, 0) == '\'')
				cursor_skip(&c, 1);
			if (cursor_left(&c) < 5)
				return PROBE_MORE;
			return cursor_starts(&c, "POCT1") ? PROBE_YES : PROBE_NO;
		}
		cursor_skip(&c, 1);
	}
	return PROBE_MORE;
}

/* At a `<`. */
static enum probe_result probe_document(struct cursor c)
{
	enum probe_result root = probe_root(c);

	return root == PROBE_YES ? probe_version(c) : root;
}

static void skip_to(struct cursor *c, uint8_t byte)
{
	const uint8_t *at = cursor_left(c) ? memchr(c->at, byte, cursor_left(c)) : NULL;

	cursor_skip(c, at ? (size_t)(at - c->at) : cursor_left(c));
}

/* Byte order mark, white space, XML declaration. */
static bool skip_leading(struct cursor *c)
{
	if (cursor_starts(c, "\xef\xbb\xbf"))
		cursor_skip(c, 3);
	while (is_space(cursor_peek(c, 0)))
		cursor_skip(c, 1);
	if (cursor_starts(c, "<?xml")) {
		skip_to(c, '>');
		cursor_skip(c, 1);
		while (is_space(cursor_peek(c, 0)))
			cursor_skip(c, 1);
	}
	return !c->failed;
}

static enum probe_result probe_within(struct cursor c)
{
	for (skip_to(&c, '<'); cursor_left(&c); skip_to(&c, '<')) {
		if (probe_document(c) == PROBE_YES)
			return PROBE_YES;
		cursor_skip(&c, 1);
	}
	return PROBE_NO;
}

static enum probe_result poct1a_probe(struct cursor bytes, enum transport transport,
				      uint16_t source_port, uint16_t dest_port, bool midstream)
{
	struct cursor c = bytes;

	(void)source_port;
	(void)dest_port;
	if (transport != TRANSPORT_TCP)
		return PROBE_NO;
	if (midstream)
		return probe_within(bytes);
	bool whole = skip_leading(&c);
	int next = cursor_peek(&c, 0);
	if (!whole || next < 0)
		return cursor_left(&bytes) < LEADING_MOST ? PROBE_MORE : PROBE_NO;
	if (next != '<')
		return PROBE_NO;
	if (cursor_peek(&c, 1) == '?')
		return cursor_left(&c) < 5 ? PROBE_MORE : PROBE_NO;
	return probe_document(c);
}

static void count(struct call *call, enum field_number field)
{
	attributes_add(call->out, &fields[field], 1);
}

static void begin_hunt(struct call *call)
{
	call->side->steady = false;
	call->side->bytes = 0;
	xml_begin(&call->side->xml);
}

static void give_up(struct call *call)
{
	count(call, MALFORMED);
	begin_hunt(call);
}

static void opened(struct call *call)
{
	struct xml *xml = &call->side->xml;

	if (xml->depth > 1) {
		xml->keep = xml_is(xml, "ACK.type_cd");
		for (size_t i = 0; i < VALUES; i++)
			xml->keep |= xml_is(xml, values[i].element);
		return;
	}
	const struct kind *kind = kind_of(xml->name, xml->name_length);
	if (!kind) {
		give_up(call);
		return;
	}
	count(call, kind->field);
	call->side->bytes = 0;
	if (kind->sender != EITHER)
		call->in->role =
			kind->sender == DEVICE ? ROLE_SENDER_IS_CLIENT : ROLE_SENDER_IS_SERVER;
}

static void read_ack(struct call *call)
{
	const struct xml *xml = &call->side->xml;

	if (xml->value_length != 2 || xml->value[0] != 'A')
		return;
	if (xml->value[1] == 'A')
		count(call, ACK_AA);
	else if (xml->value[1] == 'E')
		count(call, ACK_AE);
	else if (xml->value[1] == 'R')
		count(call, ACK_AR);
}

static void read_value(struct call *call)
{
	const struct xml *xml = &call->side->xml;

	if (!xml_is_attribute(xml, "V"))
		return;
	if (xml_is(xml, "ACK.type_cd")) {
		read_ack(call);
		return;
	}
	for (size_t i = 0; i < VALUES; i++) {
		const struct field *field = &fields[values[i].field];
		if (!xml_is(xml, values[i].element))
			continue;
		dissect_says(call->in, field, FACT_SENDER, xml->value, xml->value_length);
		if (values[i].field != SERIAL)
			attributes_text(call->out, field, xml->value, xml->value_length);
	}
}

/* Each direction begins so, as a stream may be joined at any place. False: what the next
 * message begins with is not all here. */
static bool hunt(struct call *call)
{
	struct cursor *bytes = &call->in->bytes;
	struct cursor begin = *bytes;

	skip_leading(&begin);
	for (skip_to(bytes, '<'); cursor_left(bytes); skip_to(bytes, '<')) {
		enum probe_result root = probe_root(*bytes);
		if (root == PROBE_MORE)
			return false;
		if (root == PROBE_YES) {
			call->side->steady = true;
			if (!call->flow->known)
				call->in->confidence =
					bytes->at == begin.at ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
			call->flow->known = true;
			return true;
		}
		cursor_skip(bytes, 1);
	}
	return false;
}

/* False when the bytes are used up. */
static bool advance(struct call *call)
{
	struct side *side = call->side;
	struct cursor *bytes = &call->in->bytes;

	if (!side->steady && !hunt(call))
		return false;
	size_t before = cursor_left(bytes);
	enum xml_event event = xml_next(&side->xml, bytes);
	side->bytes += (uint32_t)(before - cursor_left(bytes));
	if (event == XML_OPEN)
		opened(call);
	else if (event == XML_VALUE)
		read_value(call);
	else if (event == XML_BAD || side->bytes > MESSAGE_MOST)
		give_up(call);
	else if (event == XML_CLOSE && side->xml.depth == 0)
		side->bytes = 0;
	return cursor_left(bytes) > 0;
}

static enum dissect_result poct1a_dissect(void *state, struct dissect_input *in,
					  struct attributes *out)
{
	struct poct1a *flow = state;
	struct call call = {
		.in = in, .out = out, .flow = flow, .side = &flow->sides[in->direction & 1]
	};

	if (in->gap)
		begin_hunt(&call);
	while (advance(&call))
		;
	return DISSECT_MORE;
}

const struct dissector dissector_poct1a = {
	.name = "poct1a",
	.summary = "POCT1-A: point-of-care analysers and their data manager",
	.transports = TRANSPORT_TCP,
	.ports = (const uint16_t[]){ 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { '\t', '\r' },
					      { ' ', ' ' },
					      { '<', '<' },
					      { 0xef, 0xef },
					      BYTE_RANGES_END },
	.seeks = true,
	.state_size = sizeof(struct poct1a),
	.probe = poct1a_probe,
	.dissect = poct1a_dissect,
};
