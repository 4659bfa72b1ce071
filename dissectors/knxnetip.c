/* SPDX-License-Identifier: Apache-2.0
 *
 * KNXnet/IP (EN ISO 22510, KNX 3/8) on UDP and TCP: who tunnels into a building's bus,
 * what is written to it, which devices are programmed or restarted, and whether that is
 * secured. Values and the names that people gave devices never leave. */
#include "dissectors/knxnetip_internal.h"

#include <stdio.h>

#define COUNTER(noun, unit, meaning) \
	{ \
		"knxnetip." noun, FIELD_COUNTER, GRAMMAR_NONE, unit, meaning, PHI_NONE, ABOUT_FLOW \
	}
#define WORDS(noun, meaning, phi) \
	{ \
		"knxnetip." noun, FIELD_TEXTS, GRAMMAR_TOKEN, "", meaning, phi, ABOUT_FLOW \
	}
#define DEVICE(noun, meaning) \
	{ \
		"knxnetip." noun, FIELD_TEXT, GRAMMAR_TOKEN, "", meaning, PHI_DEVICE, ABOUT_SERVER \
	}

const struct field knxnetip_fields[KNXNETIP_FIELD_COUNT + 1] = {
	/* clang-format off */
	[F_MESSAGES] = COUNTER("messages", "messages", "KNXnet/IP messages of all services"),
	[F_MALFORMED] = COUNTER("malformed", "messages", "messages that break the format"),
	[F_SEARCHES] = COUNTER("searches", "requests", "searches for servers"),
	[F_DESCRIPTIONS] = COUNTER("descriptions", "requests", "requests that a server describes itself"),
	[F_CONNECTS] = COUNTER("connects", "requests", "connections asked for"),
	[F_REFUSALS] = COUNTER("connects_refused", "responses", "connections that the server refused"),
	[F_CONNECTION] = WORDS("connection_type", "kinds of connections asked for: tunnel, device-management, ...", PHI_NONE),
	[F_LAYER] = WORDS("tunnel_layer", "of tunnels: link, raw, busmonitor", PHI_NONE),
	[F_TUNNELLED] = COUNTER("tunnelled", "messages", "bus messages in a tunnel, both ways"),
	[F_CONFIGURATIONS] = COUNTER("configurations", "messages", "messages of device management connections"),
	[F_ROUTED] = COUNTER("routed", "messages", "bus messages that routers multicast"),
	[F_LOST] = COUNTER("lost_indications", "messages", "routers that say they lost messages"),
	[F_BUSY] = COUNTER("busy_indications", "messages", "routers that ask others to wait"),
	[F_REPORTED] = COUNTER("reported", "messages", "bus messages that a server tells its client of; counted nowhere below"),
	[F_WRITES] = COUNTER("writes", "requests", "requests that change something: group values, memory, properties, addresses, keys"),
	[F_CONTROL] = COUNTER("control", "requests", "requests that restart a device or a server, or set a server's address"),
	[F_GROUP_READS] = COUNTER("group_reads", "requests", "group values asked for"),
	[F_GROUP_WRITES] = COUNTER("group_writes", "requests", "of the writes, of group values"),
	[F_GROUP_RESPONSES] = COUNTER("group_responses", "responses", "group values told"),
	[F_MEMORY_READS] = COUNTER("memory_reads", "requests", "reads of a device's memory"),
	[F_MEMORY_WRITES] = COUNTER("memory_writes", "requests", "of the writes, to a device's memory"),
	[F_PROPERTY_READS] = COUNTER("property_reads", "requests", "reads of a device's properties"),
	[F_PROPERTY_WRITES] = COUNTER("property_writes", "requests", "of the writes, of a device's properties"),
	[F_ADDRESS_WRITES] = COUNTER("address_writes", "requests", "of the writes, of individual and domain addresses"),
	[F_RESTARTS] = COUNTER("restarts", "requests", "devices told to restart"),
	[F_AUTHORIZATIONS] = COUNTER("authorizations", "requests", "keys offered to a device"),
	[F_KEY_WRITES] = COUNTER("key_writes", "requests", "of the writes, of a device's keys"),
	[F_SECURE_DATA] = COUNTER("data_secure", "messages", "bus messages secured end to end"),
	[F_OTHER] = COUNTER("other_services", "messages", "bus messages of other kinds"),
	[F_DIAGNOSES] = COUNTER("remote_diagnostics", "requests", "requests for remote diagnosis"),
	[F_REMOTE_CONFIGURATIONS] = COUNTER("remote_configurations", "requests", "settings of a server's IP address"),
	[F_REMOTE_RESETS] = COUNTER("remote_resets", "requests", "servers told to restart"),
	[F_SECURE] = COUNTER("secure", "messages", "messages in a secure wrapper"),
	[F_SESSIONS] = COUNTER("secure_sessions", "requests", "secure sessions asked for"),
	[F_SESSION_FAILURES] = COUNTER("secure_session_failures", "messages", "secure sessions that did not authenticate"),
	[F_SOURCE] = WORDS("source", "individual addresses that sent, as 1.1.2", PHI_DEVICE),
	[F_GROUP] = WORDS("group", "group addresses written or read, as 1/0/7", PHI_NONE),
	[F_TARGET] = WORDS("target", "individual addresses that were sent to", PHI_DEVICE),
	[F_ADDRESS] = DEVICE("individual_address", "the server's own individual address, as it describes itself"),
	[F_SERIAL] = DEVICE("serial", "its KNX serial number, the maker's number first"),
	[F_MEDIUM] = DEVICE("medium", "the bus it serves: tp1, pl110, rf, ip"),
	/* clang-format on */
	[KNXNETIP_FIELD_COUNT] = { .name = NULL },
};

enum service {
	SEARCH_REQUEST = 0x0201,
	SEARCH_RESPONSE = 0x0202,
	DESCRIPTION_REQUEST = 0x0203,
	DESCRIPTION_RESPONSE = 0x0204,
	CONNECT_REQUEST = 0x0205,
	CONNECT_RESPONSE = 0x0206,
	STATE_REQUEST = 0x0207,
	STATE_RESPONSE = 0x0208,
	DISCONNECT_REQUEST = 0x0209,
	DISCONNECT_RESPONSE = 0x020a,
	SEARCH_REQUEST_EXTENDED = 0x020b,
	SEARCH_RESPONSE_EXTENDED = 0x020c,
	CONFIGURATION_REQUEST = 0x0310,
	CONFIGURATION_ACK = 0x0311,
	TUNNELLING_REQUEST = 0x0420,
	TUNNELLING_ACK = 0x0421,
	FEATURE_GET = 0x0422,
	FEATURE_RESPONSE = 0x0423,
	FEATURE_SET = 0x0424,
	FEATURE_INFO = 0x0425,
	ROUTING_INDICATION = 0x0530,
	ROUTING_LOST = 0x0531,
	ROUTING_BUSY = 0x0532,
	ROUTING_SYSTEM_BROADCAST = 0x0533,
	DIAGNOSTIC_REQUEST = 0x0740,
	DIAGNOSTIC_RESPONSE = 0x0741,
	BASIC_CONFIGURATION = 0x0742,
	RESET_REQUEST = 0x0743,
	SECURE_WRAPPER = 0x0950,
	SESSION_REQUEST = 0x0951,
	SESSION_RESPONSE = 0x0952,
	SESSION_AUTHENTICATE = 0x0953,
	SESSION_STATUS = 0x0954,
	TIMER_NOTIFY = 0x0955,
};

enum { PORT = 3671, HEADER = 6, VERSION_1 = 0x10, MESSAGE_MOST = 2048, BROKEN_MOST = 4 };
enum { UNCOUNTED = 0xff };

/* `least` octets behind the header; the role of who sends it; what it counts as. */
static const struct kind {
	uint16_t service;
	uint8_t least, role, field;
} kinds[] = {
	{ SEARCH_REQUEST, 8, ROLE_SENDER_IS_CLIENT, F_SEARCHES },
	{ SEARCH_RESPONSE, 8, ROLE_SENDER_IS_SERVER, UNCOUNTED },
	{ DESCRIPTION_REQUEST, 8, ROLE_SENDER_IS_CLIENT, F_DESCRIPTIONS },
	{ DESCRIPTION_RESPONSE, 2, ROLE_SENDER_IS_SERVER, UNCOUNTED },
	{ CONNECT_REQUEST, 18, ROLE_SENDER_IS_CLIENT, F_CONNECTS },
	{ CONNECT_RESPONSE, 2, ROLE_SENDER_IS_SERVER, UNCOUNTED },
	{ STATE_REQUEST, 2, ROLE_SENDER_IS_CLIENT, UNCOUNTED },
	{ STATE_RESPONSE, 2, ROLE_SENDER_IS_SERVER, UNCOUNTED },
	{ DISCONNECT_REQUEST, 2, ROLE_UNKNOWN, UNCOUNTED },
	{ DISCONNECT_RESPONSE, 2, ROLE_UNKNOWN, UNCOUNTED },
	{ SEARCH_REQUEST_EXTENDED, 8, ROLE_SENDER_IS_CLIENT, F_SEARCHES },
	{ SEARCH_RESPONSE_EXTENDED, 8, ROLE_SENDER_IS_SERVER, UNCOUNTED },
	{ CONFIGURATION_REQUEST, 5, ROLE_UNKNOWN, F_CONFIGURATIONS },
	{ CONFIGURATION_ACK, 4, ROLE_UNKNOWN, UNCOUNTED },
	{ TUNNELLING_REQUEST, 5, ROLE_UNKNOWN, F_TUNNELLED },
	{ TUNNELLING_ACK, 4, ROLE_UNKNOWN, UNCOUNTED },
	{ FEATURE_GET, 6, ROLE_SENDER_IS_CLIENT, UNCOUNTED },
	{ FEATURE_RESPONSE, 6, ROLE_SENDER_IS_SERVER, UNCOUNTED },
	{ FEATURE_SET, 6, ROLE_SENDER_IS_CLIENT, UNCOUNTED },
	{ FEATURE_INFO, 6, ROLE_SENDER_IS_SERVER, UNCOUNTED },
	{ ROUTING_INDICATION, 2, ROLE_UNKNOWN, F_ROUTED },
	{ ROUTING_LOST, 4, ROLE_UNKNOWN, F_LOST },
	{ ROUTING_BUSY, 6, ROLE_UNKNOWN, F_BUSY },
	{ ROUTING_SYSTEM_BROADCAST, 2, ROLE_UNKNOWN, F_ROUTED },
	{ DIAGNOSTIC_REQUEST, 8, ROLE_SENDER_IS_CLIENT, F_DIAGNOSES },
	{ DIAGNOSTIC_RESPONSE, 2, ROLE_SENDER_IS_SERVER, UNCOUNTED },
	{ BASIC_CONFIGURATION, 8, ROLE_SENDER_IS_CLIENT, F_REMOTE_CONFIGURATIONS },
	{ RESET_REQUEST, 2, ROLE_SENDER_IS_CLIENT, F_REMOTE_RESETS },
	{ SECURE_WRAPPER, 32, ROLE_UNKNOWN, F_SECURE },
	{ SESSION_REQUEST, 8, ROLE_SENDER_IS_CLIENT, F_SESSIONS },
	{ SESSION_RESPONSE, 2, ROLE_SENDER_IS_SERVER, UNCOUNTED },
	{ SESSION_AUTHENTICATE, 2, ROLE_SENDER_IS_CLIENT, UNCOUNTED },
	{ SESSION_STATUS, 2, ROLE_SENDER_IS_SERVER, UNCOUNTED },
	{ TIMER_NOTIFY, 28, ROLE_UNKNOWN, UNCOUNTED },
};

struct knx {
	bool lost[2]; /* TCP: where a message begins is unknown */
	bool known;
	uint8_t broken; /* messages in a row */
};

struct message {
	const struct kind *kind;
	struct cursor body;
};

enum reading { READ_OK, READ_SHORT, READ_BAD };

static const struct kind *kind_of(uint16_t service)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].service == service)
			return &kinds[i];
	return NULL;
}

/* 3/8/1: size of the header, version, service, size of all. */
static enum reading read_message(struct cursor *at, struct message *m)
{
	struct cursor c = *at;
	int size = cursor_peek(&c, 0), version = cursor_peek(&c, 1);

	if ((size >= 0 && size != HEADER) || (version >= 0 && version != VERSION_1))
		return READ_BAD;
	cursor_skip(&c, 2);
	uint16_t service = cursor_be16(&c);
	if (c.failed)
		return READ_SHORT;
	m->kind = kind_of(service);
	if (!m->kind)
		return READ_BAD;
	uint16_t total = cursor_be16(&c);
	if (c.failed)
		return READ_SHORT;
	if (total < HEADER + m->kind->least || total > MESSAGE_MOST)
		return READ_BAD;
	m->body = cursor_sub(&c, total - HEADER);
	if (c.failed)
		return READ_SHORT;
	*at = c;
	return READ_OK;
}

static enum probe_result knx_probe(struct cursor bytes, enum transport transport,
				   uint16_t source_port, uint16_t dest_port, bool midstream)
{
	struct cursor c = bytes;
	struct message m;
	bool cut = cursor_left(&bytes) == DISSECT_PROBE_MOST;

	(void)source_port;
	(void)dest_port;
	(void)midstream; /* a segment that starts with a message starts with one anywhere */
	switch (read_message(&c, &m)) {
	case READ_OK:
		return transport == TRANSPORT_TCP || cursor_left(&c) == 0 ? PROBE_YES : PROBE_NO;
	case READ_SHORT:
		if (cut)
			return PROBE_YES;
		return transport == TRANSPORT_TCP ? PROBE_MORE : PROBE_NO;
	case READ_BAD:
		break;
	}
	return PROBE_NO;
}

static void count(const struct knxnetip_call *call, unsigned field)
{
	attributes_add(call->out, &knxnetip_fields[field], 1);
}

static void note(const struct knxnetip_call *call, unsigned field, const char *text)
{
	attributes_text(call->out, &knxnetip_fields[field], text, strlen(text));
}

/* 3/8/2, 7.5.4.2: medium, status, address, project, serial number, multicast address, MAC,
 * and the name that somebody gave it. */
static void note_device(const struct knxnetip_call *call, struct cursor c)
{
	static const char *const media[] = { [1] = "tp1", [2] = "pl110", [4] = "rf", [5] = "ip" };
	char text[13];

	uint8_t medium = cursor_u8(&c); /* one bit */
	cursor_skip(&c, 1);
	uint16_t address = cursor_be16(&c);
	cursor_skip(&c, 2);
	const uint8_t *serial = cursor_take(&c, 6);
	if (!serial)
		return;
	for (unsigned i = 0; i < sizeof(media) / sizeof(*media); i++)
		if (media[i] && medium == 1U << i)
			note(call, F_MEDIUM, media[i]);
	knxnetip_individual(call, F_ADDRESS, address);
	static const uint8_t unset[6];
	if (!memcmp(serial, unset, sizeof(unset)))
		return;
	for (size_t i = 0; i < 6; i++)
		snprintf(text + 2 * i, 3, "%02x", serial[i]);
	note(call, F_SERIAL, text);
}

/* Description information blocks: length, type, data. */
static void note_description(const struct knxnetip_call *call, struct cursor c)
{
	enum { DEVICE_INFORMATION = 1 };

	while (cursor_left(&c)) {
		uint8_t length = cursor_u8(&c);
		uint8_t type = cursor_u8(&c);
		if (length < 2)
			return;
		struct cursor block = cursor_sub(&c, length - 2U);
		if (c.failed)
			return;
		if (type == DEVICE_INFORMATION)
			note_device(call, block);
	}
}

/* 3/8/2, 7.5.1: connection request information: length, type, and of tunnels the layer. */
static void note_connect(const struct knxnetip_call *call, struct cursor c)
{
	enum { TUNNEL = 4 };
	const char *type = NULL, *layer = NULL;

	cursor_skip(&c, 17); /* two endpoints, and the length */
	switch (cursor_u8(&c)) {
	case 3:
		type = "device-management";
		break;
	case TUNNEL:
		type = "tunnel";
		switch (cursor_u8(&c)) {
		case 0x02:
			layer = "link";
			break;
		case 0x04:
			layer = "raw";
			break;
		case 0x80:
			layer = "busmonitor";
			break;
		}
		break;
	case 6:
		type = "remote-logging";
		break;
	case 7:
		type = "remote-configuration";
		break;
	case 8:
		type = "object-server";
		break;
	}
	if (type)
		note(call, F_CONNECTION, type);
	if (layer)
		note(call, F_LAYER, layer);
}

static void note_message(const struct knxnetip_call *call, const struct message *m)
{
	struct cursor c = m->body;

	count(call, F_MESSAGES);
	if (m->kind->field != UNCOUNTED)
		count(call, m->kind->field);
	call->in->role = m->kind->role;
	call->in->confidence = CONFIDENCE_HIGH;
	switch ((enum service)m->kind->service) {
	case SEARCH_RESPONSE:
	case SEARCH_RESPONSE_EXTENDED:
		cursor_skip(&c, 8); /* its endpoint */
		note_description(call, c);
		break;
	case DESCRIPTION_RESPONSE:
		note_description(call, c);
		break;
	case CONNECT_REQUEST:
		note_connect(call, c);
		break;
	case CONNECT_RESPONSE:
		if (cursor_peek(&c, 1) != 0)
			count(call, F_REFUSALS);
		break;
	case TUNNELLING_REQUEST:
	case CONFIGURATION_REQUEST:
		cursor_skip(&c, 4); /* channel and sequence number */
		knxnetip_cemi(call, c, false);
		break;
	case ROUTING_INDICATION:
	case ROUTING_SYSTEM_BROADCAST:
		knxnetip_cemi(call, c, true);
		break;
	case SESSION_STATUS: /* 1: it did not authenticate, 2: it has not */
		if (cursor_peek(&c, 0) == 1 || cursor_peek(&c, 0) == 2)
			count(call, F_SESSION_FAILURES);
		break;
	case BASIC_CONFIGURATION:
	case RESET_REQUEST:
		count(call, F_CONTROL);
		break;
	case SECURE_WRAPPER:
		call->in->encrypted = true;
		break;
	default:
		break;
	}
}

static enum dissect_result dissect_udp(struct knx *s, const struct knxnetip_call *call)
{
	struct cursor whole = cursor_sub(&call->in->bytes, cursor_left(&call->in->bytes));
	struct message m;

	if (read_message(&whole, &m) == READ_OK && cursor_left(&whole) == 0) {
		note_message(call, &m);
		s->known = true;
		return DISSECT_MORE;
	}
	if (!s->known)
		return DISSECT_NOT_MINE;
	count(call, F_MALFORMED);
	return DISSECT_MORE;
}

static enum dissect_result lose(struct knx *s, struct dissect_input *in)
{
	s->lost[in->direction & 1] = true;
	cursor_skip(&in->bytes, cursor_left(&in->bytes));
	return DISSECT_MORE;
}

static enum dissect_result dissect_tcp(struct knx *s, const struct knxnetip_call *call)
{
	struct dissect_input *in = call->in;
	bool *lost = &s->lost[in->direction & 1];
	struct message m;

	*lost |= in->gap;
	while (cursor_left(&in->bytes)) {
		enum reading r = read_message(&in->bytes, &m);
		if (r == READ_SHORT)
			return DISSECT_MORE;
		if (r == READ_BAD && *lost) /* the next segment may begin with one */
			return lose(s, in);
		if (r == READ_BAD) {
			if (!s->known)
				return DISSECT_NOT_MINE;
			count(call, F_MALFORMED);
			return ++s->broken == BROKEN_MOST ? DISSECT_MALFORMED : lose(s, in);
		}
		note_message(call, &m);
		s->known = true;
		*lost = false;
		s->broken = 0;
	}
	return DISSECT_MORE;
}

static enum dissect_result knx_dissect(void *state, struct dissect_input *in,
				       struct attributes *out)
{
	struct knxnetip_call call = { .in = in, .out = out };

	return in->transport == TRANSPORT_UDP ? dissect_udp(state, &call)
					      : dissect_tcp(state, &call);
}

const struct dissector dissector_knxnetip = {
	.name = "knxnetip",
	.summary = "KNXnet/IP: tunnels, routing, writes to the bus, programming, secure sessions",
	.transports = TRANSPORT_TCP | TRANSPORT_UDP,
	.ports = (const uint16_t[]){ PORT, 0 },
	.fields = knxnetip_fields,
	.first = (const struct byte_range[]){ { HEADER, HEADER }, BYTE_RANGES_END },
	.state_size = sizeof(struct knx),
	.probe = knx_probe,
	.dissect = knx_dissect,
};
