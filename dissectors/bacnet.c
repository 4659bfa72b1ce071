/* SPDX-License-Identifier: Apache-2.0
 *
 * BACnet (ANSI/ASHRAE 135) over UDP, Annex J for IPv4 and Annex U for IPv6, and over
 * Ethernet (clause 7): which stations read and write which kinds of objects, who changes
 * devices and broadcast tables, and which devices there are. Annex U and the Ethernet
 * form are held to less: no capture of a real program confirms them here. */
#include "dissectors/bacnet_internal.h"

#define COUNTER(noun, unit, meaning) \
	{ \
		"bacnet." noun, FIELD_COUNTER, GRAMMAR_NONE, unit, meaning, PHI_NONE, ABOUT_FLOW \
	}
#define WORDS(noun, meaning) \
	{ \
		"bacnet." noun, FIELD_TEXTS, GRAMMAR_TOKEN, "", meaning, PHI_NONE, ABOUT_FLOW \
	}

const struct field bacnet_fields[BACNET_FIELD_COUNT + 1] = {
	/* clang-format off */
	[F_MESSAGES] = COUNTER("messages", "messages", "messages of the virtual link, of all kinds"),
	[F_MALFORMED] = COUNTER("malformed", "messages", "messages that break the format, be it only in their length"),
	[F_FORWARDED] = COUNTER("forwarded", "messages", "messages that a BBMD hands on for another station"),
	[F_BROADCASTS] = COUNTER("broadcasts", "messages", "broadcasts, sent or given to a BBMD to be spread"),
	[F_WRITE_BDT] = COUNTER("write_bdt", "requests", "requests to replace a broadcast distribution table"),
	[F_READ_TABLES] = COUNTER("read_tables", "requests", "requests to read a BBMD's tables: its peers, its foreign devices"),
	[F_FOREIGN] = COUNTER("foreign_registrations", "requests", "registrations as a foreign device"),
	[F_DELETE_FDT] = COUNTER("delete_fdt", "requests", "requests to strike out a foreign device"),
	[F_NAKS] = COUNTER("bvlc_naks", "messages", "requests to a BBMD that it refused"),
	[F_SECURED] = COUNTER("secured", "messages", "messages in a security wrapper of the virtual link"),
	[F_ROUTED] = COUNTER("routed", "messages", "messages from or to a station behind a BACnet router"),
	[F_NETWORK_MESSAGES] = COUNTER("network_messages", "messages", "messages between routers"),
	[F_NETWORK_MESSAGE] = WORDS("network_message", "kinds of messages between routers"),
	[F_CONFIRMED] = COUNTER("confirmed", "requests", "requests that want an answer"),
	[F_UNCONFIRMED] = COUNTER("unconfirmed", "messages", "requests that want none"),
	[F_ACKS] = COUNTER("acks", "responses", "answers that what was asked is done"),
	[F_ERRORS] = COUNTER("errors", "responses", "answers that it failed"),
	[F_REJECTS] = COUNTER("rejects", "responses", "answers that it was not understood"),
	[F_ABORTS] = COUNTER("aborts", "messages", "transactions that one side gave up"),
	[F_SEGMENTS] = COUNTER("segments", "messages", "parts of requests and answers that are larger than a datagram"),
	[F_ERROR_CLASS] = WORDS("error_class", "classes of the errors"),
	[F_ERROR_CODE] = WORDS("error_code", "codes of the errors, as write-access-denied or code-300"),
	[F_REJECT_REASON] = WORDS("reject_reason", "reasons of the rejects"),
	[F_ABORT_REASON] = WORDS("abort_reason", "reasons of the aborts"),
	[F_READS] = COUNTER("reads", "requests", "requests to read properties"),
	[F_WRITES] = COUNTER("writes", "requests", "requests that change objects: properties, lists, groups, files, creation and deletion"),
	[F_CONTROL] = COUNTER("control", "requests", "requests that command a device: reinitialize, communication control, life safety, changes of a BBMD's tables"),
	[F_WRITE_PROPERTY] = COUNTER("write_property", "requests", "of the writes, of one property"),
	[F_WRITE_PROPERTY_MULTIPLE] = COUNTER("write_property_multiple", "requests", "of the writes, of several properties"),
	[F_WRITE_GROUP] = COUNTER("write_group", "messages", "of the writes, to groups of channels, unconfirmed"),
	[F_LIST_WRITES] = COUNTER("list_writes", "requests", "of the writes, elements added to lists or removed"),
	[F_CREATED] = COUNTER("creates_deletes", "requests", "of the writes, objects to be created or deleted"),
	[F_FILE_READS] = COUNTER("file_reads", "requests", "requests to read files"),
	[F_FILE_WRITES] = COUNTER("file_writes", "requests", "of the writes, to files"),
	[F_RESTARTS] = COUNTER("reinitialize", "requests", "requests that a device restarts, or begins or ends a backup or restore"),
	[F_RESTART] = WORDS("reinitialize_state", "what was asked there: coldstart, warmstart, ..."),
	[F_SILENCES] = COUNTER("device_communication_control", "requests", "requests that a device falls silent or speaks again"),
	[F_SILENCE] = WORDS("device_communication_state", "what was asked there: enable, disable, disable-initiation"),
	[F_TIME_SYNC] = COUNTER("time_sync", "messages", "settings of the clock"),
	[F_LIFE_SAFETY] = COUNTER("life_safety", "requests", "operations on life safety objects: silence, reset"),
	[F_WHO_IS] = COUNTER("who_is", "messages", "searches for devices"),
	[F_WHO_HAS] = COUNTER("who_has", "messages", "searches for objects"),
	[F_I_AM] = COUNTER("i_am", "messages", "devices that make themselves known"),
	[F_SUBSCRIPTIONS] = COUNTER("subscriptions", "requests", "subscriptions to changes of values"),
	[F_NOTIFICATIONS] = COUNTER("notifications", "messages", "notifications of changes and of events"),
	[F_ALARM_ACKS] = COUNTER("alarm_acks", "requests", "alarms acknowledged"),
	[F_PRIVATE] = COUNTER("private_transfers", "messages", "services of a maker's own"),
	[F_OTHER] = COUNTER("other_services", "messages", "services not counted above"),
	[F_OBJECT_TYPE] = WORDS("object_type", "types of the objects and files read"),
	[F_WRITTEN_TYPE] = WORDS("written_type", "types of the objects written, created or deleted"),
	[F_WRITTEN_PROPERTY] = WORDS("written_property", "properties written, as present-value or property-512"),
	[F_DEVICE] = { "bacnet.device_instance", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"number of the device that made itself known first", PHI_DEVICE, ABOUT_FLOW },
	[F_VENDOR_ID] = { "bacnet.vendor_id", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"number of its maker in ASHRAE's list", PHI_DEVICE, ABOUT_FLOW },
	[F_VENDOR] = { "bacnet.vendor", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		"name of its maker, when it is a well-known one", PHI_DEVICE, ABOUT_FLOW },
	/* clang-format on */
	[BACNET_FIELD_COUNT] = { .name = NULL },
};

enum { PORT = 47808, PORT_LAST = 47823 };
enum { LINK_IPV4 = 0x81, LINK_IPV6 = 0x82, LINK_HEADER = 4 };

enum kind {
	KIND_RESULT,
	KIND_WRITE_BDT,
	KIND_READ_TABLE,
	KIND_FORWARDED,
	KIND_REGISTER,
	KIND_DELETE,
	KIND_DISTRIBUTE,
	KIND_UNICAST,
	KIND_BROADCAST,
	KIND_SECURED,
	KIND_ANSWER,  /* a table */
	KIND_ADDRESS, /* virtual addresses of Annex U, asked for and told */
};

enum body { BODY_NETWORK, BODY_ENTRIES, BODY_NONE, BODY_ANY };

enum { ENTRY = 10, ADDRESS_IPV4 = 6, VIRTUAL = 3, ADDRESS_IPV6 = 18 };

/* J.2, U.2: `header` octets behind the first four, then a body. */
static const struct form {
	uint8_t type, function, kind, header, body;
} forms[] = {
	/* clang-format off */
	{ LINK_IPV4, 0x00, KIND_RESULT, 2, BODY_NONE },
	{ LINK_IPV4, 0x01, KIND_WRITE_BDT, 0, BODY_ENTRIES },
	{ LINK_IPV4, 0x02, KIND_READ_TABLE, 0, BODY_NONE },
	{ LINK_IPV4, 0x03, KIND_ANSWER, 0, BODY_ENTRIES },
	{ LINK_IPV4, 0x04, KIND_FORWARDED, ADDRESS_IPV4, BODY_NETWORK },
	{ LINK_IPV4, 0x05, KIND_REGISTER, 2, BODY_NONE },
	{ LINK_IPV4, 0x06, KIND_READ_TABLE, 0, BODY_NONE },
	{ LINK_IPV4, 0x07, KIND_ANSWER, 0, BODY_ENTRIES },
	{ LINK_IPV4, 0x08, KIND_DELETE, ADDRESS_IPV4, BODY_NONE },
	{ LINK_IPV4, 0x09, KIND_DISTRIBUTE, 0, BODY_NETWORK },
	{ LINK_IPV4, 0x0a, KIND_UNICAST, 0, BODY_NETWORK },
	{ LINK_IPV4, 0x0b, KIND_BROADCAST, 0, BODY_NETWORK },
	{ LINK_IPV4, 0x0c, KIND_SECURED, 0, BODY_ANY },
	{ LINK_IPV6, 0x00, KIND_RESULT, VIRTUAL + 2, BODY_NONE },
	{ LINK_IPV6, 0x01, KIND_UNICAST, VIRTUAL + VIRTUAL, BODY_NETWORK },
	{ LINK_IPV6, 0x02, KIND_BROADCAST, VIRTUAL, BODY_NETWORK },
	{ LINK_IPV6, 0x03, KIND_ADDRESS, VIRTUAL, BODY_ANY },
	{ LINK_IPV6, 0x04, KIND_ADDRESS, VIRTUAL, BODY_ANY },
	{ LINK_IPV6, 0x05, KIND_ADDRESS, VIRTUAL, BODY_ANY },
	{ LINK_IPV6, 0x06, KIND_ADDRESS, VIRTUAL, BODY_ANY },
	{ LINK_IPV6, 0x07, KIND_ADDRESS, VIRTUAL, BODY_ANY },
	{ LINK_IPV6, 0x08, KIND_FORWARDED, VIRTUAL + ADDRESS_IPV6, BODY_NETWORK },
	{ LINK_IPV6, 0x09, KIND_REGISTER, VIRTUAL + 2, BODY_NONE },
	{ LINK_IPV6, 0x0a, KIND_DELETE, VIRTUAL + ADDRESS_IPV6, BODY_NONE },
	{ LINK_IPV6, 0x0b, KIND_SECURED, 0, BODY_ANY },
	{ LINK_IPV6, 0x0c, KIND_DISTRIBUTE, VIRTUAL, BODY_NETWORK },
	/* clang-format on */
};

enum {
	CONTROL_NETWORK = 0x80,
	CONTROL_ZERO = 0x50,
	CONTROL_DEST = 0x20,
	CONTROL_SOURCE = 0x08,
	NETWORK_ALL = 0xffff,
	MESSAGE_PRIVATE = 0x80,
};

struct message {
	const struct form *form;
	struct cursor header; /* of the form */
	bool wrong_length;    /* not that of the datagram: tools that try devices send such */
	/* 6.2, with BODY_NETWORK */
	bool network; /* between routers: `type` */
	bool from_afar, to_afar;
	uint8_t type;
	struct cursor apdu;
};

static const struct form *form_of(uint8_t type, uint8_t function)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		if (forms[i].type == type && forms[i].function == function)
			return &forms[i];
	return NULL;
}

/* 6.2: version 1, control; destination network, length, address; source likewise; hop
 * count when there is a destination. */
static bool read_network(struct cursor c, struct message *m)
{
	uint8_t version = cursor_u8(&c);
	uint8_t control = cursor_u8(&c);

	if (version != 1 || control & CONTROL_ZERO)
		return false;
	if (control & CONTROL_DEST) {
		uint16_t network = cursor_be16(&c);
		if (network == 0)
			return false;
		m->to_afar = network != NETWORK_ALL;
		cursor_skip(&c, cursor_u8(&c));
	}
	if (control & CONTROL_SOURCE) {
		uint16_t network = cursor_be16(&c);
		uint8_t length = cursor_u8(&c);
		if (network == 0 || network == NETWORK_ALL || length == 0)
			return false;
		m->from_afar = true;
		cursor_skip(&c, length);
	}
	if (control & CONTROL_DEST)
		cursor_skip(&c, 1);
	m->network = control & CONTROL_NETWORK;
	if (!m->network) {
		m->apdu = c;
		return !c.failed && bacnet_apdu_is_sane(c);
	}
	m->type = cursor_u8(&c);
	if (m->type >= MESSAGE_PRIVATE)
		cursor_skip(&c, 2);
	return !c.failed;
}

/* A whole datagram. */
static bool read_message(struct cursor c, struct message *m)
{
	size_t length = cursor_left(&c);
	uint8_t type = cursor_u8(&c);

	*m = (struct message){ .form = form_of(type, cursor_u8(&c)) };
	if (!m->form)
		return false;
	m->wrong_length = cursor_be16(&c) != length;
	if (m->wrong_length && m->form->body != BODY_NETWORK)
		return false;
	m->header = cursor_sub(&c, m->form->header);
	if (c.failed)
		return false;
	switch ((enum body)m->form->body) {
	case BODY_NETWORK:
		return read_network(c, m);
	case BODY_ENTRIES:
		return cursor_left(&c) % ENTRY == 0;
	case BODY_NONE:
		return cursor_left(&c) == 0;
	case BODY_ANY:
		return true;
	}
	return false;
}

/* Clause 7: length of IEEE 802.3, LLC 82-82-03; padding may follow. */
static bool read_frame(struct cursor c, struct message *m)
{
	enum { LLC_BACNET = 0x828203, LLC_HEADER = 3, LENGTH_MOST = 1500 };
	uint16_t length = cursor_be16(&c);

	*m = (struct message){ 0 };
	if (length <= LLC_HEADER || length > LENGTH_MOST || cursor_be24(&c) != LLC_BACNET)
		return false;
	return read_network(cursor_sub(&c, length - LLC_HEADER), m);
}

static bool is_port(uint16_t port)
{
	return port >= PORT && port <= PORT_LAST;
}

static enum probe_result bacnet_probe(struct cursor bytes, enum transport transport,
				      uint16_t source_port, uint16_t dest_port, bool midstream)
{
	struct message m;

	(void)midstream;
	if (transport == TRANSPORT_LINK)
		return read_frame(bytes, &m) ? PROBE_YES : PROBE_NO;
	if (transport != TRANSPORT_UDP)
		return PROBE_NO;
	/* The probe may see less of a datagram than there is. */
	if (cursor_left(&bytes) == DISSECT_PROBE_MOST) {
		struct cursor c = bytes;
		const struct form *form = form_of(cursor_u8(&c), cursor_u8(&c));
		if (!form || form->body != BODY_NETWORK || cursor_be16(&c) < DISSECT_PROBE_MOST)
			return PROBE_NO;
		cursor_skip(&c, form->header);
		m = (struct message){ 0 };
		return read_network(c, &m) ? PROBE_YES : PROBE_NO;
	}
	if (!read_message(bytes, &m))
		return PROBE_NO;
	bool sure = m.form->body == BODY_NETWORK && !m.wrong_length;
	return sure || is_port(source_port) || is_port(dest_port) ? PROBE_YES : PROBE_NO;
}

struct bacnet {
	bool known; /* one good message was seen */
};

static void note_origin(struct bacnet_call *call, const struct message *m)
{
	struct cursor c = m->header;

	call->forwarded = true;
	if (m->form->type == LINK_IPV4) {
		const uint8_t *address = cursor_take(&c, 4);
		call->origin = ip_from_v4(address);
	} else {
		cursor_skip(&c, VIRTUAL);
		call->origin = ip_from_v6(cursor_take(&c, 16));
	}
}

static void note_network(struct bacnet_call *call, const struct message *m)
{
	call->remote = m->from_afar;
	if (m->from_afar || m->to_afar)
		bacnet_count(call, F_ROUTED);
	if (!m->network) {
		bacnet_apdu(call, m->apdu);
		return;
	}
	bacnet_count(call, F_NETWORK_MESSAGES);
	bacnet_word(call, F_NETWORK_MESSAGE, WORD_NETWORK, m->type);
}

/* What of the virtual link is counted, and whether its sender asks to be served. */
static const struct {
	bool counted, asks;
	uint8_t field;
} kinds[] = {
	[KIND_WRITE_BDT] = { true, true, F_WRITE_BDT },
	[KIND_READ_TABLE] = { true, true, F_READ_TABLES },
	[KIND_FORWARDED] = { true, false, F_FORWARDED },
	[KIND_REGISTER] = { true, true, F_FOREIGN },
	[KIND_DELETE] = { true, true, F_DELETE_FDT },
	[KIND_DISTRIBUTE] = { true, true, F_BROADCASTS },
	[KIND_BROADCAST] = { true, false, F_BROADCASTS },
	[KIND_SECURED] = { true, false, F_SECURED },
	[KIND_ADDRESS] = { false, false, 0 },
};

static bool is_refusal(const struct message *m)
{
	struct cursor c = m->header;

	if (m->form->kind != KIND_RESULT)
		return false;
	if (m->form->type == LINK_IPV6)
		cursor_skip(&c, VIRTUAL);
	return cursor_be16(&c) != 0;
}

static void note_message(struct bacnet_call *call, const struct message *m)
{
	const struct form *form = m->form;

	bacnet_count(call, F_MESSAGES);
	if (m->wrong_length)
		bacnet_count(call, F_MALFORMED);
	if (kinds[form->kind].counted)
		bacnet_count(call, kinds[form->kind].field);
	if (form->kind == KIND_WRITE_BDT || form->kind == KIND_DELETE)
		bacnet_count(call, F_CONTROL);
	if (is_refusal(m))
		bacnet_count(call, F_NAKS);
	if (form->kind == KIND_RESULT || form->kind == KIND_ANSWER)
		call->in->role = ROLE_SENDER_IS_SERVER;
	if (form->kind == KIND_FORWARDED)
		note_origin(call, m);
	if (form->body == BODY_NETWORK)
		note_network(call, m);
	if (kinds[form->kind].asks)
		call->in->role = ROLE_SENDER_IS_CLIENT;
	/* A forwarded message's roles are its origin's. */
	if (call->forwarded)
		call->in->role = ROLE_UNKNOWN;
}

static enum dissect_result bacnet_dissect(void *state, struct dissect_input *in,
					  struct attributes *out)
{
	struct bacnet *s = state;
	struct bacnet_call call = { .in = in, .out = out };
	struct cursor whole = cursor_sub(&in->bytes, cursor_left(&in->bytes));
	struct message m;

	if (in->transport == TRANSPORT_LINK) {
		if (!read_frame(whole, &m))
			return DISSECT_NOT_MINE;
		note_network(&call, &m);
		return DISSECT_DONE;
	}
	if (!read_message(whole, &m)) {
		if (!s->known)
			return DISSECT_NOT_MINE;
		bacnet_count(&call, F_MALFORMED);
		return DISSECT_MORE;
	}
	note_message(&call, &m);
	if (m.form->body == BODY_NETWORK && m.form->type == LINK_IPV4 && !m.wrong_length)
		in->confidence = CONFIDENCE_HIGH;
	else if (!s->known)
		in->confidence = CONFIDENCE_MEDIUM;
	s->known = true;
	return DISSECT_MORE;
}

const struct dissector dissector_bacnet = {
	.name = "bacnet",
	.summary = "BACnet/IP: services, writes, routing and broadcast tables, devices",
	.transports = TRANSPORT_UDP | TRANSPORT_LINK,
	.ports = (const uint16_t[]){ PORT, 0 },
	.fields = bacnet_fields,
	/* The length of IEEE 802.3 on a link; the virtual link's types. */
	.first = (const struct byte_range[]){ { 0x00, 0x05 },
					      { LINK_IPV4, LINK_IPV6 },
					      BYTE_RANGES_END },
	.state_size = sizeof(struct bacnet),
	.probe = bacnet_probe,
	.dissect = bacnet_dissect,
};
