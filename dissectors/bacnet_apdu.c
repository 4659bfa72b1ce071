/* SPDX-License-Identifier: Apache-2.0
 *
 * BACnet's application layer (ANSI/ASHRAE 135, clause 20): what is asked of devices,
 * and how it ends. Of parameters only object types, property identifiers and a few
 * enumerations are read; values, names and passwords are stepped over. */
#include "dissectors/bacnet_internal.h"

#include <stdio.h>

enum apdu_type {
	APDU_CONFIRMED,
	APDU_UNCONFIRMED,
	APDU_SIMPLE_ACK,
	APDU_COMPLEX_ACK,
	APDU_SEGMENT_ACK,
	APDU_ERROR,
	APDU_REJECT,
	APDU_ABORT,
};

/* The first byte's low half. */
enum { SEGMENTED = 8, ABORT_BY_SERVER = 1 };

struct apdu {
	enum apdu_type type;
	bool begins; /* not a further segment of a message */
	bool segmented, by_server;
	uint8_t service; /* or the reason of a reject or an abort */
	struct cursor parameters;
};

/* 20.1.2: type and flags, (request: most segments and octets), invoke id, (segment
 * number, window), service. Unconfirmed: flags, service. */
static bool read_apdu(struct cursor c, struct apdu *a)
{
	uint8_t first = cursor_u8(&c);

	if (first >> 4 > APDU_ABORT)
		return false;
	*a = (struct apdu){ .type = first >> 4, .begins = true };
	a->by_server = first & ABORT_BY_SERVER;
	if (a->type == APDU_CONFIRMED)
		cursor_skip(&c, 1);
	if (a->type != APDU_UNCONFIRMED)
		cursor_skip(&c, 1);
	if ((a->type == APDU_CONFIRMED || a->type == APDU_COMPLEX_ACK) && first & SEGMENTED) {
		a->segmented = true;
		a->begins = cursor_u8(&c) == 0;
		cursor_skip(&c, 1);
	}
	if (a->type == APDU_SEGMENT_ACK)
		cursor_skip(&c, 2);
	else
		a->service = cursor_u8(&c);
	a->parameters = c;
	return !c.failed;
}

bool bacnet_apdu_is_sane(struct cursor apdu)
{
	struct apdu a;
	return read_apdu(apdu, &a);
}

struct tag {
	unsigned number;
	bool context, opening, closing;
	struct cursor value;
};

enum { TAG_CONTEXT = 8, TAG_LONG = 5, TAG_OPENING = 6, TAG_CLOSING = 7, TAG_BOOLEAN = 1 };
enum { TAG_UNSIGNED = 2, TAG_ENUMERATED = 9, TAG_OBJECT = 12 };

/* 20.2.1: number (15: in the next octet), class, and a length or what stands for one. */
static bool read_tag(struct cursor *c, struct tag *t)
{
	uint8_t first = cursor_u8(c);
	uint32_t length = first & 7;

	*t = (struct tag){ .number = first >> 4, .context = first & TAG_CONTEXT };
	if (t->number == 15)
		t->number = cursor_u8(c);
	t->opening = t->context && length == TAG_OPENING;
	t->closing = t->context && length == TAG_CLOSING;
	if (t->opening || t->closing)
		return !c->failed;
	if (!t->context && t->number == TAG_BOOLEAN)
		length = 0;
	if (length == TAG_LONG) {
		length = cursor_u8(c);
		if (length == 254)
			length = cursor_be16(c);
		else if (length == 255)
			length = cursor_be32(c);
	}
	t->value = cursor_sub(c, length);
	return !c->failed;
}

/* 20.2.4: as many octets as it takes. */
static bool read_unsigned(const struct tag *t, uint32_t *n)
{
	struct cursor c = t->value;
	size_t left = cursor_left(&c);

	if (t->opening || t->closing || left == 0 || left > 4)
		return false;
	for (*n = 0; cursor_left(&c);)
		*n = *n << 8 | cursor_u8(&c);
	return true;
}

/* 20.2.14: a type of ten bits, an instance of 22. */
static bool read_object(const struct tag *t, uint32_t *type, uint32_t *instance)
{
	uint32_t id;

	if (cursor_left(&t->value) != 4 || !read_unsigned(t, &id))
		return false;
	*type = id >> 22;
	*instance = id & 0x3fffff;
	return true;
}

static bool is_context(const struct tag *t, unsigned number)
{
	return t->context && !t->opening && !t->closing && t->number == number;
}

static void note_type(const struct bacnet_call *call, unsigned field, const struct tag *t)
{
	uint32_t type, instance;

	if (read_object(t, &type, &instance))
		bacnet_word(call, field, WORD_OBJECT_TYPE, type);
}

static void note_property(const struct bacnet_call *call, const struct tag *t)
{
	uint32_t property;

	if (read_unsigned(t, &property))
		bacnet_word(call, F_WRITTEN_PROPERTY, WORD_PROPERTY, property);
}

/* [0] object, [1] property, then anything. */
static void note_reference(const struct bacnet_call *call, struct cursor c, bool write)
{
	struct tag t;

	if (!read_tag(&c, &t) || !is_context(&t, 0))
		return;
	note_type(call, write ? F_WRITTEN_TYPE : F_OBJECT_TYPE, &t);
	if (write && read_tag(&c, &t) && is_context(&t, 1))
		note_property(call, &t);
}

/* A list of: [0] object, [1] { [0] property, ... }. Values lie deeper. */
static void note_references(const struct bacnet_call *call, struct cursor c, bool write)
{
	unsigned depth = 0;
	struct tag t;

	while (cursor_left(&c) && read_tag(&c, &t)) {
		if (t.opening) {
			depth++;
		} else if (t.closing) {
			if (depth-- == 0)
				return;
		} else if (is_context(&t, 0)) {
			if (depth == 0)
				note_type(call, write ? F_WRITTEN_TYPE : F_OBJECT_TYPE, &t);
			else if (depth == 1 && write)
				note_property(call, &t);
		}
	}
}

/* The object's identifier, as an application value: deleteObject, files. */
static void note_plain(const struct bacnet_call *call, struct cursor c, bool write)
{
	struct tag t;

	if (read_tag(&c, &t) && !t.context && t.number == TAG_OBJECT)
		note_type(call, write ? F_WRITTEN_TYPE : F_OBJECT_TYPE, &t);
}

/* 15.3: [0] { [0] type or [1] identifier }. */
static void note_created(const struct bacnet_call *call, struct cursor c)
{
	struct tag t;
	uint32_t type;

	if (!read_tag(&c, &t) || !t.opening || !read_tag(&c, &t))
		return;
	if (is_context(&t, 1))
		note_type(call, F_WRITTEN_TYPE, &t);
	else if (is_context(&t, 0) && read_unsigned(&t, &type))
		bacnet_word(call, F_WRITTEN_TYPE, WORD_OBJECT_TYPE, type);
}

/* 16.1, 16.4: an enumeration in context `number`, which another may precede. */
static void note_state(const struct bacnet_call *call, struct cursor c, unsigned number,
		       unsigned field, enum bacnet_list list)
{
	struct tag t;
	uint32_t state;

	for (unsigned i = 0; i <= number && read_tag(&c, &t); i++)
		if (is_context(&t, number) && read_unsigned(&t, &state)) {
			bacnet_word(call, field, list, state);
			return;
		}
}

enum confirmed {
	ACKNOWLEDGE_ALARM = 0,
	COV_NOTIFICATION = 1,
	EVENT_NOTIFICATION = 2,
	SUBSCRIBE_COV = 5,
	READ_FILE = 6,
	WRITE_FILE = 7,
	ADD_LIST_ELEMENT = 8,
	REMOVE_LIST_ELEMENT = 9,
	CREATE_OBJECT = 10,
	DELETE_OBJECT = 11,
	READ_PROPERTY = 12,
	READ_PROPERTY_MULTIPLE = 14,
	WRITE_PROPERTY = 15,
	WRITE_PROPERTY_MULTIPLE = 16,
	DEVICE_CONTROL = 17,
	PRIVATE_TRANSFER = 18,
	REINITIALIZE = 20,
	READ_RANGE = 26,
	LIFE_SAFETY = 27,
	SUBSCRIBE_COV_PROPERTY = 28,
	SUBSCRIBE_COV_MULTIPLE = 30,
	COV_NOTIFICATION_MULTIPLE = 31,
};

/* What a service counts as; the same for all that are in no row. */
struct service {
	uint8_t number, field;
	bool write, control;
};

static const struct service confirmed_services[] = {
	/* clang-format off */
	{ ACKNOWLEDGE_ALARM, F_ALARM_ACKS, false, false },
	{ COV_NOTIFICATION, F_NOTIFICATIONS, false, false },
	{ EVENT_NOTIFICATION, F_NOTIFICATIONS, false, false },
	{ SUBSCRIBE_COV, F_SUBSCRIPTIONS, false, false },
	{ READ_FILE, F_FILE_READS, false, false },
	{ WRITE_FILE, F_FILE_WRITES, true, false },
	{ ADD_LIST_ELEMENT, F_LIST_WRITES, true, false },
	{ REMOVE_LIST_ELEMENT, F_LIST_WRITES, true, false },
	{ CREATE_OBJECT, F_CREATED, true, false },
	{ DELETE_OBJECT, F_CREATED, true, false },
	{ READ_PROPERTY, F_READS, false, false },
	{ READ_PROPERTY_MULTIPLE, F_READS, false, false },
	{ WRITE_PROPERTY, F_WRITE_PROPERTY, true, false },
	{ WRITE_PROPERTY_MULTIPLE, F_WRITE_PROPERTY_MULTIPLE, true, false },
	{ DEVICE_CONTROL, F_SILENCES, false, true },
	{ PRIVATE_TRANSFER, F_PRIVATE, false, false },
	{ REINITIALIZE, F_RESTARTS, false, true },
	{ READ_RANGE, F_READS, false, false },
	{ LIFE_SAFETY, F_LIFE_SAFETY, false, true },
	{ SUBSCRIBE_COV_PROPERTY, F_SUBSCRIPTIONS, false, false },
	{ SUBSCRIBE_COV_MULTIPLE, F_SUBSCRIPTIONS, false, false },
	{ COV_NOTIFICATION_MULTIPLE, F_NOTIFICATIONS, false, false },
	/* clang-format on */
};

enum unconfirmed { I_AM = 0, WHO_IS = 8 };

static const struct service unconfirmed_services[] = {
	/* clang-format off */
	{ I_AM, F_I_AM, false, false },
	{ 2, F_NOTIFICATIONS, false, false },
	{ 3, F_NOTIFICATIONS, false, false },
	{ 4, F_PRIVATE, false, false },
	{ 6, F_TIME_SYNC, false, false },
	{ 7, F_WHO_HAS, false, false },
	{ WHO_IS, F_WHO_IS, false, false },
	{ 9, F_TIME_SYNC, false, false },
	{ 10, F_WRITE_GROUP, true, false },
	{ 11, F_NOTIFICATIONS, false, false },
	/* clang-format on */
};

static void count_service(const struct bacnet_call *call, const struct service *table, size_t rows,
			  uint8_t number)
{
	for (size_t i = 0; i < rows; i++) {
		if (table[i].number != number)
			continue;
		bacnet_count(call, table[i].field);
		if (table[i].write)
			bacnet_count(call, F_WRITES);
		if (table[i].control)
			bacnet_count(call, F_CONTROL);
		return;
	}
	bacnet_count(call, F_OTHER);
}

static void note_parameters(const struct bacnet_call *call, const struct apdu *a)
{
	switch ((enum confirmed)a->service) {
	case READ_PROPERTY:
	case READ_RANGE:
		note_reference(call, a->parameters, false);
		break;
	case WRITE_PROPERTY:
	case ADD_LIST_ELEMENT:
	case REMOVE_LIST_ELEMENT:
		note_reference(call, a->parameters, true);
		break;
	case READ_PROPERTY_MULTIPLE:
	case WRITE_PROPERTY_MULTIPLE:
		note_references(call, a->parameters, a->service == WRITE_PROPERTY_MULTIPLE);
		break;
	case READ_FILE:
		note_plain(call, a->parameters, false);
		break;
	case WRITE_FILE:
	case DELETE_OBJECT:
		note_plain(call, a->parameters, true);
		break;
	case CREATE_OBJECT:
		note_created(call, a->parameters);
		break;
	case DEVICE_CONTROL: /* [0] minutes, perhaps; [1] what; [2] password */
		note_state(call, a->parameters, 1, F_SILENCE, WORD_CONTROL);
		break;
	case REINITIALIZE: /* [0] what; [1] password */
		note_state(call, a->parameters, 0, F_RESTART, WORD_RESTART);
		break;
	default:
		break;
	}
}

static bool is_notification(uint8_t service)
{
	return service == COV_NOTIFICATION || service == EVENT_NOTIFICATION ||
	       service == COV_NOTIFICATION_MULTIPLE;
}

static void confirmed(const struct bacnet_call *call, const struct apdu *a)
{
	if (!is_notification(a->service)) /* a device tells its client */
		call->in->role = ROLE_SENDER_IS_CLIENT;
	if (!a->begins)
		return;
	bacnet_count(call, F_CONFIRMED);
	count_service(call, confirmed_services,
		      sizeof(confirmed_services) / sizeof(*confirmed_services), a->service);
	note_parameters(call, a);
}

static void say(const struct bacnet_call *call, enum bacnet_field field, const char *text)
{
	const struct field *f = &bacnet_fields[field];
	size_t n = strlen(text);

	attributes_text(call->out, f, text, n);
	if (call->remote)
		return;
	enum fact_subject subject = call->in->transport == TRANSPORT_LINK ? FACT_MAC
				    : call->forwarded                     ? FACT_IP
									  : FACT_SENDER;
	struct dissect_fact *fact = dissect_says(call->in, f, subject, text, n);
	if (!fact)
		return;
	fact->ip = call->origin;
	memcpy(fact->mac, call->in->source_mac, sizeof(fact->mac));
}

/* 16.10: device, most octets, segmentation, vendor. */
static void i_am(const struct bacnet_call *call, struct cursor c)
{
	enum { TYPE_DEVICE = 8 };
	struct tag device, skipped, vendor;
	uint32_t type, instance, id;
	char text[16];

	read_tag(&c, &device);
	read_tag(&c, &skipped);
	read_tag(&c, &skipped);
	if (!read_tag(&c, &vendor) || device.context || device.number != TAG_OBJECT ||
	    !read_object(&device, &type, &instance) || type != TYPE_DEVICE)
		return;
	snprintf(text, sizeof(text), "%u", instance);
	say(call, F_DEVICE, text);
	if (vendor.context || vendor.number != TAG_UNSIGNED || !read_unsigned(&vendor, &id))
		return;
	snprintf(text, sizeof(text), "%u", id);
	say(call, F_VENDOR_ID, text);
	const char *name = bacnet_vendor(id);
	if (name)
		say(call, F_VENDOR, name);
}

static void unconfirmed(const struct bacnet_call *call, const struct apdu *a)
{
	bacnet_count(call, F_UNCONFIRMED);
	count_service(call, unconfirmed_services,
		      sizeof(unconfirmed_services) / sizeof(*unconfirmed_services), a->service);
	if (a->service == WHO_IS)
		call->in->role = ROLE_SENDER_IS_CLIENT;
	if (a->service == I_AM)
		i_am(call, a->parameters);
}

/* 20.1.7: class and code; some services put more around them, in [0] { }. */
static void failure(const struct bacnet_call *call, struct cursor c)
{
	struct tag class, code;
	uint32_t n;

	bacnet_count(call, F_ERRORS);
	if (!read_tag(&c, &class))
		return;
	if (class.opening && !read_tag(&c, &class))
		return;
	if (!read_tag(&c, &code) || class.context || class.number != TAG_ENUMERATED ||
	    code.context || code.number != TAG_ENUMERATED)
		return;
	if (read_unsigned(&class, &n))
		bacnet_word(call, F_ERROR_CLASS, WORD_ERROR_CLASS, n);
	if (read_unsigned(&code, &n))
		bacnet_word(call, F_ERROR_CODE, WORD_ERROR_CODE, n);
}

static void ended(const struct bacnet_call *call, const struct apdu *a)
{
	if (a->type == APDU_REJECT) {
		bacnet_count(call, F_REJECTS);
		bacnet_word(call, F_REJECT_REASON, WORD_REJECT, a->service);
	} else {
		bacnet_count(call, F_ABORTS);
		bacnet_word(call, F_ABORT_REASON, WORD_ABORT, a->service);
	}
}

/* Notifications go from the device to its client, and a reject does not say what it
 * rejects. */
static enum role answerer(const struct apdu *a)
{
	if (a->type == APDU_ABORT)
		return a->by_server ? ROLE_SENDER_IS_SERVER : ROLE_SENDER_IS_CLIENT;
	if (a->type == APDU_SEGMENT_ACK || a->type == APDU_REJECT || is_notification(a->service))
		return ROLE_UNKNOWN;
	return ROLE_SENDER_IS_SERVER;
}

bool bacnet_apdu(struct bacnet_call *call, struct cursor apdu)
{
	struct apdu a;

	if (!read_apdu(apdu, &a))
		return false;
	if (a.segmented)
		bacnet_count(call, F_SEGMENTS);
	switch (a.type) {
	case APDU_CONFIRMED:
		confirmed(call, &a);
		return true;
	case APDU_UNCONFIRMED:
		unconfirmed(call, &a);
		return true;
	case APDU_SIMPLE_ACK:
	case APDU_COMPLEX_ACK:
		if (a.begins)
			bacnet_count(call, F_ACKS);
		break;
	case APDU_SEGMENT_ACK:
		break;
	case APDU_ERROR:
		failure(call, a.parameters);
		break;
	case APDU_REJECT:
	case APDU_ABORT:
		ended(call, &a);
		break;
	}
	call->in->role = answerer(&a);
	return true;
}
