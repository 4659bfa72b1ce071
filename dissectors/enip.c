/* SPDX-License-Identifier: Apache-2.0
 *
 * EtherNet/IP (The CIP Networks Library, volume 2, chapter 2) over TCP and UDP, any
 * port: the encapsulation with its sessions and identities, and the CIP services in
 * it; over UDP also the packets of cyclic input and output, which have no
 * encapsulation header (usually port 2222). */
#include "dissectors/enip_internal.h"

#include <stdio.h>

const struct field enip_fields[ENIP_FIELD_COUNT + 1] = {
	/* clang-format off */
	[F_COMMAND] = { "enip.command", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"commands of the encapsulation, as list-identity, register-session, send-rr-data", PHI_NONE, ABOUT_FLOW },
	[F_SESSIONS] = { "enip.sessions", FIELD_COUNTER, GRAMMAR_NONE, "messages", "sessions asked for", PHI_NONE, ABOUT_FLOW },
	[F_REQUESTS] = { "enip.requests", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"CIP requests, those inside of others too", PHI_NONE, ABOUT_FLOW },
	[F_RESPONSES] = { "enip.responses", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"CIP responses, those inside of others too", PHI_NONE, ABOUT_FLOW },
	[F_READS] = { "enip.reads", FIELD_COUNTER, GRAMMAR_NONE, "messages", "requests to read attributes or tags", PHI_NONE, ABOUT_FLOW },
	[F_WRITES] = { "enip.writes", FIELD_COUNTER, GRAMMAR_NONE, "messages", "requests to write attributes or tags", PHI_NONE, ABOUT_FLOW },
	[F_CONTROL] = { "enip.control", FIELD_COUNTER, GRAMMAR_NONE, "messages", "requests to reset, start or stop", PHI_NONE, ABOUT_FLOW },
	[F_RESETS] = { "enip.resets", FIELD_COUNTER, GRAMMAR_NONE, "messages", "of them, reset", PHI_NONE, ABOUT_FLOW },
	[F_STARTS] = { "enip.starts", FIELD_COUNTER, GRAMMAR_NONE, "messages", "of them, start", PHI_NONE, ABOUT_FLOW },
	[F_STOPS] = { "enip.stops", FIELD_COUNTER, GRAMMAR_NONE, "messages", "of them, stop", PHI_NONE, ABOUT_FLOW },
	[F_OBJECT_CHANGES] = { "enip.object_changes", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"requests to create, delete, apply, restore, save, insert or remove", PHI_NONE, ABOUT_FLOW },
	[F_FORWARD_OPENS] = { "enip.forward_opens", FIELD_COUNTER, GRAMMAR_NONE, "messages", "CIP connections asked for", PHI_NONE, ABOUT_FLOW },
	[F_PCCC] = { "enip.pccc", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"PCCC commands (PLC-5, SLC 500, MicroLogix), which read, write and control", PHI_NONE, ABOUT_FLOW },
	[F_OTHER] = { "enip.other", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"requests of services that only their object gives a meaning", PHI_NONE, ABOUT_FLOW },
	[F_IO] = { "enip.io_packets", FIELD_COUNTER, GRAMMAR_NONE, "packets", "packets of cyclic input and output", PHI_NONE, ABOUT_FLOW },
	[F_ERRORS] = { "enip.errors", FIELD_COUNTER, GRAMMAR_NONE, "messages", "CIP responses that are no success", PHI_NONE, ABOUT_FLOW },
	[F_STATUS] = { "enip.status", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"their general status, as 0x08 (volume 1, appendix B)", PHI_NONE, ABOUT_FLOW },
	[F_ENCAP_ERRORS] = { "enip.encapsulation_errors", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"encapsulated messages with a status that is no success", PHI_NONE, ABOUT_FLOW },
	[F_VENDOR] = { "enip.vendor", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"the device's vendor, by its number at ODVA; 1 is Rockwell Automation", PHI_DEVICE, ABOUT_SERVER },
	[F_DEVICE_TYPE] = { "enip.device_type", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"the device's profile: a word for the common ones, else its number", PHI_DEVICE, ABOUT_SERVER },
	[F_PRODUCT_CODE] = { "enip.product_code", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"the device's product, by its vendor's number", PHI_DEVICE, ABOUT_SERVER },
	[F_PRODUCT] = { "enip.product", FIELD_TEXT, GRAMMAR_PRODUCT, "", "the device's product, by name", PHI_DEVICE, ABOUT_SERVER },
	[F_REVISION] = { "enip.revision", FIELD_TEXT, GRAMMAR_VERSION, "", "the device's revision", PHI_DEVICE, ABOUT_SERVER },
	[F_SERIAL] = { "enip.serial", FIELD_TEXT, GRAMMAR_TOKEN, "", "the device's serial number", PHI_DEVICE, ABOUT_SERVER },
	[F_MALFORMED] = { "enip.malformed", FIELD_COUNTER, GRAMMAR_NONE, "messages", "messages that break the format", PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	[ENIP_FIELD_COUNT] = { .name = NULL },
};

enum {
	PORT = 44818,
	IO_PORT = 2222,
	HEADER = 24,
	SHOWN = 8192,    /* of a message; what is behind is skipped */
	BROKEN_MOST = 4, /* in a row */
	ITEMS_MOST = 16,
	ITEM_HEADER = 4,
	IO_LEAST = 2 + ITEM_HEADER + 8 + ITEM_HEADER,
};

enum {
	NOP = 0x00,
	LIST_SERVICES = 0x04,
	LIST_IDENTITY = 0x63,
	LIST_INTERFACES = 0x64,
	REGISTER = 0x65,
	UNREGISTER = 0x66,
	SEND_RR = 0x6f,
	SEND_UNIT = 0x70,
	COMMAND_MOST = SEND_UNIT,
};

static const char *const command_words[COMMAND_MOST + 1] = {
	[NOP] = "nop",
	[LIST_SERVICES] = "list-services",
	[LIST_IDENTITY] = "list-identity",
	[LIST_INTERFACES] = "list-interfaces",
	[REGISTER] = "register-session",
	[UNREGISTER] = "unregister-session",
	[SEND_RR] = "send-rr-data",
	[SEND_UNIT] = "send-unit-data",
};

/* Volume 2, 2-6: items of the common packet format. */
enum {
	ITEM_NULL = 0x00,
	ITEM_IDENTITY = 0x0c,
	ITEM_CONNECTION = 0xa1,
	ITEM_CONNECTED = 0xb1,
	ITEM_UNCONNECTED = 0xb2,
	ITEM_SERVICES = 0x100,
	ITEM_SEQUENCED = 0x8002,
};

struct enip {
	bool known; /* a good message was seen */
	bool lost[2];
	uint8_t broken;
};

struct header {
	uint16_t command, size;
	uint32_t session, status, options;
};

/* All little-endian: command, length, session, status, context of 8 bytes, options. */
static struct header read_header(struct cursor *c)
{
	struct header h;

	h.command = cursor_le16(c);
	h.size = cursor_le16(c);
	h.session = cursor_le32(c);
	h.status = cursor_le32(c);
	cursor_skip(c, 8);
	h.options = cursor_le32(c);
	return h;
}

static bool status_is_known(uint32_t status)
{
	return status <= 3 || status == 0x64 || status == 0x65 || status == 0x69 || status == 0x6a;
}

static bool header_is_sane(const struct header *h)
{
	if (h->command > COMMAND_MOST || !command_words[h->command] || h->options ||
	    !status_is_known(h->status))
		return false;
	switch (h->command) {
	case LIST_SERVICES:
	case LIST_IDENTITY:
	case LIST_INTERFACES:
		return h->size != 1;
	case REGISTER:
		return h->size == 4 || (h->status && h->size == 0);
	case UNREGISTER:
		return h->size == 0;
	case SEND_RR:
	case SEND_UNIT: /* errors come without data */
		return h->session && (h->size >= 16 || (h->status && h->size == 0));
	default:
		return true;
	}
}

/* The answers of a LAN to whom it is asked: a count and items. */
static bool is_list(struct cursor data, unsigned item)
{
	unsigned count = cursor_le16(&data);

	if (count == 0)
		return item == 0 && !data.failed;
	unsigned type = cursor_le16(&data);
	size_t size = cursor_le16(&data);
	return !data.failed && count <= ITEMS_MOST && (!item || type == item) &&
	       size <= cursor_left(&data);
}

/* Interface u32 (CIP: 0), timeout u16, a count of items, of which the first is an
 * address: none, or a connection u32. */
static bool is_send(struct cursor data)
{
	uint32_t interface = cursor_le32(&data);
	cursor_skip(&data, 2);
	unsigned count = cursor_le16(&data);
	unsigned type = cursor_le16(&data);
	unsigned size = cursor_le16(&data);

	return !data.failed && interface == 0 && count >= 2 && count <= ITEMS_MOST &&
	       ((type == ITEM_NULL && size == 0) || (type == ITEM_CONNECTION && size == 4));
}

/* Is what stands behind the header what the command says? `whole`: there is no more. */
static bool data_is_sane(const struct header *h, struct cursor data)
{
	if (h->size == 0)
		return true;
	switch (h->command) {
	case LIST_IDENTITY:
		return is_list(data, ITEM_IDENTITY);
	case LIST_SERVICES:
		return is_list(data, ITEM_SERVICES);
	case LIST_INTERFACES:
		return is_list(data, 0);
	case REGISTER: /* version 1, no flags */
		return cursor_le16(&data) == 1 && cursor_le16(&data) == 0 && !data.failed;
	case SEND_RR:
	case SEND_UNIT:
		return is_send(data);
	default:
		return true;
	}
}

enum { DATA_JUDGED = 12 };

/* At a message that a conversation may begin with; `midstream`: one that carries CIP. */
static enum probe_result look(struct cursor c, bool midstream)
{
	int command = cursor_peek(&c, 0);

	if (command < 0)
		return PROBE_MORE;
	if (command > COMMAND_MOST || command == NOP || !command_words[command] ||
	    cursor_peek(&c, 1) > 0)
		return PROBE_NO;
	/* Twelve bytes of a session's request are always the same. */
	struct cursor early = c;
	if (command == REGISTER && !midstream && cursor_left(&c) < HEADER + 4 &&
	    cursor_le32(&early) == 0x00040065 && cursor_le64(&early) == 0 && !early.failed)
		return PROBE_YES;
	struct header h = read_header(&c);
	if (c.failed)
		return PROBE_MORE;
	bool carries = command == SEND_RR || command == SEND_UNIT;
	if (!header_is_sane(&h) || (midstream && !(carries && h.size)))
		return PROBE_NO;
	if (h.size && cursor_left(&c) < (h.size < DATA_JUDGED ? h.size : DATA_JUDGED))
		return PROBE_MORE;
	/* A list that is shown in part cannot be judged whole. */
	if (carries || cursor_left(&c) >= h.size)
		return data_is_sane(&h, c) ? PROBE_YES : PROBE_NO;
	return PROBE_MORE;
}

/* Cyclic data: a sequenced address (connection u32, number u32) and data, no more. */
static bool is_io(struct cursor c)
{
	unsigned count = cursor_le16(&c);
	unsigned type = cursor_le16(&c);
	unsigned size = cursor_le16(&c);
	cursor_skip(&c, 8);
	unsigned data = cursor_le16(&c);
	size_t data_size = cursor_le16(&c);

	return !c.failed && count == 2 && type == ITEM_SEQUENCED && size == 8 &&
	       data == ITEM_CONNECTED && data_size == cursor_left(&c);
}

static enum probe_result probe_udp(struct cursor c, bool hinted)
{
	if (cursor_peek(&c, 0) == 2)
		return is_io(c) ? PROBE_YES : PROBE_NO;
	struct cursor data = c;
	struct header h = read_header(&data);
	bool list = h.command == LIST_IDENTITY || h.command == LIST_SERVICES ||
		    h.command == LIST_INTERFACES;

	if (data.failed || !list || !header_is_sane(&h) || h.session ||
	    h.size != cursor_left(&data) || !data_is_sane(&h, data))
		return PROBE_NO;
	/* A question has nothing that others could not have: zeroes and a length. */
	return h.size || hinted || h.command == LIST_IDENTITY ? PROBE_YES : PROBE_NO;
}

/* A place where a message begins, anywhere in the bytes: moves there, or to where one
 * may begin that is not all here. Only those that carry CIP are sure enough. */
static enum probe_result find(struct cursor *c)
{
	while (cursor_left(c)) {
		int command = cursor_peek(c, 0);
		enum probe_result r =
			command == SEND_RR || command == SEND_UNIT ? look(*c, true) : PROBE_NO;
		if (r == PROBE_YES || (r == PROBE_MORE && cursor_left(c) < HEADER + DATA_JUDGED))
			return r;
		cursor_skip(c, 1);
	}
	return PROBE_NO;
}

static enum probe_result enip_probe(struct cursor bytes, enum transport transport,
				    uint16_t source_port, uint16_t dest_port, bool midstream)
{
	if (transport == TRANSPORT_UDP)
		return probe_udp(bytes, source_port == PORT || dest_port == PORT);
	return look(bytes, midstream);
}

static void record_number(struct enip_call *call, enum enip_field f, unsigned v)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", v);

	attributes_text(call->out, &enip_fields[f], text, (size_t)n);
}

/* Volume 1, 6-1: the profiles that are met most, the rest by number. */
static void record_device_type(struct enip_call *call, unsigned type)
{
	static const struct {
		uint16_t type;
		const char *word;
	} words[] = {
		{ 0x02, "ac-drive" },
		{ 0x03, "motor-overload" },
		{ 0x04, "limit-switch" },
		{ 0x05, "proximity-switch" },
		{ 0x06, "photo-sensor" },
		{ 0x07, "digital-io" },
		{ 0x09, "resolver" },
		{ 0x0c, "communications-adapter" },
		{ 0x0e, "plc" },
		{ 0x10, "position-controller" },
		{ 0x13, "dc-drive" },
		{ 0x15, "contactor" },
		{ 0x16, "motor-starter" },
		{ 0x17, "soft-starter" },
		{ 0x18, "hmi" },
		{ 0x1a, "mass-flow-controller" },
		{ 0x1b, "pneumatic-valve" },
		{ 0x1c, "vacuum-gauge" },
		{ 0x22, "encoder" },
		{ 0x25, "cnc" },
		{ 0x2c, "managed-switch" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].type == type) {
			attributes_text(call->out, &enip_fields[F_DEVICE_TYPE], words[i].word,
					strlen(words[i].word));
			return;
		}
	}
	record_number(call, F_DEVICE_TYPE, type);
}

/* Volume 2, 2-4.3: version u16, socket address of 16 bytes (big-endian), then vendor,
 * type, product, revision u8 u8, status, serial u32, name with its length u8, state. */
static void record_identity(struct enip_call *call, struct cursor item)
{
	char text[16];

	cursor_skip(&item, 2 + 16);
	unsigned vendor = cursor_le16(&item);
	unsigned type = cursor_le16(&item);
	unsigned product = cursor_le16(&item);
	unsigned major = cursor_u8(&item);
	unsigned minor = cursor_u8(&item);
	cursor_skip(&item, 2);
	uint32_t serial = cursor_le32(&item);
	struct cursor name = cursor_sub(&item, cursor_u8(&item));
	if (item.failed)
		return;
	record_number(call, F_VENDOR, vendor);
	record_device_type(call, type);
	record_number(call, F_PRODUCT_CODE, product);
	int n = snprintf(text, sizeof(text), "%u.%u", major, minor);
	attributes_text(call->out, &enip_fields[F_REVISION], text, (size_t)n);
	n = snprintf(text, sizeof(text), "0x%08x", (unsigned)serial);
	attributes_text(call->out, &enip_fields[F_SERIAL], text, (size_t)n);
	size_t length = cursor_left(&name);
	while (length && (cursor_peek(&name, length - 1) == ' ' || !cursor_peek(&name, length - 1)))
		length--;
	attributes_text(call->out, &enip_fields[F_PRODUCT], name.at, length);
}

static void read_list(struct enip_call *call, const struct header *h, struct cursor data)
{
	if (h->size == 0) {
		call->in->role = ROLE_SENDER_IS_CLIENT;
		return;
	}
	call->in->role = ROLE_SENDER_IS_SERVER;
	unsigned count = cursor_le16(&data);
	for (unsigned i = 0; i < count && i < ITEMS_MOST && cursor_left(&data); i++) {
		unsigned type = cursor_le16(&data);
		struct cursor item = cursor_sub(&data, cursor_le16(&data));
		if (type == ITEM_IDENTITY && !item.failed)
			record_identity(call, item);
	}
}

/* Items until the one with the message; a connected one has a number u16 in front. */
static bool read_send(struct enip_call *call, struct cursor data)
{
	if (!is_send(data))
		return false;
	cursor_skip(&data, 6);
	unsigned count = cursor_le16(&data);
	for (unsigned i = 0; i < count; i++) {
		unsigned type = cursor_le16(&data);
		size_t size = cursor_le16(&data);
		if (data.failed)
			return false;
		/* The message stands last, and may be longer than what is shown. */
		bool cut = size > cursor_left(&data);
		struct cursor item = cursor_sub(&data, cut ? cursor_left(&data) : size);
		if (type == ITEM_CONNECTED)
			cursor_skip(&item, 2);
		if (type == ITEM_CONNECTED || type == ITEM_UNCONNECTED)
			return enip_cip(call, item);
	}
	return true;
}

/* Only a server has a status to tell; requests have zero there. */
static bool read_message(struct enip_call *call, const struct header *h, struct cursor data)
{
	const char *word = command_words[h->command];

	attributes_text(call->out, &enip_fields[F_COMMAND], word, strlen(word));
	if (h->status) {
		enip_count(call, F_ENCAP_ERRORS);
		call->in->role = ROLE_SENDER_IS_SERVER;
	}
	if (h->size == 0 && h->status)
		return true;
	switch (h->command) {
	case LIST_SERVICES:
	case LIST_IDENTITY:
	case LIST_INTERFACES:
		read_list(call, h, data);
		return true;
	case REGISTER:
		/* A request has no session yet. */
		if (h->session == 0 && h->status == 0)
			enip_count(call, F_SESSIONS);
		call->in->role =
			h->session || h->status ? ROLE_SENDER_IS_SERVER : ROLE_SENDER_IS_CLIENT;
		return true;
	case UNREGISTER:
		return true;
	case SEND_RR:
	case SEND_UNIT:
		return read_send(call, data);
	default:
		return true;
	}
}

static void claim(struct enip *s, struct dissect_input *in, bool sure)
{
	if (!s->known)
		in->confidence = sure ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
	else if (sure)
		in->confidence = CONFIDENCE_HIGH;
	s->known = true;
	s->broken = 0;
}

static enum dissect_result dissect_udp(struct enip *s, struct enip_call *call)
{
	struct dissect_input *in = call->in;
	struct cursor data = in->bytes;
	bool hinted = in->source_port == PORT || in->dest_port == PORT;

	if (is_io(data)) {
		enip_count(call, F_IO);
		claim(s, in, true);
		return DISSECT_MORE;
	}
	if (probe_udp(data, hinted) != PROBE_YES) {
		if (!s->known)
			return DISSECT_NOT_MINE;
		enip_count(call, F_MALFORMED);
		return DISSECT_MORE;
	}
	struct header h = read_header(&data);
	(void)read_message(call, &h, data);
	claim(s, in, hinted || h.size);
	return DISSECT_MORE;
}

static enum dissect_result dissect_tcp(struct enip *s, struct enip_call *call)
{
	struct dissect_input *in = call->in;
	bool *lost = &s->lost[in->direction & 1];

	*lost |= in->gap;
	while (cursor_left(&in->bytes) && !in->skip) {
		if (*lost && find(&in->bytes) != PROBE_YES)
			return DISSECT_MORE;
		*lost = false;
		struct cursor data = in->bytes;
		struct header h = read_header(&data);
		if (data.failed)
			return DISSECT_MORE;
		bool sane = header_is_sane(&h);
		size_t shown = h.size < SHOWN ? h.size : SHOWN;
		if (sane && cursor_left(&data) < shown)
			return DISSECT_MORE;
		data = cursor_sub(&data, sane ? shown : 0);
		if (sane && data_is_sane(&h, data) && read_message(call, &h, data)) {
			claim(s, in, s->known || !in->gap);
		} else {
			if (!s->known)
				return DISSECT_NOT_MINE;
			enip_count(call, F_MALFORMED);
			if (++s->broken == BROKEN_MOST)
				return DISSECT_MALFORMED;
			*lost = !sane;
		}
		dissect_pass_over(in, sane ? HEADER + (size_t)h.size : 1);
	}
	return DISSECT_MORE;
}

static enum dissect_result enip_dissect(void *state, struct dissect_input *in,
					struct attributes *out)
{
	struct enip_call call = { .in = in, .out = out };

	return in->transport == TRANSPORT_UDP ? dissect_udp(state, &call)
					      : dissect_tcp(state, &call);
}

const struct dissector dissector_enip = {
	.name = "enip",
	.summary = "EtherNet/IP and the CIP services in it, TCP and UDP",
	.transports = TRANSPORT_TCP | TRANSPORT_UDP,
	.ports = (const uint16_t[]){ PORT, IO_PORT, 0 },
	.fields = enip_fields,
	.first = (const struct byte_range[]){ { 2, 2 },
					      { LIST_SERVICES, LIST_SERVICES },
					      { LIST_IDENTITY, UNREGISTER },
					      { SEND_RR, SEND_UNIT },
					      BYTE_RANGES_END },
	.state_size = sizeof(struct enip),
	.probe = enip_probe,
	.dissect = enip_dissect,
};
