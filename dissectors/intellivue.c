/* SPDX-License-Identifier: Apache-2.0
 *
 * Philips IntelliVue patient monitors: Data Export over UDP (Philips' Data Export
 * Interface Programming Guide; after ISO/IEEE 11073-10101, -10201 and -20101), any
 * port. Associations, commands and polls are counted by what they ask for; of a
 * monitor its model, kind and the addresses that it announces are told. Patients'
 * demographics, bed labels, measurements, waves and alarms are passed over. */
#include "dissectors/dissector.h"

/* clang-format off */
enum field_number {
	F_REQUESTS, F_ACCEPTS, F_REFUSALS, F_RELEASES, F_RELEASED, F_ABORTS,
	F_INDICATIONS, F_INVOKES, F_RESULTS, F_ERRORS, F_LINKED,
	F_EVENTS, F_GETS, F_SETS, F_ACTIONS, F_POLLS, F_PATIENT_POLLS, F_CREATED,
	F_MODEL, F_MAKER, F_SYSTEM_TYPE, F_ROLE, F_COUNT,
};

#define COUNTER FIELD_COUNTER, GRAMMAR_NONE

static const struct field fields[F_COUNT + 1] = {
	[F_REQUESTS] = { "intellivue.association_requests", COUNTER, "messages",
		"associations asked for", PHI_NONE, ABOUT_FLOW },
	[F_ACCEPTS] = { "intellivue.associations_accepted", COUNTER, "messages", "associations accepted", PHI_NONE, ABOUT_FLOW },
	[F_REFUSALS] = { "intellivue.associations_refused", COUNTER, "messages", "associations refused", PHI_NONE, ABOUT_FLOW },
	[F_RELEASES] = { "intellivue.release_requests", COUNTER, "messages", "requests to end an association", PHI_NONE, ABOUT_FLOW },
	[F_RELEASED] = { "intellivue.releases", COUNTER, "messages", "associations ended in good order", PHI_NONE, ABOUT_FLOW },
	[F_ABORTS] = { "intellivue.aborts", COUNTER, "messages", "associations aborted", PHI_NONE, ABOUT_FLOW },
	[F_INDICATIONS] = { "intellivue.connect_indications", COUNTER, "messages",
		"a monitor's broadcasts that it can be connected to", PHI_NONE, ABOUT_FLOW },
	[F_INVOKES] = { "intellivue.invokes", COUNTER, "messages", "commands", PHI_NONE, ABOUT_FLOW },
	[F_RESULTS] = { "intellivue.results", COUNTER, "messages", "results", PHI_NONE, ABOUT_FLOW },
	[F_ERRORS] = { "intellivue.errors", COUNTER, "messages", "errors", PHI_NONE, ABOUT_FLOW },
	[F_LINKED] = { "intellivue.linked_results", COUNTER, "messages", "parts of results", PHI_NONE, ABOUT_FLOW },
	[F_EVENTS] = { "intellivue.events", COUNTER, "messages", "event reports", PHI_NONE, ABOUT_FLOW },
	[F_GETS] = { "intellivue.gets", COUNTER, "messages", "commands that read attributes", PHI_NONE, ABOUT_FLOW },
	[F_SETS] = { "intellivue.sets", COUNTER, "messages", "commands that set attributes", PHI_NONE, ABOUT_FLOW },
	[F_ACTIONS] = { "intellivue.actions", COUNTER, "messages", "actions, polls among them", PHI_NONE, ABOUT_FLOW },
	[F_POLLS] = { "intellivue.polls", COUNTER, "messages", "requests for data", PHI_NONE, ABOUT_FLOW },
	[F_PATIENT_POLLS] = { "intellivue.patient_polls", COUNTER, "messages",
		"requests for the patient's demographics", PHI_NONE, ABOUT_FLOW },
	[F_CREATED] = { "intellivue.systems", COUNTER, "messages",
		"reports of a monitor about itself, behind an association", PHI_NONE, ABOUT_FLOW },
	[F_MODEL] = { "intellivue.model", FIELD_TEXT, GRAMMAR_PRODUCT, "", "model of the monitor", PHI_DEVICE, ABOUT_FLOW },
	[F_MAKER] = { "intellivue.manufacturer", FIELD_TEXT, GRAMMAR_PRODUCT, "", "its maker, as it says", PHI_DEVICE, ABOUT_FLOW },
	[F_SYSTEM_TYPE] = { "intellivue.system_type", FIELD_NUMBER, GRAMMAR_NONE, "",
		"its kind (nomenclature partition * 65536 + code)", PHI_NONE, ABOUT_FLOW },
	[F_ROLE] = { "intellivue.role", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"what the announcing host is: patient-monitor", PHI_DEVICE, ABOUT_FLOW },
	[F_COUNT] = { .name = NULL },
};
/* clang-format on */

/* Nomenclature: ISO/IEEE 11073-10101, and Philips' own from 0xf000 on. */
enum {
	CLASS_MDS = 33,
	CLASS_PATIENT = 42,
	EVENT_CREATED = 3334,
	EVENT_CONNECT = 3351,
	ACTION_POLL = 3094,
	ACTION_POLL_EXTENDED = 61755,
	ATTR_MODEL = 2344,
	ATTR_SYSTEM_TYPE = 2438,
	ATTR_ADDRESSES = 61696,
};

enum { REMOTE_INVOKE = 1, REMOTE_RESULT = 2, REMOTE_ERROR = 3, REMOTE_LINKED = 5 };

enum command {
	COMMAND_EVENT = 0,
	COMMAND_CONFIRMED_EVENT = 1,
	COMMAND_GET = 3,
	COMMAND_SET = 4,
	COMMAND_CONFIRMED_SET = 5,
	COMMAND_ACTION = 7,
};

enum session {
	SESSION_RELEASE = 0x09,
	SESSION_RELEASED = 0x0a,
	SESSION_REFUSE = 0x0c,
	SESSION_CONNECT = 0x0d,
	SESSION_ACCEPT = 0x0e,
	SESSION_ABORT = 0x19,
};

enum form { FORM_NONE, FORM_DATA, FORM_SESSION, FORM_INDICATION };

struct intellivue {
	bool oriented, described, introduced;
};

struct call {
	struct intellivue *flow;
	struct dissect_input *in;
	struct attributes *out;
};

/* ---- forms ---- */

/* Of one operation: | ROSE type | length16, of all behind | ... |. Its length must be
 * the datagram's: these are what keeps others out. */
static bool is_operation(struct cursor c)
{
	uint16_t type = cursor_be16(&c);
	uint16_t length = cursor_be16(&c);

	if (c.failed || length != cursor_left(&c))
		return false;
	if (type == REMOTE_LINKED)
		cursor_skip(&c, 2); /* state, count */
	cursor_skip(&c, 2);         /* invoke id */
	uint16_t command = cursor_be16(&c);
	uint16_t inner = cursor_be16(&c);
	if (c.failed || inner != cursor_left(&c))
		return false;
	bool known = command <= COMMAND_ACTION && command != 2 && command != 6;
	switch (type) {
	case REMOTE_INVOKE:
	case REMOTE_RESULT:
	case REMOTE_LINKED:
		return known;
	case REMOTE_ERROR:
		return command < 32; /* the error's number stands there */
	default:
		return false;
	}
}

/* | e1 00 | context16 | operation | */
static bool is_data(struct cursor c)
{
	uint16_t session = cursor_be16(&c);

	cursor_skip(&c, 2);
	return session == 0xe100 && is_operation(c);
}

/* | 00 00 | major | minor | an event report of the monitor itself, and which */
static bool is_indication(struct cursor c)
{
	uint16_t zero = cursor_be16(&c);

	cursor_skip(&c, 2);
	if (zero || !is_operation(c) || cursor_be16(&c) != REMOTE_INVOKE)
		return false;
	cursor_skip(&c, 4);
	bool event = cursor_be16(&c) == COMMAND_EVENT;
	cursor_skip(&c, 2);
	uint16_t class = cursor_be16(&c);
	cursor_skip(&c, 8);
	uint16_t kind = cursor_be16(&c);
	return !c.failed && event && class == CLASS_MDS && kind == EVENT_CONNECT;
}

/* Length indicators of ISO 8327-1: a byte, or ff and two. */
static size_t session_length(struct cursor *c)
{
	uint8_t length = cursor_u8(c);

	return length == 0xff ? cursor_be16(c) : length;
}

/* What follows the length: | 05 08 13 01 00 16 01 02 80 00 14 02 00 02 c1 ...| in a
 * request and its acceptance, presentation data (c1) in the others. */
static bool is_session(struct cursor c)
{
	static const uint8_t opening[] = { 0x05, 0x08, 0x13, 0x01, 0x00, 0x16, 0x01, 0x02,
					   0x80, 0x00, 0x14, 0x02, 0x00, 0x02, 0xc1 };
	uint8_t type = cursor_u8(&c);
	size_t length = session_length(&c);

	if (c.failed || length != cursor_left(&c))
		return false;
	const uint8_t *head;
	switch (type) {
	case SESSION_CONNECT:
	case SESSION_ACCEPT:
		head = cursor_take(&c, sizeof(opening));
		return head && !memcmp(head, opening, sizeof(opening)) &&
		       session_length(&c) == cursor_left(&c) && !c.failed;
	case SESSION_RELEASE:
	case SESSION_RELEASED:
		return cursor_u8(&c) == 0xc1 && session_length(&c) == cursor_left(&c) && !c.failed;
	case SESSION_REFUSE: /* only ever behind a request */
	case SESSION_ABORT:
		return length >= 2;
	default:
		return false;
	}
}

static enum form form_of(const struct cursor *c)
{
	switch (cursor_peek(c, 0)) {
	case 0xe1:
		return is_data(*c) ? FORM_DATA : FORM_NONE;
	case 0:
		return is_indication(*c) ? FORM_INDICATION : FORM_NONE;
	default:
		return is_session(*c) ? FORM_SESSION : FORM_NONE;
	}
}

static enum probe_result intellivue_probe(struct cursor bytes, enum transport transport,
					  uint16_t source_port, uint16_t dest_port, bool midstream)
{
	int first = cursor_peek(&bytes, 0);

	(void)source_port;
	(void)dest_port;
	(void)midstream;
	/* A refusal or an abort alone could be anything. */
	if (transport != TRANSPORT_UDP || first == SESSION_REFUSE || first == SESSION_ABORT)
		return PROBE_NO;
	return form_of(&bytes) == FORM_NONE ? PROBE_NO : PROBE_YES;
}

/* ---- what they say ---- */

static void count(struct call *call, enum field_number field)
{
	attributes_add(call->out, &fields[field], 1);
}

static void orient(struct call *call, enum role role)
{
	if (!call->flow->oriented)
		call->in->role = role;
	call->flow->oriented = true;
}

static void session(struct call *call, uint8_t type)
{
	switch (type) {
	case SESSION_CONNECT:
		count(call, F_REQUESTS);
		orient(call, ROLE_SENDER_IS_CLIENT);
		break;
	case SESSION_ACCEPT:
		count(call, F_ACCEPTS);
		orient(call, ROLE_SENDER_IS_SERVER);
		break;
	case SESSION_REFUSE:
		count(call, F_REFUSALS);
		orient(call, ROLE_SENDER_IS_SERVER);
		break;
	case SESSION_RELEASE:
		count(call, F_RELEASES);
		break;
	case SESSION_RELEASED:
		count(call, F_RELEASED);
		break;
	default:
		count(call, F_ABORTS);
		break;
	}
}

struct monitor {
	bool addressed;
	uint8_t mac[6];
	struct ip_addr ip;
	struct cursor model, maker;
};

/* A text with its length in front, and its padding behind: bytes of 8 bits, NULs last. */
static struct cursor label(struct cursor *c)
{
	struct cursor text = cursor_sub(c, cursor_be16(c));
	size_t n = cursor_left(&text);

	while (n && (cursor_peek(&text, n - 1) == 0 || cursor_peek(&text, n - 1) == ' '))
		n--;
	return cursor_sub(&text, n);
}

static void read_attribute(struct call *call, uint16_t id, struct cursor value, struct monitor *m)
{
	const uint8_t *mac, *ip;
	uint32_t type;

	switch (id) {
	case ATTR_SYSTEM_TYPE:
		type = cursor_be32(&value);
		if (!value.failed)
			attributes_number(call->out, &fields[F_SYSTEM_TYPE], type);
		break;
	case ATTR_ADDRESSES: /* | MAC | address | mask | */
		mac = cursor_take(&value, 6);
		ip = cursor_take(&value, 4);
		if (!mac || !ip)
			break;
		memcpy(m->mac, mac, 6);
		m->ip = ip_from_v4(ip);
		m->addressed = true;
		break;
	case ATTR_MODEL:
		m->maker = label(&value);
		m->model = label(&value);
		break;
	default:
		break;
	}
}

/* | count16 | length16 | then each: id16, length16, value | */
static void read_attributes(struct call *call, struct cursor c, struct monitor *m)
{
	uint16_t left = cursor_be16(&c);
	struct cursor list = cursor_sub(&c, cursor_be16(&c));

	while (left-- && cursor_left(&list)) {
		uint16_t id = cursor_be16(&list);
		struct cursor value = cursor_sub(&list, cursor_be16(&list));
		if (!value.failed)
			read_attribute(call, id, value, m);
	}
}

static void say(struct call *call, const struct monitor *m, enum field_number field,
		const void *text, size_t n)
{
	enum fact_subject subject = m->addressed ? FACT_IP_AND_MAC : FACT_SENDER;
	struct dissect_fact *fact = dissect_says(call->in, &fields[field], subject, text, n);

	if (!fact || !m->addressed)
		return;
	fact->ip = m->ip;
	memcpy(fact->mac, m->mac, 6);
}

static void describe(struct call *call, const struct monitor *m)
{
	static const char role[] = "patient-monitor";
	size_t maker = cursor_left(&m->maker), model = cursor_left(&m->model);

	attributes_text(call->out, &fields[F_ROLE], role, strlen(role));
	say(call, m, F_ROLE, role, strlen(role));
	if (maker) {
		attributes_text(call->out, &fields[F_MAKER], m->maker.at, maker);
		say(call, m, F_MAKER, m->maker.at, maker);
	}
	if (model) {
		attributes_text(call->out, &fields[F_MODEL], m->model.at, model);
		say(call, m, F_MODEL, m->model.at, model);
	}
}

/* | class16 context16 handle16 | time32 | event16 | length16 | attributes | */
static void event(struct call *call, struct cursor c)
{
	struct monitor m = { 0 };

	count(call, F_EVENTS);
	uint16_t class = cursor_be16(&c);
	cursor_skip(&c, 8);
	uint16_t kind = cursor_be16(&c);
	struct cursor body = cursor_sub(&c, cursor_be16(&c));
	if (c.failed || class != CLASS_MDS || (kind != EVENT_CREATED && kind != EVENT_CONNECT))
		return;
	count(call, kind == EVENT_CREATED ? F_CREATED : F_INDICATIONS);
	if (kind == EVENT_CREATED) /* the other is a broadcast, that nobody asked for */
		orient(call, ROLE_SENDER_IS_SERVER);
	if (kind == EVENT_CREATED) /* | class16 context16 handle16 | attributes | */
		cursor_skip(&body, 6);
	bool *told = kind == EVENT_CREATED ? &call->flow->described : &call->flow->introduced;
	if (*told)
		return;
	*told = true;
	read_attributes(call, body, &m);
	describe(call, &m);
}

/* | class16 context16 handle16 | scope32 | action16 | length16 |
 * | poll16 | partition16 class16 | group16 | */
static void action(struct call *call, struct cursor c)
{
	count(call, F_ACTIONS);
	cursor_skip(&c, 10);
	uint16_t kind = cursor_be16(&c);
	cursor_skip(&c, 6);
	uint16_t class = cursor_be16(&c);
	if (c.failed || (kind != ACTION_POLL && kind != ACTION_POLL_EXTENDED))
		return;
	count(call, F_POLLS);
	if (class == CLASS_PATIENT)
		count(call, F_PATIENT_POLLS);
	orient(call, ROLE_SENDER_IS_CLIENT);
}

static void invoke(struct call *call, uint16_t command, struct cursor c)
{
	count(call, F_INVOKES);
	switch (command) {
	case COMMAND_EVENT:
	case COMMAND_CONFIRMED_EVENT:
		event(call, c);
		break;
	case COMMAND_GET:
		count(call, F_GETS);
		break;
	case COMMAND_SET:
	case COMMAND_CONFIRMED_SET:
		count(call, F_SETS);
		break;
	default:
		action(call, c);
		break;
	}
}

/* Behind the four bytes in front of an operation. */
static void operation(struct call *call, struct cursor c)
{
	uint16_t type = cursor_be16(&c);

	cursor_skip(&c, 2);
	switch (type) {
	case REMOTE_RESULT:
		count(call, F_RESULTS);
		break;
	case REMOTE_ERROR:
		count(call, F_ERRORS);
		break;
	case REMOTE_LINKED:
		count(call, F_LINKED);
		break;
	default:
		cursor_skip(&c, 2);
		uint16_t command = cursor_be16(&c);
		cursor_skip(&c, 2);
		invoke(call, command, c);
		break;
	}
}

static enum dissect_result intellivue_dissect(void *state, struct dissect_input *in,
					      struct attributes *out)
{
	struct call call = { .flow = state, .in = in, .out = out };
	struct cursor c = in->bytes;

	switch (form_of(&c)) {
	case FORM_SESSION:
		session(&call, cursor_u8(&c));
		break;
	case FORM_DATA:
	case FORM_INDICATION:
		cursor_skip(&c, 4);
		operation(&call, c);
		break;
	case FORM_NONE:
		break;
	}
	return DISSECT_MORE;
}

const struct dissector dissector_intellivue = {
	.name = "intellivue",
	.summary = "Philips IntelliVue patient monitors: Data Export over UDP",
	.transports = TRANSPORT_UDP,
	.ports = (const uint16_t[]){ 24105, 24005, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { 0x00, 0x00 },
					      { 0x09, 0x0a },
					      { 0x0d, 0x0e },
					      { 0xe1, 0xe1 },
					      BYTE_RANGES_END },
	.state_size = sizeof(struct intellivue),
	.probe = intellivue_probe,
	.dissect = intellivue_dissect,
};
